// Which web pages may connect. Exact comparison of canonical origins: no suffixes, no look-alikes.

/** `scheme://host` with an optional port, including `[v6]` hosts and empty ones (`file://`). ASCII only. */
const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/([a-z0-9._-]*|\[[0-9a-f:.]+\])(?::(0|[1-9]\d{0,4}))?$/;

const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443' };
const maxOriginChars = 300;

/** The origin in lower case without its scheme's default port, or undefined if it is not one. `null` is one. */
export function canonicalOrigin(text: string): string | undefined {
  if (text.length > maxOriginChars) return undefined;
  const lower = text.toLowerCase();
  if (lower === 'null') return lower;
  const match = ORIGIN.exec(lower);
  if (match === null) return undefined;
  const [, scheme = '', host = '', port] = match;
  return port === undefined || port === defaultPorts[scheme]
    ? `${scheme}://${host}`
    : `${scheme}://${host}:${port}`;
}

/** No page has such an origin: it would allow nobody. */
const NOBODYS = /^(?:wss?:|https?:\/\/(?::|$))/;

/** Parses one entry of the setting: an origin, `null` or `*`. */
export function parseAllowedOrigin(text: string): string {
  const origin = text === '*' ? text : canonicalOrigin(text);
  if (origin === undefined || NOBODYS.test(origin)) {
    throw new Error(
      'must be *, null, or the origin of a page such as https://app.example (no path, no slash at the end, not ws:)',
    );
  }
  return origin;
}

/** The rules for an `Origin` header. */
export interface OriginRule {
  readonly allowed: readonly string[];
  /** Whether a client that sends no Origin (which browsers always do) is refused. */
  readonly required: boolean;
}

/** Why the origin is refused, as text; undefined if it may connect. `values` are the Origin headers. */
export function originProblem(values: readonly string[], rule: OriginRule): string | undefined {
  const [value, ...more] = values;
  if (more.length > 0) return 'there must be one Origin header at most';
  if (value === undefined) return rule.required ? 'an Origin header is required' : undefined;
  if (rule.allowed.includes('*')) return undefined;
  const origin = canonicalOrigin(value);
  const known = origin !== undefined && rule.allowed.includes(origin);
  return known ? undefined : 'this origin is not among those that are allowed';
}
