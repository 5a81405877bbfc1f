// Keeps the parts of an administrator's page fresh: what runs, how far it is, what it found. Every 2 s, or as often
// as a part of the page says (data-live-s), while the page is looked at, and never under somebody's hands.
const EVERY_S = 2;
const parts = () => [...document.querySelectorAll("main [data-live]")];
const pauseMs = () => 1000 * Number(document.querySelector("[data-live-s]")?.dataset.liveS ?? EVERY_S);
const isBusy = (part) => part.contains(document.activeElement) || part.matches(":active");

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(10000) });
  if (answer.redirected || !answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts()) {
    const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (next && !isBusy(part) && next.innerHTML !== part.innerHTML) part.replaceChildren(...next.childNodes);
  }
}

async function step() {
  try {
    if (!document.hidden) await refresh();
  } catch (error) {
    // The network is down, or the server is: the header says so already.
    if (!(error instanceof TypeError) && error.name !== "TimeoutError") throw error;
  }
  setTimeout(step, pauseMs());
}

setTimeout(step, pauseMs());
