// Mutes an issue, or ends that, without leaving the page; all tabs of its reader follow.
import { socket } from "./live.js";
import { Refused, ask, isExpected } from "./server.js";
import { text } from "./texts.js";
import { toast } from "./toast.js";

function show(issueId, isMuted) {
  for (const form of document.querySelectorAll(`.mute[data-issue="${issueId}"]`)) form.dataset.muted = String(isMuted);
}

export async function muteIssue(issueId, isMuted) {
  if (!issueId) return;
  const set = (muted) => ask(muted ? "PUT" : "DELETE", `/tasks/api/task/${issueId}/mute`);
  const back = document.getElementById("inbox")?.dataset.undo;
  try {
    const { message } = await set(isMuted);
    show(issueId, isMuted);
    toast(message, "", "", back && isMuted && { label: back, act: () => muteIssue(issueId, false) });
  } catch (error) {
    if (!isExpected(error)) throw error;
    toast(text("notSaved"), error instanceof Refused ? error.message : "");
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest(".mute");
  if (!form) return;
  event.preventDefault();
  muteIssue(form.dataset.issue, form.dataset.muted !== "true");
});
socket.on("issue_mute", ({ issue_id, is_muted }) => show(issue_id, is_muted));
