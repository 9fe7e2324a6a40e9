/**
 * `make windows`: from the sources to `dist/windows`, on Linux: the ZIP, the MSI, the bill of materials, SHA256SUMS.
 * Arguments NAME=value become the MSI's own properties (SERVER, TOKEN, KEYFILE, CA, PROGRAMS, SERVICEACCOUNT), so that a domain
 * can install it without a transform. LAUNCHBEAT_SIGN=cert.pfx signs what is ours (programs, scripts, the MSI) with osslsigncode.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildHost } from './build-host.ts';
import { buildMsi } from './build-msi.ts';
import { BUILD_TIME, DIST, STAGE, VERSION } from './layout.ts';
import { msiDefaults } from './msi-defaults.ts';
import { isScript, sign } from './sign.ts';
import { stage, stagedFiles, ZIP_SCRIPTS } from './stage.ts';
import { writeZip } from './write-zip.ts';

function signStaged(file: string): void {
  sign(file);
  utimesSync(file, BUILD_TIME, BUILD_TIME);
}

async function main(args: readonly string[]): Promise<void> {
  const defaults = msiDefaults(args);
  const name = `launchbeat-${VERSION}-windows-x64`;
  const [zip, msi, bill] = ['zip', 'msi', 'cdx.json'].map((end) => join(DIST, `${name}.${end}`));
  if (zip === undefined || msi === undefined || bill === undefined) return;
  mkdirSync(DIST, { recursive: true });
  for (const file of [zip, msi, bill]) rmSync(file, { force: true });
  const host = buildHost();
  for (const part of [host.exe, host.dll]) sign(part);
  writeFileSync(bill, stage(host));
  const files = stagedFiles();
  for (const script of files.filter(isScript)) signStaged(join(STAGE, script));
  const staged = files.map((file) => ({ name: file, bytes: readFileSync(join(STAGE, file)) }));
  const scripts = ZIP_SCRIPTS.map((script) => {
    const file = join(DIST, script.name);
    writeFileSync(file, script.bytes());
    sign(file);
    const bytes = readFileSync(file);
    rmSync(file);
    return { name: script.name, bytes };
  });
  await writeZip(
    zip,
    [...staged, ...scripts]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((entry) => ({ ...entry, name: `${name}/${entry.name}` })),
  );
  buildMsi({ file: msi, version: VERSION, stage: STAGE, files, host, defaults });
  sign(msi);
  const sums = [bill, msi, zip].map((file) => {
    const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
    return `${digest}  ${basename(file)}\n`;
  });
  writeFileSync(join(DIST, 'SHA256SUMS'), sums.join(''));
  process.stdout.write(sums.join(''));
}

await main(process.argv.slice(2));
