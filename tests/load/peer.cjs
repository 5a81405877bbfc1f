// npm's `socket.io` doing what the viewer does: pages that are signed in, a table that is followed by id, each
// new row sent to its reader's pages, what was missed sent again. Two processes on one port.
// `node peer.cjs ORDER`, ORDER as JSON: port, workers, hints (a UDP port for each), file, html (characters a row).
const cluster = require("node:cluster");
const dgram = require("node:dgram");
const http = require("node:http");
const path = require("node:path");
const { DatabaseSync } = require("node:sqlite");
const { Server } = require(path.join(__dirname, "../../web/node_modules/socket.io"));

const order = JSON.parse(process.argv[2]);
const UNREAD =
  "select count(*) as unread from notifications where user_id = ? and read_at is null and withdrawn_at is null";
const SIGNED_IN =
  "select users.id from users join sign_ins on sign_ins.user_id = users.id where sign_ins.device = ? and is_active";

function item(row) {
  const json = { ...row, reasons: JSON.parse(row.reasons), details: JSON.parse(row.details) };
  const title = row.title.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return { ...json, html: `<article data-id="${row.id}">${title}</article>`.padEnd(order.html) };
}

function serve(hints) {
  const database = new DatabaseSync(order.file, { readOnly: true });
  const query = (sql) => database.prepare(sql);
  const after = query("select * from notifications where id > ? order by id limit 500");
  const missed = query("select * from notifications where user_id = ? and id > ? and id <= ? order by id limit 201");
  const signedIn = query(SIGNED_IN);
  const unread = query(UNREAD);
  let last = query("select coalesce(max(id), 0) as id from notifications").get().id;
  const server = http.createServer((_request, response) => response.end("ok"));
  const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false });

  function tell(row, to) {
    to.emit("new_notification", item(row));
    if (row.new_status !== row.old_status)
      to.emit("task_status_changed", { task_id: row.issue_id, old_status: row.old_status, new_status: row.new_status });
  }

  function look() {
    const rows = after.all(last);
    for (const row of rows) {
      const room = io.to(`user:${row.user_id}`);
      tell(row, room);
      room.emit("unread_count", unread.get(row.user_id));
      last = row.id;
    }
  }

  io.use((socket, next) => {
    const device = /device=(\w+)/.exec(socket.handshake.headers.cookie ?? "")?.[1] ?? "";
    socket.data.user = signedIn.get(device)?.id;
    next(socket.data.user ? undefined : new Error("unauthorized"));
  });
  io.on("connection", (socket) => {
    for (const row of missed.all(socket.data.user, socket.handshake.auth.last ?? last, last)) tell(row, socket);
    socket.emit("unread_count", unread.get(socket.data.user));
    socket.join(`user:${socket.data.user}`);
  });
  dgram.createSocket("udp4").on("message", look).bind(hints, "127.0.0.1");
  setInterval(look, 1000);
  server.listen(order.port, "127.0.0.1");
}

if (cluster.isPrimary) {
  for (const hints of order.hints) cluster.fork({ HINTS: hints });
  process.on("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill("SIGKILL");
    process.exit();
  });
} else {
  serve(Number(process.env.HINTS));
}
