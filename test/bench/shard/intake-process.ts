// A number of intakes in their own process: `url way intakes stream prefix channels wanted`. Each is a connection that
// takes every message by a callback and counts it, in one of the compared ways.
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect } from '@nats-io/transport-node';

/** How an intake follows a stream. */
export type IntakeWay = 'ordered' | 'republish' | 'wanted';

const [url = '', way = 'republish', intakes = '1', stream = '', prefix = '', channels = '1', wanted = '1'] =
  process.argv.slice(2);
let delivered = 0;
const count = (): void => {
  delivered++;
};

async function follow(nats: NatsConnection, first: number): Promise<void> {
  if (way === 'ordered') {
    const consumer = await jetstream(nats).consumers.get(stream);
    await consumer.consume({ callback: count });
  } else if (way === 'republish') {
    nats.subscribe(`${prefix}.live.state.>`, { callback: count });
  } else {
    for (let i = 0; i < Number(wanted); i++) {
      const channel = (first + i) % Number(channels);
      nats.subscribe(`${prefix}.live.state.c${channel}.*`, { callback: count });
    }
  }
  await nats.flush();
}

for (let i = 0; i < Number(intakes); i++) await follow(await connect({ servers: url }), i);
process.on('message', () => process.send?.({ delivered }));
process.on('disconnect', () => process.exit(0));
process.send?.({ delivered });
