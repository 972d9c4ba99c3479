// Takes secrets out of a finished log line, wherever in it they are.
// The last guard, not the first: code must not log tickets and tokens at all.

const rules: readonly (readonly [RegExp, string])[] = [
  // "ticket":"…", "authorization":["…"]: fields named after something secret; numbers (counts) stay
  [
    /("[^"]{0,40}(?:ticket|token|authorization|password|secret|cookie|credential|api_?-?key|hint)[^"]{0,40}":)(?:"(?:[^"\\]|\\.)*"|\[[^\]]*\])/gi,
    '$1"***"',
  ],
  // ws://user:password@host
  [/(:\/\/)[^/@\s"\\]+@/g, '$1***@'],
  // ?ticket=…&resume=…: everything after the first question mark of a URL
  [/(:\/\/[^\s"\\?]{1,2048}\?)[^\s"\\]+/g, '$1***'],
  // …?token=… of a path alone, as in a request line
  [/([?&](?:ticket|token|access_token|hint|resume|key|password|secret)=)[^&\s"\\]+/gi, '$1***'],
  // a JWS in compact form, anywhere
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, '***'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, '$1 ***'],
];

/** The line without what looks like a secret. */
export function scrub(line: string): string {
  let clean = line;
  for (const [pattern, replacement] of rules) clean = clean.replace(pattern, replacement);
  return clean;
}
