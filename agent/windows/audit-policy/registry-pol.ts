/**
 * Takes registry policies, gives the bytes of registry.pol in the PReg form of [MS-GPREG] 2.2.1: the header `PReg`, version 1,
 * then per value `[key;value;type;size;data]`, all in UTF-16LE, with type and size as little-endian 32-bit numbers.
 */
import type { RegistryPolicy } from './settings.ts';

/** [MS-GPREG] 2.2.1: signature 0x67655250 and version 1, both little-endian. */
const HEADER = Buffer.from([0x50, 0x52, 0x65, 0x67, 0x01, 0x00, 0x00, 0x00]);

/** Numbers of the registry's types ([MS-RRP] 3.1.1.5). */
const TYPE_NUMBERS = { REG_SZ: 1, REG_DWORD: 4 } as const;

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function record(policy: RegistryPolicy): Buffer {
  const { data } = policy;
  const bytes = data.type === 'REG_DWORD' ? uint32(data.number) : utf16(`${data.text}\0`);
  return Buffer.concat([
    utf16(`[${policy.key}\0;${policy.valueName}\0;`),
    uint32(TYPE_NUMBERS[data.type]),
    utf16(';'),
    uint32(bytes.length),
    utf16(';'),
    bytes,
    utf16(']'),
  ]);
}

/** The whole file. Keys carry no hive: the file stands under Machine or User. */
export function registryPol(policies: readonly RegistryPolicy[]): Buffer {
  return Buffer.concat([HEADER, ...policies.map(record)]);
}
