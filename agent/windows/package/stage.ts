/**
 * Puts together what lies in `C:\Program Files\Launchbeat`: the tree that both the ZIP and the MSI hold.
 *   node.exe                 Node.js, signed by the OpenJS Foundation
 *   launchbeat.exe           the service and the command line
 *   app\launchbeat.mjs       the agent, one file
 *   package.json             the version that it reads
 *   windows\bridge.ps1       the reader of the Security log
 *   audit-policy\            the GPO backup and its scripts
 *   launchbeat.yml           the shipped config; the one in force lies in ProgramData
 * Keeps: texts have CRLF, except what is code of ours or is compared byte by byte; every time is the same.
 */
import assert from 'node:assert/strict';
import {
  cpSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { HostFiles } from './build-host.ts';
import { bundleAgent } from './bundle-agent.ts';
import { fetchNode } from './fetch-node.ts';
import { BUILD_TIME, PACKAGE_FOLDER, ROOT, STAGE, STAGE_CONTENTS, VERSION } from './layout.ts';
import { billOfMaterials } from './sbom.ts';
import { thirdPartyLicences } from './third-party.ts';

const WINDOWS = join(ROOT, 'agent/windows');

const withCrlf = (text: string): string => text.replaceAll(/\r?\n/g, '\r\n');

function put(name: string, contents: string | Buffer): void {
  const file = join(STAGE, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
}

/** A text of the repository, as Notepad of every Windows shows it. */
const putText = (name: string, from: string): void =>
  put(name, withCrlf(readFileSync(from, 'utf8')));

/** Names of all staged files, with forward slashes, in order. */
export function stagedFiles(): string[] {
  return globSync('**', { cwd: STAGE })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => statSync(join(STAGE, file)).isFile())
    .sort();
}

/** Makes the tree anew; gives its bill of materials. */
export function stage(host: HostFiles): string {
  rmSync(STAGE, { recursive: true, force: true });
  const packages = bundleAgent(join(STAGE, 'app/launchbeat.mjs'));
  const node = fetchNode();
  const bill = billOfMaterials(packages, node);
  put('node.exe', node.exe);
  put('launchbeat.exe', readFileSync(host.exe));
  put('package.json', `${JSON.stringify({ name: 'launchbeat', version: VERSION })}\n`);
  putText('launchbeat.yml', join(ROOT, 'agent/launchbeat.yml'));
  putText('LICENSE.txt', join(ROOT, 'LICENSE'));
  put('THIRD-PARTY-LICENSES.txt', thirdPartyLicences(packages, node));
  put('sbom.cdx.json', bill);
  putText('windows/bridge.ps1', join(WINDOWS, 'bridge.ps1'));
  for (const file of globSync('*.{ps1,psm1,psd1}', { cwd: join(WINDOWS, 'audit-policy') }))
    putText(`audit-policy/${file}`, join(WINDOWS, 'audit-policy', file));
  // The scripts check the backup's files by their digests: these stay as they are.
  cpSync(join(WINDOWS, 'audit-policy/gpo-backup'), join(STAGE, 'audit-policy/gpo-backup'), {
    recursive: true,
  });
  assert.deepEqual(readdirSync(STAGE).sort(), [...STAGE_CONTENTS].sort(), 'STAGE_CONTENTS');
  for (const file of stagedFiles()) utimesSync(join(STAGE, file), BUILD_TIME, BUILD_TIME);
  return bill;
}

/** Files that the ZIP has besides the tree: its installer. */
export const ZIP_SCRIPTS = ['install.ps1', 'uninstall.ps1', 'enroll.ps1'].map((name) => ({
  name,
  bytes: (): Buffer => Buffer.from(withCrlf(readFileSync(join(PACKAGE_FOLDER, name), 'utf8'))),
}));
