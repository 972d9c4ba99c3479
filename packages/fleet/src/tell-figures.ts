// Tells a console the figures of a service when it is asked; `answerFigures` decides how often.
import { answerFigures, type FiguresSource } from './answer-figures.ts';
import type { Figures } from './figures.ts';

/** The parts of a service that are needed; those of the runtime fit. */
export interface FiguresParts {
  readonly link: {
    ready(): Promise<FiguresSource>;
    publish(subject: string, bytes: Uint8Array): void;
  };
  readonly clock: { monotonicMs(): number };
  readonly logger: { error(fields: object, message: string): void };
}

/** What of the figures differs from service to service. */
export type OwnFigures = Pick<Figures, 'service' | 'id' | 'version' | 'limits'>;

export interface TellFiguresOptions {
  /** Where consoles ask. */
  readonly subject: string;
  readonly own: OwnFigures;
  readonly upMs: () => number;
  readonly series: () => Promise<Figures['series']>;
  /** Of a router. */
  readonly decisions?: () => NonNullable<Figures['decisions']>;
}

export function tellFigures({ link, clock, logger }: FiguresParts, o: TellFiguresOptions): void {
  const { subject, own, upMs, series, decisions } = o;
  answerFigures({
    connected: link.ready(),
    subject,
    read: async () => ({
      v: 1,
      ...own,
      upMs: Math.round(upMs()),
      series: await series(),
      ...(decisions === undefined ? {} : { decisions: decisions() }),
    }),
    answer: (to, bytes) => link.publish(to, bytes),
    monotonicMs: () => clock.monotonicMs(),
    onFault: (err) => logger.error({ err }, 'figures cannot be told'),
  });
}
