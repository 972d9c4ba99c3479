// Signs the ticket for one shard and the hint that spares the client the next probe. Must never let a hint allow a
// channel: a router's hint only proves a measurement.
import { createHmac } from 'node:crypto';
import type { Finding, Hint, MoveHistory, TicketKey } from '@weir/protocol';
import { channelAllowed, issueHint, issueTicket, limits } from '@weir/protocol';

/** The dependencies of the signer. */
export interface SignerOptions {
  /** The first key signs. */
  readonly keys: readonly TicketKey[];
  readonly ticketTtlMs: number;
  readonly hintTtlMs: number;
  readonly clock: { wallMs(): number };
  readonly random: (bytes: number) => Uint8Array;
}

/** The contents of a ticket. */
export interface TicketRequest {
  readonly pool: string;
  readonly shard: string;
  /** From the shard's heartbeats; undefined for a shard of an earlier release. */
  readonly incarnation: string | undefined;
  readonly channels: readonly string[];
  readonly denied: readonly string[];
  readonly allow: readonly string[];
  readonly tls: boolean;
  /** The fastest pool that the client wants. */
  readonly ceiling: string | undefined;
  readonly history: MoveHistory | undefined;
  /** For the shard's second look; undefined if there is nothing to choose. */
  readonly finding: Finding | undefined;
  /** The client's network; the ticket contains only a mark of it. */
  readonly network: string;
  readonly tokenExpiresS: number | undefined;
}

/** A measurement to keep. */
export interface Measurement {
  readonly pool: string;
  readonly rttMs: number | undefined;
  readonly kbps: number | undefined;
  /** The client's network during the measurement. */
  readonly network: string;
  readonly history: MoveHistory | undefined;
}

/** Signs tickets and hints. */
export interface Signer {
  ticket(request: TicketRequest): Promise<string>;
  hint(measurement: Measurement): Promise<string>;
  /** Whether a hint is for this network; one that names none, of a release before, is for each. */
  isFrom(hint: Hint, network: string): boolean;
}

const idBytes = 16;
const markBytes = 9;

/** Makes the signer. */
export function createSigner(o: SignerOptions): Signer {
  const [key] = o.keys;
  if (key === undefined) throw new RangeError('there must be a key to sign with');
  const newId = (): string => Buffer.from(o.random(idBytes)).toString('base64url');
  return {
    ticket: ({ allow, network, incarnation, ceiling, history, finding, tokenExpiresS, ...request }) =>
      issueTicket(
        {
          ...request,
          id: newId(),
          allow: fitPatterns(allow, request.channels),
          network: markOf(network, key),
          ...(tokenExpiresS === undefined ? {} : { tokenExpiresS }),
          ...(incarnation === undefined ? {} : { incarnation }),
          ...(ceiling === undefined ? {} : { ceiling }),
          ...(history === undefined ? {} : { history }),
          ...(finding === undefined ? {} : { finding }),
        },
        { key, nowMs: o.clock.wallMs(), ttlMs: o.ticketTtlMs },
      ),
    hint({ pool, rttMs, kbps, network, history }) {
      const hint: Hint = {
        id: newId(),
        pool,
        allow: [],
        network: markOf(network, key),
        ...(rttMs === undefined ? {} : { rttMs: Math.round(rttMs * 10) / 10 }),
        ...(kbps === undefined ? {} : { kbps: Math.round(kbps) }),
        ...(history === undefined ? {} : { history }),
      };
      return issueHint(hint, { key, nowMs: o.clock.wallMs(), ttlMs: o.hintTtlMs });
    },
    isFrom: (hint, network) =>
      hint.network === undefined || o.keys.some((each) => hint.network === markOf(network, each)),
  };
}

/** A mark of the address; only the key can tell which address it is. */
function markOf(network: string, key: TicketKey): string {
  const digest = createHmac('sha256', key.secret).update(`weir-network:${network}`).digest();
  return digest.subarray(0, markBytes).toString('base64url');
}

/**
 * The patterns that fit into a ticket: those that cover what is asked for come first, the rest as far as there is
 * room. What does not fit cannot be subscribed to later on this connection.
 */
export function fitPatterns(allow: readonly string[], channels: readonly string[]): readonly string[] {
  const unique = [...new Set(allow)];
  const needed = unique.filter((pattern) => channels.some((channel) => channelAllowed(channel, [pattern])));
  const rest = unique.filter((pattern) => !needed.includes(pattern));
  const fitting: string[] = [];
  let room: number = limits.allowChars;
  for (const pattern of [...needed, ...rest]) {
    if (fitting.length === limits.channelsPerConnection) break;
    if (pattern.length + 1 > room) continue;
    room -= pattern.length + 1;
    fitting.push(pattern);
  }
  return fitting;
}
