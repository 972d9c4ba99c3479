// Loaded into a server before its own code (`--import`): takes a CPU profile of each thread during a measurement.
// `{"profile":"start"}` and `{"profile":"stop"}` come over IPC to the main thread, which forwards them to the others.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';

const channel = new BroadcastChannel('weir-bench-profile');
let session: Session | undefined;

async function start(): Promise<void> {
  session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
}

async function stop(): Promise<void> {
  if (session === undefined) return;
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  session = undefined;
  const folder = process.env['BENCH_PROFILE'] ?? '.';
  writeFileSync(join(folder, `${process.pid}-thread-${threadId}.cpuprofile`), JSON.stringify(profile));
}

function obey(order: unknown): void {
  if (order === 'start') void start();
  else if (order === 'stop') void stop();
}

channel.onmessage = (event: unknown): void => {
  if (typeof event === 'object' && event !== null && 'data' in event) obey(event.data);
};
if ('unref' in channel && typeof channel.unref === 'function') channel.unref();
if (isMainThread && process.send !== undefined) {
  const listener = (message: unknown): void => {
    if (typeof message !== 'object' || message === null || !('profile' in message)) return;
    channel.postMessage(message.profile);
    obey(message.profile);
  };
  process.on('message', listener);
  // A listener for messages keeps a process alive; this one must not.
  process.channel?.unref();
}
