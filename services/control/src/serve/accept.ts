// Which form of answer a client of the API accepts. Pure. Control answers only in JSON: a client that prefers protobuf
// or a table is served if it also accepts JSON.

/** The forms that an Accept header allows. */
export interface Acceptable {
  readonly json: boolean;
  /** The newest form of aggregated discovery that the header prefers to plain JSON. */
  readonly aggregated: 'v2' | 'v2beta1' | undefined;
}

const maxHeaderChars = 4_096;

/** Parses the header; without one, every form is allowed. */
export function readAccept(header: string | undefined): Acceptable {
  if (header === undefined || header.trim() === '') return { json: true, aggregated: undefined };
  if (header.length > maxHeaderChars) return { json: false, aggregated: undefined };
  let json = false;
  let aggregated: Acceptable['aggregated'];
  for (const range of header.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (!['application/json', 'application/*', '*/*'].includes(type)) continue;
    const given = new Map(parameters.map((one) => splitOnce(one)));
    if (given.get('q') === '0') continue;
    const as = given.get('as');
    if (as === undefined) json = true;
    else if (as === 'apigroupdiscoverylist' && given.get('g') === 'apidiscovery.k8s.io' && !json) {
      const version = given.get('v');
      if (version === 'v2' || version === 'v2beta1') aggregated ??= version;
    }
  }
  return { json, aggregated };
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
