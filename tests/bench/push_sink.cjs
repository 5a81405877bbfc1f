// A push service that takes everything: `node push_sink.cjs <pem file>`. Prints its port.
const fs = require("node:fs");
const https = require("node:https");

const pem = fs.readFileSync(process.argv[2]);
const server = https.createServer({ key: pem, cert: pem, keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume();
  request.on("end", () => response.writeHead(201, { "Content-Length": 0 }).end());
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
