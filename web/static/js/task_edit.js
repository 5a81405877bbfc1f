// Status, priority and assignee: choosing opens the form, saving says what came of it.
import { ask, isExpected } from "./server.js";
import { busily, page, refresh, say } from "./task_page.js";
import { text } from "./texts.js";
import { announce, toast } from "./toast.js";

// After these something may have been saved; after other refusals what was typed stays where it is.
const RELOAD = new Set(["dropped", "unsure"]);

const formOf = (event) => event.target.closest?.(".task-edit");
const byField = (field) => page.querySelector(`.task-edit[data-field="${field}"]`);
const select = (form) => form.querySelector("select");

page.addEventListener("change", (event) => {
  const form = formOf(event);
  if (form && event.target === select(form)) form.classList.toggle("is-open", event.target.value !== event.target.dataset.current);
});

page.addEventListener("reset", (event) => {
  const form = formOf(event);
  if (!form) return;
  form.classList.remove("is-open");
  fault(form, "");
  select(form).focus();
});

page.addEventListener("submit", (event) => {
  const form = formOf(event);
  if (!form) return;
  event.preventDefault();
  save(form);
});

page.addEventListener("click", (event) => {
  if (event.target.closest(".task-anyway")) save(formOf(event), { isForced: true });
});

async function save(form, { isForced = false } = {}) {
  if (form.classList.contains("is-saving")) return;
  const { field } = form.dataset;
  form.classList.add("is-saving");
  fault(form, "");
  try {
    const done = await busily(() => put(form, isForced));
    toast(say("saved"), done.message);
    announce(done.message);
    select(byField(field) ?? form)?.focus();
  } catch (error) {
    if (!isExpected(error)) throw error;
    if (RELOAD.has(error.code)) await refresh();
    fault(byField(field) ?? form, error.message || text("notSaved"), { isConflict: error.code === "conflict" });
  } finally {
    form.classList.remove("is-saving");
  }
}

async function put(form, isForced) {
  const { [form.dataset.field]: value, comment, updated_on: seen } = Object.fromEntries(new FormData(form));
  const body = { [form.dataset.field]: value ? Number(value) : null, comment, updated_on: isForced ? "" : seen };
  const done = await ask("PUT", form.dataset.api, body);
  await refresh();
  return done;
}

function fault(form, words, { isConflict = false } = {}) {
  const place = form.querySelector(".task-fault");
  place.hidden = !words;
  place.textContent = words;
  form.querySelector(".task-anyway").hidden = !isConflict;
}
