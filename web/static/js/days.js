// Headings of days between the cards, which stand newest first.
import { localDay, nameOfDay } from "./time.js";

const list = document.getElementById("list");

export function regroup() {
  if (!list) return;
  for (const heading of list.querySelectorAll(".day")) heading.remove();
  let shown = "";
  for (const card of list.querySelectorAll(".note")) {
    const moment = new Date(card.dataset.at);
    const day = localDay(moment);
    if (day !== shown) card.before(heading(moment, day));
    shown = day;
  }
}

function heading(moment, day) {
  const element = document.createElement("h2");
  element.className = "day";
  element.dataset.day = day;
  element.textContent = nameOfDay(moment);
  return element;
}

// "Today" is yesterday after midnight, also on a page that stays open.
let today = localDay(new Date());
setInterval(() => {
  if (localDay(new Date()) !== today) regroup();
  today = localDay(new Date());
}, 60000);
