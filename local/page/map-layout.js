// Where the parts of the map are. Pure.

const GAP = 14;
const HEAD = 28;
const FOOT = 60;

/** Router at the left and pools beside each other; on narrow screens the router above them. */
export function layout({ width, height, shards }) {
  const isWide = width > 640;
  const size = isWide ? 44 : 34;
  const router = isWide ? { x: 90, y: height / 2 - 10, size } : { x: width / 2, y: 40, size };
  const left = isWide ? 200 : 0;
  const top = isWide ? 4 : 122;
  const byPool = grouped(shards);
  const wide = width - left - GAP * (byPool.size - 1);
  const places = new Map();
  const pools = [];
  let x = left;
  for (const [name, members] of byPool) {
    const poolWidth = (wide * members.length) / Math.max(1, shards.length);
    const poolHeight = height - top - 8;
    pools.push({ name, x, y: top, width: poolWidth, height: poolHeight });
    const cell = poolWidth / members.length;
    const radius = Math.max(20, Math.min(cell / 2 - 10, (poolHeight - HEAD - FOOT) / 2));
    members.forEach(({ id }, at) => {
      places.set(id, { x: x + cell * (at + 0.5), y: top + HEAD + (poolHeight - HEAD - FOOT) / 2, radius });
    });
    x += poolWidth + GAP;
  }
  return { router, pools, shards: places };
}

function grouped(shards) {
  const groups = new Map();
  for (const shard of shards) groups.set(shard.pool, [...(groups.get(shard.pool) ?? []), shard]);
  return groups;
}
