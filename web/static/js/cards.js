// Cards of the list: made from the server's markup, one for each issue, latest first, clamped, removed.
import { regroup } from "./days.js";
import { plural, text } from "./texts.js";
import { refreshTimes } from "./time.js";

const MOST = 1000; // a page that is open for days keeps no more cards than this
const list = document.getElementById("list");
const empty = document.getElementById("empty");
const words = document.getElementById("inbox")?.dataset ?? {};

export const cards = () => (list ? [...list.querySelectorAll(":scope > .note")] : []);
export const findCard = (id) => document.getElementById(`n${id}`);
export const cardOf = (thread) => cards().find((card) => card.dataset.thread === thread);
export const idOf = (card) => Number(card.dataset.id);
export const isUnread = (card) => card.dataset.read === "false";
export const unreadOf = (card) => Number(card.dataset.unread);

export function setRead(card, isRead) {
  card.dataset.read = String(isRead);
  card.dataset.unread = isRead ? "0" : card.dataset.count;
}

/** Make a card of the server's markup, in which every text is escaped. */
export function build(item) {
  const frame = document.createElement("template");
  frame.innerHTML = item.html;
  return frame.content.firstElementChild;
}

/** Put notifications where they belong and return their cards. Of an issue with several the last one's stands. */
export function place(items) {
  if (!items.length) return [];
  const placed = items.map(put).filter((card) => card.isConnected);
  settle();
  placed.forEach((card) => refreshTimes(card));
  clamp(placed);
  return placed;
}

// In place of an older card of it, or leading the card of its issue.
function put(item) {
  const card = build(item);
  const same = findCard(item.id);
  const former = same ?? cardOf(item.thread);
  if (former && !same && idOf(former) > item.id) return former;
  if (former) {
    lead(card, former, same ? 0 : 1);
    if (same) former.replaceWith(card);
    else drop(former);
  }
  if (!same) insert(card);
  keepHold(card, former);
  return card;
}

// What stood for the issue until now is one of the earlier ones.
function lead(card, former, more) {
  const reasons = new Set([...card.dataset.reasons.split(" "), ...former.dataset.reasons.split(" ")].filter(Boolean));
  card.dataset.count = String(Number(former.dataset.count) + more);
  if (more) card.dataset.unread = String(unreadOf(former) + unreadOf(card));
  if (more) card.dataset.read = String(card.dataset.unread === "0");
  card.dataset.reasons = [...reasons].join(" ");
  if (former.dataset.starred === "true") card.dataset.starred = "true";
  const known = card.querySelector(".note-foot");
  for (const chip of former.querySelectorAll(".note-reason")) {
    if (known && !known.querySelector(`[data-reason="${chip.dataset.reason}"]`)) known.append(chip.cloneNode(true));
  }
  showEarlier(card);
}

function showEarlier(card) {
  const earlier = Number(card.dataset.count) - 1;
  card.querySelector(".note-group").hidden = earlier < 1;
  card.querySelector(".note-earlier > span").textContent = plural("earlier", earlier, words);
}

// Where the focus and the tick were, they stay.
function keepHold(card, former) {
  if (former?.querySelector(".note-select")?.checked) card.querySelector(".note-select").checked = true;
  if (former?.dataset.hadFocus) card.focus({ preventScroll: true });
}

export function drop(card) {
  if (card.contains(document.activeElement)) card.dataset.hadFocus = "true";
  if (card.nextElementSibling?.matches(".note-thread")) card.nextElementSibling.remove();
  card.remove();
}

/** Whether a card stands before another in the list. */
export function isBefore(one, other) {
  const [a, b] = [Date.parse(one.dataset.surfaced), Date.parse(other.dataset.surfaced)];
  return a > b || (a === b && idOf(one) > idOf(other));
}

function insert(card) {
  const older = cards().find((other) => isBefore(card, other));
  if (older) older.before(card);
  else list.append(card);
  for (const extra of cards().slice(MOST)) drop(extra);
}

export function remove(card) {
  drop(card);
  if (card.dataset.hadFocus) document.getElementById("main").focus();
  settle();
}

export function settle() {
  regroup();
  empty.hidden = cards().length > 0;
  document.dispatchEvent(new Event("cards-changed"));
}

/** Long notes show their beginning and a button for the rest. All are measured at once: each change between
 *  two measures would have the page laid out anew. */
export function clamp(some) {
  const notes = some.map((card) => card.querySelector(".note-words:not(.is-clamped, :has(+ .note-more))")).filter(Boolean);
  for (const note of notes) note.classList.add("is-clamped");
  const short = new Set(notes.filter((note) => note.scrollHeight <= note.clientHeight + 1));
  for (const note of notes) {
    if (short.has(note)) note.classList.remove("is-clamped");
    else addMore(note);
  }
}

function addMore(note) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "note-more", textContent: text("more") });
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    const isClamped = note.classList.toggle("is-clamped");
    button.textContent = text(isClamped ? "more" : "less");
    button.setAttribute("aria-expanded", String(!isClamped));
  });
  note.after(button);
}

if (list) regroup();
clamp(cards());
