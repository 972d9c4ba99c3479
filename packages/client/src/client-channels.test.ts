// Channels that come and go while a stream is open.
import { describe, expect, it } from 'vitest';
import { FakeCluster } from './fakes/fake-cluster.ts';
import { settle } from './fakes/fake-platform.ts';
import { critical, heard, ids, position, snapshot, state } from './fakes/said.ts';

/** What a shard answers a subscription. */
const answer = { ...position('P0'), channels: ['lobby'] };

describe('subscribing at run time', () => {
  it('sends one message a turn', async () => {
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
  it('requests a channel again that was unsubscribed and subscribed in one turn, since its state is gone', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    const lobby = cluster.client.channel('lobby');
    stream.says(snapshot({ a: 1 }));
    lobby.unsubscribe();
    expect(lobby.state.size).toBe(0);
    lobby.subscribe();
    await settle();
    expect(stream.sent).toEqual([
      { type: 'unsubscribe', channels: ['lobby'] },
      { type: 'subscribe', channels: ['lobby'] },
    ]);
    stream.says(answer);
    stream.says(snapshot({ a: 2 }));
    expect([...lobby.state]).toEqual([['a', 2]]);
  });
  it('empties an unsubscribed channel, ends its iterations, and ignores later messages', async () => {
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
  it('is sent to a stream that has fewer or more channels', async () => {
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
  it('connects only when there is a channel', async () => {
    const cluster = new FakeCluster({ channels: [] });
    await settle();
    expect(cluster.opened).toBe(0);
    cluster.client.channel('late').subscribe();
    await settle();
    expect(cluster.last.url.search).toBe('?channels=late');
  });
  it('drops channels that the shard refuses, so that the router does not get them', async () => {
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
  it('asks for its state where a position speaks for a channel that was forgotten', async () => {
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
    expect(second.url.search).toBe('?ticket=T&resume=P1&snapshot=1');
    second.says(snapshot({ a: 1 }));
    second.says(position('P2'));
    second.ends(4008);
    const third = await cluster.welcomed();
    expect(third.url.search).toBe('?ticket=T&resume=P2');
  });
  it('asks for its state where the rest of a snapshot came after its channel was left and wanted again', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    stream.says(snapshot({ a: 1 }, { more: true }));
    const lobby = cluster.client.channel('lobby');
    lobby.unsubscribe();
    lobby.subscribe();
    await settle();
    stream.says(snapshot({ b: 1 }));
    stream.says(position('P1'));
    expect(lobby.state.size).toBe(0);
    stream.ends(4008);
    const second = await cluster.welcomed();
    expect(second.url.search).toBe('?ticket=T&resume=P1&snapshot=1');
    second.says(snapshot({ a: 1, b: 1 }));
    expect([...lobby.state.keys()]).toEqual(['a', 'b']);
  });
  it('gets no critical message twice where its connection breaks before a new subscription is answered', async () => {
    const cluster = new FakeCluster({ channels: ['lobby', 'sports'] });
    const stream = await cluster.welcomed({ channels: ['lobby', 'sports'] });
    const events = heard(cluster);
    stream.says(position('P1'));
    stream.says(critical(1));
    const lobby = cluster.client.channel('lobby');
    lobby.unsubscribe();
    lobby.subscribe();
    await settle();
    stream.says(critical(2));
    stream.ends(4008);
    const second = await cluster.welcomed({ channels: ['lobby', 'sports'] });
    for (const id of [1, 2, 3]) second.says(critical(id));
    expect(ids(events)).toEqual([1, 2, 3]);
    expect(events.filter(({ type }) => type === 'gap')).toEqual([]);
  });
  it('begins with the ids of another epoch once a new subscription is answered', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    const events = heard(cluster);
    stream.says(critical(7));
    const lobby = cluster.client.channel('lobby');
    lobby.unsubscribe();
    lobby.subscribe();
    await settle();
    stream.says(answer);
    stream.says(critical(1));
    expect(ids(events)).toEqual([7, 1]);
  });
  it('shows nothing of the subscription before, once its channel was left and wanted again', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    stream.says(snapshot({ a: 1, b: 1 }));
    const lobby = cluster.client.channel('lobby');
    lobby.unsubscribe();
    lobby.subscribe();
    await settle();
    stream.says(state({ a: 2 }));
    expect(lobby.state.size).toBe(0);
    stream.says(answer);
    stream.says(snapshot({ a: 3 }));
    stream.says(state({ b: 4 }));
    expect([...lobby.state]).toEqual([
      ['a', 3],
      ['b', 4],
    ]);
  });
  it('tells the stream no more than it may hear, however often channels are left and wanted again', async () => {
    const cluster = new FakeCluster();
    const stream = await cluster.welcomed();
    const lobby = cluster.client.channel('lobby');
    for (let flip = 0; flip < 600; flip++) {
      lobby.unsubscribe();
      await settle();
      lobby.subscribe();
      await settle();
      cluster.platform.advance(17);
    }
    // The defaults of WEIR_CLIENT_MESSAGE_BURST and WEIR_CLIENT_MESSAGES_PER_SECOND.
    expect(stream.sent.length).toBeLessThanOrEqual(40 + (600 * 17 * 10) / 1_000);
    cluster.platform.advance(1_000);
    await settle();
    expect(stream.sent.at(-1)).toEqual({ type: 'subscribe', channels: ['lobby'] });
  });
  it('shows no part of a snapshot that an unsubscribe has ended, however late its answer comes', async () => {
    const cluster = new FakeCluster({ channels: ['lobby', 'sports'] });
    const stream = await cluster.welcomed({ channels: ['lobby', 'sports'] });
    const lobby = cluster.client.channel('lobby');
    const sizes: number[] = [];
    lobby.on('state', () => sizes.push(lobby.state.size));
    for (let subscription = 0; subscription < 2; subscription++) {
      lobby.unsubscribe();
      await settle();
      lobby.subscribe();
      await settle();
    }
    // The shard answers the first subscription and begins its snapshot; then it reads of its end, and of the second one.
    stream.says(answer);
    stream.says(snapshot({ a: 1 }, { more: true }));
    stream.says(answer);
    stream.says(snapshot({}));
    stream.says(snapshot({ a: 2 }, { more: true }));
    stream.says(snapshot({ b: 2 }));
    cluster.platform.advance(100);
    await settle();
    expect([...lobby.state]).toEqual([
      ['a', 2],
      ['b', 2],
    ]);
    expect(sizes.filter((size) => size !== 0 && size !== 2)).toEqual([]);
  });
  it('does not take the answer to a subscription before for that to one which it has not told yet', async () => {
    const cluster = new FakeCluster({ channels: ['lobby', 'sports'] });
    const stream = await cluster.welcomed({ channels: ['lobby', 'sports'] });
    const lobby = cluster.client.channel('lobby');
    lobby.unsubscribe();
    lobby.subscribe();
    await settle();
    lobby.unsubscribe();
    lobby.subscribe();
    stream.says(answer);
    stream.says(snapshot({ a: 1 }));
    expect(lobby.state.size).toBe(0);
    await settle();
    stream.says(answer);
    stream.says(snapshot({ a: 2 }));
    expect([...lobby.state]).toEqual([['a', 2]]);
  });
});
