// The progress and result lines of a replay. Pure.
import type { ReplayReport } from '../replay/replay.ts';

/** The state of a replay. */
export interface ReplayState extends ReplayReport {
  readonly elapsedMs: number;
}

/** `42 %  9,120 messages, 1,843/s, 8,300 kept, about 0:12 left`; for a pipe `1.4 MB read` instead of the share. */
export function progressText(state: ReplayState): string {
  const { messages, rounds, done, elapsedMs } = state;
  const seconds = Math.max(elapsedMs / 1000, 0.001);
  const parts = [
    counted(messages, 'message'),
    `${number(messages / seconds)}/s`,
    ...becameOf(state),
    // Too early to estimate the rest.
    ...(rounds === 0 && done !== undefined && done > 0.01 && done < 0.999
      ? [`about ${clock((seconds / done) * (1 - done))} left`]
      : []),
  ];
  return `${where(state)}  ${parts.join(', ')}`;
}

function where({ rounds, done, readBytes }: ReplayState): string {
  if (rounds > 0) return `round ${rounds + 1}`;
  return done === undefined ? `${size(readBytes)} read` : `${Math.floor(done * 100)} %`;
}

/** The last line: the totals. */
export function summaryText(state: ReplayState): string {
  const seconds = (state.elapsedMs / 1000).toFixed(1);
  const rounds = state.rounds > 1 ? ` and ${number(state.rounds)} whole rounds` : '';
  const why =
    state.duplicates > 0
      ? '; duplicates are not stored again, NATS has had their ids for two minutes or less'
      : '';
  return `${counted(state.messages, 'message')} in ${seconds} s${rounds}: ${becameOf(state).join(', ')}${why}`;
}

/** Each count above zero, and always `kept`. */
function becameOf({ kept, duplicates, sent, notKept, unknown, skipped }: ReplayState): readonly string[] {
  return [
    `${number(kept)} kept`,
    ...(duplicates > 0 ? [counted(duplicates, 'duplicate')] : []),
    ...(sent > 0 ? [`${number(sent)} sent`] : []),
    ...(notKept > 0 ? [`${number(notKept)} not kept`] : []),
    ...(unknown > 0 ? [`${number(unknown)} not acknowledged`] : []),
    ...(skipped > 0 ? [`${counted(skipped, 'bad line')} skipped`] : []),
  ];
}

function counted(value: number, noun: string): string {
  return `${number(value)} ${noun}${value === 1 ? '' : 's'}`;
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const rest = String(whole % 60).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${rest}`
    : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${rest}`;
}
