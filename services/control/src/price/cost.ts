// The deletion cost of a pod: a bucket of its connections. Scale-down then takes the emptiest pod, and churn does not
// rewrite pods all the time. Pure.

/** Buckets are half a doubling wide: 1, 2, 3, 4, 6, 8, 12, 16, 23, … */
const perDoubling = 2;
/** How far a number must be outside its bucket before the bucket changes. */
const slack = 0.1;

/** The written value: the lowest number of connections of the bucket. */
export function costOf(connections: number): number {
  const whole = Math.max(0, Math.floor(connections));
  if (whole === 0) return 0;
  return Math.ceil(2 ** (bucketOf(whole) / perDoubling));
}

/** The value to write; undefined if the written one still fits. */
export function newCost(connections: number, written: string | undefined): number | undefined {
  const next = costOf(connections);
  const before = written !== undefined && /^\d{1,9}$/.test(written) ? Number(written) : undefined;
  // Kubernetes treats a missing cost as 0.
  if (written === undefined) return next === 0 ? undefined : next;
  if (before === undefined || costOf(before) !== before) return next;
  if (next === before) return undefined;
  const low = before;
  const high = before === 0 ? 0 : 2 ** ((bucketOf(before) + 1) / perDoubling);
  const near = connections >= low * (1 - slack) && connections < high * (1 + slack);
  return near && connections > 0 ? undefined : next;
}

function bucketOf(whole: number): number {
  return Math.floor(Math.log2(whole) * perDoubling + 1e-9);
}
