// Messages that the stream lost without a word: what the reader does about them.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeStream } from '../../fakes/fake-stream.ts';
import type { Bench } from '../../fakes/reader-bench.ts';
import { end, settle, start, VERIFY_MS } from '../../fakes/reader-bench.ts';
import type { Message } from '../lanes/message.ts';

const subject = (key: number | string): string => `weir.state.a.k${key}`;

/** A bench whose stream has some keys, after its first look. */
async function withKeys(
  keys: number,
  prepare: (stream: FakeStream) => void = () => undefined,
): Promise<Bench> {
  const stream = new FakeStream();
  stream.latestOnly = true;
  prepare(stream);
  const bench = start(stream);
  await settle();
  for (let i = 0; i < keys; i++) stream.publish({ subject: subject(i) });
  await look(bench);
  return bench;
}

async function look(bench: Bench): Promise<void> {
  bench.later(1_000_000);
  bench.reader.poke();
  await settle();
}

async function crash({ stream, reader }: Bench, bringsBack: Message): Promise<void> {
  reader.lost();
  stream.bringBack(bringsBack);
  reader.back();
  await settle();
}

/** The newest values that the stream has. */
function inStream({ messages }: FakeStream): Record<string, string> {
  const values = messages.filter(({ data }) => data.length > 0);
  return Object.fromEntries(values.map((one) => [one.subject, one.data.toString()]));
}

describe('StreamReader: a key that the stream has lost', () => {
  it('is deleted in the stream, where another key came in the same moment', async () => {
    const bench = await withKeys(5);
    bench.stream.drop(2);
    bench.stream.publish({ subject: subject('new') });
    await look(bench);
    expect(bench.stream.messages.at(-1)).toMatchObject({
      seq: 7,
      subject: subject(1),
      data: Buffer.alloc(0),
    });
    expect(bench.values()).toEqual(inStream(bench.stream));
    expect(bench.problems).toEqual(['missing 1']);
    await end(bench);
  });

  it('costs no comparison where the numbers hold, and one where they do not', async () => {
    const bench = await withKeys(5);
    for (let i = 0; i < 10; i++) {
      bench.stream.publish({ subject: subject(i) });
      await look(bench);
    }
    expect(bench.stream.asked.scan).toBe(0);
    bench.stream.drop(bench.stream.lastSeq);
    await look(bench);
    expect(bench.stream.asked.scan).toBe(1);
    // Its deletion is one message more than was expected.
    await look(bench);
    await look(bench);
    expect(bench.stream.asked.scan).toBe(2);
    await end(bench);
  });

  it('is found where the deletion of one that was lost before has made up for it in the number', async () => {
    const bench = await withKeys(3);
    bench.stream.drop(2);
    await look(bench);
    bench.stream.drop(1);
    await look(bench);
    expect(bench.values()).toEqual({ [subject(2)]: '3' });
    await end(bench);
  });

  it('is found where another shard has replaced one that was lost before', async () => {
    const bench = await withKeys(3);
    bench.stream.drop(2);
    bench.stream.failures.scan = 1;
    await look(bench);
    bench.stream.publish({ subject: subject(1), data: '' });
    bench.stream.drop(1);
    await look(bench);
    expect(bench.values()).toEqual({ [subject(2)]: '3' });
    await end(bench);
  });

  it('is found where messages age out', async () => {
    const bench = await withKeys(5, (stream) => {
      stream.agesOut = true;
    });
    for (const seq of [1, 2, 3, 4, 5]) bench.stream.drop(seq);
    await look(bench);
    expect([bench.values(), bench.problems]).toEqual([{}, ['missing 5']]);
    // The deletions age out as well, and are not made again.
    bench.stream.messages = [];
    await look(bench);
    expect(bench.problems).toEqual(['missing 5']);
    await end(bench);
  });

  it('is compared no more often than the pace allows, and in the end', async () => {
    const bench = await withKeys(5, (stream) => {
      stream.agesOut = true;
    });
    const before = bench.stream.asked.scan;
    bench.stream.drop(1);
    for (let i = 0; i < 4; i++) {
      bench.later(1_000);
      bench.reader.poke();
      await settle();
    }
    expect(bench.stream.asked.scan).toBe(before);
    bench.later(1_000);
    bench.reader.poke();
    await settle();
    expect(bench.values()).toEqual(inStream(bench.stream));
    await end(bench);
  });

  it('is left alone where it was set again meanwhile', async () => {
    const bench = await withKeys(5);
    const { stream } = bench;
    stream.drop(2);
    stream.afterScan = () => void stream.publish({ subject: subject(1), data: 'again' });
    await look(bench);
    expect(stream.messages.at(-1)?.data.toString()).toBe('again');
    expect([bench.values(), bench.problems]).toEqual([inStream(stream), []]);
    await end(bench);
  });

  it('is one of another epoch where nothing may be published, and where more than a tenth are gone', async () => {
    const refused = await withKeys(5);
    refused.stream.refuses = true;
    refused.stream.drop(2);
    await look(refused);
    expect(refused.problems).toEqual(['epoch raise']);
    expect(refused.values()).toEqual(inStream(refused.stream));
    await end(refused);

    const emptied = await withKeys(1_000);
    for (let seq = 1; seq <= 101; seq++) emptied.stream.drop(seq);
    await look(emptied);
    expect([emptied.problems, emptied.stream.lastSeq]).toEqual([['epoch raise'], 1_000]);
    await end(emptied);
  });

  it('is tried again where the stream could not be read', async () => {
    const bench = await withKeys(5);
    bench.stream.drop(2);
    bench.stream.failures.scan = 1;
    await look(bench);
    expect([bench.problems, bench.reader.current]).toEqual([['failed: scan fails'], true]);
    await look(bench);
    expect(bench.values()).toEqual(inStream(bench.stream));
    await end(bench);
  });

  it('has its last valid value again where the newest message cannot be broadcast', async () => {
    const bench = await withKeys(5);
    bench.stream.publish({ subject: subject(1), data: 'bad' });
    await look(bench);
    expect(bench.stream.messages.at(-1)).toMatchObject({ subject: subject(1), data: Buffer.from('2') });
    expect(bench.values()).toEqual(inStream(bench.stream));
    await end(bench);
  });

  it('is not replaced by an older one where the newest message is only too large for this shard', async () => {
    const bench = await withKeys(5);
    bench.stream.publish({ subject: subject(1), data: 'large' });
    await look(bench);
    await look(bench);
    expect(bench.stream.messages.at(-1)?.data.toString()).toBe('large');
    expect(bench.stream.lastSeq).toBe(6);
    await end(bench);
  });

  it('is found where another key was lost behind one that was set again during the comparison', async () => {
    const bench = await withKeys(3);
    const { stream } = bench;
    stream.drop(2);
    stream.afterScan = () => {
      stream.publish({ subject: subject(1), data: 'again' });
      stream.drop(1);
    };
    await look(bench);
    await look(bench);
    expect(bench.values()).toEqual({ [subject(1)]: 'again', [subject(2)]: '3' });
    await end(bench);
  });

  it('may be a deletion: who starts later needs it as well', async () => {
    const bench = await withKeys(5);
    bench.stream.publish({ subject: subject(1), data: '' });
    await look(bench);
    bench.stream.drop(6);
    await look(bench);
    expect(bench.stream.messages.at(-1)).toMatchObject({
      seq: 7,
      subject: subject(1),
      data: Buffer.alloc(0),
    });
    await end(bench);
  });
});

describe('StreamReader: a value that a NATS server brings back when it crashes', () => {
  /** A key that was deleted, and whose deletion control removed. */
  async function cleanedUp(): Promise<{ bench: Bench; value: Message }> {
    const bench = await withKeys(5);
    const { stream } = bench;
    const [, value] = stream.messages;
    if (value === undefined) throw new Error('there is no message');
    stream.publish({ subject: subject(1), data: '' });
    bench.removals = { seq: 6, floorSeq: 6, run: 'one', removed: 1, busy: false };
    stream.drop(6);
    await look(bench);
    expect(stream.messages).toHaveLength(4);
    return { bench, value };
  }

  it('is deleted again, for shards that start later', async () => {
    const { bench, value } = await cleanedUp();
    await crash(bench, value);
    await look(bench);
    expect(bench.stream.messages.at(-1)).toMatchObject({ subject: subject(1), data: Buffer.alloc(0) });
    expect([bench.values(), bench.problems]).toEqual([inStream(bench.stream), ['missing 1']]);
    await end(bench);
  });

  it('is not what was set since, nor what cannot be broadcast', async () => {
    const { bench, value } = await cleanedUp();
    bench.stream.publish({ subject: 'weir.state.a.never', data: 'bad' });
    bench.stream.afterScan = () => void bench.stream.publish({ subject: subject(1), data: 'again' });
    await crash(bench, value);
    await look(bench);
    expect(bench.values()).toEqual({ ...bench.values(), [subject(1)]: 'again' });
    expect(bench.stream.messages.at(-1)?.data.toString()).toBe('again');
    expect(bench.problems).toEqual([]);
    await end(bench);
  });

  it('is left alone by a shard that has refused values for lack of room', async () => {
    const { bench, value } = await cleanedUp();
    bench.isWhole = false;
    await crash(bench, value);
    await look(bench);
    expect(bench.stream.lastSeq).toBe(6);
    await end(bench);
  });

  it('makes it another epoch where it is older than the value that clients have', async () => {
    const bench = await withKeys(5);
    const [, value] = bench.stream.messages;
    if (value === undefined) throw new Error('there is no message');
    const { seq } = bench.stream.publish({ subject: subject(1) });
    await look(bench);
    bench.stream.drop(seq);
    await crash(bench, value);
    await look(bench);
    expect(bench.problems).toEqual(['epoch raise']);
    expect(bench.values()).toEqual(inStream(bench.stream));
    await end(bench);
  });
});

describe('StreamReader: a message that no shard can broadcast, behind values that this shard may have missed', () => {
  const STORED_MS = 50_000;
  const bad = { subject: subject(1), data: 'bad', timeMs: STORED_MS };
  /** While the shard is away, a key gets a newer value, and junk replaces that one. */
  async function back(): Promise<Bench> {
    const bench = await withKeys(3);
    const { stream, reader } = bench;
    reader.lost();
    stream.publish({ subject: subject(1), data: 'newer', lost: true });
    stream.publish({ ...bad, lost: true });
    stream.serverNowMs = STORED_MS;
    reader.back();
    await settle();
    return bench;
  }

  it('is not replaced by an older value: a shard that has the newer one puts that back', async () => {
    const bench = await back();
    const { stream } = bench;
    await look(bench);
    expect(stream.messages.at(-1)).toMatchObject({ subject: subject(1), data: Buffer.from('bad') });
    stream.publish({ subject: subject(1), data: 'newer' });
    stream.serverNowMs = STORED_MS + 3 * VERIFY_MS;
    await look(bench);
    expect(inStream(stream)).toMatchObject({ [subject(1)]: 'newer' });
    expect(bench.values()).toEqual(inStream(stream));
    await end(bench);
  });

  it('becomes a deletion when no shard has put a newer value back', async () => {
    const bench = await back();
    const { stream } = bench;
    await look(bench);
    stream.serverNowMs = STORED_MS + 2 * VERIFY_MS + 5_001;
    await look(bench);
    expect(stream.messages.at(-1)).toMatchObject({ subject: subject(1), data: Buffer.alloc(0) });
    expect(bench.values()).toEqual(inStream(stream));
    await end(bench);
  });

  it('is replaced at once where nothing was missed since the shard came back', async () => {
    const bench = await back();
    const { stream } = bench;
    const before = inStream(stream)[subject(2)];
    stream.publish({ ...bad, subject: subject(2) });
    await look(bench);
    expect(inStream(stream)[subject(2)]).toBe(before);
    await end(bench);
  });
});

describe('StreamReader: a message that no shard can broadcast, in the place of a value that this shard never had', () => {
  const STORED_MS = 50_000;
  /** The shards that had the value are gone; clients that come from them still show it. */
  async function loaded(data: string): Promise<Bench> {
    const stream = new FakeStream();
    stream.latestOnly = true;
    stream.publish({ subject: subject(0) });
    stream.publish({ subject: subject(1), data, timeMs: STORED_MS });
    stream.serverNowMs = STORED_MS;
    const bench = start(stream);
    await look(bench);
    return bench;
  }

  it('becomes a deletion when shards that know the value have had time to put it back', async () => {
    const bench = await loaded('bad');
    const { stream } = bench;
    await look(bench);
    expect(stream.lastSeq).toBe(2);
    stream.serverNowMs = STORED_MS + 2 * VERIFY_MS + 5_001;
    await look(bench);
    expect(stream.messages.at(-1)).toMatchObject({ seq: 3, subject: subject(1), data: Buffer.alloc(0) });
    expect(bench.values()).toEqual(inStream(stream));
    // The deletion is one message more than was expected; then the numbers hold again.
    await look(bench);
    const { scan } = stream.asked;
    await look(bench);
    expect(stream.asked.scan).toBe(scan);
    await end(bench);
  });

  it('is left to the value that a shard puts back', async () => {
    const bench = await loaded('bad');
    const { stream } = bench;
    stream.publish({ subject: subject(1), data: 'again' });
    stream.serverNowMs = STORED_MS + 2 * VERIFY_MS + 5_001;
    await look(bench);
    expect([bench.values(), bench.problems]).toEqual([inStream(stream), []]);
    await end(bench);
  });

  it('is left alone where it is only too large for this shard', async () => {
    const bench = await loaded('large');
    bench.stream.serverNowMs = STORED_MS + 100 * VERIFY_MS;
    await look(bench);
    await look(bench);
    expect(bench.stream.lastSeq).toBe(2);
    await end(bench);
  });

  it('is found behind more refused messages than one comparison judges, and then the comparisons end', async () => {
    const stream = new FakeStream();
    stream.latestOnly = true;
    for (let i = 0; i < 10_000; i++)
      stream.messages.push({ seq: i + 1, subject: subject(i), data: Buffer.from('large'), timeMs: 0 });
    const junk = { seq: 10_001, subject: subject('junk'), data: Buffer.from('bad'), timeMs: 0 };
    stream.messages.push(junk);
    stream.lastSeq = junk.seq;
    stream.serverNowMs = 3 * VERIFY_MS;
    const bench = start(stream);
    for (let i = 0; i < 5; i++) await look(bench);
    expect(stream.messages.at(-1)).toMatchObject({ subject: junk.subject, data: Buffer.alloc(0) });
    const { scan } = stream.asked;
    for (let i = 0; i < 3; i++) await look(bench);
    expect([stream.asked.scan, bench.problems]).toEqual([scan, ['missing 1']]);
    await end(bench);
  });

  it('costs no epoch, however many there are', async () => {
    const stream = new FakeStream();
    stream.latestOnly = true;
    for (let i = 0; i < 10_050; i++)
      stream.messages.push({ seq: i + 1, subject: subject(i), data: Buffer.from('bad'), timeMs: 0 });
    stream.lastSeq = 10_050;
    stream.serverNowMs = 3 * VERIFY_MS;
    const bench = start(stream);
    // The fake stores in linear time, so the deletions are only counted.
    stream.put = async () => 'overtaken';
    await look(bench);
    await look(bench);
    expect(bench.problems).toEqual([]);
    await end(bench);
  });
});

it('StreamReader: whatever is set, deleted, purged or spoilt, the map is the one of the stream', async () => {
  const step = fc.record({
    what: fc.constantFrom('set', 'set', 'delete', 'purge', 'bad', 'look', 'crash'),
    key: fc.nat({ max: 7 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, agesOut) => {
      const bench = await withKeys(3, (stream) => {
        stream.agesOut = agesOut;
      });
      const { stream } = bench;
      const lost = new Map<string, Message>();
      for (const { what, key } of steps) {
        const [before] = stream.messages.filter((one) => one.subject === subject(key));
        const older = lost.get(subject(key));
        if (what === 'set') stream.publish({ subject: subject(key) });
        else if (what === 'delete') stream.publish({ subject: subject(key), data: '' });
        else if (what === 'bad') stream.publish({ subject: subject(key), data: 'bad' });
        else if (what === 'look') await look(bench);
        else if (what === 'purge')
          stream.messages = stream.messages.filter((one) => one.subject !== subject(key));
        else if (before === undefined && older !== undefined) await crash(bench, older);
        if (before !== undefined) lost.set(subject(key), before);
      }
      await look(bench);
      const valid = Object.entries(inStream(stream)).filter(([, value]) => value !== 'bad');
      expect(bench.values()).toEqual(Object.fromEntries(valid));
      await end(bench);
    }),
    { numRuns: 60 },
  );
}, 60_000);
