/**
 * `launchbeat-collector doctor`: everything that a collector needs, checked in one table; each row that is not well has its mend.
 */
import { ConfigError, type GlobalFlags } from '@launchbeat/ecs-schemas/beat';
import { type LoadedCollector, loadCollector } from '../config.ts';
import { examineCollector } from '../examine-collector.ts';
import type { Finding } from '../examine-postgresql.ts';

const WIDTHS = { check: 14, state: 4 } as const;

/** Prints the table; sets exit code 1 where a row fails. */
export async function doctor(flags: GlobalFlags): Promise<void> {
  for await (const finding of findings(flags)) {
    const { check, state, detail, mend } = finding;
    const cells = [check.padEnd(WIDTHS.check), state.toUpperCase().padEnd(WIDTHS.state), detail];
    console.log(cells.join('  '));
    if (state !== 'ok' && mend !== undefined) {
      console.log(`${' '.repeat(WIDTHS.check + WIDTHS.state + 4)}→ ${mend}`);
    }
    if (state === 'fail') process.exitCode = 1;
  }
}

async function* findings(flags: GlobalFlags): AsyncGenerator<Finding> {
  let loaded: LoadedCollector;
  try {
    loaded = loadCollector(flags);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const mend = 'Mend the file; the other checks need it.';
    yield { check: 'config', state: 'fail', detail: error.message, mend };
    return;
  }
  yield { check: 'config', state: 'ok', detail: `${loaded.file}, ${loaded.alertsFile}` };
  yield* examineCollector(loaded);
}
