// Notices routers and publishers that come and go, by their answers.
import type { Change } from './fleet-watch.ts';
import type { Processes } from './processes.ts';

const SERVICES = ['router', 'publisher'] as const;
/** At the start, processes answer one after the other. */
const quietSteps = 3;

export class ProcessWatch {
  #known: ReadonlySet<string> = new Set();
  #steps = 0;

  step(processes: Processes): readonly Change[] {
    const now = new Set(
      SERVICES.flatMap((service) => processes.of(service).map(({ figures }) => `${service} ${figures.id}`)),
    );
    const known = this.#known;
    this.#known = now;
    this.#steps += 1;
    if (this.#steps <= quietSteps) return [];
    const come = [...now].filter((one) => !known.has(one));
    const gone = [...known].filter((one) => !now.has(one));
    return [
      ...come.map((about): Change => ({ level: 'good', about, text: `${capital(about)} is there.` })),
      ...gone.map(
        (about): Change => ({ level: 'warn', about, text: `${capital(about)} does not answer any more.` }),
      ),
    ];
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
