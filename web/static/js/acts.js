// What a person does with notifications: shown at once, told to the server, put back where it was refused.
import { showUnread, unreadCount } from "./badge.js";
import { cards, drop, idOf, isUnread, setRead, settle, unreadOf } from "./cards.js";
import { lastId } from "./cursor.js";
import { Refused, ask, isExpected } from "./server.js";
import { text } from "./texts.js";
import { toast } from "./toast.js";
import { leaves, view } from "./view.js";

const PATH = "/api/inbox/acts";
const words = document.getElementById("inbox")?.dataset ?? {};
let undoing = null;

/** Do something with these cards, or with all that the filter of the page lets through. */
export async function act(name, some, { until = "", all = false } = {}) {
  if (!some.length && !all) return;
  const back = show(name, some);
  try {
    done(await ask("POST", PATH, { act: name, until, ...target(some, all) }), name, some.length > 1 || all);
  } catch (error) {
    back();
    if (!isExpected(error)) throw error;
    toast(text("notSaved"), error instanceof Refused ? error.message : "");
    document.dispatchEvent(new Event("list-outdated"));
  }
}

// A card stands for all of its issue in this list; one that was unfolded only for itself.
function target(some, all) {
  const seen = { filter: view.filter, up_to: lastId() };
  if (all) return seen;
  if (some.every((card) => card.closest(".note-thread"))) return { ids: some.map(idOf) };
  return { threads: [...new Set(some.map((card) => card.dataset.thread))], ...seen };
}

// Returns what puts everything back.
function show(name, some) {
  const before = unreadCount();
  const states = some.map((card) => [card, { ...card.dataset }]);
  if (name === "read") showUnread(before - some.reduce((sum, card) => sum + unreadOf(card), 0));
  for (const card of some) apply(name, card);
  const gone = leaves(name) ? some.filter((card) => !card.closest(".note-thread")) : [];
  if (gone.length) pass(gone);
  return () => {
    for (const [card, state] of states) {
      Object.assign(card.dataset, state);
      card.hidden = false;
    }
    showUnread(before);
  };
}

function apply(name, card) {
  if (name === "read" || name === "unread") setRead(card, name === "read");
  if (name === "star" || name === "unstar") card.dataset.starred = String(name === "star");
}

// Out of sight until the server has said yes; the focus goes to the next one.
function pass(gone) {
  const focused = gone.find((card) => card.contains(document.activeElement));
  const all = cards().filter((card) => !card.hidden);
  const rest = all.slice(all.indexOf(focused)).find((card) => !gone.includes(card)) ?? all.findLast((card) => !gone.includes(card));
  for (const card of gone) card.hidden = true;
  if (focused) (rest ?? document.getElementById("main")).focus({ preventScroll: true });
}

function done({ message, changed, unread, undo }, name, isMany) {
  showUnread(unread);
  for (const card of cards()) if (card.hidden) drop(card);
  settle();
  document.dispatchEvent(new Event("list-outdated"));
  if (!changed || !(isMany || ["archive", "unarchive", "snooze", "unsnooze"].includes(name))) return;
  undoing = undo;
  toast(message, "", "", undo && { label: words.undo, act: takeBack });
}

/** Take the last act back. */
export async function takeBack() {
  const body = undoing;
  undoing = null;
  if (!body) return;
  try {
    const { message, unread } = await ask("POST", PATH, body);
    showUnread(unread);
    toast(message);
  } catch (error) {
    if (!isExpected(error)) throw error;
    toast(text("notSaved"), error instanceof Refused ? error.message : "");
  }
  document.dispatchEvent(new Event("list-outdated"));
}

/** The act that a key or a switch means for a card as it is now. */
export const turned = (act, card) =>
  ({ read: isUnread(card) ? "read" : "unread", star: card.dataset.starred === "true" ? "unstar" : "star",
    archive: "archived" in card.dataset ? "unarchive" : "archive" })[act];
