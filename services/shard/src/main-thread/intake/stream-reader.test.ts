import { describe, expect, it } from 'vitest';
import { FakeStream } from '../../fakes/fake-stream.ts';
import type { Bench } from '../../fakes/reader-bench.ts';
import { EPOCH, end, settle, start } from '../../fakes/reader-bench.ts';

describe('StreamReader', () => {
  it('loads the stream, then passes on the feed', async () => {
    const stream = new FakeStream();
    stream.publish();
    stream.publish();
    const bench = start(stream);
    expect(bench.reader.current).toBe(false);
    await settle();
    expect(bench.reader.current).toBe(true);
    stream.publish();
    expect(bench.told).toEqual([EPOCH, '1', '2', 'loaded 2', '3']);
    expect(bench.problems).toEqual([]);
    await end(bench);
  });

  it('loses no message that arrives during the load, and takes none twice', async () => {
    const stream = new FakeStream();
    for (let i = 0; i < 4; i++) stream.publish();
    stream.duringFill = () => {
      stream.publish();
      stream.publish();
    };
    const bench = start(stream);
    await settle();
    expect(bench.told).toEqual([EPOCH, '1', '2', '3', '4', '5', '6', 'loaded 6']);
    await end(bench);
  });

  it('completes the load if more messages arrive meanwhile than may wait', async () => {
    const stream = new FakeStream();
    for (let i = 0; i < 4; i++) stream.publish();
    stream.duringFill = () => {
      for (let i = 0; i < 20; i++) stream.publish();
    };
    const bench = start(stream);
    await settle();
    expect(bench.told.filter((one) => /^\d+$/.test(one))).toEqual(
      Array.from({ length: 24 }, (_, i) => `${i + 1}`),
    );
    await end(bench);
  });

  it('fills a gap in the feed before it continues', async () => {
    const bench = start();
    await settle();
    bench.stream.publish();
    bench.stream.publish({ lost: true });
    bench.stream.publish({ lost: true });
    bench.stream.publish();
    expect(bench.told.at(-1)).toBe('1');
    await settle();
    bench.stream.publish();
    expect(bench.told.slice(2)).toEqual(['1', '2', '3', '4', '5']);
    expect(bench.problems).toEqual(['gap 1']);
    await end(bench);
  });

  it('finds what the feed has lost at its end when it looks', async () => {
    const bench = start();
    await settle();
    bench.stream.publish({ lost: true });
    bench.reader.poke();
    await settle();
    expect(bench.told.slice(2)).toEqual(['1']);
    expect(bench.stream.asked.fill).toBe(1);
    await end(bench);
  });

  it.each([
    ['facts', 'while it loads the stream'],
    ['fill', 'while it loads the stream'],
    ['facts', 'later'],
    ['fill', 'later'],
  ] as const)('asks again (%s) as soon as a connection is back that broke %s', async (what, when) => {
    const bench = start();
    const { stream, reader } = bench;
    if (when === 'later') await settle();
    stream.publish({ lost: true });
    stream.hangs[what] = 1;
    reader.poke();
    await settle();
    expect([stream.hangs[what], reader.current]).toEqual([0, when === 'later']);
    reader.lost();
    reader.back();
    await settle();
    expect([bench.told.at(-1), reader.current]).toEqual([when === 'later' ? '1' : 'loaded 1', true]);
    await end(bench);
  });

  it('skips sequences without a message', async () => {
    const bench = start();
    await settle();
    for (let i = 0; i < 3; i++) bench.stream.publish({ lost: true });
    bench.stream.drop(2);
    bench.stream.drop(3);
    bench.reader.poke();
    await settle();
    bench.stream.publish();
    expect(bench.told.slice(2)).toEqual(['1', '4']);
    await end(bench);
  });

  it('tells of messages that aged out or gave way to others before it read them', async () => {
    const bench = start();
    await settle();
    const { stream, reader } = bench;
    stream.agesOut = true;
    stream.publish();
    reader.lost();
    for (let i = 0; i < 6; i++) stream.publish({ lost: true });
    for (const seq of [1, 2, 3]) stream.drop(seq);
    reader.back();
    await settle();
    expect(bench.told.slice(2)).toEqual(['1', '4', '5', '6', '7']);
    expect([bench.holes, bench.problems]).toEqual([['1, 3: any'], ['missing 2']]);
    await end(bench);
  });

  /** A bench that has read one message of a stream that keeps two of each subject, until they are old. */
  async function keepsTwo(): Promise<Bench> {
    const bench = start();
    await settle();
    bench.stream.agesOut = true;
    bench.stream.maxPerSubject = 2;
    bench.stream.publish();
    return bench;
  }

  it('knows which subjects have lost messages where these gave way to later ones of their own', async () => {
    const bench = await keepsTwo();
    const { stream, reader } = bench;
    reader.lost();
    for (let i = 0; i < 4; i++) stream.publish({ lost: true, subject: 'weir.critical.full' });
    for (const seq of [2, 3]) stream.drop(seq);
    reader.back();
    await settle();
    expect(bench.holes).toEqual(['1, 3: weir.critical.full']);
    await end(bench);
  });

  it('knows that another subject may have lost some, too, where older messages of it are gone without a reason', async () => {
    const bench = await keepsTwo();
    const { stream, reader } = bench;
    for (const subject of ['weir.critical.purged', 'weir.critical.quiet']) stream.publish({ subject });
    bench.owed = new Map(stream.messages.map(({ subject }) => [subject, 1]));
    reader.lost();
    stream.publish({ lost: true, subject: 'weir.critical.purged' });
    for (let i = 0; i < 4; i++) stream.publish({ lost: true, subject: 'weir.critical.full' });
    for (const seq of [2, 4, 5, 6]) stream.drop(seq);
    reader.back();
    await settle();
    expect(bench.holes).toEqual(['3, 6: weir.critical.full,weir.critical.purged']);
    await end(bench);
  });

  it('tells of messages that were purged at the end of the stream', async () => {
    const bench = start();
    await settle();
    const { stream, reader } = bench;
    stream.agesOut = true;
    stream.publish();
    stream.publish({ lost: true });
    stream.drop(2);
    reader.poke();
    await settle();
    stream.publish();
    expect([bench.holes, bench.told.slice(2)]).toEqual([['1, 2: any'], ['1', '3']]);
    await end(bench);
  });

  it('takes a duplicate message once, and believes the stream', async () => {
    const bench = start();
    await settle();
    const first = bench.stream.publish();
    bench.reader.poke();
    await settle();
    bench.stream.show(first);
    bench.stream.publish();
    await settle();
    expect([bench.told, bench.problems]).toEqual([[EPOCH, 'loaded 0', '1', '2'], []]);
    await end(bench);
  });

  it('continues if a publisher puts messages on the feed that the stream does not have', async () => {
    const bench = start();
    await settle();
    bench.stream.publish();
    bench.stream.show({ seq: 99_999, subject: 'weir.critical.a', data: Buffer.from('x'), timeMs: 0 });
    await settle();
    const { facts } = bench.stream.asked;
    bench.stream.publish();
    bench.stream.publish();
    expect(bench.told.slice(2)).toEqual(['1', '2', '3']);
    await settle();
    // It does not look again and again for what does not exist.
    expect(bench.stream.asked.facts).toBe(facts);
    await end(bench);
  });

  describe('failures', () => {
    it.each(['follow', 'ensure', 'facts', 'fill'] as const)(
      'of %s are tried again until it loads',
      async (what) => {
        const stream = new FakeStream();
        stream.publish();
        stream.failures[what] = 2;
        const bench = start(stream);
        await settle();
        expect(bench.told.slice(-3)).toEqual([EPOCH, '1', 'loaded 1']);
        expect(bench.problems).toEqual([`failed: ${what} fails`, `failed: ${what} fails`]);
        expect(bench.reader.current).toBe(true);
        await end(bench);
      },
    );

    it('of the last step of a load restart the load', async () => {
      const bench = start();
      bench.sink.failLoaded = 1;
      await settle();
      bench.stream.publish();
      expect(bench.told).toEqual([EPOCH, EPOCH, 'loaded 0', '1']);
      await end(bench);
    });

    it('of a fill leave it stale until one succeeds, and lose nothing', async () => {
      const bench = start();
      await settle();
      bench.stream.failures.fill = 1_000_000;
      bench.stream.publish({ lost: true });
      bench.stream.publish();
      await settle();
      expect(bench.reader.current).toBe(false);
      bench.stream.failures.fill = 0;
      await settle();
      expect([bench.told.slice(2), bench.reader.current]).toEqual([['1', '2'], true]);
      await end(bench);
    });
  });

  it('does not count as current from the loss of the connection to the next look', async () => {
    const bench = start();
    await settle();
    bench.reader.lost();
    expect(bench.reader.current).toBe(false);
    bench.reader.back();
    await settle();
    expect(bench.reader.current).toBe(true);
    await end(bench);
  });

  it('sends no request without a connection, and one as soon as it is back', async () => {
    const bench = start();
    await settle();
    bench.reader.lost();
    const { facts } = bench.stream.asked;
    bench.stream.failures.facts = 1_000_000;
    for (let i = 0; i < 3; i++) {
      // Also where somebody has a reason.
      bench.reader.poke();
      await settle();
    }
    expect(bench.stream.asked.facts).toBe(facts);
    bench.stream.failures.facts = 0;
    bench.stream.publish({ lost: true });
    bench.reader.back();
    await settle();
    expect([bench.told.at(-1), bench.reader.current]).toEqual(['1', true]);
    bench.reader.lost();
    await end(bench);
  });

  it('ends when it is stopped, also during failures', async () => {
    const stream = new FakeStream();
    stream.failures.ensure = 1_000_000;
    const bench = start(stream);
    await settle();
    await end(bench);
    expect(bench.told).toEqual([]);
  });
});
