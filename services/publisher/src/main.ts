// The publisher's process. What the publisher does is in publisher.ts.
import { runService } from '@weir/runtime';
import { fitted, settings } from './config.ts';
import { createPublisherMetrics } from './metrics.ts';
import { Publisher } from './publisher.ts';
import { tellPublisher } from './report/figures.ts';

await runService({
  service: 'publisher',
  summary: 'takes messages by HTTP and publishes them to NATS',
  table: settings,
  fit: fitted,
  create(parts) {
    tellPublisher(parts);
    return new Publisher({ ...parts, ...createPublisherMetrics(parts.registry), random: Math.random });
  },
});
