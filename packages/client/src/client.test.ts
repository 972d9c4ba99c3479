import { describe, expect, it } from 'vitest';
import { Client } from './client.ts';
import { FakeCluster, redirect } from './fakes/fake-cluster.ts';
import { FakePlatform, settle } from './fakes/fake-platform.ts';
import { critical, heard, move, snapshot, state } from './fakes/said.ts';

describe('a connection', () => {
  it('leads from the router to the shard, and opens with the measurement', async () => {
    const cluster = new FakeCluster();
    expect(cluster.client.status).toBe('connecting');
    const stream = await cluster.welcomed();
    const [router] = cluster.platform.sockets;
    expect(router?.url.href).toBe('ws://router.test/v1/connect?channels=lobby');
    expect(router?.closedWith).toBe(1000);
    expect(stream.url.href).toBe('ws://shard.test/v1/stream?ticket=T');
    expect(stream.protocols).toEqual(['weir.v1']);
    expect(cluster.all('open')).toEqual([
      { pool: 'desktop', shard: 'a', rttMs: 20, kbps: 9_000, confidence: 'high', resumed: false },
    ]);
    expect(cluster.client.status).toBe('open');
    expect(cluster.client.info).toMatchObject({
      pool: 'desktop',
      shard: 'a',
      rttMs: 20,
      attempts: 1,
      tickMs: 100,
    });
  });
  it('calls the token function for every attempt, and reports its failure', async () => {
    let asked = 0;
    const cluster = new FakeCluster({
      token: async () => {
        asked++;
        if (asked === 2) throw new Error('session ended');
        return `t${asked}`;
      },
    });
    await settle();
    expect(cluster.last.protocols).toEqual(['weir.v1', 'weir.token.t1']);
    cluster.last.ends(4003);
    cluster.platform.advance(0);
    await settle();
    expect(cluster.all('error')).toMatchObject([
      { code: 'TOKEN_FAILED', cause: { message: 'session ended' } },
    ]);
    await cluster.comesBack();
    expect(cluster.last.protocols).toEqual(['weir.v1', 'weir.token.t3']);
  });
  it('warns once on the console, after three failures without a listener', async () => {
    const said: unknown[] = [];
    const { warn } = console;
    console.warn = (line: unknown) => said.push(line);
    try {
      const platform = new FakePlatform();
      const client = new Client({ url: 'ws://router.test?token=SECRET', channels: ['lobby'] }, platform);
      for (let failures = 0; failures < 5; failures++) {
        for (const { length } = platform.sockets; platform.sockets.length === length; await settle()) {
          platform.advance(100);
        }
        platform.sockets.at(-1)?.ends(1006, 'connect ECONNREFUSED');
      }
      client.close();
      expect(said).toHaveLength(1);
      expect(said[0]).toMatch(
        /3 tries to reach ws:\/\/router\.test failed \(router: 1006 connect ECONNREFUSED\)/,
      );
    } finally {
      console.warn = warn;
    }
  });
  it('allows 10 s for each step', async () => {
    const cluster = new FakeCluster();
    await settle();
    cluster.platform.advance(10_000);
    expect(cluster.client.status).toBe('waiting');
    expect(cluster.client.info.lastClose).toEqual({ code: 1006, reason: 'no answer within 10 s' });
    await cluster.comesBack();
    cluster.last.says(redirect);
    cluster.platform.advance(9_999);
    expect(cluster.client.status).toBe('connecting');
    cluster.platform.advance(1);
    expect(cluster.client.status).toBe('waiting');
    expect(cluster.last.closedWith).toBe(1000);
  });
  it('is retried if the WebSocket class throws, as in a page that forbids the URL', async () => {
    const cluster = new FakeCluster({
      WebSocket: class {
        constructor() {
          throw new Error('insecure');
        }
      },
    });
    await settle();
    expect(cluster.client.status).toBe('waiting');
    expect(cluster.client.info.lastClose?.reason).toMatch('insecure');
  });
  it('refuses bad channels and URLs at once', () => {
    expect(() => new FakeCluster({ channels: ['a b'] })).toThrow(
      expect.objectContaining({ code: 'CHANNEL_INVALID', channel: 'a b' }),
    );
    expect(() => new FakeCluster({ url: 'nowhere' })).toThrow(expect.objectContaining({ code: 'BAD_URL' }));
  });
  it('throws a sentence if there is no WebSocket', async () => {
    const { client } = new FakeCluster();
    client.close();
    const platform = new FakePlatform();
    const { WeirError } = await import('./errors.ts');
    platform.webSocket = () => {
      throw new WeirError('NO_WEBSOCKET', 'install one');
    };
    const errors: unknown[] = [];
    const without = new Client({ url: 'ws://r', channels: ['a'] }, platform);
    without.on('error', (error) => errors.push(error));
    await settle();
    expect(errors).toMatchObject([{ code: 'NO_WEBSOCKET' }]);
    expect(without.status).toBe('closed');
  });
});

describe('the hint of a redirect', () => {
  const hinted = (hint: string, more: object = {}): object => ({ ...redirect, hint, ...more });
  const shown = (cluster: FakeCluster): string | null => cluster.last.url.searchParams.get('hint');
  const opened = async (): Promise<FakeCluster> => {
    const cluster = new FakeCluster({ token: 'e30.e30.c2ln' });
    await settle();
    expect(shown(cluster)).toBeNull();
    await cluster.welcomed({}, hinted('H1'));
    return cluster;
  };

  it('is sent with the next attempts, beside the token, until there is another hint', async () => {
    const cluster = await opened();
    for (const code of [1006, 4012, 4003]) {
      cluster.last.ends(code);
      await cluster.comesBack();
      expect(shown(cluster)).toBe('H1');
      expect(cluster.last.protocols).toEqual(['weir.v1', 'weir.token.e30.e30.c2ln']);
      await cluster.welcomed();
    }
    cluster.last.ends(1006);
    await cluster.comesBack();
    await cluster.welcomed({}, hinted('H2'));
    cluster.last.ends(1006);
    await cluster.comesBack();
    expect(shown(cluster)).toBe('H2');
  });
  it.each([4008, 4009])('is not sent after %i: the network is not the measured one', async (code) => {
    const cluster = await opened();
    cluster.last.ends(code);
    await cluster.comesBack();
    expect(shown(cluster)).toBeNull();
    await cluster.welcomed({}, hinted('H2'));
    cluster.last.ends(1006);
    await cluster.comesBack();
    expect(shown(cluster)).toBe('H2');
  });
  it.each([4003, 1006])('is not sent again after the router closed with %i', async (code) => {
    const cluster = await opened();
    cluster.last.ends(1006);
    await cluster.comesBack();
    expect(shown(cluster)).toBe('H1');
    cluster.last.ends(code);
    await cluster.comesBack();
    expect(shown(cluster)).toBeNull();
  });
  it('survives a full router and an unreachable shard', async () => {
    const cluster = await opened();
    cluster.last.ends(1006);
    await cluster.comesBack();
    cluster.last.ends(4013);
    await cluster.comesBack();
    expect(shown(cluster)).toBe('H1');
    cluster.last.says(redirect);
    cluster.last.ends(1006);
    await cluster.comesBack();
    expect(shown(cluster)).toBe('H1');
  });
  it('is dropped with the pool that it was measured for', async () => {
    const cluster = await opened();
    cluster.last.says({ ...move, reason: 'tooSlow' });
    await settle();
    await cluster.welcomed({ pool: 'mobile' });
    cluster.last.ends(1006);
    await cluster.comesBack();
    expect(shown(cluster)).toBeNull();
  });
  it('is not added to the URL of a move, which has its own hint', async () => {
    const cluster = await opened();
    cluster.last.says(move);
    await settle();
    expect(cluster.last.url.href).toBe(move.url);
  });
});

describe('a stream', () => {
  it('updates the live map at once, and announces the changes of one turn together', async () => {
    const cluster = new FakeCluster();
    const events = heard(cluster);
    const stream = await cluster.welcomed();
    stream.says(snapshot({ a: 1, b: 1 }));
    stream.says(state({ a: 2 }, { del: ['b'] }));
    expect([...cluster.client.channel('lobby').state]).toEqual([['a', 2]]);
    expect(events).toEqual([]);
    cluster.platform.turns();
    expect(events).toEqual([{ type: 'state', set: new Map([['a', 2]]), del: ['b'], snapshot: true }]);
  });
  it('drops critical ids that it has received, and forgets them after a reset', async () => {
    const cluster = new FakeCluster();
    const events = heard(cluster);
    const stream = await cluster.welcomed();
    for (const id of [3, 4, 4, 3, 7]) stream.says(critical(id));
    stream.says({ type: 'gap', channel: 'lobby', lane: 'critical', after: 7 });
    stream.says(critical(7));
    stream.says({ type: 'gap', channel: 'lobby', lane: 'critical', after: 7, reset: true });
    stream.says(critical(1));
    expect(events.map((event) => (event.type === 'critical' ? event.id : event))).toEqual([
      3,
      4,
      7,
      { type: 'gap', after: 7, reset: false, cause: 'server' },
      { type: 'gap', after: 7, reset: true, cause: 'server' },
      1,
    ]);
  });
  it('delivers cosmetic messages, and ignores unknown ones', async () => {
    const cluster = new FakeCluster();
    const events = heard(cluster);
    const stream = await cluster.welcomed();
    for (const text of [
      '',
      'null',
      '[]',
      '{"type":"later"}',
      '{',
      '{"type":"state","channel":"a b","set":{}}',
    ]) {
      stream.says(text);
    }
    stream.onmessage?.({ data: new ArrayBuffer(4) });
    stream.says({ type: 'cosmetic', channel: 'lobby', data: [1, 2] });
    stream.says({ type: 'cosmetic', channel: 'lobby', data: [3] });
    stream.says({ type: 'cosmetic', channel: 'other', data: [4] });
    cluster.platform.turns();
    expect(events).toEqual([{ type: 'cosmetic', data: [1, 2, 3], dropped: 0 }]);
  });
  it('iterates from the current state, and ends with close', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    stream.says(snapshot({ a: 1 }));
    const iterator = cluster.client.channel('lobby')[Symbol.asyncIterator]();
    stream.says(critical(5));
    expect((await iterator.next()).value).toEqual({
      type: 'state',
      set: new Map([['a', 1]]),
      del: [],
      snapshot: true,
    });
    expect((await iterator.next()).value).toEqual({ type: 'critical', id: 5, data: 5 });
    cluster.client.close();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    for await (const event of cluster.client.channel('other')) throw new Error(`unexpected ${event.type}`);
  });
});
