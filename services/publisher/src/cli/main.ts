#!/usr/bin/env node
// weir-publish: the process. Reads arguments, environment and standard input; prints; sets the exit code.
import { readFileSync } from 'node:fs';
import { WEIR_VERSION } from '@weir/runtime';
import type { CliConfig } from '../config.ts';
import { readCliConfig } from '../config.ts';
import { openInput } from '../replay/open-input.ts';
import { makeMessage, NatsUnreachableError, Publishing } from '../weir-publish.ts';
import type { Command, Common } from './arguments.ts';
import { readArguments, UsageError } from './arguments.ts';
import type { FoundNats } from './find-nats.ts';
import { findNats, shownServers } from './find-nats.ts';
import { helpText } from './help.ts';
import { readValue } from './read-value.ts';
import { runDemo } from './run-demo.ts';
import { openRecording, runRehearsal, runReplay } from './run-replay.ts';
import { runRestore } from './run-restore.ts';
import { leave, outliveReaders, print, tell } from './terminal.ts';

outliveReaders();
await leave(await main());

async function main(): Promise<number> {
  try {
    const { command, common } = readArguments(process.argv.slice(2));
    if (command.kind === 'help') process.stdout.write(helpText);
    else if (command.kind === 'version') print(WEIR_VERSION);
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
  // Errors in a message, a channel or a file are reported before any connection.
  const message = command.kind === 'publish' ? await messageOf(command) : undefined;
  if (command.kind === 'demo')
    checked({ lane: 'critical', channel: command.channel, data: Buffer.from('0') });
  if (command.kind === 'replay' && command.dryRun) return await rehearsed(command);
  const config = readConfig(common);
  const nats = findNats({
    flag: common.nats,
    environment: config.natsUrl,
    folder: process.cwd(),
    readText,
  });
  const recording = command.kind === 'replay' ? openRecording(command) : undefined;
  try {
    const publishing = await connect(nats, config);
    try {
      if (message !== undefined) return await publish(publishing, message);
      if (command.kind === 'replay' && recording !== undefined)
        return await runReplay(publishing, command, recording);
      if (command.kind === 'restore') return await runRestore(publishing, command.source);
      if (command.kind === 'demo') return await runDemo(publishing, command.channel);
      return 1;
    } finally {
      await publishing.close();
    }
  } finally {
    recording?.close();
  }
}

/** Needs no NATS. */
async function rehearsed(command: Extract<Command, { kind: 'replay' }>): Promise<number> {
  const recording = openRecording(command);
  try {
    return await runRehearsal(command, recording);
  } finally {
    recording.close();
  }
}

async function messageOf(
  command: Extract<Command, { kind: 'publish' }>,
): Promise<ReturnType<typeof checked>> {
  const { lane, channel, key, escapeKey, data, id } = command;
  return checked({
    lane,
    channel,
    ...(escapeKey ? { keyText: key } : { key }),
    id,
    data: data === undefined ? undefined : await bytesOf(data),
  });
}

function checked(parts: Parameters<typeof makeMessage>[0]) {
  const parsed = makeMessage(parts);
  if ('problem' in parsed) {
    const { code, message } = parsed.problem;
    const hint = code === 'NOT_JSON' ? `; text wants its own quotes inside the shell's: '"text"'` : '';
    throw new UsageError(message + hint);
  }
  return parsed.value;
}

async function bytesOf(data: string): Promise<Uint8Array> {
  if (data !== '-') {
    // Node puts this character where the bytes of an argument are not UTF-8.
    if (data.includes('\ufffd'))
      throw new UsageError('the JSON is not valid UTF-8, or has U+FFFD in it: give it by standard input (-)');
    return Buffer.from(data);
  }
  const input = openInput('-');
  try {
    return await readValue(input);
  } finally {
    input.close();
  }
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
      print(`${outcome.stream} ${outcome.seq}${outcome.duplicate ? ' duplicate' : ''}`);
      return 0;
    case 'sent':
      print('sent');
      return 0;
    case 'refused':
      throw new Error(`not kept: NATS refused it: ${outcome.message}`);
    case 'unavailable':
      throw new Error('not kept: NATS went away, or no stream takes this subject');
    case 'unknown':
      throw new Error('NATS did not acknowledge it in time: it may or may not have been kept');
  }
}
