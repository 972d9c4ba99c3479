import { describe, expect, it } from 'vitest';
import { FakeCluster } from './fakes/fake-cluster.ts';
import { settle } from './fakes/fake-platform.ts';
import { critical, heard, ids, position, snapshot } from './fakes/said.ts';
import type { ResumeStorage } from './public.ts';

class Storage implements ResumeStorage {
  readonly items = new Map<string, string>();
  saves = 0;
  getItem(key: string): string | null | Promise<string | null> {
    return this.items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.saves++;
    this.items.set(key, value);
  }
}

/** A page that got so far: position P after message 1, and message 2. */
async function page(storage: ResumeStorage): Promise<FakeCluster> {
  const cluster = new FakeCluster({ resume: storage });
  const stream = await cluster.welcomed();
  stream.says(snapshot({ a: 1 }));
  stream.says(critical(1));
  stream.says(position('P'));
  stream.says(critical(2));
  return cluster;
}

describe('a page that is reloaded', () => {
  it('receives critical messages from its position, each once, and its state as a snapshot', async () => {
    const storage = new Storage();
    (await page(storage)).platform.lives('left');
    const cluster = new FakeCluster({ resume: storage });
    const events = heard(cluster);
    const stream = await cluster.welcomed();
    expect([...stream.url.searchParams].slice(1)).toEqual([
      ['resume', 'P'],
      ['snapshot', '1'],
    ]);
    stream.says(critical(2));
    stream.says(critical(3));
    stream.says(snapshot({ a: 5 }));
    expect(ids(events)).toEqual([3]);
    expect(cluster.client.channel('lobby').state.get('a')).toBe(5);
    // Until a position speaks for the new state.
    stream.ends(1006);
    const second = await cluster.welcomed();
    expect(second.url.searchParams.get('snapshot')).toBe('1');
    second.says(position('Q'));
    second.ends(1006);
    const third = await cluster.welcomed();
    expect([...third.url.searchParams].slice(1)).toEqual([['resume', 'Q']]);
  });
  it('gets a gap for lost messages', async () => {
    const storage = new Storage();
    (await page(storage)).client.close();
    const cluster = new FakeCluster({ resume: storage });
    const events = heard(cluster);
    const stream = await cluster.welcomed();
    stream.says({ type: 'gap', channel: 'lobby', lane: 'critical', after: 2, reset: true });
    stream.says(critical(1));
    expect(events).toMatchObject([{ type: 'gap', after: 2, reset: true }, { id: 1 }]);
  });
  it('saves once for all messages that have arrived', async () => {
    const storage = new Storage();
    const cluster = await page(storage);
    for (let id = 3; id < 100; id++) cluster.last.says(critical(id));
    cluster.platform.turns();
    expect(storage.saves).toBe(1);
    expect([...storage.items]).toEqual([['weir ws://router.test', '{"position":"P","ids":{"lobby":99}}']]);
  });
  it('saves nothing for state alone, which changes neither position nor ids', async () => {
    const storage = new Storage();
    const cluster = await page(storage);
    cluster.last.says(critical(3));
    cluster.platform.turns();
    await settle();
    for (let value = 0; value < 5; value++) {
      cluster.last.says({ type: 'state', channel: 'lobby', set: { k: value } });
      cluster.platform.advance(1_000);
      cluster.platform.turns();
    }
    expect(storage.saves).toBe(1);
  });
  it('waits for a storage that answers with a promise', async () => {
    const storage = new Storage();
    (await page(storage)).client.pause();
    storage.getItem = (key) => Promise.resolve(storage.items.get(key) ?? null);
    const cluster = new FakeCluster({ resume: storage });
    const stream = await cluster.welcomed();
    expect(stream.url.searchParams.get('resume')).toBe('P');
  });
  it.each([
    ['no ids', '{"position":"P","ids":null}'],
    ['no word of ids', '{"position":"P"}'],
    ['a list of ids', '{"position":"P","ids":[1]}'],
    ['an id beyond all others', '{"position":"P","ids":{"lobby":1e999}}'],
    ['an id that is none', '{"position":"P","ids":{"lobby":1.5e300}}'],
    ['ids that are text', '{"position":"P","ids":{"lobby":"9"}}'],
  ])('goes on from the position where the storage has %s', async (_, saved) => {
    const cluster = new FakeCluster({ resume: { getItem: () => saved, setItem: () => undefined } });
    const events = heard(cluster);
    const stream = await cluster.welcomed();
    expect(stream.url.searchParams.get('resume')).toBe('P');
    stream.says(critical(1));
    expect([ids(events), cluster.all('error')]).toEqual([[1], []]);
  });
  it.each([
    ['forbidden', () => Promise.reject(new Error('SecurityError'))],
    ['not ours', () => '{"position":7}'],
    ['not ours either', () => '[]'],
    ['too long for any URL', () => JSON.stringify({ position: 'P'.repeat(721), ids: {} })],
    ['no JSON', () => 'x'],
  ])('starts without a position if the storage is %s', async (_, getItem) => {
    const setItem = (): never => {
      throw new Error('QuotaExceededError');
    };
    const cluster = await page({ getItem, setItem });
    expect(cluster.last.url.searchParams.has('resume')).toBe(false);
    cluster.platform.turns();
    await settle();
    expect([cluster.client.status, cluster.all('error')]).toEqual(['open', []]);
  });
});
