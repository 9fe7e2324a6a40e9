/**
 * `launchbeat ship DIR`: ships a spool folder that was copied from another PC.
 */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { globalFlags, loadProgramConfig, stopSignal } from '@launchbeat/ecs-schemas/beat';
import type { Command } from 'commander';
import { AGENT_HOME } from '../config.ts';
import { lockFolder } from '../lock-folder.ts';
import { collectorOutput, spoolFolder } from '../pipeline.ts';
import { type ShipOutcome, shipFolder } from '../ship-folder.ts';
import { screenLog } from './screen-log.ts';

const HELP = `
The folder is the spool of an agent that cannot reach the collector, or of a disk that was saved: copy it whole
(path.data/spool of that PC) and ship it from here with this config's output. It may be shipped any number of times and
by any PC: events that the collector has are counted as duplicates.

Which key: a collector binds a key to one agent, and the events are of the PC they were read on. This PC's own key is
therefore refused. Take that PC's key, or a new one that nobody has used yet:

  launchbeat-collector agents add PC-0042
  launchbeat ship D:\\PC-0042\\spool -E output.collector.api_key=id:secret

Exit code 0 when every whole line has its receipt, 1 when lines were refused, broken or could not be sent.`;

/** Adds `ship`. */
export function addShipCommand(program: Command): void {
  program
    .command('ship')
    .argument('<folder>', 'the copied spool folder')
    .option('--state <folder>', 'keeps how far it was shipped (default: <folder>.shipped)')
    .description('ship a spool folder that was copied from another PC')
    .addHelpText('after', HELP)
    .action(async (folder: string, options: { state?: string }, command: Command) =>
      ship(resolve(folder), options.state, command),
    );
}

async function ship(folder: string, state: string | undefined, command: Command): Promise<void> {
  const { config, paths } = loadProgramConfig(AGENT_HOME, globalFlags(command));
  if (sameFolder(folder, spoolFolder(config, paths))) {
    throw new Error(
      `${folder} is this agent's own spool, which \`run\` ships. To send it once more see \`spool resend\`.`,
    );
  }
  const stateFolder = resolve(state ?? `${folder}.shipped`);
  const unlock = await lockFolder(stateFolder);
  try {
    const collector = collectorOutput(config, paths);
    const outcome = await shipFolder(
      {
        folder,
        stateFolder,
        config: collector,
        log: screenLog(),
        say: (line) => console.log(line),
      },
      stopSignal(),
    );
    tell(outcome, stateFolder);
  } finally {
    unlock();
  }
}

function tell(outcome: ShipOutcome, stateFolder: string): void {
  if (outcome.outcome === 'refused') throw new Error(outcome.reason);
  const { counts, tornBytes } = outcome;
  console.log(
    `${counts.shippedLines} lines shipped: ${counts.accepted} new, ${counts.duplicates} known, ${counts.rejected} rejected`,
  );
  if (tornBytes > 0) console.log(`${tornBytes} bytes at the end are half a line and were left.`);
  if (counts.quarantinedLines > 0) {
    console.error(
      `${counts.quarantinedLines} lines are in ${stateFolder}/quarantine, with reasons.`,
    );
    process.exitCode = 1;
  }
  if (outcome.outcome === 'ended') {
    console.error('Ended before all was shipped. The same command goes on from there.');
    process.exitCode = 1;
  }
}

function sameFolder(a: string, b: string): boolean {
  try {
    return realpathSync.native(a) === realpathSync.native(b);
  } catch {
    return false;
  }
}
