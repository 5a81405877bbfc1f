// What is left out of a list of tasks, and why. Of what Redmine was too slow to answer, the page asks again by itself.
const AGAIN_MS = 12000; // the server leaves a Redmine that did not answer alone for 10 s
let timer = 0;

const notices = (page) => page.getElementById("task-notices");

/** Show what a page made just now says of it. */
export function showNotices(fresh) {
  const [mine, theirs] = [notices(document), notices(fresh)];
  if (mine && theirs && mine.textContent !== theirs.textContent) mine.replaceWith(theirs);
}

/** Call `ask` in a while if something is left out that Redmine may yet let us show. */
export function askAgain(ask) {
  clearTimeout(timer);
  if (!notices(document)?.hasAttribute("data-incomplete")) return;
  timer = setTimeout(() => (document.visibilityState === "visible" ? ask() : askAgain(ask)), AGAIN_MS);
}
