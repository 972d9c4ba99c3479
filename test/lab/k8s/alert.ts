// Whether an alert of the chart fires for the /metrics of one pod. Knows comparisons of numbers, series and products of
// them, joined by `and`: enough for alerts about one shard at one moment.
export function fires(expr: string, metrics: string): boolean {
  return expr.split(' and ').every((comparison) => {
    const [left = '', sign = '', right = ''] = comparison.split(/ (>|<|==) /);
    const [a, b] = [value(left, metrics), value(right, metrics)];
    if (sign === '>') return a > b;
    if (sign === '<') return a < b;
    if (sign === '==') return a === b;
    throw new Error(`cannot judge ${comparison}`);
  });
}

/** The value of a series without labels. */
export function value(term: string, metrics: string): number {
  return term.split(' * ').reduce((product, factor) => {
    const name = factor.trim().replace(/\{.*\}$/, '');
    const sample = new RegExp(`^${name} (.+)$`, 'm').exec(metrics)?.[1];
    const number = Number(sample ?? name);
    if (Number.isNaN(number)) throw new Error(`there is no ${factor}`);
    return product * number;
  }, 1);
}
