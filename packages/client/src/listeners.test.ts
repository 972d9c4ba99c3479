import { describe, expect, it } from 'vitest';
import { Listeners } from './listeners.ts';

describe('listeners', () => {
  it('run in order until each is removed', () => {
    const listeners = new Listeners<{ a: number }>(['a']);
    const seen: number[] = [];
    const listen = (n: number): void => {
      seen.push(n);
    };
    const stopFirst = listeners.on('a', listen);
    const stopSecond = listeners.on('a', listen);
    listeners.emit('a', 1);
    stopFirst();
    stopFirst();
    listeners.emit('a', 2);
    stopSecond();
    listeners.emit('a', 3);
    expect(seen).toEqual([1, 1, 2]);
    expect(listeners.has('a')).toBe(false);
  });
  it('may remove each other and be added while they run', () => {
    const listeners = new Listeners<{ a: number }>(['a']);
    const seen: string[] = [];
    listeners.on('a', () => {
      seen.push('first');
      listeners.on('a', () => seen.push('late'));
    });
    listeners.emit('a', 1);
    expect(seen).toEqual(['first']);
  });
  it('refuse an unknown event, and a listener that is no function', () => {
    const listeners = new Listeners<{ a: number; b: number }>(['a', 'b']);
    expect(() => listeners.on('stat' as 'a', () => {})).toThrow(/no event stat; there are a, b/);
    expect(() => listeners.on('a', undefined as never)).toThrow(/on\('a'\) needs a function/);
  });
});
