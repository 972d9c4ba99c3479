// Tests of a test tool: the proxy is as slow as its profile, loses no byte, and its faults resemble a network's.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { profiles, type ShapingProxy, startShapingProxy } from '@weir/local';
import { afterEach, describe, expect, it } from 'vitest';

let server: Server | undefined;
let proxy: ShapingProxy | undefined;
afterEach(async () => {
  await proxy?.close();
  server?.close();
});

/** A target on a free port, and a proxy in front of it. */
async function start(
  serve: (socket: Socket) => void,
  options: Omit<Parameters<typeof startShapingProxy>[0], 'target'> = {},
): Promise<ShapingProxy> {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  proxy = await startShapingProxy({ target: { host: '127.0.0.1', port }, ...options });
  return proxy;
}

async function readAll(socket: Socket): Promise<{ bytes: Buffer; firstMs: number; lastMs: number }> {
  const begin = performance.now();
  let firstMs = 0;
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => {
    if (chunks.length === 0) firstMs = performance.now() - begin;
    chunks.push(chunk);
  });
  await once(socket, 'end');
  return { bytes: Buffer.concat(chunks), firstMs, lastMs: performance.now() - begin };
}

const numbered = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => (i * 7) % 253));
const echo = (socket: Socket): unknown => socket.pipe(socket);

describe('the shaping proxy', () => {
  it('delivers every byte in order, at the rate of its profile', async () => {
    const sent = numbered(40_000);
    const { port } = await start((socket) => socket.end(sent), {
      profile: { down: { kbps: 800, delayMs: 20 } },
    });
    const { bytes, firstMs, lastMs } = await readAll(connect(port, '127.0.0.1'));
    expect(bytes.equals(sent)).toBe(true);
    expect(firstMs).toBeGreaterThan(20);
    expect(lastMs).toBeGreaterThan(400);
    expect(lastMs).toBeLessThan(700);
  });
  it('delays both directions, and jitter does not reorder', async () => {
    const way = { delayMs: 30, jitterMs: 20 };
    const { port } = await start(echo, { profile: { down: way, up: way } });
    const socket = connect(port, '127.0.0.1');
    const sent = numbered(100);
    const reading = readAll(socket);
    for (const byte of sent) socket.write(Buffer.of(byte));
    socket.end();
    const { bytes, firstMs } = await reading;
    expect(bytes.equals(sent)).toBe(true);
    expect(firstMs).toBeGreaterThan(59);
  });
  it('holds back a sender when its buffer is full', async () => {
    let taken = 0;
    const running = await start(
      (socket) => {
        const more = (): void => {
          while (socket.write(Buffer.alloc(65_536), () => (taken += 65_536)));
        };
        socket.on('drain', more);
        more();
      },
      { profile: { down: { kbps: 80, bufferBytes: 20_000 } } },
    );
    const socket = connect(running.port, '127.0.0.1');
    await once(socket, 'data');
    expect(running.stats().queuedDown).toBeLessThan(20_000 + 2 * 65_536);
    expect(taken).toBeLessThan(20_000_000);
    socket.destroy();
  });
  it('delivers nothing while paused, and continues after that', async () => {
    const running = await start(echo);
    const socket = connect(running.port, '127.0.0.1');
    await once(socket, 'connect');
    running.pause();
    socket.write('held');
    await expect.poll(() => running.stats().queuedUp).toBe(4);
    expect(running.stats().bytesUp).toBe(0);
    running.resume();
    const [chunk] = await once(socket, 'data');
    expect(String(chunk)).toBe('held');
    expect(running.stats()).toMatchObject({ open: 1, accepted: 1, bytesUp: 4, bytesDown: 4 });
    socket.destroy();
  });
  it('cuts by RST on both sides', async () => {
    let atTarget: Promise<unknown> | undefined;
    const running = await start((socket) => {
      atTarget = new Promise((resolve) => socket.on('close', resolve));
      socket.write('hello');
    });
    const socket = connect(running.port, '127.0.0.1');
    await once(socket, 'data');
    running.cut();
    const [err] = await once(socket, 'error');
    expect(err).toMatchObject({ code: 'ECONNRESET' });
    await atTarget;
    expect(running.stats().open).toBe(0);
  });
  it('cuts by FIN', async () => {
    const running = await start((socket) => socket.write('hello'));
    const socket = connect(running.port, '127.0.0.1');
    await once(socket, 'data');
    running.cut('end');
    await once(socket, 'end');
    await once(socket, 'close');
  });
  it('passes a half-closed connection on', async () => {
    const { port } = await start((socket) => {
      socket.resume().on('end', () => socket.end('heard you out'));
    });
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end('all I have to say');
    expect(String((await readAll(socket)).bytes)).toBe('heard you out');
  });
  it('resets a client that connects while the target is down', async () => {
    const running = await start(echo);
    server?.close();
    const socket = connect(running.port, '127.0.0.1');
    await expect(once(socket, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
  it('changes its shape on open connections', async () => {
    const running = await start(echo);
    const socket = connect(running.port, '127.0.0.1');
    running.change({ down: { delayMs: 80 } });
    await once(socket, 'connect');
    running.change({ down: { delayMs: 80 } });
    const begin = performance.now();
    socket.write('x');
    await once(socket, 'data');
    expect(performance.now() - begin).toBeGreaterThan(79);
    socket.destroy();
  });
  it('can drop the rest of a segment', async () => {
    const { port } = await start((socket) => socket.end('head|tail'), {
      tamper: (bytes, chunk) => (chunk === 0 ? bytes.subarray(0, bytes.indexOf('|') + 1) : bytes),
    });
    expect(String((await readAll(connect(port, '127.0.0.1'))).bytes)).toBe('head|');
  });
  it('rewrites a URL to go through it', async () => {
    const running = await start(echo, { profile: 'fibre' });
    const url = 'ws://router.example:8080/v1/connect?channels=a,b';
    expect(running.url(url)).toBe(`ws://127.0.0.1:${running.port}/v1/connect?channels=a,b`);
  });
  it('has a profile for each kind of network, each with a buffer for what is on its way', () => {
    expect(Object.keys(profiles).sort()).toEqual(['2g', '3g', 'cable', 'fibre', 'hotel', 'lte', 'satellite']);
    for (const { down, up } of Object.values(profiles)) {
      for (const { kbps = 0, delayMs = 0, bufferBytes = 0 } of [down, up]) {
        expect(bufferBytes).toBeGreaterThan((kbps * delayMs) / 8);
      }
    }
  });
});
