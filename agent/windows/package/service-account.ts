/**
 * The SID of a service's own account, `NT SERVICE\<name>`: S-1-5-80 and the SHA-1 of the name in capitals, UTF-16LE, as five
 * numbers (Microsoft's description of service SIDs; `sc.exe showsid` prints the same). It is needed before the service exists.
 */
import { createHash } from 'node:crypto';

export function serviceSid(name: string): string {
  const digest = createHash('sha1').update(Buffer.from(name.toUpperCase(), 'utf16le')).digest();
  const numbers = [0, 4, 8, 12, 16].map((at) => digest.readUInt32LE(at));
  return `S-1-5-80-${numbers.join('-')}`;
}
