import { describe, expect, it } from 'vitest';
import { ModelMain } from '../../fakes/two-threads.ts';
import { Pings } from './pings.ts';

const PAYLOAD_AT = 2;

describe('pings', () => {
  it('are recognised after 30,000 others', () => {
    const pings = new Pings();
    const payload = pings.next().subarray(PAYLOAD_AT);
    for (let i = 0; i < 30_000; i++) pings.next();
    expect(pings.counterOf(payload)).toBe(1);
    payload[PAYLOAD_AT + 4] = (payload[PAYLOAD_AT + 4] ?? 0) ^ 1;
    expect(pings.counterOf(payload)).toBe(0);
  });

  it('are shared by connections that catch up at the same time, and no connection gets one twice', () => {
    const main = new ModelMain(1);
    const [thread] = main.threads;
    if (thread === undefined) throw new Error('there is no thread');
    for (let i = 0; i < 100; i++) main.set('a', `k${i}`, 'x'.repeat(100));
    main.tick();
    const seen = new Set<string>();
    const connections = Array.from({ length: 50 }, () => thread.connect(['a']));
    for (let turn = 0; turn < 3; turn++) {
      thread.flow();
      for (const connection of connections) {
        const payloads = thread.clients.get(connection)?.takePings() ?? [];
        const own = payloads.map((payload) => payload.toString('hex'));
        expect(own.length).toBeGreaterThan(0);
        expect(new Set(own).size).toBe(own.length);
        for (const one of own) seen.add(one);
        for (const payload of payloads) thread.fanOut.pong(connection, payload);
      }
    }
    expect(seen.size).toBeLessThan(50);
  });
});
