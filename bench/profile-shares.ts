/**
 * Takes what runs a program of ours, runs it with V8's profiler, gives where the program's main thread spent its time, by what the
 * code belongs to.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Percent of the time that was not spent waiting, by place. */
export type ProfileShares = Readonly<Record<string, number>>;

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

type CallFrame = Profile['nodes'][number]['callFrame'];

const NODE_FLAGS_OF_PROFILE = (folder: string): string => `--cpu-prof --cpu-prof-dir=${folder}`;
export type ProfiledProgram = 'agent' | 'collector';

const WAITING = new Set(['(idle)', '(program)', '(root)']);

/** Runs `run`; every Node.js that it starts meanwhile writes a profile into the folder, which is deleted at the end. */
export async function profileOf(
  program: ProfiledProgram,
  folder: string,
  run: () => Promise<unknown>,
): Promise<ProfileShares> {
  const before = process.env['NODE_OPTIONS'];
  mkdirSync(folder, { recursive: true });
  process.env['NODE_OPTIONS'] = [before, NODE_FLAGS_OF_PROFILE(folder)].filter(Boolean).join(' ');
  try {
    await run();
  } finally {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  }
  const profiles = readdirSync(folder).map(
    (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Profile,
  );
  rmSync(folder, { recursive: true, force: true });
  return sharesOf(program, profiles);
}

/** The shares in the program's profile, the largest first. Of several the one with the most work: commands are short. */
export function sharesOf(program: ProfiledProgram, profiles: readonly Profile[]): ProfileShares {
  const isOfProgram = ({ nodes }: Profile): boolean =>
    nodes.some(({ callFrame }) => callFrame.url.includes(`/${program}/src/cli/`));
  const busiest = profiles
    .filter(isOfProgram)
    .map(microsByPlace)
    .sort((one, other) => sum(other) - sum(one))[0];
  const all = busiest ?? new Map<string, number>();
  const total = sum(all);
  return Object.fromEntries(
    [...all]
      .sort((one, other) => other[1] - one[1])
      .map(([place, micros]) => [place, (micros * 100) / total]),
  );
}

const sum = (micros: ReadonlyMap<string, number>): number =>
  [...micros.values()].reduce((total, one) => total + one, 0);

function microsByPlace({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const micros = new Map<string, number>();
  for (const [at, id] of samples.entries()) {
    const frame = frames.get(id);
    if (frame === undefined || WAITING.has(frame.functionName)) continue;
    const place = placeOf(frame);
    micros.set(place, (micros.get(place) ?? 0) + (timeDeltas[at] ?? 0));
  }
  return micros;
}

/** A stage of ours, a library, Node.js, or V8 itself. */
function placeOf({ functionName, url }: CallFrame): string {
  const library = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (library !== undefined) return library;
  const ours = /\/(agent|collector|ecs-schemas)\/src\/([^/]+)/.exec(url);
  if (ours !== null) return `${ours[1]}: ${ours[2]?.replace(/\.ts$/, '')}`;
  if (functionName.startsWith('RegExp:')) return 'regular expressions';
  if (functionName === '(garbage collector)') return 'garbage collection';
  return url.startsWith('node:') || url === ''
    ? 'Node.js (files, hashes, buffers, loading)'
    : 'other';
}
