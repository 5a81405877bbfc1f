// A new post: said on every page, and in place where the list of posts is open.
import { socket } from "./live.js";
import { text } from "./texts.js";
import { announce, popUp } from "./toast.js";

const badge = document.getElementById("news-count");

socket.on("post_published", ({ id, title }) => {
  showCount(Number(badge?.dataset.count ?? 0) + 1);
  announce(`${text("newPost")}: ${title}`);
  if (list()) refresh();
  else popUp(text("newPost"), title, `/posts/${id}`);
});
socket.on("posts_changed", () => list() && refresh());

const list = () => document.getElementById("posts");

function showCount(count) {
  if (!badge) return;
  badge.dataset.count = String(count);
  badge.textContent = String(count);
  badge.hidden = !count;
}

// The page as it is now, from the server's own markup.
async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(20000) }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("posts");
  if (!fresh) return;
  const focused = list().contains(document.activeElement) && document.activeElement.id;
  list().replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus();
  showCount(Number(page.getElementById("news-count")?.dataset.count ?? 0));
}
