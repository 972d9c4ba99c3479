// Reads the Prometheus text of a service.

export type Series = ReadonlyMap<string, number>;

/** The samples by name and labels as they stand there: `weir_shard_moves_total{reason="drain"}`. */
function parseMetrics(text: string): Series {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const at = line.lastIndexOf(' ');
    series.set(line.slice(0, at), Number(line.slice(at + 1)));
  }
  return series;
}

/** The values of one label of a metric: of `weir_shard_moves_total`, by `reason`. */
export function byLabel(series: Series, metric: string, label: string): Readonly<Record<string, number>> {
  const values: Record<string, number> = {};
  for (const [name, value] of series) {
    if (!name.startsWith(`${metric}{`)) continue;
    const [, of] = new RegExp(`[{,]${label}="([^"]*)"`).exec(name) ?? [];
    if (of !== undefined) values[of] = (values[of] ?? 0) + value;
  }
  return values;
}

const DEADLINE_MS = 1_000;

/** Undefined where the service does not answer. */
export async function readMetrics(adminUrl: string): Promise<Series | undefined> {
  try {
    const answer = await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(DEADLINE_MS) });
    return answer.ok ? parseMetrics(await answer.text()) : undefined;
  } catch {
    return undefined;
  }
}
