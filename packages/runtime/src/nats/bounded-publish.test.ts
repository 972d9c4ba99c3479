import { describe, expect, it } from 'vitest';
import { FakeConnection } from '../fakes/fake-connection.ts';
import { BoundedPublish } from './bounded-publish.ts';

const kilobytes100 = new Uint8Array(100 * 1024);

function fill(publisher: BoundedPublish): number {
  let sent = 0;
  while (publisher.publish('a', kilobytes100) === 'sent') sent += 1;
  return sent;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('BoundedPublish', () => {
  it('refuses when 8 MB are under way, and continues when they have arrived', async () => {
    const connection = new FakeConnection();
    const publisher = new BoundedPublish(connection.asConnection());
    expect(fill(publisher)).toBe(82);
    expect(publisher.publish('a', 'x')).toBe('overloaded');
    connection.flushes.shift()?.resolve();
    await settled();
    expect(publisher.publish('a', 'x')).toBe('sent');
  });

  it('asks for one round trip at a time, and for none below 64 KB', () => {
    const connection = new FakeConnection();
    const publisher = new BoundedPublish(connection.asConnection());
    publisher.publish('a', new Uint8Array(64 * 1024));
    expect(connection.flushes).toHaveLength(0);
    fill(publisher);
    expect(connection.flushes).toHaveLength(1);
  });

  it('counts from 0 after a reconnect', async () => {
    const connection = new FakeConnection();
    const publisher = new BoundedPublish(connection.asConnection());
    fill(publisher);
    connection.flushes.shift()?.reject(new Error('disconnected'));
    await settled();
    expect(publisher.publish('a', 'x')).toBe('overloaded');
    publisher.reconnected();
    expect(fill(publisher)).toBe(82);
  });
});
