// The comment: sent without leaving the page, with Ctrl+Enter too; kept where it could not be sent.
import { ask, isExpected } from "./server.js";
import { busily, refresh } from "./task_page.js";
import { text } from "./texts.js";
import { announce } from "./toast.js";

const form = document.getElementById("task-note");
const words = form?.querySelector("textarea");

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});

words?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

async function send() {
  const button = form.querySelector("[type=submit]");
  if (button.disabled || !words.value.trim()) return;
  button.disabled = true;
  fault("");
  try {
    const isPrivate = form.elements.private?.checked ?? false;
    const done = await busily(async () => {
      const answer = await ask("POST", form.dataset.api, { notes: words.value, private: isPrivate });
      form.reset();
      await refresh();
      return answer;
    });
    announce(done.message);
    document.querySelector(".entry:last-child")?.scrollIntoView({ block: "nearest" });
  } catch (error) {
    if (!isExpected(error)) throw error;
    if (error.code === "made_public") form.reset(); // it is there: sending it again would make it two
    fault(error.message || text("notSaved"));
    if (error.code === "made_public" || error.code === "unsure") await refresh();
  } finally {
    button.disabled = false;
  }
}

function fault(message) {
  const place = form.querySelector(".task-fault");
  place.hidden = !message;
  place.textContent = message;
}
