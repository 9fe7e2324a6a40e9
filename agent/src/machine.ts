/**
 * Gives a digest that tells this installation of the operating system from every other one: of Windows' MachineGuid, of Linux'
 * machine-id. A renamed PC keeps it, a PC that was cloned and prepared as Microsoft says (sysprep), or installed anew, has another.
 * Keeps: the id itself stays here, as machine-id(5) asks; a system without one gives ''.
 */
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { processEnvironment } from '@launchbeat/ecs-schemas/beat';

const REGISTRY_KEY = 'HKLM\\SOFTWARE\\Microsoft\\Cryptography';
const FILES = ['/etc/machine-id', '/var/lib/dbus/machine-id'];
const PURPOSE = 'launchbeat machine 1';
const TIMEOUT_MS = 5000;

/** The digest, 64 hex digits, or ''. Asks the system each time; never throws. */
export function machineDigest(platform: NodeJS.Platform = process.platform): string {
  const id = platform === 'win32' ? machineGuid() : machineId(FILES);
  return id === '' ? '' : digestOf(id);
}

/** Source: machine-id(5): hash it with a key of the application before it goes anywhere. */
export function digestOf(id: string): string {
  return createHmac('sha256', id.trim().toLowerCase()).update(PURPOSE).digest('hex');
}

/** The value in what `reg query` prints, e.g. `    MachineGuid    REG_SZ    3f2504e0-…`; '' if there is none. */
export function guidIn(printed: string): string {
  return /MachineGuid\s+REG_SZ\s+([0-9a-f-]{32,38})/i.exec(printed)?.[1] ?? '';
}

function machineGuid(): string {
  const root = processEnvironment()['SystemRoot'] ?? 'C:\\Windows';
  const reg = join(root, 'System32', 'reg.exe');
  const options = {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    windowsHide: true,
    stdio: 'pipe',
  } as const;
  try {
    return guidIn(
      execFileSync(reg, ['query', REGISTRY_KEY, '/v', 'MachineGuid', '/reg:64'], options),
    );
  } catch {
    return '';
  }
}

/** The first of these files that has an id. */
export function machineId(files: readonly string[]): string {
  for (const file of files) {
    try {
      const id = readFileSync(file, 'utf8').trim();
      if (/^[0-9a-f]{32}$/i.test(id)) return id;
    } catch {
      // Not on this system.
    }
  }
  return '';
}
