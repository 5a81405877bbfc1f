// What others do appears by itself: the server says which cards have changed, the page is asked how it is now.
import { board, cards, columns, count, findCard } from "./board_cards.js";
import { socket } from "./live.js";
import { askAgain, showNotices } from "./task_notices.js";

const GATHER_MS = 250;
const REST_MS = 60000;
let isPaused = false;
let isStale = false;
let timer = 0;

const watch = () => socket.emit("watch_tasks", { ids: cards().map((card) => Number(card.dataset.id)) }, catchUp);

// What changed between the making of the page and this moment, nobody will tell of any more.
function catchUp({ updated_on: now = {} }) {
  if (cards().some((card) => (now[card.dataset.id] ?? card.dataset.updatedOn) !== card.dataset.updatedOn)) soon();
}

/** Begin to follow what happens to the cards. */
export function follow() {
  if (socket.connected) watch();
  socket.on("connect", () => {
    watch();
    soon();
  });
  socket.on("task_changed", ({ task_id: id, updated_on: at }) => {
    const card = findCard(id);
    if (card && card.dataset.updatedOn !== at) soon();
  });
  socket.on("new_notification", soon);
  document.addEventListener("board-stale", soon);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && soon());
  // A card that is replaced between being touched and being dragged would be lost to the hand.
  board.addEventListener("pointerdown", pause);
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, () => board.classList.contains("is-dragging") || resume());
  }
  setInterval(() => document.visibilityState === "visible" && soon(), REST_MS);
  askAgain(soon);
}

/** Leave the page as it is while a card is held. */
export function pause() {
  isPaused = true;
}

export function resume() {
  isPaused = false;
  if (isStale) soon();
}

function soon() {
  isStale = true;
  clearTimeout(timer);
  timer = setTimeout(refresh, GATHER_MS);
}

async function refresh() {
  if (isPaused) return;
  if (board.querySelector(".is-saving") || document.querySelector("dialog[open]")) return soon();
  isStale = false;
  const page = await read();
  const fresh = page?.getElementById("board");
  if (isPaused || board.querySelector(".is-saving")) return soon();
  if (page) showNotices(page);
  askAgain(soon);
  if (!fresh) return;
  const focused = document.activeElement?.closest(".board-card")?.dataset.id;
  const wasOnButton = document.activeElement?.classList.contains("board-move");
  for (const column of columns()) replace(column, fresh);
  count();
  if (focused) findCard(focused)?.querySelector(wasOnButton ? ".board-move" : ".board-link").focus({ preventScroll: true });
  watch();
}

function replace(column, fresh) {
  const list = fresh.querySelector(`.column[data-status-id="${column.dataset.statusId}"] .column-cards`);
  const mine = column.querySelector(".column-cards");
  if (list && content(mine) !== content(list)) mine.replaceChildren(...list.children);
}

// What there is to see in a column: attributes that scripts set do not count.
const content = (list) =>
  [...list.children].map((card) => `${card.dataset.id} ${card.dataset.updatedOn} ${card.textContent}`).join("\n");

// A network that is away says so elsewhere: the next round tries again.
async function read() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(20000) });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}
