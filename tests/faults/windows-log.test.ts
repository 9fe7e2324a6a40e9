/** Faults of the Windows log: cleared under the reader, its service stopped and started again. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { scenario } from './fault-site.ts';
import { giveEvents, logEvent } from './given-events.ts';

const BEFORE = giveEvents({ count: 200 });
/** The same computer after the clearing: times go on, record ids begin at 2 again, and pass the ones that were used before. */
const AFTER = giveEvents({ count: 200, first: 200, firstRecord: 2 - 200 * 3 });

scenario(
  19,
  'the Security log is cleared, and its record ids begin anew',
  async (site) => {
    const anew = await site.agent.waitForLine(/Security log was made anew/);
    assert.match(anew, /"log\.level":"error".*read up to record 5597 and now begins at 1\b/);
    await site.agent.waitForLine(/Security log was cleared \(event 1102, record 1\)/);
    site.injected();
    await site.reached(250);
    await site.agent.stop('SIGKILL');
    site.injected();
    site.agent = site.startAgent();
    await site.reached(site.given.length);
    assert.doesNotMatch(site.agent.stderr(), /made anew/, 'the position is of the new log');
    const id = /"agent\.id":"([0-9a-f-]{36})"/.exec(site.collector.stderr())?.[1] ?? '';
    await eventually(
      async () => {
        const { stdout } = await site.installation.collector('agents', 'show', id);
        assert.match(stdout, /log_recreated/, 'the collector was told');
      },
      { timeoutMs: 90_000 },
    );
  },
  {
    given: [...BEFORE, ...AFTER],
    recorded: () => BEFORE,
    bridge: (folder) => {
      const cleared = join(folder, 'cleared.xml');
      const lines = [logEvent(1102, 1, 200), ...AFTER.map(({ xml }) => xml)];
      writeFileSync(cleared, lines.map((line) => `${line}\n`).join(''));
      return ['--cleared', cleared];
    },
  },
);

scenario(
  21,
  'the event log service is stopped and started again',
  async (site) => {
    const stopped = join(site.folder, 'stopped');
    for (let stop = 0; stop < 3; stop += 1) {
      const before = await site.rows();
      await site.reached(before + 30);
      writeFileSync(stopped, '');
      site.injected();
      const restarts = (): number =>
        site.agent.stderr().match(/exit code 6\. This Windows has no Security log/g)?.length ?? 0;
      const seen = restarts();
      // It is tried again and again while the service is away.
      await eventually(() => restarts() >= seen + 2, { timeoutMs: 30_000 });
      rmSync(stopped);
    }
  },
  { bridge: (folder) => ['--stopped', join(folder, 'stopped')] },
);
