import { describe, expect, it } from 'vitest';
import { Places } from './places.ts';

/** Loaded at 100: of 1 to 100 the even ones are there, stored a second apart. */
function loaded(): Places {
  const places = new Places();
  for (let seq = 2; seq <= 100; seq += 2) places.note(seq, seq * 1_000);
  places.loaded(100);
  return places;
}

describe('Places', () => {
  it('knows a message that was there when the stream was loaded, give or take a rounding', () => {
    const places = loaded();
    expect([places.holds(50, 50_000), places.holds(50, 49_999), places.holds(50, 50_001)]).toEqual([
      true,
      true,
      true,
    ]);
    expect([places.holds(2, 2_000), places.holds(100, 100_000)]).toEqual([true, true]);
  });

  it('holds no message for the one that was lost at its place', () => {
    expect([loaded().holds(50, 49_000), loaded().holds(100, 4_000)]).toEqual([false, false]);
  });

  it('holds none for one whose place is overwritten, since that cannot be known', () => {
    expect([loaded().holds(51, 51_000), loaded().holds(1, 1_000)]).toEqual([false, false]);
  });

  it('holds what came after the load, and not what was lost before it', () => {
    const places = loaded();
    places.note(101, 200_000);
    places.note(102, 201_000);
    expect([places.holds(101, 200_000), places.holds(102, 201_000)]).toEqual([true, true]);
    // It was another 102, stored before the server was started again.
    expect(places.holds(102, 102_000)).toBe(false);
    expect(places.newestMs).toBe(201_000);
  });

  it('holds a place beyond what has been read where it is no older than that', () => {
    expect([loaded().holds(101, 101_000), loaded().holds(101, 99_000)]).toEqual([true, false]);
  });

  it('holds the beginning of every stream', () => {
    expect([new Places().holds(0, 0), loaded().holds(0, 0)]).toEqual([true, true]);
  });

  it('remembers many', () => {
    const places = new Places();
    for (let seq = 1; seq <= 5_000; seq++) places.note(seq, seq);
    places.loaded(5_000);
    expect([places.holds(4_321, 4_321), places.holds(1, 1), places.holds(5_000, 4_990)]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
