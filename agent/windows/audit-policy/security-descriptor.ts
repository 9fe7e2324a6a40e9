/**
 * Gives the security descriptor that Backup.xml must carry, as GPMC prints it: bytes in hex with blanks. Import-GPO leaves the
 * target's permissions alone (IGPMGPO::Import), so this one only has to be whole and to hold no SID of any domain.
 */

/** Rights on a group policy container: all of them, and those of reading ("Edit, delete, modify security" and "Read" in GPMC). */
const FULL = 0x00_0f_00_ff;
const READ = 0x00_02_00_94;
const CONTROL_ACCESS = 0x00_00_01_00;
/** The extended right "Apply Group Policy", in the byte order of a GUID in memory. */
const APPLY_GROUP_POLICY = '8ffdacedb3ffd111b41d00a0c968f939';

const ALLOWED = 0x00;
const ALLOWED_OBJECT = 0x05;
const CONTAINER_INHERIT = 0x02;
const OBJECT_TYPE_PRESENT = 1;
/** SE_SELF_RELATIVE, SE_DACL_PROTECTED, SE_DACL_AUTO_INHERITED, SE_DACL_PRESENT ([MS-DTYP] 2.4.6). */
const CONTROL = 0x8000 | 0x1000 | 0x0400 | 0x0004;
const DESCRIPTOR_HEADER_BYTES = 20;

/** A well-known SID of the NT authority ([MS-DTYP] 2.4.2.2), e.g. 32, 544 for S-1-5-32-544. */
function sid(...subAuthorities: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 + 4 * subAuthorities.length);
  bytes.writeUInt8(1, 0);
  bytes.writeUInt8(subAuthorities.length, 1);
  bytes.writeUInt8(5, 7);
  for (const [index, value] of subAuthorities.entries()) bytes.writeUInt32LE(value, 8 + 4 * index);
  return bytes;
}

function entry(type: number, mask: number, trustee: Buffer, objectType?: Buffer): Buffer {
  const object =
    objectType === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([Buffer.from([OBJECT_TYPE_PRESENT, 0, 0, 0]), objectType]);
  const head = Buffer.alloc(8);
  head.writeUInt8(type, 0);
  head.writeUInt8(CONTAINER_INHERIT, 1);
  head.writeUInt16LE(head.length + object.length + trustee.length, 2);
  head.writeUInt32LE(mask, 4);
  return Buffer.concat([head, object, trustee]);
}

/** Owner and group Administrators; System and Administrators full, authenticated users read and apply. */
export function securityDescriptorHex(): string {
  const administrators = sid(32, 544);
  const authenticatedUsers = sid(11);
  const entries = [
    entry(
      ALLOWED_OBJECT,
      CONTROL_ACCESS,
      authenticatedUsers,
      Buffer.from(APPLY_GROUP_POLICY, 'hex'),
    ),
    entry(ALLOWED, FULL, administrators),
    entry(ALLOWED, READ, sid(9)),
    entry(ALLOWED, READ, authenticatedUsers),
    entry(ALLOWED, FULL, sid(18)),
  ];
  const list = Buffer.alloc(8);
  const entryBytes = entries.reduce((sum, { length }) => sum + length, 0);
  list.writeUInt8(4, 0);
  list.writeUInt16LE(list.length + entryBytes, 2);
  list.writeUInt16LE(entries.length, 4);

  const header = Buffer.alloc(DESCRIPTOR_HEADER_BYTES);
  header.writeUInt8(1, 0);
  header.writeUInt16LE(CONTROL, 2);
  header.writeUInt32LE(DESCRIPTOR_HEADER_BYTES, 4);
  header.writeUInt32LE(DESCRIPTOR_HEADER_BYTES + administrators.length, 8);
  header.writeUInt32LE(DESCRIPTOR_HEADER_BYTES + 2 * administrators.length, 16);
  const bytes = Buffer.concat([header, administrators, administrators, list, ...entries]);
  return (bytes.toString('hex').match(/../g) ?? []).join(' ');
}
