// docs/openapi.yaml and docs/asyncapi.yaml are valid and agree with the code.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Validator } from '@seriousme/openapi-schema-validator';
import { ERROR_CODES, limits } from '@weir/protocol';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const require = createRequire(import.meta.url);
const root = new URL('../../', import.meta.url);
const read = (path: string): Promise<string> => readFile(new URL(path, root), 'utf8');
const openapi = parse(await read('docs/openapi.yaml'));
const asyncapi = parse(await read('docs/asyncapi.yaml'));

/** The members of a union of strings in a source file: `export type Name = | 'A' | 'B';`. */
async function union(path: string, name: string): Promise<readonly string[]> {
  const [, body = ''] = new RegExp(`export type ${name} =([^;]*);`).exec(await read(path)) ?? [];
  return [...body.matchAll(/'([^']+)'/g)].map(([, text = '']) => text).sort();
}

/** The entries of a list in a source file: `export const NAMES = ['A', 'B'] as const;`. */
async function list(path: string, name: string): Promise<readonly string[]> {
  const [, body = ''] = new RegExp(`export const ${name} = \\[([^\\]]*)\\]`).exec(await read(path)) ?? [];
  return [...body.matchAll(/'([^']+)'/g)].map(([, text = '']) => text).sort();
}

describe('docs/openapi.yaml', () => {
  const { schemas, responses } = openapi.components;
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema(openapi, 'openapi.yaml');
  const holds = (schema: string, value: unknown): boolean =>
    ajv.validate({ $ref: `openapi.yaml#/components/schemas/${schema}` }, value);

  it('is OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(openapi);
    expect([valid, errors]).toEqual([true, undefined]);
  });

  it("lists the publisher's codes, with an answer for each status", async () => {
    const problems = await list('services/publisher/src/parse/message.ts', 'PROBLEM_CODES');
    const answers = ['NATS_UNAVAILABLE', 'NO_ACKNOWLEDGEMENT', 'REFUSED'];
    expect([...schemas.FailureCode.enum].sort()).toEqual([...problems, ...answers].sort());
    const table = await read('services/publisher/src/ingest/refusals.ts');
    expect([...schemas.RefusalCode.enum].sort()).toEqual(
      await union('services/publisher/src/ingest/refusals.ts', 'RefusalCode'),
    );
    const statuses = new Set([...table.matchAll(/status: (\d+)/g)].map(([, status = '']) => status));
    const described = Object.keys(openapi.paths['/v1/publish'].post.responses);
    for (const status of [...statuses, '200', '207', '400', '413', '502', '503'])
      expect(described).toContain(status);
    expect(Object.keys(responses)).toHaveLength(4);
  });

  it('lists the fields of a message and their limits', async () => {
    const source = await read('services/publisher/src/parse/parse-message.ts');
    const [, names = ''] = /messageFields = \[([^\]]*)\]/.exec(source) ?? [];
    const fields = [...names.matchAll(/'(\w+)'/g)].map(([, name]) => name);
    const { properties } = schemas.Message;
    expect(Object.keys(properties)).toEqual(fields);
    expect([properties.channel.maxLength, properties.key.maxLength]).toEqual([
      limits.channelChars,
      limits.keyChars,
    ]);
    expect(properties.data.description).toContain(limits.messageBytes.toLocaleString('en'));
    expect(source).toContain(properties.id.pattern);
  });

  it('accepts and refuses the same messages as the publisher', () => {
    const { examples } = openapi.paths['/v1/publish'].post.requestBody.content['application/json'];
    for (const { value } of Object.values<{ value: unknown }>(examples))
      for (const message of Array.isArray(value) ? value : [value])
        expect([message, holds('Message', message)]).toEqual([message, true]);
    for (const wrong of [
      { lane: 'state', channel: 'c', data: 1 },
      { lane: 'state', channel: 'c', key: 'a.b', data: 1 },
      { lane: 'state', channel: 'c', key: 'a', keyText: 'a', data: 1 },
      { lane: 'critical', channel: 'c', key: 'a', data: 1 },
      { lane: 'critical', channel: 'c', delete: true },
      { lane: 'state', channel: 'c', key: 'a', data: 1, delete: true },
      { lane: 'state', channel: 'c', key: 'a', data: 1, ttl: 1 },
    ])
      expect([wrong, holds('Message', wrong)]).toEqual([wrong, false]);
  });
});

describe('docs/asyncapi.yaml', () => {
  const { messages, schemas } = asyncapi.components;

  it('is AsyncAPI 3', async () => {
    const schema = require('@asyncapi/specs/schemas/3.0.0-without-$id.json');
    const ajv = new Ajv({ strict: false, validateFormats: false });
    expect([ajv.validate(schema, asyncapi), ajv.errors]).toEqual([true, null]);
    const { info: _info, ...without } = asyncapi;
    expect(ajv.validate(schema, without)).toBe(false);
  });

  it('lists every message of the wire protocol with its fields', async () => {
    const source = await read('packages/protocol/src/messages.ts');
    const types = [...source.matchAll(/readonly type: ('\w+'(?: \| '\w+')*)/g)].flatMap(([, names = '']) =>
      [...names.matchAll(/'(\w+)'/g)].map(([, name = '']) => name),
    );
    expect(Object.keys(messages).sort()).toEqual([...new Set(types)].sort());
    for (const [, body = ''] of source.matchAll(/export interface \w+Message \{([^}]*)\}/g)) {
      const fields = [...body.matchAll(/readonly (\w+)(\??):/g)];
      const type = /readonly type: '(\w+)'/.exec(body)?.[1] ?? '';
      const { properties, required } = messages[type].payload;
      expect([type, Object.keys(properties)]).toEqual([type, fields.map(([, name]) => name)]);
      expect(required).toEqual(fields.filter(([, , optional]) => optional === '').map(([, name]) => name));
    }
    expect(messages.error.payload.properties.code.enum).toEqual([...ERROR_CODES]);
    expect(messages.move.payload.properties.reason.enum.toSorted()).toEqual(
      await union('packages/protocol/src/messages.ts', 'MoveReason'),
    );
  });

  it('states the limits of the wire protocol', () => {
    expect(schemas.channel.maxLength).toBe(limits.channelChars);
    expect(schemas.key.maxLength).toBe(limits.keyChars);
    expect(schemas.channels.maxItems).toBe(limits.channelsPerConnection);
    expect(messages.position.payload.properties.pos.maxLength).toBe(limits.positionChars);
  });
});
