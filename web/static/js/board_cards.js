// Columns and cards of the board as they stand in the page.
export const board = document.getElementById("board");

export const columns = () => [...board.querySelectorAll(".column")];
export const cards = () => [...board.querySelectorAll(".board-card")];
export const columnOf = (element) => element.closest(".column");
export const statusOf = (column) => Number(column.dataset.statusId);
export const cardsOf = (column) => [...column.querySelectorAll(".board-card")];
export const findCard = (id) => board.querySelector(`#t${id}`);

/** A sentence of the page with its card and column in it. */
export function say(name, card, column) {
  return board.dataset[name].replace("{id}", card.dataset.id).replace("{column}", column?.dataset.name ?? "");
}

export const isOver = (column) => cardsOf(column).length > Number(column.dataset.limit || Infinity);

/** Make the heads of the columns say what is in them. */
export function count() {
  for (const column of columns()) {
    column.querySelector(".column-count").textContent = String(cardsOf(column).length);
    column.classList.toggle("is-over", isOver(column));
  }
}

/** Put a card on top of a column; a focus in it stays there. */
export function place(card, column) {
  const focused = card.contains(document.activeElement) && document.activeElement;
  column.querySelector(".column-cards").prepend(card);
  count();
  if (!focused) return;
  focused.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest", inline: "nearest" });
}
