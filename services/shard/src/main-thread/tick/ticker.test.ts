import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ticker } from './ticker.ts';

/** Timers whose time is moved by hand; each may fire as late as the test wants. */
class FakeTimers {
  nowTime = 0;
  #timers: { readonly id: number; readonly run: () => void; readonly dueMs: number }[] = [];
  #id = 0;

  nowMs(): number {
    return this.nowTime;
  }

  set(run: () => void, delayMs: number): unknown {
    this.#timers.push({ id: ++this.#id, run, dueMs: this.nowTime + delayMs });
    return this.#id;
  }

  clear(timer: unknown): void {
    this.#timers = this.#timers.filter(({ id }) => id !== timer);
  }

  get pending(): number {
    return this.#timers.length;
  }

  /** Fires the only timer, so much later than it wanted. */
  fire(lateMs = 0): void {
    const [timer] = this.#timers.splice(0, 1);
    if (timer === undefined) throw new Error('nothing is set');
    // A timer that was due while something else ran fires after that.
    this.nowTime = Math.max(this.nowTime, timer.dueMs + lateMs);
    timer.run();
  }
}

function setUp(periodMs = 100): { timers: FakeTimers; ticks: [number, number][]; ticker: Ticker } {
  const timers = new FakeTimers();
  const ticks: [number, number][] = [];
  const ticker = new Ticker(periodMs, timers, (lateMs) => ticks.push([timers.nowTime, lateMs]));
  return { timers, ticks, ticker };
}

describe('Ticker', () => {
  it('ticks once a period, the first time after one', () => {
    const { timers, ticks, ticker } = setUp();
    ticker.start();
    for (let i = 0; i < 3; i++) timers.fire();
    expect(ticks).toEqual([
      [100, 0],
      [200, 0],
      [300, 0],
    ]);
  });

  it('stays on its grid: lateness does not add up', () => {
    const { timers, ticks, ticker } = setUp();
    ticker.start();
    for (let i = 0; i < 50; i++) timers.fire(7);
    expect(ticks.at(-1)).toEqual([5_007, 7]);
  });

  it('merges the ticks that it missed into one, and goes on at the next place of the grid', () => {
    const { timers, ticks, ticker } = setUp();
    ticker.start();
    timers.fire(350);
    timers.fire();
    expect(ticks).toEqual([
      [450, 350],
      [500, 0],
    ]);
  });

  it('takes a timer that fires a moment early for one in time', () => {
    const { timers, ticks, ticker } = setUp();
    ticker.start();
    timers.fire(-0.6);
    timers.fire();
    expect(ticks).toEqual([
      [99.4, 0],
      [200, 0],
    ]);
  });

  it('does not tick twice at once if the work of a tick takes longer than a period', () => {
    const timers = new FakeTimers();
    const ticks: number[] = [];
    const ticker = new Ticker(100, timers, () => {
      ticks.push(timers.nowTime);
      timers.nowTime += 130;
    });
    ticker.start();
    timers.fire();
    timers.fire();
    timers.fire();
    expect(ticks).toEqual([100, 230, 360]);
    expect(timers.pending).toBe(1);
  });

  it('stops, also from within a tick', () => {
    const { timers, ticks, ticker } = setUp();
    ticker.start();
    ticker.stop();
    expect(timers.pending).toBe(0);

    const own = new FakeTimers();
    const stopping: Ticker = new Ticker(100, own, () => stopping.stop());
    stopping.start();
    own.fire();
    expect([own.pending, ticks]).toEqual([0, []]);
  });

  it('continues after a tick that throws', () => {
    const timers = new FakeTimers();
    const ticker = new Ticker(100, timers, () => {
      throw new Error('broken');
    });
    ticker.start();
    expect(() => timers.fire()).toThrow('broken');
    expect(timers.pending).toBe(1);
  });

  it('never ticks more often than once a place of the grid, and never falls behind by a whole period', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(500), { minLength: 1, maxLength: 60 }), (lates) => {
        const { timers, ticks, ticker } = setUp();
        ticker.start();
        for (const lateMs of lates) timers.fire(lateMs);
        const places = ticks.map(([atMs]) => Math.floor(atMs / 100));
        expect(new Set(places).size).toBe(places.length);
        timers.fire();
        const [lastMs, lateMs] = ticks.at(-1) ?? [0, 0];
        expect([lastMs % 100, lateMs]).toEqual([0, 0]);
      }),
    );
  });

  it('ticks when it is poked and a tick is due, and only then', () => {
    const { timers, ticks, ticker } = setUp();
    ticker.poke();
    ticker.start();
    timers.nowTime = 99;
    ticker.poke();
    expect(ticks).toEqual([]);
    timers.nowTime = 103;
    ticker.poke();
    ticker.poke();
    expect([ticks, timers.pending]).toEqual([[[103, 3]], 1]);
    timers.fire();
    expect(ticks.at(-1)).toEqual([200, 0]);
    ticker.stop();
    timers.nowTime = 500;
    ticker.poke();
    expect([ticks.length, timers.pending]).toEqual([2, 0]);
  });
});
