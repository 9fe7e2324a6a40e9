/**
 * Gives each test a folder of its own, removed when the test ends.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { cacheFolder } from './cache-folder.ts';
import { isReachable } from './unprivileged.ts';

/** The system's folder for what passes, or the cache folder where the first is closed to the unprivileged user. */
export function temporaryParent(): string {
  return isReachable(tmpdir()) ? tmpdir() : cacheFolder();
}

/** The absolute path of a new, empty folder; it is gone after the test `t`. */
export function temporaryFolder(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(temporaryParent(), 'launchbeat-test-'));
  // A server that runs as another user may have its data below.
  chmodSync(folder, 0o711);
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
