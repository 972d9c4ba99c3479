// Takes the code out of a Markdown page: the blocks whose fence names a file, as they stand.

export function fencedFiles(markdown: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [, name, body] of markdown.matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gm)) {
    if (name !== undefined && body !== undefined) files.set(name, body);
  }
  return files;
}
