// The process of the page's crowd: hundreds of clients of the SDK, as applications are, through the router.
// Reports to the process that started it, and ends with it.
import { connect, type Weir } from '@weir/client';
import type { CrowdOrder, CrowdReport } from './crowd-words.ts';

const [url = '', channel = ''] = process.argv.slice(2);
/** Clients that come at once. More would meet the router's limit for one address. */
const PER_STEP = 10;
const STEP_MS = 100;
const REPORT_MS = 500;
/** Three of five are phones, which ask for the slower pool. */
const PHONES = 3;
const OF = 5;

interface Member {
  readonly weir: Weir;
  lastGoal: number | undefined;
  lastHeardMs: number | undefined;
}

const members: Member[] = [];
let wanted = 0;
let since = { critical: 0, lost: 0, moves: 0, silenceMs: 0 };

function numberOf(goal: unknown): number | undefined {
  return typeof goal === 'object' && goal !== null && 'n' in goal ? Number(goal.n) : undefined;
}

function join(): Member {
  const weir = connect({
    url,
    channels: [channel],
    class: members.length % OF < PHONES ? 'mobile' : undefined,
    conflateMs: 200,
    // The defaults spread thousands of clients over many seconds; these are few, on one machine.
    reconnect: { spreadMs: 1_000, baseMs: 500, capMs: 5_000 },
  });
  const member: Member = { weir, lastGoal: undefined, lastHeardMs: undefined };
  const market = weir.channel(channel);
  market.on('state', () => {
    const nowMs = performance.now();
    since.silenceMs = Math.max(since.silenceMs, nowMs - (member.lastHeardMs ?? nowMs));
    member.lastHeardMs = nowMs;
  });
  market.on('critical', ({ data }) => {
    const n = numberOf(data);
    if (n === undefined) return;
    if (member.lastGoal !== undefined && n > member.lastGoal + 1) since.lost += n - member.lastGoal - 1;
    member.lastGoal = n;
    since.critical += 1;
  });
  market.on('gap', () => {
    since.lost += 1;
  });
  weir.on('move', () => {
    since.moves += 1;
  });
  weir.on('error', () => {}); // the report says that it is not open
  return member;
}

function report(): CrowdReport {
  const nowMs = performance.now();
  const waits = members.map(({ lastHeardMs }) => nowMs - (lastHeardMs ?? nowMs));
  return {
    clients: wanted,
    open: members.filter(({ weir }) => weir.status === 'open').length,
    ...since,
    silenceMs: Math.round(waits.reduce((longest, wait) => Math.max(longest, wait), since.silenceMs)),
  };
}

setInterval(() => {
  for (let n = 0; n < PER_STEP && members.length < wanted; n += 1) members.push(join());
  while (members.length > wanted) members.pop()?.weir.close();
}, STEP_MS);
setInterval(() => process.send?.(report()), REPORT_MS);

process.on('message', (order: CrowdOrder) => {
  wanted = order.clients ?? wanted;
  if (order.mark !== true) return;
  since = { critical: 0, lost: 0, moves: 0, silenceMs: 0 };
  const nowMs = performance.now();
  for (const member of members) if (member.lastHeardMs !== undefined) member.lastHeardMs = nowMs;
});
process.on('disconnect', () => process.exit(0));
