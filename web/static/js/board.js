// The board: cards are dragged, moved by keys or through a dialog; all three end in `move`.
import "../vendor/sortable.js";
import { board, columnOf, columns } from "./board_cards.js";
import "./board_keys.js";
import { follow, pause, resume } from "./board_live.js";
import { allowedFor, markColumns, move } from "./board_moves.js";

const isForbidden = (list) => list.closest(".column").dataset.allowed === "false";

let allowed = null;

// By the time the answer is there, Sortable shows the card in whatever column it is held over.
function start({ item, from }) {
  pause();
  board.classList.add("is-dragging");
  allowed = allowedFor(item);
  allowed.then((ids) => board.classList.contains("is-dragging") && markColumns(columnOf(from), ids));
}

// Sortable has put the card where it last could: what counts is where it was let go, and `move` puts it there.
async function drop({ item, from, oldIndex, originalEvent }) {
  board.classList.remove("is-dragging");
  from.insertBefore(item, from.children[oldIndex] ?? null);
  markColumns(columnOf(from), null);
  const column = columnUnder(originalEvent);
  try {
    if (column) await move(item, column, allowed);
  } finally {
    resume();
  }
}

function columnUnder(event) {
  const { clientX, clientY } = event.changedTouches?.[0] ?? event;
  return document.elementFromPoint(clientX, clientY)?.closest(".column");
}

function sortable(list) {
  return new window.Sortable(list, {
    group: "board", sort: false, draggable: ".board-card", filter: "button", preventOnFilter: false,
    delay: 200, delayOnTouchOnly: true, touchStartThreshold: 5, animation: 0, ghostClass: "is-ghost",
    onStart: start, onEnd: drop, onMove: ({ to }) => !isForbidden(to),
  });
}

if (board) {
  for (const column of columns()) sortable(column.querySelector(".column-cards"));
  follow();
  board.classList.add("is-ready");
}
document.getElementById("board-filter")?.addEventListener("change", ({ currentTarget }) => currentTarget.requestSubmit());
