// Several at once: ticks on the cards, and a bar with what can be done with them.
import { act } from "./acts.js";
import { cards } from "./cards.js";
import { plural } from "./texts.js";
import { askUntil } from "./inbox_snooze.js";

const words = document.getElementById("inbox").dataset;
const list = document.getElementById("list");
const bar = document.getElementById("bulk");
const more = document.getElementById("more");
const matching = document.getElementById("bulk-matching");
let isAll = false; // all that match, also those not shown

const tick = (card) => card.querySelector(".note-select");
export const selected = () => cards().filter((card) => !card.hidden && tick(card).checked);

export function toggle(card) {
  tick(card).checked = !tick(card).checked;
  show();
}

export function selectNone() {
  for (const card of cards()) tick(card).checked = false;
  show();
}

function show() {
  isAll = false;
  const some = selected();
  for (const card of cards()) card.toggleAttribute("data-selected", tick(card).checked);
  bar.hidden = !some.length;
  list.toggleAttribute("data-selecting", some.length > 0);
  document.getElementById("bulk-count").textContent = plural("selected", some.length, words);
  matching.hidden = some.length < cards().length || more.hidden;
}

list.addEventListener("change", (event) => event.target.matches(".note-select") && show());
document.getElementById("bulk-none").addEventListener("click", selectNone);
document.getElementById("bulk-shown").addEventListener("click", () => {
  for (const card of cards()) tick(card).checked = true;
  show();
});
matching.addEventListener("click", () => {
  isAll = true;
  document.getElementById("bulk-count").textContent = words.all;
});
bar.addEventListener("click", async (event) => {
  const name = event.target.closest("[data-bulk]")?.dataset.bulk;
  if (!name) return;
  const [some, all] = [selected(), isAll];
  const until = name === "snooze" ? await askUntil() : "";
  if (name === "snooze" && !until) return;
  selectNone();
  await act(name, some, { until, all });
});
document.addEventListener("cards-changed", () => !isAll && show());
