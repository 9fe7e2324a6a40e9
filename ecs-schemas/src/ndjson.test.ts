/**
 * Goal: a line is what ends with LF, whatever bytes stand in it. Method: buffers with every kind of end.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countLines, eachLine, wholeLinesBytes } from './ndjson.ts';

const CASES: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  nothing: ['', []],
  'no line end': ['torn', []],
  'one line': ['a\n', ['a']],
  'empty lines': ['\n\n', ['', '']],
  'a torn last line': ['a\nb\nto', ['a', 'b']],
  'CR kept, it is no line end': ['a\r\nb\rc\n', ['a\r', 'b\rc']],
  'text of more than one byte': ['Иванов\n漢\n', ['Иванов', '漢']],
  'U+2028, which is no line end': ['a\u2028b\n', ['a\u2028b']],
};

for (const [name, [text, lines]] of Object.entries(CASES)) {
  test(`lines of ${name}`, () => {
    const bytes = Buffer.from(text);
    assert.deepEqual([...eachLine(bytes)].map(String), lines);
    assert.equal(countLines(bytes), lines.length);
    const whole = wholeLinesBytes(bytes);
    assert.equal(bytes.subarray(0, whole).toString(), lines.map((line) => `${line}\n`).join(''));
  });
}

test('eachLine() gives views of the bytes, not copies', () => {
  const bytes = Buffer.from('abc\n');
  const [line] = eachLine(bytes);
  assert.ok(line !== undefined);
  bytes[0] = 0x7a;
  assert.equal(line.toString(), 'zbc');
});
