import { describe, expect, it } from 'vitest';
import { FakeStream } from '../../fakes/fake-stream.ts';
import { EPOCH, end, settle, start } from '../../fakes/reader-bench.ts';
import type { Message } from '../lanes/message.ts';

describe('StreamReader: another epoch', () => {
  it('is a stream that was deleted and made anew', async () => {
    const bench = start();
    await settle();
    bench.stream.publish();
    bench.stream.recreate();
    bench.stream.publish({ timeMs: 77 });
    expect(bench.told.at(-1)).toBe('1');
    await settle();
    expect(bench.told).toEqual([EPOCH, 'loaded 0', '1', 'begin rt-0', '1', 'loaded 1']);
    expect(bench.problems).toEqual(['epoch recreated']);
    await end(bench);
  });

  it('is one that was made anew and has passed the old place before anybody looked', async () => {
    const bench = start();
    await settle();
    for (let i = 0; i < 2; i++) bench.stream.publish();
    bench.stream.recreate();
    for (let i = 0; i < 5; i++) bench.stream.publish();
    await settle();
    expect(bench.told.slice(2)).toEqual(['1', '2', 'begin rt-0', '1', '2', '3', '4', '5', 'loaded 5']);
    await end(bench);
  });

  it('is one that is gone: it is made, and loaded', async () => {
    const bench = start();
    await settle();
    bench.stream.publish();
    bench.stream.exists = false;
    bench.reader.poke();
    await settle();
    expect(bench.told.slice(3)).toEqual(['begin rt-0', 'loaded 0']);
    expect([bench.problems, bench.stream.asked.ensure]).toEqual([['epoch missing'], 2]);
    await end(bench);
  });

  it('is a disk that was lost: the generation is raised, once, so that every shard sees it', async () => {
    const bench = start();
    await settle();
    for (let i = 0; i < 3; i++) bench.stream.publish();
    bench.reader.poke();
    await settle();
    bench.stream.wipe();
    bench.stream.publish({ timeMs: 500 });
    await settle();
    expect(bench.told.slice(5)).toEqual(['begin rs-1', '1', 'loaded 1']);
    expect([bench.problems, bench.stream.generation]).toEqual([['epoch raise'], 1]);
    bench.stream.publish();
    await settle();
    expect(bench.told.at(-1)).toBe('2');
    await end(bench);
  });

  it('says in the stream how far clients had the history before, and never less than another shard said', async () => {
    const bench = start();
    await settle();
    bench.stream.publish();
    bench.sink.hadMs = 70;
    bench.stream.wipe();
    bench.reader.poke();
    await settle();
    expect([bench.stream.generation, bench.stream.hadMs]).toEqual([1, 70]);
    bench.stream.generation = 2;
    bench.stream.hadMs = 80;
    bench.reader.poke();
    await settle();
    expect(bench.told.slice(-2)).toEqual(['begin rs-2', 'loaded 0']);
    expect([bench.stream.generation, bench.stream.hadMs]).toEqual([2, 80]);
    // One that began under the old name says later how far it came.
    bench.stream.hadMs = 90;
    bench.stream.changed();
    await settle();
    expect(bench.told.at(-1)).toBe('had 90');
    bench.stream.changed();
    await settle();
    expect(bench.told.filter((one) => one.startsWith('had'))).toHaveLength(1);
    await end(bench);
  });

  it('is a lost disk whose sequences have come back to where they were', async () => {
    const bench = start();
    await settle();
    for (let i = 0; i < 3; i++) bench.stream.publish();
    bench.reader.poke();
    await settle();
    bench.stream.wipe();
    for (let i = 0; i < 5; i++) bench.stream.publish({ lost: true, timeMs: 500 + i });
    bench.reader.poke();
    await settle();
    expect(bench.told.slice(5)).toEqual(['begin rs-1', '1', '2', '3', '4', '5', 'loaded 5']);
    await end(bench);
  });

  it('is seen right after the load, too', async () => {
    const stream = new FakeStream();
    for (let i = 0; i < 3; i++) stream.publish();
    const bench = start(stream);
    await settle();
    stream.wipe();
    for (let i = 0; i < 5; i++) stream.publish({ lost: true, timeMs: 500 + i });
    bench.reader.poke();
    await settle();
    expect(bench.problems).toEqual(['epoch raise']);
    await end(bench);
  });

  it('is a purge of a stream that keeps messages for ever: its sequences go on', async () => {
    const bench = start();
    await settle();
    for (let i = 0; i < 3; i++) bench.stream.publish();
    bench.reader.poke();
    await settle();
    bench.stream.drop(2);
    bench.reader.poke();
    await settle();
    expect(bench.told.slice(5)).toEqual(['begin rs-1', '1', '3', 'loaded 3']);
    bench.stream.publish();
    bench.reader.poke();
    await settle();
    expect(bench.problems).toEqual(['epoch raise']);
    await end(bench);
  });

  describe('of a store that went back while the connection was gone', () => {
    /** Everything after the copy is gone, then as much is published again under the same sequences. */
    function goBack(stream: FakeStream, copied: readonly Message[], lastSeq: number): void {
      stream.messages = [...copied];
      stream.lastSeq = lastSeq;
    }
    const hot = (i: number): { subject: string } => ({ subject: `weir.state.a.k${i % 3}` });

    it.each([
      ['fewer', 4],
      ['as many', 9],
      ['more', 30],
    ])('is seen before anything is handed on where %s followed', async (_name, follow) => {
      const bench = start();
      const { stream, reader, told } = bench;
      await settle();
      for (let i = 0; i < 20; i++) stream.publish();
      const copied = [...stream.messages];
      for (let i = 0; i < 9; i++) stream.publish();
      reader.lost();
      goBack(stream, copied, 20);
      // The feed of the new connection comes before anybody has looked.
      for (let i = 0; i < follow; i++) stream.publish({ timeMs: 1_000 + i });
      expect(told.at(-1)).toBe('29');
      reader.back();
      await settle();
      const all = Array.from({ length: 20 + follow }, (_, i) => `${i + 1}`);
      expect(told.slice(31)).toEqual(['begin rs-1', ...all, `loaded ${20 + follow}`]);
      expect(bench.problems).toEqual(['epoch raise']);
      await end(bench);
    });

    it('is seen by a subject with an older message where all places are overwritten', async () => {
      const stream = new FakeStream();
      stream.latestOnly = true;
      const bench = start(stream);
      await settle();
      stream.publish({ subject: 'weir.state.a.cold' });
      stream.publish({ subject: 'weir.state.a.warm' });
      for (let i = 0; i < 6; i++) stream.publish(hot(i));
      const copied = [...stream.messages];
      stream.publish({ subject: 'weir.state.a.warm' });
      for (let i = 0; i < 8; i++) stream.publish(hot(i));
      bench.reader.lost();
      goBack(stream, copied, 8);
      for (let i = 0; i < 30; i++) stream.publish({ ...hot(i), timeMs: 1_000 + i });
      bench.reader.back();
      await settle();
      expect(bench.problems).toEqual(['epoch raise']);
      expect(bench.told.slice(19)).toEqual(['begin rs-1', '1', '2', '36', '37', '38', 'loaded 38']);
      await end(bench);
    });

    it('is seen by its time where what is left is older than what is remembered exactly', async () => {
      const stream = new FakeStream();
      stream.latestOnly = true;
      const bench = start(stream);
      await settle();
      stream.publish({ subject: 'weir.state.a.cold' });
      const copied = [...stream.messages];
      for (let i = 0; i < 3_000; i++) stream.publish(hot(i));
      bench.reader.lost();
      goBack(stream, copied, 1);
      stream.publish({ subject: 'weir.state.a.new', timeMs: 10_000 });
      for (let i = 0; i < 3_100; i++) stream.publish({ ...hot(i), timeMs: 10_001 + i });
      bench.reader.back();
      await settle();
      expect(bench.problems).toEqual(['epoch raise']);
      await end(bench);
    });

    it('is not a restart after which hot keys alone have changed', async () => {
      const stream = new FakeStream();
      stream.latestOnly = true;
      const bench = start(stream);
      await settle();
      stream.publish({ subject: 'weir.state.a.cold' });
      for (let i = 0; i < 3_000; i++) stream.publish(hot(i));
      bench.reader.lost();
      for (let i = 0; i < 500; i++) stream.publish({ ...hot(i), timeMs: 10_000 + i });
      bench.reader.back();
      await settle();
      expect([bench.problems, bench.told.slice(-3), bench.reader.current]).toEqual([
        [],
        ['3499', '3500', '3501'],
        true,
      ]);
      await end(bench);
    });

    it('does not mix what waited before with what the stream has now', async () => {
      const bench = start();
      const { stream } = bench;
      await settle();
      stream.publish();
      const copied = [...stream.messages];
      stream.publish({ lost: true });
      stream.publish();
      bench.reader.lost();
      goBack(stream, copied, 1);
      stream.publish({ lost: true, timeMs: 500 });
      stream.publish({ lost: true, timeMs: 501 });
      bench.reader.back();
      await settle();
      const timesOf = stream.messages.map(({ timeMs }) => timeMs);
      expect([bench.told.slice(2), timesOf]).toEqual([
        ['1', '2', '3'],
        [1, 500, 501],
      ]);
      await end(bench);
    });

    it('ends a load that was under way', async () => {
      const stream = new FakeStream();
      for (let i = 0; i < 4; i++) stream.publish();
      stream.duringFill = () => {
        bench.reader.lost();
        stream.wipe();
      };
      const bench = start(stream);
      await settle();
      expect([bench.reader.current, bench.told.some((one) => one.startsWith('loaded'))]).toEqual([
        false,
        false,
      ]);
      stream.publish({ timeMs: 500 });
      bench.reader.back();
      await settle();
      expect(bench.told.slice(-3)).toEqual([EPOCH, '1', 'loaded 1']);
      await end(bench);
    });
  });

  it('is looked for before anything more is handed on where the server says that the stream has changed', async () => {
    const bench = start();
    const { stream } = bench;
    await settle();
    stream.publish();
    stream.generation = 1;
    stream.changed();
    stream.publish();
    expect(bench.told.at(-1)).toBe('1');
    await settle();
    expect(bench.told.slice(3)).toEqual(['begin rs-1', '1', '2', 'loaded 2']);
    await end(bench);
  });

  it('is not that messages have aged out', async () => {
    const bench = start();
    bench.stream.agesOut = true;
    await settle();
    for (let i = 0; i < 3; i++) bench.stream.publish();
    bench.reader.poke();
    await settle();
    bench.stream.drop(1);
    bench.stream.drop(2);
    bench.reader.poke();
    await settle();
    expect([bench.told, bench.problems]).toEqual([[EPOCH, 'loaded 0', '1', '2', '3'], []]);
    await end(bench);
  });

  it('that another shard has raised is taken over, not raised again', async () => {
    const bench = start();
    await settle();
    bench.stream.publish();
    bench.stream.wipe();
    bench.stream.generation = 1;
    bench.reader.poke();
    await settle();
    expect([bench.told.slice(3), bench.problems]).toEqual([
      ['begin rs-1', 'loaded 0'],
      ['epoch otherGeneration'],
    ]);
    expect(bench.stream.generation).toBe(1);
    await end(bench);
  });
});
