import { closeCodes } from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import { stopError } from './errors.ts';

describe('errors of final close codes', () => {
  it('exist for every final code of the table', () => {
    for (const { code, after } of Object.values(closeCodes)) {
      if (after === 'stop') expect(stopError(code, 'why').code, `${code}`).not.toBe('REFUSED');
    }
  });
  it('name the code, the reason and what to do', () => {
    const error = stopError(4500, 'token expired');
    expect(error).toMatchObject({ name: 'WeirError', code: 'NOT_AUTHORISED', closeCode: 4500 });
    expect(error.message).toMatch(/4500 \(token expired\).*valid token/);
    expect(stopError(4777, '')).toMatchObject({ code: 'REFUSED', closeCode: 4777 });
  });
});
