/**
 * Goal: the model test notices when a step that keeps events safe is missing. Method: it is run with each such step left out or moved
 * (mutations.ts), and must fail. `make test` does a few of them, `make faults` all.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startProgram } from '../support/processes.ts';
import { MUTATIONS } from './mutations.ts';

const MODEL = fileURLToPath(new URL('agent-model.test.ts', import.meta.url));
const MUTATE = new URL('../support/mutate.ts', import.meta.url).href;
const QUICK = 2;
/** The rarest is met once in about 150 runs; a test that fails ends at once, so many cost nothing. */
const RUNS = '2000';

const everything = process.env['LAUNCHBEAT_FAULTS_TABLE'] !== undefined;

for (const [index, { name }] of MUTATIONS.entries()) {
  const skip = everything || index < QUICK ? false : 'make faults does this one too';
  test(`the model test fails when ${name}`, { skip }, async (t) => {
    const program = startProgram(process.execPath, ['--import', MUTATE, MODEL], {
      env: { LAUNCHBEAT_TEST_MUTATION: name, LAUNCHBEAT_PROPERTY_RUNS: RUNS },
      input: '',
      t,
    });
    const { code } = await program.exited;
    const said = program.stdout() + program.stderr();
    assert.match(said, /^Mutated: /m);
    assert.equal(code, 1, said);
    assert.match(said, /Property failed after/);
  });
}
