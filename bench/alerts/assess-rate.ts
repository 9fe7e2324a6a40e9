/**
 * A program that looks at documents with so many rules and tells how many it does in a second of CPU time.
 * Arguments: rules, documents. Prints `{"eventsPerSecond":…,"alertsPerEvent":…}`.
 */
import { type ProcessStart, processStartSchema } from '@launchbeat/ecs-schemas';
import { alertsConfigSchema } from '../../collector/src/assess/alerts-config.ts';
import { createAssess } from '../../collector/src/assess/assess.ts';
import { createLineOf } from '../event-lines.ts';

const [rules = 1, events = 1_000] = process.argv.slice(2).map(Number);
const AGENT_ID = '6f1c1f5e-7d9d-4f3e-9d39-4c8f5a0d2b11';
const MEASURE_SECONDS = 1;
/** As many as a chunk has. */
const BATCH = 430;

/** Rules as people write them: by program, by path of names, by user, by PC, with exceptions. The first one fires. */
function ruleOf(index: number): Readonly<Record<string, unknown>> {
  const id = `rule-${index}`;
  if (index === 0) return { id };
  switch (index % 4) {
    case 1:
      return { id, programs: [`tool${index}.exe`, `setup-${index}*.exe`] };
    case 2:
      return { id, programs: ['chrome.exe'], users: [`OFFICE\\guest${index}`, `temp${index}*`] };
    case 3:
      return { id, hosts: [`KASSA-${index}*`], programs: ['*'], launch_only: false };
    default:
      return {
        id,
        programs: ['powershell.exe', 'cmd.exe', `script${index}.exe`],
        users: [`dev${index}*`],
        exclude: { users: ['admin.it'], hosts: ['SRV-*'] },
      };
  }
}

/** What is raised, be it alone or beside what rules with a memory get. */
function alertsOf(assessed: unknown): readonly unknown[] {
  if (Array.isArray(assessed)) return assessed;
  return (assessed as { readonly alerts: readonly unknown[] }).alerts;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const config = alertsConfigSchema.parse({
  chats: { duty: 1001 },
  rules: Array.from({ length: rules }, (_, index) => ruleOf(index)),
});
const assess = createAssess(config);
const lineOf = createLineOf({ namespace: 'default', agentId: AGENT_ID });
const batches: ProcessStart[][] = [];
for (let from = 0; from < events; from += BATCH) {
  const length = Math.min(BATCH, events - from);
  batches.push(
    Array.from({ length }, (_, at) => processStartSchema.parse(JSON.parse(lineOf(from + at)))),
  );
}

let found = 0;
const look = (): void => {
  for (const batch of batches) found += alertsOf(assess(batch)).length;
};
look();
let passes = 0;
const start = cpuSeconds();
while (cpuSeconds() - start < MEASURE_SECONDS) {
  look();
  passes += 1;
}
const eventsPerSecond = (passes * events) / (cpuSeconds() - start);
if (found === 0) throw new Error('No rule fired: the rules or the events are wrong.');
process.stdout.write(`${JSON.stringify({ eventsPerSecond })}\n`);
