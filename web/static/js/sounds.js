// A sound for each type of notification, made on the spot: [frequency in Hz, begin, length in s].
import { readNote, writeNote } from "./notes.js";

const SOUNDS = {
  assigned: [[659, 0, 0.12], [880, 0.12, 0.12], [1175, 0.24, 0.24]],
  mention: [[988, 0, 0.1], [1319, 0.11, 0.22]],
  new_issue: [[523, 0, 0.12], [784, 0.13, 0.24]],
  note_added: [[784, 0, 0.18]],
  status_change: [[659, 0, 0.1], [784, 0.1, 0.18]],
  priority_change: [[880, 0, 0.1], [659, 0.12, 0.1], [880, 0.24, 0.16]],
  due_date_change: [[698, 0, 0.1], [698, 0.16, 0.16]],
  attachment_added: [[494, 0, 0.08], [587, 0.09, 0.12]],
  updated: [[587, 0, 0.14]],
  issue_deleted: [[523, 0, 0.14], [392, 0.15, 0.26]],
  reminder: [[740, 0, 0.14], [740, 0.24, 0.14], [932, 0.48, 0.3]],
  vpn_expiry: [[622, 0, 0.14], [622, 0.24, 0.14], [494, 0.48, 0.3]],
  account_blocked: [[440, 0, 0.16], [349, 0.17, 0.3]],
  account_back: [[349, 0, 0.14], [440, 0.15, 0.26]],
  account_changed: [[440, 0, 0.12], [440, 0.15, 0.14]],
  host_down: [[784, 0, 0.14], [587, 0.15, 0.14], [392, 0.3, 0.34]],
  host_up: [[392, 0, 0.12], [587, 0.13, 0.12], [784, 0.26, 0.24]],
  host_flapping: [[587, 0, 0.08], [466, 0.1, 0.08], [587, 0.2, 0.08], [466, 0.3, 0.14]],
  network_lost: [[523, 0, 0.16], [370, 0.17, 0.16], [262, 0.34, 0.4]],
  network_back: [[262, 0, 0.12], [370, 0.13, 0.12], [523, 0.26, 0.26]],
  call: [[880, 0, 0.4], [698, 0.05, 0.4], [880, 0.8, 0.4], [698, 0.85, 0.4]],
  channel_problem: [[415, 0, 0.2], [415, 0.3, 0.2], [311, 0.6, 0.3]],
  job_trouble: [[466, 0, 0.2], [466, 0.3, 0.2], [349, 0.6, 0.3]],
};
const SETTING = "sound";
const LOUDEST = 0.35;
let context = null;

/** {isOn, volume}: of this browser, volume 0 to 100. */
export const soundSetting = () => ({ isOn: true, volume: 60, ...readNote(SETTING) });

export function setSound(change) {
  writeNote(SETTING, { ...soundSetting(), ...change });
  document.dispatchEvent(new Event("sound-changed"));
}

/** Browsers let a page be heard once somebody has clicked or typed on it. */
export const isUnlocked = () => context?.state === "running";

/** Try to be heard from now on; tell whether it worked. Called by a person's act. */
export async function unlock() {
  context ??= new AudioContext();
  if (context.state !== "running") await context.resume();
  document.dispatchEvent(new Event("sound-changed"));
  return isUnlocked();
}

export function play(type) {
  const { isOn, volume } = soundSetting();
  if (!isOn || !volume || !isUnlocked()) return false;
  for (const [frequency, begin, length] of SOUNDS[type] ?? SOUNDS.updated) tone(frequency, begin, length, volume);
  document.dispatchEvent(new CustomEvent("sound-played", { detail: { type } }));
  return true;
}

// Softly begun and ended: without that each tone would click.
function tone(frequency, begin, length, volume) {
  const at = context.currentTime + begin;
  const source = new OscillatorNode(context, { type: "triangle", frequency });
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime((LOUDEST * volume) / 100, at + 0.015);
  gain.gain.exponentialRampToValueAtTime(0.001, at + length);
  source.connect(gain).connect(context.destination);
  source.start(at);
  source.stop(at + length + 0.02);
}
