// The certificate in a Secret that control fills. Two replicas agree through its resource version. The authority stays
// the same over renewals, so the caBundle of the APIServices hardly ever changes.
import type { KubeApi } from '@weir/kubernetes';
import { isStatus, member, readMeta, textAt } from '@weir/kubernetes';
import { isSignedBy, unfit } from './check.ts';
import type { KeyPair } from './generate.ts';
import { makeAuthority, makeServerCertificate } from './generate.ts';

/** The Secret, and the requirements for its certificate. */
export interface SecretOptions {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly secret: string;
  readonly names: readonly string[];
  readonly wallMs: () => number;
}

/** A certificate and the authority that signed it. */
export interface Certified extends KeyPair {
  /** PEM. */
  readonly authority: string;
}

const dayMs = 86_400_000;
const renewBeforeMs = 30 * dayMs;
const authorityRenewBeforeMs = 400 * dayMs;
/** Another replica may write at the same moment, once or twice. */
const maxTries = 4;

/** The certificate of the Secret; makes one if there is none that is valid for another month. */
export async function certificateFromSecret(o: SecretOptions): Promise<Certified> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const secret = await readSecret(o);
    const found = certified(secret);
    if (found !== undefined && isFit(found, o)) return found;
    try {
      return await fill(o, secret);
    } catch (error) {
      // Another replica was faster: read its result.
      if (!isStatus(error, 409)) throw error;
    }
  }
  throw new Error('another process keeps writing the Secret of the certificate');
}

function pathOf({ namespace }: SecretOptions): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
}

async function readSecret(o: SecretOptions): Promise<unknown> {
  try {
    return await o.api.request({ method: 'GET', path: `${pathOf(o)}/${encodeURIComponent(o.secret)}` });
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

function dataOf(secret: unknown, name: string): string {
  return Buffer.from(textAt(secret, 'data', name), 'base64').toString('utf8');
}

function certified(secret: unknown): Certified | undefined {
  const [certificate, key, authority] = ['tls.crt', 'tls.key', 'ca.crt'].map((name) => dataOf(secret, name));
  if (certificate === undefined || key === undefined || authority === undefined) return undefined;
  return { certificate, key, authority };
}

function isFit(found: Certified, { names, wallMs }: SecretOptions): boolean {
  if (!isSignedBy(found.certificate, found.authority)) return false;
  return unfit(found, { names, nowMs: wallMs(), leftMs: renewBeforeMs }) === undefined;
}

/** Keeps the authority if it is usable, and all other data of the Secret. */
async function fill(o: SecretOptions, secret: unknown): Promise<Certified> {
  const nowMs = o.wallMs();
  const before: KeyPair = { certificate: dataOf(secret, 'ca.crt'), key: dataOf(secret, 'ca.key') };
  const keep = unfit(before, { names: [], nowMs, leftMs: authorityRenewBeforeMs }) === undefined;
  const authority = keep ? before : await makeAuthority(nowMs);
  const server = await makeServerCertificate({ authority, names: o.names, nowMs });
  const data = {
    ...Object(member(secret, 'data')),
    'tls.crt': base64(server.certificate),
    'tls.key': base64(server.key),
    'ca.crt': base64(authority.certificate),
    'ca.key': base64(authority.key),
  };
  const there = readMeta(secret) !== undefined;
  const metadata = there ? member(secret, 'metadata') : { name: o.secret, namespace: o.namespace };
  const kind = textAt(secret, 'type');
  const type = kind === '' ? 'Opaque' : kind;
  const body = { apiVersion: 'v1', kind: 'Secret', type, metadata, data };
  await o.api.request(
    there
      ? { method: 'PUT', path: `${pathOf(o)}/${encodeURIComponent(o.secret)}`, body }
      : { method: 'POST', path: pathOf(o), body },
  );
  return { ...server, authority: authority.certificate };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
