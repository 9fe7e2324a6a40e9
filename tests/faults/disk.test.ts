/**
 * Faults of the PC's disk. A power cut, an fsync that fails and a virus scanner come from a disk of our own under the agent
 * (faulty-disk.ts), one level below the real thing; a full disk is a real one where this account may mount.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { type Site, scenario } from './fault-site.ts';
import { giveEvents } from './given-events.ts';
import { assertWholeLines, spoolLines } from './spool-files.ts';

const POWER_TIMEOUT_MS = 10_000;

/** Waits until the disk has taken the power away; on an agent that changes nothing more it goes now. Gives whether it was the disk. */
async function powerGone(site: Site): Promise<boolean> {
  const soon = (): Promise<unknown> =>
    Promise.race([site.agent.exited, wait(POWER_TIMEOUT_MS, undefined, { ref: false })]);
  if ((await soon()) === undefined) {
    site.disk.set({ seed: site.random.between(1, 1e9), cutNow: true });
    await soon();
  }
  if (site.agent.signal('SIGKILL')) return false;
  const { signal } = await site.agent.exited;
  assert.equal(signal, 'SIGKILL', site.agent.stderr());
  return true;
}

const holdFile = (folder: string): string => join(folder, 'hold');

scenario(
  4,
  'power of the PC fails; what was not forced to disk is gone (emulated below the agent)',
  async (site) => {
    await site.agent.stop('SIGKILL');
    for (let cut = 0; cut < 8; cut += 1) {
      // Without the wire what is lost on the disk is nowhere else.
      if (cut % 4 < 3) site.wire.cut();
      else site.wire.resume();
      const seed = site.random.between(1, 1e9);
      site.disk.set(
        cut % 2 === 0
          ? { seed, cutBeforeSpoolSync: site.random.between(1, 4) }
          : { seed, cutAtChange: site.random.between(1, 60) },
      );
      site.agent = site.startAgent();
      if (await powerGone(site)) site.injected();
      await site.agent.exited;
    }
    assert.ok(site.faults() >= 4, 'the disk took the power away');
    site.disk.set({});
    site.wire.resume();
    site.agent = site.startAgent();
  },
  { faultyDisk: true, given: giveEvents({ count: 1200 }), seconds: 8 },
);

scenario(
  7,
  'fsync fails with EIO, and the power fails later (emulated below the agent)',
  async (site) => {
    await site.agent.stop('SIGKILL');
    site.wire.cut();
    site.disk.set({ syncErrors: 3, seed: site.random.between(1, 1e9) });
    site.agent = site.startAgent();
    await site.agent.waitForLine(/"log\.level":"error".*cannot be written/);
    await site.agent.waitForLine(/can be written again/);
    site.injected();
    await eventually(() => spoolLines(site.installation.spool) >= 200, { timeoutMs: 60_000 });
    // What the failed fsync was to force is on no platter, though later fsyncs of the same file went well.
    site.disk.set({ cutNow: true, syncErrors: 3, seed: site.random.between(1, 1e9) });
    rmSync(holdFile(site.folder));
    assert.ok(await powerGone(site));
    site.injected();
    site.disk.set({});
    site.wire.resume();
    site.agent = site.startAgent();
  },
  {
    faultyDisk: true,
    bridge: (folder) => {
      writeFileSync(holdFile(folder), '');
      return ['--hold', holdFile(folder), '--hold-after', '200'];
    },
  },
);

scenario(
  12,
  'a virus scanner holds the files of the spool (emulated below the agent)',
  async (site) => {
    await site.agent.stop('SIGKILL');
    // A few at the start, then many while it runs.
    const atStart = site.random.between(4, 9);
    site.disk.set({ held: atStart });
    site.agent = site.startAgent();
    await site.reached(20);
    site.injected();
    site.disk.set({ held: atStart + site.random.between(20, 60) });
    site.injected();
    await site.reached(200);
    assert.equal(site.agent.signal('SIGKILL'), true, 'the agent runs');
    await site.agent.exited;
    site.disk.set({});
    site.agent = site.startAgent();
  },
  { faultyDisk: true },
);

/** Whether a private file system can be mounted: as root, and in most containers that allow it. */
const canMount =
  process.platform === 'linux' &&
  spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt']).status === 0;
const DISK_BYTES = 4 * 1024 * 1024;

/** Fills the disk of the running agent to the last byte; gives what makes room again. */
function fillDisk(site: Site): () => void {
  if (!canMount) {
    site.disk.set({ full: true });
    return () => site.disk.set({});
  }
  // The agent's own view of the files: nobody else sees its mount.
  const filler = `/proc/${site.agent.pid}/root${join(site.installation.folder, 'agent-data')}/filler`;
  const descriptor = openSync(filler, 'w');
  try {
    for (let size = 64 * 1024; size > 0; ) {
      try {
        writeSync(descriptor, Buffer.alloc(size));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(descriptor);
  }
  return () => rmSync(filler);
}

scenario(
  5,
  `disk of the PC is full (${canMount ? 'a real one' : 'emulated below the agent'})`,
  async (site) => {
    await site.reached(20);
    const makeRoom = fillDisk(site);
    site.injected();
    await site.agent.waitForLine(/"log\.level":"error".*reading waits until it can/);
    const spool = canMount
      ? `/proc/${site.agent.pid}/root${site.installation.spool}`
      : site.installation.spool;
    const before = await eventually(() => {
      const lines = spoolLines(spool);
      assertWholeLines(spool);
      return lines;
    });
    assert.ok(before < site.given.length, 'reading waits');
    makeRoom();
    await site.agent.waitForLine(/can be written again; reading goes on/);
    const said = site.agent.stderr().match(/reading waits until it can/g) ?? [];
    assert.equal(said.length, 1, 'it is said once');
    await site.reached(site.given.length);
    assertWholeLines(spool);
  },
  {
    ...(canMount
      ? {
          agentCommand: (data) => [
            ...(['unshare', '-m', 'sh', '-c'] as const),
            `mkdir -p '${data}' && mount -t tmpfs -o size=${DISK_BYTES} launchbeat '${data}' && exec "$0" "$@"`,
            process.execPath,
          ],
        }
      : { faultyDisk: true }),
    agent: { spool: { disk_free_min: 0 } },
  },
);
