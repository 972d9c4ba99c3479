// Shared by tests of clients that stop reading: a shard that soon evicts them, and a busy lobby.
import { expect } from 'vitest';
import type { BareClient } from './bare-client.ts';
import type { Feed, Scene, SceneOptions } from './scene.ts';

export const LAG_MS = 1_500;
export const PING_MS = 500;
export const HARD_BYTES = 262_144;
/** Close, 2 s for its answer, FIN, 5 s more. */
export const CLOSING_MS = 7_000;

export const impatient: SceneOptions = {
  shard: {
    WEIR_TICK_MS: '100',
    WEIR_LAG_MS: String(LAG_MS),
    WEIR_PING_MS: String(PING_MS),
    WEIR_IDLE_PING_MS: '1000',
    WEIR_SOFT_BYTES: '65536',
    WEIR_HARD_BYTES: String(HARD_BYTES),
  },
};

/** 2 KB of state, a critical and a cosmetic message, ten times a second by default. */
export function lobby(scene: Scene, channel = 'lobby', everyMs = 100): Feed {
  const { nats } = scene;
  return scene.every(everyMs, (n) => {
    nats.publish(`weir.state.${channel}.slot-${n % 10}`, JSON.stringify(`${n} ${'x'.repeat(2_000)}`));
    nats.publish(`weir.critical.${channel}`, String(n));
    nats.publish(`weir.cosmetic.${channel}`, '"confetti"');
  });
}

/** Fails if the client's critical messages have a hole or do not end with `last`. */
export function hasAll(client: BareClient, last: number): void {
  const got = client.of('critical').map(({ message }) => Number(message['data']));
  const [first = 0] = got;
  expect(got).toEqual(Array.from({ length: last - first + 1 }, (_, i) => first + i));
}
