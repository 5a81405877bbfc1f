// Times as a reader says them: "5 minutes ago" today, the time of day on other days, all of it as a title.
import { language, text } from "./texts.js";

const relative = new Intl.RelativeTimeFormat(language, { numeric: "always", style: "short" });
const clock = new Intl.DateTimeFormat(language, { timeStyle: "short" });
const short = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "short" });
const full = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "long" });
const dayName = new Intl.DateTimeFormat(language, { dateStyle: "full" });

/** "2024-01-16" in the reader's own calendar. */
export function localDay(moment) {
  const pad = (number) => String(number).padStart(2, "0");
  return `${moment.getFullYear()}-${pad(moment.getMonth() + 1)}-${pad(moment.getDate())}`;
}

/** "Today", "Yesterday" or the whole date. */
export function nameOfDay(moment) {
  const today = new Date();
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (localDay(moment) === localDay(today)) return text("today");
  return localDay(moment) === localDay(yesterday) ? text("yesterday") : dayName.format(moment);
}

function ago(moment, now) {
  if (localDay(moment) !== localDay(now)) return clock.format(moment);
  const minutes = Math.floor((now - moment) / 60000);
  if (minutes < 1) return text("justNow");
  return minutes < 60 ? relative.format(-minutes, "minute") : relative.format(-Math.floor(minutes / 60), "hour");
}

function onClock(moment, now) {
  return (localDay(moment) === localDay(now) ? clock : short).format(moment);
}

export function refreshTimes(within = document) {
  const now = new Date();
  for (const element of within.querySelectorAll("time[datetime]:not([datetime=''])")) {
    const moment = new Date(element.dateTime);
    const words = "clock" in element.dataset ? onClock(moment, now) : ago(moment, now);
    if (element.textContent !== words) element.textContent = words;
    element.title = full.format(moment);
  }
}

if (document.body.dataset.userId) {
  refreshTimes();
  setInterval(() => refreshTimes(), 20000);
}
