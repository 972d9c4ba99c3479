import { describe, expect, it } from 'vitest';
import { readArguments, UsageError } from './arguments.ts';

const read = (...argv: readonly string[]) => readArguments(argv).command;

describe('readArguments', () => {
  it('reads a message of each lane', () => {
    expect(read('state', 'lobby', 'slot-1', '{"on":true}')).toEqual({
      kind: 'publish',
      lane: 'state',
      channel: 'lobby',
      key: 'slot-1',
      escapeKey: false,
      data: '{"on":true}',
      id: undefined,
    });
    expect(read('state', 'c', 'EUR/USD', '1', '--escape-key')).toMatchObject({
      key: 'EUR/USD',
      escapeKey: true,
    });
    expect(read('critical', 'lobby', '1', '--id', 'x')).toMatchObject({ key: undefined, data: '1', id: 'x' });
    expect(read('cosmetic', 'lobby', '-')).toMatchObject({ lane: 'cosmetic', data: '-' });
    expect(read('state', 'lobby', 'slot-1', '--delete')).toMatchObject({ key: 'slot-1', data: undefined });
  });

  it('accepts values that begin with -', () => {
    expect(read('critical', 'lobby', '-1')).toMatchObject({ data: '-1' });
    expect(read('state', 'c', 'k', '-1.5e3')).toMatchObject({ key: 'k', data: '-1.5e3' });
    expect(read('state', '-c', '-k', '-0')).toMatchObject({ channel: '-c', key: '-k', data: '-0' });
    expect(read('critical', 'c', '-1', '--id', '-x')).toMatchObject({ data: '-1', id: '-x' });
    expect(read('replay', '-x.gz')).toMatchObject({ path: '-x.gz' });
    expect(read('critical', 'lobby', '--', '-1')).toMatchObject({ data: '-1' });
    expect(read('state', 'c', '--', '--k', '-1')).toMatchObject({ key: '--k', data: '-1' });
    expect(read('critical', 'c', '-h')).toEqual({ kind: 'help' });
  });

  it('reads standard input for -', () => {
    expect(read('replay', '-')).toMatchObject({ path: '-' });
    expect(read('replay', '--', '-')).toMatchObject({ path: '-' });
  });

  it.each(['s', 'ms', 'us', 'ns'])('takes the unit %s', (unit) => {
    expect(read('replay', 'f', '--unit', unit)).toMatchObject({ unit });
  });

  it('reads a replay and its flags', () => {
    expect(read('replay', 'f.gz')).toEqual({
      kind: 'replay',
      path: 'f.gz',
      unit: undefined,
      speed: 1,
      maxPauseMs: 1_000,
      loop: false,
      skipBad: false,
      channelPrefix: '',
      rate: undefined,
      dryRun: false,
      csv: false,
      columns: undefined,
      mapping: undefined,
    });
    expect(
      read(
        'replay',
        'f',
        '--speed=2.5',
        '--max-pause',
        '2s',
        '--loop',
        '--skip-bad',
        '--channel-prefix',
        'test.',
      ),
    ).toMatchObject({ speed: 2.5, maxPauseMs: 2_000, loop: true, skipBad: true, channelPrefix: 'test.' });
    expect(read('replay', 'f', '--speed', 'max', '--max-pause', '1000')).toMatchObject({
      speed: Number.POSITIVE_INFINITY,
      maxPauseMs: 1_000,
    });
  });

  it('reads a mapping of records that are not messages', () => {
    expect(
      read('replay', 'f', '--key', '.sym', '--channel', 'odds', '--t', '.ts', '--unit', 'ns'),
    ).toMatchObject({
      unit: 'ns',
      csv: false,
      mapping: {
        lane: { text: 'state' },
        channel: { text: 'odds' },
        key: { path: ['sym'] },
        t: { path: ['ts'] },
        data: { path: [] },
        id: undefined,
      },
    });
    expect(
      read('replay', 'f', '--csv', '--lane', 'critical', '--channel', '.a."b c"[2]', '--rate', '50'),
    ).toMatchObject({ csv: true, rate: 50, mapping: { channel: { path: ['a', 'b c', 2] }, key: undefined } });
    expect(
      read('replay', 'f', '--columns', 'id, price', '--key', '.id', '--channel', 'c', '--rate', '1'),
    ).toMatchObject({ csv: true, columns: ['id', 'price'] });
    expect(read('replay', 'f', '--dry-run')).toMatchObject({ dryRun: true, mapping: undefined });
  });

  it('reads the source of a restore', () => {
    expect(read('restore', 'http://127.0.0.1:9090')).toEqual({
      kind: 'restore',
      source: 'http://127.0.0.1:9090',
    });
    expect(read('restore', '-')).toEqual({ kind: 'restore', source: '-' });
  });

  it('reads the common flags', () => {
    expect(readArguments(['demo', 'x', '--nats', 'nats://a:1', '--prefix', 'p'])).toEqual({
      command: { kind: 'demo', channel: 'x' },
      common: { nats: 'nats://a:1', prefix: 'p' },
    });
    expect(read('demo')).toEqual({ kind: 'demo', channel: 'lobby' });
    expect(read('--help')).toEqual({ kind: 'help' });
    expect(read('state', '--version')).toEqual({ kind: 'version' });
  });

  it.each([
    [[], 'no command'],
    [['publish'], '"publish" is not a command'],
    [['state', 'lobby'], 'weir-publish state <channel> <key> <json>'],
    [['state', 'lobby', 'k'], 'JSON is missing'],
    [['state', 'lobby', 'k', '{a:', '1}'], 'one pair of quotes'],
    [['state', 'lobby', 'k', '1', '--delete'], '--delete takes no JSON'],
    [['critical', 'lobby'], 'JSON is missing'],
    [['critical', 'lobby', '--delete'], '--delete is not for critical'],
    [['critical', 'lobby', '1', '--escape-key'], '--escape-key is not for critical'],
    [['critical', 'lobby', '1', '--loop'], '--loop is not for critical'],
    [['replay'], 'replay <file>'],
    [['replay', 'a', 'b'], 'replay <file>'],
    [['replay', 'a', '--speed', '0'], '--speed must be'],
    [['replay', 'a', '--speed', 'fast'], '--speed must be'],
    [['replay', 'a', '--max-pause', '1y'], '--max-pause must be'],
    [['replay', 'a', '--channel-prefix', 'a b'], '--channel-prefix must be'],
    [['replay', 'a', '--unit', 'min'], '--unit must be one of: s, ms, us, ns'],
    [['replay', 'a', '--speed', '-1'], '--speed must be'],
    [['state', 'c', '--k', '1'], "Unknown option '--k'; words that begin with -- go behind a --"],
    [['replay', 'a', '--rate', '5', '--speed', '2'], '--rate takes no times'],
    [['replay', 'a', '--rate', '0'], '--rate must be'],
    [['replay', 'a', '--key', '.k', '--t', '.t'], 'needs --channel'],
    [['replay', 'a', '--channel', 'c', '--t', '.t'], 'needs --key'],
    [['replay', 'a', '--channel', 'c', '--key', '.k'], 'needs --t'],
    [['replay', 'a', '--csv'], 'needs --channel'],
    [['replay', 'a', '--columns', 'a,,b'], '--columns must be'],
    [['replay', 'a', '--columns', 'a,a'], '--columns must be'],
    [['replay', 'a', '--channel', 'c', '--key', '.a b', '--rate', '1'], '--key .a b is no path'],
    [['restore'], 'restore <admin URL'],
    [['restore', 'a', 'b'], 'restore <admin URL'],
    [['restore', 'a', '--loop'], '--loop is not for restore'],
    [['demo', 'a', 'b'], 'demo takes one word'],
    [['demo', '--spede', '1'], "Unknown option '--spede'"],
  ])('refuses %j in words', (argv, words) => {
    expect(() => readArguments(argv)).toThrow(UsageError);
    expect(() => readArguments(argv)).toThrow(words);
  });
});
