// Extracts all code blocks of a Markdown page, in order, with the attributes of their fences.
//
//   ```sh                  commands to run, one after the other
//   ```sh stays=ready      the last command keeps running; it has started when a line begins with `ready`
//   ```sh needs=go         run where this program is installed
//   ```js file=a.mjs       a file to save
//   ```text                output of the commands before; … stands for anything

export interface Block {
  readonly page: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly file: string | undefined;
  readonly stays: string | undefined;
  readonly needs: string | undefined;
  readonly body: string;
}

/** The blocks of a page, including indented ones in lists. */
export function blocksOf(page: string, markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  let open:
    | { readonly line: number; readonly indent: string; readonly info: string; readonly body: string[] }
    | undefined;
  for (const [at, text] of markdown.split('\n').entries()) {
    const [, indent = '', info = ''] = /^( *)```(.*)$/.exec(text) ?? [];
    const isFence = /^ *```/.test(text);
    if (open === undefined && isFence) open = { line: at + 1, indent, info: info.trim(), body: [] };
    else if (open !== undefined && isFence && info.trim() === '') {
      blocks.push(block(page, open));
      open = undefined;
    } else if (open !== undefined)
      open.body.push(text.startsWith(open.indent) ? text.slice(open.indent.length) : text);
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: the block is not closed`);
  return blocks;
}

function block(
  page: string,
  { line, info, body }: { readonly line: number; readonly info: string; readonly body: readonly string[] },
): Block {
  const [language = '', ...words] = info.split(/\s+/);
  const of = new Map(words.map((word) => [word.split('=')[0] ?? '', word.split('=')[1] ?? '']));
  return {
    page,
    line,
    language,
    file: of.get('file'),
    stays: of.get('stays'),
    needs: of.get('needs'),
    body: body.map((text) => `${text}\n`).join(''),
  };
}

/** A pattern for a printed line: `…` stands for anything. */
export function patternOf(line: string): RegExp {
  return new RegExp(`^${line.split('…').map(escaped).join('.*')}$`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
