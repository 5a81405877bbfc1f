// What the inbox can do besides showing news: the keys, selections, snoozing, unfolding, the endless list.
import "./inbox_filters.js";
import "./inbox_keys.js";
import "./inbox_more.js";
import "./inbox_panel.js";
import "./inbox_select.js";
import "./inbox_snooze.js";
import "./inbox_threads.js";
import "./mute.js";
