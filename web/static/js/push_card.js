// Switching notifications on in this browser, with what is in the way: on the page of settings, and as a hint.
import { readNote, writeNote } from "./notes.js";
import { pushState, turnOff, turnOn } from "./push.js";
import { Refused, isExpected } from "./server.js";

const card = document.getElementById("push-card");
const fault = document.getElementById("push-fault");
const hint = document.getElementById("push-hint");
const HIDDEN = "push-hint-hidden";

async function show() {
  const state = await pushState();
  if (card) {
    card.dataset.state = state;
    for (const part of card.querySelectorAll("[data-shown-in]")) part.hidden = part.dataset.shownIn !== state;
  }
  if (hint) hint.hidden = state !== "off" || readNote(HIDDEN) === true;
}

function say(words) {
  if (!fault) return;
  fault.textContent = words;
  fault.hidden = !words;
}

function why(error) {
  if (error instanceof Refused && error.message) return error.message;
  if (error.name === "NotAllowedError") return fault?.dataset.notAllowed;
  if (error instanceof DOMException || isExpected(error)) return fault?.dataset.notReached;
  throw error;
}

async function change(act, button) {
  say("");
  button.disabled = true;
  try {
    await act();
    if (card) location.reload(); // the list of devices is the server's
  } catch (error) {
    say(why(error));
  } finally {
    button.disabled = false;
    await show();
  }
}

const onClick = (id, act) =>
  document.getElementById(id)?.addEventListener("click", ({ currentTarget }) => change(act, currentTarget));

onClick("push-on", turnOn);
onClick("push-off", turnOff);
onClick("push-hint-on", turnOn);
document.getElementById("push-hint-close")?.addEventListener("click", () => {
  writeNote(HIDDEN, true);
  hint.hidden = true;
});
show();
