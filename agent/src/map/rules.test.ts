/**
 * Goal: the small rules that documents are made of hold for any input, not only for the fixtures'.
 * Method: tables of cases worked out by hand, and properties: what must be true of every text.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesPattern } from '@launchbeat/ecs-schemas/beat';
import fc from 'fast-check';
import { actorOf, isSystemAccount } from './actor.ts';
import { cleanXml } from './clean-xml.ts';
import { commandLineArgs } from './command-line-args.ts';
import { type FlagInput, flagsOf } from './flags.ts';
import { cutToJsonBytes, jsonBytes } from './json-bytes.ts';
import { type MapConfig, mapConfigSchema } from './map-config.ts';
import { parseEvent } from './parse-event.ts';
import { programPath } from './program-path.ts';
import { createRecogniser } from './watched-programs.ts';
import { fileName, fold, folderOf, readKeywords, windowsNumber } from './windows-names.ts';

const text = fc.string({ unit: 'binary', maxLength: 200 });

test('commandLineArgs() splits at white space outside quotes and keeps the quotes', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    ['  \t\n', []],
    ['a', ['a']],
    [' a  b ', ['a', 'b']],
    ['"a b" c', ['"a b"', 'c']],
    ['a"b c"d e', ['a"b c"d', 'e']],
    ['"unclosed one', ['"unclosed one']],
    ['"" ""', ['""', '""']],
    // No escape: the quote after the backslash closes.
    ['"a\\" b"', ['"a\\"', 'b"']],
    ['C:\\Program Files\\a.exe', ['C:\\Program', 'Files\\a.exe']],
    ['a\u00a0b\u3000c', ['a\u00a0b', 'c']],
  ];
  for (const [line, args] of cases) assert.deepEqual(commandLineArgs(line), args, line);
});

test('commandLineArgs() loses nothing but white space outside quotes, of any text', () => {
  const line = fc.string({
    unit: fc.constantFrom('a', '"', ' ', '\t', '\\', 'я', '\u00a0', '\u3000'),
    maxLength: 60,
  });
  fc.assert(
    fc.property(fc.oneof(line, text), (one) => {
      const args = commandLineArgs(one);
      assert.ok(args.every((argument) => argument !== ''));
      assert.equal(args.join('').replace(/\s/g, ''), one.replace(/\s/g, ''));
      // Splitting what was split changes nothing.
      if (!one.includes('"')) assert.deepEqual(commandLineArgs(args.join(' ')), args);
    }),
  );
});

test('matchesPattern() agrees with a regular expression that means the same', () => {
  const part = fc.constantFrom('a', 'b', '*', '?', '\\', '.');
  const escaped = (pattern: string): string =>
    pattern.replace(/[.\\]/g, '\\$&').replaceAll('*', '[^]*').replaceAll('?', '[^]');
  fc.assert(
    fc.property(
      fc.string({ unit: part, maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '\\', '.'), maxLength: 10 }),
      (pattern, subject) => {
        assert.equal(
          matchesPattern(pattern, subject),
          new RegExp(`^${escaped(pattern)}$`).test(subject),
        );
      },
    ),
    { numRuns: 2000 },
  );
});

test('matchesPattern() ends soon on a path that was made to be slow', () => {
  assert.equal(matchesPattern(`${'*a'.repeat(50)}b`, 'a'.repeat(20_000)), false);
});

test('windowsNumber() reads hex and decimal and nothing else', () => {
  for (const [given, value] of [
    ['0x1f40', 8000],
    ['0X1F40', 8000],
    ['8000', 8000],
    ['0', 0],
    ['0x0', 0],
    ['0x1fffffffffffff', Number.MAX_SAFE_INTEGER],
  ] as const)
    assert.equal(windowsNumber(given), value, given);
  for (const given of ['', '-1', '010', '1.5', '0x', '0xg', ' 1', '1e3', '0x20000000000000', 'NaN'])
    assert.equal(windowsNumber(given), undefined, given);
  const number = fc.stringMatching(/^(?:0x|0X)?[0-9a-fA-FgXx٣]{0,18}$/);
  fc.assert(
    fc.property(number, (given) => {
      const isNumber = /^(?:0x[0-9a-f]{1,16}|0|[1-9]\d{0,15})$/i.test(given);
      const value = isNumber && Number.isSafeInteger(Number(given)) ? Number(given) : undefined;
      assert.equal(windowsNumber(given), value, given);
    }),
    { numRuns: 5000 },
  );
});

test('readKeywords() reads the outcome from the bits, failure first', () => {
  assert.deepEqual(readKeywords('0x8020000000000000'), {
    names: ['Audit Success'],
    outcome: 'success',
  });
  assert.deepEqual(readKeywords('0x8010000000000000'), {
    names: ['Audit Failure'],
    outcome: 'failure',
  });
  assert.deepEqual(readKeywords('0x80b0000000000000'), {
    names: ['Audit Failure', 'Audit Success', 'Classic'],
    outcome: 'failure',
  });
  for (const none of ['0x0', '', 'Audit Success', '0x8000000000000000'])
    assert.deepEqual(readKeywords(none), { names: [], outcome: undefined });
});

test('fileName() and folderOf() take any path apart', () => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['C:\\a\\b.exe', 'b.exe', 'C:\\a'],
    ['C:\\b.exe', 'b.exe', 'C:'],
    ['Registry', 'Registry', undefined],
    ['\\Device\\Mup\\s\\x.exe', 'x.exe', '\\Device\\Mup\\s'],
    ['\\x', 'x', undefined],
    ['', '', undefined],
  ];
  for (const [path, name, folder] of cases)
    assert.deepEqual([fileName(path), folderOf(path)], [name, folder], path);
  assert.equal(
    fold('C:\\USERS\\Й'),
    fold('c:\\users\\и\u0306'),
    'composed and decomposed are one name',
  );
});

test('an account is the system by SID, by logon session or by name, in any language', () => {
  for (const sid of [
    'S-1-5-18',
    'S-1-5-19',
    'S-1-5-20',
    'S-1-5-80-1-2',
    'S-1-5-82-1',
    'S-1-5-83-1',
    'S-1-5-90-0-1',
    'S-1-5-96-0-1',
  ])
    assert.ok(isSystemAccount({ id: sid, name: 'СИСТЕМА', logonId: '' }), sid);
  for (const logonId of ['0x3e7', '0x3e4', '0x3E5'])
    assert.ok(isSystemAccount({ name: 'СЕТЕВАЯ СЛУЖБА', logonId }), logonId);
  for (const name of ['PC-1$', 'dwm-2', 'UMFD-0'])
    assert.ok(isSystemAccount({ name, logonId: '0x99' }), name);
  assert.ok(isSystemAccount({ logonId: '' }), 'nobody at all');
  for (const name of ['Администратор', 'DWM-person', 'a$b', 'umfd'])
    assert.ok(!isSystemAccount({ id: 'S-1-5-21-1-2-3-500', name, logonId: '0x5a1c3' }), name);
  assert.ok(!isSystemAccount({ id: 'S-1-5-180', name: 'x', logonId: '0x3e70' }));
});

test('actorOf() decides by the name of the Target, never by its SID', () => {
  const subject = {
    SubjectUserSid: 'S-1-5-18',
    SubjectUserName: 'PC$',
    SubjectDomainName: 'D',
    SubjectLogonId: '0x3e7',
  };
  assert.equal(
    actorOf({ ...subject, TargetUserSid: 'S-1-5-21-1', TargetUserName: '-' }).name,
    'PC$',
  );
  assert.equal(actorOf({ ...subject, TargetUserSid: 'S-1-0-0', TargetUserName: 'Ян' }).name, 'Ян');
  assert.deepEqual(actorOf({ TargetUserName: 'Ян', TargetLogonId: '0x9' }), {
    name: 'Ян',
    logonId: '0x9',
  });
  assert.deepEqual(actorOf({}), { logonId: '' });
});

const NO_TRAITS = {
  executable: 'C:\\a\\b.exe',
  parentExecutable: '',
  commandLine: 'b',
  tokenElevationType: '%%1936',
  cleaned: false,
  truncated: false,
};
const PS = 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\PowerShell.exe';

/** The same with its paths taken apart. */
const withPaths = <Start extends { executable: string; parentExecutable: string }>(
  start: Start,
) => ({
  ...start,
  executable: programPath(start.executable),
  parentExecutable: programPath(start.parentExecutable),
});
const flagsWith = (input: Partial<typeof NO_TRAITS>): string[] =>
  flagsOf(withPaths({ ...NO_TRAITS, ...input }) satisfies FlagInput);

test('flagsOf() names what was seen', () => {
  const cases: readonly (readonly [Partial<typeof NO_TRAITS>, readonly string[]])[] = [
    [{}, []],
    [{ tokenElevationType: 'TokenElevationTypeFull (2)' }, ['elevated']],
    [{ tokenElevationType: '%%1938' }, []],
    [{ commandLine: '' }, ['no_command_line']],
    [{ executable: 'c:\\windows\\MSHTA.EXE', commandLine: 'mshta' }, ['script_host', 'lolbin']],
    [{ executable: 'C:\\Windows\\Temp\\x.exe' }, ['user_writable_path']],
    [{ executable: 'D:\\Temporary\\x.exe' }, []],
    [{ executable: 'D:\\x\\счёт.docx   .exe' }, ['double_extension']],
    [{ executable: 'D:\\x\\setup.1.2.exe' }, []],
    [{ executable: 'D:\\x\\AnyDesk.exe' }, ['remote_tool']],
    [{ commandLine: 'x'.repeat(1001) }, ['long_cmdline']],
    [{ parentExecutable: 'C:\\Office16\\excel.EXE' }, ['office_child']],
    [{ cleaned: true, truncated: true }, ['truncated', 'control_characters']],
  ];
  for (const [input, flags] of cases)
    assert.deepEqual(flagsWith(input), flags, JSON.stringify(input).slice(0, 100));
});

test('an encoded command is found in every form that PowerShell takes, and in no other option', () => {
  const flagged = (commandLine: string): boolean =>
    flagsWith({ executable: PS, commandLine }).includes('encoded_powershell');
  for (const option of [
    '-e',
    '-ec',
    '-en',
    '-enc',
    '/Enc',
    '-EncodedCommand',
    '"-enc"',
    '\u2013enc',
  ])
    assert.ok(flagged(`powershell ${option} QQA=`), option);
  for (const option of [
    '-ep bypass',
    '-ExecutionPolicy Bypass',
    '-Encoding utf8',
    '-encrypt x',
    'enc',
  ])
    assert.ok(!flagged(`powershell ${option}`), option);
  assert.ok(!flagsWith({ commandLine: 'b -enc x' }).includes('encoded_powershell'));
});

test('cutToJsonBytes() gives the longest beginning that fits, of any text', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 300 }), (one, bytesMax) => {
      const cut = cutToJsonBytes(one, bytesMax);
      assert.ok(one.startsWith(cut));
      assert.ok(jsonBytes(cut) - 2 <= bytesMax);
      const next = String.fromCodePoint(one.codePointAt(cut.length) ?? 0);
      if (cut.length < one.length) assert.ok(jsonBytes(cut + next) - 2 > bytesMax);
    }),
  );
});

test('cleanXml() leaves what XML allows as it is, and gives what a parser takes', () => {
  const wrap = (one: string): string =>
    `<Event><EventData><Data Name='a'>${one.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</Data></EventData></Event>`;
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii' }), (one) => {
      assert.deepEqual(cleanXml(one), { xml: one, removed: 0 });
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (one) => {
      assert.equal(parseEvent(wrap(one)).outcome, 'done');
    }),
  );
  assert.deepEqual(cleanXml('&#9;&#x41;&#xFFFE;&#55296;&#x110000;\u{1f600}\ufffe'), {
    xml: '&#9;&#x41;\u{1f600}',
    removed: 4,
  });
});

test('a helper process is told without a command line, by its parent or its sandbox', () => {
  const config: MapConfig = mapConfigSchema.parse({});
  const recogniseImage = createRecogniser(config.programs);
  const recognise = (one: typeof start) => recogniseImage(withPaths(one));
  const chrome = 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe';
  const start = {
    executable: chrome,
    parentExecutable: '',
    commandLine: '',
    mandatoryLabel: 'S-1-16-8192',
  };
  assert.deepEqual(recognise(start), { program: 'Google Chrome', helper: false });
  assert.ok(recognise({ ...start, parentExecutable: chrome.toLowerCase() }).helper);
  assert.ok(recognise({ ...start, mandatoryLabel: 'S-1-16-0' }).helper);
  assert.ok(recognise({ ...start, commandLine: 'chrome "--Type=gpu-process"' }).helper);
  assert.ok(!recognise({ ...start, commandLine: 'chrome http://x/?q=--type=' }).helper);
  assert.ok(
    !recognise({ ...start, commandLine: '--type=x' }).helper,
    'the first argument is the program',
  );
  const edge = { ...start, executable: 'C:\\Edge\\msedge.exe', commandLine: 'e --type=renderer' };
  assert.deepEqual(recognise(edge), { program: undefined, helper: false });
  assert.deepEqual(recognise({ ...edge, parentExecutable: edge.executable }), {
    program: undefined,
    helper: true,
  });
});
