import { expect, it } from 'vitest';
import type { ServiceEvent } from '../supervise/service-spec.ts';
import { Once } from './once.ts';

const output = (id: string, line: object): ServiceEvent => ({
  kind: 'output',
  spec: { name: 'shard', id, script: '', env: {} },
  line: JSON.stringify(line),
});

it('reports the limit of open files once, and everything else each time', () => {
  const once = new Once();
  const limit = { level: 'warn', msg: 'the limit of open files lowers these settings' };
  expect(once.tell(output('desktop-1', limit))?.what).toMatch(/limit of open files.*ulimit -n/);
  expect(once.tell(output('desktop-2', limit))).toBeUndefined();
  const other = output('desktop-1', { level: 'warn', msg: 'stream lost' });
  expect(once.tell(other)).toEqual({ who: 'shard desktop-1', what: 'warn stream lost' });
  expect(once.tell(other)).toEqual({ who: 'shard desktop-1', what: 'warn stream lost' });
});
