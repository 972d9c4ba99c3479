// Turns a service's log line (pino JSON) into text for people. Pure; a line that is not JSON stays unchanged.

/** A log line for people, or undefined if it is below `warn`. */
export function readableChildLine(line: string): string | undefined {
  if (line.trim() === '') return undefined;
  const entry = parse(line);
  if (entry === undefined) return cut(line);
  const { level, time: _time, pid: _pid, service: _service, hostname: _host, msg, ...fields } = entry;
  const name = levelName(level);
  if (name === undefined) return undefined;
  const details = Object.entries(fields).map(([key, value]) => `${key}=${text(value)}`);
  return cut([name, text(msg ?? ''), ...details].filter((part) => part !== '').join(' '));
}

const LONGEST = 400;

function cut(line: string): string {
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`;
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'level' in value ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

const WARN = 40;
const NAMES = ['warn', 'error', 'fatal'] as const;

/** The level's name from warn up, given as a name or as pino's number. */
function levelName(level: unknown): string | undefined {
  if (typeof level === 'number')
    return level < WARN ? undefined : NAMES[Math.min(2, Math.floor(level / 10) - 4)];
  return NAMES.find((name) => name === level);
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && 'message' in value) return String(value.message);
  return JSON.stringify(value) ?? String(value);
}
