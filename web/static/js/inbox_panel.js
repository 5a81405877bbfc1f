// How a notification reached its reader, shown in its card on demand: the part of its own page.
import { refreshTimes } from "./time.js";

const list = document.getElementById("list");

async function open(card) {
  const answer = await fetch(`/notifications/${card.dataset.id}`, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(20000) }).catch(() => null);
  if (!answer?.ok || answer.redirected) return location.assign(`/notifications/${card.dataset.id}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const panel = document.createElement("div");
  panel.className = "note-panel";
  panel.append(...page.querySelectorAll(".panel-part"));
  // The ids of that page are not to be here twice.
  for (const named of panel.querySelectorAll("[id]")) named.removeAttribute("id");
  refreshTimes(panel);
  card.querySelector(".note-main").append(panel);
  card.querySelector('[data-act="details"]').setAttribute("aria-expanded", "true");
}

list.addEventListener("note-details", ({ target: card }) => {
  const panel = card.querySelector(".note-panel");
  if (!panel) return open(card);
  panel.remove();
  card.querySelector('[data-act="details"]').setAttribute("aria-expanded", "false");
});
