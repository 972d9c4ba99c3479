// Takes all code blocks out of a Markdown page, in order, with what their fences say about them.
//
//   ```sh                  commands to run, one after the other
//   ```sh stays=ready      the last command goes on running; it has begun when a line begins with `ready`
//   ```sh needs=go         run where this program is installed
//   ```js file=a.mjs       a file to save
//   ```text                lines that the commands before print; … stands for anything

export interface Block {
  readonly page: string;
  /** Of the fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly file: string | undefined;
  readonly stays: string | undefined;
  readonly needs: string | undefined;
  readonly body: string;
}

/** The blocks of a page; also those that are indented, as in a list. */
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

/** The pattern of a printed line: `…` stands for anything. */
export function patternOf(line: string): RegExp {
  return new RegExp(`^${line.split('…').map(escaped).join('.*')}$`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
