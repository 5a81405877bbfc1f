// Only a person's act marks a notification as read: the button, or a click on the notification.
import { act } from "./acts.js";
import { cards, isUnread } from "./cards.js";

const list = document.getElementById("list");

function onCard(event) {
  const card = event.target.closest(".note");
  if (!card) return;
  const pressed = event.target.closest("[data-act]");
  if (pressed) onButton(event, card, pressed.dataset.act);
  // Neither "show more", nor a tick, nor words being selected.
  else if (event.target.closest("button, input, .note-earlier") || (String(getSelection()) && !event.target.closest("a"))) return;
  else if (isUnread(card)) act("read", [card]);
}

function onButton(event, card, name) {
  event.preventDefault();
  card.focus({ preventScroll: true }); // the button goes: without this the keyboard would start from the top again
  if (name === "snooze" || name === "details") card.dispatchEvent(new CustomEvent(`note-${name}`, { bubbles: true }));
  else act(name, [card]);
}

list?.addEventListener("click", onCard);
list?.addEventListener("auxclick", (event) => event.button === 1 && event.target.closest(".note-link") && onCard(event));
document.getElementById("read-all")?.addEventListener("click", (event) => {
  event.preventDefault();
  act("read", cards().filter(isUnread), { all: true });
});
