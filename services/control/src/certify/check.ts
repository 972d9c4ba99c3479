// Checks whether a certificate is usable. Pure except for Node's parsing.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyPair } from './generate.ts';

/** The requirements. */
export interface Wanted {
  readonly names: readonly string[];
  readonly nowMs: number;
  /** The certificate must be valid for at least this time. */
  readonly leftMs: number;
}

/** Why it is not usable, as text; undefined if it is. */
export function unfit({ certificate, key }: KeyPair, { names, nowMs, leftMs }: Wanted): string | undefined {
  try {
    const parsed = new X509Certificate(certificate);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) return 'certificate and key do not belong together';
    const missing = names.find((name) => parsed.checkHost(name) === undefined);
    if (missing !== undefined) return `the certificate is not for ${missing}`;
    if (Date.parse(parsed.validFrom) > nowMs) return 'the certificate is not valid yet';
    if (Date.parse(parsed.validTo) - nowMs < leftMs) return 'the certificate has expired, or is about to';
    return undefined;
  } catch {
    return 'certificate or key cannot be read';
  }
}

/** When the certificate expires. */
export function validToMs(certificate: string): number {
  return Date.parse(new X509Certificate(certificate).validTo);
}

/** Whether this authority signed it. */
export function isSignedBy(certificate: string, authority: string): boolean {
  try {
    const issuer = new X509Certificate(authority);
    return new X509Certificate(certificate).verify(issuer.publicKey);
  } catch {
    return false;
  }
}
