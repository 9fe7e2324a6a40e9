/**
 * Tells as whom the servers run that refuse to run as root (PostgreSQL, Elasticsearch), and whether that user can reach a path.
 * No user is created: as root it is `nobody`, which every Unix has; else it is oneself.
 */
import { chownSync, lchownSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

const NOBODY: Identity = { uid: 65_534, gid: 65_534 };
const READ_AND_ENTER = 0o005;
const READ = 0o004;
const ENTER = 0o001;

/** `nobody` as /etc/passwd has it (initdb wants a user with a name). */
function nobody(): Identity {
  try {
    const line = readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(\d+):(\d+):/m);
    return line ? { uid: Number(line[1]), gid: Number(line[2]) } : NOBODY;
  } catch {
    return NOBODY;
  }
}

/** Whom to spawn a server as; absent when this process is not root and spawns it as itself. */
export function unprivileged(): Identity | undefined {
  return process.getuid?.() === 0 ? nobody() : undefined;
}

/** The first folder on the way to `path` that neither everybody nor `uid` may enter. */
function closedParent(path: string, uid?: number): string | undefined {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const stat = statSync(folder);
    if ((stat.mode & ENTER) === 0 && stat.uid !== uid) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Whether everybody may enter every folder on the way to `path` and read `path` itself; true where that does not matter. */
export function isReachable(path: string): boolean {
  if (unprivileged() === undefined) return true;
  try {
    const stat = statSync(path);
    const wanted = stat.isDirectory() ? READ_AND_ENTER : READ;
    return (stat.mode & wanted) === wanted && closedParent(path) === undefined;
  } catch {
    return false;
  }
}

/**
 * Hands a folder with all that is in it to the unprivileged user; nothing to do when not root. Throws where that user cannot even
 * come to the folder.
 */
export function handOver(folder: string): void {
  const identity = unprivileged();
  if (identity === undefined) return;
  const closed = closedParent(folder, identity.uid);
  if (closed !== undefined) {
    throw new Error(
      `${folder}: the server runs as user ${identity.uid}, who may not enter ${closed}; chmod o+x it, or choose another folder`,
    );
  }
  chownSync(folder, identity.uid, identity.gid);
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    lchownSync(join(folder, name), identity.uid, identity.gid);
  }
}
