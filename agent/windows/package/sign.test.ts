/**
 * Goal: with a certificate the parts are signed, once, and without one they stay as they are. Method: a certificate of our own,
 * osslsigncode as the verifier. Whether Windows trusts such a signature is a matter of its certificate, and not seen here.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { PACKAGE_FOLDER } from './layout.ts';
import { isScript, sign } from './sign.ts';

const skip =
  spawnSync('osslsigncode', ['--version']).error === undefined
    ? false
    : 'not installed: osslsigncode';

/** A certificate with its key in a PKCS#12 file; gives the environment that names it, and the certificate itself. */
function certificate(folder: string) {
  const [key, pem, pfx, password] = ['key.pem', 'our ca.pem', 'our cert.pfx', 'pass'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  writeFileSync(password, 'pass word"1');
  const openssl = (args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  openssl([
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', pem],
    ...['-days', '2', '-subj', '/CN=Test', '-addext', 'extendedKeyUsage=codeSigning'],
  ]);
  openssl([
    ...['pkcs12', '-export', '-inkey', key, '-in', pem, '-out', pfx],
    ...['-passout', `file:${password}`],
  ]);
  return { env: { LAUNCHBEAT_SIGN: pfx, LAUNCHBEAT_SIGN_PASSFILE: password }, pem };
}

function script(t: TestContext): { readonly folder: string; readonly file: string } {
  const folder = temporaryFolder(t);
  const file = join(folder, 'install.ps1');
  copyFileSync(join(PACKAGE_FOLDER, 'install.ps1'), file);
  return { folder, file };
}

test('without a certificate a file stays as it is', (t) => {
  const { file } = script(t);
  const before = readFileSync(file);
  sign(file, {});
  assert.ok(readFileSync(file).equals(before));
});

test('a script is signed, and signing it again leaves one signature', { skip }, (t) => {
  const { folder, file } = script(t);
  const { env, pem } = certificate(folder);
  const before = readFileSync(file, 'utf8');
  const verify = (): string =>
    execFileSync('osslsigncode', ['verify', '-CAfile', pem, file], { encoding: 'utf8' });
  for (const _ of [1, 2]) {
    sign(file, env);
    assert.match(verify(), /Number of verified signatures: 1/);
  }
  const after = readFileSync(file, 'utf8');
  assert.ok(after.startsWith(before.trimEnd()), 'the script itself is what it was');
  assert.equal(after.match(/SIG # Begin signature block/g)?.length, 1);
  writeFileSync(file, after.replace('Stop', 'Continue'));
  assert.notEqual(spawnSync('osslsigncode', ['verify', '-CAfile', pem, file]).status, 0);
});

test('a wrong password is an error, and the file stays', { skip }, (t) => {
  const { folder, file } = script(t);
  const { env } = certificate(folder);
  const before = readFileSync(file);
  writeFileSync(env.LAUNCHBEAT_SIGN_PASSFILE, 'wrong');
  assert.throws(() => sign(file, env));
  assert.ok(readFileSync(file).equals(before));
});

test('scripts are what AllSigned asks a signature of', () => {
  const files = ['windows/bridge.ps1', 'a/X.psm1', 'a/X.psd1', 'node.exe', 'app/launchbeat.mjs'];
  assert.deepEqual(files.filter(isScript), files.slice(0, 3));
});
