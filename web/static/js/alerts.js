// Sound and pop-ups on the desktop for news, once for all tabs, as the reader's settings want it.
import { socket } from "./live.js";
import { claim, leads, stand } from "./leader.js";
import { isSupported } from "./push.js";
import { isUnlocked, play } from "./sounds.js";

const FRESH_MS = 120000; // what is older is caught up on, and no news
const { sound, userId } = document.body.dataset;

socket.on("new_notification", (item) => {
  const alerts = item.alerts ?? [];
  if (item.masked || item.is_read || Date.now() - Date.parse(item.created_at) > FRESH_MS) return;
  if (sound && alerts.includes("sound") && leads("sound") && claim("sound", item.id)) play(item.type);
  if (alerts.includes("popup") && leads("popup") && claim("popup", item.id)) popUp(item);
});

// Only where no tab of ours is in sight: there the page itself shows it. The tag is that of the push message,
// so that whichever comes second takes the place of the first.
async function popUp(item) {
  if (!isSupported() || Notification.permission !== "granted" || (await isAnyInSight())) return;
  const registration = await navigator.serviceWorker.getRegistration("/");
  const tag = item.thread || `n${item.id}`;
  const shown = (await registration?.getNotifications({ tag })) ?? [];
  if (shown.some(({ data }) => data?.id >= item.id)) return;
  await registration?.showNotification(item.title, {
    body: item.message, tag, renotify: true, lang: document.body.dataset.language,
    data: { id: item.id, url: pathOf(item) }, timestamp: Date.parse(item.created_at),
  });
}

const pathOf = ({ issue_id: issue, journal_id: journal, type, page }) =>
  issue && type !== "issue_deleted" ? `/tasks/${issue}${journal ? `#change-${journal}` : ""}` : page || "/notifications";

// Each visible tab of this person holds a lock while it is visible, so that the others can see it.
const IN_SIGHT = `helpdesk-in-sight-${userId}`;
let letGo = null;

function showPresence() {
  if (document.visibilityState === "hidden") {
    letGo?.();
    letGo = null;
  } else if (!letGo) {
    navigator.locks?.request(IN_SIGHT, { mode: "shared" }, () => new Promise((resolve) => { letGo = resolve; }));
  }
}

async function isAnyInSight() {
  if (document.visibilityState === "visible") return true;
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.some(({ name }) => name === IN_SIGHT);
}

document.addEventListener("visibilitychange", showPresence);
showPresence();
stand("popup");

// A tab that may not be heard does not stand for sound: another one may.
function standForSound() {
  if (!sound || !isUnlocked()) return;
  document.removeEventListener("sound-changed", standForSound);
  stand("sound");
}
document.addEventListener("sound-changed", standForSound);
standForSound();
