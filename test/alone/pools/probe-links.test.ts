// The router as a process, and its measurement on slow networks: emulated IP links if the machine has them, the shaping
// proxy everywhere. Checks the pool, the time and the bytes. Unit tests beside the code check the rule, and
// `npm run bench:probe` its accuracy.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ProfileName, type ShapingProxyOptions, startShapingProxy } from '@weir/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openLink, whyNoLinks } from '../../harness/netlab/link.ts';
import { SmallCluster } from '../../harness/small-cluster.ts';

/** The probe's deadline, and time for the redirect on a busy machine. */
const BOUND_MS = 1500 + 1500;
const MOST_BYTES = 40_000 + 4000; // the pads, and around them the 101, the redirect and the Close

interface Answer {
  readonly pool: string;
  readonly rttMs?: number;
  readonly kbps?: number;
  readonly code: number;
  /** From the 101 to the redirect. */
  readonly tookMs: number;
}

let cluster: SmallCluster;
beforeAll(async () => {
  cluster = await SmallCluster.start({ WEIR_HOST: '0.0.0.0' });
  await cluster.shard('desktop', 'desktop-1');
  await cluster.shard('mobile', 'mobile-1');
});
afterAll(() => cluster.stop());

const path = '/v1/connect?channels=lobby';

function visit(url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, ['weir.v1']);
    let openedMs = 0;
    let told: Omit<Answer, 'code'> | undefined;
    ws.on('open', () => {
      openedMs = performance.now();
    });
    ws.on('message', (data) => {
      told = { ...JSON.parse(String(data)), tookMs: performance.now() - openedMs };
    });
    ws.on('error', reject);
    ws.on('close', (code) => {
      if (told === undefined) reject(new Error(`closed with ${code} and no redirect`));
      else resolve({ ...told, code });
    });
  });
}

async function throughProxy(
  options: Omit<ShapingProxyOptions, 'target'>,
): Promise<{ answer: Answer; bytesDown: number }> {
  const { hostname, port } = new URL(cluster.routerUrl);
  const proxy = await startShapingProxy({ target: { host: hostname, port: Number(port) }, ...options });
  try {
    const answer = await visit(proxy.url(cluster.routerUrl + path));
    return { answer, bytesDown: proxy.stats().bytesDown };
  } finally {
    await proxy.close();
  }
}

describe('a client on loopback', () => {
  it('belongs to the desktop pool, and is redirected at once', async () => {
    const answer = await visit(cluster.routerUrl + path);
    expect(answer).toMatchObject({ type: 'redirect', pool: 'desktop', confidence: 'high', code: 4001 });
    expect(answer.tookMs).toBeLessThan(BOUND_MS);
    expect(answer.rttMs).toBeLessThan(100);
  });
});

// In parallel: each client has its own network and mostly waits for it.
describe.concurrent('through the shaping proxy', () => {
  it.each<[ProfileName, string, number]>([
    // the network, its pool, the time for the last bytes of a pad
    ['fibre', 'desktop', 0],
    ['cable', 'desktop', 0],
    ['lte', 'desktop', 0],
    ['hotel', 'mobile', 1200],
    ['2g', 'mobile', 2600],
    ['satellite', 'mobile', 700],
  ])('%s belongs to %s', async (profile, pool, drainMs) => {
    const { answer, bytesDown } = await throughProxy({ profile });
    expect(answer).toMatchObject({ pool, code: 4001 });
    expect(answer.tookMs).toBeLessThan(BOUND_MS + drainMs);
    expect(bytesDown).toBeLessThan(MOST_BYTES);
  });

  it('a network of 10 KB/s is measured correctly', async () => {
    const { answer } = await throughProxy({ profile: 'hotel' });
    expect(answer.rttMs).toBeGreaterThan(59);
    expect(answer.kbps).toBeLessThan(400);
  });

  it('bytes lost right after the 101 do not end the measurement', async () => {
    let silentUntilMs = Number.POSITIVE_INFINITY;
    const tamper = (bytes: Buffer): Buffer => {
      const head = bytes.indexOf('\r\n\r\n');
      if (head >= 0 && silentUntilMs === Number.POSITIVE_INFINITY) {
        silentUntilMs = performance.now() + 50;
        return bytes.subarray(0, head + 4);
      }
      return performance.now() < silentUntilMs ? Buffer.alloc(0) : bytes;
    };
    const { answer } = await throughProxy({ tamper });
    expect(answer).toMatchObject({ pool: 'desktop', code: 4001 });
    expect(answer.tookMs).toBeLessThan(BOUND_MS);
  });

  it('a network that goes silent during the measurement gets its answer when it is back', async () => {
    const { hostname, port } = new URL(cluster.routerUrl);
    const proxy = await startShapingProxy({
      target: { host: hostname, port: Number(port) },
      profile: { down: { kbps: 500, delayMs: 30 } },
    });
    try {
      const answering = visit(proxy.url(cluster.routerUrl + path));
      await expect
        .poll(() => proxy.stats().bytesDown, { interval: 5, timeout: 10_000 })
        .toBeGreaterThan(2000);
      proxy.pause();
      await new Promise((resolve) => setTimeout(resolve, 600));
      proxy.resume();
      expect(await answering).toMatchObject({ pool: 'mobile', code: 4001 });
    } finally {
      await proxy.close();
    }
  });
});

describe('a client that sends data with its request', () => {
  it('is measured, and the router reads that data', async () => {
    const { port } = new URL(cluster.routerUrl);
    const socket = connect({ host: '127.0.0.1', port: Number(port) });
    const ping = Buffer.from([0x89, 0x82, 0, 0, 0, 0, 0x68, 0x69]); // "hi", masked with zeros
    const request = [
      `GET ${path} HTTP/1.1`,
      'Host: weir',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      '\r\n',
    ].join('\r\n');
    socket.write(Buffer.concat([Buffer.from(request), ping]));
    const said = await readToEnd(socket);
    expect(said.includes(Buffer.from([0x8a, 0x02, 0x68, 0x69]))).toBe(true);
    // It answers no ping of the probe, so the router counts it as silent.
    expect(said.toString('latin1')).toContain('"pool":"mobile"');
  });
});

async function readToEnd(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'end');
  socket.destroy();
  return Buffer.concat(chunks);
}

const reason = whyNoLinks();
const onLinks = `on emulated links${reason === undefined ? '' : ` (skipped: ${reason})`}`;

/** One visit from the far end of a link, with plain `ws`; prints JSON. */
const visitor = `
  const { WebSocket } = require('ws');
  const ws = new WebSocket(process.argv[1], ['weir.v1']);
  let opened, told;
  ws.on('open', () => { opened = performance.now(); });
  ws.on('message', (data) => { told = { ...JSON.parse(data), tookMs: performance.now() - opened }; });
  ws.on('close', (code) => console.log(JSON.stringify({ ...told, code, read: ws._socket.bytesRead })));
`;

describe.skipIf(reason !== undefined)(onLinks, () => {
  it.each([
    // name, down, up, pool, time for the last bytes of a pad
    ['fibre', 'rate=200000,delay=4,jit=0.2,q=500', 'rate=100000,delay=4,jit=0.2,q=500', 'desktop', 0],
    ['LTE', 'rate=30000,delay=22,jit=4,agg=5,q=1000', 'rate=10000,delay=22,jit=6,agg=5,q=500', 'desktop', 0],
    ['fast 4G', 'rate=9000,delay=30,q=300', 'rate=1500,delay=30,q=100', 'desktop', 0],
    ['1 Mbit/s', 'rate=1000,delay=30,jit=2,q=128', 'rate=700,delay=30,jit=2,q=64', 'mobile', 500],
    ['hotel', 'rate=80,delay=40,jit=20,q=64', 'rate=80,delay=20,jit=20,q=64', 'mobile', 1500],
    ['satellite', 'rate=20000,delay=315,jit=5,q=1000', 'rate=3000,delay=315,jit=5,q=300', 'mobile', 700],
  ])('%s', async (name, down, up, pool, drainMs) => {
    const link = await openLink({ name, down, up });
    try {
      const url = `ws://${link.serverAddress}:${new URL(cluster.routerUrl).port}${path}`;
      const child = link.runInClient([process.execPath, '-e', visitor, url], {
        cwd: import.meta.dirname,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout?.on('data', (chunk) => {
        said += chunk;
      });
      await once(child, 'close');
      const answer: Answer & { read: number } = JSON.parse(said);
      expect(answer).toMatchObject({ pool, code: 4001 });
      expect(answer.tookMs).toBeLessThan(BOUND_MS + drainMs);
      expect(answer.read).toBeLessThan(MOST_BYTES);
    } finally {
      await link.close();
    }
  });
});
