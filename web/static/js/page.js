// The one script of every page: starts the behaviours that the page has markup for.
import "./menu.js";
import "./preferences.js";
import "./password.js";
import "./time.js";

if (document.body.dataset.userId) {
  await import("./reading.js");
  await import("./live.js");
  await import("./news.js");
}
