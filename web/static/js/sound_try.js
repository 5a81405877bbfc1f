// Volume and switch of the sounds in this browser, and listening to each.
import { play, setSound, soundSetting, unlock } from "./sounds.js";

const isOn = document.getElementById("sound-on");
const volume = document.getElementById("sound-volume");
const kind = document.getElementById("sound-kind");

async function listen() {
  if (await unlock()) play(kind.value);
}

if (isOn) {
  ({ isOn: isOn.checked, volume: volume.value } = soundSetting());
  isOn.addEventListener("change", () => setSound({ isOn: isOn.checked }));
  volume.addEventListener("change", () => {
    setSound({ volume: Number(volume.value) });
    listen();
  });
  document.getElementById("sound-play").addEventListener("click", listen);
  document.addEventListener("sound-changed", () => { isOn.checked = soundSetting().isOn; });
}
