// `npm run bench:routing`: visits of minutes on emulated links by clients that follow moves: when each is in the right
// pool, how often it is moved, and what that costs. Needs what test/harness/netlab needs.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Congestion, type EmulatedLink, openLink, whyNoLinks } from '../../harness/netlab/link.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { table, type Visited } from './report.ts';
import type { Told } from './visitor.ts';
import { changingVisits, fixedVisits, randomVisits, type Visit } from './visits.ts';

const USAGE = `npm run bench:routing -- [options]
  --minutes N      length of a visit (default 3; with changes 3.5)
  --draws N        random links (default 40)
  --seed N         seed of the random links (default: another in each run; it is printed)
  --links A,B      these fixed links; none for no fixed link (default: those of bench:probe, and hspa-plus)
  --only A,B       of all these, only those with these names
  --changes        also links that change
  --repeat N       visits of each link (default 1)
  --jobs N         links at the same time (default 24)
  --env A=B,C=D    settings of all services
  --json           print all visits as JSON on standard output, and the table on standard error`;

const CONGESTIONS: readonly Congestion[] = ['bbr', 'cubic', 'reno'];
/** Clients of a batch come over this time: the machine must not be busy with starting them while they are measured. */
const ARRIVAL_MS = 20_000;
/** Links are opened one after the other: each looks for a free network. */
const LAST_WORDS_MS = 10_000;

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '3' },
      draws: { type: 'string', default: '40' },
      seed: { type: 'string' },
      links: { type: 'string' },
      only: { type: 'string' },
      changes: { type: 'boolean', default: false },
      repeat: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '24' },
      env: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const reason = whyNoLinks();
  if (reason !== undefined) {
    console.error(reason);
    return 1;
  }
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1e6) : Number(values.seed);
  const names = values.links?.split(',');
  const chosen = [
    ...fixedVisits(names),
    ...randomVisits(Number(values.draws), seed),
    ...(values.changes ? changingVisits() : []),
  ].filter(({ name }) => values.only === undefined || values.only.split(',').includes(name));
  const visits = Array.from({ length: Number(values.repeat) }, () => chosen).flat();
  console.error(`${visits.length} visits, seed ${seed}`);
  const env = Object.fromEntries(
    values.env
      .split(',')
      .filter((one) => one.includes('='))
      .map((one) => one.split('=', 2)),
  );
  const cluster = await startCluster(env);
  const all: Visited[] = [];
  try {
    const jobs = Number(values.jobs);
    for (let i = 0; i < visits.length; i += jobs) {
      all.push(
        ...(await batch(cluster, visits.slice(i, i + jobs), { minutes: Number(values.minutes), first: i })),
      );
      console.error(`${all.length} of ${visits.length}\n${table(all)}`);
    }
    for (const line of await cluster.read('weir_shard_look')) console.error(line);
    for (const line of await cluster.read('weir_shard_tick_lateness_seconds_bucket')) console.error(line);
  } finally {
    await cluster.stop();
  }
  if (values.json) console.log(JSON.stringify({ seed, visits: all }));
  else console.log(table(all));
  return 0;
}

async function batch(
  cluster: Cluster,
  visits: readonly Visit[],
  { minutes, first }: { readonly minutes: number; readonly first: number },
): Promise<readonly Visited[]> {
  const available = readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8').split(/\s+/);
  const congestions = CONGESTIONS.slice(0, 2).filter((name) => available.includes(name));
  const links: EmulatedLink[] = [];
  try {
    for (const [i, visit] of visits.entries()) {
      const link = await openLink(visit);
      links.push(link);
      const congestion = congestions[(first + i) % congestions.length];
      if (congestion !== undefined) link.setCongestion(congestion);
    }
    return await Promise.all(
      visits.map(async (visit, i) => {
        await elapsed((ARRIVAL_MS * i) / visits.length);
        const link = links[i];
        if (link === undefined) throw new Error('there is a link for each visit');
        // The two kinds of congestion control must not each have its own kind of feed.
        const congestion = congestions[(first + i) % congestions.length] ?? 'default';
        return run(cluster, link, { visit, congestion, minutes });
      }),
    );
  } finally {
    await Promise.all(links.map((link) => link.close()));
  }
}

async function run(
  cluster: Cluster,
  link: EmulatedLink,
  { visit, congestion, minutes }: { visit: Visit; congestion: string; minutes: number },
): Promise<Visited> {
  const pools: { pool: string; atMs: number }[] = [];
  const moves: { reason: string; atMs: number }[] = [];
  const lost: string[] = [];
  let padBytes = 0;
  const file = join(import.meta.dirname, 'visitor.js');
  const client = link.runInClient(
    [process.execPath, '--max-old-space-size=64', file, link.serverAddress, cluster.routerUrl, visit.feed],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  client.on('message', (told: Told) => {
    if (told.type === 'pool') pools.push({ pool: told.pool, atMs: told.atMs });
    else if (told.type === 'move') moves.push({ reason: told.reason, atMs: told.atMs });
    else if (told.type === 'lost') lost.push(`${told.why} at ${(told.atMs / 1000).toFixed(1)}`);
    else padBytes = told.padBytes;
  });
  const timers = visit.changes.map(({ atMs, down, up }) => setTimeout(() => link.change({ down, up }), atMs));
  await elapsed(60_000 * minutes);
  for (const timer of timers) clearTimeout(timer);
  const last = Promise.race([once(client, 'message'), elapsed(LAST_WORDS_MS)]);
  client.send('end');
  await last;
  client.kill('SIGKILL');
  return { visit, congestion, pools, moves, lost, padBytes };
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
