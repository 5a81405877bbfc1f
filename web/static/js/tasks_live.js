// The list follows what happens: told of a change, it asks the server how it is now. What has the focus stays.
import { socket } from "./live.js";
import { refreshTimes } from "./time.js";

const GATHER_MS = 400;
const PARTS = ["task-tabs", "task-list"];
const list = document.getElementById("task-list");
let timer = 0;
let wasHere = false;

const shown = () => [...list.querySelectorAll(".task")].map((row) => Number(row.dataset.id));

function enter() {
  socket.emit("watch_tasks", { ids: shown() });
  if (wasHere) soon();
  wasHere = true;
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, GATHER_MS);
}

async function refresh() {
  const fresh = await read();
  for (const name of PARTS) {
    const mine = document.getElementById(name);
    const theirs = fresh?.getElementById(name);
    if (!theirs || mine.contains(document.activeElement) || mine.textContent === theirs.textContent) continue;
    mine.replaceChildren(...theirs.childNodes);
    refreshTimes(mine);
  }
  if (fresh) socket.emit("watch_tasks", { ids: shown() });
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
}
