// Socket.IO with its own adapter, only the WebSocket transport, rooms as channels.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { channelsOf, feedFromArguments, runFeed } from './feed.ts';

const http = createServer();
// The load does not know Engine.IO's pings: the interval is longer than a run.
const io = new Server(http, {
  transports: ['websocket'],
  perMessageDeflate: false,
  pingInterval: 86_400_000,
});
io.on('connection', (socket) => {
  for (const channel of channelsOf(socket.request.url)) void socket.join(String(channel));
});
http.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  const address = http.address();
  if (typeof address === 'object') process.send?.({ port: address?.port });
});
runFeed(
  feedFromArguments(),
  (channel, text) => io.to(String(channel)).emit('m', text),
  () => undefined,
);
process.on('disconnect', () => process.exit(0));
