// One request for the key set: bounded in time and in bytes, without redirects.
import type { JSONWebKeySet } from 'jose';

export interface FetchKeysOptions {
  readonly url: string;
}

/** Maximum wait for the provider's answer, including its body: the client waits too. */
const timeoutMs = 3_000;
/** A key set of hundreds of keys with certificates is smaller. */
const maxBytes = 524_288;

/** The key set unparsed; rejects if the request fails or the answer is too large. */
export async function fetchKeys({ url }: FetchKeysOptions): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    redirect: 'manual',
    headers: { accept: 'application/json, application/jwk-set+json' },
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error('the provider did not answer with a key set');
  }
  return JSON.parse(await bounded(response));
}

async function bounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    // Leaving the loop cancels the body.
    if (bytes > maxBytes) throw new RangeError('the key set is too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
