/**
 * Takes an alert, reads from the events what is like it and what stands around it, gives that as text.
 * Keeps: reads only, for a bounded time; names show themselves as they are.
 */
import { createWriteTime } from '../assess/alert-fields.ts';
import type { Sql, TransactionSql } from '../commit/database.ts';
import type { Asking } from './answer-update.ts';
import type { PressedAlert } from './press-button.ts';
import { cutMiddle, visibleText } from './visible-text.ts';

const ROWS_MAX = 10;
const PARENTS_MAX = 8;
const NAME_UNITS_MAX = 120;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PATIENCE = '10s';

/** Reads within a time: nobody waits for a table scan without end. */
export async function readInTime<T>(
  sql: Sql,
  read: (sql: TransactionSql) => Promise<T>,
): Promise<T> {
  const result = await sql.begin('read only', async (transaction) => {
    await transaction`select set_config('statement_timeout', ${PATIENCE}, true)`;
    return { value: await read(transaction) };
  });
  return (result as { readonly value: T }).value;
}

/** A name of an event, for a line. */
export const shown = (text: string | null | undefined): string =>
  cutMiddle(
    visibleText(text === null || text === undefined || text === '' ? '–' : text),
    NAME_UNITS_MAX,
  );

interface Like {
  readonly user: string | null;
  readonly host: string;
  readonly parent: string | null;
  readonly count: number;
  readonly last: Date;
}

/** Who else started the same program within 24 hours before and after now. */
export async function similarText(sql: Sql, alert: PressedAlert, asking: Asking): Promise<string> {
  const { alerts } = asking.voice;
  const process = alert.fields['process'] ?? '';
  const since = new Date(asking.nowMs - DAY_MS).toISOString();
  const rows = await readInTime(
    sql,
    async (transaction) =>
      await transaction<Like[]>`
      select username as user, host_name as host, max(parent_name) as parent, count(*)::int as count,
        max("timestamp") as last
      from events where "timestamp" > ${since} and lower(process_name) = lower(${process})
      group by 1, 2 order by 4 desc, 5 desc, 1, 2 limit ${ROWS_MAX}`,
  );
  const isRu = alerts.language === 'ru';
  const writeTime = createWriteTime(alerts.time_zone);
  const head = `${shown(process)}: ${isRu ? 'за 24 ч' : 'within 24 h'}`;
  const lines = rows.map(
    ({ user, host, count, last }) =>
      `• ${shown(user)} · ${shown(host)} × ${count}, ${writeTime(last.getTime())}`,
  );
  return [head, ...(lines.length === 0 ? [isRu ? 'ничего' : 'nothing'] : lines)].join('\n');
}

interface Node {
  readonly at: Date;
  readonly name: string | null;
  readonly pid: string | null;
  readonly parentName: string | null;
  readonly parentPid: string | null;
  readonly host: string;
  readonly user: string | null;
}

/** What started it, up to the first that is known, and what it started within an hour. */
export async function treeText(sql: Sql, alert: PressedAlert, asking: Asking): Promise<string> {
  const { alerts } = asking.voice;
  const isRu = alerts.language === 'ru';
  const writeTime = createWriteTime(alerts.time_zone);
  const tree = await readInTime(sql, async (transaction) => readTree(transaction, alert));
  if (tree === undefined) {
    return isRu ? 'Этого события уже нет в базе.' : 'The event is no longer in the database.';
  }
  const { parents, self, children } = tree;
  const lineOf = ({ name, pid, user, at }: Node): string =>
    `${shown(name)} (${pid ?? '–'}) ${shown(user)} ${writeTime(at.getTime())}`;
  const first = parents.at(-1) ?? self;
  const above =
    first.parentName === null ? [] : [`${shown(first.parentName)} (${first.parentPid})`];
  const chain = [...above, ...parents.toReversed().map(lineOf)];
  const indent = (depth: number): string => '  '.repeat(depth);
  return [
    `${isRu ? 'Дерево' : 'Tree'}: ${shown(self.host)}`,
    ...chain.map((line, depth) => `${indent(depth)}└ ${line}`),
    `${indent(chain.length)}└ ▶ ${lineOf(self)}`,
    ...children.map((child) => `${indent(chain.length + 1)}└ ${lineOf(child)}`),
  ].join('\n');
}

async function readTree(sql: TransactionSql, alert: PressedAlert) {
  const columns = sql`"timestamp" as at, process_name as name, process_pid::text as pid,
    parent_name as "parentName", parent_pid::text as "parentPid", host_name as host, username as user`;
  const [self] = await sql<Node[]>`
    select ${columns} from events
    where "timestamp" = ${alert.eventAt} and event_id = ${alert.eventId}`;
  if (self === undefined) return undefined;
  const parents: Node[] = [];
  for (let child: Node = self; parents.length < PARENTS_MAX && child.parentPid !== null; ) {
    // The last start of that number before; numbers of processes are used again.
    const [parent] = await sql<Node[]>`
      select ${columns} from events
      where host_name = ${child.host} and process_pid = ${child.parentPid} and "timestamp" <= ${child.at}
        and "timestamp" > ${new Date(child.at.getTime() - 7 * DAY_MS)}
        and lower(process_name) is not distinct from lower(${child.parentName})
      order by "timestamp" desc limit 1`;
    if (parent === undefined) break;
    parents.push(parent);
    child = parent;
  }
  const children =
    self.pid === null
      ? []
      : await sql<Node[]>`
        select ${columns} from events
        where host_name = ${self.host} and parent_pid = ${self.pid} and "timestamp" >= ${self.at}
          and "timestamp" < ${new Date(self.at.getTime() + HOUR_MS)}
          and lower(parent_name) is not distinct from lower(${self.name})
        order by "timestamp" limit ${ROWS_MAX}`;
  return { parents, self, children };
}
