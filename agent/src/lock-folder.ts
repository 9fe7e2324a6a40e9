/**
 * Takes the data folder, gives a lock on it while this process lives.
 * Keeps: two agents never write one spool. The lock is a name that the operating system frees when its process ends, however it
 * ends: a file with a process id would keep an agent from starting after a power cut, as soon as the id is in use again.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** A named pipe on Windows, an abstract socket on Linux, else a socket in the folder. */
function lockName(folder: string): string {
  const path = realpathSync.native(folder);
  const id = createHash('sha256')
    .update(process.platform === 'win32' ? path.toLowerCase() : path)
    .digest('hex')
    .slice(0, 32);
  if (process.platform === 'win32') return `\\\\.\\pipe\\launchbeat-${id}`;
  if (process.platform === 'linux') return `\0launchbeat-${id}`;
  return join(path, 'launchbeat.lock');
}

/** Locks a folder, making it if need be; gives the function that unlocks it. Rejects where a living agent holds it. */
export async function lockFolder(folder: string): Promise<() => void> {
  mkdirSync(folder, { recursive: true });
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message =
        cause.code === 'EADDRINUSE' || cause.code === 'EACCES'
          ? `${folder} is in use by another launchbeat. Stop it, or give this one its own --path.data.`
          : `${folder} cannot be locked (${cause.code}).`;
      reject(new Error(message, { cause }));
    });
    server.listen(lockName(folder), resolve);
  });
  server.unref();
  return () => server.close();
}

/** Whether a living agent holds the folder. */
export async function isLocked(folder: string): Promise<boolean> {
  if (!existsSync(folder)) return false;
  try {
    (await lockFolder(folder))();
    return false;
  } catch (error) {
    const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
    if (code === 'EADDRINUSE' || code === 'EACCES') return true;
    throw error;
  }
}
