// Compares the tables of docs/protocol.md with packages/protocol and the router's refusals. Types do not exist at run
// time, so the test reads them from the source.
import { readdir, readFile } from 'node:fs/promises';
import {
  closeCodes,
  createSubjects,
  defaultStreamLimits,
  ERROR_CODES,
  LANES,
  limits,
  paths,
  streamDefinitions,
  subprotocol,
} from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import { tableOf } from './markdown-table.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): Promise<string> => readFile(new URL(path, root), 'utf8');
const page = await read('docs/protocol.md');
const messages = await read('packages/protocol/src/messages.ts');
const router = 'services/router/src/accept/';

/** Fields of an exported interface of messages.ts, marked `optional` like in the table. */
function fieldsOf(name: string): readonly string[] {
  const body = new RegExp(`export interface ${name} \\{([^}]*)\\}`).exec(messages)?.[1] ?? '';
  return [...body.matchAll(/readonly (\w+)(\??):/g)]
    .filter(([, field]) => field !== 'type')
    .map(([, field, mark]) => (mark === '?' ? `${field} optional` : `${field}`));
}

/** The members of an exported union of strings. */
function unionOf(name: string): readonly string[] {
  const body = new RegExp(`export type ${name} =([^;]*);`).exec(messages)?.[1] ?? '';
  return [...body.matchAll(/'(\w+)'/g)].map(([, text]) => String(text));
}

/** The messages of a table: only the first row of a message has its name. */
function documentedMessages(heading: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let current = '';
  for (const row of tableOf(page, heading, ['message', 'field', 'type'])) {
    current = row['message'] || current;
    const field = `${row['field']} ${row['']}`.trim();
    found.set(current, [...(found.get(current) ?? []), ...(field === '' ? [] : [field])]);
  }
  return found;
}

describe('docs/protocol.md', () => {
  it('lists every close code with its reason and what a client does next', () => {
    const rows = tableOf(page, '## 9. Closing', ['code', 'reason', 'then']);
    expect(rows.map((row) => [Number(row['code']), row['reason'], row['then']])).toEqual(
      Object.values(closeCodes).map(({ code, reason, after }) => [code, reason, after]),
    );
  });

  it('says when to reconnect after every kind of close', () => {
    const rows = tableOf(page, '## 10. Coming back', ['then, or what ended it']);
    const said = rows.flatMap((row) => [...(row['then, or what ended it'] ?? '').matchAll(/`(\w+)`/g)]);
    const after = Object.values(closeCodes).map((row) => row.after);
    // A cell that is all code has already lost its code marks: tableOf takes them off.
    const whole = rows.map((row) => row['then, or what ended it']);
    expect(
      [...new Set(after)].filter((one) => !whole.includes(one) && !said.some(([, text]) => text === one)),
    ).toEqual([]);
  });

  it('lists every limit with its value', () => {
    const rows = tableOf(page, '## 11. Limits', ['limit', 'value']);
    expect(
      Object.fromEntries(rows.map((row) => [row['limit'], Number(row['value']?.replaceAll(',', ''))])),
    ).toEqual(limits);
  });

  it('lists every lane, in order', () => {
    expect(tableOf(page, '## Words and names', ['lane', 'promise']).map((row) => row['lane'])).toEqual([
      ...LANES,
    ]);
  });

  it('lists the fields of every message of the cluster', () => {
    const documented = documentedMessages('### 3.1 From the cluster');
    const names = [...messages.matchAll(/^export interface (\w+)Message \{/gm)].map(([, name]) =>
      String(name),
    );
    const known = names.filter((name) => name !== 'Client');
    expect([...documented.keys()].sort()).toEqual(known.map((name) => name.toLowerCase()).sort());
    for (const name of known) {
      expect(documented.get(name.toLowerCase()), name).toEqual(fieldsOf(`${name}Message`));
    }
  });

  it('lists the fields of every message of a client', () => {
    const documented = documentedMessages('### 3.2 From the client');
    const body = /readonly type: ([^;]*);\s*readonly channels/.exec(messages)?.[1] ?? '';
    expect([...documented.keys()]).toEqual([...body.matchAll(/'(\w+)'/g)].map(([, type]) => type));
    const all = fieldsOf('ClientMessage');
    expect(documented.get('subscribe')).toEqual(all);
    expect(documented.get('unsubscribe')).toEqual(all.filter((field) => field !== 'last optional'));
  });

  it('lists the values of enumerated fields', () => {
    const rows = tableOf(page, '### 3.1 From the cluster', ['message', 'field', 'type']);
    const wordsOf = (field: string): readonly string[] => {
      const text = rows.find((row) => row['field'] === field)?.['meaning'] ?? '';
      return [...text.matchAll(/`(\w+)`/g)].map(([, word]) => String(word));
    };
    expect(wordsOf('confidence')).toEqual(unionOf('Confidence'));
    expect(wordsOf('reason')).toEqual(unionOf('MoveReason'));
    const errors = tableOf(page, '### 3.1 From the cluster', ['error code', 'meaning']);
    expect(errors.map((row) => row['error code'])).toEqual([...ERROR_CODES]);
  });

  it('lists the subjects and streams', () => {
    const subjects = createSubjects();
    const fill = (text = ''): string =>
      text.replace(/<(\w+)>/g, (_, name: string) => ({ channel: 'sports.42', key: 'k1' })[name] ?? name);
    const streams = streamDefinitions(subjects);
    const rows = tableOf(page, '## 12. Publishing', ['subject', 'lane', 'kept in']);
    expect(rows.map((row) => row['lane'])).toEqual([...LANES]);
    for (const row of rows) {
      const subject = fill(row['subject']);
      const address = subjects.parse(subject);
      expect(address).toMatchObject({ lane: row['lane'], channel: 'sports.42' });
      if (address !== undefined) expect(subjects.data(address)).toBe(subject);
      if (row['lane'] === 'cosmetic') continue;
      const stream = row['lane'] === 'state' ? streams.state : streams.critical;
      expect(row['kept in']).toContain(`\`${stream.name}\``);
      expect(subjects.fromLive(fill(row['republished as']))).toBe(subject);
    }
    const kept = rows.find((row) => row['lane'] === 'critical')?.['kept in'] ?? '';
    expect(kept).toContain(`${defaultStreamLimits.criticalMaxAgeMs / 60_000} minutes`);
    expect(kept).toContain(defaultStreamLimits.criticalMaxPerChannel.toLocaleString('en'));
    const own = tableOf(page, "These subjects are the cluster's own; publishers MUST NOT use them:", [
      'subject',
    ]);
    expect(own.map((row) => fill(row['subject']))).toEqual([
      `${subjects.prefix}.live.>`,
      subjects.beat('pool', 'shard'),
      subjects.shed('shard'),
      subjects.drain('shard'),
      subjects.figures,
      subjects.rebalance,
      subjects.rejected,
      subjects.cleanupMark,
      subjects.edge('state'),
      subjects.edge('critical'),
    ]);
  });

  it('lists the paths, the subprotocols and the query parameters of both services', async () => {
    expect(page).toContain(`\`GET ${paths.connect}\``);
    expect(page).toContain(`\`GET ${paths.stream}\``);
    expect(page).toContain(`\`${subprotocol.version}\``);
    expect(page).toContain(`\`${subprotocol.tokenPrefix}<JWT>\``);
    const names = (heading: string): readonly (string | undefined)[] =>
      tableOf(page, heading, ['query parameter', 'required']).map((row) => row['query parameter']);
    expect(asked(await read(`${router}request.ts`))).toEqual(names('### 1.1 The request'));
    expect(asked(await read('services/shard/src/fan-out-thread/admit/admission.ts'))).toEqual(
      names('### 2.1 The request'),
    );
  });

  it('lists every refusal of the router with its status', async () => {
    const rows = tableOf(page, '### 1.2 Refusals', ['status', 'code', 'why']);
    const files = (await readdir(new URL(router, root))).filter((name) => /^[a-z-]+\.ts$/.test(name));
    const source = (await Promise.all(files.map((name) => read(router + name)))).join('\n');
    const refusals = [...source.matchAll(/status: (\d{3}),\s*code: '([A-Z_]+)'/g)];
    expect(refusals.length).toBeGreaterThan(7);
    // 426 BAD_REQUEST has a status of its own: a bad request that names a wrong WebSocket version.
    const known = [...refusals.map(([, status, code]) => `${status} ${code}`), '426 BAD_REQUEST'];
    expect(rows.map((row) => `${row['status']} ${row['code']}`).sort()).toEqual([...new Set(known)].sort());
  });
});

/** The query parameters that a service reads, in order. */
function asked(source: string): readonly string[] {
  return [
    ...new Set([...source.matchAll(/(?:params|query)\.get\('(\w+)'\)/g)].map(([, name]) => String(name))),
  ];
}
