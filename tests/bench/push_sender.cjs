// npm's web-push, so many at once over connections that are used again. Reads what to send from standard
// input, prints how many seconds it took.
const fs = require("node:fs");
const https = require("node:https");
const webPush = require("../../web/node_modules/web-push");

const told = JSON.parse(fs.readFileSync(0, "utf8"));
const agent = new https.Agent({ keepAlive: true, maxSockets: told.atOnce, ca: fs.readFileSync(told.caFile) });
const options = { TTL: 86_400, urgency: "normal", topic: "abc", agent, vapidDetails: told.vapid };

async function worker(numbers) {
  for (const number of numbers) {
    await webPush.sendNotification(told.browsers[number % told.browsers.length], told.payload, options);
  }
}

async function main() {
  const numbers = Array.from({ length: told.count }, (_, number) => number).values();
  const began = process.hrtime.bigint();
  await Promise.all(Array.from({ length: told.atOnce }, () => worker(numbers)));
  console.log(Number(process.hrtime.bigint() - began) / 1e9);
  agent.destroy();
}

main();
