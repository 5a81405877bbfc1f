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

// Told once for each device and zone: what somebody chose on the profile stays until the device moves.
const { timeZone: stored, userId } = document.body.dataset;

function isToldAlready() {
  const note = `time-zone-${userId}`;
  try {
    if (localStorage.getItem(note) === zone) return true;
    localStorage.setItem(note, zone);
  } catch (error) {
    if (error.name !== "SecurityError" && error.name !== "QuotaExceededError") throw error;
  }
  return false;
}

if (stored !== undefined && zone && !isToldAlready() && stored !== zone) save({ time_zone: zone });
