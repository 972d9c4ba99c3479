// The cluster in one line of a terminal, from what its console says. Pure.
import type { TopView } from '../top/text.ts';
import { shortBytes, shortMilliseconds } from './amounts.ts';

/** `12 clients (desktop 9, mobile 3)  80 messages/s  …`; the end is cut where the terminal is narrow. */
export function liveText(view: TopView, columns: number): string {
  const { total, pools, findings, nats } = view;
  const backlog = pools.reduce((sum, { backlogBytes }) => sum + backlogBytes, 0);
  const byPool = pools.map(({ pool, clients }) => `${pool} ${clients}`).join(', ');
  const [finding] = findings;
  return [
    `${total.clients} ${total.clients === 1 ? 'client' : 'clients'}${byPool === '' ? '' : ` (${byPool})`}`,
    `${Math.round(total.publishedPerSecond)} messages/s`,
    `backlog ${shortBytes(backlog)}`,
    `lag 95% ${shortMilliseconds(total.lag95Ms)}`,
    ...(nats === 'away' ? ['NATS IS AWAY'] : []),
    ...(finding === undefined ? [] : [`! ${finding.text}`]),
  ]
    .join('  ')
    .slice(0, Math.max(0, columns));
}
