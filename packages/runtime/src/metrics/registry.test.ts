import { open } from 'node:fs/promises';
import { platform } from 'node:process';
import { describe, expect, it } from 'vitest';
import { createMetricsRegistry } from './registry.ts';

const registry = createMetricsRegistry({ service: 'shard', version: '1.2.3' });

async function value(series: string): Promise<number> {
  const line = (await registry.metrics()).split('\n').find((one) => one.startsWith(`${series} `));
  return Number(line?.slice(series.length));
}

describe('the registry of a process', () => {
  it('names the running build', async () => {
    const series = `weir_build_info{service="shard",version="1.2.3",node="${process.versions.node}"}`;
    expect(await value(series)).toBe(1);
  });

  it.skipIf(platform !== 'linux')('counts its open files', async () => {
    const before = await value('process_open_fds');
    expect(before).toBeGreaterThan(3);
    const files = await Promise.all(Array.from({ length: 100 }, () => open('/dev/null')));
    // Other tests of this process open and close files too, but not as many.
    expect(await value('process_open_fds')).toBeGreaterThan(before + 50);
    await Promise.all(files.map((file) => file.close()));
    expect(await value('process_open_fds')).toBeLessThan(before + 50);
  });
});
