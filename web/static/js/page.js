// The one script of every page: starts the behaviours that the page has markup for.
import "./menu.js";
import "./preferences.js";
import "./password.js";
import "./time.js";

const has = (id) => document.getElementById(id) !== null;

if (document.body.dataset.userId) {
  // All are asked for at once: one after the other each would wait for the way there and back.
  await Promise.all([
    import("./reading.js"),
    import("./live.js"),
    import("./news.js"),
    import("./push_page.js"),
    import("./alerts.js"),
    has("sound-mark") && import("./sound_mark.js"),
    has("push-hint") && import("./push_card.js"),
  ]);
}
document.documentElement.dataset.ready = "true"; // all the page can do it can do now
