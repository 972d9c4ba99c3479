// `weir-publish` as people run it: its own process, a real NATS server, files, pipes, FIFOs and a shell. The streams
// have exactly what it reports as stored.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect } from '@nats-io/transport-node';
import type { NatsServer } from '@weir/local';
import { startNatsServer } from '@weir/local';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../harness/small-cluster.ts';

const program = fileURLToPath(new URL('../../../services/publisher/bin/weir-publish.mjs', import.meta.url));

let server: NatsServer;
let nats: NatsConnection;
let folder: string;
let channel: string;
let channels = 0;

beforeAll(async () => {
  server = await startNatsServer();
  nats = await connect({ servers: server.url });
  folder = await mkdtemp(join(tmpdir(), 'weir-publish-'));
});

afterAll(async () => {
  await nats.close();
  await server.stop();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  channels += 1;
  channel = `c${channels}`;
});

interface Ended {
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

const env = (): NodeJS.ProcessEnv => ({ ...process.env, FORCE_COLOR: '0', WEIR_NATS_URL: server.url });

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], { env: env() });
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    text.out += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    text.err += String(chunk);
  });
  const ended = once(child, 'close').then(
    ([code, signal]): Ended => ({ code: code ?? signal ?? 'none', ...text }),
  );
  return { child, ended };
}

function publish(...args: readonly string[]): Promise<Ended> {
  const { child, ended } = start(args);
  child.stdin.end();
  return ended;
}

/** Runs a line of bash in which `weir-publish` is the command. */
async function bash(script: string): Promise<Ended> {
  const command = `weir-publish() { ${process.execPath} ${program} "$@"; }; ${script}`;
  const child = spawn('bash', ['-o', 'pipefail', '-c', command], { cwd: folder, env: env() });
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    text.out += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    text.err += String(chunk);
  });
  child.stdin.end();
  const [code] = await once(child, 'close');
  return { code, ...text };
}

const line = (i: number, more: object = {}): string =>
  `${JSON.stringify({ t: i, lane: 'critical', channel, data: i, ...more })}\n`;
const lines = (count: number, more: (i: number) => object = () => ({})): string =>
  Array.from({ length: count }, (_, i) => line(i, more(i))).join('');

async function file(name: string, bytes: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

/** Messages of this test's channel in the critical stream. */
async function stored(): Promise<number> {
  const manager = await jetstreamManager(nats);
  const info = await manager.streams
    .info('WEIR_CRITICAL', { subjects_filter: `weir.critical.${channel}` })
    .catch(() => undefined);
  return info?.state.subjects?.[`weir.critical.${channel}`] ?? 0;
}

describe('duplicates', () => {
  it('are counted separately, and a replay that stored nothing says so', async () => {
    const path = await file(
      'ids.ndjson',
      lines(400, (i) => ({ id: `${channel}-${i}` })),
    );
    const first = await publish('replay', path, '--speed', 'max');
    expect(first.err).toContain('400 messages in ');
    expect(first.err).toMatch(/: 400 kept$/m);
    const second = await publish('replay', path, '--speed', 'max');
    expect(second.err).toContain(': 0 kept, 400 duplicates;');
    expect([first.code, second.code, await stored()]).toEqual([0, 3, 400]);
  });

  it('do not arise in the rounds of a loop', async () => {
    const path = await file(
      'loop.ndjson',
      lines(50, (i) => ({ id: `${channel}-${i}` })),
    );
    const { child, ended } = start(['replay', path, '--loop', '--speed', 'max']);
    await until(async () => (await stored()) >= 200, 'four rounds');
    child.kill('SIGINT');
    const { code, err } = await ended;
    const kept = Number(/: ([\d,]+) kept$/m.exec(err)?.[1]?.replaceAll(',', ''));
    expect(code).toBe(130);
    expect(kept).toBeGreaterThanOrEqual(200);
    expect(await stored()).toBe(kept);
  });
});

describe('inputs', () => {
  it.each([
    ['-', 'cat lines | weir-publish replay - --speed max'],
    ['- of a file', 'weir-publish replay - --speed max < lines'],
    ['/dev/stdin', 'cat lines | weir-publish replay /dev/stdin --speed max'],
    ['gzip by a pipe', 'gzip -c lines | weir-publish replay - --speed max'],
    ['a process substitution', 'weir-publish replay <(cat lines) --speed max'],
    ['a process substitution of gzip', 'weir-publish replay <(gzip -c lines) --speed max'],
    ['a FIFO', 'mkfifo f; (cat lines > f &); weir-publish replay f --speed max; c=$?; rm f; exit $c'],
    ['a file', 'weir-publish replay lines --speed max'],
  ])('reads %s', async (_, script) => {
    await file('lines', lines(3_000));
    const { code, err } = await bash(script);
    expect(err).toContain('3,000 messages in ');
    expect(err).toMatch(/: 3,000 kept$/m);
    expect([code, await stored()]).toEqual([0, 3_000]);
  });

  it('reads a socket, as some parents give', async () => {
    const { child, ended } = start(['replay', '-', '--speed', 'max']);
    child.stdin.end(gzipSync(lines(100)));
    expect(await ended).toMatchObject({ code: 0, err: expect.stringMatching(/: 100 kept$/m) });
  });

  it('publishes each line of a live pipe as it arrives, and a signal ends it while no line comes', async () => {
    const { child, ended } = start(['replay', '-']);
    child.stdin.write(line(0));
    await until(async () => (await stored()) === 1, 'the first line');
    child.stdin.write(line(1));
    await until(async () => (await stored()) === 2, 'the second line');
    child.kill('SIGINT');
    expect(await ended).toMatchObject({
      code: 130,
      err: expect.stringMatching(/^2 messages in .*: 2 kept$/m),
    });
  });

  it('waits for the writer of a FIFO', async () => {
    const path = join(folder, 'late');
    await bash('mkfifo late');
    const { ended } = start(['replay', path]);
    // Succeeds once `weir-publish` has the FIFO open for reading.
    let writer: number | undefined;
    await until(() => {
      try {
        writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENXIO')) throw error;
      }
      return writer !== undefined;
    }, 'a reader of the FIFO');
    if (writer === undefined) throw new Error('no writer');
    writeSync(writer, lines(3));
    closeSync(writer);
    expect(await ended).toMatchObject({ code: 0, err: expect.stringMatching(/: 3 kept$/m) });
  });

  it('refuses to loop over input that can be read only once', async () => {
    const { code, err } = await bash('echo "{}" | weir-publish replay - --loop');
    expect(err).toContain('--loop needs a file: what comes by standard input can be read only once');
    expect(code).toBe(2);
  });

  it.each([
    ['a folder', '.', /\. is a folder, not a file/],
    ['nothing', 'none', /there is no file none/],
    ['bzip2', 'x.bz2', /x\.bz2 is bzip2, not lines of UTF-8: bzip2 -dc x\.bz2 \| weir-publish replay -/],
    ['UTF-16', 'utf16', /utf16 is UTF-16, not lines of UTF-8: iconv -f UTF-16 -t UTF-8 utf16 \| weir/],
  ])('explains that %s is not a recording', async (_, path, sentence) => {
    await file('x.bz2', 'BZh91AY&SY');
    await file('utf16', Buffer.from(`\ufeff${lines(3)}`, 'utf16le'));
    const { code, err } = await bash(`weir-publish replay ${path}`);
    expect(err).toMatch(sentence);
    expect(code).toBe(1);
  });

  it.skipIf(process.getuid?.() === 0)('reports a file without read permission', async () => {
    const { code, err } = await bash('touch secret; chmod 0 secret; weir-publish replay secret');
    expect(err).toContain('secret may not be read: permission denied');
    expect(code).toBe(1);
  });

  it('reports where gzip data breaks off, and what was stored before', async () => {
    const whole = gzipSync(lines(20_000, () => ({ data: Math.random() })));
    const path = await file('cut.gz', whole.subarray(0, whole.length / 2));
    const { code, err } = await publish('replay', path, '--speed', 'max');
    const after = /after line (\d+): the gzip data ends too early: it is cut off/.exec(err)?.[1];
    expect(Number(after)).toBeGreaterThan(1_000);
    expect(err).toMatch(new RegExp(`: ${Number(after).toLocaleString('en')} kept$`, 'm'));
    expect([code, await stored()]).toEqual([1, Number(after)]);
  });

  it('counts the messages that were stored before a bad line', async () => {
    const path = await file('bad', `${lines(70)}nonsense\n${lines(5)}`);
    const { code, err } = await publish('replay', path, '--speed', 'max');
    expect(err).toMatch(/weir-publish: line 71: .*\(--skip-bad goes on\)\n70 messages in .*: 70 kept\n$/);
    expect([code, await stored()]).toEqual([1, 70]);
  });
});

describe('times', () => {
  it('are refused if they look like another unit, and accepted with an explicit unit', async () => {
    const path = await file(
      'seconds',
      lines(3, (i) => ({ t: 1_732_900_000 + i / 100 })),
    );
    const refused = await publish('replay', path);
    expect(refused.err).toMatch(/line 1: "t" is 1732900000, which looks like seconds .*--unit s/);
    expect([refused.code, await stored()]).toEqual([1, 0]);
    const said = await publish('replay', path, '--unit', 's');
    expect([said.code, await stored()]).toEqual([0, 3]);
  });
});

describe('a server that falls silent', () => {
  it('ends a replay with the number of stored messages and of unknown ones', async () => {
    const own = await startNatsServer();
    try {
      const path = await file('long', lines(200_000));
      const { child, ended } = start(['replay', path, '--speed', 'max', '--nats', own.url]);
      let told = '';
      child.stderr.on('data', (chunk) => {
        told += String(chunk);
      });
      await until(() => told.includes(' kept'), 'some are kept');
      if (own.pid === undefined) throw new Error('the server has ended');
      process.kill(own.pid, 'SIGSTOP');
      const { code, err } = await ended;
      process.kill(own.pid, 'SIGCONT');
      expect(err).toMatch(
        /weir-publish: line \d+: no acknowledgement came: it may or may not have been kept\n/,
      );
      const counts = /^([\d,]+) messages in .*: ([\d,]+) kept, ([\d,]+) not acknowledged$/m.exec(err);
      const [messages, kept, unknown] = (counts ?? [])
        .slice(1)
        .map((text) => Number(text.replaceAll(',', '')));
      expect(messages).toBe(Number(kept) + Number(unknown));
      expect([code, Number(kept) > 0, Number(unknown) > 0]).toEqual([1, true, true]);
    } finally {
      await own.stop();
    }
  });
});

describe('a closed output', () => {
  it('changes nothing about stored messages', async () => {
    const out = await bash(`weir-publish critical ${channel} 1 | true; echo "\${PIPESTATUS[0]}"`);
    expect(out).toMatchObject({ out: '0\n', err: '' });
    await file('lines', lines(20));
    const err = await bash(`weir-publish replay lines 2>&1 | true; echo "\${PIPESTATUS[0]}"`);
    expect(err.out).toBe('0\n');
    expect(await stored()).toBe(21);
  });

  it('is reported differently from a full disk', async () => {
    const { code, err } = await bash(`weir-publish critical ${channel} 1 > /dev/full`);
    expect(err).toContain('standard output cannot be written');
    expect([code, await stored()]).toEqual([0, 1]);
  });
});

describe('a restore', () => {
  it('that ends at a bad line says how many keys it has written before', async () => {
    const line = (key: string) => `{"lane":"state","channel":"${channel}","key":"${key}","data":1}`;
    const lines = `printf '%s\\n' '${line('a')}' '${line('a')}' '${line('b')}' nonsense`;
    const { code, err } = await bash(`${lines} | weir-publish restore -`);
    expect(code).toBe(1);
    expect(err).toMatch(/^weir-publish: line 4: .*\nbefore that: 2 keys written back, 1 left as the stream/m);
  });
});

describe('values', () => {
  it('may begin with a dash, and come from standard input', async () => {
    const negative = await publish('state', channel, 'k', '-1');
    expect(negative).toMatchObject({ code: 0, out: expect.stringMatching(/^WEIR_STATE \d+\n$/) });
    expect((await publish('critical', channel, '--', '-2.5')).code).toBe(0);
    expect((await bash(`echo ' 7 ' | weir-publish critical ${channel} -`)).code).toBe(0);
    expect((await bash(`(sleep 0.2; echo 7) | weir-publish critical ${channel} -`)).code).toBe(0);
    expect(await stored()).toBe(3);
  });

  it('are refused if their bytes are not UTF-8, as arguments and from standard input', async () => {
    for (const line of [
      `weir-publish critical c $'"caf\\xe9"'`,
      `printf '"caf\\xe9"' | weir-publish critical c -`,
    ])
      expect(await bash(line)).toMatchObject({ code: 2, err: expect.stringContaining('not valid UTF-8') });
  });

  it('are refused if standard input is empty or endless', async () => {
    expect(await bash('weir-publish critical c - < /dev/null')).toMatchObject({
      code: 2,
      err: expect.stringContaining('standard input is empty'),
    });
    expect(await bash('weir-publish critical c - < /dev/zero')).toMatchObject({
      code: 2,
      err: expect.stringContaining('more than 1048576 bytes'),
    });
    expect(await bash('weir-publish critical c - < .')).toMatchObject({
      code: 1,
      err: expect.stringContaining('standard input is a folder'),
    });
  });
});
