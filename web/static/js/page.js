// The one script of every page: starts the behaviours that the page has markup for.
import "./menu.js";
import "./preferences.js";
import "./password.js";
import "./time.js";

if (document.body.dataset.userId) {
  await import("./reading.js");
  await import("./live.js");
  await import("./news.js");
  await import("./push_page.js");
  await import("./alerts.js");
  if (document.getElementById("sound-mark")) await import("./sound_mark.js");
  if (document.getElementById("push-hint")) await import("./push_card.js");
}
