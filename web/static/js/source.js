// The banner that says how the reading of Redmine does.
import { refreshTimes } from "./time.js";

const banner = document.getElementById("source");

export function showSource({ state, since, text }) {
  if (!banner) return;
  if (banner.dataset.state !== state) banner.dataset.state = state;
  for (const element of banner.querySelectorAll("time")) element.dateTime = since ?? "";
  for (const element of banner.querySelectorAll(".source-text")) {
    if (element.textContent !== text) element.textContent = text ?? "";
  }
  refreshTimes(banner);
}
