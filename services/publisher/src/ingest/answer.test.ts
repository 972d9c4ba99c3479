import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../send/outcome.ts';
import type { MessageResult } from './answer.ts';
import { answerBatch, answerOne, answerRefusal, resultOf } from './answer.ts';
import { refusals } from './refusals.ts';

const value = { address: { lane: 'critical', channel: 'c' }, data: new Uint8Array(1) } as const;
const result = (outcome: Outcome): MessageResult => resultOf({ value }, outcome);
const kept = result({ kind: 'kept', stream: 'WEIR_CRITICAL', seq: 7, duplicate: false });
const away = result({ kind: 'unavailable' });
const unknown = result({ kind: 'unknown' });
const invalid = resultOf({ problem: { code: 'FIELD_INVALID', message: 'in words' } }, undefined);
const large = resultOf({ problem: { code: 'DATA_TOO_LARGE', message: 'in words' } }, undefined);

describe('answerOne', () => {
  it('returns stream and sequence of a kept message', () => {
    const answer = answerOne(kept);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ ok: true, stream: 'WEIR_CRITICAL', seq: 7 });
    expect(JSON.parse(answerOne(result({ kind: 'sent' })).body)).toEqual({ ok: true });
    const again = result({ kind: 'kept', stream: 'S', seq: 7, duplicate: true });
    expect(JSON.parse(answerOne(again).body)).toEqual({ ok: true, stream: 'S', seq: 7, duplicate: true });
  });

  it('distinguishes unknown from not kept', () => {
    expect(JSON.parse(answerOne(away).body)).toMatchObject({ ok: false, kept: false });
    expect(JSON.parse(answerOne(unknown).body)).toMatchObject({ ok: false, kept: 'unknown' });
  });

  it('says when to retry, if that may help', () => {
    for (const later of [away, unknown]) {
      const { status, headers } = answerOne(later);
      expect([status, headers['retry-after']]).toEqual([503, '1']);
    }
    expect(answerOne(invalid)).toMatchObject({ status: 400 });
    expect(answerOne(large)).toMatchObject({ status: 413 });
    expect(answerOne(invalid).headers).not.toHaveProperty('retry-after');
    expect(answerOne(result({ kind: 'refused', message: 'full' }))).toMatchObject({ status: 502 });
  });
});

describe('answerBatch', () => {
  it.each([
    [[kept, kept], 200],
    [[kept, invalid], 207],
    [[kept, away], 207],
    [[kept, unknown], 207],
    [[away, invalid], 503],
    [[unknown, away], 503],
    [[invalid, large], 400],
  ])('answers %j with %i', (results, status) => {
    const answer = answerBatch(results);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({ kept: results.filter(({ ok }) => ok).length, results });
  });

  it('counts duplicates', () => {
    const duplicate = { ok: true, stream: 'S', seq: 1, duplicate: true } as const;
    const results = [kept, duplicate, invalid, duplicate];
    expect(JSON.parse(answerBatch(results).body)).toEqual({ kept: 3, duplicates: 2, results });
  });
});

describe('answerRefusal', () => {
  it('has the headers that HTTP requires for its status', () => {
    expect(answerRefusal({ code: 'METHOD' }).headers).toMatchObject({ allow: 'POST' });
    expect(answerRefusal({ code: 'UNAUTHORISED' }).headers).toHaveProperty('www-authenticate');
    expect(answerRefusal({ code: 'RATE_LIMITED', retryAfterS: 9 })).toMatchObject({
      status: 429,
      headers: { 'retry-after': '9' },
    });
    expect(answerRefusal({ code: 'BUSY' })).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  });
});

describe('docs/publishing.md', () => {
  const page = readFileSync(new URL('../../../../docs/publishing.md', import.meta.url), 'utf8');
  const rows = new Map(
    [...page.matchAll(/^\| `([A-Z_0-9]+)` *\| ([0-9]+)/gm)].map(([, code = '', status]) => [
      code,
      Number(status),
    ]),
  );

  it('lists every refusal of a request with its status', () => {
    for (const [code, { status }] of Object.entries(refusals))
      expect([code, rows.get(code)]).toEqual([code, status]);
  });

  it('lists every reason to refuse a message with its status, and nothing else', () => {
    const alone: Readonly<Record<string, number>> = {
      NOT_JSON: 400,
      NOT_UTF8: 400,
      BYTE_ORDER_MARK: 400,
      NOT_AN_OBJECT: 400,
      FIELD_UNKNOWN: 400,
      FIELD_DUPLICATE: 400,
      FIELD_MISSING: 400,
      FIELD_INVALID: 400,
      DATA_TOO_LARGE: 413,
      DATA_TOO_DEEP: 400,
      DATA_NUMBER: 400,
      EMPTY: 400,
      TOO_MANY_MESSAGES: 413,
      NATS_UNAVAILABLE: 503,
      NO_ACKNOWLEDGEMENT: 503,
      REFUSED: 502,
    };
    for (const [code, status] of Object.entries(alone))
      expect([code, rows.get(code)]).toEqual([code, status]);
    const known = new Set([...Object.keys(alone), ...Object.keys(refusals)]);
    expect([...rows.keys()].filter((code) => !known.has(code))).toEqual([]);
  });
});
