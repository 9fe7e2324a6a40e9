/**
 * The stand-in's HTML parser takes and refuses what Telegram does.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTelegramHtml } from './telegram-html.ts';

const refused: Readonly<Record<string, string>> = {
  'é<abc': 'Unclosed start tag at byte offset 2',
  '😀&lt;<abc x>': 'Unsupported start tag "abc" at byte offset 8',
  'a <1> b': 'Unsupported start tag "1" at byte offset 2',
  '<toString>x</toString>': 'Unsupported start tag "tostring" at byte offset 0',
  'a < b': 'Unsupported start tag "" at byte offset 2',
  '<b =x>y</b>': 'Empty attribute name in the tag "b" at byte offset 0',
  '<b x=': 'Unclosed start tag "b" at byte offset 0',
  '<b x=1,>y</b>': 'Unexpected end of name token at byte offset 5',
  '<a href="x>y</a>': 'Unclosed start tag at byte offset 0',
  'x</b>': 'Unexpected end tag at byte offset 1',
  '<b>x</b': 'Unclosed end tag at byte offset 4',
  '<b>x<i>y</b></i>': 'Unmatched end tag at byte offset 8, expected "</i>", found "</b>"',
  'x<b>y': `Can't find end tag corresponding to start tag "b"`,
  '<span>x</span>': 'Tag "span" must have class "tg-spoiler" at byte offset 0',
  '<tg-emoji emoji-id="x">😀</tg-emoji>': 'Invalid custom emoji identifier specified',
  '&#xD83D;':
    'Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units',
};

for (const [source, reason] of Object.entries(refused)) {
  test(`${source} is refused: ${reason}`, () => {
    assert.deepEqual(parseTelegramHtml(source), { outcome: 'refused', reason });
  });
}

const texts: Readonly<Record<string, string>> = {
  '&lt;b&gt; &amp;amp; &quot;x&quot;': '<b> &amp; "x"',
  'AT&T &nbsp; & &copy; &': 'AT&T &nbsp; & &copy; &',
  '&#65;&#x42;&#128512; &#0; &#99999999;': 'AB😀 &#0; &#99999999;',
  '&lt5 a > b': '<5 a > b',
  '': '',
};

for (const [source, text] of Object.entries(texts)) {
  test(`${source || 'nothing'} shows as ${text || 'nothing'}`, () => {
    assert.deepEqual(parseTelegramHtml(source), { outcome: 'done', text, entities: [] });
  });
}

test('tags become entities in UTF-16 units, outer before inner; empty ones are left out', () => {
  const source = `😀<B>bold <em>both</em></B><u></u> <code>c</code><a href="https://example.org/?a=1&amp;b=2">l</a><a>x</a>`;
  assert.deepEqual(parseTelegramHtml(source), {
    outcome: 'done',
    text: '😀bold both clx',
    entities: [
      { type: 'bold', offset: 2, length: 9 },
      { type: 'italic', offset: 7, length: 4 },
      { type: 'code', offset: 12, length: 1 },
      { type: 'text_link', offset: 13, length: 1, url: 'https://example.org/?a=1&b=2' },
    ],
  });
});

test('every tag that Telegram documents is taken', () => {
  const source =
    '<strong>1</strong><i>2</i><ins>3</ins><s>4</s><strike>5</strike><del>6</del><tg-spoiler>7</tg-spoiler>' +
    `<span class="tg-spoiler">8</span><tg-emoji emoji-id='5368324170671202286'>9</tg-emoji>` +
    '<pre><code class="language-ps1">a</code></pre><blockquote>b</blockquote><blockquote expandable>c</blockquote>';
  const parsed = parseTelegramHtml(source);
  assert.ok(parsed.outcome === 'done');
  assert.equal(parsed.text, '123456789abc');
  assert.deepEqual(
    parsed.entities.map((entity) => entity.type),
    [
      'bold',
      'italic',
      'underline',
      'strikethrough',
      'strikethrough',
      'strikethrough',
      'spoiler',
      'spoiler',
      'custom_emoji',
      'pre',
      'blockquote',
      'expandable_blockquote',
    ],
  );
  assert.equal(parsed.entities[9]?.language, 'ps1');
});
