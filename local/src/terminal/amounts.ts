// Numbers in the few characters that a terminal has for them. Pure.

export function shortBytes(value: number): string {
  const units = ['B', 'K', 'M', 'G'];
  let left = value;
  let at = 0;
  while (left >= 1000 && at < units.length - 1) {
    left /= 1000;
    at += 1;
  }
  return `${at === 0 || left >= 100 ? Math.round(left) : left.toFixed(1)}${units[at]}`;
}

export function shortMilliseconds(value: number | undefined): string {
  if (value === undefined) return '-';
  return value >= 1000 ? `${(value / 1000).toFixed(1)}s` : `${Math.round(value)}ms`;
}
