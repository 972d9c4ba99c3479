import { createMetricsRegistry } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import { createPublisherMetrics } from './metrics.ts';

describe('createPublisherMetrics', () => {
  it('counts duplicates apart from what was stored', async () => {
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
});
