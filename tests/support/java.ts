/**
 * Finds a Java for an Elasticsearch version: JAVA_HOME, /usr/lib/jvm/*, macOS's folder, then the `java` of PATH.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isReachable } from './unprivileged.ts';

/** What a version runs on: https://www.elastic.co/support/matrix#matrix_jvm */
const JAVA_OF_ELASTICSEARCH: Readonly<Record<string, { min: number; best: number }>> = {
  '8': { min: 17, best: 17 },
  '9': { min: 21, best: 25 },
};

/** The lowest Java release for an Elasticsearch version such as `8.19.16`. */
export function javaMin(elasticsearch: string): number {
  return JAVA_OF_ELASTICSEARCH[majorOf(elasticsearch)]?.min ?? 21;
}

const majorOf = (version: string): string => version.split('.')[0] ?? '';

/** `java` of PATH, followed to its home. */
function homeOnPath(): string | undefined {
  const found = spawnSync('sh', ['-c', 'command -v java'], { encoding: 'utf8' }).stdout?.trim();
  return found ? dirname(dirname(realpathSync(found))) : undefined;
}

/** The release that a Java home says it has, e.g. 17; undefined when it is none. */
function releaseOf(home: string): number | undefined {
  if (!existsSync(join(home, 'bin/java')) || !existsSync(join(home, 'release'))) return undefined;
  const version = /^JAVA_VERSION="(?:1\.)?(\d+)/m.exec(readFileSync(join(home, 'release'), 'utf8'));
  return version ? Number(version[1]) : undefined;
}

/** The home of the Java nearest to what this Elasticsearch was made for; undefined when none fits. */
export function findJava(elasticsearch: string): string | undefined {
  const min = javaMin(elasticsearch);
  const best = JAVA_OF_ELASTICSEARCH[majorOf(elasticsearch)]?.best ?? min;
  const homes = [
    process.env['JAVA_HOME'],
    ...globSync('/usr/lib/jvm/*'),
    ...globSync('/Library/Java/JavaVirtualMachines/*/Contents/Home'),
    homeOnPath(),
  ];
  const fitting = homes
    .filter((home): home is string => Boolean(home))
    .map((home) => ({ home, release: releaseOf(home) ?? 0 }))
    .filter(({ home, release }) => release >= min && isReachable(join(home, 'bin/java')));
  const distance = (release: number): number => Math.abs(release - best);
  return fitting.sort((a, b) => distance(a.release) - distance(b.release))[0]?.home;
}
