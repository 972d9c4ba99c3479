// Which form of an answer a client of the API takes. Pure. We speak JSON alone; that a client would like protobuf or a
// table better does not matter as long as it takes JSON too.

/** What an Accept header allows. */
export interface Acceptable {
  readonly json: boolean;
  /** The newest form of aggregated discovery that is asked for before plain JSON. */
  readonly aggregated: 'v2' | 'v2beta1' | undefined;
}

const maxHeaderChars = 4_096;

/** Reads the header; none allows everything. */
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
