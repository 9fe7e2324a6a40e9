/**
 * Goal: no secret of a command line is left, and nothing else is changed.
 * Method: secrets planted in all the ways that people write them; lines that look like it and hold none; properties over any text
 * and over texts made to be slow; recorded events.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { corpusFolder } from '../../../../tests/support/corpus.ts';
import { plantedSecrets } from '../../../../tests/support/planted-secrets.ts';
import { parseEvent } from '../parse-event.ts';
import { createRedactor, type Redacted } from './create-redactor.ts';
import { redactEvent } from './redact-event.ts';
import { redactXml } from './redact-xml.ts';
import { redactionConfigSchema } from './redaction-config.ts';
import { mergeSpans, type SecretSpan } from './secret-span.ts';

const KEY = Buffer.alloc(32, 7);
const redactorOf = (config: unknown = {}, key: Uint8Array = KEY) =>
  createRedactor({ config: redactionConfigSchema.parse(config), key });
const redactor = redactorOf();

const MARK = /‹redacted:([a-z0-9_]+):([0-9a-f]{8})›/g;
const marks = (text: string): string[] => [...text.matchAll(MARK)].map((match) => match[2] ?? '');

function assertGone(redacted: Redacted, secrets: readonly string[], about: string): void {
  for (const secret of secrets) {
    assert.ok(!redacted.text.includes(secret), `${about} => ${redacted.text}`);
    assert.ok(!(redacted.decoded ?? '').includes(secret), `${about} => ${redacted.decoded}`);
  }
}

test('every planted secret is replaced by a mark, with and without knowing the program', () => {
  const planted = plantedSecrets();
  assert.ok(planted.length >= 60, `${planted.length} planted`);
  for (const { commandLine, image, secrets } of planted) {
    for (const redacted of [redactor.redact(commandLine, image), redactor.redact(commandLine)]) {
      assertGone(redacted, secrets, commandLine);
      assert.ok(redacted.count >= 1, commandLine);
      assert.equal(marks(redacted.text).length > 0, true, commandLine);
      assert.ok(!redacted.text.includes(' two'), `half of it is left: ${redacted.text}`);
    }
  }
});

test('what stands around a secret stays as it is', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['net use Z: \\\\s\\p P@ss1 /user:a', 'net use Z: \\\\s\\p # /user:a'],
    ['app "--password=a b" -v', 'app "--password=#" -v'],
    ['app --password "a b" -v', 'app --password "#" -v'],
    ['git clone https://u:p4ss@h.example/r.git', 'git clone https://u:#@h.example/r.git'],
    ['mysql -uroot -psecret1 -h db', 'mysql -uroot -p# -h db'],
    ['x "Server=a;Pwd=b c;Timeout=5"', 'x "Server=a;Pwd=#;Timeout=5"'],
    ['curl "https://h/x?token=abc123&page=2"', 'curl "https://h/x?token=#&page=2"'],
    ['curl -u "bob:pw" https://h/', 'curl -u "bob:#" https://h/'],
    ["sqlcmd -U sa -P 'x y' -d db", "sqlcmd -U sa -P '#' -d db"],
    ['sqlplus scott/tiger@orcl', 'sqlplus scott/#@orcl'],
    ['net user bob <W1nter> /add', 'net user bob # /add'],
    ['net user bob -Winter /add', 'net user bob # /add'],
    ['wmiexec.py office/adm:pw@pc7 whoami', 'wmiexec.py office/adm:#@pc7 whoami'],
    ['cmd /c n^et us^er bob s^ecret /add', 'cmd /c n^et us^er bob # /add'],
    ['app —password “a b” –v', 'app —password “#” –v'],
    ['msiexec /i a.msi KEY="pc7:x" /qn', 'msiexec /i a.msi KEY="#" /qn'],
  ];
  for (const [given, wanted] of cases) {
    assert.equal(redactor.redact(given).text.replace(MARK, '#'), wanted);
  }
});

test('lines that only look like it are not changed', () => {
  const benign = [
    'C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s Schedule',
    'C:\\Windows\\system32\\WerFault.exe -u -p 5728 -s 112',
    'rundll32.exe C:\\Temp\\a.dll,a /p:qfhaer',
    '"C:\\Program Files\\MSBuild\\msbuild.exe" a.sln /p:Configuration=Release /p:Platform=x64 /u:x',
    'chrome.exe --type=renderer --password-store=basic --service-request-channel-token=1234567',
    'docker run -p 8080:80 -u 1000 nginx',
    'ssh -p 2222 admin@host',
    'net user /domain',
    'net user ivanov /domain',
    'net user ivanov * /add',
    'net use Z: \\\\srv\\share /persistent:yes',
    'net use',
    'net accounts /minpwlen:8 /uniquepw:5 /maxpwage:90',
    'app --password %PASSWORD% --user x',
    'app --password --user x',
    'app --use-password=true',
    'powershell -Command "$p = Read-Host; Connect -Password $p"',
    'powershell -Command "$password = Get-Secret db; $token = $env:TOKEN"',
    'powershell -ExecutionPolicy Bypass -File a.ps1',
    'regsvr32 /s x.dll Assembly, Version=1.0.0.0, PublicKeyToken=b77a5c561934e089',
    'for /f "tokens=1,2 delims= " %a in (x) do echo %a',
    'curl -u bob https://host:8443/path@foo',
    'bash -c "PWD=/home/me make"',
    'find "password" C:\\docs\\readme.txt',
    'notepad.exe C:\\docs\\passwords.txt',
    'taskkill /pid 4120 /f',
    'shutdown /p /f',
    'tool basic configuration bearer of news',
    'cmd /c dir C:\\Token C:\\Secret',
    '7z x a.7z -oD:\\out -y',
    'reg add HKLM\\SOFTWARE\\X /v PasswordExpiryWarning /t REG_DWORD /d 5',
    'schtasks /query /tn Backup',
    'msedge.exe --field-trial-handle=1452,6501023075439887469,13535944497437253701,131072 --lang=en-US',
    'git log --author=token',
    'git show HEAD^^ a^..b',
    'net user bob <пароль> /add',
    'app --token <your-token>',
    'cmd /c echo a ^& b ^| findstr "^a"',
    'curl -sku me https://x.example',
    'curl -b cookies.txt -E C:\\certs\\client.pem https://x.example',
    'net use Z: https://dav.example/docs /persistent:yes',
    'ffmpeg -i in.mp4 -pass 1 out.mp4',
    'winword.exe "D:\\Пароли — „общие“.docx"',
    'powershell –File C:\\отчёт.ps1 –Date 2024-01-01',
    'powershell -c "[Convert]::FromBase64String($x)"',
    'msiexec /i a.msi KEYFILE=\\\\srv\\k\\pc.key /qn',
    'vault login -method=ldap username=ivanov',
    'rclone copy D:\\secret remote:backup',
    'docker run nginx:1.25@sha256:0123456789abcdef',
    'npm config set registry https://registry.example/',
    'certmgr -list -store uMy',
    '1cv8.exe ENTERPRISE /S"srv1c\\acc" /N"Бухгалтер" /Proxy -PSrv proxy -PPort 3128',
  ];
  for (const line of benign) {
    assert.deepEqual(redactor.redact(line), { text: line, count: 0 });
  }
});

test('equal secrets have equal marks whatever they stand in, other secrets and other keys have others', () => {
  const first = marks(redactor.redact('app --password Winter2026!').text);
  assert.equal(first.length, 1);
  assert.deepEqual(marks(redactor.redact('net use x: \\\\a\\b "Winter2026!"').text), first);
  assert.deepEqual(marks(redactor.redact('git clone https://u:Winter2026!@h/r').text), first);
  assert.notDeepEqual(marks(redactor.redact('app --password Winter2027!').text), first);
  const other = redactorOf({}, Buffer.alloc(32, 8));
  assert.notDeepEqual(marks(other.redact('app --password Winter2026!').text), first);
});

test('a script of -EncodedCommand is decoded and shown without its secrets; the base64 goes only where it hid one', () => {
  const encode = (text: string): string => Buffer.from(text, 'utf16le').toString('base64');
  const harmless = encode('Get-Process | Sort-Object CPU');
  for (const option of ['-EncodedCommand', '-enc', '/e', '-eC', '–En']) {
    assert.deepEqual(redactor.redact(`powershell ${option} ${harmless}`), {
      text: `powershell ${option} ${harmless}`,
      count: 0,
      decoded: 'Get-Process | Sort-Object CPU',
    });
  }
  const guilty = redactor.redact(
    `x.exe -enc ${encode("$p = 'a'; net use x: \\\\s\\d Zx81kk; app --token Zx82kk")}`,
  );
  assert.equal(guilty.count, 2);
  assert.match(guilty.text, /^x\.exe -enc ‹redacted:encoded_command:[0-9a-f]{8}›$/);
  assert.doesNotMatch(guilty.decoded ?? '', /Zx8/);
  assert.equal(marks(guilty.decoded ?? '').length, 2);
  // What is no text is left alone.
  assert.equal(redactor.redact('gpg -e AAECAwQFBgcICQoLDA0ODw==').decoded, undefined);
  const deep = [1, 2, 3, 4, 5].reduce(
    (script) => `powershell -enc ${encode(script)}`,
    'net use x: \\\\s\\d Zx83kk',
  );
  const redacted = redactor.redact(deep);
  assertGone(redacted, ['Zx83kk', encode('net use x: \\\\s\\d Zx83kk')], 'nested');
});

test('a decoded script is cut at 16 KiB', () => {
  const script = 'я'.repeat(20_000);
  const { decoded } = redactor.redact(
    `powershell -e ${Buffer.from(script, 'utf16le').toString('base64')}`,
  );
  assert.equal(decoded, 'я'.repeat(8192));
});

test('own rules are added; their first group is the secret, else all that they match', () => {
  const own = redactorOf({
    rules: [
      { kind: 'contract', pattern: '(?i)contract-([0-9]{6})' },
      { kind: 'badge', pattern: 'B[0-9]{8}' },
    ],
  });
  const { text, count } = own.redact('scan Contract-123456 B12345678 --password x1y2z3');
  assert.equal(count, 3);
  assert.match(
    text,
    /^scan Contract-‹redacted:contract:[0-9a-f]{8}› ‹redacted:badge:[0-9a-f]{8}› --password ‹redacted:password:[0-9a-f]{8}›$/,
  );
});

test('own rules that are wrong are refused with what is wrong', () => {
  const issue = (rule: object): string =>
    redactionConfigSchema.safeParse({ rules: [rule] }).error?.issues[0]?.message ?? '';
  assert.match(issue({ kind: 'x', pattern: '(a' }), /missing closing \)/);
  assert.match(issue({ kind: 'x', pattern: '(?=a)b' }), /RE2 syntax/);
  assert.match(issue({ kind: 'x', pattern: 'a*' }), /empty text/);
  assert.match(issue({ kind: 'x', pattern: 'a'.repeat(5000) }), /longer than/);
  assert.match(issue({ kind: 'Contract No', pattern: 'a' }), /lower-case/);
});

test('switched off, nothing is redacted', () => {
  const off = redactorOf({ enabled: false });
  assert.deepEqual(off.redact('app --password x1y2z3'), {
    text: 'app --password x1y2z3',
    count: 0,
  });
});

test('what is redacted already is not redacted again', () => {
  for (const { commandLine, image } of plantedSecrets(50)) {
    const once = redactor.redact(commandLine, image).text;
    assert.deepEqual(marks(redactor.redact(once, image).text), marks(once), once);
  }
});

test('only spans change: the rest of any text comes back as it was, and well formed', () => {
  const piece = fc.constantFrom(
    'password',
    '=',
    ':',
    ' ',
    '"',
    "'",
    '\\"',
    '--',
    '-p',
    '/',
    'net use ',
    '\\\\a\\b',
    'mysql',
    ';',
    '&',
    'token',
    '://u:',
    '@',
    'Bearer ',
    'Authorization: ',
    'eyJaaaaaaaa.bbbbbbbb.c',
    '-enc ',
    'SQBFAFgA',
    'я',
    '😀',
    '\ud83d',
    '\n',
    'x1',
    '-----BEGIN PRIVATE KEY-----',
    '‹redacted:password:12345678›',
    '‹redacted:',
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 30 }),
      (pieces) => {
        const text = pieces.join('');
        const { text: redacted, count } = redactor.redact(text);
        if (count === 0) assert.equal(redacted, text);
        // Between the marks stand parts of the text, in order.
        let at = 0;
        for (const part of redacted.split(/‹redacted:[a-z_0-9]+:[0-9a-f]{8}›/)) {
          const found = text.indexOf(part, at);
          assert.ok(found >= at, `${JSON.stringify(part)} of ${JSON.stringify(text)}`);
          at = found + part.length;
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('texts that were made to be slow are redacted all the same, 64 KiB of them', () => {
  const pieces = [
    'password',
    'password ',
    'password=',
    '--password -',
    'pwd=/',
    'x;pwd=a;',
    'password="',
    "password='",
    'password=${',
    'net use \\\\a\\b ',
    'reg add /v /d ',
    'mysql -p',
    '-u a -p b ',
    '://a:',
    '://a:b@',
    '?sig=',
    'authorization: ',
    'basic ',
    'cookie=',
    'eyJ',
    'eyJaaaaaaaa.',
    '1234567:',
    '123456-',
    '-----BEGIN PRIVATE KEY-----',
    '-enc ',
    'echo a | --set-password',
    "networkcredential('a',",
    'ConvertTo-SecureString ',
    ' ',
    '"',
    "'",
    '\\"',
    '<',
    '<a',
    '&#x41;',
    'a',
    '‹redacted:',
    ';',
    '\n',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 3 }), (some) => {
      const unit = some.join('');
      const text = unit.repeat(Math.ceil(65_536 / unit.length)).slice(0, 65_536);
      assert.ok(redactor.redact(text, 'C:\\mysql.exe').text.length > 0);
      assert.ok(redactXml(redactor, text).text.length > 0);
    }),
    { numRuns: 40 },
  );
});

test('an event is redacted in its message and in data that other readers add, too', () => {
  const xml =
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System/><EventData>" +
    "<Data Name='NewProcessName'>C:\\Windows\\System32\\net.exe</Data>" +
    "<Data Name='CommandLine'>net user bob Zx91kk /add</Data>" +
    "<Data Name='ParentCommandLine'>cmd /c &quot;net user bob Zx91kk /add&quot;</Data></EventData>" +
    '<RenderingInfo><Message>Command Line: net user bob Zx91kk /add\n--token Zx92kk</Message></RenderingInfo></Event>';
  const parsed = parseEvent(xml);
  assert.ok(parsed.outcome === 'done');
  const { event, count } = redactEvent(redactor, parsed.event);
  assert.doesNotMatch(JSON.stringify([event.data, event.message]), /Zx9/);
  assert.equal(count, 3);
  assert.match(
    event.message,
    /Command Line: net user bob ‹redacted:password:[0-9a-f]{8}› \/add\n--token ‹/,
  );
  assert.doesNotMatch(redactXml(redactor, xml).text, /Zx9/);
  // Torn at any place behind the first secret, none of the text shows one.
  for (let end = xml.indexOf('Zx91kk') + 6; end < xml.length; end += 7) {
    assert.doesNotMatch(redactXml(redactor, xml.slice(0, end)).text, /Zx9\dkk/);
  }
});

test('XML without a secret is kept to the letter', () => {
  const xml =
    "<Event a='1'>&lt;x&gt; &#65; &amp; &quot;<Data Name='CommandLine'>a &amp; b</Data> ]]> < broken";
  assert.deepEqual(redactXml(redactor, xml), { text: xml, count: 0 });
});

test('of recorded events only those with a secret change', (t) => {
  const file = join(corpusFolder(), '4688.xml.ndlines');
  if (!existsSync(file))
    return t.skip(`${file} is not there; set LAUNCHBEAT_CORPUS to test with real events`);
  const changed: string[] = [];
  for (const xml of readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')) {
    const parsed = parseEvent(xml);
    assert.ok(parsed.outcome === 'done');
    const { event, count } = redactEvent(redactor, parsed.event);
    if (count > 0) changed.push((event.data['CommandLine'] ?? '').replace(MARK, '#'));
    else assert.equal(event, parsed.event);
    if (count === 0) assert.equal(redactXml(redactor, xml).text, xml);
  }
  assert.deepEqual(changed.sort(), [
    '"C:\\users\\sbeavers\\Desktop\\Rubeus.exe" asktgt /user:pgustavo /rc4:# /createnetonly:C:\\Windows\\System32\\cmd.exe',
    '"C:\\windows\\System32\\Wbem\\WMIC.exe" /node:WORKSTATION6 process call create "net user /add backdoor #"',
    'C:\\windows\\system32\\net1 user /add backdoor #',
    'net user /add backdoor #',
  ]);
});

test('mergeSpans() leaves no character of any span uncovered, and none twice', () => {
  const span = fc
    .tuple(fc.nat(40), fc.integer({ min: 1, max: 12 }), fc.constantFrom<string>('a', 'b'))
    .map(([start, length, kind]) => ({ start, end: start + length, kind }));
  fc.assert(
    fc.property(fc.array(span, { maxLength: 8 }), (spans) => {
      const text = 'x'.repeat(60);
      const covered = (all: readonly SecretSpan[]): string =>
        Array.from(text, (_, at) => at)
          .map((at) => all.some((one) => one.start <= at && at < one.end))
          .join();
      const merged = mergeSpans(spans, text);
      assert.equal(covered(merged), covered(spans));
      for (const [index, one] of merged.entries())
        assert.ok(one.start >= (merged[index - 1]?.end ?? 0));
    }),
  );
});
