// The certificate in files that another program maintains: read each time, because a mounted Secret changes in place.
import { readFile } from 'node:fs/promises';
import { unfit } from './check.ts';
import type { KeyPair } from './generate.ts';

/** Reads the files; throws an error that says what is wrong. */
export async function certificateFromFiles(o: {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly names: readonly string[];
  readonly nowMs: number;
}): Promise<KeyPair> {
  const certificate = await readFile(o.certificateFile, 'utf8');
  const key = await readFile(o.keyFile, 'utf8');
  const problem = unfit({ certificate, key }, { names: o.names, nowMs: o.nowMs, leftMs: 0 });
  if (problem !== undefined) throw new Error(`WEIR_TLS_CERT_FILE: ${problem}`);
  return { certificate, key };
}
