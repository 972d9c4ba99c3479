// A client's origin behind trusted proxies: its network (for the rate limit) and whether it came by TLS. Ignores
// forwarded headers of other peers. Addresses never reach a log, a metric or an answer.
import type { IpAddress } from '@weir/runtime';
import { networkOf, parseAddress } from '@weir/runtime';

/** A range of addresses. */
export type Cidr = readonly [IpAddress, number];

/** Maximum entries that are read from a trusted proxy's header. */
const maxHops = 32;

/** A client's origin. */
export interface Origination {
  /** The address block that one client is expected to own. */
  readonly network: string;
  /** Whether the socket's peer is a trusted proxy. */
  readonly viaTrusted: boolean;
}

/** Parses an address or a range: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`. */
export function parseCidr(text: string): Cidr {
  const [address = '', bits, ...rest] = text.split('/');
  const ip = parseAddress(address);
  const mapped = ip?.kind() === 'ipv4' && address.includes(':');
  const widest = ip?.kind() === 'ipv4' ? 32 : 128;
  const given = bits === undefined ? widest : Number(bits) - (mapped ? 96 : 0);
  const valid = bits === undefined || /^\d{1,3}$/.test(bits);
  if (ip === undefined || !valid || given < 0 || given > widest || rest.length > 0 || address.includes('[')) {
    throw new Error('must be an address or a range such as 10.0.0.0/8 or 2001:db8::/32');
  }
  return [ip, given];
}

function isTrusted(ip: IpAddress, trusted: readonly Cidr[]): boolean {
  return trusted.some(([range, bits]) => range.kind() === ip.kind() && ip.match([range, bits]));
}

/**
 * The rightmost address that is not a trusted proxy: from the socket's peer leftwards through `X-Forwarded-For`.
 * An invalid entry ends the walk.
 */
export function originate(
  remote: string | undefined,
  forwardedFor: readonly string[],
  trusted: readonly Cidr[],
): Origination {
  let ip = remote === undefined ? undefined : parseAddress(remote);
  if (ip === undefined) return { network: 'unknown', viaTrusted: false };
  const viaTrusted = isTrusted(ip, trusted);
  if (!viaTrusted) return { network: networkOf(ip), viaTrusted };
  const hops = forwardedFor.join(',').split(',').slice(-maxHops);
  for (const hop of hops.reverse()) {
    if (!isTrusted(ip, trusted)) break;
    const next = parseAddress(hop);
    if (next === undefined) break;
    ip = next;
  }
  return { network: networkOf(ip), viaTrusted };
}

/**
 * Whether `X-Forwarded-Proto` says TLS. One of several entries is enough, in any place: proxies disagree on the order,
 * a `ws://` URL never works on an https page, and if one hop of the edge speaks TLS, `wss://` works. Undefined without
 * such a header.
 */
export function forwardedTls(values: readonly string[]): boolean | undefined {
  if (values.length === 0) return undefined;
  const schemes = values.flatMap((value) => value.toLowerCase().split(',')).map((scheme) => scheme.trim());
  return schemes.some((scheme) => scheme === 'https' || scheme === 'wss');
}
