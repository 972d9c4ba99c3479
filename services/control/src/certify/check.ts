// Whether a certificate is fit to be shown. Pure but for the parsing that Node does.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyPair } from './generate.ts';

/** What is asked of it. */
export interface Wanted {
  readonly names: readonly string[];
  readonly nowMs: number;
  /** It must hold for so long yet. */
  readonly leftMs: number;
}

/** Why it is not fit, in words; nothing where it is. */
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

/** When the certificate stops being valid. */
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
