// The figures of one process for the console: its answer to a request on `weir.ctl.figures`. Every field is checked on
// the way in, because any NATS client with the permission can send one.
import { isToken } from '@weir/protocol';
import type { Decision } from './decision.ts';
import { copyDecision, isDecision, maxDecisions } from './decision.ts';

/** The services that answer. */
export const FIGURE_SERVICES = ['router', 'shard', 'publisher'] as const;
export type FigureService = (typeof FIGURE_SERVICES)[number];

/** What a process says of itself when it is asked. */
export interface Figures {
  readonly v: 1;
  readonly service: FigureService;
  /** The shard's id; of another service a name that no second process has. */
  readonly id: string;
  readonly version: string;
  /** Time since the process started. */
  readonly upMs: number;
  /** Settings that the console draws beside the figures. */
  readonly limits: Readonly<Record<string, number>>;
  /** Series as in `/metrics`, by name and labels; a series that is missing is 0. */
  readonly series: Readonly<Record<string, number>>;
  /** The newest decisions of a router, oldest first. */
  readonly decisions?: readonly Decision[];
}

/** Maximum size as JSON. A usual answer of a shard has 4 KB. */
export const maxFiguresBytes = 65_536;
const maxSeries = 1_000;
const maxLimits = 16;
const maxIdChars = 128;

const seriesPattern = /^[a-z][a-z0-9_]{0,100}(?:\{[A-Za-z0-9_=",.+ -]{0,200}\})?$/;
const limitPattern = /^[A-Za-z]{1,40}$/;
const versionPattern = /^[A-Za-z0-9.+-]{1,64}$/;

/** The answer as JSON. Throws a `RangeError` that names a field that `decodeFigures` would refuse. */
export function encodeFigures(figures: Figures): Uint8Array {
  const wrong = wrongField(figures);
  if (wrong !== undefined) throw new RangeError(`figures cannot carry this ${wrong}`);
  return new TextEncoder().encode(JSON.stringify(figures));
}

/** The figures in these bytes, or undefined if they are not valid. Never throws. */
export function decodeFigures(bytes: Uint8Array): Figures | undefined {
  if (bytes.byteLength > maxFiguresBytes) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value !== 'object' || value === null || wrongField(value) !== undefined) return undefined;
    const { v, service, id, version, upMs, limits, series, decisions } = value as Figures;
    const known = { v, service, id, version, upMs, limits, series };
    return decisions === undefined ? known : { ...known, decisions: decisions.map(copyDecision) };
  } catch {
    return undefined;
  }
}

function wrongField(value: object): keyof Figures | undefined {
  const at = (name: keyof Figures): unknown =>
    Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
  const services: readonly unknown[] = FIGURE_SERVICES;
  if (at('v') !== 1) return 'v';
  if (!services.includes(at('service'))) return 'service';
  const id = at('id');
  if (typeof id !== 'string' || !isToken(id, maxIdChars)) return 'id';
  const version = at('version');
  if (typeof version !== 'string' || !versionPattern.test(version)) return 'version';
  const upMs = at('upMs');
  if (!isNumber(upMs) || upMs < 0) return 'upMs';
  if (!areNumbers(at('limits'), limitPattern, maxLimits)) return 'limits';
  if (!areNumbers(at('series'), seriesPattern, maxSeries)) return 'series';
  const decisions = at('decisions');
  if (decisions === undefined) return undefined;
  const fit = Array.isArray(decisions) && decisions.length <= maxDecisions && decisions.every(isDecision);
  return fit ? undefined : 'decisions';
}

/** Sums of many stay finite. A shard would need a thousand years to write so many bytes. */
const maxAmount = 1e20;

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= maxAmount;
}

function areNumbers(value: unknown, name: RegExp, most: number): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return entries.length <= most && entries.every(([key, one]) => isNumber(one) && name.test(key));
}
