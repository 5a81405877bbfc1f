// The list follows what happens: told of a change, it asks the server how it is now. What has the focus stays.
import { socket } from "./live.js";
import { askAgain, showNotices } from "./task_notices.js";
import { refreshTimes } from "./time.js";

const GATHER_MS = 400;
const PARTS = ["task-tabs", "task-list"];
const list = document.getElementById("task-list");
let timer = 0;
let wasHere = false;

const rows = () => [...list.querySelectorAll(".task")];
const watch = () => socket.emit("watch_tasks", { ids: rows().map((row) => Number(row.dataset.id)) }, catchUp);

// What changed between the making of the page and this moment, nobody will tell of any more.
function catchUp({ updated_on: now = {} }) {
  const isLate = rows().some((row) => (now[row.dataset.id] ?? row.dataset.updatedOn) !== row.dataset.updatedOn);
  if (isLate && !list.contains(document.activeElement)) soon();
}

function enter() {
  watch();
  if (wasHere) soon();
  wasHere = true;
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, GATHER_MS);
}

async function refresh() {
  const fresh = await read();
  if (fresh) showNotices(fresh);
  askAgain(soon);
  for (const name of PARTS) {
    const mine = document.getElementById(name);
    const theirs = fresh?.getElementById(name);
    if (!theirs || mine.contains(document.activeElement) || mine.textContent === theirs.textContent) continue;
    mine.replaceChildren(...theirs.childNodes);
    refreshTimes(mine);
  }
  if (fresh) watch();
}

// A network that is away says so elsewhere: the next news brings the rest.
async function read() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(20000) });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}

if (list) {
  if (socket.connected) enter();
  socket.on("connect", enter);
  for (const event of ["task_changed", "new_notification"]) socket.on(event, soon);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && soon());
  askAgain(soon);
}
