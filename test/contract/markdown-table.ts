// Reads tables of a Markdown page as rows of cells, so that tests can compare them with the code.

/** One row: cell texts by column heading, without the code marks of a cell that is all code. */
export type Row = Readonly<Record<string, string>>;

/** The first table after `heading` (a whole line) whose first columns are `columns`. */
export function tableOf(page: string, heading: string, columns: readonly string[]): readonly Row[] {
  const lines = page.split('\n');
  const from = lines.indexOf(heading);
  if (from < 0) throw new Error(`the page has no heading ${heading}`);
  const wanted = columns.join(' | ');
  const at = lines.findIndex((line, i) => i > from && cellsOf(line).join(' | ').startsWith(wanted));
  if (at < 0) throw new Error(`there is no table | ${wanted} | after ${heading}`);
  const names = cellsOf(lines[at] ?? '');
  const rows: Row[] = [];
  for (const line of lines.slice(at + 2)) {
    if (!line.startsWith('|')) break;
    const cells = cellsOf(line);
    rows.push(Object.fromEntries(names.map((name, i) => [name, bare(cells[i] ?? '')])));
  }
  return rows;
}

function cellsOf(line: string): readonly string[] {
  if (!line.startsWith('|')) return [];
  return line
    .slice(1, line.lastIndexOf('|'))
    .split('|')
    .map((cell) => cell.trim());
}

function bare(cell: string): string {
  return /^`[^`]*`$/.test(cell) ? cell.slice(1, -1) : cell;
}
