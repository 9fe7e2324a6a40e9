/**
 * Gives folders for servers that nobody wants to keep: open to the unprivileged user, gone when this process is gone.
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { leash } from './leash.ts';
import { temporaryParent } from './temporary-folder.ts';
import { handOver } from './unprivileged.ts';

/** A new folder that belongs to the user whom servers run as. */
export function passingFolder(name: string): string {
  const folder = mkdtempSync(join(temporaryParent(), `launchbeat-${name}-`));
  handOver(folder);
  leash({ folder });
  return folder;
}
