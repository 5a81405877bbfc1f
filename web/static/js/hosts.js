// Pages of hosts follow what happens: told of a sweep, they ask the server how it is now.
import { socket } from "./live.js";
import { refreshTimes } from "./time.js";

const GATHER_MS = 400;
const FRESH_MS = 10000; // figures alone need not be newer than that
const PART = "hosts-live";
let timer = 0;
let readAt = Date.now();

const watch = () => socket.emit("watch_hosts", {}, () => {});

function soon(waitMs) {
  clearTimeout(timer);
  timer = setTimeout(refresh, Math.max(GATHER_MS, waitMs));
}

async function refresh() {
  if (document.visibilityState !== "visible") return;
  readAt = Date.now();
  const fresh = (await read())?.getElementById(PART);
  const mine = document.getElementById(PART);
  if (!fresh || !mine) return;
  const focused = mine.contains(document.activeElement) && document.activeElement.id;
  keepOpen(mine, fresh);
  mine.replaceChildren(...fresh.childNodes);
  refreshTimes(mine);
  if (focused) document.getElementById(focused)?.focus();
}

// What somebody opened or closed stays so: groups by their names, of other parts there is one.
function keepOpen(mine, fresh) {
  for (const now of fresh.querySelectorAll("details")) {
    const before = [...mine.querySelectorAll("details")].find((one) => one.dataset.group === now.dataset.group);
    if (before) now.open = before.open;
  }
}

// A network that is away says so elsewhere: the next sweep brings the rest.
async function read() {
  try {
    // After a form that was refused the address is the form's, which cannot be read.
    const from = document.getElementById(PART)?.dataset.from ?? location.href;
    const answer = await fetch(from, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(20000) });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}

socket.on("connect", () => {
  watch();
  soon(0);
});
socket.on("host_changed", ({ is_only_fresh: isOnlyFresh }) => soon(isOnlyFresh ? FRESH_MS - (Date.now() - readAt) : 0));
document.addEventListener("visibilitychange", () => soon(0));
if (socket.connected) watch();
