import { describe, expect, it } from 'vitest';
import { parseOrder } from './orders.ts';

describe('an order of the page', () => {
  it.each([
    [{ do: 'kill', shard: 'desktop-1' }],
    [{ do: 'crowd', clients: 500 }],
    [{ do: 'line', device: 'phone', name: '2g' }],
    [{ do: 'publish', message: '{}' }],
    [{ do: 'replay' }],
  ])('is read: %o', (order) => expect(parseOrder(JSON.stringify(order))).toEqual(order));

  it.each([
    '',
    'null',
    '[]',
    '{"do":"rm"}',
    '{"do":"crowd","clients":-1}',
    '{"do":"crowd","clients":"many"}',
    '{"do":"line","device":"phone","name":"5g"}',
    '{"do":"line","device":"tv","name":"2g"}',
    '{"do":"publish","message":1}',
  ])('is nothing else: %s', (body) => expect(parseOrder(body)).toBeUndefined());
});
