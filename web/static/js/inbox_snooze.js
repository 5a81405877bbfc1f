// Until when: asked in a dialog, answered by a button or by a date.
import { act } from "./acts.js";

const dialog = document.getElementById("snooze-dialog");
const field = document.getElementById("snooze-until");

/** Return the answer, "" where there is none. */
export function askUntil() {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

document.getElementById("snooze-chosen").addEventListener("submit", (event) => {
  event.preventDefault();
  dialog.close(event.submitter?.hasAttribute("formnovalidate") ? "" : field.value);
});
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close(""));

export async function snooze(some) {
  const until = await askUntil();
  if (until) await act("snooze", some, { until });
}

document.getElementById("list").addEventListener("note-snooze", (event) => snooze([event.target]));
