// Reading the inbox by HTTP: what a page does where no WebSocket can be had, and after a gap.
import { closeGap, openGap } from "./cursor.js";
import { reconcile } from "./inbox.js";
import { ask, isExpected } from "./server.js";

const EVERY_MS = 30000;
const perPage = Number(document.getElementById("inbox")?.dataset.perPage ?? 20);
let timer = 0;
let maskedTimer = 0;

/** Read the newest page and bring this one in line; return whether the server answered. */
export async function readNow(how = {}) {
  openGap();
  try {
    reconcile(await ask("GET", `/tasks/api/notifications?page=1&per_page=${perPage}&html=1`), how);
    closeGap();
    watchMasked();
    return true;
  } catch (error) {
    if (!isExpected(error)) throw error;
    return false;
  }
}

/** Read now and every 30 s; `after` is told each time whether the server answered. */
export function startPolling(after) {
  if (timer) return;
  const step = async () => after(await readNow());
  timer = setInterval(step, EVERY_MS);
  step();
}

export function stopPolling() {
  clearInterval(timer);
  timer = 0;
}

export const isPolling = () => timer !== 0;

// A text that is withheld while rights are being checked appears by itself.
export function watchMasked() {
  clearTimeout(maskedTimer);
  if (document.querySelector(".note[data-masked]")) maskedTimer = setTimeout(readNow, EVERY_MS);
}
