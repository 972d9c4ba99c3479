// Every bound of the wire, in one place. Services may configure tighter ones, never looser.

/**
 * Limits of names, messages and URLs. Sizes are bytes unless the name says otherwise.
 *
 * - `frameBytes`: payload of one text frame before compression. Client libraries close at 32 KiB, 64 KiB
 *   or 1 MiB by default, so 30,000 leaves room for the smallest.
 * - `messageBytes`: one published payload; with its envelope it must fit in a frame.
 * - `numberDigits` and `numberExponent`: digits of one JSON number before its exponent, and the exponent's size. Python
 *   refuses an integer of more than 4,300 digits and Jackson a number of more than 1,000, and both refuse the whole
 *   frame. 100 digits hold a 256-bit integer with 18 decimals. 324 is the smallest exponent of a double, and a number
 *   must also be finite as one.
 * - `urlBytes`: a stream URL with ticket and resume position; proxies commonly stop at 4 or 8 KB. The limits of its
 *   parts keep a URL within it: `baseUrlChars`, `ticketChars` (which in turn needs `channelsChars` and `allowChars`)
 *   and `positionChars`.
 */
export const limits = {
  frameBytes: 30_000,
  messageBytes: 16_384,
  depth: 64,
  numberDigits: 100,
  numberExponent: 324,
  channelChars: 128,
  keyChars: 128,
  channelTokens: 16,
  channelsPerConnection: 100,
  /** All channel names of one connection together; they travel in the ticket, in the URL. */
  channelsChars: 1_200,
  /** All channel patterns that a connection may have, together (each with a comma); they travel in the ticket, too. */
  allowChars: 500,
  clientMessageBytes: 4_096,
  urlBytes: 4_096,
  /** The public URL of a router or a shard, in settings and in heartbeats. */
  baseUrlChars: 240,
  ticketChars: 3_100,
  positionChars: 720,
  /** A user's own token (a JWT); a longer one does not fit in the 16 KB of headers that Node accepts. */
  tokenChars: 8_192,
  ticketTtlMs: 60_000,
  /** A hint outlives its ticket, because a client that was just measured need not be measured again. */
  hintTtlMs: 86_400_000,
  /** Maximum difference of the clocks of router and shard; above it shards refuse tickets (case C8). */
  clockToleranceMs: 6_000,
  closeReasonBytes: 123,
} as const;
