/**
 * Goal: conditions mean what they mean in Beats, and a mistake in one is named with its place.
 * Method: tables of condition, document and answer, worked out by hand from Elastic's page; properties against simple code that
 * means the same.
 */
import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileCondition } from './compile-condition.ts';
import { conditionSchema } from './condition-schema.ts';
import { linearPattern } from './linear-pattern.ts';
import { parseAddress, parseNetwork } from './network-range.ts';

const fits = (condition: unknown, document: object): boolean =>
  compileCondition(conditionSchema.parse(condition))(document);

const DOCUMENT = {
  'log.level': 'information',
  event: { code: '4688', sequence: 42 },
  process: { name: 'chrome.exe', pid: 8000, args: ['chrome.exe', '--incognito'], args_count: 2 },
  source: { ip: ['10.1.2.3', 'fe80::1'] },
  launchbeat: { launch: true },
  empty: null,
};

test('each condition gives the answer that Elastic documents', () => {
  const cases: readonly (readonly [unknown, boolean])[] = [
    [{ equals: { 'process.name': 'chrome.exe' } }, true],
    [{ equals: { process: { name: 'chrome.exe' } } }, true],
    [{ equals: { process: { name: 'Chrome.exe' } } }, false],
    [{ equals: { process: { pid: 8000 }, launchbeat: { launch: true } } }, true],
    [{ equals: { process: { pid: 8000 }, launchbeat: { launch: false } } }, false],
    // A text of a number, as event codes are.
    [{ equals: { event: { code: 4688 } } }, true],
    [{ equals: { 'log.level': 'information' } }, true],
    [{ equals: { log: { level: 'information' } } }, true],
    [{ equals: { process: { args: '--incognito' } } }, true],
    [{ equals: { nothing: { here: 'x' } } }, false],
    [{ contains: { process: { name: 'rom' } } }, true],
    [{ contains: { process: { args: 'incog' } } }, true],
    [{ contains: { process: { pid: '80' } } }, false],
    [{ regexp: { process: { name: '^chr.*exe$' } } }, true],
    [{ regexp: { process: { name: '(?i)CHROME' } } }, true],
    [{ regexp: { process: { name: 'CHROME' } } }, false],
    [{ range: { process: { args_count: { gte: 2, lt: 3 } } } }, true],
    [{ range: { process: { args_count: { gt: 2 } } } }, false],
    [{ range: { event: { code: { gte: 4000 } } } }, true],
    [{ range: { process: { name: { gte: 0 } } } }, false],
    [{ network: { source: { ip: 'private' } } }, true],
    [{ network: { source: { ip: ['loopback', '10.1.0.0/16'] } } }, true],
    [{ network: { source: { ip: '192.168.0.0/16' } } }, false],
    [{ network: { process: { name: 'private' } } }, false],
    [{ has_fields: ['process.name', 'event.code'] }, true],
    [{ has_fields: ['process.name', 'event.nothing'] }, false],
    [{ has_fields: ['toString'] }, false],
    [{ and: [{ equals: { process: { pid: 8000 } } }, { has_fields: ['event'] }] }, true],
    [{ or: [{ equals: { process: { pid: 1 } } }, { has_fields: ['event'] }] }, true],
    [{ or: [{ equals: { process: { pid: 1 } } }, { has_fields: ['no'] }] }, false],
    [{ not: { equals: { process: { pid: 1 } } } }, true],
    // Dotted shorthand, as configs give it.
    [{ not: { or: [{ equals: { event: { code: 4688 } } }] } }, false],
  ];
  for (const [condition, wanted] of cases) {
    assert.equal(fits(condition, DOCUMENT), wanted, JSON.stringify(condition));
  }
});

test('a mistake is named with its place and its mend', () => {
  const cases: readonly (readonly [unknown, string, RegExp])[] = [
    [undefined, '', /Expected a condition\. Expected one of equals, contains/],
    [{ equal: { a: 1 } }, 'equal', /"equal" is no condition/],
    [{ equals: 'x' }, 'equals', /Expected a field and what to compare/],
    [{ equals: { a: { b: [1, 2] } } }, 'equals.a.b', /For several values use "or"/],
    [{ regexp: { a: '(' } }, 'regexp.a', /missing closing \).*RE2 syntax/],
    [{ regexp: { a: '(?<=x)y' } }, 'regexp.a', /RE2 syntax/],
    [{ range: { a: { gte: 'many' } } }, 'range.a.gte', /Expected a number/],
    [{ range: { a: { gte: 1, up_to: 2 } } }, 'range.a.up_to', /Expected lt, lte, gt or gte/],
    [{ range: { a: 5 } }, 'range.a', /Expected limits/],
    [{ network: { a: '10.0.0.0/33' } }, 'network.a', /"10\.0\.0\.0\/33" is no network/],
    [{ network: { a: ['privat'] } }, 'network.a', /loopback, unicast/],
    [{ has_fields: [] }, 'has_fields', /Expected a list of field names/],
    [{ and: { equals: { a: 1 } } }, 'and', /Expected a list of conditions/],
    [{ or: [{ not: { equal: { a: 1 } } }] }, 'or.0.not.equal', /no condition/],
  ];
  for (const [condition, path, message] of cases) {
    const issue = conditionSchema.safeParse(condition).error?.issues[0];
    assert.equal(issue?.path.join('.'), path, JSON.stringify(condition));
    assert.match(issue?.message ?? '', message);
  }
});

test('conditions nested without end are refused, not followed', () => {
  let condition: object = { has_fields: ['a'] };
  for (let depth = 0; depth < 200; depth += 1) condition = { not: condition };
  assert.match(conditionSchema.safeParse(condition).error?.issues[0]?.message ?? '', /too deep/);
});

test('addresses and networks are those of their standards', () => {
  const inside: readonly (readonly [string, string])[] = [
    ['127.9.9.9', 'loopback'],
    ['::1', 'loopback'],
    ['8.8.8.8', 'public'],
    ['2001:4860:4860::8888', 'public'],
    ['172.31.255.255', 'private'],
    ['fd00::1', 'private'],
    ['10.0.0.1', 'unicast'],
    ['224.0.0.251', 'link_local_multicast'],
    ['ff02::fb', 'link_local_multicast'],
    ['ff01::1', 'interface_local_multicast'],
    ['ff0e::1', 'multicast'],
    ['169.254.1.1', 'link_local_unicast'],
    ['fe80::1%eth0', 'link_local_unicast'],
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['::ffff:10.0.0.1', '10.0.0.0/8'],
    ['2001:db8:0:1::', '2001:db8::/32'],
    ['1.2.3.4', '0.0.0.0/0'],
  ];
  const outside: readonly (readonly [string, string])[] = [
    ['172.32.0.0', 'private'],
    ['10.0.0.1', 'public'],
    ['127.0.0.1', 'unicast'],
    ['255.255.255.255', 'unicast'],
    ['10.0.0.1', '10.0.0.2/31'],
    ['::1', '0.0.0.0/0'],
  ];
  const holds = ([text, network]: readonly [string, string]): boolean => {
    const address = parseAddress(text);
    return address !== undefined && parseNetwork(network)?.(address) === true;
  };
  assert.deepEqual(
    inside.filter((one) => !holds(one)),
    [],
  );
  assert.deepEqual(outside.filter(holds), []);
});

test('parseAddress() takes the texts that Node.js takes for addresses, and no others', () => {
  const part = fc.oneof(
    fc.constantFrom(':', '::', '.', '0', '00', '256', 'ffff', '10.0.0.1', 'g', '1'),
    fc.ipV4(),
    fc.ipV6(),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const text = parts.join('');
      assert.equal(parseAddress(text) !== undefined, isIPv4(text) || isIPv6(text), text);
    }),
    { numRuns: 3000 },
  );
});

test('linearPattern() finds what a regular expression finds, its first group where it has one', () => {
  const compiled = linearPattern('b(c+)|d');
  assert.ok(compiled.outcome === 'done');
  assert.deepEqual(compiled.pattern.ranges('abccd'), [
    { start: 2, end: 4 },
    { start: 4, end: 5 },
  ]);
  const patterns = ['a+b?', '(?:ab)*c', '[^a]{2,3}', 'a|bc|c.'];
  fc.assert(
    fc.property(
      fc.constantFrom(...patterns),
      fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'я', '😀'), maxLength: 20 }),
      (source, text) => {
        const linear = linearPattern(source);
        assert.ok(linear.outcome === 'done');
        const native = [...text.matchAll(new RegExp(source, 'gu'))]
          .filter((match) => match[0] !== '')
          .map((match) => ({ start: match.index, end: match.index + match[0].length }));
        assert.deepEqual(linear.pattern.ranges(text), native);
        assert.equal(linear.pattern.test(text), new RegExp(source, 'u').test(text));
      },
    ),
    { numRuns: 1000 },
  );
});

test('linearPattern() takes a rest with very many matches as one, and ends soon on what slows others down', () => {
  const many = linearPattern('a');
  assert.ok(many.outcome === 'done');
  const ranges = many.pattern.ranges('a'.repeat(1000));
  assert.deepEqual(ranges.at(-1), { start: 256, end: 1000 });
  const slow = linearPattern('(a+)+$');
  assert.ok(slow.outcome === 'done');
  assert.equal(slow.pattern.test(`${'a'.repeat(65_536)}!`), false);
});

test('linearPattern() refuses what would be too large', () => {
  for (const source of ['(a{1,1000}){1,1000}', '((a{100}){10}){10}', `${'a'.repeat(4097)}`]) {
    assert.equal(linearPattern(source).outcome, 'refused', source.slice(0, 30));
  }
});
