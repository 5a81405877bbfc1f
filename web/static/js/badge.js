// One unread count, shown in the bell, on the filter, in the title and on the tab's icon.
import { plural } from "./texts.js";

const bell = document.getElementById("bell");
const title = document.title.replace(/^\(\d+\) /, "");
const favicon = document.querySelector('link[rel="icon"]');
const plainIcon = favicon.href;
const picture = new Image();
let unread = Number(document.body.dataset.unread);

export const unreadCount = () => unread;

export function showUnread(count) {
  unread = Math.max(0, count);
  document.title = unread ? `(${unread}) ${title}` : title;
  bell.setAttribute("aria-label", plural("unread", unread));
  fill("bell-count", unread < 100 ? unread : "99+");
  fill("unread-count", unread);
  const readAll = document.getElementById("read-all");
  if (readAll) readAll.disabled = !unread;
  drawIcon();
  markApp();
}

// On the icon of the app where the page is installed as one.
function markApp() {
  if (!navigator.setAppBadge) return;
  (unread ? navigator.setAppBadge(unread) : navigator.clearAppBadge()).catch(() => {}); // refused: there is no such icon
}

function fill(id, words) {
  const element = document.getElementById(id);
  if (!element) return;
  element.textContent = words;
  element.hidden = !unread;
}

function drawIcon() {
  if (!unread || !picture.complete) {
    favicon.href = plainIcon;
    return;
  }
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0, 64, 64);
  pen.fillStyle = "#d63939";
  pen.beginPath();
  pen.arc(44, 20, 20, 0, 2 * Math.PI);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.font = "bold 28px sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(unread > 9 ? "9+" : unread, 44, 22, 36);
  favicon.href = canvas.toDataURL("image/png");
}

picture.addEventListener("load", drawIcon);
picture.src = plainIcon;
