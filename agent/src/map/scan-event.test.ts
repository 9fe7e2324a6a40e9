/**
 * Goal: the scanner of the one shape gives what the XML parser gives, to the last character, or nothing. Method: hold both against
 * each other on every fixture, on the corpus, and on events that chance has bent.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { corpusFolder } from '../../../tests/support/corpus.ts';
import { parseAnyEvent } from './parse-event.ts';
import { scanEvent } from './scan-event.ts';
import type { EventData } from './windows-event.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FIXTURES = join(ROOT, 'ecs-schemas/fixtures');
const OFFICE = join(FIXTURES, 'demo-office.xml.ndlines');

const linesOf = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');

/** Plain objects, whatever their prototype. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, part) => (key === 'data' ? valuesOf(part) : part)));
/** In their order; a value that is '' is as good as absent. */
const valuesOf = (data: EventData) => Object.entries(data).filter(([, value]) => value !== '');

/** Compares both; true when the scanner took the event. */
function isSame(xml: string): boolean {
  const scanned = scanEvent(xml);
  if (scanned === undefined) return false;
  assert.deepEqual(plain({ outcome: 'done', event: scanned }), plain(parseAnyEvent(xml)));
  return true;
}

test('scanEvent() takes every event of the office and gives what the parser gives', () => {
  assert.ok(linesOf(OFFICE).every(isSame));
});

test('scanEvent() gives what the parser gives for each fixture, or nothing', () => {
  const files = globSync(join(FIXTURES, '*.xml'));
  const taken = files.filter((file) => isSame(readFileSync(file, 'utf8').trim()));
  assert.ok(files.length > 10);
  assert.ok(taken.length > 0);
});

test('scanEvent() takes every real event of the corpus and gives what the parser gives', (t) => {
  const file = join(corpusFolder(), '4688.xml.ndlines');
  if (!existsSync(file)) return t.skip('no corpus: set LAUNCHBEAT_CORPUS');
  assert.ok(linesOf(file).every(isSame));
});

/** What may stand anywhere in an event, and breaks a reader that is not careful. */
const SPLINTER = fc.oneof(
  fc.constantFrom(
    '&amp;',
    '&lt;',
    '&quot;',
    '&apos;',
    '&gt;',
    '&amp;lt;',
    '&#38;',
    '&x;',
    '&',
    '&amp',
  ),
  fc.constantFrom('<', '>', "'", '"', ']]>', '<!--', '-->', '<![CDATA[', '\r\n', '\n', '\t', ' '),
  fc.constantFrom('</Data>', "<Data Name='x'>", "<Data Name='x'/>", '<Data>', '</EventData>', '\0'),
  fc.constantFrom("<Data Name='Data'>y</Data>", '\ud800', '\ufffe', 'ё', '😀', '/>', '='),
  fc.string({ maxLength: 5 }),
);

test('scanEvent() gives what the parser gives for events that chance has bent, or nothing', () => {
  const events = linesOf(OFFICE);
  const bent = fc.record({
    event: fc.nat(events.length - 1),
    at: fc.array(fc.tuple(fc.nat(9_999), fc.nat(2), SPLINTER), {
      minLength: 1,
      maxLength: 3,
    }),
  });
  let taken = 0;
  fc.assert(
    fc.property(bent, ({ event, at }) => {
      let xml = events[event] ?? '';
      for (const [share, cut, splinter] of at) {
        const place = Math.floor((share / 10_000) * xml.length);
        xml = `${xml.slice(0, place)}${splinter}${xml.slice(place + cut)}`;
      }
      if (isSame(xml)) taken += 1;
    }),
    { numRuns: 5_000 },
  );
  assert.ok(taken > 100, `only ${taken} were taken`);
});
