// The loop that people have today: `ws`, and one `send` for every client and message.
import { WebSocketServer } from 'ws';
import { channelsOf, feedFromArguments, runFeed } from './feed.ts';

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false, backlog: 4_096 });
const members = new Map<number, Set<import('ws').WebSocket>>();
server.on('connection', (ws, request) => {
  for (const channel of channelsOf(request.url)) {
    const set = members.get(channel) ?? new Set();
    members.set(channel, set.add(ws));
    ws.on('close', () => set.delete(ws));
  }
  ws.on('error', () => undefined);
});
server.on('listening', () => {
  const address = server.address();
  if (typeof address === 'object') process.send?.({ port: address?.port });
});
runFeed(
  feedFromArguments(),
  (channel, text) => {
    for (const ws of members.get(channel) ?? []) ws.send(text);
  },
  () => undefined,
);
process.on('disconnect', () => process.exit(0));
