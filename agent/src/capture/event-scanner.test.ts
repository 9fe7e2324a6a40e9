/**
 * Goal: events are found whatever stands around them, and what is no event is reported and skipped.
 * Method: texts in one piece and cut at every place; the two must agree.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLineSplitter } from './bounded-lines.ts';
import { EVENT_UNITS_MAX, type SourceFact } from './captured-event.ts';
import { createEventScanner } from './event-scanner.ts';

const EVENT = "<Event xmlns='x'><System/><EventData><Data Name='a'>1</Data></EventData></Event>";
const OTHER = '<Event>\n  <System/>\n</Event>';

interface Found {
  readonly events: string[];
  readonly facts: SourceFact[];
}

function scan(text: string, pieceUnits = text.length || 1): Found {
  const scanner = createEventScanner('file');
  const found: Found = { events: [], facts: [] };
  for (let at = 0; at < text.length; at += pieceUnits) {
    const piece = scanner.push(text.slice(at, at + pieceUnits));
    found.events.push(...piece.events);
    found.facts.push(...piece.facts);
  }
  const rest = scanner.end();
  return { events: [...found.events, ...rest.events], facts: [...found.facts, ...rest.facts] };
}

const told = (found: Found): string[] =>
  found.facts.map((fact) =>
    fact.kind === 'unreadable' ? `${fact.place} ${fact.reason} ${fact.text}` : fact.kind,
  );

const TEXTS: Readonly<Record<string, { text: string; events: string[]; facts: string[] }>> = {
  'events one a line': {
    text: `${EVENT}\n${EVENT}\r\n\n${EVENT}`,
    events: [EVENT, EVENT, EVENT],
    facts: [],
  },
  'an <Events> list with declaration, comment and mark': {
    text: `\ufeff<?xml version="1.0"?>\n<!-- a\nb --><Events xmlns="y">\n${EVENT}${OTHER}\n</Events>\n`,
    events: [EVENT, OTHER],
    facts: [],
  },
  'a slash right before an event': {
    text: `/${EVENT}\n</Event>${EVENT}`,
    events: [EVENT, EVENT],
    facts: ['file:1 Text is no <Event>. /', 'file:2 Text is no <Event>. </Event>'],
  },
  'lines that are no events': {
    text: `garbage\n${EVENT}\n{"a":1}\n\n<Other/>\n${OTHER}\nend`,
    events: [EVENT, OTHER],
    facts: [
      'file:1 Text is no <Event>. garbage',
      'file:3 Text is no <Event>. {"a":1}',
      'file:5 Text is no <Event>. <Other/>',
      'file:9 Text is no <Event>. end',
    ],
  },
  'an event that is torn before the next': {
    text: `${EVENT}\n<Event><System>\n${EVENT}\n`,
    events: [EVENT, EVENT],
    facts: ['file:2 Event has no end before the next one begins. <Event><System>\n'],
  },
  'an event that is torn at the end': {
    text: `${EVENT}\n<Event><Sys`,
    events: [EVENT],
    facts: ['file:2 Event has no end. <Event><Sys'],
  },
  nothing: { text: '', events: [], facts: [] },
  'blank lines': { text: '\n \n\n', events: [], facts: [] },
};

for (const [name, { text, events, facts }] of Object.entries(TEXTS)) {
  test(`scan() of ${name}`, () => {
    const whole = scan(text);
    assert.deepEqual(whole.events, events);
    assert.deepEqual(told(whole), facts);
    for (const pieceUnits of [1, 2, 3, 7, 64]) assert.deepEqual(scan(text, pieceUnits), whole);
  });
}

test('an event longer than the bound is cut, reported once, and the next one is read', () => {
  const long = `<Event>${'x'.repeat(EVENT_UNITS_MAX * 3)}</Event>`;
  const found = scan(`${EVENT}\n${long}\n${OTHER}\n`, 65_536);
  assert.deepEqual(found.events, [EVENT, OTHER]);
  assert.equal(found.facts.length, 1);
  assert.match(told(found)[0] ?? '', /^file:2 Event is longer than 2097152 characters/);
  assert.ok((told(found)[0] ?? '').length < 9000);
});

test('text without any event is reported in pieces and does not fill the memory', () => {
  const found = scan('y'.repeat(EVENT_UNITS_MAX * 4), 65_536);
  assert.equal(found.events.length, 0);
  assert.ok(found.facts.length >= 1 && found.facts.length < 10);
});

test('lines come whole however their bytes were cut, and an overlong one is cut and marked', () => {
  const bytes = Buffer.from('один\r\n\nдва-два-два\nтри');
  for (let pieceBytes = 1; pieceBytes < bytes.length; pieceBytes += 1) {
    const splitter = createLineSplitter(12);
    const lines = [];
    for (let at = 0; at < bytes.length; at += pieceBytes)
      lines.push(...splitter.push(bytes.subarray(at, at + pieceBytes)));
    assert.deepEqual(
      lines.map((line) => [line.text, line.overlong]),
      [
        ['один', false],
        ['', false],
        [Buffer.from('два-два-два').subarray(0, 12).toString(), true],
      ],
    );
    assert.equal(splitter.rest(), 'три');
  }
});

test('what is found does not depend on where the pieces were cut, whatever the text', () => {
  const token = fc.constantFrom(
    '<Event>',
    '</Event>',
    '<Event ',
    '<Events>',
    '<!--',
    '-->',
    '<?xml ?>',
    'x',
    '\n',
    ' ',
    '<',
    '\ufeff',
  );
  fc.assert(
    fc.property(
      fc.string({ unit: token, maxLength: 40 }),
      fc.integer({ min: 1, max: 9 }),
      (text, units) => {
        const whole = scan(text);
        assert.deepEqual(scan(text, units), whole);
        for (const event of whole.events) assert.match(event, /^<Event[\s>].*<\/Event>$/s);
      },
    ),
    { numRuns: 2000 },
  );
});
