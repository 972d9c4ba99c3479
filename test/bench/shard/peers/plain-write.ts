// The floor: one `socket.write` of a prebuilt buffer for every client and tick, and nothing else.
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { textFrame } from '@weir/protocol';
import { WebSocketServer } from 'ws';
import { channelsOf, feedFromArguments, runFeed } from './feed.ts';

const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false });
const http = createServer();
const members: { readonly socket: Duplex; readonly channels: readonly number[] }[] = [];
http.on('upgrade', (request, socket, head) => {
  upgrades.handleUpgrade(request, socket, head, (ws) => {
    members.push({ socket, channels: channelsOf(request.url) });
    ws.on('error', () => undefined);
  });
});
http.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  const address = http.address();
  if (typeof address === 'object') process.send?.({ port: address?.port });
});
let frames = new Map<number, Buffer>();
runFeed(
  feedFromArguments(),
  (channel, text) => {
    const frame = textFrame(text);
    const before = frames.get(channel);
    frames.set(channel, before === undefined ? frame : Buffer.concat([before, frame]));
  },
  () => {
    // The same number of bytes as the others, in one write; the buffer for a set of channels is built once.
    const built = new Map<string, Buffer>();
    for (const { socket, channels } of members) {
      if (!socket.writable) continue;
      const key = channels.join();
      let bytes = built.get(key);
      if (bytes === undefined) {
        bytes = Buffer.concat(channels.map((channel) => frames.get(channel) ?? Buffer.alloc(0)));
        built.set(key, bytes);
      }
      socket.write(bytes);
    }
    frames = new Map();
  },
);
process.on('disconnect', () => process.exit(0));
