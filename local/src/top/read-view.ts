// What a console says about its cluster at this moment, or why it says nothing.
import type { TopView } from './text.ts';

const TIMEOUT_MS = 5000;
const MAX_LINE = 400;

export async function readView(
  url: string,
): Promise<{ readonly view: TopView } | { readonly view?: undefined; readonly problem: string }> {
  try {
    const response = await fetch(new URL('/api/view', url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.status === 403) return { problem: `${url} refuses: ${lineOf(await response.text())}` };
    if (!response.ok) return { problem: `${url} answers ${response.status}: is it the console of control?` };
    const view: unknown = JSON.parse(await response.text());
    return isView(view) ? { view } : { problem: `${url} is not the console of control` };
  } catch (error) {
    // fetch() says why in the cause of its error.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    return { problem: `no console answers at ${url} (${why})` };
  }
}

/** What a console says, such as which setting lists the names that it answers by. Nothing in it moves the cursor. */
function lineOf(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, MAX_LINE);
}

/** Another server may answer with JSON too. */
function isView(value: unknown): value is TopView {
  if (typeof value !== 'object' || value === null) return false;
  const lists = ['shards', 'pools', 'findings'].map((name): unknown => Reflect.get(value, name));
  const total: unknown = Reflect.get(value, 'total');
  const isTimed = typeof Reflect.get(value, 'atMs') === 'number';
  return isTimed && lists.every((list) => Array.isArray(list)) && typeof total === 'object' && total !== null;
}
