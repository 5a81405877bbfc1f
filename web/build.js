// Put what the browser needs of the npm packages into static/vendor/, and no more than that.
//
// Tabler's whole style sheet is 635 KB, of which our pages use about a tenth: rules for classes that
// no template and no script names are left out. Of the 5,000 icons only ICONS go into one sprite.
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { PurgeCSS } from "purgecss";

const FROM = new URL("node_modules/", import.meta.url);
const TO = new URL("static/vendor/", import.meta.url);

const ICONS = [
  "alarm", "alert-triangle", "app-window", "archive", "arrow-down", "arrow-right", "arrow-up",
  "arrows-exchange", "at", "bell", "bell-cog", "bell-off", "bell-ringing", "calendar-event", "chart-bar",
  "check", "checklist", "checks", "chevron-left", "chevron-right", "circle-check", "circle-plus", "circle-x",
  "clock", "clock-play", "cloud-off", "device-desktop", "device-desktop-up", "device-mobile", "dots", "download",
  "external-link", "eye", "eye-off", "file-x", "filter", "filter-off", "flag", "folder", "grip-vertical",
  "help", "history", "hourglass", "inbox", "info-circle", "keyboard", "language", "layout-columns", "layout-kanban",
  "lock", "logout", "mail", "mail-off", "message", "moon", "network", "news", "paperclip", "pencil", "phone",
  "phone-incoming", "phone-off", "phone-outgoing", "phone-pause", "player-pause", "player-play", "refresh", "search", "search-off", "send",
  "server-off", "shield-lock", "star", "sun", "sun-moon", "trash", "unlink", "user", "user-check", "users",
  "users-group", "volume", "volume-off", "x", "zzz",
];

const PEN = 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"';

// Variables that only our own style sheets read.
async function ownVariables() {
  const folder = new URL("static/css/", import.meta.url);
  const sheets = await Promise.all((await readdir(folder)).map((name) => readFile(new URL(name, folder), "utf8")));
  return sheets.flatMap((sheet) => sheet.match(/--tblr-[\w-]+/g) ?? []);
}

async function writeStyle() {
  const [result] = await new PurgeCSS().purge({
    css: [new URL("@tabler/core/dist/css/tabler.min.css", FROM).pathname],
    content: ["templates/**/*.html", "kinds.py", "static/js/*.js", "static/css/*.css"].map((glob) => new URL(glob, import.meta.url).pathname),
    // Set by a script at run time, so no template names its values.
    dynamicAttributes: ["data-bs-theme"],
    variables: true,
    safelist: { variables: await ownVariables() },
    keyframes: true,
  });
  await writeFile(new URL("tabler.css", TO), result.css);
}

async function symbol(name) {
  const svg = await readFile(new URL(`@tabler/icons/icons/outline/${name}.svg`, FROM), "utf8");
  const shapes = svg.match(/<(path|circle|rect|line)[^>]*>/g).filter((shape) => !shape.includes('stroke="none"'));
  return `<symbol id="${name}" viewBox="0 0 24 24" ${PEN}>${shapes.join("")}</symbol>`;
}

async function writeIcons() {
  const symbols = await Promise.all(ICONS.map(symbol));
  await writeFile(new URL("icons.svg", TO), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`);
}

// Its last line names a source map that is not served: browsers' tools would ask for it in vain.
async function writeSocketClient() {
  const code = await readFile(new URL("socket.io-client/dist/socket.io.esm.min.js", FROM), "utf8");
  await writeFile(new URL("socket.io.js", TO), code.replace(/^\/\/# sourceMappingURL=.*$/m, ""));
}

// Only for /api/docs. The end of either file names a source map that is not served.
async function writeApiDocs() {
  for (const name of ["swagger-ui-bundle.js", "swagger-ui.css"]) {
    const text = await readFile(new URL(`swagger-ui-dist/${name}`, FROM), "utf8");
    await writeFile(new URL(name, TO), text.replace(/^\/[/*]# sourceMappingURL=.*$/gm, ""));
  }
}

async function writeSortable() {
  await copyFile(new URL("sortablejs/Sortable.min.js", FROM), new URL("sortable.js", TO));
}

await rm(TO, { recursive: true, force: true });
await mkdir(TO, { recursive: true });
await Promise.all([
  writeStyle(),
  writeIcons(),
  writeSocketClient(),
  writeSortable(),
  writeApiDocs(),
]);
