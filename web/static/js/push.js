// Web Push in this browser: the state it is in, switching it on and off, keeping it alive.
import { dropNote, readNote, writeNote } from "./notes.js";
import { Refused, ask } from "./server.js";

const PATH = "/tasks/api/push-subscribe";
const AGAIN_MS = 12 * 3600 * 1000; // so often the server hears that this browser is still there
const { pushKey, pushKnown = "", userId } = document.body.dataset;
// The subscriptions that the server has of this log-in, as it made the page.
const known = new Set(pushKnown.split(" ").filter(Boolean).map(Number));
// That this person wants it here, and what the server was told last.
const NOTE = `push-${userId}`;

export const isSupported = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** One of unsupported, insecure, unavailable (no key), denied, off, on. */
export async function pushState() {
  if (!window.isSecureContext) return "insecure";
  if (!isSupported()) return "unsupported";
  if (!pushKey) return "unavailable";
  if (Notification.permission === "denied") return "denied";
  return readNote(NOTE) && (await subscription()) ? "on" : "off";
}

export async function subscription() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Ask for leave, subscribe and tell the server. Throws NotAllowedError where leave is not given. */
export async function turnOn() {
  if ((await Notification.requestPermission()) !== "granted") throw new DOMException("", "NotAllowedError");
  await tell(await subscribe(), {});
}

export async function turnOff() {
  dropNote(NOTE);
  const present = await subscription();
  if (!present) return;
  await ask("DELETE", PATH, { endpoint: present.endpoint }).catch(unlessRefused);
  await present.unsubscribe();
}

/** On each page of somebody who switched it on: what is missing or has changed is mended, by one tab at a time. */
export const heal = () => (navigator.locks ? navigator.locks.request("helpdesk-push-heal", mend) : mend());

async function mend() {
  const note = readNote(NOTE);
  if (!note || !pushKey || !isSupported() || Notification.permission !== "granted") return;
  const present = await subscribe();
  if (!isTold(note, present)) await renew(present, note);
}

function isTold(note, present) {
  const isSame = note.endpoint === present.endpoint && note.key === pushKey;
  return isSame && known.has(note.id) && Date.now() - note.at < AGAIN_MS;
}

/** Somebody has signed out here: the next person at this desk must not be told. */
export async function leave() {
  const registration = isSupported() && (await navigator.serviceWorker.getRegistration("/"));
  if (!registration) return;
  for (const shown of await registration.getNotifications()) shown.close();
  await (await registration.pushManager.getSubscription())?.unsubscribe();
  const note = readNote(NOTE);
  if (note) writeNote(NOTE, {}); // whoever comes back here is subscribed again
}

async function renew(present, { endpoint: former = "" }) {
  try {
    const isNew = await tell(present, { renew: true, former });
    // What the server was told of and does not know has been forgotten, perhaps as its service said that it is
    // gone, of which a browser may hear nothing: another one certainly arrives.
    if (isNew && former === present.endpoint) await tell(await another(present), { renew: true, former });
  } catch (error) {
    unlessRefused(error);
    if (error.code !== "removed") return; // not now: the next page tries again
    dropNote(NOTE);
    await present.unsubscribe();
  }
}

// Returns whether the server did not know it.
async function tell(present, more) {
  const { id, is_new: isNew } = await ask("POST", PATH, { ...present.toJSON(), application_server_key: pushKey, ...more });
  writeNote(NOTE, { id, endpoint: present.endpoint, key: pushKey, at: Date.now() });
  return isNew;
}

async function another(present) {
  await present.unsubscribe();
  return subscribe();
}

// A subscription made for another key of the server gets nothing any more: a new one takes its place.
async function subscribe() {
  await navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" });
  const { pushManager } = await navigator.serviceWorker.ready;
  const present = await pushManager.getSubscription();
  if (present && keyOf(present) === pushKey) return present;
  await present?.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: pushKey });
}

function keyOf({ options }) {
  const bytes = String.fromCharCode(...new Uint8Array(options.applicationServerKey ?? []));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function unlessRefused(error) {
  if (!(error instanceof Refused)) throw error;
}
