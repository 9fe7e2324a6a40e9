/**
 * Takes the starts of the invented office, gives what a collector with a few rules would have made of them: alerts, and what became
 * of each. Keeps: the same starts give the same documents; each alert is raised once and has one fate, as the collector's own.
 */
import { type AlertRecord, type ProcessStart, writeAlertRecord } from '@launchbeat/ecs-schemas';
import { DAY_MS, MINUTE_MS, randomFrom } from './staff.ts';

interface OfficeRule {
  readonly id: string;
  readonly name: string;
  readonly severity: string;
  readonly mitre: readonly string[];
  readonly chats: readonly string[];
  readonly matches: (start: ProcessStart) => boolean;
}

const has = (start: ProcessStart, flag: string): boolean =>
  start.launchbeat.flags?.includes(flag) === true;

const RULES: readonly OfficeRule[] = [
  {
    id: 'encoded-powershell',
    name: 'PowerShell with an encoded command',
    severity: 'critical',
    mitre: ['T1059.001', 'T1027'],
    chats: ['soc', 'duty'],
    matches: (start) => has(start, 'encoded_powershell'),
  },
  {
    id: 'office-child',
    name: 'Office started something that is not watched',
    severity: 'high',
    mitre: ['T1204.002'],
    chats: ['soc', 'duty'],
    matches: (start) => has(start, 'office_child') && start.launchbeat.program === undefined,
  },
  {
    id: 'remote-access',
    name: 'Remote access tool',
    severity: 'high',
    mitre: ['T1219'],
    chats: ['soc', 'duty'],
    matches: (start) => has(start, 'remote_tool'),
  },
  {
    id: 'borrowed-tool',
    name: 'A person used a tool that attackers borrow',
    severity: 'medium',
    mitre: ['T1218'],
    chats: ['soc'],
    matches: (start) => has(start, 'lolbin') && start.launchbeat.launch,
  },
  {
    id: 'elevated-start',
    name: 'Started as administrator',
    severity: 'medium',
    mitre: ['T1548.002'],
    chats: ['soc', 'branch'],
    matches: (start) => has(start, 'elevated'),
  },
  {
    id: 'messenger',
    name: 'Messenger at work',
    severity: 'low',
    mitre: [],
    chats: ['office'],
    matches: (start) => start.launchbeat.program === 'Telegram',
  },
];

/** Ids of the chats, as Telegram gives them to groups. */
const CHAT_IDS: Readonly<Record<string, string>> = {
  ...{ soc: '-1001500000001', duty: '-1001500000002' },
  ...{ office: '-1001500000003', branch: '-1001500000004' },
};
const SUPPRESS_MS = DAY_MS;
const QUIET_BEFORE_HOUR = 9;
/** Share of alerts whose PC sent late. */
const LATE = 0.03;
const STORM_AN_HOUR = 4;
const MUTED_EVERY_DAYS = 5;

interface Raised {
  readonly start: ProcessStart;
  readonly rule: OfficeRule;
  readonly chat: string;
}

/** What the quiet of a chat does with an alert. */
function fateOf(
  { start, rule, chat }: Raised,
  told: Map<string, number>,
  hours: Map<string, number>,
  random: () => number,
): string {
  const timeMs = Date.parse(start['@timestamp']);
  if (random() < LATE) return 'folded';
  // Somebody in the chat had enough of it for a day.
  const day = Math.floor(timeMs / DAY_MS);
  if (rule.id === 'borrowed-tool' && day % MUTED_EVERY_DAYS === 0) return 'muted';
  if (chat === 'office' && new Date(timeMs).getUTCHours() < QUIET_BEFORE_HOUR) return 'held';
  const key = `${rule.id} ${chat} ${start.launchbeat.actor.name} ${start.process.name}`;
  if (timeMs - (told.get(key) ?? Number.NEGATIVE_INFINITY) < SUPPRESS_MS) return 'suppressed';
  const hour = `${chat} ${start['@timestamp'].slice(0, 13)}`;
  hours.set(hour, (hours.get(hour) ?? 0) + 1);
  if ((hours.get(hour) ?? 0) > STORM_AN_HOUR) return 'stormed';
  told.set(key, timeMs);
  // The bot was thrown out of the branch's group half a month ago.
  return chat === 'branch' && random() < 0.5 ? 'failed' : 'sent';
}

/** The parts of a process that an alert tells. */
function processOf({ process }: ProcessStart): AlertRecord['process'] {
  const { executable, name, command_line: commandLine, pid, parent } = process;
  return {
    ...(name === undefined ? {} : { name }),
    ...(executable === undefined ? {} : { executable }),
    ...(commandLine === undefined ? {} : { command_line: commandLine }),
    ...(pid === undefined ? {} : { pid }),
    ...(parent === undefined ? {} : { parent: { ...parent } }),
  };
}

function recordsOf(
  raised: Raised,
  fate: string,
  random: () => number,
  namespace: string,
): AlertRecord[] {
  const { start, rule, chat } = raised;
  const startedMs = Date.parse(start['@timestamp']);
  const lateMs = fate === 'folded' ? 60 * MINUTE_MS * (1 + random() * 20) : 300 + random() * 3000;
  const raisedMs = Math.floor(startedMs + lateMs);
  const { actor, program, flags } = start.launchbeat;
  const write = (action: string, atMs: number): AlertRecord =>
    writeAlertRecord({
      ...{ namespace, action, program, host: start.host.name, eventId: start.event.id },
      at: new Date(Math.floor(atMs)),
      raisedAt: new Date(raisedMs),
      startedAt: new Date(startedMs),
      rule: { id: rule.id, name: rule.name },
      chat: { id: CHAT_IDS[chat] ?? chat, name: chat },
      severity: rule.severity,
      agent: { id: start.agent.id, name: start.agent.name },
      actor: { ...actor },
      process: processOf(start),
      flags: flags ?? [],
      mitre: rule.mitre,
      reason: action === 'failed' ? 'Forbidden: bot was kicked from the group chat' : undefined,
      ...(action === 'acknowledged' ? { more: { acknowledged_by: 'duty-officer' } } : {}),
    });
  const decidedMs = raisedMs + 200 + random() * 4000;
  const isSeen = fate === 'sent' && chat === 'duty' && random() < 0.7;
  return [
    write('raised', raisedMs),
    write(fate, decidedMs),
    ...(isSeen ? [write('acknowledged', decidedMs + MINUTE_MS * (1 + random() * 20))] : []),
  ];
}

/** All documents on alerts of these starts, which come oldest first, up to `end`. */
export function officeAlerts(starts: readonly ProcessStart[], end: Date): AlertRecord[] {
  const random = randomFrom(7);
  const told = new Map<string, number>();
  const hours = new Map<string, number>();
  return starts
    .flatMap((start) => {
      const { namespace } = start.data_stream;
      return RULES.filter((rule) => rule.matches(start)).flatMap((rule) =>
        rule.chats.flatMap((chat) => {
          const raised = { start, rule, chat };
          return recordsOf(raised, fateOf(raised, told, hours, random), random, namespace);
        }),
      );
    })
    .filter((record) => Date.parse(record['@timestamp']) <= end.getTime());
}
