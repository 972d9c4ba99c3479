// By which names a server may be asked that is not meant for every page in a browser. A page of any site can make its own
// name point at an address that only this browser reaches (DNS rebinding), and then reads as if the server were its own.
// The browser still sends that name as Host.
import { isIP } from 'node:net';
import { hostname } from 'node:os';

/** `[::1]:7704`, `10.0.0.1`, `console.example.com:443`. */
const HOST = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::\d{1,5})?$/;

/** The name or the address in a Host header, in lower case; undefined if it is none. */
export function hostNamed(header: string | undefined): string | undefined {
  const [, v6, name] = HOST.exec(header ?? '') ?? [];
  if (v6 !== undefined) return isIP(v6) === 6 ? v6.toLowerCase() : undefined;
  return name?.toLowerCase();
}

/**
 * Whether the Host is an address, `localhost`, the name of this machine or pod, or in the list. An entry that begins with
 * a dot stands for that name and the names below it. No site has an address for a name, so addresses are safe.
 */
export function isKnownHost(header: string | undefined, listed: readonly string[] = []): boolean {
  const name = hostNamed(header);
  if (name === undefined) return false;
  if (isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost')) return true;
  return [hostname(), ...listed].some((entry) => {
    const known = entry.toLowerCase();
    return known.startsWith('.') ? `.${name}`.endsWith(known) : name === known;
  });
}
