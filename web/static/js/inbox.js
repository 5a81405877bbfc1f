// What happens to the list and the counts when news come, whichever way they came.
import { showUnread } from "./badge.js";
import { build, cardOf, cards, findCard, idOf, isUnread, place, remove, setRead, unreadOf } from "./cards.js";
import { accept } from "./cursor.js";
import { bringInLine } from "./listing.js";
import { showSource } from "./source.js";
import { plural, text } from "./texts.js";
import { announce, popUp } from "./toast.js";
import { fits, view } from "./view.js";

let waiting = 0;

/** Take in notifications, oldest first; those this page has had are left alone, as is what goes past the inbox. */
export function receive(items) {
  const fresh = items.filter((item) => accept(item.id) && !item.is_archived);
  const fitting = fresh.filter(fits);
  for (const card of place(fitting)) card.classList.add("is-new");
  const inSight = new Set(fitting.filter(({ thread }) => isInSight(cardOf(thread))));
  const outOfSight = fresh.filter((item) => !inSight.has(item));
  const elsewhere = outOfSight.filter((item) => !findCard(item.id));
  if (elsewhere.length && view) wait(elsewhere.length);
  tell(fresh, outOfSight);
}

// Whether the reader can see it come without being told.
function isInSight(card) {
  const { top, bottom } = card?.getBoundingClientRect() ?? { top: -1 };
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
  else if (outOfSight.length) popUp(...words(outOfSight[0]), outOfSight[0].page || "/notifications");
}

// What happened and to what, in the language of the page.
function words(item) {
  const card = build(item);
  return [".note-kind", ".note-subject"].map((part) => card.querySelector(part).textContent.replace(/\s+/g, " ").trim());
}

/** Bring the page in line with the inbox as the API gives it.
 *  `isWhole`: older cards may have a hole before them and go; they are read again from there on. */
export function reconcile(answer, { isWhole = false } = {}) {
  const items = answer.groups.map(({ item }) => item).sort((a, b) => a.id - b.id);
  const fresh = items.filter((item) => accept(item.id) && !item.is_archived);
  if (view?.showsNewest) bringInLine(answer, isWhole);
  else if (view && fresh.length) wait(fresh.length);
  tell(fresh, fresh.filter((item) => !findCard(item.id)));
  showUnread(answer.unread);
  if (answer.source) showSource(answer.source);
}

/** The same notification with other words: rights confirmed, a note edited. No news. */
export function amend(item) {
  if (findCard(item.id)) place([item]);
}

/** Read here or elsewhere. What that means for the other counts of an issue the server says. */
export function read({ ids, unread }) {
  const known = new Set(ids);
  for (const card of cards()) if (known.has(idOf(card)) && isUnread(card) && unreadOf(card) <= ids.length) settleRead(card);
  showUnread(unread);
  document.dispatchEvent(new Event("list-outdated"));
}

function settleRead(card) {
  if (unreadOf(card) < 2) setRead(card, true);
}

/** Archived, snoozed, starred, marked as unread, or come back: here or elsewhere. */
export function changed({ act, ids, unread }) {
  showUnread(unread);
  if (act === "wake" && ids.length) announceReturn();
  document.dispatchEvent(new Event("list-outdated"));
}

function announceReturn() {
  announce(text("returned"));
  popUp(text("returned"), "", "/notifications");
}

/** The source no longer shows them to this reader. */
export function withdraw({ ids, unread }) {
  for (const id of ids) {
    const card = findCard(id);
    if (card?.dataset.count === "1" || card?.closest(".note-thread")) remove(card);
  }
  showUnread(unread);
  document.dispatchEvent(new Event("list-outdated"));
}
