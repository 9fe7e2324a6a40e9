/**
 * Loaded into a test (`--import`), gives it one source file with a step left out or in another order, and the file itself untouched.
 * Takes LAUNCHBEAT_TEST_MUTATION, a name of mutations.ts. Throws where the text is not in the file exactly once.
 */
import { registerHooks } from 'node:module';
import { MUTATIONS } from '../faults/mutations.ts';

const name = process.env['LAUNCHBEAT_TEST_MUTATION'] ?? '';
const mutation = MUTATIONS.find((one) => one.name === name);
if (name !== '' && mutation === undefined) throw new Error(`There is no mutation "${name}".`);

if (mutation !== undefined) {
  const { file, search, replace } = mutation;
  const url = new URL(`../../${file}`, import.meta.url).href;
  registerHooks({
    load(asked, context, next) {
      const loaded = next(asked, context);
      if (asked !== url) return loaded;
      const parts = Buffer.from(loaded.source as Uint8Array)
        .toString('utf8')
        .split(search);
      if (parts.length !== 2) throw new Error(`${file} has "${search}" ${parts.length - 1} times.`);
      process.stderr.write(`Mutated: ${name}\n`);
      return { ...loaded, source: parts.join(replace) };
    },
  });
}
