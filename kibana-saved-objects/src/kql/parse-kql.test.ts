/** Goal: our reading of KQL is Kibana's. Method: the cases that its grammar decides, right and wrong ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionsOf, type KqlNode, parseKql } from './parse-kql.ts';

const tree = (text: string): KqlNode | undefined => {
  const outcome = parseKql(text);
  assert.equal(outcome.outcome, 'done', `${text}: ${'reason' in outcome ? outcome.reason : ''}`);
  return outcome.outcome === 'done' ? outcome.node : undefined;
};

/** The tree as text that shows what binds to what. */
function show(node: KqlNode | undefined): string {
  if (node === undefined) return 'all';
  switch (node.type) {
    case 'and':
    case 'or':
      return `(${node.nodes.map(show).join(` ${node.type} `)})`;
    case 'not':
      return `not ${show(node.node)}`;
    case 'nested':
      return `${node.field.text}{${show(node.node)}}`;
    case 'range':
      return `${node.field.text} ${node.operator} ${node.value.text}`;
    case 'is':
      return `${node.field?.text ?? '?'}=${node.value.quoted ? `"${node.value.text}"` : node.value.parts.join('∗')}`;
  }
}

test('parseKql() reads what Kibana reads', () => {
  const cases: Readonly<Record<string, string>> = {
    '': 'all',
    '  ': 'all',
    'a : b': 'a=b',
    'a:b': 'a=b',
    'a.b_c : "x y"': 'a.b_c="x y"',
    'a : x y and b : z': '(a=x y and b=z)',
    'a : 1 or b : 2 and c : 3': '(a=1 or (b=2 and c=3))',
    '(a : 1 or b : 2) and c : 3': '((a=1 or b=2) and c=3)',
    'not a : 1 AND b : 2': '(not a=1 and b=2)',
    'a : (1 or 2 and not 3)': '(a=1 or (a=2 and not a=3))',
    'a : *': 'a=∗',
    'a : *\\\\Temp\\\\*': 'a=∗\\Temp\\∗',
    'a : "C:\\\\x \\"y\\""': 'a="C:\\x "y""',
    'a : x\\:y\\*': 'a=x:y*',
    'a >= 5 and a < 10': '(a gte 5 and a lt 10)',
    'a : { b : 1 and c : 2 }': 'a{(b=1 and c=2)}',
    'free text': '?=free text',
    'a : *$': 'a=∗$',
    'a : \\or': 'a=or',
    '"quoted.field" : 1': 'quoted.field=1',
    'a: \\u0041': 'a=A',
    // No space before "and", none after "or": Kibana takes both for text.
    'and a : b': 'and a=b',
    'a : b or': 'a=b or',
  };
  for (const [text, expected] of Object.entries(cases))
    assert.equal(show(tree(text)), expected, text);
});

test('parseKql() says where a query is wrong', () => {
  for (const text of [
    'a :',
    'a : (b',
    'a : "b',
    '(a : b',
    'a : b)',
    'a : x\\y',
    'a < ',
    'a : b : c',
    'a : ()',
  ]) {
    const outcome = parseKql(text);
    assert.equal(outcome.outcome, 'refused', text);
    assert.match(outcome.outcome === 'refused' ? outcome.reason : '', /character \d+/, text);
  }
});

test('conditionsOf() finds every condition under any joint', () => {
  const node = tree('a : (1 or 2) and not b > 3 or n : { c : 4 }');
  assert.ok(node);
  assert.deepEqual(
    conditionsOf(node).map((one) => one.field?.text),
    ['a', 'a', 'b', 'c'],
  );
});
