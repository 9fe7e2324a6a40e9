/**
 * Takes a file of documents and the rules, prints for each document which rules fire with their messages, and why the others do
 * not; the sums come last.
 * Keeps: a line that is no event is named by its number and stops nothing; one line at a time is in memory.
 */
import { createReadStream, existsSync } from 'node:fs';
import {
  eachLine,
  eventIdTimeMs,
  LIMIT,
  type ProcessStart,
  processStartSchema,
  wholeLinesBytes,
} from '@launchbeat/ecs-schemas';
import { type AlertFields, actorOf, createWriteTime } from '../assess/alert-fields.ts';
import type { AlertsConfig } from '../assess/alerts-config.ts';
import { createAssess } from '../assess/assess.ts';
import type { RuleKind } from '../assess/rule-kinds.ts';
import { createTrackInMemory } from '../assess/track-in-memory.ts';
import { type ExplainedRule, explainRules } from '../assess/why-not.ts';
import { visibleText } from '../notify/visible-text.ts';
import { createWriteMessage } from '../notify/write-message.ts';

export interface TestRulesOptions {
  readonly isJson: boolean;
  /** Only this rule; undefined = all. */
  readonly ruleId?: string | undefined;
}

/** One message, and the chats that hear it. */
interface Fires {
  readonly rule: string;
  readonly chats: readonly string[];
  readonly message: string;
}

/** An alert of a line, be it of a rule that counts or not. */
interface RaisedAlert {
  readonly ruleId: string;
  readonly eventId: string;
  readonly chatIds: readonly string[];
  readonly fields: AlertFields;
}

/** What became of one line. */
type Verdict =
  | {
      readonly outcome: 'event';
      readonly line: number;
      readonly event_id: string;
      readonly time: string;
      readonly user: string;
      readonly process: string;
      readonly host: string;
      readonly fires: readonly Fires[];
      readonly does_not: readonly { rule: string; why: readonly string[] }[];
    }
  | { readonly outcome: 'no_event'; readonly line: number; readonly reason: string };

/** Prints what the rules make of each event; exit code 1 where a line is no event. Throws where the file cannot be read. */
export async function testRules(
  file: string,
  alerts: AlertsConfig,
  options: TestRulesOptions,
): Promise<void> {
  if (file !== '-' && !existsSync(file)) {
    throw new Error(`${file} is not there. Name a file of events (NDJSON), or - for stdin.`);
  }
  const { verdictOf, ruleIds } = createVerdicts(alerts, options.ruleId);
  const sums = createSums(ruleIds);
  let line = 0;
  for await (const text of linesOf(file)) {
    line += 1;
    if (text.trim() === '') continue;
    const verdict = verdictOf(text, line);
    sums.add(verdict);
    say(options.isJson ? [JSON.stringify(verdict)] : verdictRows(verdict));
  }
  say(options.isJson ? [JSON.stringify(sums.json())] : sums.rows());
  if (sums.json().no_events > 0) process.exitCode = 1;
}

function say(rows: readonly string[]): void {
  for (const row of rows) console.log(row);
}

/** Id of a chat → the first name that it has. */
export function chatNames(alerts: Pick<AlertsConfig, 'chats'>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(alerts.chats)
      .map(([name, { id }]) => [id, name] as const)
      .reverse(),
  );
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const stream: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file);
  let left: Buffer = Buffer.alloc(0);
  for await (const bytes of stream) {
    left = Buffer.concat([left, bytes]);
    for (const line of eachLine(left)) yield line.toString('utf8');
    left = left.subarray(wholeLinesBytes(left));
    if (left.length > LIMIT.lineBytesMax) {
      throw new Error(
        `${file} has a line of more than ${LIMIT.lineBytesMax} bytes. Name a file of events, one JSON text a line.`,
      );
    }
  }
  yield left.toString('utf8');
}

function createVerdicts(alerts: AlertsConfig, ruleId: string | undefined) {
  const explained = chosen(explainRules(alerts), ruleId);
  const assess = createAssess(alerts);
  const track = createTrackInMemory(alerts, { warmsUp: false });
  /** The newest event is "now". */
  let nowMs = 0;
  const write = createWriteMessage(alerts);
  const writeTime = createWriteTime(alerts.time_zone);
  const names = chatNames(alerts);

  function eventVerdict(document: ProcessStart, line: number): Verdict {
    nowMs = Math.max(nowMs, eventIdTimeMs(document.event.id));
    const raised = Map.groupBy(
      [
        ...assess([document]).map(({ chatId, ...alert }) => ({ ...alert, chatIds: [chatId] })),
        // A late first part tells of earlier events: it is this line that makes the alerts.
        ...track(document, nowMs).map(({ rule, ...said }) => ({ ...said, ruleId: rule.id })),
      ],
      ({ ruleId }) => ruleId,
    );
    const actor = actorOf(document);
    const isRaised = ({ rule }: ExplainedRule): boolean => raised.has(rule.id);
    return {
      outcome: 'event',
      line,
      event_id: document.event.id,
      time: writeTime(eventIdTimeMs(document.event.id)),
      user: [actor.domain, actor.name].filter((part) => part !== undefined).join('\\') || '-',
      process: document.process.name ?? '-',
      host: document.host.name,
      fires: explained.flatMap(({ rule }) => firesOf(raised.get(rule.id) ?? [])),
      does_not: explained
        .filter((one) => !isRaised(one))
        .map(({ rule, whyNot }) => {
          const why = whyNot(document);
          return { rule: rule.id, why: why.length === 0 ? [whyNotYet(rule)] : why };
        }),
    };
  }

  /** One entry for each event that is told, with the chats that hear of that one. */
  function firesOf(alerts: readonly RaisedAlert[]): Fires[] {
    return [...Map.groupBy(alerts, ({ eventId }) => eventId).values()].flatMap((told) => {
      const [first] = told;
      const ids = new Set(told.flatMap(({ chatIds }) => chatIds));
      const chats = [...ids].map((id) => names.get(id) ?? id);
      return first === undefined
        ? []
        : [{ rule: first.ruleId, chats, message: write(first).plain }];
    });
  }

  return {
    ruleIds: explained.map(({ rule }) => rule.id),
    verdictOf(text: string, line: number): Verdict {
      const read = readDocument(text);
      return typeof read === 'string'
        ? { outcome: 'no_event', line, reason: read }
        : eventVerdict(read, line);
    },
  };
}

/** Why a rule that is about the event does not fire all the same; other kinds need more events. */
const NOT_YET: { readonly [Kind in RuleKind]?: string } = {
  new_value: ', and there was such a key before',
  rare: ', and its key has more values, or had this one',
  sequence: ' needs its other part as well',
  flatline: ' tells of silence, and this is none',
};

const whyNotYet = ({ kind }: ExplainedRule['rule']): string =>
  `kind: ${kind}${NOT_YET[kind] ?? ' needs more than this line'}`;

function chosen(rules: ExplainedRule[], ruleId: string | undefined): ExplainedRule[] {
  const left = rules.filter(({ rule }) => ruleId === undefined || rule.id === ruleId);
  if (left.length > 0 || ruleId === undefined) return left;
  const there = rules.map(({ rule }) => rule.id).join(', ') || 'none';
  throw new Error(`No rule has the id ${ruleId}. Rules: ${there}.`);
}

/** The document, or why the line is none. */
function readDocument(text: string): ProcessStart | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  const parsed = processStartSchema.safeParse(value, { reportInput: false });
  if (parsed.success) return parsed.data;
  return parsed.error.issues
    .map((issue) => `${issue.path.join('.') || 'line'}: ${issue.message}`)
    .join('; ');
}

function verdictRows(verdict: Verdict): string[] {
  if (verdict.outcome === 'no_event') {
    return [`line ${verdict.line}  no event: ${visibleText(verdict.reason)}`];
  }
  const { line, time, user, process: name, host, fires, does_not: others } = verdict;
  return [
    [`line ${line}`, time, user, name, host].map(visibleText).join('  '),
    ...fires.map(
      ({ rule, chats, message }) =>
        `  fires  ${rule} → ${chats.join(', ')}: ${message.split('\n').map(visibleText).join('\n         ')}`,
    ),
    ...others.map(({ rule, why }) => `  not    ${rule}: ${why.map(visibleText).join('; ')}`),
  ];
}

function createSums(ruleIds: readonly string[]) {
  const rules = new Map(ruleIds.map((id) => [id, 0]));
  const chats = new Map<string, number>();
  let [events, noEvents] = [0, 0];
  const addOne = (to: Map<string, number>, name: string): unknown =>
    to.set(name, (to.get(name) ?? 0) + 1);
  const rowsOf = (of: ReadonlyMap<string, number>, before: string): string[] =>
    [...of].map(([name, count]) => `${String(count).padStart(8)}  ${before}${name}`);
  return {
    add(verdict: Verdict): void {
      if (verdict.outcome === 'no_event') {
        noEvents += 1;
        return;
      }
      events += 1;
      for (const fired of verdict.fires) {
        addOne(rules, fired.rule);
        for (const chat of fired.chats) addOne(chats, chat);
      }
    },
    json: () => ({
      outcome: 'sums' as const,
      events,
      no_events: noEvents,
      rules: Object.fromEntries(rules),
      messages: Object.fromEntries(chats),
    }),
    rows: (): string[] => [
      '',
      `${events} events${noEvents === 0 ? '' : `, ${noEvents} lines that are none`}`,
      ...rowsOf(rules, 'fired: '),
      ...rowsOf(chats, 'messages to '),
    ],
  };
}
