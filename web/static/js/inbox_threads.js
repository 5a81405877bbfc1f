// The earlier notifications of an issue, unfolded below its card.
import { build, clamp, findCard } from "./cards.js";
import { ask, isExpected } from "./server.js";
import { text } from "./texts.js";
import { refreshTimes } from "./time.js";
import { toast } from "./toast.js";
import { query } from "./view.js";

const list = document.getElementById("list");
const MOST = 100;

async function unfold(card, link) {
  const answer = await ask("GET", `/api/inbox/thread?${query({ thread: card.dataset.thread, per_page: MOST })}`);
  const part = document.createElement("div");
  part.className = "note-thread";
  for (const item of answer.items) if (!findCard(item.id)) part.append(build(item));
  card.after(part);
  link.setAttribute("aria-expanded", "true");
  refreshTimes(part);
  clamp([...part.querySelectorAll(".note")]);
}

function fold(card, link) {
  card.nextElementSibling.remove();
  link.setAttribute("aria-expanded", "false");
}

list.addEventListener("click", async (event) => {
  const link = event.target.closest(".note-earlier");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const card = link.closest(".note");
  try {
    if (card.nextElementSibling?.matches(".note-thread")) fold(card, link);
    else await unfold(card, link);
  } catch (error) {
    if (!isExpected(error)) throw error;
    toast(text("notSaved"), error.message);
  }
});
