#!/usr/bin/env node
// weir-publish: the process. Reads words, environment and standard input; prints; sets the exit code.
import { readFileSync } from 'node:fs';
import { WEIR_VERSION } from '@weir/runtime';
import type { CliConfig } from '../config.ts';
import { readCliConfig } from '../config.ts';
import { makeMessage, NatsUnreachableError, Publishing } from '../weir-publish.ts';
import type { Command, Common } from './arguments.ts';
import { readArguments, UsageError } from './arguments.ts';
import type { FoundNats } from './find-nats.ts';
import { findNats, shownServers } from './find-nats.ts';
import { helpText } from './help.ts';
import type { ReplayState } from './progress.ts';
import { progressText, summaryText } from './progress.ts';
import { runRestore } from './restore.ts';

const progressEveryMs = process.stderr.isTTY ? 250 : 2_000;

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { command, common } = readArguments(process.argv.slice(2));
    if (command.kind === 'help') process.stdout.write(helpText);
    else if (command.kind === 'version') process.stdout.write(`${WEIR_VERSION}\n`);
    else return await withNats(command, common);
    return 0;
  } catch (error) {
    const hint = error instanceof UsageError ? ' (--help shows how)' : '';
    tell(`weir-publish: ${error instanceof Error ? error.message : String(error)}${hint}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

type NatsCommand = Exclude<Command, { kind: 'help' } | { kind: 'version' }>;

async function withNats(command: NatsCommand, common: Common): Promise<number> {
  // What is wrong with a message or a channel is said before any connection.
  const message = command.kind === 'publish' ? messageOf(command) : undefined;
  if (command.kind === 'demo')
    checked({ lane: 'critical', channel: command.channel, data: Buffer.from('0') });
  const config = readConfig(common);
  const nats = findNats({
    flag: common.nats,
    environment: config.natsUrl,
    folder: process.cwd(),
    readText,
  });
  const publishing = await connect(nats, config);
  try {
    if (message !== undefined) return await publish(publishing, message);
    if (command.kind === 'replay') return await runReplay(publishing, command);
    if (command.kind === 'restore') {
      const signal = stopOnSignal();
      const run = { source: command.source, stopped: () => signal.stopped, tell, everyMs: 2_000 };
      return await runRestore(publishing, run);
    }
    if (command.kind === 'demo') return await runDemo(publishing, command.channel);
    return 1;
  } finally {
    await publishing.close();
  }
}

function messageOf(command: Extract<Command, { kind: 'publish' }>): ReturnType<typeof checked> {
  const { lane, channel, key, data, id } = command;
  return checked({ lane, channel, key, id, data: data === undefined ? undefined : bytesOf(data) });
}

function checked(parts: Parameters<typeof makeMessage>[0]) {
  const parsed = makeMessage(parts);
  if ('problem' in parsed) throw new UsageError(parsed.problem.message);
  return parsed.value;
}

/** Standard input loses the white space around it: an editor's or echo's newline is not part of a value. */
function bytesOf(data: string): Uint8Array {
  if (data !== '-') return Buffer.from(data);
  return Buffer.from(readFileSync(0, 'latin1').replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''), 'latin1');
}

function readConfig(common: Common): CliConfig {
  const flags = common.prefix === undefined ? {} : { WEIR_SUBJECT_PREFIX: common.prefix };
  const result = readCliConfig(flags);
  if ('problems' in result) throw new UsageError(result.problems.join('; '));
  return result.config;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

async function connect({ servers, source }: FoundNats, config: CliConfig): Promise<Publishing> {
  try {
    return await Publishing.open(servers, config);
  } catch (cause) {
    if (!(cause instanceof NatsUnreachableError)) throw cause;
    const where = `${shownServers(servers)} (from ${source})`;
    throw new Error(`NATS does not answer at ${where}; start it (npm start does), or say --nats URL`, {
      cause,
    });
  }
}

async function publish(publishing: Publishing, message: ReturnType<typeof checked>): Promise<number> {
  const outcome = await publishing.publish(message);
  switch (outcome.kind) {
    case 'kept':
      process.stdout.write(`${outcome.stream} ${outcome.seq}${outcome.duplicate ? ' duplicate' : ''}\n`);
      return 0;
    case 'sent':
      process.stdout.write('sent\n');
      return 0;
    case 'refused':
      throw new Error(`not kept: NATS refused it: ${outcome.message}`);
    case 'unavailable':
      throw new Error('not kept: NATS went away, or no stream takes this subject');
    case 'unknown':
      throw new Error('NATS did not acknowledge it in time: it may or may not have been kept');
  }
}

async function runReplay(
  publishing: Publishing,
  command: Extract<Command, { kind: 'replay' }>,
): Promise<number> {
  const startMs = performance.now();
  const signal = stopOnSignal();
  let toldMs = startMs;
  let state: ReplayState | undefined;
  const report = await publishing.replay({
    ...command,
    stopped: () => signal.stopped,
    progress: (counts) => {
      const nowMs = performance.now();
      state = { ...counts, elapsedMs: nowMs - startMs };
      if (nowMs - toldMs < progressEveryMs) return;
      toldMs = nowMs;
      tellProgress(progressText(state));
    },
  });
  tellProgress('');
  tell(summaryText({ ...report, elapsedMs: performance.now() - startMs }));
  return signal.stopped ? 130 : 0;
}

async function runDemo(publishing: Publishing, channel: string): Promise<number> {
  tell(`playing the lobby on channel ${channel} until Ctrl-C`);
  const signal = stopOnSignal();
  let turns = 0;
  let lost = 0;
  await publishing.demo({
    channel,
    stopped: () => signal.stopped,
    turn: (counts) => {
      turns += 1;
      if (counts.lost > 0) tell(`${counts.lost} messages were not kept: NATS is away or refuses them`);
      lost += counts.lost;
    },
  });
  tell(`${turns} turns, ${lost} messages lost`);
  return 0;
}

/** The first Ctrl-C ends in order, the second at once. */
function stopOnSignal(): { readonly stopped: boolean } {
  const state = { stopped: false };
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      state.stopped = true;
    });
  }
  return state;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** On a terminal one line that changes, elsewhere a line at a time. */
function tellProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
  else if (text !== '') tell(text);
}
