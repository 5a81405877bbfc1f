// The task changes while it is open: said, and shown when asked for. Who else looks at it is said, too.
import { socket } from "./live.js";
import { ask, isExpected } from "./server.js";
import { isBusy, lastEntry, page, refresh, say, taskId, updatedOn } from "./task_page.js";

const HEARTBEAT_MS = 20000;
const GATHER_MS = 300;
const banner = document.getElementById("task-banner");
const me = Number(document.body.dataset.userId);
let timer = 0;
let isLate = false;
let wasHere = false;

const isVisible = () => document.visibilityState === "visible";
const look = () => socket.connected && socket.emit("viewing", { task_id: isVisible() ? taskId : null });

function enter() {
  // What changed between the making of the page and this moment, nobody will tell of any more.
  socket.emit("watch_tasks", { ids: [taskId] }, ({ updated_on: now }) => now?.[taskId] > updatedOn() && soon());
  look();
  if (wasHere) soon(); // what happened while the connection was away
  wasHere = true;
}

if (socket.connected) enter();
socket.on("connect", enter);
socket.on("task_changed", (news) => {
  if (news.task_id === taskId && news.updated_on !== updatedOn()) soon();
});
socket.on("new_notification", (item) => {
  if (item.issue_id === taskId) soon();
});
socket.on("viewers", ({ task_id: id, people }) => {
  if (id === taskId) showPeople(people.filter((person) => person.id !== me));
});
document.addEventListener("visibilitychange", look);
setInterval(() => isVisible() && look(), HEARTBEAT_MS);
setInterval(() => socket.connected && socket.emit("watch_tasks", { ids: [taskId] }), 10 * HEARTBEAT_MS);

function soon() {
  clearTimeout(timer);
  timer = setTimeout(check, GATHER_MS);
}

// Redmine is asked, as the reader: not every change is one that they see.
async function check() {
  isLate = isBusy();
  if (isLate) return;
  try {
    const task = await ask("GET", `/tasks/api/task/${taskId}`);
    const last = task.history.at(-1);
    if (task.updated_on === updatedOn() && (last?.id ?? 0) === lastEntry()) return;
    const who = last && last.id > lastEntry() ? last.user.name : "";
    banner.querySelector(".task-banner-text").textContent = who ? say("changedBy", { who }) : say("changed");
    banner.hidden = false;
  } catch (error) {
    if (!isExpected(error)) throw error;
  }
}

document.addEventListener("task-settled", () => isLate && soon());
document.addEventListener("task-shown", () => {
  banner.hidden = true;
});
document.getElementById("task-show").addEventListener("click", async () => {
  const before = lastEntry();
  if (!(await refresh())) return;
  const fresh = [...page.querySelectorAll(".entry")].filter((entry) => Number(entry.dataset.entry) > before);
  for (const entry of fresh) entry.classList.add("is-new");
  fresh[0]?.scrollIntoView({ block: "nearest" });
});

function showPeople(people) {
  const place = document.getElementById("task-viewers");
  place.hidden = people.length === 0;
  place.title = people.map((person) => person.name).join(", ");
  const words = document.createElement("span");
  words.className = "visually-hidden";
  words.textContent = `${say("alsoHere")}: ${place.title}`;
  const name = document.createElement("span");
  name.textContent = people.length === 1 ? people[0].name : "";
  name.setAttribute("aria-hidden", "true");
  place.replaceChildren(words, ...people.slice(0, 5).map(avatar), name);
}

function avatar(person) {
  const mark = document.createElement("span");
  mark.className = "avatar avatar-xs";
  mark.textContent = person.name.slice(0, 1).toUpperCase();
  mark.setAttribute("aria-hidden", "true");
  return mark;
}
