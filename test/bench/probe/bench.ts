// `npm run bench:probe`: the router's probe on emulated links, by several kinds of client, against its goals.
// Needs what test/harness/netlab needs. Exits with 1 if a goal is missed.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Congestion, type EmulatedLink, openLink, whyNoLinks } from '../../harness/netlab/link.ts';
import { CLIENT_KINDS, type ClientKind, type Visit, type Visited } from './client-end.ts';
import { links, type ProbeLink, randomLinks } from './links.ts';
import { goals, inBrief, type Run, summarise, table } from './report.ts';
import type { FromRouterEnd } from './router-end.ts';

/** Visits on links above this RTT take minutes of waiting and next to no CPU. */
const FAR_MS = 200;
const PROGRESS_MS = 30_000;

const USAGE = `npm run bench:probe -- [options]
  --runs N         visits per link and kind of client (default 30)
  --links A,B      only these links (default all ${links.length})
  --random N       use N random links instead
  --seed N         seed of the random links (default 1)
  --clients A,B    kinds of client, of ${CLIENT_KINDS.join(',')} (default all)
  --congestion A   bbr, cubic, reno, comma separated, in turn (default: bbr and cubic, as far as available)
  --jobs N         links at the same time (default 4); links from ${FAR_MS} ms of RTT, which mostly wait, all run beside them
  --json           print all runs as JSON on standard output, and the table on standard error
  --list           print the links`;

const VISIT_MS = 30_000;
const CONGESTIONS: readonly Congestion[] = ['bbr', 'cubic', 'reno'];

interface Plan {
  readonly runs: number;
  readonly clients: readonly ClientKind[];
  readonly congestions: readonly Congestion[];
}

/** A visit without a measurement: reported, but not counted among the runs. */
interface Lost {
  readonly link: string;
  readonly client: ClientKind;
  readonly why: string;
}

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '30' },
      links: { type: 'string' },
      random: { type: 'string' },
      seed: { type: 'string', default: '1' },
      clients: { type: 'string', default: CLIENT_KINDS.join(',') },
      congestion: { type: 'string' },
      jobs: { type: 'string', default: '4' },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return say(USAGE);
  const chosen =
    values.random === undefined
      ? chooseLinks(values.links)
      : randomLinks(number(values.random), number(values.seed));
  if (values.list)
    return say(chosen.map((link) => `${link.name} ${link.expected} ${link.down} ${link.up}`).join('\n'));
  const reason = whyNoLinks();
  if (reason !== undefined) {
    console.error(reason);
    return 1;
  }
  const plan: Plan = {
    runs: number(values.runs),
    clients: oneOf(values.clients, CLIENT_KINDS),
    congestions: values.congestion === undefined ? available() : oneOf(values.congestion, CONGESTIONS),
  };
  const { runs, lost } = await measure(chosen, plan, number(values.jobs));
  const text = `\n${table(runs)}`;
  if (!values.json) say(text);
  else {
    console.error(text);
    say(JSON.stringify({ plan, goals: goals(runs), lost, runs: runs.map(flat) }));
  }
  for (const { link, client, why } of lost) console.error(`no measurement: ${client} on ${link}: ${why}`);
  return lost.length === 0 && goals(runs).every(({ met }) => met) ? 0 : 1;
}

function say(text: string): number {
  console.log(text);
  return 0;
}

function number(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new Error(`${text} is not a number`);
  return Number(text);
}

function oneOf<T extends string>(text: string, all: readonly T[]): readonly T[] {
  return text.split(',').map((name) => {
    const found = all.find((each) => each === name);
    if (found === undefined) throw new Error(`${name} is none of ${all.join(', ')}`);
    return found;
  });
}

function chooseLinks(names: string | undefined): readonly ProbeLink[] {
  if (names === undefined) return links;
  const chosen = oneOf(
    names,
    links.map((link) => link.name),
  );
  return links.filter((link) => chosen.includes(link.name));
}

function available(): readonly Congestion[] {
  const have = readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8').trim().split(' ');
  const wanted = CONGESTIONS.slice(0, 2).filter((name) => have.includes(name));
  return wanted.length > 0 ? wanted : ['reno'];
}

async function measure(
  chosen: readonly ProbeLink[],
  plan: Plan,
  jobs: number,
): Promise<{ runs: Run[]; lost: Lost[] }> {
  const runs: Run[] = [];
  const lost: Lost[] = [];
  const done = { visits: 0 };
  const began = performance.now();
  const all = chosen.length * plan.runs * plan.clients.length;
  const progress = setInterval(() => {
    const minutes = ((performance.now() - began) / 60_000).toFixed(1);
    console.error(`${done.visits} of ${all} visits after ${minutes} min`);
  }, PROGRESS_MS);
  const worker = async (waiting: ProbeLink[]): Promise<void> => {
    for (let link = waiting.shift(); link !== undefined; link = waiting.shift()) {
      const found = await measureLink(link, plan, { lost, done });
      runs.push(...found);
      console.error(inBrief(summarise(link.name, found)));
    }
  };
  const far = chosen.filter((link) => link.rttMs >= FAR_MS);
  const near = chosen.filter((link) => link.rttMs < FAR_MS).sort((a, b) => b.rttMs - a.rttMs);
  try {
    await Promise.all([
      ...far.map((link) => worker([link])),
      ...Array.from({ length: Math.max(1, jobs) }, () => worker(near)),
    ]);
  } finally {
    clearInterval(progress);
  }
  runs.sort((a, b) => chosen.indexOf(a.link) - chosen.indexOf(b.link));
  return { runs, lost };
}

async function measureLink(
  link: ProbeLink,
  plan: Plan,
  { lost, done }: { readonly lost: Lost[]; readonly done: { visits: number } },
): Promise<Run[]> {
  const emulated = await openLink({ ...link, server: 'namespace' });
  try {
    const server = start(emulated, 'router-end.js');
    const [listening] = await once(server, 'message');
    const url = `ws://${emulated.serverAddress}:${listening.port}`;
    const client = start(emulated, 'client-end.js');
    await once(client, 'message');
    const runs: Run[] = [];
    for (let i = 0; i < plan.runs; i++) {
      const congestion = plan.congestions[i % plan.congestions.length] ?? 'cubic';
      emulated.setCongestion(congestion);
      for (const kind of plan.clients) {
        const result = await visit(server, client, { id: done.visits, kind, url });
        done.visits++;
        if ('why' in result) lost.push({ link: link.name, client: kind, why: result.why });
        else runs.push({ ...result, link, client: kind, congestion });
      }
    }
    return runs;
  } finally {
    await emulated.close();
  }
}

function start(emulated: EmulatedLink, file: string): ChildProcess {
  const command = [process.execPath, join(import.meta.dirname, file), emulated.serverAddress] as const;
  const options = { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] as ('ignore' | 'inherit' | 'ipc')[] };
  return file === 'router-end.js'
    ? emulated.runInServer(command, options)
    : emulated.runInClient(command, options);
}

type Measured = Pick<Run, 'outcome' | 'class' | 'tookMs' | 'bytes' | 'trains' | 'rttMs' | 'kbps'>;

/** One visit, until the client knows its pool; the router measures. */
async function visit(
  server: ChildProcess,
  client: ChildProcess,
  what: Visit,
): Promise<Measured | Pick<Lost, 'why'>> {
  let result: Measured | undefined;
  const take = (message: FromRouterEnd): void => {
    if (message.type === 'measured') result ??= message.result;
  };
  server.on('message', take);
  const visited = await new Promise<Visited | undefined>((resolve) => {
    const tooLong = setTimeout(() => finish(undefined), VISIT_MS);
    const heard = (message: Visited): void => {
      if (message.id === what.id) finish(message);
    };
    const finish = (found: Visited | undefined): void => {
      clearTimeout(tooLong);
      client.off('message', heard);
      resolve(found);
    };
    client.on('message', heard);
    client.send(what);
  });
  server.off('message', take);
  // The redirect counts, and it must match the router's measurement.
  if (visited?.pool === undefined) return { why: visited?.problem ?? `nothing within ${VISIT_MS} ms` };
  const told = visited.pool === 'desktop' ? 'fast' : 'slow';
  return result?.class === told ? result : { why: `sent to ${visited.pool}, measured ${result?.class}` };
}

function flat({ link, ...run }: Run): object {
  return { link: link.name, expected: link.expected, ...run };
}
