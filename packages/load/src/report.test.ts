import { describe, expect, it } from 'vitest';
import { Counts } from './counts.ts';
import { Histogram } from './histogram.ts';
import { finalText, liveText, reportOf } from './report.ts';
import { eachStamp, placeOf, stamp } from './stamps.ts';

const none = {
  maxAgeP99Ms: undefined,
  maxRedirectP99Ms: undefined,
  maxGaps: undefined,
  maxFailed: undefined,
} as const;

function counts(): Counts {
  const all = new Counts();
  all.arrived = 2;
  all.enter('desktop');
  all.enter('mobile');
  for (const ms of [10, 20, 300]) all.addAge(ms);
  all.redirectMs.add(40);
  all.closed(4012);
  all.updates = 3;
  return all;
}

describe('a report', () => {
  it('sums up what the clients saw', () => {
    const all = counts();
    const report = reportOf(all, { clients: 2, limits: none, publish: undefined }, 3);
    expect(report).toMatchObject({
      connected: 2,
      pools: { desktop: 1, mobile: 1 },
      ageMs: { p50: 20, p99: 300, max: 300, count: 3 },
      redirectMs: { p50: 40 },
      closes: { 4012: 1 },
      broken: [],
    });
    expect(liveText(report, { bytesPerSecond: 2e6, ageMs: all.takeRecentAges() })).toBe(
      '2 connected (desktop 1, mobile 1), age p50 20 p99 300 ms, 0 gaps, 0 moves, 2.0 MB/s',
    );
    all.addAge(7);
    expect(liveText(report, { bytesPerSecond: 0, ageMs: all.takeRecentAges() })).toContain(
      'age p50 7 p99 7 ms',
    );
    expect(finalText(report)).toMatch(/^delivery age {4}p50 20, p99 300, max 300 ms \(3\)$/m);
  });

  it('gives the reasons of failed visits, and says that no message came', () => {
    const all = counts();
    all.updates = 0;
    all.fail('connect ECONNREFUSED 127.0.0.1:7701');
    all.publishFailed = 3;
    all.publishProblem = '401 {"code":"API_KEY"}';
    const report = reportOf(all, { clients: 2, limits: none, publish: undefined }, 3);
    expect(liveText(report, { bytesPerSecond: 0, ageMs: new Histogram() })).toMatch(
      /, 1 failed \(connect ECONNREFUSED [\d.:]+\), .*, no message yet$/,
    );
    expect(finalText(report)).toMatch(/^failed visits {3}1 \(connect ECONNREFUSED 127\.0\.0\.1:7701: 1\)$/m);
    expect(finalText(report)).toMatch(
      /^published {7}0 kept, 3 not, or without an answer \(401 \{"code":"API_KEY"\}\)$/m,
    );
    expect(finalText(report)).toMatch(/^no message came: the publisher kept none/m);
    all.publishFailed = 0;
    const unpublished = reportOf(all, { clients: 2, limits: none, publish: undefined }, 3);
    expect(finalText(unpublished)).toMatch(/^no message came: name channels that have a feed/m);
  });

  it('divides the bytes by the time that clients had a stream', () => {
    let nowMs = 5_000;
    const all = new Counts(() => nowMs);
    const report = () => reportOf(all, { clients: 2, limits: none, publish: undefined }, 10);
    expect(report().bytesPerClientSecond).toBeUndefined();
    all.enter('desktop');
    nowMs += 4_000;
    all.enter('mobile');
    nowMs += 2_000;
    all.leave('desktop');
    nowMs += 2_000;
    all.bytes = 5_000;
    expect(report().bytesPerClientSecond).toBe(500);
    expect(finalText(report())).toMatch(/^received .* in 10\.0 s: 500 bytes a client and second$/m);
  });

  it('says how many messages came too late to be published', () => {
    const all = counts();
    all.published = 90;
    all.publishMissed = 10;
    expect(finalText(reportOf(all, { clients: 2, limits: none, publish: undefined }, 3))).toMatch(
      /^published {7}90 kept, 0 not, or without an answer, 10 not sent in time$/m,
    );
  });

  it('says when this process was too busy', () => {
    const text = (p99: number) =>
      finalText(reportOf(counts(), { clients: 2, limits: none, publish: undefined }, 3, { p99, max: 2_000 }));
    expect(text(100)).toMatch(/^own lag {9}p99 100, max 2000 ms$/m);
    expect(text(100)).not.toContain('too busy');
    expect(text(101)).toMatch(/^weir-load itself was too busy: /m);
  });

  it('asks for the URL if no client came, and knows no redirect time then', () => {
    const text = finalText(reportOf(new Counts(), { clients: 2, limits: none, publish: undefined }, 3));
    expect(text).toMatch(/^redirect {8}not known: no client came$/m);
    expect(text).toMatch(/^no client came: is this the URL of a router/m);
  });

  it('limits the number of reasons', () => {
    const all = counts();
    for (let i = 0; i < 1_000; i++) all.fail(`reason ${i}`);
    expect(all.failures.size).toBe(21);
    expect(all.failures.get('other')).toBe(980);
  });

  it('names each broken limit', () => {
    const all = counts();
    all.gaps = 1;
    for (let i = 0; i < 5; i++) all.fail('connect ECONNREFUSED 127.0.0.1:7701');
    all.lost = 2;
    all.doubled = 1;
    const limits = { maxAgeP99Ms: 299, maxRedirectP99Ms: 39, maxGaps: 0, maxFailed: 4 };
    const { broken } = reportOf(all, { clients: 3, limits, publish: undefined }, 1);
    expect(broken).toEqual([
      '1 clients never came',
      '2 critical messages were lost without a gap',
      '1 critical messages came twice',
      'delivery age p99 in ms is 300, over 299',
      'redirect time p99 in ms is 40, over 39',
      'gaps is 1, over 0',
      'failed visits is 5, over 4',
    ]);
  });

  it('says that no published message arrived', () => {
    const all = new Counts();
    const publish = { url: 'http://p', perSecond: 1, apiKey: undefined };
    expect(reportOf(all, { clients: 0, limits: none, publish }, 1).broken).toEqual([
      'no published message arrived, so the delivery age is not known',
    ]);
    // A limit of what is not known does not hold.
    const limits = { ...none, maxAgeP99Ms: 500 };
    expect(reportOf(all, { clients: 0, limits, publish: undefined }, 1).broken).toHaveLength(1);
  });
});

describe('a histogram', () => {
  it('gives percentiles of the counted values', () => {
    const histogram = new Histogram();
    expect([histogram.percentile(0.5), histogram.max]).toEqual([0, 0]);
    for (let ms = 1; ms <= 100; ms++) histogram.add(ms);
    expect([0.5, 0.99, 1].map((share) => histogram.percentile(share))).toEqual([50, 99, 100]);
    histogram.add(1e9);
    histogram.add(-5);
    expect([histogram.max, histogram.percentile(0), histogram.count]).toEqual([1e9, 0, 102]);
    expect([histogram.percentile(0.5), histogram.percentile(1)]).toEqual([50, 1e9]);
  });
});

describe('stamps', () => {
  it('are found in the bytes of a frame', () => {
    const frame = Buffer.from(
      `{"set":{"a":${JSON.stringify(stamp(123))},"b":${JSON.stringify(stamp(45, { n: 7, run: 'r', series: 0 }))}}}`,
    );
    const found: number[] = [];
    eachStamp(frame, (ms) => found.push(ms));
    eachStamp(Buffer.from('{"weirLoa":1}'), (ms) => found.push(ms));
    expect(found).toEqual([123, 45]);
    const place = { n: 7, run: 'r', series: 2 };
    const odd = [stamp(1), null, { n: 1 }, { weirLoad: 1, n: '7' }];
    expect([stamp(1, place), ...odd].map(placeOf)).toEqual([place, ...odd.map(() => undefined)]);
    expect(placeOf({ weirLoad: 1, n: 7 })).toEqual({ n: 7, run: '', series: 0 }); // of an earlier release
  });
});
