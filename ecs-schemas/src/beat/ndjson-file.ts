/**
 * Takes objects, gives lines of ECS NDJSON in files that roll by size: the spool of events and the programs' own logs.
 * The one importer of pino (line), @elastic/ecs-pino-format (field names) and pino-roll (files).
 * Keeps: a line has each key once; what sync() has accepted is on disk; pino-roll's `limit` is never set, since it deletes
 * files that were not shipped.
 */
import { fstatSync, fsyncSync, ftruncateSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ecsFormat } from '@elastic/ecs-pino-format';
import { type LoggerOptions, pino } from 'pino';
// @ts-expect-error pino-roll ships no types; RollStream below is what is used of it.
import pinoRoll from 'pino-roll';
import { ECS_VERSION } from '../process-start.ts';

/** What is used of the stream that pino-roll gives (a SonicBoom of sonic-boom). */
interface RollStream {
  readonly fd: number;
  readonly file: string;
  readonly destroyed: boolean;
  write(lines: Uint8Array): boolean;
  end(): void;
  destroy(): void;
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'ready', listener: () => void): void;
  once(event: 'close' | 'error', listener: (error?: Error) => void): void;
}
const roll = pinoRoll as (options: Readonly<Record<string, unknown>>) => Promise<RollStream>;

export interface NdjsonFileOptions {
  readonly folder: string;
  /** First part of the file names: `<name>.<number>.ndjson`, or `<name>.<YYYYMMDD>.<number>.ndjson` when daily. */
  readonly name: string;
  /** A new file is begun at this size; it may be exceeded by what is written within one turn of the event loop. */
  readonly rollBytes: number;
  /** Let pino-roll put the local day into the name and begin a file at midnight. */
  readonly daily: boolean;
  /** What may wait in memory while the disk takes nothing; more is dropped. 0 = no bound. */
  readonly bufferBytesMax: number;
  /** Called after each roll, on the event loop's next turn. */
  readonly onRoll?: () => void;
}

/** An open file that rolls. Every write is one write(2); nothing is buffered while the disk takes it. */
export interface NdjsonFile {
  /** Absolute path of the file that is being written. */
  readonly path: string;
  /** The first error of writing or rolling; from then on sync() throws. */
  readonly failure: Error | undefined;
  /** Appends whole lines, each with its LF. Bytes may be used for something else afterwards, unless the file has failed. */
  write(lines: string | Uint8Array): void;
  /** Bytes in the file now. */
  bytes(): number;
  /** Forces all that was written to disk (checked fsync). Throws when any byte of it may not be there. */
  sync(): void;
  /** Cuts the file back to a size, after a write that was not durable. Throws when the disk refuses. */
  cutBack(bytes: number): void;
  /** Lets a due roll happen: pino-roll rolls on the event loop's next turn. */
  settle(): Promise<void>;
  close(): Promise<void>;
  /** Gives the file up without another word: nothing that waits is written. */
  abandon(): void;
}

/** Opens the newest file of the name (for appending), or begins the first one; makes the folder if need be. */
export async function openNdjsonFile(options: NdjsonFileOptions): Promise<NdjsonFile> {
  const stream = await roll({
    file: join(options.folder, `${options.name}.ndjson`),
    size: `${options.rollBytes}b`,
    ...(options.daily ? { frequency: 'daily', dateFormat: 'yyyyMMdd' } : {}),
    mkdir: true,
    mode: 0o600,
    sync: true,
    // Texts would be encoded three times: to be counted, to be written, to see what was left over.
    contentMode: 'buffer',
    maxLength: options.bufferBytesMax,
  });
  let failure: Error | undefined;
  stream.on('error', (error) => {
    failure ??= error;
  });
  stream.on('ready', () => options.onRoll?.());

  return {
    get path() {
      return stream.file;
    },
    get failure() {
      return failure;
    },
    write: (lines) => void stream.write(typeof lines === 'string' ? Buffer.from(lines) : lines),
    bytes: () => fstatSync(stream.fd).size,
    sync() {
      if (failure !== undefined) throw failure;
      fsyncSync(stream.fd);
    },
    cutBack(bytes) {
      ftruncateSync(stream.fd, bytes);
      fsyncSync(stream.fd);
    },
    async settle() {
      await nextTurn();
    },
    async close() {
      if (stream.destroyed) return;
      // A stream whose descriptor is bad answers with 'error', not with 'close'.
      await new Promise<void>((resolve) => {
        stream.once('close', () => resolve());
        stream.once('error', () => resolve());
        stream.end();
      });
    },
    abandon() {
      if (!stream.destroyed) stream.destroy();
    },
  };
}

type LogFormatter = (fields: Record<string, unknown>) => Record<string, unknown>;

/** ecs-pino-format's own settings, with the version of ECS that we follow instead of its own. */
function ecsOptions(): LoggerOptions & { formatters: { log: LogFormatter } } {
  const ecs = ecsFormat({ apmIntegration: false });
  const log = ecs.formatters?.log as LogFormatter;
  return {
    ...ecs,
    // null, not undefined: the formatter breaks on a missing base, and the default names the writer's own host and pid.
    base: null,
    level: 'trace',
    formatters: {
      ...ecs.formatters,
      log: (fields) => {
        const out = log(fields);
        out['ecs.version'] = ECS_VERSION;
        return out;
      },
    },
  };
}

/** What documents of one writer have in common, as long as they share the very objects. */
interface CommonParts {
  readonly agent: unknown;
  readonly data_stream: unknown;
}

/** A document as its writer makes it: whatever else it has follows these, in its own order. */
interface TimedDocument extends CommonParts {
  readonly '@timestamp': string;
}

/**
 * Prints documents that begin with `@timestamp`, `agent` and `data_stream`: `log.level` stands first, `ecs.version` last. Agent and
 * data stream are printed anew only where a document has another object there than the one before.
 */
export function documentPrinter(write: (line: string) => void): (document: TimedDocument) => void {
  const options = ecsOptions();
  let time = '';
  const printer = pino(
    {
      ...options,
      // What pino's manual has this for: the time as JSON, here the document's own.
      timestamp: () => `,"@timestamp":${JSON.stringify(time)}`,
      formatters: {
        level: () => ({ 'log.level': 'information' }),
        log: (document) => {
          const rest = options.formatters.log(document);
          // A copy, in which pino leaves out what is undefined: these are printed by themselves.
          rest['@timestamp'] = undefined;
          rest['agent'] = undefined;
          rest['data_stream'] = undefined;
          return rest;
        },
      },
    },
    { write },
  );
  let common: CommonParts = { agent: undefined, data_stream: undefined };
  let ofCommon = printer;
  return (document) => {
    if (document.agent !== common.agent || document.data_stream !== common.data_stream) {
      common = { agent: document.agent, data_stream: document.data_stream };
      ofCommon = printer.child(common);
    }
    time = document['@timestamp'];
    ofCommon.info(document);
  };
}

export interface LogPrinterOptions {
  /** Least level that is printed. */
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Fields of every line. */
  readonly base: Readonly<Record<string, unknown>>;
  /** pino redaction paths. */
  readonly redact: readonly string[];
  /** Changes the fields of a line before they are printed. */
  readonly clean: (fields: Record<string, unknown>) => Record<string, unknown>;
}

/** The four levels of a program's own log. */
export type LogPrinter = Readonly<
  Record<'debug' | 'info' | 'warn' | 'error', (fields: object, message: string) => void>
> & {
  /** Least level that is printed; may be set anew at any time. */
  level: string;
};

/** Prints a program's own log lines: `log.level`, `@timestamp`, the base, the fields, `message`. */
export function logPrinter(options: LogPrinterOptions, write: (line: string) => void): LogPrinter {
  const ecs = ecsOptions();
  return pino(
    {
      ...ecs,
      level: options.level,
      base: { ...options.base },
      formatters: {
        ...ecs.formatters,
        bindings: (bindings) => bindings,
        log: (fields) => options.clean(ecs.formatters.log(fields)),
      },
      redact: { paths: [...options.redact], censor: '[redacted]' },
    },
    { write },
  );
}
