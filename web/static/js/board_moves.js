// A move of a card: shown at once, written as the reader's own change, taken back where Redmine does not take it.
import { board, columnOf, columns, findCard, isOver, place, say, statusOf } from "./board_cards.js";
import { Refused, ask, isExpected } from "./server.js";
import { announce, toast } from "./toast.js";

const API = "/tasks/api/task/";

/** Return the ids of the statuses that the workflow lets this reader give a card; null where nobody knows. */
export async function allowedFor(card) {
  try {
    const task = await ask("GET", API + card.dataset.id);
    return new Set(task.allowed_statuses.map((status) => status.id));
  } catch (error) {
    if (!isExpected(error)) throw error;
    return null; // the write itself will say what is wrong
  }
}

/** Show which columns a card of the column `origin` may go to; with null, all are as usual. */
export function markColumns(origin, allowed) {
  for (const column of columns()) {
    const isForbidden = allowed !== null && column !== origin && !allowed.has(statusOf(column));
    if (isForbidden) column.dataset.allowed = "false";
    else delete column.dataset.allowed;
    column.querySelector(".column-forbidden").hidden = !isForbidden;
  }
}

/** Move a card to a column, as far as `allowed` (or the promise of it) and Redmine let; return whether it is there. */
export async function move(card, column, allowed) {
  const origin = columnOf(card);
  if (column === origin) return false;
  const next = card.nextElementSibling;
  place(card, column);
  card.classList.add("is-saving");
  try {
    await write(card, column, await allowed);
    return true;
  } catch (error) {
    if (!isExpected(error)) throw error;
    back(card, origin, next);
    refuse(card, origin, error instanceof Refused ? error.message : "");
    return false;
  } finally {
    card.classList.remove("is-saving");
  }
}

async function write(card, column, allowed) {
  if (allowed && !allowed.has(statusOf(column))) throw new Refused(say("forbidden", card, column));
  const body = { status_id: statusOf(column), comment: "", updated_on: card.dataset.updatedOn };
  const { task } = await ask("PUT", `${API}${card.dataset.id}/status`, body);
  if (task?.updated_on) card.dataset.updatedOn = task.updated_on;
  announce(say("moved", card, column));
  if (isOver(column)) toast(say("over", card, column));
}

function back(card, column, next) {
  place(card, column);
  if (next?.parentElement === card.parentElement) next.before(card);
}

function refuse(card, column, reason) {
  const words = [say("refused", card, column), reason || board.dataset.failed];
  toast(...words, `/tasks/${card.dataset.id}`);
  announce(words.join(" "));
  if (findCard(card.dataset.id)) document.dispatchEvent(new Event("board-stale"));
}
