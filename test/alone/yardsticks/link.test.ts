// Tests of a test tool: an emulated link has the rate, delay and buffer of its settings, and leaves nothing behind.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { type EmulatedLink, openLink, whyNoLinks } from '../../harness/netlab/link.ts';

const reason = whyNoLinks();
const name = reason === undefined ? 'an emulated link' : `an emulated link (skipped: ${reason})`;

/** Connects, and prints when the first and the last byte arrived, and how many there were. */
const reader = `
  const net = require('node:net');
  const [host, port] = process.argv.slice(1);
  const begin = performance.now();
  let bytes = 0, first;
  net.connect(Number(port), host)
    .on('data', (chunk) => { first ??= performance.now(); bytes += chunk.length; })
    .on('end', () => console.log(JSON.stringify({ bytes, firstMs: first - begin, lastMs: performance.now() - begin })));
`;

describe.skipIf(reason !== undefined)(name, () => {
  let link: EmulatedLink | undefined;
  let server: Server | undefined;
  afterEach(async () => {
    server?.close();
    await link?.close();
  });

  async function read(bytes: number): Promise<{ bytes: number; firstMs: number; lastMs: number }> {
    server = createServer((socket) => socket.end(Buffer.alloc(bytes)).on('error', () => undefined));
    server.listen(0, '0.0.0.0');
    await once(server, 'listening');
    const address = server.address();
    if (link === undefined || typeof address !== 'object' || address === null) throw new Error('not open');
    const child = link.runInClient(
      [process.execPath, '-e', reader, link.serverAddress, String(address.port)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let said = '';
    child.stdout?.on('data', (chunk) => {
      said += chunk;
    });
    await once(child, 'close');
    return JSON.parse(said);
  }

  it('has the round trip of its settings', async () => {
    link = await openLink({ name: 'rtt', down: 'rate=10000,delay=40', up: 'rate=10000,delay=20' });
    const { firstMs } = await read(1);
    // The handshake takes one round trip, the byte arrives half a round trip later.
    expect(firstMs).toBeGreaterThan(100);
    expect(firstMs).toBeLessThan(160);
  });
  it('has the rate of its settings', async () => {
    link = await openLink({ name: 'rate', down: 'rate=1500,delay=10,q=64', up: 'rate=1500,delay=10' });
    const { bytes, firstMs, lastMs } = await read(150_000);
    expect(bytes).toBe(150_000);
    const kbps = (150_000 * 8) / (lastMs - firstMs);
    expect(kbps).toBeGreaterThan(1100);
    expect(kbps).toBeLessThan(1600);
  });
  it('delivers everything over a link with loss and jitter', async () => {
    const lossy = 'rate=8000,delay=5,jit=4,loss=2,q=64,agg=3,gp=0.01,gr=0.3,gl=0.3';
    link = await openLink({ name: 'lossy', down: lossy, up: lossy });
    expect((await read(200_000)).bytes).toBe(200_000);
  });
  it('changes while it is open', async () => {
    link = await openLink({ name: 'change', down: 'rate=10000,delay=1', up: 'rate=10000,delay=1' });
    link.change({ down: 'rate=10000,delay=150' });
    await expect.poll(async () => (await read(1)).firstMs, { timeout: 5000 }).toBeGreaterThan(290);
  });
  it('uses the congestion control of its settings', async () => {
    link = await openLink({
      name: 'cc',
      server: 'namespace',
      down: 'rate=1000,delay=1',
      up: 'rate=1000,delay=1',
    });
    link.setCongestion('reno');
    const child = link.runInServer(['ip', 'route'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [chunk] = await once(child.stdout ?? process.stdin, 'data');
    expect(String(chunk)).toContain('congctl reno');
  });
  it('leaves no device, process or namespace, even if programs still run at its ends', async () => {
    link = await openLink({ name: 'left', down: 'rate=1000', up: 'rate=1000' });
    const sleeper = link.runInClient(['sleep', '1000']);
    const device = Object.entries(networkInterfaces()).find(([, all]) =>
      all?.some(({ address }) => address === link?.serverAddress),
    )?.[0];
    expect(device).toMatch(/^weirlab/);
    await link.close();
    expect(sleeper.signalCode).toBe('SIGKILL');
    expect(execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' })).not.toContain(`${device}:`);
  });
  it('names a wrong setting', async () => {
    const opening = openLink({ name: 'wrong', down: 'speed=1', up: 'rate=1' });
    await expect(opening).rejects.toThrow('unknown setting speed');
  });
});
