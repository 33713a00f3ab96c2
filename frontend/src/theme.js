// Light and dark without a reload. The cookie that the server sets keeps the choice.

import { words } from "./words.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

const shown = () => {
  const theme = document.documentElement.dataset.theme;
  return theme === "dark" || (theme !== "light" && dark.matches) ? "dark" : "light";
};

/** A form with a single button is a switch: it offers the look that is not shown now. */
function dressSwitches() {
  const other = shown() === "dark" ? "light" : "dark";
  for (const form of document.querySelectorAll("form[data-theme-form]")) {
    const buttons = form.querySelectorAll("button[name=theme]");
    if (buttons.length === 1) {
      buttons[0].value = other;
      buttons[0].setAttribute("aria-label", other === "dark" ? words.toDark : words.toLight);
    } else {
      const chosen = document.documentElement.dataset.theme;
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.value === chosen));
    }
  }
}

export function listenForTheme() {
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!event.target.matches("form[data-theme-form]") || button?.name !== "theme") return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(event.target));
    body.set("theme", button.value);
    document.documentElement.dataset.theme = button.value;
    dressSwitches();
    // Only the cookie matters: where it leads to is this page. Unsaved, the look lasts until the next page.
    const options = { method: "POST", body, credentials: "same-origin", redirect: "manual", keepalive: true };
    fetch(event.target.action, options).catch(() => {});
  });
  dark.addEventListener("change", dressSwitches);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", dressSwitches);
  else dressSwitches();
}
