// Chooses between an external NATS server (NATS_URL or WEIR_NATS_URL) and a server of our own.
import type { ClusterNats } from '../cluster.ts';
import { isFreePort, onChosenPort, takenText } from '../ports.ts';
import { findNatsServer, isNewEnough, type NatsProgram } from './find-nats-server.ts';
import { readServerInfo } from './server-info.ts';
import { type NatsServer, startNatsServer } from './start-nats-server.ts';

export interface OpenNatsOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly say: (line: string) => void;
  /** Gets lines that a person should not miss. */
  readonly shout: (line: string) => void;
  /** Gets each line of our own server's log. */
  readonly log: (line: string) => void;
  /** Aborts a running download. */
  readonly signal?: AbortSignal;
  /** The usual port of our own server; 0 = a free one. */
  readonly port: number;
  /** Where our own server keeps its streams; undefined = a temporary folder. */
  readonly storeDir: string | undefined;
}

/** Opens the server for the cluster; rejects with an explanation if it cannot be used. */
export async function openNats(options: OpenNatsOptions): Promise<ClusterNats> {
  const { env, say, signal, storeDir } = options;
  const name = ['NATS_URL', 'WEIR_NATS_URL'].find((one) => (env[one] ?? '') !== '');
  if (name === undefined) {
    const program = await findNatsServer({ env, say, ...(signal === undefined ? {} : { signal }) });
    return startOwn(program, options);
  }
  if (storeDir !== undefined)
    throw new Error(`--keep is for a NATS server of our own; the one of ${name} keeps its streams itself`);
  const servers = serversOf(env[name] ?? '', name);
  const given = servers.join(',');
  const shown = withoutPassword(given);
  await checkOne(servers, name);
  say(`NATS server of ${name} (${shown})`);
  return { url: given, stop: async () => {}, restart: async () => {}, onCrash: () => {} };
}

async function startOwn(
  program: NatsProgram,
  { log, shout, port: usual, storeDir }: OpenNatsOptions,
): Promise<NatsServer> {
  const kept = storeDir === undefined ? {} : { storeDir };
  const server = await onChosenPort(
    usual,
    (port) => startNatsServer({ program, log, port, ...kept }),
    async (_, port) => !(await isFreePort(port)),
  );
  const taken = takenText(usual, server.port);
  if (taken !== undefined) shout(taken);
  return server;
}

/** As the services and the NATS command read them: comma separated, `nats://` may be missing. */
function serversOf(text: string, name: string): readonly string[] {
  return text.split(',').map((entry) => {
    const server = entry.trim();
    const url = server.includes('://') ? server : `nats://${server}`;
    if (URL.canParse(url) && /^(?:nats|tls):\/\/[^/?#]+\/?$/.test(url)) return url;
    throw new Error(
      `${name} must name NATS servers such as nats://127.0.0.1:4222, comma separated, not ${withoutPassword(server) || 'nothing'}`,
    );
  });
}

/** At least one of the servers must answer: the services use those that do. */
async function checkOne(servers: readonly string[], name: string): Promise<void> {
  const looks = servers.map((url) => check(url, `${withoutPassword(url)} (${name})`));
  const [first] = await Promise.allSettled(looks).then((ends) =>
    ends.some(({ status }) => status === 'fulfilled')
      ? []
      : ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : [])),
  );
  if (first !== undefined) throw first;
}

async function check(url: string, shown: string): Promise<void> {
  const info = await readServerInfo(url).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`no NATS server answers at ${shown}: ${reason}`);
  });
  if (!isNewEnough(info.version)) {
    throw new Error(`the NATS server at ${shown} is ${info.version}; 2.10 or later is needed`);
  }
  if (!info.jetstream) {
    throw new Error(`the NATS server at ${shown} has no JetStream; start it with -js`);
  }
}

/** One or more URLs for output, without their passwords. */
export function withoutPassword(urls: string): string {
  return urls.replace(/\/\/[^/?#]*@/g, '//***@').replace(/[?#][^,]+/g, '?***');
}
