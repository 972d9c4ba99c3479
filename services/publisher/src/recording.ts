// A recording as a command's options describe it: its lines, how a line becomes a message, and when each is due.
import { type Mapping, parseMapped } from './parse/parse-mapped.ts';
import { parseTimedMessage } from './parse/parse-message.ts';
import { msPerUnit, type Unit, UnitCheck } from './replay/check-unit.ts';
import { CsvRecords } from './replay/csv.ts';
import type { Input } from './replay/open-input.ts';
import { EvenPace, Pace } from './replay/pace.ts';
import { readLines } from './replay/read-lines.ts';
import type { ReplayOptions } from './replay/replay.ts';

/** A line has a message of 16 KB and its envelope. */
export const maxLineBytes = 65_536;

export interface RecordingRequest {
  readonly input: Input;
  /** Undefined for the default. */
  readonly unit: Unit | undefined;
  readonly speed: number;
  readonly maxPauseMs: number;
  /** Messages a second instead of the recording's times; undefined to follow the times. */
  readonly rate: number | undefined;
  readonly csv: boolean;
  /** The names of the columns, if no line of the file has them. */
  readonly columns: readonly string[] | undefined;
  /** Undefined if the lines are messages. */
  readonly mapping: Mapping | undefined;
}

type Recording = Pick<ReplayOptions, 'open' | 'parse' | 'pace' | 'unit' | 'check'>;

const noCheck = { look: () => undefined, end: () => undefined } as const;

export function recordingOf(request: RecordingRequest): Recording {
  const { input, rate, mapping } = request;
  const unit = request.unit ?? 'ms';
  const csv = request.csv ? new CsvRecords(request.columns) : undefined;
  const stated = request.unit !== undefined;
  return {
    open: () => {
      const reader = readLines(input, maxLineBytes);
      return csv === undefined ? reader : { ...reader, lines: csv.lines(reader.lines) };
    },
    parse: (line) => {
      const record = csv?.record(line) ?? { value: line };
      if ('problem' in record) return record;
      if (mapping !== undefined) return parseMapped(record.value, mapping, msPerUnit[unit]);
      // With a rate, a recording needs no times.
      return parseTimedMessage(record.value, rate === undefined ? 'needed' : 'optional');
    },
    pace: rate === undefined ? new Pace(request) : new EvenPace(rate),
    unit,
    check: rate === undefined ? new UnitCheck({ unit, stated }) : noCheck,
  };
}
