// Cards of the list: made from the server's markup, kept newest first, clamped, removed.
import { regroup } from "./days.js";
import { text } from "./texts.js";
import { refreshTimes } from "./time.js";

const MOST = 300; // a page that is open for days keeps no more cards than this
const list = document.getElementById("list");
const empty = document.getElementById("empty");

export const cards = () => [...(list?.querySelectorAll(".note") ?? [])];
export const findCard = (id) => document.getElementById(`n${id}`);
export const idOf = (card) => Number(card.dataset.id);
export const isUnread = (card) => card.dataset.read === "false";

export function setRead(card, isRead) {
  card.dataset.read = String(isRead);
}

/** Make a card of the server's markup, in which every text is escaped. */
export function build(item) {
  const frame = document.createElement("template");
  frame.innerHTML = item.html;
  return frame.content.firstElementChild;
}

/** Put a notification where its id belongs, in place of an older card of it; return the card. */
export function place(item) {
  const card = build(item);
  const former = findCard(item.id);
  if (former) former.replaceWith(card);
  else insert(card);
  settle();
  refreshTimes(card);
  clamp(card);
  return card;
}

function insert(card) {
  const older = cards().find((other) => idOf(other) < idOf(card));
  if (older) older.before(card);
  else list.append(card);
  for (const extra of cards().slice(MOST)) extra.remove();
}

export function remove(card) {
  if (card.contains(document.activeElement)) document.getElementById("main").focus();
  card.remove();
  settle();
}

function settle() {
  regroup();
  empty.hidden = cards().length > 0;
}

/** Long notes show their beginning and a button for the rest. */
export function clamp(card) {
  const words = card.querySelector(".note-words");
  if (!words) return;
  words.classList.add("is-clamped");
  if (words.scrollHeight <= words.clientHeight + 1) {
    words.classList.remove("is-clamped");
    return;
  }
  const button = Object.assign(document.createElement("button"), {
    type: "button", className: "note-more", textContent: text("more"),
  });
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    const isClamped = words.classList.toggle("is-clamped");
    button.textContent = text(isClamped ? "more" : "less");
    button.setAttribute("aria-expanded", String(!isClamped));
  });
  words.after(button);
}

if (list) regroup();
cards().forEach(clamp);
