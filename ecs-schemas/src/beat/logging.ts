/**
 * Takes `logging:` of a config, gives the program's log: ECS NDJSON in a rolling file, on stderr, or both.
 * Keeps: names and levels of Beats (`log.level: warn`, `service.name`); no secret is written; a full disk never stops the
 * program and never grows its memory.
 */
import { readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from './log.ts';
import type { LoggingConfig } from './logging-config.ts';
import { logPrinter, type NdjsonFile, openNdjsonFile } from './ndjson-file.ts';
import { redactFields, SECRET_PATHS, withoutSecrets } from './redaction.ts';

const BUFFER_BYTES_MAX = 1024 * 1024;
const STDERR = 2;

export interface LogOptions {
  readonly config: LoggingConfig;
  readonly name: 'launchbeat' | 'launchbeat-collector';
  /** path.logs; `logging.files.path` goes before it. */
  readonly folder: string;
  /** `-e`. */
  readonly stderr: boolean;
  /** Version of the program. */
  readonly version: string;
}

export interface OpenLog {
  readonly log: Log;
  /** The file that is being written, if there is one. */
  readonly file?: string;
  /** This is the least level from now on. */
  useLevel(level: LoggingConfig['level']): void;
  close(): Promise<void>;
}

/** Opens a program's log. Rejects when the log folder cannot be written, naming it. */
export async function createLog(options: LogOptions): Promise<OpenLog> {
  const { config, name, version } = options;
  const file = config.to_files ? await openFile(options) : undefined;
  const toStderr = options.stderr || config.to_stderr;
  const write = (line: string): void => {
    file?.write(line);
    if (toStderr) writeStderr(line);
  };
  const printer = logPrinter(
    {
      level: levelOf(config),
      base: { 'service.name': name, 'service.version': version, 'process.pid': process.pid },
      redact: SECRET_PATHS,
      clean: redactFields,
    },
    write,
  );
  const at =
    (level: keyof Log): Log[keyof Log] =>
    (fields, message) =>
      // pino changes the functions of its levels with the level: they are looked up each time.
      printer[level](fields, withoutSecrets(message));
  return {
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    ...(file === undefined ? {} : { file: file.path }),
    useLevel(changed) {
      printer.level = levelOf({ level: changed });
    },
    async close() {
      await file?.close();
    },
  };
}

/** pino's name of a level. */
const levelOf = ({ level }: Pick<LoggingConfig, 'level'>) => (level === 'warning' ? 'warn' : level);

async function openFile(options: LogOptions): Promise<NdjsonFile> {
  const { files } = options.config;
  const folder = files.path ?? options.folder;
  const name = files.name ?? options.name;
  const dropOld = (): void => dropOldFiles(folder, name, files.keepfiles);
  try {
    const file = await openNdjsonFile({
      folder,
      name,
      rollBytes: files.rotateeverybytes,
      daily: true,
      bufferBytesMax: BUFFER_BYTES_MAX,
      onRoll: dropOld,
    });
    // A program that is started anew each day never rolls.
    dropOld();
    return file;
  } catch (cause) {
    throw new Error(
      `Cannot write the log in ${folder} (${(cause as Error).message}). Give a folder that can be written with --path.logs or logging.files.path, or set logging.to_files: false.`,
      { cause },
    );
  }
}

/** Deletes the oldest log files of a name, but for the newest one and `keep` more. What cannot be deleted stays. */
function dropOldFiles(folder: string, name: string, keep: number): void {
  try {
    const found = readdirSync(folder)
      .filter(
        (file) =>
          file.startsWith(`${name}.`) && /^\.\d{8}\.\d+\.ndjson$/.test(file.slice(name.length)),
      )
      .map((file) => ({
        path: join(folder, file),
        mtimeMs: statSync(join(folder, file)).mtimeMs,
        file,
      }))
      .sort(
        (a, b) => b.mtimeMs - a.mtimeMs || b.file.localeCompare(a.file, 'en', { numeric: true }),
      );
    for (const { path } of found.slice(keep + 1)) rmSync(path, { force: true });
  } catch {
    // Another program may hold or delete a file; the next roll tries again.
  }
}

function writeStderr(line: string): void {
  try {
    writeSync(STDERR, line);
  } catch {
    // A service has no stderr, and a pipe's reader may be gone or slow: the file has the line.
  }
}
