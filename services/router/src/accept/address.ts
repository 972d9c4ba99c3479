// Where a client comes from, through proxies that are trusted: its network (for the rate limit) and whether by TLS.
// Forwarded headers of anybody else mean nothing. Addresses never reach a log, a metric or an answer.
import ipaddr from 'ipaddr.js';

type Ip = ipaddr.IPv4 | ipaddr.IPv6;
/** A range of addresses. */
export type Cidr = readonly [Ip, number];

/** A trusted proxy that adds more entries than these is not believed further. */
const maxHops = 32;

/** What is known of where a client comes from. */
export interface Origination {
  /** The IPv4 address or the IPv6 /64: what one client can be expected to own. */
  readonly network: string;
  /** Whether the peer of the socket is a trusted proxy. */
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

/** One spelling for every address: mapped IPv4 is IPv4, without zone, brackets and port. */
export function parseAddress(text: string): Ip | undefined {
  const bare = text.trim();
  const [, bracketed] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(bare) ?? [];
  const [, quad] = /^(\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?$/.exec(bare) ?? [];
  if (quad !== undefined)
    return ipaddr.IPv4.isValidFourPartDecimal(quad) ? ipaddr.IPv4.parse(quad) : undefined;
  const [plain = ''] = (bracketed ?? bare).split('%');
  if (plain.length > 45 || !ipaddr.IPv6.isValid(plain)) return undefined;
  const ip = ipaddr.IPv6.parse(plain);
  return ip.isIPv4MappedAddress() ? ip.toIPv4Address() : ip;
}

/** The key of the rate limit: an IPv4 address, or the first 64 bits of an IPv6 address. */
export function networkOf(ip: Ip): string {
  if (ip.kind() === 'ipv4') return ip.toString();
  const bytes = ip.toByteArray();
  // Translated IPv4 (64:ff9b::/96): one /64 holds all of them, so the IPv4 address counts.
  if (ip.range() === 'rfc6052') return bytes.slice(12).join('.');
  return `${Buffer.from(bytes.slice(0, 8)).toString('hex')}/64`;
}

function isTrusted(ip: Ip, trusted: readonly Cidr[]): boolean {
  return trusted.some(([range, bits]) => range.kind() === ip.kind() && ip.match([range, bits]));
}

/**
 * The rightmost address that is not a trusted proxy: from the socket's peer leftwards through `X-Forwarded-For`.
 * An entry that is no address ends the walk.
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
 * Whether `X-Forwarded-Proto` says TLS. Of several entries one is enough, wherever it stands: proxies disagree on
 * the order, a `ws://` URL never works on an https page, and where one hop of the edge speaks TLS `wss://` does.
 * Undefined where there is no such header.
 */
export function forwardedTls(values: readonly string[]): boolean | undefined {
  if (values.length === 0) return undefined;
  const schemes = values.flatMap((value) => value.toLowerCase().split(',')).map((scheme) => scheme.trim());
  return schemes.some((scheme) => scheme === 'https' || scheme === 'wss');
}
