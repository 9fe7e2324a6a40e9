/**
 * Makes the MSI: wixl from the source, then what wixl cannot say straight into the tables (msibuild), then fixed times.
 * Keeps: the same tree gives the same bytes; the package code follows from the contents, as Windows Installer wants it.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { HostFiles } from './build-host.ts';
import { BUILD_TIME } from './layout.ts';
import { type Defaults, msiSource, told } from './msi-source.ts';
import { uuidOf } from './sbom.ts';
import { settleSummary } from './summary-information.ts';

/** Properties of the command line that reach the part of msiexec that runs as System. */
const SECURE = ['SERVER', 'TOKEN', 'KEY', 'KEYFILE', 'CA', 'PROGRAMS', 'SERVICEACCOUNT', 'PURGE'];

/**
 * Numbers in InstallExecuteSequence, where wixl puts an action elsewhere or does not know it. The old version goes inside the
 * transaction, so that it comes back when the new one cannot be installed; folders, settings and group are made between the
 * service (5800: its account exists from then on) and its start (5900).
 */
const SEQUENCE: Readonly<Record<string, number>> = {
  RemoveExistingProducts: 1501,
  TellConfigure: 5810,
  Configure: 5820,
};

/**
 * Types of the custom actions, with the flags that wixl leaves out or sets needlessly: 51 sets a property, 1 calls the DLL,
 * 1024 deferred, 2048 as System, 8192 keeps the target out of the log.
 */
const ACTION_TYPES: Readonly<Record<string, number>> = {
  KeepAccount: 51,
  DefaultAccount: 51,
  TellConfigure: 51 + 8192,
  Configure: 1 + 1024 + 2048 + 8192,
  TellCleanUp: 51,
  CleanUp: 1 + 1024 + 2048,
};

function run(tool: string, args: readonly string[], cwd?: string): string {
  try {
    return execFileSync(tool, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new Error(`${tool} is not installed (Debian: apt-get install wixl msitools).`, { cause });
  }
}

function query(msi: string, sql: string): void {
  run('msibuild', [msi, '-q', sql]);
}

/** Adds properties beyond ASCII; the database is UTF-8 from then on. */
function addProperties(msi: string, properties: readonly [string, string][]): void {
  if (properties.length === 0) return;
  const folder = dirname(msi);
  const take = (table: string, rows: string): void => {
    const file = join(folder, `${table}.idt`);
    writeFileSync(file, rows);
    run('msibuild', [msi, '-i', file]);
    rmSync(file);
  };
  take('_ForceCodepage', '\r\n\r\n65001\t_ForceCodepage\r\n');
  const rows = properties.map(([name, value]) => `${name}\t${value}\r\n`);
  take('Property', run('msiinfo', ['export', msi, 'Property']) + rows.join(''));
}

function fillTables(msi: string): void {
  for (const [action, sequence] of Object.entries(SEQUENCE))
    query(
      msi,
      `UPDATE InstallExecuteSequence SET Sequence = ${sequence} WHERE Action = '${action}'`,
    );
  for (const [action, type] of Object.entries(ACTION_TYPES))
    query(msi, `UPDATE CustomAction SET Type = ${type} WHERE Action = '${action}'`);
  // MajorUpgrade has put two names there.
  const [, before = ''] =
    /^SecureCustomProperties\t(\S*)/m.exec(run('msiinfo', ['export', msi, 'Property'])) ?? [];
  const names = [...before.split(';'), ...SECURE].join(';');
  query(msi, `UPDATE Property SET Value = '${names}' WHERE Property = 'SecureCustomProperties'`);
}

export interface MsiOptions {
  /** The MSI to write; its folder is used while it is built. */
  readonly file: string;
  readonly version: string;
  /** The staged tree, and the paths below it with forward slashes. */
  readonly stage: string;
  readonly files: readonly string[];
  readonly host: HostFiles;
  readonly defaults: Defaults;
}

export function buildMsi({ file, version, stage, files, host, defaults }: MsiOptions): void {
  const folder = dirname(file);
  const source = join(folder, 'launchbeat.wxs');
  const { dll, ico } = host;
  const text = msiSource({ folder, version, stage, files, dll, ico, defaults });
  writeFileSync(source, text);
  for (const one of [dll, ico]) utimesSync(one, BUILD_TIME, BUILD_TIME);
  rmSync(file, { force: true });
  run('wixl', ['-a', 'x64', '-o', file, source], folder);
  rmSync(source);
  const others = told(defaults, false);
  addProperties(file, others);
  fillTables(file);
  const contents = createHash('sha256').update(text).update(others.flat().join('\0'));
  for (const one of [...files.map((name) => join(stage, name)), dll, ico])
    contents.update(readFileSync(one));
  settleSummary(file, uuidOf(`package ${contents.digest('hex')}`).toUpperCase());
}
