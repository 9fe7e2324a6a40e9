/**
 * `launchbeat status`: whether an agent runs on the data folder, and what it says of itself.
 */
import { type GlobalFlags, loadProgramConfig } from '@launchbeat/ecs-schemas/beat';
import { isLiveSource } from '../capture/capture-config.ts';
import { AGENT_HOME_WITHOUT_OUTPUT, type AgentConfig } from '../config.ts';
import { examineSource } from '../examine-log.ts';
import type { Finding } from '../finding.ts';
import { isLocked } from '../lock-folder.ts';
import { knownLogState } from '../log-state-file.ts';
import { spoolFolder } from '../pipeline.ts';
import { readCheckpoint } from '../spool/checkpoint.ts';
import { pendingFrom } from '../spool/inspect-spool.ts';
import { listSegments } from '../spool/list-segments.ts';
import { askStats } from '../stats/ask-stats.ts';
import { screenLog } from './screen-log.ts';
import { printTable } from './table.ts';

/** Prints what is known; exit code 1 where no agent runs, or a running one does not answer. */
export async function status(flags: GlobalFlags, asJson: boolean): Promise<void> {
  const { config, paths } = loadProgramConfig(AGENT_HOME_WITHOUT_OUTPUT, flags);
  const runs = await isLocked(paths.data);
  const checkpoint = readCheckpoint(paths.data, screenLog());
  const segments = listSegments(spoolFolder(config, paths));
  const pendingBytes = segments.reduce(
    (sum, segment) => sum + segment.size - pendingFrom(segment, checkpoint),
    0,
  );
  const { source } = config.capture;
  const logState = isLiveSource(source) ? knownLogState(paths.data) : undefined;
  const answer = await statsOf(config, runs);
  if (!runs || answer.outcome === 'refused') process.exitCode = 1;
  if (asJson) {
    const stats = answer.outcome === 'done' ? answer.stats : undefined;
    console.log(
      JSON.stringify(
        { runs, data: paths.data, pending_bytes: pendingBytes, log: logState, stats },
        null,
        2,
      ),
    );
    return;
  }
  printTable([
    ['agent', runs ? 'runs' : 'does not run (nobody holds the data folder)'],
    ['data folder', paths.data],
    ['spool', `${segments.length} segments, ${pendingBytes} bytes without a receipt`],
    ...(logState === undefined ? [] : examineSource(source, paths.data).map(rowOf)),
    ...answer.rows,
  ]);
}

const rowOf = ({ check, state, detail }: Finding): string[] => [
  check,
  state === 'ok' ? detail : `${state.toUpperCase()} ${detail}`,
];

type Asked =
  | {
      readonly outcome: 'done';
      readonly rows: readonly string[][];
      readonly stats: object;
    }
  | { readonly outcome: 'left_out' | 'refused'; readonly rows: readonly string[][] };

async function statsOf(config: Pick<AgentConfig, 'http'>, runs: boolean): Promise<Asked> {
  if (!runs) return { outcome: 'left_out', rows: [] };
  if (!config.http.enabled) {
    const mend = 'off: set http.enabled: true and start the agent again to see its counters';
    return { outcome: 'left_out', rows: [['statistics', mend]] };
  }
  try {
    const stats = await askStats(config.http);
    const { beat, libbeat, launchbeat } = stats;
    const { output, pipeline } = libbeat;
    const last = launchbeat.last_answer;
    const rows = [
      ['version', beat.info.version],
      ['up for', `${Math.round(beat.info.uptime.ms / 1000)} s`],
      ['memory', `${Math.round(beat.memstats.rss / 1024 / 1024)} MiB`],
      [
        'events',
        `${pipeline.events.total} read, ${pipeline.events.filtered} left out, ${pipeline.events.failed} refused`,
      ],
      [
        'shipped',
        `${output.events.acked} with receipt, ${output.events.dropped} in quarantine, ${output.write.errors} retries`,
      ],
      ['last answer', last === undefined ? 'none yet' : `${last.status ?? 'none:'} ${last.detail}`],
    ];
    return { outcome: 'done', rows, stats };
  } catch (error) {
    const where = `${config.http.host}:${config.http.port}`;
    const text = `${where} does not answer (${(error as Error).message}): was the agent started with this config?`;
    return { outcome: 'refused', rows: [['statistics', text]] };
  }
}
