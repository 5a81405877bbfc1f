// The inbox by keyboard. A key acts on what is selected, else on the card with the focus.
import { act, takeBack, turned } from "./acts.js";
import { cards } from "./cards.js";
import { selectNone, selected, toggle } from "./inbox_select.js";
import { snooze } from "./inbox_snooze.js";
import { muteIssue } from "./mute.js";

const help = document.getElementById("keys-dialog");
const shown = () => [...document.querySelectorAll("#list .note")].filter((card) => !card.hidden);
const focused = () => document.activeElement?.closest("#list .note");
const chosen = () => (selected().length ? selected() : [focused()].filter(Boolean));

function step(by) {
  const all = shown();
  const at = all.indexOf(focused());
  const next = at < 0 ? all[0] : all[Math.min(all.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function turn(name) {
  const some = chosen();
  if (some.length) act(turned(name, some[0]), some);
  selectNone();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => focused()?.querySelector(".note-link")?.click(),
  Enter: () => focused()?.querySelector(".note-link")?.click(),
  e: () => turn("archive"),
  u: () => turn("read"),
  f: () => turn("star"),
  s: () => chosen().length && snooze(chosen()).then(selectNone),
  x: () => focused()?.matches("#list > .note") && toggle(focused()),
  m: () => muteIssue(focused()?.dataset.issue, true),
  z: takeBack,
  "/": () => document.getElementById("q").focus(),
  "?": () => help.showModal(),
  Escape: selectNone,
};

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && event.target !== focused()) return; // a button or a link does what it does
  const press = KEYS[event.key];
  if (!press) return;
  event.preventDefault();
  press();
});
document.getElementById("keys").addEventListener("click", () => help.showModal());
help.addEventListener("click", (event) => event.target === help && help.close());
