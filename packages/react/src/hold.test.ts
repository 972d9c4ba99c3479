// Subscribing and leaving, without React.
import type { Channel, Status } from '@weir/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hold } from './hold.ts';
import type { AnyWeir } from './provider.ts';

class FakeWeir {
  status: Status = 'open';
  readonly #listeners = new Set<(status: Status) => void>();
  on(_name: 'status', listener: (status: Status) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  becomes(status: Status): void {
    this.status = status;
    for (const listener of this.#listeners) listener(status);
  }
  get listeners(): number {
    return this.#listeners.size;
  }
}

class FakeChannel {
  readonly name = 'odds';
  subscribed = false;
  readonly calls: string[] = [];
  subscribe(): void {
    this.subscribed = true;
    this.calls.push('subscribe');
  }
  unsubscribe(): void {
    this.subscribed = false;
    this.calls.push('unsubscribe');
  }
}

describe('a held channel', () => {
  let weir: FakeWeir;
  let channel: FakeChannel;
  // The parts of both that `hold` uses.
  const use = (): (() => void) => hold(weir as unknown as AnyWeir, channel as unknown as Channel);

  beforeEach(() => {
    vi.useFakeTimers();
    weir = new FakeWeir();
    channel = new FakeChannel();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is subscribed to once, and left one turn after its last user', () => {
    const [first, second] = [use(), use()];
    first();
    vi.runAllTimers();
    expect(channel.calls).toEqual(['subscribe']);
    second();
    expect(channel.calls).toEqual(['subscribe']);
    vi.runAllTimers();
    expect(channel.calls).toEqual(['subscribe', 'unsubscribe']);
    use();
    expect(channel.calls).toEqual(['subscribe', 'unsubscribe', 'subscribe']);
  });

  it('stays if a user returns within the turn', () => {
    use()();
    use();
    vi.runAllTimers();
    expect(channel.calls).toEqual(['subscribe']);
  });

  it('stays if the application subscribed to it', () => {
    channel.subscribed = true;
    use()();
    vi.runAllTimers();
    expect(channel.calls).toEqual([]);
  });

  it('waits for a closed client to connect again, but only while it is used', () => {
    weir.becomes('closed');
    const end = use();
    expect(channel.calls).toEqual([]);
    weir.becomes('connecting');
    weir.becomes('open');
    expect(channel.calls).toEqual(['subscribe']);
    end();
    vi.runAllTimers();
    expect(weir.listeners).toBe(0);
    weir.becomes('closed');
    use()();
    vi.runAllTimers();
    expect(weir.listeners).toBe(0);
  });
});
