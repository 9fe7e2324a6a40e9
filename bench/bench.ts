/**
 * `make bench`: measures every claim about speed and footprint on this machine, prints a table, writes bench/results.json and
 * docs/performance.md. Arguments: the parts to run (agent, collector, alerts, latency; default all).
 * Environment: ROUNDS (default 5), BACKLOG_LINES (one more backlog of so many lines), CPU_PROFILE=1 (a .cpuprofile of each program in bench/profiles),
 * BENCH_PEER_RSYSLOG (another rsyslogd), BENCH_PEER_FILEBEAT and BENCH_PEER_OTELCOL (paths of these peers, else they are left out),
 * BENCH_AGENT (another agent, e.g. its bundle).
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryParent } from '../tests/support/temporary-folder.ts';
import { benchAgent } from './agent/bench-agent-part.ts';
import { benchAlerts } from './alerts/bench-alerts.ts';
import { benchCollector } from './collector/bench-collector.ts';
import { benchLatency } from './latency/bench-latency.ts';
import { aboutThis } from './machine.ts';
import { performancePage, resultsTable } from './performance-page.ts';
import { needProc } from './process-usage.ts';
import {
  beginResults,
  PARTS,
  type Part,
  type PartName,
  type PartOptions,
  withPart,
  writeResults,
} from './results.ts';
import { settingsOf } from './settings.ts';

const BENCH: { readonly [Name in PartName]: (options: PartOptions) => Promise<Part<Name>> } = {
  agent: benchAgent,
  collector: benchCollector,
  alerts: benchAlerts,
  latency: benchLatency,
};
const PAGE = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
const PROFILES = fileURLToPath(new URL('profiles', import.meta.url));

const isPart = (name: string): name is PartName => (PARTS as readonly string[]).includes(name);

async function main(wanted: readonly string[]): Promise<void> {
  const unknown = wanted.find((name) => !isPart(name));
  if (unknown !== undefined) throw new Error(`ONLY=${unknown} is not one of ${PARTS.join(', ')}.`);
  needProc();
  const settings = settingsOf(process.env);
  if (process.env['CPU_PROFILE']) {
    mkdirSync(PROFILES, { recursive: true });
    process.env['NODE_OPTIONS'] = `--cpu-prof --cpu-prof-dir=${PROFILES}`;
  }
  let results = beginResults(aboutThis(), settings.rounds);
  for (const name of PARTS.filter((one) => wanted.length === 0 || wanted.includes(one))) {
    const folder = mkdtempSync(join(temporaryParent(), 'launchbeat-bench-'));
    const say = (text: string): void =>
      console.error(`${new Date().toISOString().slice(11, 19)} ${name}: ${text}`);
    try {
      const part = await BENCH[name]({ folder, settings, say });
      results = withPart(results, name, part as never);
      writeResults(results);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  writeFileSync(PAGE, performancePage());
  console.log(resultsTable(results));
}

await main(process.argv.slice(2).filter((argument) => argument !== ''));
