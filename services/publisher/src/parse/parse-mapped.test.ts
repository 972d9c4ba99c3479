import { describe, expect, it } from 'vitest';
import { type Mapping, parseMapped } from './parse-mapped.ts';
import { parseRecordPath, valueAt } from './record-path.ts';

const at = (text: string) => {
  const path = parseRecordPath(text);
  if (path === undefined) throw new Error(`no path: ${text}`);
  return { path, shown: text };
};
const base: Mapping = {
  lane: { text: 'state' },
  channel: { text: 'trades' },
  key: at('.sym'),
  data: at('.'),
  t: at('.ts'),
  id: undefined,
};
const parse = (record: string, mapping: Partial<Mapping> = {}, msPerUnit = 1) =>
  parseMapped(Buffer.from(record), { ...base, ...mapping }, msPerUnit);
const dataOf = (parsed: ReturnType<typeof parse>): string =>
  'value' in parsed ? Buffer.from(parsed.value.message.data).toString() : JSON.stringify(parsed);

describe('parseMapped', () => {
  it('makes a state message of a record, with its exact bytes', () => {
    const record = '{"sym":"BTC-USD","ts":1700000000000,"px":1.0,"n":17843232920108168701}';
    const parsed = parse(` ${record} `);
    expect(parsed).toMatchObject({
      value: {
        at: 1_700_000_000_000,
        message: { address: { lane: 'state', channel: 'trades', key: 'BTC-USD' } },
      },
    });
    expect(dataOf(parsed)).toBe(record);
  });

  it('escapes keys, and keeps numbers as written', () => {
    expect(parse('{"sym":1.200806927,"ts":1}')).toMatchObject({
      value: { message: { address: { key: '__1_2E200806927' } } },
    });
    expect(parse('{"sym":"EUR/USD","ts":"12.5"}')).toMatchObject({
      value: { at: 12.5, message: { address: { key: '__EUR_2FUSD' } } },
    });
  });

  it('reads lane, channel, data and id from the record, and no key for other lanes', () => {
    const mapping = { lane: at('.kind'), channel: at('.m.name'), data: at('.m.rows[1]'), id: at('.n') };
    const parsed = parse(
      '{"kind":"critical","m":{"name":"a.b","rows":[0,{"x":1.0}]},"n":7,"sym":"s","ts":2}',
      mapping,
    );
    expect(parsed).toMatchObject({
      value: { message: { address: { lane: 'critical', channel: 'a.b' }, id: '7' } },
    });
    expect(dataOf(parsed)).toBe('{"x":1.0}');
  });

  it('converts dates to times in the unit', () => {
    const record = '{"sym":"a","ts":"2026-11-29T21:00:00.250Z"}';
    const ms = Date.parse('2026-11-29T21:00:00.250Z');
    expect(parse(record)).toMatchObject({ value: { at: ms } });
    expect(parse(record, {}, 1_000)).toMatchObject({ value: { at: ms / 1_000 } });
  });

  it.each([
    '2026-11-30',
    '2026-11-30 21:00:00',
    '2026-11-30T21:00+05:30',
    '2026-11-30 21:00:00.123456Z',
    'Mon, 30 Nov 2026 21:00:00 GMT',
    '30 Nov 2026 21:00',
  ])('takes %s for a date', (ts) => {
    expect(parse(JSON.stringify({ sym: 'a', ts }))).toMatchObject({ value: { at: Date.parse(ts) } });
  });

  it.each(['game 7', 'next tuesday 5', '0x10', '1_000', 'a', '12:30', '2026-13-45', '11/30/2026', ''])(
    'takes %s for no time',
    (ts) => {
      const parsed = parse(JSON.stringify({ sym: 'a', ts }));
      expect(parsed).toMatchObject({ problem: { code: 'FIELD_INVALID' } });
    },
  );

  it.each([
    ['{"ts":1}', 'the record has nothing at .sym for "key"'],
    ['{"sym":"a"}', 'the record has nothing at .ts for "t"'],
    ['{"sym":"a","ts":"soon"}', '"t" is "soon": neither a number from 0 on nor a date'],
    ['{"sym":"a","ts":-1}', 'neither a number'],
    ['{"sym":{"a":1},"ts":1}', '"key" at .sym must be text or a number'],
    ['{"sym":"","ts":1}', 'is no key'],
    ['[1', 'is not'],
    ['7', 'nothing at .ts'],
  ])('says of %s what is wrong', (record, words) => {
    const parsed = parse(record);
    expect('problem' in parsed ? parsed.problem.message : parsed).toContain(words);
  });
});

describe('a path in a record', () => {
  const record = Buffer.from('{"a":{"b c":[1,{"d":2.50}]},"a-b":1,"x":1,"x":2,"e":[]}');

  it.each([
    ['.a."b c"[1].d', '2.50'],
    ['.a-b', '1'],
    ['.x', '2'],
    ['.e', '[]'],
    ['.e[0]', undefined],
    ['.a.d', undefined],
    ['.a[0]', undefined],
  ])('%s is %s', (path, value) => {
    expect(valueAt(record, at(path).path)?.toString()).toBe(value);
  });

  it.each(['', 'a', '..a', '.a b', '.a.', '.a[x]', '."a', '.a[1'])('%j is none', (text) => {
    expect(parseRecordPath(text)).toBeUndefined();
  });
});
