// Many open pages in one process: Socket.IO over `ws`, coming back as the page's own client does.
// `node clients.cjs`; one JSON command a line on stdin, one JSON answer a line on stdout:
// {do: "open", url, pages: [{cookie, last}], atOnce, delayMax}  opens more pages, answers at once
// {do: "state"}  answers {pages, connected, connects, news, frames, bytes, attempts}
// {do: "taken"}  answers {taken: [[id, ms since 1970], ...] for each page}
const readline = require("node:readline");
const path = require("node:path");
const WebSocket = require(path.join(__dirname, "../../web/node_modules/ws"));

const DELAY_MS = 1000; // socket.io-client's first delay and its spread
const SPREAD = 0.5;
const CLOSED_BY_SERVER_MS = [500, 2000]; // web/static/js/live.js
const ANSWER_MS = 20000;
const pages = [];
const total = { connects: 0, news: 0, frames: 0, bytes: 0, attempts: 0, connected: 0 };
const now = () => performance.timeOrigin + performance.now();

class Page {
  constructor(url, { cookie, last }, delayMax, whenDone) {
    Object.assign(this, { url, cookie, last, delayMax, whenDone, failures: 0, isConnected: false, taken: [] });
    this.open();
  }

  open() {
    total.attempts += 1;
    const address = `${this.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`;
    const socket = new WebSocket(address, { headers: { Cookie: this.cookie }, perMessageDeflate: false });
    this.socket = socket;
    this.patience = setTimeout(() => socket.terminate(), ANSWER_MS);
    socket.on("message", (content) => this.take(content.toString()));
    socket.on("error", () => {}); // a close follows
    socket.on("close", () => this.lost());
  }

  take(frame) {
    total.frames += 1;
    total.bytes += frame.length;
    if (frame[0] === "2") this.socket.send("3");
    else if (frame[0] === "0") this.socket.send(`40${JSON.stringify({ last: this.last })}`);
    else if (frame.startsWith("42")) this.hear(frame);
    else if (frame.startsWith("40")) this.welcome();
    else if (frame.startsWith("41")) this.isClosedByServer = true;
    else if (frame.startsWith("44")) this.socket.terminate();
  }

  hear(frame) {
    if (!frame.startsWith('42["new_notification"')) return;
    const [, { id }] = JSON.parse(frame.slice(2));
    total.news += 1;
    this.last = id;
    this.taken.push([id, now()]);
  }

  welcome() {
    clearTimeout(this.patience);
    this.isConnected = true;
    this.failures = 0;
    total.connected += 1;
    total.connects += 1;
    this.done();
  }

  lost() {
    clearTimeout(this.patience);
    if (this.isConnected) total.connected -= 1;
    this.isConnected = false;
    this.done();
    setTimeout(() => this.open(), this.pause());
    this.isClosedByServer = false;
  }

  pause() {
    if (this.isClosedByServer) return CLOSED_BY_SERVER_MS[0] + Math.random() * CLOSED_BY_SERVER_MS[1];
    const delay = Math.min(DELAY_MS * 2 ** this.failures, 2 ** 30);
    this.failures += 1;
    return Math.min(delay * (1 + SPREAD * (2 * Math.random() - 1)), this.delayMax);
  }

  done() {
    this.whenDone?.();
    this.whenDone = null;
  }
}

function open({ url, pages: wanted, atOnce, delayMax }) {
  const waiting = [...wanted];
  const next = () => waiting.length && pages.push(new Page(url, waiting.shift(), delayMax, next));
  for (let n = 0; n < atOnce; n += 1) next();
}

const answers = {
  open,
  state: () => ({ pages: pages.length, ...total }),
  taken: () => ({ taken: pages.map((page) => page.taken) }),
};

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line);
  console.log(JSON.stringify(answers[order.do](order) ?? {}));
});
process.stdin.on("end", () => process.exit());
