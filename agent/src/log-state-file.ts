/**
 * Takes how the live log stands, keeps it in `log-state.json` of the data folder: for `doctor` and `status`, which run beside the agent.
 * Keeps: a disk that refuses costs nothing but this picture; it is written now and then and when something changed that matters.
 */
import { join } from 'node:path';
import { type Log, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { type LogStanding, logStandingSchema } from './capture/log-standing.ts';
import { readStateFile, writeStateFile } from './spool/state-file.ts';

const FILE = 'log-state.json';
const INTERVAL_MS = 60_000;
/** How often it is looked whether something changed. */
const LOOK_MS = 2000;

/** What somebody waits for. */
const mattersOf = ({
  readable,
  processCreation,
  commandLine,
  polling,
  full,
}: LogStanding): string => JSON.stringify([readable, processCreation, commandLine, polling, full]);

/** Writes the standing until it is told to stop; the last one too. A source without one writes nothing. */
export function keepLogState(
  folder: string,
  standing: (() => LogStanding) | undefined,
  log: Log,
): () => void {
  if (standing === undefined) return () => undefined;
  let [matters, writtenMs, refused] = ['', 0, false];
  const store = (): void => {
    const now = standing();
    try {
      writeStateFile(join(folder, FILE), now);
      [matters, writtenMs, refused] = [mattersOf(now), Date.now(), false];
    } catch (err) {
      if (!refused) log.debug({ err }, 'State of the log cannot be written.');
      refused = true;
    }
  };
  const timer = setInterval(() => {
    if (Date.now() - writtenMs >= INTERVAL_MS || mattersOf(standing()) !== matters) store();
  }, LOOK_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    store();
  };
}

/** The standing as the agent last wrote it; undefined before its first run. */
export function knownLogState(folder: string): LogStanding | undefined {
  return readStateFile(join(folder, FILE), logStandingSchema, SILENT_LOG);
}
