// "Send a test": which of the steps between the server and a notification on the screen works, and which not.
import { isSupported, subscription } from "./push.js";
import { Refused, ask, isExpected } from "./server.js";

const PATIENCE_MS = 30000;
const EVERY_MS = 500;
const texts = document.getElementById("push-texts")?.dataset;

class Failed extends Error {
  constructor(step, words) {
    super(words);
    this.step = step;
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, EVERY_MS));

function mark(steps, name, state, words = "") {
  const step = steps.querySelector(`[data-step="${name}"]`);
  step.dataset.state = state;
  step.querySelector(".push-said").textContent = words || (state === "done" ? steps.dataset.done : "");
}

async function pass(steps, name, check) {
  mark(steps, name, "waiting", steps.dataset.waiting);
  const words = await check();
  mark(steps, name, "done", words);
}

// Both can only be seen in the browser itself.
function permission(isHere) {
  if (!isHere) return texts.elsewhere;
  if (!isSupported() || Notification.permission !== "granted") throw new Failed("permission", texts.denied);
  return "";
}

async function subscribed(isHere) {
  if (isHere && !(await subscription())) throw new Failed("subscription", texts.lost);
  return "";
}

async function until(delivery, holds, step, words) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const state = await ask("GET", `/api/push/tests/${delivery}`);
    if (state.received_at || holds(state)) return "";
    if (["failed", "skipped", "expired"].includes(state.state)) throw new Failed("service", state.error || words);
    if (Date.now() > end) throw new Failed(step, state.error || words);
    await pause();
  }
}

async function run(device, steps) {
  const isHere = device.hasAttribute("data-here");
  await pass(steps, "permission", () => permission(isHere));
  await pass(steps, "subscription", () => subscribed(isHere));
  mark(steps, "service", "waiting", steps.dataset.waiting);
  const { delivery } = await ask("POST", `/api/push/devices/${device.dataset.id}/test`);
  await pass(steps, "service", () => until(delivery, ({ state }) => state === "sent", "service", texts.unsent));
  await pass(steps, "browser", () => until(delivery, () => false, "browser", texts.unseen));
}

async function test(button) {
  const device = button.closest(".push-device");
  const steps = device.querySelector(".push-steps");
  for (const step of steps.children) mark(steps, step.dataset.step, "open");
  steps.hidden = false;
  button.disabled = true;
  try {
    await run(device, steps);
  } catch (error) {
    const isOurs = error instanceof Failed;
    if (!isOurs && !isExpected(error)) throw error;
    const words = isOurs ? error.message : (error instanceof Refused && error.message) || texts.refused;
    mark(steps, isOurs ? error.step : "service", "failed", words);
  } finally {
    button.disabled = false;
  }
}

document.getElementById("push-devices")?.addEventListener("click", (event) => {
  const button = event.target.closest(".push-test");
  if (button) test(button);
});
