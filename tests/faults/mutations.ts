/**
 * Steps that keep events safe, each with what the source becomes without it or in another order. A test that still passes with one
 * of them is worth nothing.
 */

export interface Mutation {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Stands in the file once. */
  readonly search: string;
  readonly replace: string;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'lines of the spool are not forced to disk',
    file: 'agent/src/spool/open-spool.ts',
    search: 'file.sync();',
    replace: '',
  },
  {
    name: 'the name of a new file of the spool is not forced to disk',
    file: 'agent/src/spool/open-spool.ts',
    search: 'if (file.path !== path) syncFolder(folder);',
    replace: '',
  },
  {
    name: 'the position moves before the events are in the spool',
    file: 'agent/src/reading.ts',
    search: 'await durable(() => spool.append(documents, signal), signal);',
    replace:
      'if (batch.position !== undefined) position.write(batch.position); await durable(() => spool.append(documents, signal), signal);',
  },
  {
    name: 'the position moves before quarantine has what is no event',
    file: 'agent/src/reading.ts',
    search: 'await durable(() => void quarantine(spool.folder, quarantined), signal);',
    replace:
      'if (batch.position !== undefined) position.write(batch.position); await durable(() => void quarantine(spool.folder, quarantined), signal);',
  },
  {
    name: 'quarantine is not forced to disk',
    file: 'agent/src/spool/quarantine.ts',
    search: 'fsyncSync(descriptor);',
    replace: '',
  },
  {
    name: 'the name of a new quarantine file is not forced to disk',
    file: 'agent/src/spool/quarantine.ts',
    search: 'if (newest?.number !== number) syncFolder(folder);',
    replace: '',
  },
  {
    name: 'a state file is not forced to disk before it takes its name',
    file: 'ecs-schemas/src/beat/replace-file.ts',
    search: 'fsyncSync(descriptor);',
    replace: '',
  },
  {
    name: 'the name of a state file is not forced to disk',
    file: 'ecs-schemas/src/beat/replace-file.ts',
    search: 'syncFolder(dirname(file));',
    replace: '',
  },
  {
    name: 'the checkpoint moves before the receipt',
    file: 'agent/src/upload/ship-spool.ts',
    search: 'cursor.store();\n  const { verdict, status }',
    replace: 'cursor.moveBehind(chunk); cursor.store();\n  const { verdict, status }',
  },
  {
    name: 'the range of a chunk is not written down before it is sent',
    file: 'agent/src/upload/ship-spool.ts',
    search: 'cursor.moveTo({ segment, number, offset, pending: { end, sentAs } });',
    replace: '',
  },
  {
    name: 'a chunk counts as acknowledged when there was no answer',
    file: 'agent/src/upload/ship-spool.ts',
    search: "case 'retry':\n      return onRetry(loop, verdict);",
    replace: "case 'retry':\n      loop.cursor.moveBehind(chunk); return onRetry(loop, verdict);",
  },
  {
    name: 'a file is deleted while its last lines wait for their receipt',
    file: 'agent/src/spool/drop-acknowledged.ts',
    search: 'segment.number < checkpoint.number',
    replace: 'segment.number <= checkpoint.number',
  },
  {
    name: 'what is sent once more has its old keys',
    file: 'agent/src/spool/resend.ts',
    search: '{ ...to, resend: sentUpTo(checkpoint) }',
    replace: '{ ...to }',
  },
];
