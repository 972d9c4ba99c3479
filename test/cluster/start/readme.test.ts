// The README's publishing and its client, run as they are printed, against `npm start` in a copy of the project.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyProject, type ProjectCopy } from '../../harness/programs/project-copy.ts';
import { StartedProgram } from '../../harness/programs/started-program.ts';

const README = new URL('../../../README.md', import.meta.url);

/** Stands for the `nats` command where it is not installed: `nats pub SUBJECT PAYLOAD`, at NATS_URL. */
const NATS_COMMAND = `import { connect } from '@nats-io/transport-node';
const [pub, subject, payload] = process.argv.slice(2);
if (pub !== 'pub' || payload === undefined) throw new Error('nats pub SUBJECT PAYLOAD');
const connection = await connect({ servers: process.env.NATS_URL });
connection.publish(subject, payload);
await connection.drain();
`;

let copy: ProjectCopy;
const started: StartedProgram[] = [];

beforeAll(async () => {
  copy = await copyProject();
  await mkdir(join(copy.folder, 'commands'));
  await writeFile(join(copy.folder, 'commands/nats.mjs'), NATS_COMMAND);
  const script = `#!/bin/sh\nexec node "${copy.folder}/commands/nats.mjs" "$@"\n`;
  await writeFile(join(copy.folder, 'commands/nats'), script, { mode: 0o755 });
  const market = `${JSON.stringify({ t: 5, lane: 'state', channel: 'odds', key: 'match-9', data: { away: 9 } })}\n`;
  await writeFile(join(copy.folder, 'market.ndjson.gz'), gzipSync(market));
});

afterAll(async () => {
  for (const program of started) await program.end();
  await copy.remove();
});

describe('the README', () => {
  it('says how to publish and to connect', { timeout: 180_000 }, async () => {
    const [publishing, client] = await Promise.all([block('Publish', 'sh'), block('Connect', 'js')]);
    for (const code of [publishing, client]) expect(code.trim().split('\n').length).toBeLessThanOrEqual(10);
    await start(['npm', 'start', '--', '--port', '0', '--no-demo']).line(/^ready/, 120_000);
    await writeFile(join(copy.folder, 'hello.mjs'), client);
    const hello = start(['node', 'hello.mjs']);
    await hello.line(/^open (desktop|mobile) [\d.]+ /);

    const path = `${join(copy.folder, 'commands')}:${process.env['PATH']}`;
    const publisher = start(['bash', '-euo', 'pipefail', '-c', publishing], { PATH: path });
    expect([await publisher.ended(), publisher.text]).toEqual([0, expect.stringMatching(/WEIR_CRITICAL 2/)]);

    await hello.line(/'match-9' => \{ away: 9 \}/);
    expect(hello.text).toMatch(/'match-7' => \{ home: 2.1 \}/);
    expect(hello.text).toMatch(/'match-8' => \{ home: 1.4 \}/);
    const critical = hello.lines.filter((line) => line.startsWith('critical'));
    expect(critical).toEqual(["critical 1 { goal: 'home' }", "critical 2 { goal: 'away' }"]);
  });
});

function start(command: readonly [string, ...string[]], env: NodeJS.ProcessEnv = {}): StartedProgram {
  const program = new StartedProgram(command, copy.folder, env);
  started.unshift(program);
  return program;
}

/** The first block of a language below a heading. */
async function block(heading: string, language: string): Promise<string> {
  const [, section = ''] = (await readFile(README, 'utf8')).split(`\n## ${heading}\n`);
  const found = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(
    section.split('\n## ')[0] ?? '',
  );
  if (found?.[1] === undefined) throw new Error(`no ${language} below ${heading}`);
  return found[1];
}
