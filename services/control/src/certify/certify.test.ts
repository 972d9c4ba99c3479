import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeApi, KubeRequest } from '@weir/kubernetes';
import { isObject, KubeApiError, member, textAt } from '@weir/kubernetes';
import { describe, expect, it } from 'vitest';
import { keepCaBundle } from './ca-bundle.ts';
import { isSignedBy, unfit, validToMs } from './check.ts';
import { certificateFromFiles } from './files.ts';
import { makeAuthority, makeServerCertificate } from './generate.ts';
import type { SecretOptions } from './secret.ts';
import { certificateFromSecret } from './secret.ts';

const dayMs = 86_400_000;
const names = ['weir-control.ns.svc'];

describe('a certificate that control makes', () => {
  it('is one that the API server takes', async () => {
    const nowMs = Date.now();
    const authority = await makeAuthority(nowMs);
    const server = await makeServerCertificate({ authority, names, nowMs });
    const [ca, leaf] = [new X509Certificate(authority.certificate), new X509Certificate(server.certificate)];
    expect([ca.ca, leaf.ca]).toEqual([true, false]);
    expect(ca.checkPrivateKey(createPrivateKey(authority.key))).toBe(true);
    expect(leaf.checkIssued(ca)).toBe(true);
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.checkHost('weir-control.ns.svc')).toBe('weir-control.ns.svc');
    expect(leaf.subjectAltName).toBe('DNS:weir-control.ns.svc');
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(Math.round((Date.parse(leaf.validTo) - nowMs) / dayMs)).toBe(365);
    expect(unfit(server, { names, nowMs, leftMs: 30 * dayMs })).toBeUndefined();
  });

  it('is not fit for another name, after its time, before it, or with another key', async () => {
    const nowMs = Date.now();
    const authority = await makeAuthority(nowMs);
    const [one, two] = [
      await makeServerCertificate({ authority, names, nowMs }),
      await makeServerCertificate({ authority, names, nowMs }),
    ];
    const wanted = { names, nowMs, leftMs: 30 * dayMs };
    expect(unfit(one, { ...wanted, names: ['other.ns.svc'] })).toContain('other.ns.svc');
    expect(unfit(one, { ...wanted, nowMs: nowMs + 340 * dayMs })).toContain('expired');
    expect(unfit(one, { ...wanted, nowMs: nowMs - dayMs })).toContain('not valid yet');
    expect(unfit({ ...one, key: two.key }, wanted)).toContain('do not belong together');
    expect(unfit({ certificate: 'x', key: 'y' }, wanted)).toContain('cannot be read');
    expect(isSignedBy(one.certificate, two.certificate)).toBe(false);
    expect(isSignedBy('x', authority.certificate)).toBe(false);
  });
});

/** Secrets and APIServices with optimistic locking. */
class FakeApi implements KubeApi {
  readonly objects = new Map<string, unknown>();
  readonly asked: string[] = [];
  /** Runs before the next write is looked at. */
  beforeWrite: (() => void) | undefined;
  #version = 0;

  async request({ method, path, body }: KubeRequest): Promise<unknown> {
    this.asked.push(`${method} ${path}`);
    const found = this.objects.get(path);
    if (method === 'GET') {
      if (found === undefined) throw new KubeApiError(404, 'not found');
      return structuredClone(found);
    }
    const before = this.beforeWrite;
    this.beforeWrite = undefined;
    before?.();
    const name = textAt(body, 'metadata', 'name');
    const target = method === 'POST' ? `${path}/${name}` : path;
    const current = this.objects.get(target);
    if (method === 'POST' && current !== undefined) throw new KubeApiError(409, 'exists');
    const version = textAt(body, 'metadata', 'resourceVersion');
    if (method !== 'POST' && version !== textAt(current, 'metadata', 'resourceVersion'))
      throw new KubeApiError(409, 'changed');
    return this.put(target, method === 'PATCH' ? merged(current, body) : body);
  }

  stream(): Promise<void> {
    return Promise.reject(new Error('nothing is watched'));
  }

  put(path: string, object: unknown): unknown {
    this.#version += 1;
    const metadata = { ...Object(member(object, 'metadata')), resourceVersion: String(this.#version) };
    const stored = { ...Object(object), metadata };
    this.objects.set(path, stored);
    return structuredClone(stored);
  }
}

function merged(into: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = { ...(isObject(into) ? into : {}) };
  for (const [name, value] of Object.entries(patch)) result[name] = merged(result[name], value);
  return result;
}

const secretPath = '/api/v1/namespaces/ns/secrets/weir-control-tls';

function optionsOf(api: KubeApi, wallMs = Date.now()): SecretOptions {
  return { api, namespace: 'ns', secret: 'weir-control-tls', names, wallMs: () => wallMs };
}

describe('the certificate in a Secret', () => {
  it('is made where the Secret is empty, and found there by the other replica', async () => {
    const api = new FakeApi();
    const labels = { 'app.kubernetes.io/managed-by': 'Helm' };
    api.put(secretPath, { metadata: { name: 'weir-control-tls', namespace: 'ns', labels }, type: 'Opaque' });
    const first = await certificateFromSecret(optionsOf(api));
    expect(unfit(first, { names, nowMs: Date.now(), leftMs: 300 * dayMs })).toBeUndefined();
    expect(isSignedBy(first.certificate, first.authority)).toBe(true);
    expect(await certificateFromSecret(optionsOf(api))).toEqual(first);
    expect(member(api.objects.get(secretPath), 'metadata', 'labels')).toEqual(labels);
    expect(api.asked.filter((one) => one.startsWith('PUT'))).toHaveLength(1);
  });

  it('is made where there is no Secret', async () => {
    const api = new FakeApi();
    await certificateFromSecret(optionsOf(api));
    expect(api.asked).toEqual([`GET ${secretPath}`, 'POST /api/v1/namespaces/ns/secrets']);
    expect(textAt(api.objects.get(secretPath), 'type')).toBe('Opaque');
  });

  it('is that of the other replica where that was faster', async () => {
    const api = new FakeApi();
    api.put(secretPath, { metadata: { name: 'weir-control-tls' } });
    const other = new FakeApi();
    const theirs = await certificateFromSecret(optionsOf(other));
    api.beforeWrite = () => api.put(secretPath, other.objects.get(secretPath));
    expect(await certificateFromSecret(optionsOf(api))).toEqual(theirs);
  });

  it('is renewed a month before its end by the same authority', async () => {
    const api = new FakeApi();
    const first = await certificateFromSecret(optionsOf(api));
    const laterMs = validToMs(first.certificate) - 31 * dayMs;
    expect(await certificateFromSecret(optionsOf(api, laterMs))).toEqual(first);
    const renewed = await certificateFromSecret(optionsOf(api, laterMs + 2 * dayMs));
    expect(renewed.certificate).not.toBe(first.certificate);
    expect(renewed.authority).toBe(first.authority);
  });

  it('is made anew where the Secret holds something else, and what else is in it stays', async () => {
    const api = new FakeApi();
    const data = { 'tls.crt': 'eA==', 'tls.key': 'eA==', 'ca.crt': 'eA==', other: 'eA==' };
    api.put(secretPath, { metadata: { name: 'weir-control-tls' }, type: 'kubernetes.io/tls', data });
    await certificateFromSecret(optionsOf(api));
    expect(textAt(api.objects.get(secretPath), 'data', 'other')).toBe('eA==');
    expect(textAt(api.objects.get(secretPath), 'type')).toBe('kubernetes.io/tls');
  });

  it('is not fought for without end', async () => {
    const api = new FakeApi();
    const api409: KubeApi = {
      request: (one) =>
        one.method === 'GET' ? api.request(one) : Promise.reject(new KubeApiError(409, 'changed')),
      stream: () => Promise.reject(new Error('no')),
    };
    await expect(certificateFromSecret(optionsOf(api409))).rejects.toThrow('another process');
  });
});

describe('the caBundle', () => {
  const path = (name: string): string => `/apis/apiregistration.k8s.io/v1/apiservices/${name}`;
  const options = { namespace: 'ns', service: 'weir-control', authority: 'PEM' };

  it('is written once to our APIServices, and to no others (case H7)', async () => {
    const api = new FakeApi();
    const ours = { name: 'weir-control', namespace: 'ns', port: 443 };
    api.put(path('ours'), { metadata: { name: 'ours' }, spec: { service: ours } });
    api.put(path('theirs'), {
      metadata: { name: 'theirs' },
      spec: { service: { ...ours, namespace: 'other' } },
    });
    const apiServices = ['ours', 'theirs', 'absent'];
    expect(Object.fromEntries(await keepCaBundle({ ...options, api, apiServices }))).toEqual({
      ours: 'written',
      theirs: 'foreign',
      absent: 'missing',
    });
    expect(member(api.objects.get(path('ours')), 'spec')).toEqual({
      service: ours,
      caBundle: Buffer.from('PEM').toString('base64'),
      insecureSkipTLSVerify: false,
    });
    expect(member(api.objects.get(path('theirs')), 'spec', 'caBundle')).toBeUndefined();
    const again = await keepCaBundle({ ...options, api, apiServices: ['ours'] });
    expect(again.get('ours')).toBe('same');
  });
});

describe('the certificate in files', () => {
  it('is read anew each time, and refused in words where it does not fit', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weir-tls-'));
    const [certificateFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    const nowMs = Date.now();
    const authority = await makeAuthority(nowMs);
    const first = await makeServerCertificate({ authority, names, nowMs });
    const second = await makeServerCertificate({ authority, names, nowMs });
    const read = (): Promise<unknown> => certificateFromFiles({ certificateFile, keyFile, names, nowMs });
    try {
      await expect(read()).rejects.toThrow('ENOENT');
      await writeFile(certificateFile, first.certificate);
      await writeFile(keyFile, first.key);
      expect(await read()).toEqual(first);
      await writeFile(certificateFile, second.certificate);
      await expect(read()).rejects.toThrow('WEIR_TLS_CERT_FILE: certificate and key do not belong together');
      await writeFile(keyFile, second.key);
      expect(await read()).toEqual(second);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
