// One measurement window of one server under its load: CPU, bytes, latencies. Opens and ends a server with its load.
import { Load } from './load.ts';
import type { LoadReport } from './load-process.ts';
import { cpuSeconds, residentBytes } from './process-usage.ts';
import { quantile, sleep } from './scenario.ts';
import type { Server } from './servers.ts';

export interface Measured {
  readonly cpuSeconds: number;
  readonly loadCpuSeconds: number;
  readonly seconds: number;
  /** Ticks of the feed during the window. */
  readonly ticks: number;
  readonly residentMb: number;
  readonly report: LoadReport;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly criticalP99Ms: number;
}

/** Measures for `seconds` and leaves the feed as it is. */
export async function measure(server: Server, load: Load, seconds: number): Promise<Measured> {
  await server.profile(true);
  const ticks = await server.ticks();
  const cpu = cpuSeconds(server.pid);
  const loadCpu = cpuSeconds(load.pid);
  const startMs = performance.now();
  const report = await load.measure(seconds);
  const measured = {
    cpuSeconds: cpuSeconds(server.pid) - cpu,
    loadCpuSeconds: cpuSeconds(load.pid) - loadCpu,
    seconds: (performance.now() - startMs) / 1000,
    ticks: (await server.ticks()) - ticks,
    residentMb: residentBytes(server.pid) / 1e6,
    report,
  };
  await server.profile(false);
  const state = report.stateMs.toSorted((a, b) => a - b);
  const critical = report.criticalMs.toSorted((a, b) => a - b);
  return {
    ...measured,
    p50Ms: quantile(state, 0.5),
    p99Ms: quantile(state, 0.99),
    criticalP99Ms: quantile(critical, 0.99),
  };
}

/** Plays a paused feed for one window, after a moment to settle. */
export async function measureAlone(server: Server, load: Load, seconds: number): Promise<Measured> {
  server.play(true);
  await sleep(SETTLE_MS);
  try {
    return await measure(server, load, seconds);
  } finally {
    server.play(false);
  }
}

const SETTLE_MS = 2_000;

/** A server and its clients. */
export interface Bench<S extends Server = Server> {
  readonly server: S;
  readonly load: Load;
}

/** Runs something with servers and their loads, and ends them all. */
export async function withServers<S extends Server, T>(
  starts: readonly (() => Promise<S>)[],
  open: (bench: Bench<S>) => Promise<void>,
  run: (benches: readonly Bench<S>[]) => Promise<T>,
): Promise<T> {
  const benches: Bench<S>[] = [];
  try {
    for (const start of starts) {
      const bench = { server: await start(), load: new Load() };
      benches.push(bench);
      await open(bench);
    }
    return await run(benches);
  } finally {
    for (const { server, load } of benches) {
      await load.end();
      await server.stop();
    }
  }
}
