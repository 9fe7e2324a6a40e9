/**
 * Ten ways to break the programs' promises, each with the scenario that must catch it. An edit names the text that it replaces: when the
 * source changes so that the text is gone, the self-test says so.
 */

export interface Edit {
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
}

export interface Mutation {
  readonly name: string;
  /** What is no longer kept. */
  readonly edits: readonly Edit[];
  /** How the scenario's title begins, e.g. `4: power of the PC`. */
  readonly caughtBy: string;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'fsync of the spool dropped',
    edits: [
      {
        file: 'ecs-schemas/src/beat/ndjson-file.ts',
        from: '      if (failure !== undefined) throw failure;\n      fsyncSync(stream.fd);',
        to: '      if (failure !== undefined) throw failure;',
      },
    ],
    caughtBy: '4: power of the PC fails',
  },
  {
    name: 'position moved before the events are durable',
    edits: [
      {
        file: 'agent/src/reading.ts',
        from: '      await durable(() => spool.append(documents, signal), signal);\n',
        to: '      const early = batch.position;\n      if (early !== undefined) await durable(() => position.write(early), signal);\n      await durable(() => spool.append(documents, signal), signal);\n',
      },
    ],
    caughtBy: '4: power of the PC fails',
  },
  {
    name: 'torn line not cut',
    edits: [
      {
        file: 'agent/src/spool/recover-spool.ts',
        from: "  if (found.tornBytes === 0) return { outcome: 'done', ...found };",
        to: "  if (found.tornBytes >= 0) return { outcome: 'done', ...found };",
      },
      {
        file: 'agent/src/spool/open-segment.ts',
        from: '  if (lineStartBefore(newest.path, newest.size) !== newest.size) return false;\n',
        to: '',
      },
    ],
    caughtBy: '8: last line of the spool is torn',
  },
  {
    name: 'checkpoint moved before the receipt',
    edits: [
      {
        file: 'agent/src/upload/ship-spool.ts',
        from: '  cursor.store();\n  const { verdict, status } = await loop.shipChunk(',
        to: '  cursor.store();\n  cursor.moveBehind(chunk);\n  const { verdict, status } = await loop.shipChunk(',
      },
    ],
    caughtBy: '17: requests break off',
  },
  {
    name: 'receipt given without looking at the digest',
    edits: [
      {
        file: 'collector/src/commit/write-chunks.ts',
        from: 'return row.digest.equals(chunk.digest) || sameEvents(row.line_ids, chunk.lineIds)',
        to: 'return row.digest.length > 0 || sameEvents(row.line_ids, chunk.lineIds)',
      },
    ],
    caughtBy: '16: a cloned PC',
  },
  {
    name: 'dedup off: an event read twice has two ids',
    edits: [
      {
        file: 'ecs-schemas/src/event-id.ts',
        from: '    key.eventCode,\n',
        to: '    key.eventCode,\n    String(Math.random()),\n',
      },
    ],
    caughtBy: '4: power of the PC fails',
  },
  {
    name: 'a chunk committed in parts',
    edits: [
      {
        file: 'collector/src/commit/write-chunks.ts',
        from: 'const ids = await claimKeys(transaction, entries, options);',
        to: 'const ids = await claimKeys(sql as unknown as TransactionSql, entries, options);',
      },
    ],
    caughtBy: '29: transactions break off',
  },
  {
    name: 'verdict of each item of _bulk ignored',
    edits: [
      {
        file: 'collector/src/index/send-bulk.ts',
        from: "  if (status >= 200 && status < 300) return { verdict: 'created' };",
        to: "  if (status >= 0) return { verdict: 'created' };",
      },
    ],
    caughtBy: '26: Elasticsearch is read-only',
  },
  {
    name: 'row of the outbox marked before it is sent',
    edits: [
      {
        file: 'collector/src/notify/deliver-rows.ts',
        from: '    if (!delivery.sentRows.has(row.id)) await deliver(row, delivery, signal);\n',
        to: '    await markSent(delivery.sql, row.id, 0);\n    if (!delivery.sentRows.has(row.id)) await deliver(row, delivery, signal);\n',
      },
    ],
    caughtBy: '31: the collector is killed while',
  },
  {
    name: "lease ignored: every collector sends, whoever has the leader's lock",
    edits: [
      {
        file: 'collector/src/notify/leadership.ts',
        from: 'if (row?.mine !== true) return false;',
        to: 'if (row === undefined) return false;',
      },
    ],
    caughtBy: '31: two collectors',
  },
];
