// The process of weir-load: arguments, clients, output, exit code.
import { readFileSync } from 'node:fs';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { HELP, type LoadArguments, readArguments, UsageError } from './arguments.ts';
import { LoadClient } from './client.ts';
import { Counts } from './counts.ts';
import { localPublisher } from './local-publisher.ts';
import { StampPublisher } from './publish.ts';
import { finalText, liveText, type OwnLag, reportOf } from './report.ts';

const SECOND_MS = 1_000;
const LAG_RESOLUTION_MS = 10;

// A reader that is gone (`| head -1`) ends no run: its exit code counts.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

process.exit(await main());

async function main(): Promise<number> {
  try {
    const args = readArguments(process.argv.slice(2), (url) => localPublisher(url, process.cwd(), readText));
    if (args !== 'help') return await run(args);
    process.stdout.write(HELP);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`weir-load: ${error.message} (--help shows how)\n`);
    return 2;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

async function run(args: LoadArguments): Promise<number> {
  const counts = new Counts();
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  lag.enable();
  const startMs = performance.now();
  const seconds = (): number => (performance.now() - startMs) / SECOND_MS;
  let [lastBytes, lastSeconds] = [0, 0];
  const live = setInterval(() => {
    const now = seconds();
    const bytesPerSecond = (counts.bytes - lastBytes) / Math.max(now - lastSeconds, 1e-3);
    const line = liveText(reportOf(counts, args, now), { bytesPerSecond, ageMs: counts.takeRecentAges() });
    [lastBytes, lastSeconds] = [counts.bytes, now];
    process.stderr.write(`${line}\n`);
  }, SECOND_MS);
  const publisher =
    args.publish === undefined ? undefined : new StampPublisher(args.publish, args.channels, counts);
  publisher?.start();
  const clients = await ramp(args, counts, stopping.signal);
  await sleep(args.runMs, undefined, { signal: stopping.signal }).catch(() => undefined);
  await publisher?.stop();
  clearInterval(live);
  const report = reportOf(counts, args, seconds(), lagOf(lag));
  for (const client of clients) client.end();
  process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : `${finalText(report)}\n`);
  return report.broken.length === 0 ? 0 : 1;
}

/** The histogram has the times between two ticks of a timer, in nanoseconds. */
function lagOf(histogram: IntervalHistogram): OwnLag {
  const ms = (ns: number): number => Math.max(0, Math.round(ns / 1e6 - LAG_RESOLUTION_MS));
  return { p99: ms(histogram.percentile(99)), max: ms(histogram.max) };
}

/** Starts all clients, evenly over the ramp. */
async function ramp(
  args: LoadArguments,
  counts: Counts,
  stopping: AbortSignal,
): Promise<readonly LoadClient[]> {
  const clients: LoadClient[] = [];
  const startMs = performance.now();
  while (clients.length < args.clients && !stopping.aborted) {
    const elapsed = args.rampMs === 0 ? 1 : (performance.now() - startMs) / args.rampMs;
    const due = Math.min(args.clients, Math.ceil(args.clients * elapsed));
    while (clients.length < due) {
      const client = new LoadClient({
        url: urlOf(args, clients.length),
        token: args.token,
        counts,
        random: Math.random,
      });
      clients.push(client);
      client.start();
    }
    await sleep(10);
  }
  return clients;
}

/** Spreads the clients with a class evenly among the others. */
function urlOf({ url, channels, slow }: LoadArguments, index: number): string {
  const isSlow = slow !== undefined && Math.floor((index + 1) * slow.share) > Math.floor(index * slow.share);
  return `${url}?channels=${channels.join(',')}${isSlow ? `&class=${slow.pool}` : ''}`;
}
