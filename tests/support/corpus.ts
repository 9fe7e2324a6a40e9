/**
 * Where recorded events of real PCs lie, for who has them: LAUNCHBEAT_CORPUS, else `shared/corpus` beside the checkout.
 * They are not part of the project; tests skip with a message where they are missing.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const BESIDE = fileURLToPath(new URL('../../../shared/corpus', import.meta.url));

/** Absolute path of the folder, whether it exists or not. */
export function corpusFolder(): string {
  return resolve(process.env['LAUNCHBEAT_CORPUS'] ?? BESIDE);
}
