// The line that a replay writes about itself. Pure.

/** What is known of a replay. */
export interface ReplayState {
  readonly lines: number;
  readonly kept: number;
  readonly sent: number;
  readonly skipped: number;
  readonly rounds: number;
  readonly done: number;
  readonly elapsedMs: number;
}

/** `42 %  9,120 lines, 1,843/s, 8,300 kept, about 0:12 left`. */
export function progressText(state: ReplayState): string {
  const { lines, kept, sent, skipped, rounds, done, elapsedMs } = state;
  const seconds = Math.max(elapsedMs / 1000, 0.001);
  const parts = [
    `${number(lines)} lines`,
    `${number(lines / seconds)}/s`,
    `${number(kept)} kept`,
    ...(sent > 0 ? [`${number(sent)} sent`] : []),
    ...(skipped > 0 ? [`${number(skipped)} skipped`] : []),
    // Files are read ahead, so what a short or nearly finished one says of the rest is not worth showing.
    ...(rounds === 0 && done > 0.01 && done < 0.999
      ? [`about ${clock((seconds / done) * (1 - done))} left`]
      : []),
  ];
  const where = rounds === 0 ? `${Math.floor(done * 100)} %` : `round ${rounds + 1}`;
  return `${where}  ${parts.join(', ')}`;
}

/** The last line: what was done in all. */
export function summaryText({ lines, kept, sent, skipped, elapsedMs }: ReplayState): string {
  const seconds = (elapsedMs / 1000).toFixed(1);
  const rest = `${sent > 0 ? `, ${number(sent)} sent` : ''}${skipped > 0 ? `, ${number(skipped)} bad lines skipped` : ''}`;
  return `${number(lines)} messages in ${seconds} s: ${number(kept)} kept${rest}`;
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const rest = String(whole % 60).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${rest}`
    : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${rest}`;
}
