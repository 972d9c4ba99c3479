// The redirect message: where the client opens its stream. The address comes from the shard's heartbeat, never from the
// request; only its scheme follows the client's connection.
import type { Confidence, RedirectMessage } from '@weir/protocol';
import { controlText, limits, secured, streamUrl } from '@weir/protocol';

/** The contents. */
export interface Destination {
  /** Base of the shard's public URL. */
  readonly url: string;
  readonly pool: string;
  readonly ticket: string;
  readonly hint?: string | undefined;
  readonly tls: boolean;
  readonly rttMs?: number | undefined;
  readonly kbps?: number | undefined;
  readonly confidence: Confidence;
}

/** The text of the message, or undefined if the URL would be longer than clients and proxies accept. */
export function redirectText(o: Destination): string | undefined {
  const url = streamUrl(secured(o.url, o.tls), o.ticket);
  if (url.length + '&resume='.length + limits.positionChars > limits.urlBytes) return undefined;
  const message: RedirectMessage = {
    type: 'redirect',
    url,
    pool: o.pool,
    ...(o.rttMs === undefined ? {} : { rttMs: Math.round(o.rttMs * 10) / 10 }),
    ...(o.kbps === undefined ? {} : { kbps: Math.round(o.kbps) }),
    confidence: o.confidence,
    ...(o.hint === undefined ? {} : { hint: o.hint }),
  };
  return controlText(message);
}
