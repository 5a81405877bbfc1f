// Reading the inbox by HTTP: where no WebSocket can be had, after a gap, and when another tab changed the list.
import { cards } from "./cards.js";
import { closeGap, openGap } from "./cursor.js";
import { reconcile } from "./inbox.js";
import { ask, isExpected } from "./server.js";
import { query, view } from "./view.js";

const EVERY_MS = 30000;
const GATHER_MS = 120;
const MOST = 100;
let timer = 0;
let maskedTimer = 0;
let outdatedTimer = 0;

const count = () => Math.min(MOST, Math.max(view?.perPage ?? 20, view?.showsNewest ? cards().length : 0));

/** Read the newest part and bring this page in line; return whether the server answered. */
export async function readNow(how = {}) {
  openGap();
  try {
    const perPage = how.isWhole ? (view?.perPage ?? 20) : count();
    reconcile(await ask("GET", `/api/inbox?${query({ per_page: perPage })}`), how);
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

document.addEventListener("list-outdated", () => {
  if (!view) return;
  clearTimeout(outdatedTimer);
  outdatedTimer = setTimeout(readNow, GATHER_MS);
});
