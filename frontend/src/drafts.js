// Drafts: what is typed is saved on the server a moment later, and held in this browser until it is.

import { answerOf, make } from "./dom.js";
import { words } from "./words.js";

const SAVE_AFTER_MS = 1200;
const RETRY_FIRST_MS = 4000;
const RETRY_LAST_MS = 60_000;
const KEEP_MS = 30 * 24 * 3600_000;
const ADOPT_MS = 3600_000; // what was typed before logging in belongs to whoever logs in soon after
const KEEPALIVE_BYTES = 60_000; // browsers refuse larger bodies when a page goes away

const drafts = new Map(); // form -> Draft

export function startDrafts(form) {
  for (const known of drafts.keys()) if (!known.isConnected) drafts.delete(known);
  if (form.dataset.draftUrl && !drafts.has(form)) drafts.set(form, new Draft(form));
}

/** Save at once, as when the page goes away. */
const flush = () => drafts.forEach((draft) => draft.leave());
addEventListener("pagehide", flush);
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && flush());
addEventListener("online", () => drafts.forEach((draft) => draft.retryNow()));
setInterval(() => drafts.forEach((draft) => draft.showAge()), 30_000);

class Draft {
  constructor(form) {
    this.form = form;
    this.url = form.dataset.draftUrl;
    this.note = form.querySelector("[data-saved]");
    this.saved = this.text(); // as the server knows it
    this.savedAt = 0;
    this.timer = 0;
    this.wait = RETRY_FIRST_MS;
    this.failing = false;
    this.busy = false;
    this.restore();
    form.addEventListener("input", () => this.touch());
    form.addEventListener("change", () => this.touch());
  }

  text() {
    return JSON.stringify(answerOf(this.form));
  }

  touch() {
    const now = this.text();
    if (now === this.saved && !this.busy) {
      clearTimeout(this.timer);
      shelf.remove(this.url);
      this.failing = false;
      this.showAge();
      return;
    }
    shelf.put(this.url, { base: this.saved, now, at: Date.now() });
    this.wait = RETRY_FIRST_MS;
    this.schedule(SAVE_AFTER_MS);
  }

  schedule(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), delay);
  }

  async save() {
    if (this.busy) return; // the answer to the one under way asks again
    const sent = this.text();
    if (sent === this.saved) return;
    this.busy = true;
    let outcome;
    try {
      outcome = await this.read(await this.post(false));
    } catch {
      outcome = { again: true, words: words.saveFailed };
    }
    this.busy = false;
    if (!this.form.isConnected) return;
    this.failing = Boolean(outcome.again);
    if (outcome.kept) {
      this.saved = sent;
      this.savedAt = Date.now();
      this.wait = RETRY_FIRST_MS;
      if (this.text() === sent) shelf.remove(this.url);
      this.showAge();
    } else {
      this.savedAt = 0;
      this.show(outcome.words);
    }
    if (outcome.again) {
      this.schedule(this.wait);
      this.wait = Math.min(this.wait * 2, RETRY_LAST_MS);
    } else if (this.text() !== sent) this.schedule(SAVE_AFTER_MS);
  }

  post(keepalive) {
    const body = new URLSearchParams(new FormData(this.form));
    if (keepalive && body.toString().length > KEEPALIVE_BYTES) return Promise.reject(new Error("too large"));
    const token = body.get("csrfmiddlewaretoken") ?? "";
    const headers = { "HX-Request": "true", "X-CSRFToken": token };
    return fetch(this.url, { method: "POST", body, headers, keepalive, credentials: "same-origin" });
  }

  /** kept: the server has it. again: worth another try. Otherwise the next change asks anew. */
  async read(response) {
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const said = page.body.textContent.trim().replace(/\s+/g, " ");
    if (response.ok) return page.querySelector("[data-unsaved]") ? { words: said } : { kept: true };
    if (response.status === 413 || response.status === 422) return { words: `${words.saveRefused} ${said}`.trim() };
    return { again: true, words: words.saveFailed };
  }

  leave() {
    const now = this.text();
    if (now === this.saved || this.busy) return;
    clearTimeout(this.timer);
    shelf.put(this.url, { base: this.saved, now, at: Date.now() });
    this.post(true)
      .then((response) => this.read(response))
      .then((outcome) => {
        if (!outcome.kept) return;
        this.saved = now;
        this.savedAt = Date.now();
        if (this.text() === now) shelf.remove(this.url);
        this.showAge();
      })
      .catch(() => this.schedule(RETRY_FIRST_MS)); // only where the page came back
  }

  retryNow() {
    if (this.failing) this.schedule(0);
  }

  /** Put back what this browser holds, unless the server has learnt of something else since. */
  restore() {
    const held = shelf.get(this.url);
    if (!held) return;
    const showsOldAttempt = new URLSearchParams(location.search).has("from");
    if (showsOldAttempt) return;
    if (!alike(held.base, this.saved) || held.now === this.saved) {
      shelf.remove(this.url);
      return;
    }
    fill(this.form, JSON.parse(held.now));
    this.show(words.restored);
    this.schedule(SAVE_AFTER_MS);
  }

  showAge() {
    if (!this.savedAt || this.text() !== this.saved) return;
    const minutes = Math.floor((Date.now() - this.savedAt) / 60_000);
    const age = minutes < 1 ? words.justNow : minutes < 60 ? words.minutesAgo(minutes) : words.hoursAgo(Math.floor(minutes / 60));
    this.show(`${words.saved} · ${age}`);
  }

  show(text) {
    if (!this.note) return;
    this.note.hidden = false;
    this.note.classList.toggle("failed", text.startsWith(words.saveFailed) || text.startsWith(words.saveRefused));
    if (this.note.textContent !== text) this.note.replaceChildren(make("span", {}, text));
  }
}

/** The server may tidy line ends of what it keeps. */
function alike(one, other) {
  const bare = (text) => text.replace(/\\[rnt]|\s/g, "");
  return bare(one) === bare(other);
}

/** Write [name, text] pairs back into plain fields: the i-th text of a name into its i-th field. */
function fill(form, pairs) {
  const texts = new Map();
  for (const [name, text] of pairs) texts.set(name, [...(texts.get(name) ?? []), text]);
  const next = new Map();
  for (const field of form.elements) {
    if (!field.name || field.disabled || field.type === "hidden" || field.type === "submit") continue;
    const wanted = texts.get(field.name) ?? [];
    if (field.type === "checkbox" || field.type === "radio") {
      field.checked = wanted.includes(field.value);
      continue;
    }
    const place = next.get(field.name) ?? 0;
    next.set(field.name, place + 1);
    if (place < wanted.length) field.value = wanted[place];
  }
}

/** This browser's own keeping, apart for each learner; silent where a browser forbids it. */
const shelf = {
  key: (url, learner = document.body.dataset.learner ?? "") => `naru:draft:${learner}:${url}`,
  put(url, entry) {
    try {
      localStorage.setItem(this.key(url), JSON.stringify(entry));
    } catch {
      // full or forbidden: the server's copy is then the only one
    }
  },
  get(url) {
    const own = this.read(this.key(url), KEEP_MS);
    if (own || !document.body.dataset.learner) return own;
    const unclaimed = this.read(this.key(url, ""), ADOPT_MS);
    this.drop(this.key(url, ""));
    if (unclaimed) this.put(url, unclaimed);
    return unclaimed;
  },
  read(key, longest) {
    try {
      const entry = JSON.parse(localStorage.getItem(key) ?? "null");
      return entry && Date.now() - entry.at < longest ? entry : null;
    } catch {
      return null;
    }
  },
  remove(url) {
    this.drop(this.key(url));
  },
  drop(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // forbidden: then nothing was put there either
    }
  },
};
