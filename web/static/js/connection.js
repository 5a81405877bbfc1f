// The dot in the header: how news come to this page at the moment.
import { text } from "./texts.js";

const mark = document.getElementById("connection");

/** One of connecting, live, reconnecting, polling, offline. */
export function showConnection(state) {
  if (mark.dataset.state === state && mark.title) return;
  mark.dataset.state = state;
  mark.querySelector(".connection-text").textContent = text(state);
  mark.title = text(`${state}Hint`) || text(state);
}

showConnection("connecting");
