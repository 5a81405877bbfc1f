// Socket.IO's `io` as our server takes it: over WebSocket, never by long polling.
import { io as connect } from "../vendor/socket.io.js";

export const io = (address, options) => connect(address, { transports: ["websocket"], ...options });
