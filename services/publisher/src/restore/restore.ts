// Writes lost state back, one key per line, if the stream has no message of the key. Stops at the first invalid line,
// and at the first key whose outcome is unknown; running it again does no harm.
import type { Message } from '../parse/message.ts';
import type { Parsed } from '../parse/parse-message.ts';
import type { AbsentOutcome } from '../send/absent.ts';

/** Why a restore ended early, as text. */
export class RestoreError extends Error {
  readonly code = 'RESTORE';

  constructor(message: string) {
    super(message);
    this.name = 'RestoreError';
  }
}

/** A restore's progress. */
export interface RestoreReport {
  readonly written: number;
  /** Keys that the stream already has: published since, deleted since, or restored before. */
  readonly present: number;
}

export interface RestoreOptions {
  readonly lines: AsyncIterable<{ readonly number: number; readonly bytes: Buffer | undefined }>;
  readonly parse: (line: Buffer) => Parsed<Message>;
  /** Resolves when the message is passed to NATS; a bounded number of messages waits for outcomes. */
  readonly submit: (message: Message) => Promise<{ readonly outcome: Promise<AbsentOutcome> }>;
  readonly stopped: () => boolean;
  readonly progress: (report: RestoreReport) => void;
}

/** Restores all lines, or until `stopped`; rejects with a `RestoreError`. */
export async function restore(options: RestoreOptions): Promise<RestoreReport> {
  const { lines, submit, stopped, progress } = options;
  const report = { written: 0, present: 0 };
  const pending = new Set<Promise<void>>();
  let failure: RestoreError | undefined;
  const settle = (line: number, outcome: AbsentOutcome): void => {
    if (outcome.kind === 'kept') report.written += 1;
    else if (outcome.kind === 'present') report.present += 1;
    else failure ??= new RestoreError(`line ${line}: ${failureText(outcome)}`);
    progress(report);
  };
  try {
    for await (const line of lines) {
      if (failure !== undefined || stopped()) break;
      if (line.bytes?.length === 0) continue;
      const { outcome } = await submit(messageOf(line, options.parse));
      const settled = outcome.then((known) => settle(line.number, known));
      pending.add(settled);
      void settled.then(() => pending.delete(settled));
    }
  } finally {
    await Promise.all(pending);
  }
  if (failure !== undefined) throw failure;
  return report;
}

function messageOf(
  { number, bytes }: { readonly number: number; readonly bytes: Buffer | undefined },
  parse: RestoreOptions['parse'],
): Message {
  if (bytes === undefined) throw new RestoreError(`line ${number}: it is too long`);
  const parsed = parse(bytes);
  if ('problem' in parsed) throw new RestoreError(`line ${number}: ${parsed.problem.message}`);
  const { address, data } = parsed.value;
  if (address.lane !== 'state' || data.length === 0)
    throw new RestoreError(`line ${number}: only values of the state lane can be restored`);
  return parsed.value;
}

function failureText(outcome: Exclude<AbsentOutcome, { kind: 'kept' | 'present' }>): string {
  if (outcome.kind === 'refused') return `NATS refused it: ${outcome.message}`;
  if (outcome.kind === 'unavailable') return 'NATS is away: it was not written; restore again';
  return 'no acknowledgement came: it may or may not have been written; restore again, which does no harm';
}
