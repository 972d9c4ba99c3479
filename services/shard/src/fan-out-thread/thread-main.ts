// The entry of a fan-out thread: its port to the main thread. What the thread does is in thread.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '@weir/runtime';
import type { ToThread } from '../port/messages.ts';
import { sharedMs } from '../port/shared-clock.ts';
import type { ThreadStart } from '../port/thread-start.ts';
import { FanOutThread } from './thread.ts';

const port = parentPort;
if (port === null) throw new Error('this is the entry of a thread, not of a process');
const start: ThreadStart = workerData;
const thread = new FanOutThread({
  ...start,
  clock: systemClock,
  sharedMs,
  random: Math.random,
  send: (messages) => port.postMessage(messages),
  onStopped: () => port.close(),
});
port.on('message', (message: ToThread) => thread.receive(message));
