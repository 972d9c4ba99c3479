import { closeCodes, afterClose as theTable } from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import { afterClose, codes } from './after-close.ts';

describe('the reaction to a close code', () => {
  it('equals the table of the protocol for every code', () => {
    for (let code = 1_000; code < 5_000; code++)
      expect([code, afterClose(code)]).toEqual([code, theTable(code)]);
  });
  it('knows the codes of the table', () => {
    for (const [name, code] of Object.entries(codes))
      expect(code).toBe(Object.entries(closeCodes).find(([known]) => known === name)?.[1].code);
  });
});
