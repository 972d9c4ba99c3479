// Extracts the code blocks of a Markdown page whose fence names a file.

export function fencedFiles(markdown: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [, name, body] of markdown.matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gm)) {
    if (name !== undefined && body !== undefined) files.set(name, body);
  }
  return files;
}
