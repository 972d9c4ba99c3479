// Makers of rows for settings that are numbers with bounds. This file names no setting.
import type { Setting } from '@weir/runtime';
import { parse } from '@weir/runtime';

interface Row<T> {
  readonly env: string;
  readonly default: T;
  readonly meaning: string;
}

/** A time. */
export function ms({
  min = 1,
  max = 3_600_000,
  ...row
}: Row<number> & { min?: number; max?: number }): Setting<number> {
  return { ...row, parse: parse.durationMs({ min, max }), unit: 'ms' };
}

/** A size. */
export function bytes({
  min = 1,
  max = 1e11,
  ...row
}: Row<number> & { min?: number; max?: number }): Setting<number> {
  return { ...row, parse: parse.bytes({ min, max }), unit: 'bytes' };
}

/** A whole number. */
export function count({
  min = 1,
  max = 1e9,
  ...row
}: Row<number> & { min?: number; max?: number }): Setting<number> {
  return { ...row, parse: parse.int({ min, max }) };
}
