// What the page of a task knows of itself, and how it is brought up to date without losing what is being typed.
import { refreshTimes } from "./time.js";

export const page = document.getElementById("task");
export const taskId = Number(page.dataset.taskId);
const PARTS = ["task-head", "task-description", "task-attachments", "task-history", "task-side"];

export const say = (name, values = {}) =>
  Object.entries(values).reduce((words, [key, value]) => words.replace(`{${key}}`, value), page.dataset[name] ?? "");

const head = () => document.getElementById("task-head");
export const updatedOn = () => head().dataset.updatedOn;
export const lastEntry = () => Number(head().dataset.lastEntry);

let doing = 0;
export const isBusy = () => doing > 0;

/** Run something that changes the task: what the server says of it meanwhile is our own doing. */
export async function busily(act) {
  doing += 1;
  try {
    return await act();
  } finally {
    doing -= 1;
    document.dispatchEvent(new Event("task-settled"));
  }
}

/** Show the task as it is now; false where it could not be had. */
export async function refresh() {
  const fresh = await read();
  if (!fresh) return false;
  const focused = document.activeElement?.id;
  const people = document.getElementById("task-viewers");
  for (const id of PARTS) {
    const part = fresh.getElementById(id);
    if (part) document.getElementById(id).replaceWith(document.adoptNode(part));
  }
  document.getElementById("task-viewers")?.replaceWith(people);
  if (focused && focused !== document.activeElement?.id) document.getElementById(focused)?.focus({ preventScroll: true });
  document.title = fresh.title;
  refreshTimes(page);
  document.dispatchEvent(new Event("task-shown"));
  return true;
}

async function read() {
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(30000) });
    if (!answer.ok || answer.redirected) return null;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    return fresh.getElementById("task") ? fresh : null;
  } catch {
    return null; // no network: what is shown stays, and the mark in the header says so
  }
}
