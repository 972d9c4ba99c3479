// What an application does to its client while it runs: pause, resume, close, connect again; and channels as stores.
import { describe, expect, it } from 'vitest';
import { FakeCluster } from './fakes/fake-cluster.ts';
import { settle } from './fakes/fake-platform.ts';
import { critical, heard, ids, move, position, snapshot, state } from './fakes/said.ts';

describe('pause and resume', () => {
  it('keep state and position; a paused client does not reconnect', async () => {
    const cluster = new FakeCluster();
    const events = heard(cluster);
    const stream = await cluster.welcomed({ beatMs: 15_000 });
    stream.says(snapshot({ a: 1 }));
    stream.says(critical(1));
    stream.says(position('P'));
    cluster.client.pause();
    expect([cluster.client.status, stream.closedWith]).toEqual(['paused', 1000]);
    cluster.platform.lives('online');
    cluster.platform.lives('shown');
    cluster.platform.advance(600_000);
    cluster.platform.turns();
    await settle();
    expect([cluster.opened, cluster.platform.timers]).toEqual([2, 0]);
    expect(cluster.client.channel('lobby').state.get('a')).toBe(1);
    cluster.client.resume();
    cluster.client.resume();
    const second = await cluster.welcomed({ resumed: true });
    expect(second.url.searchParams.get('resume')).toBe('P');
    second.says(critical(1));
    second.says(critical(2));
    expect(ids(events)).toEqual([1, 2]);
    expect(cluster.all('status')).toEqual(['open', 'paused', 'waiting', 'connecting', 'open']);
    expect(cluster.all('close')).toEqual([]);
  });
  it.each(['connecting', 'waiting', 'moving'])('stop the client while it is %s', async (when) => {
    const cluster = new FakeCluster();
    if (when !== 'connecting') {
      const stream = await cluster.welcomed();
      if (when === 'waiting') stream.ends(4013);
      else stream.says(move);
    }
    await settle();
    cluster.client.pause();
    const { opened } = cluster;
    for (const socket of cluster.platform.sockets) if (socket.closedWith !== undefined) socket.ends(1000);
    cluster.platform.advance(60_000);
    await settle();
    expect([cluster.client.status, cluster.opened, cluster.platform.timers]).toEqual(['paused', opened, 0]);
  });
  it('include channels subscribed to meanwhile', async () => {
    const cluster = new FakeCluster();
    await cluster.welcomed();
    cluster.client.pause();
    cluster.client.channel('more').subscribe();
    await settle();
    expect(cluster.opened).toBe(2);
    cluster.client.resume();
    await settle();
    expect(cluster.last.url.searchParams.get('channels')).toBe('lobby,more');
  });
  it('do nothing to a closed client', () => {
    const cluster = new FakeCluster();
    cluster.client.close();
    cluster.client.pause();
    cluster.client.resume();
    expect(cluster.client.status).toBe('closed');
  });
});

describe('connect', () => {
  it('reopens a closed client, which resumes', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    stream.says(snapshot({ a: 1 }));
    stream.says(position('P'));
    cluster.client.close();
    cluster.client.connect();
    cluster.client.connect();
    const lobby = cluster.client.channel('lobby');
    const iterator = lobby[Symbol.asyncIterator]();
    const second = await cluster.welcomed({ resumed: true });
    expect(second.url.searchParams.get('resume')).toBe('P');
    expect(await iterator.next()).toMatchObject({ value: { type: 'state', set: new Map([['a', 1]]) } });
    second.says(state({ a: 2 }));
    cluster.platform.turns();
    expect(await iterator.next()).toMatchObject({ value: { set: new Map([['a', 2]]) } });
    expect(cluster.platform.timesLifeIsListenedTo).toBe(1);
    cluster.client.close();
    expect(cluster.all('close')).toHaveLength(2);
    expect(cluster.platform.timesLifeIsListenedTo).toBe(0);
  });
  it('connects again after a final close code, and ends a pause', async () => {
    const cluster = new FakeCluster();
    await settle();
    cluster.last.ends(4500, 'token expired');
    expect(cluster.client.status).toBe('closed');
    cluster.client.connect();
    await cluster.welcomed();
    expect(cluster.client.status).toBe('open');
    cluster.client.pause();
    cluster.client.connect();
    expect(cluster.client.status).toBe('connecting');
  });
});

describe('listeners', () => {
  it('run for their event until they are removed', async () => {
    const cluster = new FakeCluster();
    const seen: unknown[] = [];
    const listen = (event: unknown): void => {
      seen.push(event);
    };
    cluster.client.once('status', listen);
    cluster.client.on('open', listen);
    cluster.client.on('open', listen);
    cluster.client.off('open', listen);
    const stream = await cluster.welcomed();
    const lobby = cluster.client.channel('lobby');
    lobby.once('critical', listen);
    lobby.on('gap', listen);
    lobby.off('gap', listen);
    stream.says(critical(1));
    stream.says(critical(2));
    stream.says({ type: 'gap', channel: 'lobby', lane: 'critical', after: 2 });
    expect(seen).toEqual(['open', { type: 'critical', id: 1, data: 1 }]);
    expect(() => cluster.client.off('opened' as 'open', listen)).toThrow(/no event opened/);
  });
});

describe('a channel as a store', () => {
  it('calls a subscriber with the snapshot at once and after each change', async () => {
    const cluster = new FakeCluster({ channels: ['other'] });
    const lobby = cluster.client.channel('lobby');
    const seen: unknown[] = [];
    const stop = lobby.subscribe((now) => seen.push(now));
    expect(seen).toEqual([new Map()]);
    expect(lobby.subscribed).toBe(true);
    const stream = await cluster.welcomed({ channels: ['other', 'lobby'] });
    stream.says(snapshot({ a: 1 }));
    cluster.platform.turns();
    expect(seen.at(-1)).toBe(lobby.snapshot);
    expect(seen).toEqual([new Map(), new Map([['a', 1]])]);
    lobby.unsubscribe();
    expect(seen.at(-1)).toEqual(new Map());
    stop();
    lobby.subscribe();
    stream.says(snapshot({ a: 2 }));
    cluster.platform.turns();
    expect(seen).toHaveLength(3);
  });
  it('has an immutable snapshot: a new one after a change, the same one otherwise', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    const lobby = cluster.client.channel('lobby');
    stream.says(snapshot({ a: 1 }));
    const first = lobby.snapshot;
    expect(lobby.snapshot).toBe(first);
    stream.says(state({ a: 1 }));
    expect(lobby.snapshot).toBe(first);
    stream.says(state({ a: 2 }));
    expect(lobby.snapshot).not.toBe(first);
    expect([first.get('a'), lobby.snapshot.get('a')]).toEqual([1, 2]);
  });
  it('does not throw after a final close code', async () => {
    const cluster = new FakeCluster();
    await settle();
    cluster.last.ends(4500);
    const seen: unknown[] = [];
    cluster.client.channel('more').subscribe((now) => seen.push(now));
    expect(seen).toEqual([new Map()]);
  });
});

describe('a token that expires', () => {
  const renewed = async (cluster: FakeCluster, ms: number): Promise<number> => {
    cluster.platform.advance(ms);
    await settle();
    return cluster.opened;
  };
  it('is renewed before it expires, beside the connection, without a break', async () => {
    let asked = 0;
    const cluster = new FakeCluster({ token: () => `t${++asked}` });
    const old = await cluster.welcomed({ expiresInMs: 600_000 });
    old.says(position('P'));
    // Between 60 and 30 s before the end; 45 s here.
    expect(await renewed(cluster, 554_999)).toBe(2);
    expect(await renewed(cluster, 1)).toBe(3);
    expect(cluster.last.protocols).toEqual(['weir.v1', 'weir.token.t2']);
    expect(cluster.client.status).toBe('open');
    const fresh = await cluster.welcomed({ expiresInMs: 600_000, resumed: true });
    expect(fresh.url.searchParams.get('resume')).toBe('P');
    expect(old.closedWith).toBe(4002);
    expect(cluster.all('status')).toEqual(['open']);
    cluster.client.close();
    cluster.platform.advance(2_000);
    expect(cluster.platform.timers).toBe(0);
  });
  it('that cannot be renewed is requested again until it expires, and after that', async () => {
    const tokens = ['good', 'fails', 'fails', 'better'];
    const cluster = new FakeCluster({
      token: () => {
        const token = tokens.shift() ?? 'good';
        if (token === 'fails') throw new Error('away');
        return token;
      },
    });
    const stream = await cluster.welcomed({ expiresInMs: 40_000 });
    await renewed(cluster, 32_500);
    expect(cluster.all('error')).toMatchObject([{ code: 'TOKEN_FAILED' }]);
    expect(cluster.client.status).toBe('open');
    // 7.5 s are left, then less than 5.
    await renewed(cluster, 6_100);
    expect(cluster.all('error')).toHaveLength(2);
    expect(await renewed(cluster, 3_000)).toBe(2);
    stream.ends(4010, 'token expired');
    await renewed(cluster, 0);
    expect(cluster.last.protocols).toEqual(['weir.v1', 'weir.token.better']);
  });
  it('is not requested if it is a string, or expires in a month', async () => {
    for (const options of [{ token: 'text' }, { token: () => 'again' }]) {
      const cluster = new FakeCluster(options);
      const month = 2_592_000_000;
      await cluster.welcomed({ expiresInMs: options.token === 'text' ? 60_000 : month });
      expect(await renewed(cluster, 60_000)).toBe(2);
    }
  });
});

describe('earlier critical messages', () => {
  it('are requested with the first subscription, at most as many as the shard allows', async () => {
    const cluster = new FakeCluster({ critical: { last: 50 } });
    const stream = await cluster.welcomed({ lastMax: 20 });
    expect(stream.url.searchParams.get('last')).toBe('50');
    cluster.client.channel('more').subscribe();
    await settle();
    expect(stream.sent).toEqual([{ type: 'subscribe', channels: ['more'], last: 20 }]);
    stream.says(position('P'));
    stream.ends(1006);
    // For channels that the position does not speak for.
    const second = await cluster.welcomed({ channels: ['lobby', 'more'] });
    expect([...second.url.searchParams].slice(1)).toEqual([
      ['resume', 'P'],
      ['last', '50'],
    ]);
    // An older shard would close a client that says more than it knows.
    cluster.client.channel('other').subscribe();
    await settle();
    expect(second.sent).toEqual([{ type: 'subscribe', channels: ['other'] }]);
  });
  it('are not requested again by a client that reconnects without a position', async () => {
    const cluster = new FakeCluster({ critical: { last: 50 } });
    (await cluster.welcomed()).ends(1006);
    const second = await cluster.welcomed();
    expect(second.url.searchParams.has('last')).toBe(false);
  });
});
