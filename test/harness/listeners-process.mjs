// Thousands of clients on plain sockets in their own process: they skip over frames, answer pings, or stop reading on
// command. Reports counts ten times a second. Plain JavaScript, so it runs unbuilt. Judges nothing.
import { connect } from 'node:net';

const NOTHING = Buffer.alloc(0);
const HEAD_END = '\r\n\r\n';
const PONG = 0x8a;
const STEP_MS = 20;
/** All sockets read into this one buffer, one after the other. */
const shared = Buffer.allocUnsafeSlow(65_536);
const counts = { asked: 0, open: 0, closed: 0, refused: 0, bytes: 0 };
const clients = new Set();

/** A client frame; the mask is zero. */
function frame(firstByte, payload) {
  return Buffer.concat([Buffer.from([firstByte, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** Skips over frames; only pings are read. */
function walker(onPing) {
  let rest = NOTHING;
  let skip = 0;
  return (piece) => {
    const chunk = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
    rest = NOTHING;
    let at = 0;
    while (at < chunk.length) {
      const passed = Math.min(skip, chunk.length - at);
      skip -= passed;
      at += passed;
      if (skip > 0 || at === chunk.length) return;
      const short = (chunk[at + 1] ?? 0) & 0x7f;
      const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
      const isControl = (chunk[at] & 0x08) !== 0;
      if (chunk.length - at < headBytes + (isControl ? short : 0)) {
        rest = Buffer.from(chunk.subarray(at));
        return;
      }
      if (isControl) {
        const payload = chunk.subarray(at + headBytes, at + headBytes + short);
        if ((chunk[at] & 0x0f) === 9) onPing(payload);
        at += headBytes + short;
      } else {
        skip =
          short < 126
            ? short
            : short === 126
              ? chunk.readUInt16BE(at + 2)
              : Number(chunk.readBigUInt64BE(at + 2));
        at += headBytes;
      }
    }
  };
}

function open(url) {
  const { hostname, port, pathname, search } = new URL(url);
  let head = '';
  let isOpen = false;
  const walk = walker((payload) => socket.write(frame(PONG, payload)));
  const client = { socket: undefined, stuck: false };
  const read = (bytes) => {
    counts.bytes += bytes;
    const chunk = shared.subarray(0, bytes);
    if (isOpen) {
      walk(chunk);
      return true;
    }
    head += chunk.toString('latin1');
    const end = head.indexOf(HEAD_END);
    if (end < 0) return true;
    isOpen = head.startsWith('HTTP/1.1 101');
    if (isOpen) counts.open++;
    walk(Buffer.from(head.slice(end + HEAD_END.length), 'latin1'));
    return true;
  };
  const socket = connect({
    host: hostname,
    port: Number(port),
    noDelay: true,
    onread: { buffer: shared, callback: read },
  });
  client.socket = socket;
  clients.add(client);
  socket.on('connect', () =>
    socket.write(
      [
        `GET ${pathname}${search} HTTP/1.1`,
        `Host: ${hostname}:${port}`,
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Protocol: weir.v1',
        HEAD_END.slice(2),
      ].join('\r\n'),
    ),
  );
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clients.delete(client);
    if (!isOpen) counts.refused++;
    else {
      counts.open--;
      counts.closed++;
    }
  });
}

async function obey({ urls = [], perSecond = 0, stick = 0, leave = 0, leaveStuck = false }) {
  for (const client of clients) {
    if (stick > 0 && !client.stuck) {
      stick--;
      client.stuck = true;
      client.socket.pause();
    } else if (leave > 0 || (leaveStuck && client.stuck)) {
      leave--;
      client.socket.resetAndDestroy();
    }
  }
  const perStep = perSecond === 0 ? urls.length : Math.max(1, Math.round((perSecond * STEP_MS) / 1_000));
  const beganMs = performance.now();
  for (let i = 0; i < urls.length; i += perStep) {
    for (const url of urls.slice(i, i + perStep)) open(url);
    counts.asked += Math.min(perStep, urls.length - i);
    const dueMs = perSecond === 0 ? 0 : ((i + perStep) * 1_000) / perSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, beganMs + dueMs - performance.now())));
  }
}

setInterval(() => process.send(counts), 100);
// A client that does not read learns that it was cut off only when it writes.
setInterval(() => {
  for (const { stuck, socket } of clients) if (stuck) socket.write(frame(PONG, NOTHING));
}, 2_000);
process.on('message', (order) => void obey(order));
process.on('disconnect', () => process.exit(0));
