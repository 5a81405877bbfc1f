// What every page does for push: keeps the subscription alive, answers the worker, tidies up.
import { socket } from "./live.js";
import { heal, isSupported, leave } from "./push.js";
import { isExpected } from "./server.js";

const LEAVE_MS = 2000;
const connection = document.getElementById("connection");

// "Do you say this yourself?" No answer means no, and the worker shows it.
function answer({ data, ports }) {
  const tells = document.body.dataset.popups !== "off" && connection.dataset.state === "live";
  if (data?.push && tells) ports[0]?.postMessage(true);
}

// Read here or on another device: it need not stand on the desktop any longer.
async function closeShown({ ids }) {
  const registration = await navigator.serviceWorker.getRegistration("/");
  for (const shown of (await registration?.getNotifications()) ?? []) {
    if (ids.includes(shown.data?.id)) shown.close();
  }
}

const inTime = (work) => Promise.race([work, new Promise((resolve) => setTimeout(resolve, LEAVE_MS))]);

async function logOut(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  await inTime(leave().catch(unlessExpected));
  location.assign(event.target.closest("a").href);
}

// A push service that cannot be reached fails as AbortError; leave may have been taken back meanwhile.
function unlessExpected(error) {
  if (!isExpected(error) && !(error instanceof DOMException)) throw error;
}

if (isSupported() && window.isSecureContext) {
  navigator.serviceWorker.addEventListener("message", answer);
  socket.on("notifications_read", closeShown);
  socket.on("notifications_withdrawn", closeShown);
  document.addEventListener("signed-out", () => leave().catch(unlessExpected));
  document.querySelector('a[href="/users/logout"]')?.addEventListener("click", logOut);
  heal().catch(unlessExpected);
}
