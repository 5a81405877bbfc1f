// What happens to the list and the counts when news come, whichever way they came.
import { showUnread } from "./badge.js";
import { build, cards, findCard, idOf, isUnread, place, remove, setRead } from "./cards.js";
import { accept } from "./cursor.js";
import { showSource } from "./source.js";
import { plural, text } from "./texts.js";
import { announce, popUp } from "./toast.js";

const view = document.getElementById("inbox")?.dataset;
const showsNewest = view?.page === "1";
const onlyUnread = view?.unreadOnly === "true";
let waiting = 0;

/** Take in notifications, oldest first; those this page has had are left alone. */
export function receive(items) {
  const fresh = items.filter((item) => accept(item.id));
  const outOfSight = fresh.filter((item) => !appear(item));
  if (outOfSight.length && !showsNewest && view) wait(outOfSight.length);
  tell(fresh, outOfSight);
}

// Returns whether the reader can see it come without being told.
function appear(item) {
  if (!showsNewest || (onlyUnread && item.is_read)) return false;
  const card = place(item);
  card.classList.add("is-new");
  const { top, bottom } = card.getBoundingClientRect();
  return top >= 0 && bottom <= window.innerHeight;
}

function wait(count) {
  waiting += count;
  const pill = document.getElementById("arrived");
  pill.querySelector("span").textContent = plural("arrived", waiting);
  pill.hidden = false;
}

function tell(fresh, outOfSight) {
  if (!fresh.length) return;
  const [kind, subject] = words(fresh[0]);
  announce(fresh.length > 1 ? plural("arrived", fresh.length) : `${text("new")}: ${kind}. ${subject}`);
  if (outOfSight.length > 1) popUp(plural("arrived", outOfSight.length), "", "/notifications");
  else if (outOfSight.length) popUp(...words(outOfSight[0]), "/notifications");
}

// What happened and to what, in the language of the page.
function words(item) {
  const card = build(item);
  return [".note-kind", ".note-subject"].map((part) => card.querySelector(part).textContent.replace(/\s+/g, " ").trim());
}

/** Bring the list in line with the newest page of the inbox as the API gives it.
 *  `isWhole`: older cards may have a hole before them and go; they are on the next pages. */
export function reconcile({ notifications, unread, source }, { isWhole = false } = {}) {
  const items = [...notifications].sort((a, b) => a.id - b.id);
  const oldest = items[0]?.id ?? Infinity;
  const present = new Set(items.map((item) => item.id));
  const isApart = isWhole || (items.length > 0 && !onlyUnread && items.every((item) => !findCard(item.id)));
  receive(items);
  for (const item of items) update(item);
  for (const card of cards()) {
    const isGone = idOf(card) >= oldest && idOf(card) <= items.at(-1)?.id && !present.has(idOf(card));
    if (isGone || (showsNewest && isApart && idOf(card) < oldest)) remove(card);
  }
  showUnread(unread);
  if (source) showSource(source);
}

function update(item) {
  const card = findCard(item.id);
  if (!card) return;
  if (card.hasAttribute("data-masked") !== item.masked) place(item);
  else setRead(card, item.is_read);
}

/** The same notification with other words: rights confirmed, a note edited. No news. */
export function amend(item) {
  if (findCard(item.id)) place(item);
}

/** Read here or elsewhere. */
export function read({ ids, unread }) {
  const known = new Set(ids);
  for (const card of cards()) if (known.has(idOf(card)) && isUnread(card)) setRead(card, true);
  showUnread(unread);
}

/** The source no longer shows them to this reader. */
export function withdraw({ ids, unread }) {
  for (const id of ids) {
    const card = findCard(id);
    if (card) remove(card);
  }
  showUnread(unread);
}
