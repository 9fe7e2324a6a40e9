/**
 * Goal: what an event says cannot become markup, hide, or make a message that Telegram refuses.
 * Method: hostile values through real templates into the stand-in's strict parser; any text by property.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTelegramHtml } from '../../../tests/support/telegram-html.ts';
import { alertsConfigSchema } from '../assess/alerts-config.ts';
import { cutMiddle, visibleText } from './visible-text.ts';
import { createWriteMessage, MESSAGE_UNITS_MAX } from './write-message.ts';

function shownOf(template: string, fields: Record<string, string>, ruleId = 'x'): string {
  const write = createWriteMessage(alertsConfigSchema.parse({ template }));
  const { html, plain } = write({ ruleId, fields });
  const parsed = parseTelegramHtml(html);
  assert.ok(parsed.outcome === 'done', `Telegram refuses ${html}`);
  assert.ok(parsed.text.length <= MESSAGE_UNITS_MAX, `${parsed.text.length} units`);
  assert.equal(plain, parsed.text);
  return parsed.text;
}

test('write() says it in the words that people know', () => {
  const text = shownOf('{{time}} Пользователь {{user}} запустил {{process}}', {
    time: '23.11.2026 14:03:27',
    user: 'Иванов',
    process: 'chrome.exe',
  });
  assert.equal(text, '23.11.2026 14:03:27 Пользователь Иванов запустил chrome.exe');
});

for (const [value, want] of [
  ['<b>x</b>', '<b>x</b>'],
  ['</code><a href="tg://user?id=1">admin</a>', '</code><a href="tg://user?id=1">admin</a>'],
  ['&lt;script&gt; &amp; &#60;', '&lt;script&gt; &amp; &#60;'],
  ['{{command_line}} {{{x}}}', '{{command_line}} {{{x}}}'],
  ['a\r\nПользователь admin запустил', 'a␍␊Пользователь admin запустил'],
  ['a\tb\0c\u007f\u0085', 'a␉b␀c␡⟨U+0085⟩'],
  ['invoice\u202Exe.pdf', 'invoice⟨U+202E⟩xe.pdf'],
  ['chr\u200Bome.exe\uFEFF', 'chr⟨U+200B⟩ome.exe⟨U+FEFF⟩'],
  ['a\u2066b\u2069\u2028\u00AD', 'a⟨U+2066⟩b⟨U+2069⟩⟨U+2028⟩⟨U+00AD⟩'],
  ['tag\u{E0041} \u3164', 'tag⟨U+E0041⟩ ⟨U+3164⟩'],
  ['lone \uD83D half', 'lone ⟨U+D83D⟩ half'],
  ['😀 Ünï 日本 _*[]()~`>#+-=|{}.!', '😀 Ünï 日本 _*[]()~`>#+-=|{}.!'],
] as const) {
  test(`write() shows ${JSON.stringify(value)} as it is, with what hides made visible`, () => {
    assert.equal(visibleText(value), want);
    assert.equal(
      shownOf('a <code>{{user}}</code> <b>{{user}}</b> z', { user: value }),
      `a ${want} ${want} z`,
    );
    assert.equal(shownOf('<a href="https://x.example/{{user}}">l</a>', { user: value }), 'l');
  });
}

test('write() cuts long fields in the middle, the longest first, and never a tag', () => {
  const text = shownOf('<b>{{user}}</b>: <code>{{command_line}}</code> <i>{{host}}</i>', {
    user: 'Иванов',
    command_line: `begin${'<&"'.repeat(5000)}end`,
    host: 'pc-042',
  });
  assert.equal(text.length, MESSAGE_UNITS_MAX);
  assert.match(text, /^Иванов: begin<&".*….*<&"end pc-042$/);
});

test('write() keeps a message of a template that is too long by itself', () => {
  const text = shownOf(`<b>${'x'.repeat(5000)}</b>{{user}}`, { user: 'a' });
  assert.equal(text.length, MESSAGE_UNITS_MAX);
});

test("write() takes the rule's own template, and the file's for a rule that is gone", () => {
  const config = alertsConfigSchema.parse({
    template: 'file {{user}}',
    chats: { a: 1 },
    rules: [{ id: 'mine', template: 'rule {{user}}' }, { id: 'other' }],
  });
  const write = createWriteMessage(config);
  const plainOf = (ruleId: string): string => write({ ruleId, fields: { user: 'u' } }).plain;
  assert.deepEqual(['mine', 'other', 'gone'].map(plainOf), ['rule u', 'file u', 'file u']);
});

test('write() shows a section only where its field says something', () => {
  const template = '{{user}}{{#domain}} ({{domain}}){{/domain}}';
  assert.equal(shownOf(template, { user: 'a', domain: 'ACME' }), 'a (ACME)');
  assert.equal(shownOf(template, { user: 'a', domain: '' }), 'a');
});

test('write() gives Telegram nothing that it refuses, whatever a field says', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6000 }),
    fc.string({ unit: fc.constantFrom('<', '&', '"', 'a', '😀', '\u202e'), maxLength: 9000 }),
  );
  fc.assert(
    fc.property(text, text, (user, line) => {
      const shown = shownOf('<b>{{user}}</b> <pre><code>{{command_line}}</code></pre>.', {
        user,
        command_line: line,
      });
      const whole = `${visibleText(user)} ${visibleText(line)}.`;
      if (whole.length <= MESSAGE_UNITS_MAX) assert.equal(shown, whole);
      assert.doesNotMatch(shown, /[\p{Cc}\p{Cs}\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u);
    }),
    { numRuns: 150 },
  );
});

test('cutMiddle() never cuts a character in two', () => {
  for (let units = 0; units < 12; units += 1) {
    const cut = cutMiddle('😀😀😀😀😀😀', units);
    assert.ok(cut.isWellFormed(), `${units}: ${cut}`);
    assert.ok(cut.length <= Math.max(units, 1));
  }
});
