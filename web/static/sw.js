// The service worker: shows what comes by push, opens what is clicked, keeps the subscription alive.
// ASSETS, the address of our pictures, is put before this by the server.
"use strict";

const PAGE_ANSWERS_MS = 1000;
const SERVER_ANSWERS_MS = 20000;
const WORDS = {
  ru: { open: "Открыть", read: "Прочитано" },
  en: { open: "Open", read: "Mark as read" },
};

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => event.waitUntil(arrive(event.data)));

async function arrive(data) {
  const news = read(data);
  showCount(news.unread);
  // A page in sight says it itself; whoever tries push out wants to see a notification.
  const isTold = news.type !== "test" && (await isToldByPage(news));
  if (!isTold || wantsToSeeEach(self.navigator.userAgent)) await show(news, { silent: isTold });
  if (news.receipt) await post("/push/receipt", { receipt: news.receipt }, { credentials: "omit" });
}

function read(data) {
  try {
    return { title: "Helpdesk", ...data?.json() };
  } catch {
    return { title: "Helpdesk" }; // not ours, but a browser wants to see something for each message
  }
}

// WebKit, which is Safari and every browser of an iPhone, ends a subscription whose messages show nothing.
const wantsToSeeEach = (userAgent) => userAgent.includes("AppleWebKit/") && !userAgent.includes("Chrome/");

async function show(news, { silent = false } = {}) {
  const tag = news.tag || `n${news.id ?? ""}`;
  const shown = (await self.registration.getNotifications({ tag })).map((other) => other.data ?? {});
  if (shown.some((other) => other.id > news.id)) return; // a newer state of the same came first
  const words = WORDS[news.lang] ?? WORDS.en;
  await self.registration.showNotification(news.title, {
    body: news.message, tag, lang: news.lang, data: { id: news.id, url: news.url },
    // The open page may have shown this very one already: then it is not rung for twice.
    renotify: !silent && !shown.some((other) => other.id === news.id),
    ...(silent && { silent }),
    requireInteraction: Boolean(news.urgent),
    icon: `${ASSETS}/icons/notification.png`, badge: `${ASSETS}/icons/badge.png`,
    timestamp: Date.parse(news.at) || Date.now(),
    actions: news.type === "test" ? [] : [{ action: "open", title: words.open }, { action: "read", title: words.read }],
  });
}

// Asks each visible page of ours; the log-in page, say, does not answer.
async function isToldByPage(news) {
  const pages = await self.clients.matchAll({ type: "window" });
  const asked = pages.filter((page) => page.visibilityState === "visible").map((page) => ask(page, news));
  return (await Promise.all(asked)).includes(true);
}

function ask(page, news) {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve(true);
    setTimeout(resolve, PAGE_ANSWERS_MS, false);
    page.postMessage({ push: news }, [port2]);
  });
}

function showCount(unread) {
  if (!("setAppBadge" in self.navigator) || typeof unread !== "number") return;
  self.navigator.setAppBadge(unread).catch(() => {}); // only decoration
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { id, url } = event.notification.data ?? {};
  const isRead = markRead(id);
  event.waitUntil(event.action === "read" ? isRead : Promise.all([isRead, open(url || "/notifications")]));
});

async function open(path) {
  const address = new URL(path, self.location.origin);
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => new URL(page.url).pathname === address.pathname);
  if (!there) return self.clients.openWindow(address.href);
  const focused = await there.focus();
  // The same page, perhaps at another change: the browser only moves to it.
  return there.url === address.href ? focused : focused.navigate(address.href).catch(() => self.clients.openWindow(address.href));
}

async function markRead(id) {
  if (id) await write("PUT", `/tasks/api/notifications/${id}/read`);
}

// The browser made, or asks for, another subscription.
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));

async function renew({ oldSubscription, newSubscription }) {
  const answer = await reach("/api/push/key", { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return; // signed out or offline: the next page heals it
  const key = (await answer.json()).public_key;
  if (!key) return;
  const made = newSubscription ?? (await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  const sent = { ...made.toJSON(), application_server_key: key, renew: true, former: oldSubscription?.endpoint ?? "" };
  await write("POST", "/tasks/api/push-subscribe", sent);
}

// Nobody is waited for without end: the browser would end the worker meanwhile, and a test would hang.
const reach = (path, how = {}) => fetch(path, { ...how, signal: AbortSignal.timeout(SERVER_ANSWERS_MS) });

// A write in the name of whoever is signed in; nothing happens where nobody is.
async function write(method, path, body) {
  const token = await reach("/users/csrf-token").catch(() => null);
  if (!token?.ok) return;
  await post(path, body, { method, extra: { "X-CSRFToken": await token.text() } });
}

async function post(path, body, { method = "POST", extra = {}, ...how } = {}) {
  const headers = { Accept: "application/json", ...extra };
  if (body) headers["Content-Type"] = "application/json";
  await reach(path, { method, headers, body: body && JSON.stringify(body), ...how }).catch(() => {}); // offline now
}
