// Calls: asked for every five seconds while the page is looked at, more seldom while there is trouble.
import { Refused, ask, isExpected } from "./server.js";
import { refreshTimes } from "./time.js";

const EVERY_MS = 5000;
const SELDOM_MS = 30000;
// Nothing changes about these by asking again.
const FINAL = new Set(["not_an_agent", "not_your_team", "finesse_not_supervised", "finesse_not_configured"]);
const list = document.getElementById("calls");
const trouble = document.getElementById("calls-trouble");
const why = document.getElementById("calls-why");
const fresh = document.getElementById("calls-fresh");
const said = document.getElementById("calls-said");
let shown = "";
let shownAt = performance.now();
let pauseMs = EVERY_MS;
let timer = 0;
let isAsking = false;

async function refresh() {
  clearTimeout(timer);
  if (isAsking || document.hidden) return;
  isAsking = true;
  let goesOn = true;
  try {
    show(await ask("GET", list.dataset.path));
    pauseMs = EVERY_MS;
  } catch (error) {
    if (!isExpected(error)) throw error;
    goesOn = complain(error);
    pauseMs = Math.min(pauseMs * 2, SELDOM_MS);
  } finally {
    isAsking = false;
  }
  if (goesOn) timer = setTimeout(refresh, pauseMs);
}

function show(answer) {
  if ("never" in list.dataset) location.reload(); // the head of the page depends on who is asked for, too
  trouble.hidden = true;
  list.classList.remove("is-stale");
  fresh.hidden = false;
  fresh.querySelector("time").dateTime = answer.as_of;
  refreshTimes(fresh);
  place(answer.html);
  shownAt = performance.now();
}

// What did not change stays as it is: somebody may be copying a number.
function place(html) {
  const before = new Set([...list.querySelectorAll(".is-ringing")].map((call) => call.dataset.id));
  const durations = [...html.matchAll(/data-seconds="(\d+)"/g)].map((match) => match[1]);
  const rest = html.replace(/ data-seconds="\d+">[^<]*/g, "");
  if (rest !== shown) list.innerHTML = html;
  shown = rest;
  list.querySelectorAll("[data-seconds]").forEach((element, n) => (element.dataset.seconds = durations[n]));
  const rings = [...list.querySelectorAll(".is-ringing")].filter((call) => !before.has(call.dataset.id));
  if (rings.length) said.textContent = rings.map((call) => `${list.dataset.ringing}: ${call.dataset.ringing}`).join(". ");
}

// Return whether to ask again. Without any words the network is gone, which the page's head says.
function complain(error) {
  why.textContent = error.message && error instanceof Refused ? error.message : why.textContent;
  trouble.hidden = !why.textContent;
  list.classList.add("is-stale");
  return !FINAL.has(error.code);
}

function tick() {
  const passed = Math.floor((performance.now() - shownAt) / 1000);
  for (const element of list.querySelectorAll("[data-seconds]")) {
    element.textContent = duration(Number(element.dataset.seconds) + passed);
  }
}

function duration(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const rest = two(seconds % 60);
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}

document.addEventListener("visibilitychange", refresh);
setInterval(tick, 1000);
timer = setTimeout(refresh, "never" in list.dataset && !trouble.hidden ? EVERY_MS : 1000);
