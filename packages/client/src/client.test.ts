import { describe, expect, it } from 'vitest';
import { Client } from './client.ts';
import { FakeCluster, redirect, welcome } from './fakes/fake-cluster.ts';
import { FakePlatform, settle } from './fakes/fake-platform.ts';
import type { ChannelEvent } from './public.ts';

const snapshot = (set: object, more: object = {}): object => ({
  type: 'state',
  channel: 'lobby',
  snapshot: true,
  set,
  ...more,
});
const state = (set: object, more: object = {}): object => ({ type: 'state', channel: 'lobby', set, ...more });
const critical = (id: number): object => ({ type: 'critical', channel: 'lobby', id, data: id });
const position = (pos: string): object => ({ type: 'position', pos });
const move = {
  type: 'move',
  url: 'ws://router.test/v1/connect?channels=lobby&hint=H',
  withinMs: 1,
  reason: 'drain',
};

/** Everything that the channel tells its listeners. */
function heard(cluster: FakeCluster, name = 'lobby'): ChannelEvent[] {
  const events: ChannelEvent[] = [];
  const channel = cluster.client.channel(name);
  channel.on('state', (event) => events.push(event));
  channel.on('critical', (event) => events.push(event));
  channel.on('cosmetic', (event) => events.push(event));
  channel.on('gap', (event) => events.push(event));
  return events;
}
const ids = (events: readonly ChannelEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'critical' ? [event.id] : []));

describe('the way to a stream', () => {
  it('goes from the router to the shard and opens with what was measured', async () => {
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
  it('asks the token function anew at every visit, and says where it fails', async () => {
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
  it('gives each step 10 s', async () => {
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
  it('comes back where the class throws, as a page does that forbids the URL', async () => {
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
  it('ends with words where there is no WebSocket', async () => {
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

  it('is shown at the next visits, beside the token, until there is another', async () => {
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
  it.each([4008, 4009])('is not shown after %i: the network is another than was measured', async (code) => {
    const cluster = await opened();
    cluster.last.ends(code);
    await cluster.comesBack();
    expect(shown(cluster)).toBeNull();
    await cluster.welcomed({}, hinted('H2'));
    cluster.last.ends(1006);
    await cluster.comesBack();
    expect(shown(cluster)).toBe('H2');
  });
  it.each([4003, 1006])('is not shown again after the router ended a visit with %i', async (code) => {
    const cluster = await opened();
    cluster.last.ends(1006);
    await cluster.comesBack();
    expect(shown(cluster)).toBe('H1');
    cluster.last.ends(code);
    await cluster.comesBack();
    expect(shown(cluster)).toBeNull();
  });
  it('outlives a router without room and a shard that cannot be reached', async () => {
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
  it('is left behind with the pool that it was measured for', async () => {
    const cluster = await opened();
    cluster.last.says({ ...move, reason: 'tooSlow' });
    await settle();
    await cluster.welcomed({ pool: 'mobile' });
    cluster.last.ends(1006);
    await cluster.comesBack();
    expect(shown(cluster)).toBeNull();
  });
  it('is not added to the URL of a move, which has its own', async () => {
    const cluster = await opened();
    cluster.last.says(move);
    await settle();
    expect(cluster.last.url.href).toBe(move.url);
  });
});

describe('on a stream', () => {
  it('keeps a live map at once, and announces the changes of one turn together', async () => {
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
  it('drops critical ids that it has had, and forgets them after a reset', async () => {
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
  it('hands out cosmetics, and reads over what it does not understand', async () => {
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
  it('iterates from the state that is there, and ends with close', async () => {
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

describe('subscribing at run time', () => {
  it('says it in one message a turn', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    cluster.client.channel('a').subscribe();
    cluster.client.channel('b').subscribe();
    cluster.client.channel('c').subscribe();
    cluster.client.channel('c').unsubscribe();
    cluster.client.channel('lobby').unsubscribe();
    await settle();
    expect(stream.sent).toEqual([
      { type: 'unsubscribe', channels: ['lobby'] },
      { type: 'subscribe', channels: ['a', 'b'] },
    ]);
    expect(cluster.client.channel('a').subscribed).toBe(true);
  });
  it('empties a channel that is left, ends its iterations, ignores what still comes', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    stream.says(snapshot({ a: 1 }));
    const lobby = cluster.client.channel('lobby');
    const iterator = lobby[Symbol.asyncIterator]();
    await iterator.next();
    lobby.unsubscribe();
    await settle();
    stream.says(state({ a: 2 }));
    expect(lobby.state.size).toBe(0);
    expect((await iterator.next()).done).toBe(true);
  });
  it('is told to a stream that knew less or more', async () => {
    const cluster = new FakeCluster({ channels: ['lobby', 'sports'] });
    await settle();
    cluster.client.channel('late').subscribe();
    cluster.client.channel('sports').unsubscribe();
    const stream = await cluster.welcomed({ channels: ['lobby', 'sports'] });
    expect(stream.sent).toEqual([
      { type: 'unsubscribe', channels: ['sports'] },
      { type: 'subscribe', channels: ['late'] },
    ]);
  });
  it('connects only when there is something to ask for', async () => {
    const cluster = new FakeCluster({ channels: [] });
    await settle();
    expect(cluster.opened).toBe(0);
    cluster.client.channel('late').subscribe();
    await settle();
    expect(cluster.last.url.search).toBe('?channels=late');
  });
  it('drops what the shard refuses, so that the router is not asked for it', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    cluster.client.channel('secret').subscribe();
    await settle();
    stream.says({ type: 'error', code: 'CHANNEL_FORBIDDEN', channel: 'secret' });
    expect(cluster.all('error')).toMatchObject([{ code: 'CHANNEL_FORBIDDEN', channel: 'secret' }]);
    expect(cluster.client.channel('secret').subscribed).toBe(false);
    stream.ends(4008);
    await cluster.comesBack();
    expect(cluster.last.url.search).toBe('?channels=lobby');
  });
  it('does not resume from a position that speaks for a forgotten channel', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    stream.says(snapshot({ a: 1 }));
    stream.says(position('P1'));
    const lobby = cluster.client.channel('lobby');
    lobby.unsubscribe();
    await settle();
    lobby.subscribe();
    await settle();
    stream.ends(4008);
    const second = await cluster.welcomed();
    expect(second.url.search).toBe('?ticket=T');
    second.says(snapshot({ a: 1 }));
    second.says(position('P2'));
    second.ends(4008);
    const third = await cluster.welcomed();
    expect(third.url.search).toBe('?ticket=T&resume=P2');
  });
});

describe('coming back', () => {
  it('resumes, announces only what really changed, and no id twice', async () => {
    const cluster = new FakeCluster();
    const events = heard(cluster);
    const stream = await cluster.welcomed();
    stream.says(snapshot({ a: 1, b: { x: [1] } }));
    stream.says(critical(1));
    stream.says(position('P 1'));
    stream.says(critical(2));
    stream.says(state({ a: 2 }));
    cluster.platform.turns();
    stream.ends(1006);
    expect(cluster.client.status).toBe('waiting');
    const second = await cluster.welcomed({ shard: 'b', resumed: true });
    expect(second.url.searchParams.get('resume')).toBe('P 1');
    events.length = 0;
    second.says(state({ a: 2, b: { x: [1] } }));
    second.says(critical(2));
    second.says(critical(3));
    cluster.platform.turns();
    expect(events).toEqual([{ type: 'critical', id: 3, data: 3 }]);
    expect(cluster.all('open')).toMatchObject([{ shard: 'a' }, { shard: 'b', resumed: true }]);
    expect(cluster.client.info.attempts).toBe(2);
  });
  it('says that something may be missing where there was no position yet', async () => {
    const cluster = new FakeCluster();
    const events = heard(cluster);
    const stream = await cluster.welcomed();
    stream.says(critical(9));
    stream.ends(4008);
    const second = await cluster.welcomed();
    second.says(critical(2));
    expect(events.slice(1)).toEqual([
      { type: 'gap', after: 9, reset: true, cause: 'position' },
      { type: 'critical', id: 2, data: 2 },
    ]);
  });
  it('stays away after a code that says stop, and says why', async () => {
    const cluster = new FakeCluster();
    const iterator = cluster.client.channel('lobby')[Symbol.asyncIterator]();
    await settle();
    cluster.last.ends(4500, 'token expired');
    expect(cluster.all('error')).toMatchObject([{ code: 'NOT_AUTHORISED', closeCode: 4500 }]);
    expect(cluster.all('close')).toEqual([{ code: 4500, reason: 'token expired' }]);
    expect(cluster.client.status).toBe('closed');
    await expect(iterator.next()).rejects.toMatchObject({ code: 'NOT_AUTHORISED' });
    expect(cluster.platform.timers).toBe(0);
    cluster.client.channel('more').subscribe();
    await settle();
    expect(cluster.opened).toBe(1);
  });
  it('does nothing after 1000, as the table says, and comes back after 4002 without a new stream', async () => {
    const cluster = new FakeCluster();
    (await cluster.welcomed()).ends(4002);
    expect(cluster.client.status).toBe('waiting');
    (await cluster.welcomed()).ends(1000);
    expect(cluster.all('close')).toEqual([{ code: 1000, reason: '' }]);
  });
  it('tries at once when the network is back, and beside a connection that is open', async () => {
    const cluster = new FakeCluster();
    (await cluster.welcomed()).ends(1006);
    cluster.platform.comesOnline();
    const stream = await cluster.welcomed();
    expect(cluster.client.status).toBe('open');
    stream.says(position('P'));
    cluster.platform.comesOnline();
    cluster.platform.comesOnline();
    const fresh = await cluster.welcomed({ shard: 'b' });
    expect(stream.closedWith).toBe(4002);
    expect(fresh.url.searchParams.get('resume')).toBe('P');
    expect(cluster.opened).toBe(6);
    expect(cluster.all('move')).toMatchObject([{ reason: 'refresh' }]);
  });
});

describe('a move', () => {
  it('counts the old stream until the new one says welcome, and not any more from then on', async () => {
    const cluster = new FakeCluster();
    const events = heard(cluster);
    const old = await cluster.welcomed();
    old.says(snapshot({ a: 1 }));
    old.says(critical(1));
    old.says(position('P1'));
    old.says(move);
    await settle();
    expect(cluster.last.url.href).toBe(move.url);
    expect(cluster.last.protocols).toEqual(['weir.v1']);
    old.says(position('P2'));
    cluster.last.says({ type: 'redirect', url: redirect.url, pool: 'mobile', confidence: 'low' });
    const fresh = cluster.last;
    expect(fresh.url.searchParams.get('resume')).toBe('P2');
    old.says(critical(2));
    old.says(state({ a: 2 }));
    expect(old.closedWith).toBeUndefined();
    fresh.says(welcome({ pool: 'mobile', shard: 'b', resumed: true }));
    expect(old.closedWith).toBe(4002);
    old.says(critical(99));
    old.says(state({ a: 99 }));
    fresh.says(critical(2));
    fresh.says(critical(3));
    fresh.says(state({ a: 2 }));
    cluster.platform.turns();
    expect(ids(events)).toEqual([1, 2, 3]);
    expect(cluster.client.channel('lobby').state.get('a')).toBe(2);
    expect(cluster.all('move')).toMatchObject([
      {
        reason: 'drain',
        pool: 'mobile',
        shard: 'b',
        from: { pool: 'desktop', shard: 'a' },
        resumed: true,
        rttMs: 20,
      },
    ]);
    expect(cluster.all('open')).toHaveLength(1);
    expect(cluster.all('status')).toEqual(['open']);
    old.ends(1000);
    expect(cluster.client.status).toBe('open');
    fresh.ends(1006);
    expect(cluster.client.status).toBe('waiting');
  });
  it('that fails leaves the old stream alone; when that ends comes the ordinary way', async () => {
    const cluster = new FakeCluster();
    const events = heard(cluster);
    const old = await cluster.welcomed();
    old.says(move);
    await settle();
    cluster.last.ends(4500, 'hint expired');
    expect(cluster.client.status).toBe('open');
    old.says(critical(1));
    expect(ids(events)).toEqual([1]);
    old.says(move);
    old.says(move);
    await settle();
    expect(cluster.opened).toBe(4);
    cluster.last.ends(4013);
    old.ends(4012);
    expect(cluster.client.status).toBe('waiting');
    await cluster.comesBack();
    expect(cluster.last.url.search).toBe('?channels=lobby');
  });
  it('goes on as the reconnect where the old stream ends first', async () => {
    const cluster = new FakeCluster();
    const old = await cluster.welcomed();
    old.says(position('P'));
    old.says(move);
    await settle();
    old.ends(4012);
    expect(cluster.client.status).toBe('connecting');
    const fresh = await cluster.welcomed({ shard: 'b' });
    expect(fresh.url.searchParams.get('resume')).toBe('P');
    expect(cluster.client.status).toBe('open');
    expect(cluster.opened).toBe(4);
  });
  it('without a position keeps the ids, so that nothing comes twice, and declares the loss', async () => {
    const cluster = new FakeCluster();
    const events = heard(cluster);
    const old = await cluster.welcomed();
    old.says(critical(5));
    old.says(move);
    const fresh = await cluster.welcomed();
    fresh.says(critical(5));
    fresh.says(critical(6));
    expect(ids(events)).toEqual([5, 6]);
    expect(events[1]).toEqual({ type: 'gap', after: 5, reset: false, cause: 'position' });
  });
});

describe('close', () => {
  it.each(['connecting', 'open', 'waiting', 'moving'])(
    'while %s leaves no timer, listener or socket',
    async (when) => {
      const cluster = new FakeCluster();
      if (when !== 'connecting') {
        const stream = await cluster.welcomed();
        if (when === 'waiting') stream.ends(4013);
        if (when === 'moving') stream.says(move);
      }
      await settle();
      cluster.client.close();
      cluster.client.close();
      for (const socket of cluster.platform.sockets) {
        if (socket.closedWith !== undefined) socket.ends(1000);
      }
      cluster.platform.turns();
      expect(cluster.platform.timers).toBe(0);
      expect(cluster.platform.timesOnlineIsListenedTo).toBe(0);
      expect(cluster.all('close')).toEqual([{ code: 1000, reason: 'closed by the application' }]);
      const { opened } = cluster;
      cluster.platform.advance(60_000);
      await settle();
      expect(cluster.opened).toBe(opened);
    },
  );
  it('leaves a peer that never answers', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    cluster.client.close();
    cluster.platform.advance(2_000);
    expect(stream.terminated).toBe(true);
    expect(cluster.platform.timers).toBe(0);
  });
});
