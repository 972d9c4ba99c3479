// Clients written on sockets, at the other end of an emulated link. Each visits the router, then a shard, and sends all
// the time, so the server always has unread data from it. Plain JavaScript, because it runs in another network
// namespace. Prints the totals of all clients, one JSON value a line.
import { connect } from 'node:net';

const [, , routerUrl, count, path] = process.argv;
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const PONG = frame(10, Buffer.alloc(120, 'p'));
const got = { redirects: 0, code4001: 0, welcomes: 0, moves: 0, code4012: 0, errors: [], otherCodes: [] };

/** A client frame, masked with zeros. */
function frame(opcode, payload) {
  const long = payload.length > 125;
  const head = Buffer.alloc(long ? 8 : 6);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (long ? 126 : payload.length);
  if (long) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

/** One connection: `onText` gets messages, `onClose` the close code. It sends data before, between and after them. */
function open(address, { early, burst, onText, onClose }) {
  const url = new URL(address);
  const socket = connect({ host: url.hostname, port: Number(url.port), allowHalfOpen: true, noDelay: true });
  let buffer = Buffer.alloc(0);
  let upgraded = false;
  let isClosed = false;
  const talk = setInterval(() => socket.writable && socket.write(PONG), 200);
  socket.on('error', (error) => {
    if (!isClosed) got.errors.push(String(error.code));
  });
  // The client ends its half only after the server has ended its own.
  socket.on('end', () => socket.end());
  socket.on('close', () => {
    clearInterval(talk);
    if (!isClosed) onClose(1006);
  });
  socket.on('data', (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    if (!upgraded) {
      const end = buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      upgraded = true;
      buffer = buffer.subarray(end + 4);
    }
    for (;;) {
      if (buffer.length < 2) return;
      const size = { 126: 2, 127: 8 }[buffer[1]] ?? 0;
      if (buffer.length < 2 + size) return;
      const length =
        size === 0 ? buffer[1] : size === 2 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
      if (buffer.length < 2 + size + length) return;
      const opcode = buffer[0] & 15;
      const payload = buffer.subarray(2 + size, 2 + size + length);
      buffer = buffer.subarray(2 + size + length);
      if (opcode === 9) socket.write(frame(10, payload));
      if (opcode === 1) {
        socket.write(burst);
        onText(JSON.parse(payload));
      }
      if (opcode === 8) {
        isClosed = true;
        // The client does not answer the Close at once and keeps sending: late data must not cost it the code.
        socket.write(burst);
        onClose(payload.length < 2 ? 1005 : payload.readUInt16BE(0));
      }
    }
  });
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Protocol: weir.v1',
  ];
  socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), early]));
}

function say(event) {
  console.log(JSON.stringify({ event, ...got }));
}

let routersLeft = Number(count);
let shardsLeft = Number(count);

function visit() {
  let target;
  open(routerUrl + path, {
    early: Buffer.concat(Array.from({ length: 8 }, () => frame(2, Buffer.alloc(4_000)))),
    burst: frame(2, Buffer.alloc(4_000)),
    onText: (message) => {
      if (message.type !== 'redirect') return;
      got.redirects++;
      target = message.url;
    },
    onClose: (code) => {
      if (code === 4001) got.code4001++;
      else got.otherCodes.push(code);
      if (--routersLeft === 0) say('redirected');
      if (target === undefined) shardsLeft--;
      else stay(target);
    },
  });
}

function stay(url) {
  open(url, {
    early: PONG,
    burst: Buffer.concat(Array.from({ length: 16 }, () => PONG)),
    onText: (message) => {
      if (message.type === 'move') got.moves++;
      if (message.type !== 'welcome') return;
      got.welcomes++;
      if (got.welcomes === shardsLeft) say('welcomed');
    },
    onClose: (code) => {
      if (code === 4012) got.code4012++;
      else got.otherCodes.push(code);
      if (--shardsLeft > 0) return;
      say('over');
      setTimeout(() => process.exit(0), 100);
    },
  });
}

for (let i = 0; i < Number(count); i++) {
  visit();
  if (i % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 40));
}
