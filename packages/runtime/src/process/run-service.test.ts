import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { commonSettings } from '../config/common-settings.ts';
import { parse } from '../config/parse.ts';
import { createLogger } from '../logging/logger.ts';
import type { RunOptions, Service } from './run-service.ts';
import { runService } from './run-service.ts';

const table = {
  ...commonSettings,
  maxClients: {
    env: 'WEIR_MAX_CLIENTS',
    parse: parse.int({ min: 1, max: 1e9 }),
    default: 1_000_000_000,
    meaning: 'Clients',
  },
};

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

interface Bench {
  readonly lines: () => readonly Record<string, unknown>[];
  readonly ran: string[];
  readonly exits: number[];
  readonly exited: Promise<number>;
  signal(name: string): void;
  run(): Promise<void>;
}

function setUp(given: Partial<Service> = {}, change: Partial<RunOptions<typeof table>> = {}): Bench {
  const lines: string[] = [];
  const ran: string[] = [];
  const exits: number[] = [];
  const listeners = new Map<string, (detail: unknown) => void>();
  let exit: (code: number) => void = () => undefined;
  const exited = new Promise<number>((resolve) => {
    exit = resolve;
  });
  const host = {
    on: (event: string, listener: (detail: unknown) => void) => listeners.set(event, listener),
    exit(code: number) {
      exits.push(code);
      exit(code);
    },
  };
  const options: RunOptions<typeof table> = {
    service: 'test',
    summary: 'is a test',
    table,
    argv: [],
    env: { WEIR_NATS_URL: 'nats://127.0.0.1:1', WEIR_ADMIN_PORT: '0' },
    host,
    logger: createLogger({ service: 'test', level: 'info', sink: { write: (line) => lines.push(line) } }),
    create({ link, logger: _logger, registry: _registry }) {
      ends.push(() => void link.close());
      return {
        start: async () => {
          ran.push('start');
          return { url: 'ws://here', about: { pool: 'mobile' } };
        },
        health: () => ({ ready: true, reasons: [] }),
        stops: [{ name: 'stop', run: () => void ran.push('stop') }],
        ...given,
      };
    },
    ...change,
  };
  return {
    lines: () => lines.map((line) => JSON.parse(line)),
    ran,
    exits,
    exited,
    signal: (name) => listeners.get(name)?.(undefined),
    run: () => runService(options),
  };
}

it('starts the service, then the admin server, reports the addresses, and ends both in order', async () => {
  const { lines, ran, exited, signal, run } = setUp();
  await run();
  const said = lines().find(({ msg }) => msg === 'listening');
  expect(said).toMatchObject({ url: 'ws://here', pool: 'mobile' });
  const admin = String(said?.['admin']);
  expect(await (await fetch(`${admin}/metrics`)).text()).toContain('weir_build_info{service="test"');
  expect((await fetch(`${admin}/readyz`)).status).toBe(200);
  signal('SIGTERM');
  expect(await exited).toBe(0);
  expect(ran).toEqual(['start', 'stop']);
  await expect(fetch(`${admin}/livez`)).rejects.toThrow();
});

it('serves the routes of the service', async () => {
  const body = { status: 200, contentType: 'text/plain', body: 'gone' };
  const { lines, exited, signal, run } = setUp({ removals: { '/thing': () => body } });
  await run();
  const admin = String(lines().find(({ msg }) => msg === 'listening')?.['admin']);
  const answer = await fetch(`${admin}/thing`, { method: 'DELETE' });
  expect(await answer.text()).toBe('gone');
  signal('SIGTERM');
  await exited;
});

it.each([
  ['the service', false],
  ['the admin server', true],
])('says in one line why %s cannot start, and exits with 1', async (_what, adminTaken) => {
  const taken = createServer().listen(0, '127.0.0.1');
  ends.push(() => taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as AddressInfo;
  const { lines, exited, run } = adminTaken
    ? setUp({}, { env: { WEIR_NATS_URL: 'nats://127.0.0.1:1', WEIR_ADMIN_PORT: String(port) } })
    : setUp({ start: () => Promise.reject(new Error('set WEIR_PORT to a free port')) });
  await run();
  expect(await exited).toBe(1);
  const fatal = lines().find(({ level }) => level === 'fatal');
  expect(fatal).toMatchObject({ msg: 'cannot start' });
  expect(JSON.stringify(fatal)).toMatch(adminTaken ? /set WEIR_ADMIN_PORT to a free port/ : /set WEIR_PORT/);
});

it('lowers settings to the sockets that fit, and names them', async () => {
  let got: unknown;
  const { lines, exited, signal, run } = setUp(
    {},
    {
      fit: (config, room) => ({ ...config, maxClients: Math.min(7, room) }),
      create: ({ config, link }) => {
        got = config.maxClients;
        ends.push(() => void link.close());
        return { start: async () => ({}), health: () => ({ ready: true, reasons: [] }), stops: [] };
      },
    },
  );
  await run();
  expect(got).toBe(7);
  expect(lines().find(({ level }) => level === 'warn')).toMatchObject({
    settings: { WEIR_MAX_CLIENTS: 7 },
    msg: 'the limit of open files lowers these settings',
  });
  signal('SIGTERM');
  await exited;
});
