// The published bundles of the SDK against a scripted cluster with real sockets.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { ChannelEvent, ConnectOptions, Weir } from '@weir/client';
import { connect } from '@weir/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ScriptedCluster } from '../../harness/scripted-cluster.ts';

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 10 });
const dist = new URL('../../../packages/client/dist/', import.meta.url);
const quick = { spreadMs: 100, baseMs: 20, capMs: 200 };

describe('the SDK', () => {
  let cluster: ScriptedCluster;
  let weir: Weir;
  const events: ChannelEvent[] = [];

  beforeEach(async () => {
    events.length = 0;
    cluster = await ScriptedCluster.start();
    cluster.set('lobby', { a: 1, b: 2 });
  });
  afterEach(async () => {
    weir.close();
    await cluster.stop();
  });
  async function opened(options: Partial<ConnectOptions> = {}): Promise<void> {
    weir = connect({ url: cluster.url, channels: ['lobby'], reconnect: quick, ...options });
    const lobby = weir.channel('lobby');
    lobby.on('critical', (event) => events.push(event));
    lobby.on('gap', (event) => events.push(event));
    await eventually(() => expect(lobby.state.size).toBeGreaterThan(0));
  }
  const ids = (): number[] => events.flatMap((event) => (event.type === 'critical' ? [event.id] : []));

  it('finds a WebSocket, is measured and served', async () => {
    await opened();
    expect(weir.info).toMatchObject({ pool: 'desktop', shard: 'a', rttMs: 1.5, kbps: 90_000, attempts: 1 });
    expect(Object.fromEntries(weir.channel('lobby').state)).toEqual({ a: 1, b: 2 });
  });

  it('offers the token beside the version at the router, and the version alone at the shard', async () => {
    await opened({ token: () => Promise.resolve('e30.e30.c2ln') });
    expect(cluster.visits[0]?.protocols).toEqual(['weir.v1', 'weir.token.e30.e30.c2ln']);
    expect(cluster.visits[0]?.url.search).not.toContain('e30');
  });

  it('loses nothing and repeats nothing through 20 ends of every kind (cases F3, F4)', async () => {
    await opened();
    const ends = [() => cluster.cutStreams(), () => cluster.closeStreams(4008), () => cluster.move('b')];
    for (let round = 0; round < 20; round++) {
      cluster.critical('lobby', round);
      if (round % 2 === 0) cluster.sayPosition();
      cluster.critical('lobby', round);
      cluster.set('lobby', { a: round });
      ends[round % ends.length]?.();
      cluster.critical('lobby', round);
    }
    cluster.set('lobby', { end: true });
    await eventually(() => {
      expect(weir.channel('lobby').state.get('end')).toBe(true);
      expect(events).toHaveLength(60);
    });
    expect(ids()).toEqual([...new Set(ids())].sort((a, b) => a - b));
    expect(weir.channel('lobby').state.get('a')).toBe(19);
  });

  it('iterates, subscribes, and can be refused a channel', async () => {
    await opened();
    cluster.set('sports', { x: 1 });
    const sports = weir.channel('sports');
    sports.subscribe();
    for await (const event of sports) {
      expect(event).toMatchObject({ type: 'state', set: new Map([['x', 1]]), snapshot: true });
      break;
    }
    const errors: unknown[] = [];
    weir.on('error', (error) => errors.push(error));
    weir.channel('secret').subscribe();
    await eventually(() => expect(errors).toMatchObject([{ code: 'CHANNEL_FORBIDDEN', channel: 'secret' }]));
  });

  it('merges a waiting flood into one event (case D9)', async () => {
    await opened();
    let calls = 0;
    weir.channel('lobby').on('state', () => {
      calls++;
    });
    for (let i = 0; i < 2_400; i++) cluster.set('lobby', { [`slot-${i % 200}`]: i });
    await eventually(() => expect(weir.channel('lobby').state.get('slot-199')).toBe(2_399));
    expect(calls).toBeLessThan(200);
    expect(weir.info.attempts).toBe(1);
  });

  it('starts anew at another epoch', async () => {
    await opened();
    cluster.critical('lobby', 1);
    await eventually(() => expect(ids()).toEqual([3]));
    cluster.beginEpoch();
    cluster.set('lobby', { fresh: 1 });
    cluster.closeStreams(4008);
    await eventually(() => expect([...weir.channel('lobby').state.keys()]).toEqual(['fresh']));
    cluster.critical('lobby', 2);
    await eventually(() => expect(ids()).toEqual([3, 2]));
  });

  it('stops on codes that end in `stop`', async () => {
    await opened();
    const errors: unknown[] = [];
    weir.on('error', (error) => errors.push(error));
    cluster.closeStreams(4503, 'no such origin');
    await eventually(() => expect(errors).toMatchObject([{ code: 'ORIGIN_REFUSED', closeCode: 4503 }]));
    expect(weir.status).toBe('closed');
  });
});

describe('a Node process', () => {
  it('ends after close()', async () => {
    const cluster = await ScriptedCluster.start();
    cluster.set('lobby', { a: 1 });
    const program = `
      import { connect } from ${JSON.stringify(new URL('index.js', dist).href)};
      const weir = connect({ url: ${JSON.stringify(cluster.url)}, channels: ['lobby'] });
      for await (const event of weir.channel('lobby')) { console.log([...event.set.keys()].join()); break; }
      weir.close();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    await cluster.stop();
    expect({ code, output }).toEqual({ code: 0, output: 'a\n' });
  });
});

describe('the published package', () => {
  it('is below 8 KB for browsers and imports nothing', async () => {
    const text = await readFile(new URL('weir.js', dist), 'utf8');
    expect(gzipSync(text, { level: 9 }).length).toBeLessThanOrEqual(8_192);
    expect(text).not.toMatch(/\bimport\b|\brequire\(/);
  });
  it('has one file of types that imports nothing, the same for import and require', async () => {
    const types = await readFile(new URL('index.d.ts', dist), 'utf8');
    expect(types).toMatch(/^export \{ WeirError, connect \};$/m);
    expect(types).not.toMatch(/\bfrom\b *'|import\(|@weir\//);
    expect(await readFile(new URL('index.d.cts', dist), 'utf8')).toBe(types);
  });
  it('has the same names in both entries', async () => {
    const browser = await import(new URL('weir.js', dist).href);
    const node = await import(new URL('index.js', dist).href);
    expect(Object.keys(browser).sort()).toEqual(Object.keys(node).sort());
  });
});
