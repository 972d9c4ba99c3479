import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { podOf } from '../fakes/entries.ts';
import type { PodMeasure } from '../measure/measure.ts';
import { METRICS } from '../measure/metric-names.ts';
import { readAccept } from './accept.ts';
import type { ApiAnswer, Knowledge } from './answer.ts';
import { answer } from './answer.ts';
import { quantity } from './quantity.ts';

const base = '/apis/custom.metrics.k8s.io/v1beta2';
const hpa = 'application/vnd.kubernetes.protobuf, */*';

function measure(name: string, connections: number, pool = 'desktop', loopUtilisation = 0): PodMeasure {
  return {
    pod: podOf(name, { pool, labels: { app: 'weir', 'weir.dev/pool': pool } }),
    pool,
    measured: {
      connections,
      healthyBacklogBytes: 0,
      awaitedBytes: 0,
      egressBytesPerSecond: 0,
      loopUtilisation,
      tickLatenessMs: 0,
    },
  };
}

const known: Knowledge = {
  namespace: 'ns',
  metrics: METRICS,
  pods: [measure('d1', 5_120), measure('d2', 0, 'desktop', 0.6004), measure('m1', 7, 'mobile')],
  silent: 0,
  stale: undefined,
  wallMs: Date.parse('2026-11-25T10:00:00.250Z'),
};

function ask(url: string, over: Partial<Knowledge> = {}, accept: string | undefined = hpa): ApiAnswer {
  return answer({ method: 'GET', url, accept, ifNoneMatch: undefined }, { ...known, ...over });
}

const json = (one: ApiAnswer): unknown => JSON.parse(one.body);
const values = (one: ApiAnswer): unknown =>
  Object.fromEntries(
    (JSON.parse(one.body) as { items: { describedObject: { name: string }; value: string }[] }).items.map(
      ({ describedObject, value }) => [describedObject.name, value],
    ),
  );

describe('metrics of pods', () => {
  const url = `${base}/namespaces/ns/pods/*/weir_shard_connections`;

  it('are answered to the HPA as it reads them', () => {
    const found = ask(
      `${base}/namespaces/ns/pods/%2A/weir_shard_connections?labelSelector=weir.dev%2Fpool%3Dmobile`,
    );
    expect([found.status, found.contentType, found.outcome]).toEqual([200, 'application/json', 'measured']);
    expect(json(found)).toEqual({
      kind: 'MetricValueList',
      apiVersion: 'custom.metrics.k8s.io/v1beta2',
      metadata: {},
      items: [
        {
          describedObject: { kind: 'Pod', namespace: 'ns', name: 'm1', apiVersion: 'v1' },
          metric: { name: 'weir_shard_connections', selector: null },
          timestamp: '2026-11-25T10:00:00Z',
          windowSeconds: 0,
          value: '7',
        },
      ],
    });
  });

  it('have the older form in v1beta1', () => {
    const found = json(ask(url.replace('v1beta2', 'v1beta1').replace('*', 'm1')));
    expect(found).toMatchObject({
      apiVersion: 'custom.metrics.k8s.io/v1beta1',
      items: [{ metricName: 'weir_shard_connections', window: 0, selector: null, value: '7' }],
    });
  });

  it('come with zeros, not with nothing', () => {
    expect(values(ask(url))).toEqual({ d1: '5120', d2: '0', m1: '7' });
  });

  it.each([
    ['labelSelector=app%3Dweir', ['d1', 'd2', 'm1']],
    ['labelSelector=app%3Dweir,weir.dev/pool%20in%20(desktop)', ['d1', 'd2']],
    ['labelSelector=!app', []],
    ['metricLabelSelector=pool%3Dmobile', ['m1']],
    ['metricLabelSelector=pool!%3Dmobile&labelSelector=app', ['d1', 'd2']],
    ['timeout=30s&pretty=true', ['d1', 'd2', 'm1']],
  ])('are chosen by selectors: %s', (query, names) => {
    expect(Object.keys(values(ask(`${url}?${query}`)) as object)).toEqual(names);
  });

  it('give the selector of the metric back', () => {
    expect(json(ask(`${url}?metricLabelSelector=pool%3Dmobile`))).toMatchObject({
      items: [
        { metric: { selector: { matchExpressions: [{ key: 'pool', operator: 'In', values: ['mobile'] }] } } },
      ],
    });
  });

  it('are thousandths where they are no whole numbers', () => {
    const loop = `${base}/namespaces/ns/pods/d2/weir_shard_event_loop_utilization`;
    expect(json(ask(loop))).toMatchObject({ items: [{ windowSeconds: 30, value: '600m' }] });
  });

  it.each([
    [`${base}/namespaces/ns/pods/*/nothing`, 404],
    [`${base}/namespaces/other/pods/*/weir_shard_connections`, 404],
    [`${base}/namespaces/ns/pods/nobody/weir_shard_connections`, 404],
    [`${base}/namespaces/ns/services/*/weir_shard_connections`, 404],
    [`${base}/pods/*/weir_shard_connections`, 404],
    [`${base}/namespaces/ns/pods/*/weir_shard_connections/more`, 404],
    [`${base}/namespaces/ns/pods/a%2Fb/weir_shard_connections`, 404],
    ['/apis/custom.metrics.k8s.io/v1/namespaces/ns/pods/*/weir_shard_connections', 404],
    ['/apis/metrics.k8s.io/v1beta1', 404],
    ['/', 404],
    [`${url}?labelSelector=a%3D%3D%3Db`, 400],
    [`${url}?labelSelector=a&labelSelector=b`, 400],
    [`${base}/namespaces/%E0%A4%A/pods/*/x`, 400],
    [`/${'a'.repeat(20_000)}`, 400],
    ['apis', 400],
  ])('are refused in words: %s', (path, status) => {
    const found = ask(path);
    expect([found.status, found.contentType]).toEqual([status, 'application/json']);
    expect(json(found)).toMatchObject({ kind: 'Status', status: 'Failure', code: status });
  });

  it('are not there while nothing is known: the HPA holds still', () => {
    const found = ask(url, { stale: 'NATS is away' });
    expect([found.status, found.headers['retry-after'], found.outcome]).toEqual([503, '5', 'stale']);
    expect(json(found)).toMatchObject({ reason: 'ServiceUnavailable', message: 'NATS is away' });
    expect(ask(base, { stale: 'NATS is away' }).status).toBe(200);
  });

  it('are not there where no pod has been heard, rather than an empty list', () => {
    expect(ask(url, { pods: [], silent: 2 }).status).toBe(503);
    expect(json(ask(url, { pods: [], silent: 0 }))).toMatchObject({ items: [] });
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('cannot be written: %s', (method) => {
    const found = answer({ method, url, accept: hpa, ifNoneMatch: undefined }, known);
    expect([found.status, found.headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  it('are answered whatever is asked, without throwing', () => {
    const part = fc.constantFrom(
      'apis',
      'custom.metrics.k8s.io',
      'v1beta2',
      'namespaces',
      'ns',
      'pods',
      '*',
      '%2A',
    );
    const parts = fc.array(fc.oneof(part, fc.string({ maxLength: 8 })), { maxLength: 10 });
    fc.assert(
      fc.property(parts, fc.string(), fc.option(fc.string()), (path, query, accept) => {
        const request = { method: 'GET', url: `/${path.join('/')}?${query}`, ifNoneMatch: undefined };
        const found = answer({ ...request, accept: accept ?? undefined }, known);
        expect([200, 400, 404, 406]).toContain(found.status);
        expect(() => JSON.parse(found.body)).not.toThrow();
      }),
    );
  });
});

describe('discovery (case H8)', () => {
  const aggregated =
    'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList';
  const table =
    'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

  it('lists every metric as a resource of pods', () => {
    for (const version of ['v1beta1', 'v1beta2']) {
      const document = json(ask(`/apis/custom.metrics.k8s.io/${version}`));
      expect(document).toMatchObject({
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion: `custom.metrics.k8s.io/${version}`,
      });
      expect(document).toHaveProperty('resources.0', {
        name: 'pods/weir_shard_connections',
        singularName: '',
        namespaced: true,
        kind: 'MetricValueList',
        verbs: ['get'],
      });
    }
  });

  it('says that it prefers v1beta2', () => {
    expect(json(ask('/apis/custom.metrics.k8s.io/'))).toMatchObject({
      kind: 'APIGroup',
      name: 'custom.metrics.k8s.io',
      preferredVersion: { version: 'v1beta2' },
    });
    expect(json(ask('/apis', {}, 'application/json'))).toMatchObject({ kind: 'APIGroupList' });
  });

  it('has the aggregated form for who asks for it', () => {
    const found = ask('/apis', {}, `${aggregated},application/json`);
    expect(found.contentType).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    expect(json(found)).toMatchObject({
      kind: 'APIGroupDiscoveryList',
      apiVersion: 'apidiscovery.k8s.io/v2',
      items: [{ metadata: { name: 'custom.metrics.k8s.io' }, versions: [{ version: 'v1beta2' }, {}] }],
    });
    expect(ask('/apis', {}, `application/json,${aggregated}`).contentType).toBe('application/json');
  });

  it('answers OpenAPI, and that nothing has changed', () => {
    for (const path of [
      '/openapi/v2',
      '/openapi/v3',
      '/openapi/v3/apis/custom.metrics.k8s.io/v1beta2?hash=x',
    ]) {
      const first = ask(path, {}, 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf');
      expect([path, first.status, first.contentType]).toEqual([path, 200, 'application/json']);
      const ifNoneMatch = first.headers['etag'];
      const second = answer({ method: 'GET', url: path, accept: undefined, ifNoneMatch }, known);
      expect([second.status, second.body]).toEqual([304, '']);
    }
    expect(json(ask('/openapi/v2'))).toMatchObject({ swagger: '2.0', info: { title: expect.anything() } });
    expect(JSON.stringify(json(ask('/openapi/v3')))).toContain(
      '/openapi/v3/apis/custom.metrics.k8s.io/v1beta2?hash=',
    );
    expect(ask('/openapi/v3/apis/other/v1').status).toBe(404);
  });

  it.each([
    ['nothing', undefined, 200],
    ['anything', '*/*', 200],
    ['a table or JSON', table, 200],
    ['protobuf or anything', hpa, 200],
    ['protobuf alone', 'application/vnd.kubernetes.protobuf', 406],
    ['a table alone', 'application/json;as=Table;v=v1;g=meta.k8s.io', 406],
    ['no JSON', 'application/json;q=0', 406],
  ])('goes by what is accepted: %s', (_, accept, status) => {
    const request = { method: 'GET', url: base, ifNoneMatch: undefined };
    expect(answer({ ...request, accept }, known).status).toBe(status);
  });

  it('reads any Accept header', () => {
    fc.assert(fc.property(fc.string(), (header) => void readAccept(header)));
    expect(readAccept('x'.repeat(10_000))).toEqual({ json: false, aggregated: undefined });
  });
});

describe('quantity', () => {
  it.each([
    [0, '0'],
    [5_120, '5120'],
    [0.6, '600m'],
    [0.0004, '0'],
    [1.9999999, '2'],
    [123_456_789_012.5, '123456789012500m'],
    [1e16, '9000000000000000'],
    [-1, '0'],
    [Number.NaN, '0'],
    [Number.POSITIVE_INFINITY, '0'],
  ])('%d is %s', (value, text) => {
    expect(quantity(value)).toBe(text);
  });

  it('is what Kubernetes parses, and near the value', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e15, noNaN: true }), (value) => {
        const [, whole, thousandths] = /^(\d{1,16})(m?)$/.exec(quantity(value)) ?? [];
        expect(whole).toBeDefined();
        expect(Math.abs(Number(whole) / (thousandths === 'm' ? 1000 : 1) - value)).toBeLessThanOrEqual(0.51);
      }),
    );
  });
});
