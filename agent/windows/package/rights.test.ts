/**
 * Goal: the rights that launchbeat.exe gives to the data folder are the ones that the docs promise. Wine enforces none, so the
 * descriptors are read from the source and judged bit by bit (MS-DTYP 2.5.1, 2.4.3).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const SOURCE = readFileSync(join(import.meta.dirname, 'host/protected-folder.c'), 'utf8');
/** Bits of an access mask of a file or folder. */
const BIT = { write: 0x2, append: 0x4, delete: 0x10000, changeRights: 0x40000, takeOwner: 0x80000 };
/** What SDDL's two letters stand for. */
const MASK: Readonly<Record<string, number>> = { FA: 0x1f01ff, FR: 0x120089 };

function descriptor(name: string) {
  const text = new RegExp(`#define ${name} L"([^"]+)"`).exec(SOURCE)?.[1] ?? '';
  const [, owner, flags, list = ''] = /^O:(\w\w)G:\w\wD:([A-Z]*)((?:\(.*?\))*)$/.exec(text) ?? [];
  const entries = [...list.matchAll(/\((\w+);(\w*);(\w+);;;([^)]+)\)/g)].map(
    ([, type, inherit, rights = '', who]) => ({
      ...{ type, inherit, who },
      mask: MASK[rights] ?? Number(rights),
    }),
  );
  return { owner, flags, entries };
}

const maySetRights = (mask: number): boolean => (mask & (BIT.changeRights | BIT.takeOwner)) !== 0;

for (const [name, what] of [
  ['SDDL_READ', 'the data folder'],
  ['SDDL_MODIFY', 'data and logs'],
  ['SDDL_FILE', 'install.env and ca.crt'],
] as const) {
  test(`${what}: owned by Administrators, nothing inherited, System and Administrators in full, the service, nobody else`, () => {
    const { owner, flags, entries } = descriptor(name);
    assert.equal(owner, 'BA');
    assert.match(flags ?? '', /P/, 'protected: what C:\\ProgramData allows is not inherited');
    assert.deepEqual(
      entries.map(({ type, who }) => [type, who]),
      [
        ['A', 'SY'],
        ['A', 'BA'],
        ['A', '%ls'],
      ],
    );
    const [system, administrators, service] = entries.map(({ mask }) => mask);
    assert.deepEqual([system, administrators], [MASK['FA'], MASK['FA']]);
    assert.ok(service !== undefined && service > 0 && !maySetRights(service));
  });
}

test('the service reads config and settings, and writes in data and logs alone', () => {
  const writes = BIT.write | BIT.append | BIT.delete;
  const ofService = (name: string): number => descriptor(name).entries[2]?.mask ?? 0;
  assert.equal(ofService('SDDL_READ') & writes, 0);
  assert.equal(ofService('SDDL_FILE') & writes, 0);
  assert.equal(ofService('SDDL_MODIFY') & writes, writes);
});
