// What the fan-out counts: numbers in shared memory, each at the place of its name. The main thread reads them. Adding
// costs no allocation and no look-up by name.

/** The place of each. */
export const count = {
  stateOffered: 0,
  stateSent: 1,
  stateWithheld: 2,
  cosmeticOffered: 3,
  cosmeticSent: 4,
  cosmeticDropped: 5,
  criticalSent: 6,
  writes: 7,
  bytes: 8,
  deliveredBytes: 9,
  pings: 10,
  pongs: 11,
  pongsForeign: 12,
  catchUps: 13,
  congested: 14,
  recovered: 15,
  deflateInBytes: 16,
  deflateOutBytes: 17,
  redrawnBytes: 18,
  subscriptionsDelayed: 19,
  criticalWithheld: 20,
  lookTrains: 21,
  lookBytes: 22,
  looksWaited: 23,
} as const;
export const COUNT_PLACES = 24;

/** What is true now; from `flowing` on: what was true at the last sweep. */
export const gauge = {
  connections: 0,
  groups: 1,
  notLive: 2,
  backlogBytes: 3,
  flowing: 4,
  behind: 5,
  congested: 6,
  closing: 7,
  healthyBacklogBytes: 8,
  awaitedBytes: 9,
} as const;
export const GAUGE_PLACES = 10;

export function add(values: Float64Array, place: number, by: number): void {
  values[place] = (values[place] ?? 0) + by;
}

/** Histograms of bytes: 0, then up to 1, 2, 4 … 2^31. */
const BYTES_BUCKETS = 33;
/** Upper bounds of the histogram of delivery lag, in seconds; above the last is one more. */
const LAG_BOUNDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];
/** Upper bounds of the histogram of the time until a client in a wrong pool is moved, in seconds. */
const REPAIR_BOUNDS: readonly number[] = [15, 30, 60, 90, 120, 180, 300, 600];

/** Where each histogram begins: its buckets, then its sum. */
export const histogram: {
  readonly buffered: number;
  readonly backlog: number;
  readonly lag: number;
  readonly bytesBuckets: number;
  readonly lagBounds: readonly number[];
  readonly repair: number;
  readonly repairBounds: readonly number[];
} = {
  buffered: 0,
  backlog: BYTES_BUCKETS + 1,
  lag: 2 * (BYTES_BUCKETS + 1),
  bytesBuckets: BYTES_BUCKETS,
  lagBounds: LAG_BOUNDS,
  repair: 2 * (BYTES_BUCKETS + 1) + LAG_BOUNDS.length + 2,
  repairBounds: REPAIR_BOUNDS,
};
export const HISTOGRAM_PLACES: number = histogram.repair + REPAIR_BOUNDS.length + 2;

export function observeBytes(values: Float64Array, at: number, bytes: number): void {
  add(values, at + (bytes === 0 ? 0 : 33 - Math.clz32(bytes - 1)), 1);
  add(values, at + BYTES_BUCKETS, bytes);
}

export function observeLag(values: Float64Array, lagMs: number): void {
  observeSeconds(values, histogram.lag, LAG_BOUNDS, lagMs / 1000);
}

export function observeRepair(values: Float64Array, repairMs: number): void {
  observeSeconds(values, histogram.repair, REPAIR_BOUNDS, repairMs / 1000);
}

function observeSeconds(values: Float64Array, at: number, bounds: readonly number[], seconds: number): void {
  let place = 0;
  while (place < bounds.length && seconds > (bounds[place] ?? 0)) place++;
  add(values, at + place, 1);
  add(values, at + bounds.length + 1, seconds);
}

/** The sum over all threads. */
export function sumOf(counts: Int32Array): number {
  let sum = 0;
  for (const one of counts) sum += one;
  return sum;
}
