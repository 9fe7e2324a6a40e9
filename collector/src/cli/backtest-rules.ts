/**
 * Takes the archive of chunks and the rules of alerts.yml, says what the chats would have heard since then.
 * Keeps: nothing is written and nothing is sent; one chunk at a time is in memory.
 */
import { type Encoding, type ProcessStart, processStartSchema } from '@launchbeat/ecs-schemas';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { createAgentTags } from '../agent-tags.ts';
import type { AlertsConfig } from '../assess/alerts-config.ts';
import { createAssess } from '../assess/assess.ts';
import { createTrackInMemory } from '../assess/track-in-memory.ts';
import type { Sql } from '../commit/database.ts';
import { readChunk } from '../index/chunk-lines.ts';
import { createQuietPolicies } from '../notify/quiet-policies.ts';
import { createRehearsal, type Heard } from '../notify/rehearse.ts';
import { chatNames } from './test-rules.ts';

export interface Backtest {
  readonly chunks: number;
  readonly events: number;
  /** Chunks whose bytes cannot be read. */
  readonly unreadable: number;
  /** Rule → alerts, one for each chat. */
  readonly rules: ReadonlyMap<string, number>;
  /** Id of a chat → what it would have heard. */
  readonly chats: ReadonlyMap<string, Heard>;
}

interface ChunkRow {
  readonly id: string;
  readonly encoding: Encoding;
  readonly lines: number;
  readonly line_ids: Buffer;
  readonly body: Buffer;
  readonly received_at: Date;
}

/** Runs the rules over what came since then, in the order in which it came. Rejects when PostgreSQL cannot be used. */
export async function backtestRules(
  sql: Sql,
  alerts: AlertsConfig,
  since: Date,
): Promise<Backtest> {
  const tags = createAgentTags(sql, SILENT_LOG);
  await tags.read();
  const assess = createAssess(alerts, tags.tagsOf);
  const track = createTrackInMemory(alerts, { warmsUp: true, tagsOf: tags.tagsOf });
  const rehearsal = createRehearsal(createQuietPolicies(alerts));
  const rules = new Map<string, number>();
  let [chunks, events, unreadable] = [0, 0, 0];
  const rows = sql<ChunkRow[]>`
    select id::text as id, encoding, lines, line_ids, body, received_at from chunks
    where received_at >= ${since} and body is not null order by chunks.id`;
  for await (const [row] of rows.cursor(1)) {
    if (row === undefined) continue;
    chunks += 1;
    const documents = await documentsOf(row);
    if (documents === undefined) {
      unreadable += 1;
      continue;
    }
    events += documents.length;
    const nowMs = row.received_at.getTime();
    const raised = [
      ...assess(documents),
      ...documents
        .flatMap((document) => track(document, nowMs))
        .flatMap(({ rule, chatIds, ...said }) =>
          chatIds.map((chatId) => ({ ...said, ruleId: rule.id, chatId })),
        ),
    ];
    for (const alert of raised) {
      rules.set(alert.ruleId, (rules.get(alert.ruleId) ?? 0) + 1);
      rehearsal.raise(alert, nowMs);
    }
  }
  return { chunks, events, unreadable, rules, chats: rehearsal.end() };
}

/** The events that were new with the chunk, oldest first; undefined = the bytes cannot be read. */
async function documentsOf(row: ChunkRow): Promise<ProcessStart[] | undefined> {
  const { id, encoding, lines, body } = row;
  const read = await readChunk({ id: Number(id), encoding, lines, body, lineIds: row.line_ids });
  if (read.outcome === 'refused') return undefined;
  const documents = read.lines.flatMap(({ bytes }) => {
    const parsed = processStartSchema.safeParse(JSON.parse(bytes.toString('utf8')));
    return parsed.success ? [parsed.data] : [];
  });
  return documents.sort((one, two) => (one['@timestamp'] < two['@timestamp'] ? -1 : 1));
}

const BAR_MAX = 40;

/** The report as lines: sums first, then each chat with its days. */
export function backtestReport(alerts: AlertsConfig, result: Backtest, since: Date): string[] {
  const names = chatNames(alerts);
  const { chunks, events, unreadable, rules, chats } = result;
  return [
    `${events} events in ${chunks} chunks since ${since.toISOString()}`,
    ...(unreadable === 0 ? [] : [`${unreadable} chunks cannot be read`]),
    ...[...rules].map(([id, count]) => `${String(count).padStart(8)}  alerts of ${id}`),
    ...(chats.size === 0 ? ['Nobody would have heard anything.'] : []),
    ...[...chats].flatMap(([id, heard]) => ['', ...chatRows(names.get(id) ?? id, heard)]),
  ];
}

function chatRows(name: string, { fates, notices, hours }: Heard): string[] {
  const spared = (['suppressed', 'folded', 'held', 'stormed'] as const)
    .filter((fate) => fates[fate] > 0)
    .map((fate) => `, ${fates[fate]} ${fate}`)
    .join('');
  const messages = fates.pending + notices;
  const digests = notices === 0 ? '' : ` (${notices} that count others)`;
  const days = new Map<string, number>();
  for (const [hour, count] of [...hours].sort(([one], [two]) => one - two)) {
    const day = new Date(hour).toISOString().slice(0, 10);
    days.set(day, (days.get(day) ?? 0) + count);
  }
  const most = Math.max(...days.values(), 1);
  return [
    `would have sent ${messages} messages to ${name}${digests}${spared}`,
    `  most in an hour: ${Math.max(...hours.values(), 0)}`,
    ...[...days].map(
      ([day, count]) => `  ${day}  ${'█'.repeat(Math.ceil((count / most) * BAR_MAX))} ${count}`,
    ),
  ];
}
