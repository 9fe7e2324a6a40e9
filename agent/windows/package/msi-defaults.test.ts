/**
 * Goal: what is built into an MSI is what was typed, or is refused before it reaches a PC. Method: the lines that make would run,
 * split by a real shell; values one by one.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { ROOT } from './layout.ts';
import { msiDefaults } from './msi-defaults.ts';

/** The arguments that make-package.ts gets for a command line of make. */
function argumentsOfMake(given: readonly string[], env: NodeJS.ProcessEnv = {}): string[] {
  const lines = execFileSync('make', ['-n', 'windows', ...given], {
    cwd: ROOT,
    env: { ...process.env, MAKEFLAGS: '', ...env },
    encoding: 'utf8',
  });
  const [, rest = ''] = /make-package\.ts(.*)$/m.exec(lines) ?? [];
  return execFileSync('sh', ['-c', `printf '%s\\n' ${rest}`], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '');
}

test('make hands on each value as it was typed: dollars, quotes, blanks, percent and ampersand signs, Cyrillic', () => {
  for (const value of [
    'KEYFILE=\\\\srv\\keys$\\%COMPUTERNAME%.key',
    `PROGRAMS=it's.exe;"x".exe;a & b.exe;\`id\`.exe;$HOME;Учёт 1.exe`,
    'CA=D:\\our ca (2026)\\ca.pem',
  ])
    assert.deepEqual(argumentsOfMake([value]), [value]);
});

test('make takes its own way to write a dollar too', () => {
  assert.deepEqual(argumentsOfMake(['KEYFILE=\\\\srv\\keys$$\\a.key']), [
    'KEYFILE=\\\\srv\\keys$\\a.key',
  ]);
});

test('a TOKEN of the environment, which is somebody else’s, is not built in', () => {
  assert.deepEqual(argumentsOfMake(['CA=C:\\a.pem'], { TOKEN: 'abc', SERVER: 'x' }), [
    'CA=C:\\a.pem',
  ]);
});

test('msiDefaults() takes what a PC takes', () => {
  const fingerprint = Array(32).fill('Ab').join(':');
  const given = {
    SERVER: 'https://collector.example:8443',
    TOKEN: 'enroll-abc:de_f-1',
    KEYFILE: '\\\\srv\\keys$\\%COMPUTERNAME%.key',
    CA: fingerprint,
    PROGRAMS: 'winword.exe; Учёт (1).exe',
    SERVICEACCOUNT: 'EXAMPLE\\launchbeat$',
  };
  assert.deepEqual(msiDefaults(Object.entries(given).map((pair) => pair.join('='))), given);
  assert.deepEqual(msiDefaults(['CA=\\\\srv\\share\\our ca.pem', 'SERVER=']), {
    CA: '\\\\srv\\share\\our ca.pem',
    SERVER: '',
  });
});

test('msiDefaults() refuses what a PC would refuse, and names what it wants', () => {
  for (const [given, words] of [
    ['SERVER=collector.example', /SERVER must be the collector's address/],
    ["SERVER=https://a'b", /SERVER must be/],
    ['SERVER=https://a|b', /SERVER must be/],
    ['KEYFILE=key.txt', /KEYFILE must be the full path/],
    ['CA=ca.pem', /CA must be the full path/],
    ['CA=abcd', /CA must be/],
    ["PROGRAMS=it's.exe", /PROGRAMS must be file names/],
    ['PROGRAMS=a.exe\nb.exe', /PROGRAMS must be/],
    ['KEY=id1:secret1', /KEY: expected NAME=value with SERVER, TOKEN/],
    ['hello', /an argument: expected NAME=value/],
  ] as const)
    assert.throws(() => msiDefaults([given]), words);
});

test('msiDefaults() never repeats a secret', () => {
  for (const given of ['TOKEN=id1:secret1', 'KEY=id1:secret1', 'id1:secret1'])
    assert.throws(() => msiDefaults([given]), { message: /^(?!.*secret1)/s });
});
