/**
 * Takes an MSI, sets in place what its tools take from the clock and from chance: package code, time of creation, time of saving.
 * The stream is a property set ([MS-OLEPS] 2.21): a header of 28 bytes, the FMTID, the section's offset; in the section the
 * numbers of the properties with their offsets, then type and value of each.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { BUILD_TIME } from './layout.ts';

/** FMTID_SummaryInformation as it lies in the file. */
const FMTID = Buffer.from('e0859ff2f94f6810ab9108002b27b3d9', 'hex');
const HEADER_BYTES = 28;
const REVISION_NUMBER = 9;
const CREATED = 12;
const LAST_SAVED = 13;
const VT_LPSTR = 30;
const VT_FILETIME = 64;
/** FILETIME counts 100 ns from 1601. */
const MS_FROM_1601 = 11_644_473_600_000n;

/** Offset in the file of the FMTID behind a header: byte order FFFE, format 0. Programs in the MSI may hold the FMTID as well. */
function propertySetAt(msi: Buffer): number {
  for (let at = msi.indexOf(FMTID); at >= 0; at = msi.indexOf(FMTID, at + 1)) {
    const header = at - HEADER_BYTES;
    if (header >= 0 && msi.readUInt32LE(header) === 0xfffe && msi.readUInt32LE(at - 4) === 1)
      return at;
  }
  throw new Error('The MSI has no summary information.');
}

/** Offset in the file of a property's value. Throws where the property is not there or has another type. */
function valueAt(msi: Buffer, property: number, type: number): number {
  const fmtid = propertySetAt(msi);
  const section = fmtid - HEADER_BYTES + msi.readUInt32LE(fmtid + FMTID.length);
  const count = msi.readUInt32LE(section + 4);
  for (let index = 0; index < count; index += 1) {
    const entry = section + 8 + index * 8;
    if (msi.readUInt32LE(entry) !== property) continue;
    const at = section + msi.readUInt32LE(entry + 4);
    if (msi.readUInt32LE(at) === type) return at + 4;
  }
  throw new Error(
    `The summary information of the MSI has no property ${property} of type ${type}.`,
  );
}

/** Writes the package code (a UUID in capitals) and the time of the build into the MSI. */
export function settleSummary(file: string, packageCode: string): void {
  const msi = readFileSync(file);
  const text = `{${packageCode}}`;
  const code = valueAt(msi, REVISION_NUMBER, VT_LPSTR);
  // The length counts the NUL. Another length would mean that something else lies here.
  if (msi.readUInt32LE(code) !== text.length + 1)
    throw new Error('The package code of the MSI is no UUID.');
  msi.write(text, code + 4, 'latin1');
  const time = (BigInt(BUILD_TIME.getTime()) + MS_FROM_1601) * 10_000n;
  for (const property of [CREATED, LAST_SAVED])
    msi.writeBigUInt64LE(time, valueAt(msi, property, VT_FILETIME));
  writeFileSync(file, msi);
}
