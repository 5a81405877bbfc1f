// Runs our service worker with a made-up browser around it. The order comes on stdin as JSON:
// {script, userAgent, pages: [{path, isVisible, answers}], event: {kind, news | url, action}}; what it did is written to stdout.
"use strict";
const { readFileSync } = require("node:fs");
const vm = require("node:vm");

const ORIGIN = "https://desk.test";
const order = JSON.parse(readFileSync(0, "utf8"));
const done = { shown: [], focused: [], navigated: [], opened: [], asked: [], unbounded: [] };
const heard = {};

const pageOf = ({ path, isVisible, answers }) => ({
  url: ORIGIN + path,
  visibilityState: isVisible ? "visible" : "hidden",
  postMessage: (_message, [port]) => answers && port.postMessage(true),
  async focus() { done.focused.push(path); return this; },
  async navigate(to) { done.navigated.push(to); return this; },
});
const pages = order.pages.map(pageOf);

async function fetchFor(path, how = {}) {
  done.asked.push(`${how.method ?? "GET"} ${path}`);
  if (!(how.signal instanceof AbortSignal)) done.unbounded.push(path);
  return { ok: true, text: async () => "token", json: async () => ({ public_key: "key" }) };
}

const self = {
  addEventListener: (kind, act) => { heard[kind] = act; },
  location: { origin: ORIGIN },
  navigator: { userAgent: order.userAgent },
  registration: {
    getNotifications: async () => [],
    showNotification: async (title, { silent = false, renotify }) => done.shown.push({ title, silent, renotify }),
  },
  clients: {
    matchAll: async () => pages,
    openWindow: async (url) => done.opened.push(url),
  },
};
const { AbortSignal, MessageChannel, URL, setTimeout } = globalThis;
vm.runInNewContext(order.script, { self, fetch: fetchFor, AbortSignal, MessageChannel, URL, setTimeout });

const { kind, news, url, action = "" } = order.event;
const events = {
  push: { data: { json: () => news } },
  notificationclick: { action, notification: { data: { id: 5, url }, close() {} } },
  pushsubscriptionchange: { newSubscription: { toJSON: () => ({}) }, oldSubscription: null },
};
let work = null;
heard[kind]({ ...events[kind], waitUntil: (promise) => { work = promise; } });
work.then(() => {
  process.stdout.write(JSON.stringify(done), () => process.exit(0));
});
