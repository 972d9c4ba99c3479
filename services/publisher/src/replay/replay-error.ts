// Why a replay ended early, as a message for the user, and its counts until then.
import type { ReplayReport } from './replay.ts';

export class ReplayError extends Error {
  readonly code = 'REPLAY_FAILED';
  readonly report: ReplayReport;

  constructor(message: string, report: ReplayReport, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ReplayError';
    this.report = report;
  }
}
