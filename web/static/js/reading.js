// Only a person's act marks a notification as read: the button, or a click on the notification.
import { showUnread, unreadCount } from "./badge.js";
import { cards, idOf, isUnread, setRead } from "./cards.js";
import { lastId } from "./cursor.js";
import { Refused, ask, isExpected } from "./server.js";
import { text } from "./texts.js";
import { toast } from "./toast.js";

const list = document.getElementById("list");
const PATH = "/tasks/api/notifications";

// Shown as read at once; put back where the server did not take it.
async function mark(some, path, body) {
  const before = unreadCount();
  for (const card of some) setRead(card, true);
  showUnread(path.endsWith("read-all") ? 0 : before - some.length);
  try {
    showUnread((await ask("PUT", path, body)).unread);
  } catch (error) {
    for (const card of some) setRead(card, false);
    showUnread(before);
    if (!isExpected(error)) throw error;
    toast(text("notSaved"), error instanceof Refused ? error.message : "");
  }
}

function onCard(event) {
  const card = event.target.closest(".note");
  if (!card) return;
  const button = event.target.closest("button");
  if (button?.classList.contains("note-read")) {
    event.preventDefault();
    card.focus({ preventScroll: true }); // the button goes: without this the keyboard would start from the top again
  } else if (button || (String(getSelection()) && !event.target.closest("a"))) {
    return; // "show more", or words being selected
  }
  if (isUnread(card)) mark([card], `${PATH}/${idOf(card)}/read`);
}

list?.addEventListener("click", onCard);
list?.addEventListener("auxclick", (event) => event.button === 1 && event.target.closest("a") && onCard(event));
document.getElementById("read-all")?.addEventListener("click", (event) => {
  event.preventDefault();
  mark(cards().filter(isUnread), `${PATH}/read-all`, { up_to: lastId() });
});
