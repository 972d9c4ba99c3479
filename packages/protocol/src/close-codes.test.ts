import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterClose, closeCodes } from './close-codes.ts';
import { limits } from './limits.ts';

const rows = Object.entries(closeCodes);

describe('closeCodes', () => {
  it.each(rows)('%s has a reason that fits in a close frame', (_name, row) => {
    expect(row.reason).not.toBe('');
    expect(Buffer.byteLength(row.reason)).toBeLessThanOrEqual(limits.closeReasonBytes);
  });

  it.each(rows)('%s says by its number whether the client comes back', (name, row) => {
    expect(row.name).toBe(name);
    if (row.code === 1000) expect(row.after).toBe('nothing');
    else if (row.code < 4500) expect(row.after).not.toBe('stop');
    else expect(row.after).toBe('stop');
  });

  it('uses each code once, and only 1000 and the private range', () => {
    const codes = rows.map(([, row]) => row.code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.filter((code) => code !== 1000 && (code < 4000 || code > 4999))).toEqual([]);
  });
});

describe('afterClose', () => {
  it.each(rows)('answers %s by the table', (_name, row) => {
    expect(afterClose(row.code)).toBe(row.after);
  });

  it('comes back, slowly, after codes that others sent', () => {
    for (const code of [1001, 1005, 1006, 1009, 1011, 1012, 1013, 3000, 4000, 4499]) {
      expect(afterClose(code)).toBe('backOff');
    }
  });

  it('stops after every code from 4500 to 4999, known or not', () => {
    fc.assert(fc.property(fc.integer({ min: 4500, max: 4999 }), (code) => afterClose(code) === 'stop'));
  });

  it('never stops after anything else', () => {
    const others = fc.integer({ min: 0, max: 70_000 }).filter((code) => code < 4500 || code > 4999);
    fc.assert(fc.property(others, (code) => afterClose(code) !== 'stop'));
  });
});
