// Owns the shapes of networks: rates and delays in numbers. Moves no byte.

export interface Shape {
  /** kbit/s; unlimited if absent. */
  readonly kbps?: number;
  /** One way. */
  readonly delayMs?: number;
  /** Upper limit of an additional random delay, without reordering. */
  readonly jitterMs?: number;
  /** Bytes that may wait or be under way before the proxy stops reading from the sender. */
  readonly bufferBytes?: number;
}

export interface Profile {
  /** Target to client. */
  readonly down: Shape;
  readonly up: Shape;
}

export type ProfileName = 'fibre' | 'cable' | 'lte' | '3g' | '2g' | 'hotel' | 'satellite';

const symmetric = (shape: Shape): Profile => ({ down: shape, up: shape });

/** Rates and delays of the links in docs/probe.md. */
export const profiles: Readonly<Record<ProfileName, Profile>> = {
  fibre: {
    down: { kbps: 200_000, delayMs: 4, bufferBytes: 500_000 },
    up: { kbps: 100_000, delayMs: 4, bufferBytes: 500_000 },
  },
  cable: {
    down: { kbps: 50_000, delayMs: 9, jitterMs: 1, bufferBytes: 250_000 },
    up: { kbps: 10_000, delayMs: 9, jitterMs: 1, bufferBytes: 100_000 },
  },
  lte: symmetric({ kbps: 12_000, delayMs: 35, jitterMs: 8, bufferBytes: 500_000 }),
  '3g': {
    down: { kbps: 1600, delayMs: 150, jitterMs: 15, bufferBytes: 200_000 },
    up: { kbps: 768, delayMs: 150, jitterMs: 15, bufferBytes: 100_000 },
  },
  '2g': symmetric({ kbps: 35, delayMs: 650, jitterMs: 50, bufferBytes: 32_000 }),
  /** 10 KB/s. */
  hotel: {
    down: { kbps: 80, delayMs: 40, jitterMs: 20, bufferBytes: 64_000 },
    up: { kbps: 80, delayMs: 20, jitterMs: 20, bufferBytes: 64_000 },
  },
  satellite: {
    down: { kbps: 20_000, delayMs: 310, jitterMs: 5, bufferBytes: 1_000_000 },
    up: { kbps: 3000, delayMs: 310, jitterMs: 5, bufferBytes: 300_000 },
  },
};
