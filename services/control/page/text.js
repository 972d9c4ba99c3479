// Words and numbers as people read them. Pure.

// The first page of `npm start` writes the same numbers in the same way (local/page/show.js).
const NBSP = '\u00a0';

/** `12,345`, `12.3 M`, `1.2 bn`: whole numbers. */
export function count(value) {
  if (value === undefined || value === null) return '–';
  if (value >= 1e9) return `${fixed(value / 1e9)}${NBSP}bn`;
  if (value >= 1e7) return `${fixed(value / 1e6)}${NBSP}M`;
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A rate: below 10 with one decimal. */
export function rate(value) {
  if (value === undefined || value === null) return '–';
  return value > 0 && value < 10 ? fixed(value) : count(value);
}

export function bytes(value) {
  if (value === undefined || value === null) return '–';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let at = 0;
  let left = value;
  while (left >= 1000 && at < units.length - 1) {
    left /= 1000;
    at += 1;
  }
  return `${at === 0 ? Math.round(left) : fixed(left)}${NBSP}${units[at]}`;
}

export function milliseconds(value) {
  if (value === undefined || value === null) return '–';
  if (value >= 1000) return `${fixed(value / 1000)}${NBSP}s`;
  return `${value > 0 && value < 10 ? fixed(value) : Math.round(value)}${NBSP}ms`;
}

export function percent(ratio) {
  if (ratio === undefined || ratio === null) return '–';
  const value = ratio * 100;
  return `${value > 0 && value < 10 ? fixed(value) : Math.round(value)}${NBSP}%`;
}

/** `3 d 4 h`, `12 min`, `8 s`. */
export function age(ms) {
  if (ms === undefined || ms === null) return '–';
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}${NBSP}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}${NBSP}min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}${NBSP}h${NBSP}${minutes % 60}${NBSP}min`;
  return `${Math.floor(hours / 24)}${NBSP}d${NBSP}${hours % 24}${NBSP}h`;
}

export function kilobits(kbps) {
  if (kbps === undefined || kbps === null) return 'not measured';
  if (kbps >= 1e6) return `${fixed(kbps / 1e6)}${NBSP}Gbit/s`;
  return kbps >= 1000 ? `${fixed(kbps / 1000)}${NBSP}Mbit/s` : `${Math.round(kbps)}${NBSP}kbit/s`;
}

export function clock(ms) {
  return new Date(ms).toLocaleTimeString('en-GB');
}

export function day(ms) {
  return new Date(ms).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}

/** `stateFull` becomes `state full`. */
export function words(name) {
  return name.replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);
}

/** The lines of the rule of docs/probe.md. */
const LINES = {
  1: 'no certain answer before the deadline',
  2: 'the round trip alone is over the threshold',
  3: 'the slow tries agree',
  4: 'too little time or too few bytes for a larger try',
  5: 'clearly fast, and confirmed',
  7: 'two tries agree that it is slow',
  9: 'near the threshold, decided by several round trips',
};

const REASONS = {
  silent: 'answered no ping',
  noBudget: 'the router had no bytes left to measure with; only the round trip is known',
  shard: 'its shard measured it while it was served, and moved it',
  hint: 'came back with a signed hint of an earlier measurement',
  notMeasured: 'asked for the slowest pool, or there is only one',
};

/** Why a client was sent where it was sent. */
export function why({ why: reason, line, confidence, wanted }) {
  const unsure = line === 5 && confidence === 'low';
  const found = unsure ? 'looked fast, and no time was left to confirm it' : LINES[line];
  const text = REASONS[reason] ?? found ?? 'measured';
  return wanted === undefined ? text : `${text}; pool ${wanted} would suit it, and had no room`;
}

function fixed(value) {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, '');
}
