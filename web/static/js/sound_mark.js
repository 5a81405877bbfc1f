// The loudspeaker in the header: whether news are heard, and the click that allows it.
import { isTaken } from "./leader.js";
import { isUnlocked, setSound, soundSetting, unlock } from "./sounds.js";

const mark = document.getElementById("sound-mark");
const ACTS = ["pointerdown", "keydown"];

async function state() {
  if (!soundSetting().isOn) return "off";
  return isUnlocked() || (await isTaken("sound")) ? "on" : "blocked";
}

async function show() {
  const now = await state();
  mark.dataset.state = now;
  const words = mark.dataset[now];
  mark.title = words;
  mark.setAttribute("aria-label", words);
  mark.setAttribute("aria-pressed", String(now !== "off"));
}

mark.addEventListener("click", async () => {
  const { isOn } = soundSetting();
  const wasBlocked = mark.dataset.state === "blocked";
  const isHeard = await unlock();
  if (!(wasBlocked && isHeard)) setSound({ isOn: !isOn });
  show();
});

// The first act of a person on the page is enough; nobody has to look for the loudspeaker.
async function onAct(event) {
  if (mark.contains(event.target)) return; // its own click does it
  if (await unlock()) for (const act of ACTS) document.removeEventListener(act, onAct, true);
}
for (const act of ACTS) document.addEventListener(act, onAct, true);

document.addEventListener("sound-changed", show);
document.addEventListener("leader-changed", show);
document.addEventListener("visibilitychange", show);
show();
