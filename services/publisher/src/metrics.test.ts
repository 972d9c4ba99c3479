import { createMetricsRegistry } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import { createPublisherMetrics } from './metrics.ts';

describe('createPublisherMetrics', () => {
  it('counts duplicates separately from stored messages', async () => {
    const registry = createMetricsRegistry({ service: 'publisher', version: 'test' });
    const { metrics } = createPublisherMetrics(registry);
    for (const duplicate of [false, true, true]) {
      const outcome = { kind: 'kept', stream: 'S', seq: 1, duplicate } as const;
      metrics.sent({ lane: 'critical', outcome, bytes: 10, tookMs: 1 });
    }
    const text = await registry.metrics();
    expect(text).toContain('weir_publisher_messages_total{lane="critical",outcome="kept"} 1');
    expect(text).toContain('weir_publisher_messages_total{lane="critical",outcome="duplicate"} 2');
    expect(text).toContain('weir_publisher_message_bytes_total{lane="critical"} 10');
  });

  it('reads its gauges at the scrape', async () => {
    const registry = createMetricsRegistry({ service: 'publisher', version: 'test' });
    createPublisherMetrics(registry).readFrom({
      messagesInFlight: 1,
      requestsUnderWay: 2,
      openConnections: 3,
      rememberedPublishers: 4,
    });
    const text = await registry.metrics();
    for (const line of [
      'in_flight_messages 1',
      'in_flight_requests 2',
      'open_connections 3',
      'rate_limit_publishers 4',
    ])
      expect(text).toContain(`weir_publisher_${line}\n`);
  });
});
