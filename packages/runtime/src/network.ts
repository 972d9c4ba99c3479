// Network addresses, and which of them count as one owner: limits by address use that.
// Addresses must not appear in a log, a metric or an answer.
import ipaddr from 'ipaddr.js';

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** One spelling for every address: mapped IPv4 becomes IPv4; zone, brackets and port are removed. */
export function parseAddress(text: string): IpAddress | undefined {
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

/** The key of an owner: an IPv4 address, the first 64 bits of an IPv6 address; one key for all loopback addresses. */
export function networkOf(ip: IpAddress): string {
  if (ip.range() === 'loopback') return '127.0.0.1';
  if (ip.kind() === 'ipv4') return ip.toString();
  const bytes = ip.toByteArray();
  // Translated IPv4 (64:ff9b::/96): one /64 holds all of them, so the IPv4 address counts.
  if (ip.range() === 'rfc6052') return bytes.slice(12).join('.');
  return `${Buffer.from(bytes.slice(0, 8)).toString('hex')}/64`;
}
