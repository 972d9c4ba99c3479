// Finds a name that an object of JSON has twice: `JSON.parse` takes the last of them without a word.

/** The first name that the outermost object has twice; undefined if there is none. `json` must be valid. */
export function repeatedName(json: string): string | undefined {
  const names = new Set<string>();
  let depth = 0;
  for (const [token, colon] of json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[[\]{}]/g)) {
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (depth === 1 && colon !== undefined) {
      const name = String(JSON.parse(token.slice(0, token.length - colon.length)));
      if (names.has(name)) return name;
      names.add(name);
    }
  }
  return undefined;
}
