// Owns the life of `npm start`: claim, page, NATS, services, ready, and the end of all of it. Read this first.
// Must never leave a process, a port, a temporary folder or a claim behind.
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster, type ClusterNats } from './cluster.ts';
import { openNats, withoutPassword } from './nats/open-nats.ts';
import { readServerInfo } from './nats/server-info.ts';
import type { Live } from './page-server/live.ts';
import { type PageConfig, type PageServer, PortTakenError, servePage } from './page-server/serve-page.ts';
import { plan } from './plan.ts';
import { onChosenPort, portsFrom, takenText, USUAL_PAGE_PORT } from './ports.ts';
import { serviceEnvironment } from './service-environment.ts';
import { onEndRequested, onParentLost } from './signals.ts';
import { Stage } from './stage/stage.ts';
import { claim } from './state/claim.ts';
import { localState, readLocalFile, removeLocalFile, writeLocalFile } from './state/local-file.ts';
import { endOrphans } from './state/orphans.ts';
import { LOCAL_FILE, ROOT, runningText, STATE_FOLDER } from './state/running.ts';
import { untilShardsKnown } from './supervise/known-shards.ts';
import { keepLive } from './terminal/keep-live.ts';
import { canShowLiveLine, LiveLine } from './terminal/live-line.ts';
import { Once } from './terminal/once.ts';
import { Reporter } from './terminal/reporter.ts';

export interface LocalOptions {
  /** The page's; router, publisher, NATS and console have those behind it. undefined = 7700, or the next that is free. */
  readonly port: number | undefined;
  readonly demo: boolean;
  /** The folder that keeps the streams, as it was typed; undefined = they go with the cluster. */
  readonly keep: string | undefined;
}

/** What the demo feed publishes on. */
const CHANNELS = ['lobby'] as const;
const TICKET_KEY_BYTES = 32;
/** Its watcher gives it 3 s to end by SIGTERM. */
const NATS_ENDS_WITHIN_MS = 5000;
const LOOK_MS = 50;

/** Runs the cluster until it is asked to end; every failure is told in words. Answers the exit code. */
export async function runLocal(options: LocalOptions): Promise<number> {
  const canShow = canShowLiveLine(process.stdout, process.env);
  const colour = canShow && process.env['NO_COLOR'] === undefined;
  process.stdout.on('error', () => {}); // whoever read our lines is gone; that is no reason to stop
  const live = new LiveLine({
    write: (text) => process.stdout.write(text),
    columns: () => process.stdout.columns ?? 80,
  });
  const reporter = new Reporter({ write: (text) => live.write(text), colour });
  const claimed = claimOf(STATE_FOLDER);
  if (typeof claimed === 'string') {
    reporter.line(`cannot start: ${claimed}`);
    return 1;
  }
  if (!claimed.taken) {
    reporter.line(runningText(claimed.pid, readLocalFile(LOCAL_FILE)));
    return 1;
  }
  const run = new LocalRun(reporter, canShow ? live : undefined);
  process.once('exit', () => {
    run.abandon(); // nothing to do after an orderly end
    claimed.release();
  });
  const asked = new Promise<string>((resolve) => {
    onEndRequested({
      first: resolve,
      again: () => {
        reporter.line('ending everything now');
        process.exit(1);
      },
    });
  });
  const lost = new Promise<string>((resolve) => onParentLost(() => resolve('npm is gone')));
  const ended = Promise.race([asked, lost]);
  const starting = run.start(options, claimed.stale);
  let exitCode = 0;
  try {
    await Promise.race([starting, ended]);
    const why = await ended;
    live.hide();
    reporter.line(`stopping (${why})`);
  } catch (error) {
    reporter.line(`cannot start: ${error instanceof Error ? error.message : String(error)}`);
    exitCode = 1;
  }
  await run.end();
  await starting.catch(() => {}); // whatever it opened meanwhile, it closed
  reporter.line('stopped: nothing is left running');
  return exitCode;
}

/** What one run has opened, so that it can be closed at any moment. */
class LocalRun {
  readonly #reporter: Reporter;
  /** Undefined where the output is no terminal. */
  readonly #live: LiveLine | undefined;
  readonly #closers: (() => Promise<void> | void)[] = [];
  readonly #ending = new AbortController();
  readonly #once = new Once();
  #cluster: Cluster | undefined;

  constructor(reporter: Reporter, live: LiveLine | undefined) {
    this.#reporter = reporter;
    this.#live = live;
  }

  /** Resolves when all is ready. */
  async start(options: LocalOptions, stale: boolean): Promise<void> {
    const ports = portsFrom(options.port ?? USUAL_PAGE_PORT);
    const say = (line: string): void => this.#reporter.event({ who: 'local', what: line });
    if (stale) await this.#cleanUpAfterKill(say);
    const shout = (what: string): void => this.#reporter.event({ who: 'page', what, tone: 'bad' });
    let tellPage: (config: PageConfig) => void = () => {};
    const config = new Promise<PageConfig>((resolve) => {
      tellPage = resolve;
    });
    let stage: Stage | undefined;
    const served = { config: () => config, live: () => stage };
    const page = await this.#opened(openPage(options.port, served, shout), (opened) => opened.close());
    this.#reporter.line(`page       ${page.url}`);
    const { shared, given, notes } = await serviceEnvironment(process.env);
    for (const note of notes) say(note);
    const { signal } = this.#ending;
    // npm changes into the folder of package.json; INIT_CWD is where the command was typed.
    const from = process.env['INIT_CWD'] ?? process.cwd();
    const storeDir = options.keep === undefined ? undefined : resolve(from, options.keep);
    if (storeDir !== undefined) this.#claimStreams(storeDir);
    const nats = await this.#opened(
      openNats({
        env: process.env,
        say,
        shout: (what) => this.#reporter.event({ who: 'nats', what, tone: 'bad' }),
        log: (line) => this.#natsSaid(line),
        signal,
        port: ports.nats,
        storeDir,
      }),
      (opened) => opened.stop(),
    );
    this.#reporter.event({ who: 'nats', what: `up ${withoutPassword(nats.url)}`, tone: 'good' });
    const ticketKeys = `local:${randomBytes(TICKET_KEY_BYTES).toString('base64url')}`;
    const cluster = new Cluster({
      nats,
      phases: plan({ natsUrl: nats.url, ticketKeys, demo: options.demo, ports, given }),
      env: shared,
      on: (event) => {
        const line = this.#once.tell(event);
        if (line !== undefined) this.#reporter.event(line);
        if (event.kind === 'up' && event.again) write();
      },
    });
    this.#cluster = cluster;
    this.#closers.push(() => cluster.stop());
    const write = (): void => {
      if (signal.aborted) return;
      const where = { nats: nats.url, page: page.url, pid: process.pid };
      writeLocalFile(LOCAL_FILE, localState(cluster.services(), where));
    };
    await cluster.start();
    signal.throwIfAborted();
    await untilShardsKnown(cluster.services(), signal);
    this.#closers.push(() => removeLocalFile(LOCAL_FILE));
    write();
    const { router, publisher, console } = localState(cluster.services(), {
      nats: nats.url,
      page: page.url,
      pid: process.pid,
    });
    if (options.demo) stage = await this.#openStage(cluster, nats, given.publisher['WEIR_API_KEYS']);
    tellPage({
      router: `${router}/v1/connect`,
      channels: CHANNELS,
      publisher,
      console,
      nats: withoutPassword(nats.url),
      stage: stage?.describe(),
    });
    const seconds = (performance.now() / 1000).toFixed(1); // since the process began, set-up included
    this.#reporter.line(`router     ${router}/v1/connect?channels=${CHANNELS.join(',')}`);
    this.#reporter.line(`publisher  ${publisher}/v1/publish`);
    this.#reporter.line(`console    ${console}`);
    if (storeDir !== undefined) this.#reporter.line(`streams    kept in ${storeDir}`);
    this.#reporter.line(`ready in ${seconds} s: open ${page.url} (Ctrl-C stops everything)`);
    if (this.#live !== undefined) void keepLive(this.#live, console, signal);
  }

  /** Closes what is open, the newest first; what opens later closes itself. */
  async end(): Promise<void> {
    this.#ending.abort(new Error('ending'));
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        this.#reporter.line(`while stopping: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  /** For the very last moment: ends what runs, without waiting. NATS sees that we are gone, and follows. */
  abandon(): void {
    this.#cluster?.abandon();
    removeLocalFile(LOCAL_FILE);
  }

  async #opened<T>(opening: Promise<T>, close: (opened: T) => Promise<void>): Promise<T> {
    const opened = await opening;
    if (this.#ending.signal.aborted) {
      await close(opened);
      this.#ending.signal.throwIfAborted();
    }
    this.#closers.push(() => close(opened));
    return opened;
  }

  /** Lines, crowd and buttons of the page; they end before the cluster does. */
  #openStage(cluster: Cluster, nats: ClusterNats, apiKeys = ''): Promise<Stage> {
    const [apiKey] = apiKeys.split(',').filter((key) => key !== '');
    const opening = Stage.open({
      services: () => cluster.services(),
      signal: (id, signal) => cluster.signal(id, signal),
      nats:
        nats.kill === undefined
          ? undefined
          : { kill: async (signal) => nats.kill?.(signal), restart: () => nats.restart() },
      apiKey,
      recording: join(ROOT, 'examples/market.ndjson.gz'),
    });
    return this.#opened(opening, (opened) => opened.close());
  }

  async #cleanUpAfterKill(say: (line: string) => void): Promise<void> {
    say('the last run was killed: cleaning up after it');
    const { services = [], nats } = readLocalFile(LOCAL_FILE) ?? {};
    const ended = await endOrphans({ services, folder: join(ROOT, 'services') });
    if (nats !== undefined) await untilGone(nats);
    if (ended > 0) say(`ended ${ended} of its services that had not ended by themselves`);
    removeLocalFile(LOCAL_FILE);
  }

  /** Two NATS servers on one folder would spoil it. */
  #claimStreams(folder: string): void {
    const claimed = claimOf(folder);
    if (typeof claimed === 'string') throw new Error(`--keep: ${claimed}`);
    if (!claimed.taken)
      throw new Error(`another cluster (process ${claimed.pid}) keeps its streams in ${folder}`);
    this.#closers.push(() => claimed.release());
  }

  #natsSaid(line: string): void {
    if (/\[(WRN|ERR|FTL)\]/.test(line)) this.#reporter.event({ who: 'nats', what: line });
  }
}

/** The claim, or why the folder cannot be claimed. */
function claimOf(folder: string): ReturnType<typeof claim> | string {
  try {
    return claim(folder);
  } catch (error) {
    return `${folder} cannot be used: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The NATS server of a supervisor that was killed ends by itself; until then it has the port and the streams. */
async function untilGone(url: string): Promise<void> {
  const untilMs = performance.now() + NATS_ENDS_WITHIN_MS;
  const answers = (): Promise<boolean> => readServerInfo(url.split(',')[0] ?? url).then(Boolean, () => false);
  // A server of somebody else's answers for longer: it was given by NATS_URL.
  while (performance.now() < untilMs && (await answers())) await delay(LOOK_MS);
}

async function openPage(
  port: number | undefined,
  served: { readonly config: () => Promise<PageConfig>; readonly live: () => Live | undefined },
  shout: (line: string) => void,
): Promise<PageServer> {
  const folder = join(ROOT, 'local/page');
  const sdk = join(ROOT, 'packages/client/dist/weir.js');
  const serve = (on: number): Promise<PageServer> => servePage({ port: on, folder, sdk, ...served });
  if (port !== undefined) return serve(port);
  const page = await onChosenPort(USUAL_PAGE_PORT, serve, (error) => error instanceof PortTakenError);
  const taken = takenText(USUAL_PAGE_PORT, page.port);
  if (taken !== undefined) shout(taken);
  return page;
}
