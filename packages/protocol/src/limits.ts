// Every bound of the wire, in one place. Services may configure tighter ones, never looser.

/**
 * Limits of names, messages and URLs. Sizes are bytes unless the name says otherwise.
 *
 * - `frameBytes`: payload of one text frame before compression. Client libraries close at 32 KiB, 64 KiB
 *   or 1 MiB by default, so 30,000 leaves room for the smallest.
 * - `messageBytes`: one published payload; with its envelope it must fit in a frame.
 * - `numberDigits` and `numberExponent`: digits of one JSON number before its exponent, and the exponent's size. Python
 *   refuses an integer of more than 4,300 digits and Jackson a number of more than 1,000, and either refuses the whole
 *   frame. 100 digits hold a 256-bit integer with 18 decimals. 324 is the smallest exponent of a double, and a number
 *   must also be finite as one.
 * - `urlBytes`: a stream URL with ticket and resume position; proxies commonly stop at 4 or 8 KB. It is kept
 *   because its parts are: `baseUrlChars`, `ticketChars` (which in turn needs `channelsChars` and `allowChars`)
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
  /** The patterns of channels that a connection may have, together (each and a comma); in the ticket too. */
  allowChars: 500,
  clientMessageBytes: 4_096,
  urlBytes: 4_096,
  /** The public URL of a router or a shard, as configured and as told in beats. */
  baseUrlChars: 240,
  ticketChars: 3_100,
  positionChars: 720,
  /** A user's own token (a JWT); more does not fit in the 16 KB of headers that Node accepts. */
  tokenChars: 8_192,
  ticketTtlMs: 60_000,
  /** A hint outlives its ticket: a client that was measured today need not be measured again at once. */
  hintTtlMs: 86_400_000,
  /** How far the clocks of router and shard may differ before tickets are refused (case C8). */
  clockToleranceMs: 6_000,
  closeReasonBytes: 123,
} as const;
