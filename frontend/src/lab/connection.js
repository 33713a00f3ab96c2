// A terminal's line to its shell: a ticket by POST, then a WebSocket; again and again until the lab is over.
// lessons/consumers says what goes over it.

const FIRST_WAIT_MS = 500;
const LAST_WAIT_MS = 15_000;
const STEADY_MS = 5000; // a connection that lasted this long ends a row of failures
const ANSWER_MS = 15_000; // a request for a ticket that hangs must not keep the terminal from trying again
const ACK_BYTES = 32 * 1024; // the server waits at eight times as many
const PIECE = 48 * 1024; // bytes of a frame; the server takes 64 KB

const LAB_OVER = 4001; // codes of the close
const RESTARTING = 1012;

const encoder = new TextEncoder();

/**
 * url: where tickets are given. token(): the CSRF token. size(): [columns, rows]. on: bytes(data, shown),
 * hello(replay), message(frame), over(text) once the lab is, and state(name, text): "connecting", "open", "lost" while
 * it tries again by itself, "refused" where only the learner can, "barred" where nobody can.
 */
export class Connection {
  constructor({ url, number, token, size, on }) {
    Object.assign(this, { url, number, token, size, on });
    this.wait = FIRST_WAIT_MS;
    this.closed = false;
    this.unacked = 0;
    this.online = () => this.timer && this.open();
    addEventListener("online", this.online);
    this.on.state("connecting");
    this.open();
  }

  async open() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.closed) return;
    let ticket;
    try {
      ticket = await this.ask();
    } catch {
      return this.retry();
    }
    if (this.closed) return;
    if (!ticket.url) return this.on.state("refused", ticket.text);
    this.connect(ticket.url);
  }

  /** {url} of the socket, or {text} where the server will not give one; throws where asking again may help. */
  async ask() {
    const body = new URLSearchParams({ number: this.number });
    const headers = { "X-CSRFToken": this.token(), Accept: "application/json" };
    const signal = AbortSignal.timeout(ANSWER_MS);
    const reply = await fetch(this.url, { method: "POST", body, headers, credentials: "same-origin", signal });
    if (reply.ok) return reply.json();
    if (reply.status >= 500 || reply.status === 429) throw new Error(`no ticket: ${reply.status}`);
    const said = await reply.json().catch(() => ({}));
    return { text: said.message ?? "" };
  }

  connect(path) {
    const address = new URL(path, location.href);
    const [columns, rows] = this.size();
    address.searchParams.set("columns", columns);
    address.searchParams.set("rows", rows);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.unacked = 0;
    let steady = 0;
    this.ended = null; // the frame in which the server said why it closes
    socket.onopen = () => {
      steady = setTimeout(() => (this.wait = FIRST_WAIT_MS), STEADY_MS);
    };
    socket.onmessage = ({ data }) => {
      if (this.socket !== socket) return;
      if (typeof data === "string") this.hear(JSON.parse(data));
      else this.show(new Uint8Array(data), socket);
    };
    socket.onclose = ({ code }) => {
      clearTimeout(steady);
      if (this.socket !== socket) return;
      this.socket = null;
      if (this.closed) return;
      if (code === LAB_OVER) this.on.over(this.ended?.message);
      else if (this.ended && code !== RESTARTING) this.on.state(this.ended.again ? "refused" : "barred", this.ended.message);
      else this.retry();
    };
  }

  hear(frame) {
    if (frame.type === "hello") {
      this.on.hello(frame.replay ?? 0);
      this.on.state("open");
      this.resize();
    } else if (frame.type === "ended") this.ended = frame;
    else this.on.message(frame);
  }

  /** The server sends on only as fast as the screen shows. */
  show(bytes, socket) {
    this.on.bytes(bytes, () => {
      if (this.socket !== socket) return;
      this.unacked += bytes.length;
      if (this.unacked < ACK_BYTES) return;
      this.tell({ type: "ack", bytes: this.unacked });
      this.unacked = 0;
    });
  }

  retry() {
    this.on.state("lost");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LAST_WAIT_MS);
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  tell(frame) {
    if (this.isOpen) this.socket.send(JSON.stringify(frame));
  }

  resize() {
    const [columns, rows] = this.size();
    this.tell({ type: "resize", columns, rows });
  }

  /** What was typed, text or bytes; lost while there is no connection, which the learner sees. */
  type(typed) {
    if (!this.isOpen) return;
    const bytes = typeof typed === "string" ? encoder.encode(typed) : typed;
    for (let start = 0; start < bytes.length; start += PIECE) this.socket.send(bytes.subarray(start, start + PIECE));
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    removeEventListener("online", this.online);
    this.socket?.close(1000);
    this.socket = null;
  }
}
