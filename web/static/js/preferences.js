// The theme changes at once and is saved behind the reader's back; so is the browser's time zone.
import { ask, isExpected } from "./server.js";

const root = document.documentElement;
const form = document.getElementById("theme-form");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

async function save(preference) {
  try {
    await ask("POST", "/users/preferences", preference);
  } catch (error) {
    if (!isExpected(error)) throw error; // what could not be saved holds on this page all the same
  }
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const theme = event.submitter.value;
  root.dataset.themeChoice = theme;
  for (const button of form.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
  form.closest("details").open = false;
  save({ theme });
});

const stored = document.body.dataset.timeZone;
if (stored !== undefined && zone && stored !== zone) save({ time_zone: zone });
