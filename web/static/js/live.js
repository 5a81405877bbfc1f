// News as they happen: one WebSocket, caught up after every break, with reading by HTTP as the way out.
import { showUnread } from "./badge.js";
import { showConnection } from "./connection.js";
import { lastId, openGap } from "./cursor.js";
import { amend, changed, read, receive, withdraw } from "./inbox.js";
import { io } from "./io.js";
import { isPolling, readNow, startPolling, stopPolling, watchMasked } from "./polling.js";
import { showSource } from "./source.js";

const REFUSALS = 2; // so many failed attempts in a row start the reading by HTTP
const REST_MS = 120000;
let failures = 0;
let wasLive = false;
let arrived = [];
let isOver = false;

/** Other modules listen to events of their own on it. */
export const socket = io("", {
  auth: (send) => send({ last: lastId() }),
  reconnectionDelayMax: 4000, // spread by half: after a restart all are back within ten seconds
});

socket.on("connect", () => {
  failures = 0;
  stopPolling();
  showConnection("live");
  // Only notifications are replayed: what was read or withdrawn meanwhile is not. Spread, as all come back at once.
  if (wasLive) setTimeout(readNow, Math.random() * 2000);
  wasLive = true;
});
// What comes at once is shown at once: a replay of 200, one by one, would have the page laid out 200 times.
const turn = new MessageChannel(); // unlike a timer it is not slowed down in a hidden tab
turn.port1.onmessage = showArrived;
socket.on("new_notification", (item) => {
  if (!arrived.length) turn.port2.postMessage(null);
  arrived.push(item);
});

function showArrived() {
  const items = arrived;
  arrived = [];
  if (items.length && !isOver) receive(items);
}

// What is said of notifications, after they have been shown.
const on = (event, act) => socket.on(event, (said) => {
  showArrived();
  act(said);
});
on("notification_updated", amend);
on("unread_count", ({ unread }) => showUnread(unread));
on("notifications_read", read);
on("notifications_changed", changed);
on("notifications_withdrawn", withdraw);
on("source_state", showSource);
socket.on("replayed", ({ more }) => (more ? fillGap() : showArrived()));

// What was replayed is the oldest of what is missing: to show it only to put what is read in its place takes seconds.
async function fillGap() {
  const replayed = arrived;
  arrived = [];
  openGap();
  if (await readNow({ isWhole: true })) return;
  receive(replayed);
  if (socket.connected) setTimeout(fillGap, 5000);
}

socket.on("session_ended", () => document.dispatchEvent(new Event("signed-out")));

socket.on("disconnect", (reason) => {
  if (isOver) return;
  showConnection("reconnecting");
  // The client comes back by itself, except where the server closed in good order (a restart).
  if (reason === "io server disconnect") setTimeout(() => socket.connect(), 500 + Math.random() * 2000);
});
socket.on("connect_error", () => {
  failures += 1;
  if (!isPolling()) showConnection(wasLive ? "reconnecting" : "connecting");
  if (failures >= REFUSALS || !socket.active) startPolling(afterReading);
});

function afterReading(hasAnswered) {
  if (isOver || !isPolling()) return;
  showConnection(hasAnswered ? "polling" : navigator.onLine ? "reconnecting" : "offline");
  if (!socket.active) socket.connect(); // refused, not lost: the client does not try again by itself
}

document.addEventListener("signed-out", () => {
  if (isOver) return;
  isOver = true;
  stopPolling();
  socket.disconnect();
  showConnection("offline");
  showUnread(0);
  // The next person at this desk must not read on.
  document.getElementById("main").replaceChildren(document.getElementById("signed-out-template").content);
});

// The banner and states of reading may have changed unseen; a hidden page does not ask.
const rest = () => document.visibilityState === "visible" && socket.connected && readNow();
document.addEventListener("visibilitychange", rest);
setInterval(rest, REST_MS);
watchMasked();
