// Short messages in the corner, and words for screen readers. Nothing here takes the focus.
const place = document.getElementById("toasts");
const announcer = document.getElementById("announcer");
const STAY_MS = 7000;
const AT_ONCE = 3;

export function announce(words) {
  announcer.textContent = words;
}

/** `act` is a button in it: {label, act}. */
export function toast(title, words = "", address = "", act = null) {
  const element = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  element.querySelector(".toast-title").textContent = title;
  element.querySelector(".toast-text").textContent = words;
  const link = element.querySelector(".toast-link");
  if (address) link.href = address;
  else link.removeAttribute("href");
  if (act) link.after(button(element, act));
  element.querySelector(".btn-close").addEventListener("click", () => element.remove());
  place.append(element);
  while (place.childElementCount > AT_ONCE) place.firstElementChild.remove();
  leaveInTime(element);
}

function button(element, { label, act }) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm", textContent: label });
  made.addEventListener("click", () => {
    element.remove();
    act();
  });
  return made;
}

/** A toast about news, which people may switch off on their profile. */
export function popUp(title, words = "", address = "") {
  if (document.body.dataset.popups !== "off") toast(title, words, address);
}

// A toast under the pointer or with the focus is being read: it stays.
function leaveInTime(element) {
  setTimeout(() => (element.matches(":hover, :focus-within") ? leaveInTime(element) : element.remove()), STAY_MS);
}
