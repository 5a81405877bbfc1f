// The list goes on by itself where its end comes into sight, and is as long as it was when one comes back.
import { cards } from "./cards.js";
import { append } from "./listing.js";
import { ask, isExpected } from "./server.js";
import { query, view } from "./view.js";

const more = document.getElementById("more");
const PLACE = "inbox-place";
const MOST = 100;
let reading = null;

/** Read the next part; calls while it is being read wait for the same. */
function readMore(count = view.perPage) {
  reading ??= next(count).finally(() => (reading = null));
  return reading;
}

async function next(count) {
  const before = more.dataset.following;
  if (!before) return false;
  try {
    const answer = await ask("GET", `/api/inbox?${query({ before, per_page: Math.min(MOST, count) })}`);
    if (more.dataset.following !== before) return true; // the list was read anew meanwhile
    append(answer);
    return true;
  } catch (error) {
    if (!isExpected(error)) throw error;
    return false; // the link stays for another try
  }
}

const eye = new IntersectionObserver(async ([seen]) => {
  if (!seen.isIntersecting || !(await readMore())) return;
  // Still in sight, it says nothing of its own accord.
  eye.unobserve(more);
  eye.observe(more);
}, { rootMargin: "600px" });

more.addEventListener("click", (event) => {
  event.preventDefault();
  readMore();
});

// The browser would go by the height that the page had before it was as long as it was.
history.scrollRestoration = "manual";

// Where one was: the card at the top, and how far below the edge.
addEventListener("pagehide", () => {
  const top = cards().find((card) => card.getBoundingClientRect().bottom > 0);
  if (!top) return;
  const place = { page: location.href, count: cards().length, thread: top.dataset.thread, at: top.getBoundingClientRect().top };
  sessionStorage.setItem(PLACE, JSON.stringify(place));
});

async function comeBack() {
  const place = JSON.parse(sessionStorage.getItem(PLACE) ?? "null");
  const type = performance.getEntriesByType("navigation")[0]?.type;
  if (!["back_forward", "reload"].includes(type) || place?.page !== location.href) return;
  while (cards().length < place.count && (await readMore(place.count - cards().length)));
  const top = cards().find((card) => card.dataset.thread === place.thread);
  if (top) window.scrollBy({ top: top.getBoundingClientRect().top - place.at, behavior: "instant" });
}

await comeBack();
eye.observe(more);
