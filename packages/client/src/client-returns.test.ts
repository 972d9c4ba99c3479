import { describe, expect, it } from 'vitest';
import { FakeCluster, redirect, welcome } from './fakes/fake-cluster.ts';
import { settle } from './fakes/fake-platform.ts';
import { critical, heard, ids, move, position, snapshot, state } from './fakes/said.ts';

describe('a reconnect', () => {
  it('resumes, announces real changes only, and no id twice', async () => {
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
  it('announces a possible gap if there was no position yet', async () => {
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
  it('does not follow a final close code, and the client gives the reason', async () => {
    const cluster = new FakeCluster();
    const iterator = cluster.client.channel('lobby')[Symbol.asyncIterator]();
    await settle();
    cluster.last.ends(4500, 'token expired');
    expect(cluster.all('error')).toMatchObject([{ code: 'NOT_AUTHORISED', closeCode: 4500 }]);
    expect(cluster.all('close')).toEqual([{ code: 4500, reason: 'token expired' }]);
    expect(cluster.client.status).toBe('closed');
    await expect(iterator.next()).rejects.toMatchObject({ code: 'NOT_AUTHORISED' });
    expect(cluster.platform.timers).toBe(0);
    expect(() => cluster.client.channel('more').subscribe()).toThrow(
      expect.objectContaining({ code: 'CLOSED', channel: 'more' }),
    );
    await settle();
    expect(cluster.opened).toBe(1);
  });
  it('does not follow 1000, as the table says, and follows 4002', async () => {
    const cluster = new FakeCluster();
    (await cluster.welcomed()).ends(4002);
    expect(cluster.client.status).toBe('waiting');
    (await cluster.welcomed()).ends(1000);
    expect(cluster.all('close')).toEqual([{ code: 1000, reason: '' }]);
  });
  it('starts at once when the network is back, and beside an open connection', async () => {
    const cluster = new FakeCluster();
    (await cluster.welcomed()).ends(1006);
    cluster.platform.lives('online');
    const stream = await cluster.welcomed();
    expect(cluster.client.status).toBe('open');
    stream.says(position('P'));
    cluster.platform.lives('online');
    cluster.platform.lives('online');
    const fresh = await cluster.welcomed({ shard: 'b' });
    expect(stream.closedWith).toBe(4002);
    expect(fresh.url.searchParams.get('resume')).toBe('P');
    expect(cluster.opened).toBe(6);
    expect(cluster.all('move')).toMatchObject([{ reason: 'refresh' }]);
  });
});

describe('a move', () => {
  it('uses the old stream until the welcome of the new one, and not after it', async () => {
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
  it('is begun again where another epoch begins meanwhile: its messages come once', async () => {
    const cluster = new FakeCluster();
    const events = heard(cluster);
    const old = await cluster.welcomed();
    old.says(critical(9));
    old.says(position('P1'));
    old.says(move);
    await settle();
    cluster.last.says(redirect);
    const shown = cluster.last;
    expect(shown.url.searchParams.get('resume')).toBe('P1');
    for (const channel of ['lobby', 'sports']) {
      old.says({ type: 'gap', channel, lane: 'critical', after: 9, reset: true });
      await settle();
    }
    old.says(position('P2'));
    old.says(critical(1));
    expect(shown.closedWith).toBe(1000);
    // Router and stream, for the first connection and the move, and one more visit.
    expect(cluster.opened).toBe(5);
    const fresh = await cluster.welcomed({ shard: 'b', resumed: true });
    expect(fresh.url.searchParams.get('resume')).toBe('P2');
    fresh.says(critical(1));
    fresh.says(critical(2));
    expect(ids(events)).toEqual([9, 1, 2]);
    expect(old.closedWith).toBe(4002);
  });
  it('that fails keeps the old stream; when that one ends, the client reconnects', async () => {
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
  it('becomes the reconnect if the old stream ends first', async () => {
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
  it('without a position keeps the ids, so that no message arrives twice, and announces a gap', async () => {
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
      expect(cluster.platform.timesLifeIsListenedTo).toBe(0);
      expect(cluster.all('close')).toEqual([{ code: 1000, reason: 'closed by the application' }]);
      const { opened } = cluster;
      cluster.platform.advance(60_000);
      await settle();
      expect(cluster.opened).toBe(opened);
    },
  );
  it('abandons a peer that never answers', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    cluster.client.close();
    cluster.platform.advance(2_000);
    expect(stream.terminated).toBe(true);
    expect(cluster.platform.timers).toBe(0);
  });
  it('reconnects at once when the page becomes visible, unless the connection is open', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    cluster.platform.lives('shown');
    await settle();
    expect(cluster.opened).toBe(2);
    stream.ends(1006);
    cluster.platform.lives('shown');
    await settle();
    expect([cluster.client.status, cluster.opened]).toEqual(['connecting', 3]);
  });
  it('closes the connection when the page is hidden, and resumes when the page returns', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    stream.says(position('P'));
    cluster.platform.lives('left');
    expect([cluster.client.status, stream.closedWith]).toEqual(['waiting', 1000]);
    cluster.platform.advance(60_000);
    expect(cluster.platform.timers).toBe(0);
    expect(cluster.opened).toBe(2);
    cluster.platform.lives('shown');
    const second = await cluster.welcomed({ resumed: true });
    expect(second.url.searchParams.get('resume')).toBe('P');
    expect(cluster.client.status).toBe('open');
  });
  it('tells why the client waits, for how long, and what failed', async () => {
    const cluster = new FakeCluster();
    await settle();
    cluster.last.fails('connect ECONNREFUSED');
    cluster.last.ends(1006);
    await cluster.comesBack();
    cluster.last.ends(4013, 'no room');
    expect(cluster.all('retry')).toEqual([
      { attempt: 1, inMs: 1_000, code: 1006, reason: 'connect ECONNREFUSED', stage: 'router' },
      { attempt: 2, inMs: 2_000, code: 4013, reason: 'no room', stage: 'router' },
    ]);
    (await cluster.welcomed()).ends(4003);
    expect(cluster.all('retry').at(-1)).toEqual({
      attempt: 2,
      inMs: 0,
      code: 4003,
      reason: '',
      stage: 'open',
    });
  });
  it('ends an attempt on an error event without a close event', async () => {
    const cluster = new FakeCluster();
    await settle();
    cluster.last.fails('refused by the page');
    expect(cluster.client.status).toBe('connecting');
    cluster.platform.advance(1_000);
    expect(cluster.client.status).toBe('waiting');
    expect(cluster.client.info.lastClose).toEqual({ code: 1006, reason: 'refused by the page' });
    cluster.platform.sockets[0]?.ends(1006);
    expect(cluster.all('retry')).toHaveLength(1);
  });
  it('may come from a retry listener, and ends the attempts', async () => {
    const cluster = new FakeCluster();
    cluster.client.on('retry', () => cluster.client.close());
    await settle();
    cluster.last.ends(1006);
    expect(cluster.client.status).toBe('closed');
    expect(cluster.platform.timers).toBe(0);
  });
});

describe('a dead path', () => {
  it('is replaced by another one, and the old connection counts until then', async () => {
    const cluster = new FakeCluster();
    const old = await cluster.welcomed({ beatMs: 15_000 });
    old.says(position('P'));
    cluster.platform.advance(31_000);
    expect(cluster.client.status).toBe('open');
    const fresh = await cluster.welcomed({ shard: 'b', beatMs: 15_000, resumed: true });
    expect(fresh.url.searchParams.get('resume')).toBe('P');
    expect(old.closedWith).toBe(4002);
    expect(cluster.all('move')).toMatchObject([{ reason: 'refresh' }]);
  });
  it('is given up if the new connection fails, too', async () => {
    const cluster = new FakeCluster();
    const old = await cluster.welcomed({ beatMs: 15_000 });
    cluster.platform.advance(31_000);
    await settle();
    cluster.last.ends(1006);
    expect(cluster.client.status).toBe('waiting');
    expect(old.closedWith).toBe(1000);
    expect(cluster.all('retry')).toMatchObject([{ attempt: 1, code: 1006, stage: 'router' }]);
    await cluster.welcomed();
    expect(cluster.client.status).toBe('open');
  });
  it('is kept if data arrives on it while the new connection fails', async () => {
    const cluster = new FakeCluster();
    const old = await cluster.welcomed({ beatMs: 15_000 });
    cluster.platform.advance(31_000);
    await settle();
    old.says({ type: 'beat' });
    cluster.last.ends(1006);
    expect([cluster.client.status, old.closedWith]).toEqual(['open', undefined]);
  });
  it('costs no wait after a sleep: a waiting client starts its next attempt at once', async () => {
    const cluster = new FakeCluster();
    cluster.platform.chance = 1;
    (await cluster.welcomed()).ends(1006);
    expect(cluster.all('retry')).toMatchObject([{ inMs: 8_000 }]);
    cluster.platform.sleep(600_000);
    cluster.platform.advance(5_000);
    expect(cluster.client.status).toBe('connecting');
  });
});
