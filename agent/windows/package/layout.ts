/**
 * Where things lie: in this repository, in `dist/windows`, and below `C:\Program Files\Launchbeat` on a PC.
 * Keeps: nothing that is built depends on the clock, the folder of the clone or the order of a directory.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const PACKAGE_FOLDER = import.meta.dirname;
export const ROOT = join(PACKAGE_FOLDER, '../../..');
export const DIST = join(ROOT, 'dist/windows');
/** What is being put together; its tree is that of the folder in Program Files. */
export const STAGE = join(DIST, 'stage');
/** What lies at its top; install.ps1 copies these, and its own scripts, and nothing else. */
export const STAGE_CONTENTS: readonly string[] = [
  ...['LICENSE.txt', 'THIRD-PARTY-LICENSES.txt', 'app', 'audit-policy', 'launchbeat.exe'],
  ...['launchbeat.yml', 'node.exe', 'package.json', 'sbom.cdx.json', 'windows'],
];
/** What was fetched; kept between runs, each use checks its digest. */
export const CACHE = join(ROOT, 'dist/cache');

/** The time of every file that is built: a fixed one, in the range that a ZIP can hold. */
export const BUILD_TIME = new Date('2026-01-01T00:00:00Z');

/** Version of the agent, `major.minor.patch`; an MSI compares these three numbers. */
export const VERSION = (
  JSON.parse(readFileSync(join(ROOT, 'agent/package.json'), 'utf8')) as { version: string }
).version;

const HOST = readFileSync(join(PACKAGE_FOLDER, 'host/agent-process.c'), 'utf8');

/** What launchbeat.exe gives node.exe, in front of the program. */
export const NODE_FLAGS: readonly string[] = nodeFlags();

function nodeFlags(): readonly string[] {
  const flags = /^#define NODE_FLAGS L"(.+)"$/m.exec(HOST)?.[1];
  if (flags === undefined) throw new Error('host/agent-process.c defines no NODE_FLAGS.');
  return flags.split(' ');
}

/** Names that the service host, the MSI, the scripts and the docs share. */
export const PRODUCT = {
  name: 'Launchbeat',
  manufacturer: 'Launchbeat',
  service: 'Launchbeat',
  description: 'Reads process starts from the Security log and sends them to the collector.',
} as const;
