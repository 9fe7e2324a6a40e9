/**
 * Program of `make audit-policy`: writes the generated files anew and says which. The folder gpo-backup/ is emptied first,
 * so that a file which is generated no longer does not stay in what an administrator imports.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BACKUP_FOLDER, generatedFiles } from './gpo-backup.ts';

const here = import.meta.dirname;
rmSync(join(here, BACKUP_FOLDER), { recursive: true, force: true });
for (const [path, bytes] of generatedFiles()) {
  const file = join(here, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  process.stdout.write(`${path}: ${bytes.length} bytes\n`);
}
