// The list follows the server's: cards are put, replaced and removed until both say the same.
import { build, cardOf, cards, clamp, drop, findCard, isBefore, settle } from "./cards.js";
import { refreshTimes } from "./time.js";
import { view } from "./view.js";

const list = document.getElementById("list");
const more = document.getElementById("more");
const STATE = ["id", "count", "unread", "read", "starred", "reasons", "masked", "archived", "snoozed", "surfaced"];
const state = (card) => STATE.map((name) => card.dataset[name]).join("|");

/** Bring the list in line with its first part as the API gives it. */
export function bringInLine({ groups, following }, isWhole) {
  const isApart = isWhole || (groups.length > 0 && groups.every(({ thread }) => !cardOf(thread)));
  const wanted = groups.map(({ item }) => put(item));
  const last = wanted.at(-1);
  const kept = cards().filter((card) => !wanted.includes(card));
  for (const card of kept) {
    const isBeyond = following && last && isBefore(last, card);
    if (isBeyond ? isApart : !isJustRead(card)) drop(card);
  }
  arrange(wanted);
  const isAtEnd = !last || cards().at(-1) === last;
  if (isAtEnd || isApart) showFollowing(following);
  settle();
  wanted.forEach((card) => refreshTimes(card));
  clamp(wanted);
  wanted.forEach(refocus);
}

// Who reads the unread ones does not want each to vanish at once.
const isJustRead = (card) => view.isUnread && card.dataset.read === "true" && !card.dataset.snoozed;

function put(item) {
  const card = build(item);
  const former = cardOf(item.thread);
  if (!former) return card;
  if (state(former) === state(card)) return former;
  if (former.querySelector(".note-select").checked) card.querySelector(".note-select").checked = true;
  if (former.contains(document.activeElement)) card.dataset.hadFocus = "true";
  if (former.nextElementSibling?.matches(".note-thread")) former.nextElementSibling.remove();
  former.replaceWith(card);
  return card;
}

function arrange(wanted) {
  let before = null;
  for (const card of wanted) {
    const stands = card.isConnected && previous(card) === before;
    if (!stands) {
      if (before) after(before).after(card);
      else list.prepend(card);
    }
    before = card;
  }
}

// The opened part of an issue stands behind its card.
const after = (card) => (card.nextElementSibling?.matches(".note-thread") ? card.nextElementSibling : card);

function previous(card) {
  const all = cards();
  return all[all.indexOf(card) - 1] ?? null;
}

function refocus(card) {
  if (!card.dataset.hadFocus) return;
  delete card.dataset.hadFocus;
  card.focus({ preventScroll: true });
}

/** Add the next part at the end. */
export function append({ groups, following }) {
  const fresh = groups.map(({ item }) => item).filter((item) => !findCard(item.id) && !cardOf(item.thread)).map(build);
  list.append(...fresh);
  showFollowing(following);
  settle();
  fresh.forEach((card) => refreshTimes(card));
  clamp(fresh);
}

function showFollowing(following) {
  more.hidden = !following;
  more.dataset.following = following ?? "";
  if (!following) return;
  const address = new URLSearchParams({ ...view.filter, before: following });
  more.href = `/notifications?${address}`;
}
