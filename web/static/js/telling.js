// The page on which people set how they are told: this browser, tests of its devices, sounds.
import "./push_card.js";
import "./push_try.js";
import "./sound_try.js";
