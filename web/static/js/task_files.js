// Files: chosen, dropped on the page or pasted into the comment; each goes with its own progress.
import { upload } from "./task_upload.js";
import { busily, page, refresh, say } from "./task_page.js";
import { announce } from "./toast.js";

const form = document.getElementById("task-files");
const list = document.getElementById("uploads");
const notes = document.getElementById("notes");
const MEGABYTE = 1024 * 1024;
const LEAVE_MS = 4000;

if (form) {
  form.querySelector("[type=file]").addEventListener("change", (event) => {
    send([...event.target.files]);
    event.target.value = "";
  });
  page.addEventListener("dragover", (event) => {
    if (!hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    page.classList.add("is-dropping");
  });
  page.addEventListener("dragleave", (event) => {
    if (!page.contains(event.relatedTarget)) page.classList.remove("is-dropping");
  });
  page.addEventListener("drop", (event) => {
    if (!hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    page.classList.remove("is-dropping");
    send([...event.dataTransfer.files]);
  });
  notes?.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files].map(named);
    if (!files.length) return;
    event.preventDefault();
    mention(files);
    send(files);
  });
}

const hasFiles = (data) => data?.types.includes("Files");

// Every pasted picture is called image.png: the time tells them apart.
function named(file) {
  if (file.name && file.name !== "image.png") return file;
  const kind = file.type.split("/")[1] ?? "png";
  return new File([file], `clipboard-${new Date().toISOString().replace(/\D/g, "").slice(0, 17)}.${kind}`, { type: file.type });
}

function mention(files) {
  const isTextile = page.dataset.formatting === "textile";
  const pictures = files.filter((file) => file.type.startsWith("image/"));
  const words = pictures.map((file) => (isTextile ? `!${file.name}!` : `![](${file.name})`)).join("\n");
  notes.setRangeText(words, notes.selectionStart, notes.selectionEnd, "end");
}

// One after the other: two writes to one task at once would only make each other wait.
async function send(files) {
  await busily(async () => {
    let attached = 0;
    for (const file of files) attached += Number(await sendOne(file));
    if (attached) await refresh();
  });
}

async function sendOne(file) {
  const row = document.getElementById("upload-template").content.firstElementChild.cloneNode(true);
  row.querySelector(".upload-name").textContent = file.name;
  list.append(row);
  if (file.size > Number(page.dataset.maxMb) * MEGABYTE) return end(row, say("tooLarge", { name: file.name }), false);
  const cancel = new AbortController();
  row.querySelector("button").addEventListener("click", () => (cancel.signal.aborted ? row.remove() : cancel.abort()));
  const answer = await upload(form.dataset.api, file, cancel.signal, (share) => {
    row.querySelector("progress").value = 100 * share;
  });
  return end(row, answer.message || say("cancelled"), answer.success === true);
}

function end(row, words, isDone) {
  row.querySelector("progress").remove();
  row.classList.toggle("is-failed", !isDone);
  row.querySelector(".upload-state").textContent = words;
  row.querySelector("button").addEventListener("click", () => row.remove());
  announce(words);
  if (isDone) setTimeout(() => row.remove(), LEAVE_MS);
  return isDone;
}
