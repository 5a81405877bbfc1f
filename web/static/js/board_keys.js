// The board without a pointer: arrow keys go about, with Shift they move the card; a dialog offers the columns.
import { board, cardsOf, columnOf, columns, findCard, say, statusOf } from "./board_cards.js";
import { allowedFor, move } from "./board_moves.js";
import { announce } from "./toast.js";

const dialog = document.getElementById("move");
const SIDEWAYS = { ArrowLeft: -1, ArrowRight: 1 };
const UPRIGHT = { ArrowUp: -1, ArrowDown: 1 };
let isMoving = false;
let offered = null; // what the workflow allows the card of the open dialog

const focus = (card) => card?.querySelector(".board-link").focus();

function goAlong(card, step) {
  const all = cardsOf(columnOf(card));
  focus(all[all.indexOf(card) + step]);
}

// The nearest column that has cards, at the same height where possible.
function goAcross(card, step) {
  const height = cardsOf(columnOf(card)).indexOf(card);
  const others = beside(columnOf(card), step).map(cardsOf).filter((all) => all.length);
  focus(others[0]?.[Math.min(height, others[0].length - 1)]);
}

function beside(column, step) {
  const all = columns();
  const place = all.indexOf(column);
  return step > 0 ? all.slice(place + 1) : all.slice(0, place).reverse();
}

async function shift(card, step) {
  if (isMoving) return;
  isMoving = true;
  try {
    const allowed = await allowedFor(card);
    const target = beside(columnOf(card), step).find((column) => !allowed || allowed.has(statusOf(column)));
    if (target) await move(card, target, allowed);
    else announce(say("nowhere", card));
  } finally {
    isMoving = false;
  }
}

board?.addEventListener("keydown", (event) => {
  const card = event.target.closest(".board-card");
  if (!card || event.altKey || event.ctrlKey || event.metaKey) return;
  const aside = SIDEWAYS[event.key];
  const along = UPRIGHT[event.key];
  if (!aside && !along) return;
  event.preventDefault();
  if (event.shiftKey && aside) shift(card, aside);
  else if (aside) goAcross(card, aside);
  else goAlong(card, along);
});

board?.addEventListener("click", async (event) => {
  const button = event.target.closest(".board-move");
  if (!button) return;
  const card = button.closest(".board-card");
  open(card, await allowedFor(card));
});

function open(card, allowed) {
  offered = allowed;
  dialog.dataset.card = card.dataset.id;
  document.getElementById("move-card").textContent = `#${card.dataset.id}`;
  document.getElementById("move-choices").replaceChildren(...columns().map((column) => choice(card, column, allowed)));
  dialog.returnValue = "";
  dialog.showModal();
}

function choice(card, column, allowed) {
  const button = Object.assign(document.createElement("button"), { className: "btn", value: column.dataset.statusId });
  const isHere = column === columnOf(card);
  button.disabled = isHere || Boolean(allowed && !allowed.has(statusOf(column)));
  if (isHere) button.setAttribute("aria-current", "true");
  button.append(column.querySelector(".colour-dot").cloneNode(true), column.dataset.name);
  return button;
}

dialog?.addEventListener("close", () => {
  const card = findCard(dialog.dataset.card);
  const column = columns().find((each) => each.dataset.statusId === dialog.returnValue);
  if (card && column) move(card, column, offered);
  card?.querySelector(".board-move").focus();
});
