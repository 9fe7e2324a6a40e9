/**
 * Takes the Dockerfile and .dockerignore, gives what is wrong with them as sentences; none = right.
 * Keeps: every file that the image or a health check names is one that the repository has and that reaches the image.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, matchesGlob, posix } from 'node:path';
import {
  COMPOSE,
  type DeploymentFiles,
  DOCKERFILE,
  IGNORE,
  type Instruction,
  readCompose,
  readDockerfile,
} from './deployment.ts';

const WORKDIR = '/app';
const FROM_CONTEXT = /^(?!.*--from=)/;

/** Everything that is wrong with the image. `root` is the repository's folder. */
export function imageProblems(files: DeploymentFiles, root: string): string[] {
  const instructions = readDockerfile(files[DOCKERFILE] ?? '');
  return [
    ...baseProblems(instructions, root),
    ...copyProblems(instructions, files[IGNORE] ?? '', root),
    ...userProblems(instructions),
    ...programProblems(instructions, files, root),
    ...workspaceProblems(instructions, root),
  ];
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { version?: string; optionalDependencies?: Readonly<Record<string, string>> }>
  >;
}

/** package-lock.json. */
export function readLock(root: string): Lock {
  return JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
}

/** `npm ci` of npm 11, which the image has, refuses a lock file without the packages of other platforms. */
export function lockProblems({ packages }: Lock): string[] {
  const wanted = Object.values(packages).flatMap((one) =>
    Object.keys(one.optionalDependencies ?? {}),
  );
  return [...new Set(wanted)]
    .filter((name) => !(`node_modules/${name}` in packages))
    .map((name) => `package-lock.json lacks ${name}`);
}

function baseProblems(instructions: readonly Instruction[], root: string): string[] {
  const lock = readLock(root);
  const version = lock.packages['node_modules/node']?.version ?? 'none';
  return instructions
    .filter(({ name }) => name === 'FROM')
    .filter(({ text }) => !text.startsWith(`node:${version}-`))
    .map(({ text }) => `FROM ${text}: the tests run on Node.js ${version}`);
}

interface Copy {
  readonly sources: readonly string[];
  readonly target: string;
}

function copiesOf(instructions: readonly Instruction[]): Copy[] {
  return instructions
    .filter(({ name, text }) => name === 'COPY' && FROM_CONTEXT.test(text))
    .map(({ text }) => {
      const words = text.split(/\s+/).filter((word) => !word.startsWith('--'));
      return { sources: words.slice(0, -1), target: words.at(-1) ?? '' };
    });
}

function copyProblems(
  instructions: readonly Instruction[],
  ignore: string,
  root: string,
): string[] {
  return copiesOf(instructions).flatMap(({ sources, target }) => [
    ...sources
      .filter((source) => !existsSync(join(root, source)))
      .map((source) => `COPY ${source}: there is no such file`),
    ...sources
      .filter((source) => isIgnored(source, ignore))
      .map((source) => `COPY ${source}: ${IGNORE} keeps it from the engine`),
    ...(sources.length > 1 && !target.endsWith('/') ? [`COPY to ${target}: must end with /`] : []),
  ]);
}

/** The last rule that matches the path or a folder above it decides, as in Docker's reference. */
export function isIgnored(path: string, ignore: string): boolean {
  const parts = path.split('/');
  const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  let ignored = false;
  for (const line of ignore.split('\n').map((one) => one.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const keep = line.startsWith('!');
    const pattern = keep ? line.slice(1) : line;
    if (prefixes.some((prefix) => matchesGlob(prefix, pattern))) ignored = !keep;
  }
  return ignored;
}

function userProblems(instructions: readonly Instruction[]): string[] {
  const last = instructions.findLastIndex(({ name }) => name === 'USER');
  const user = instructions[last]?.text ?? '';
  const after = instructions.slice(last + 1).filter(({ name }) => name === 'RUN');
  return [
    ...(/^[1-9]\d*:[1-9]\d*$/.test(user)
      ? []
      : [`USER must be a number other than 0, not "${user}"`]),
    ...after.map(({ text }) => `RUN ${text}: stands after USER`),
  ];
}

/** Programs and scripts that the image, its health check and the services begin with. */
function programProblems(
  instructions: readonly Instruction[],
  files: DeploymentFiles,
  root: string,
): string[] {
  const json = (name: string): string[] =>
    instructions
      .filter((one) => one.name === name)
      .flatMap(({ text }) => JSON.parse(text.slice(text.indexOf('['))) as string[]);
  const services = Object.values(readCompose(files[COMPOSE] ?? '').services);
  const words = [
    ...json('HEALTHCHECK'),
    ...json('ENTRYPOINT'),
    ...services.flatMap((service) => service.entrypoint ?? []),
  ];
  const copies = copiesOf(instructions);
  const scripts = words.filter((word) => word.startsWith(`${WORKDIR}/`));
  const programs = words.filter((word) => /^[a-z-]+$/.test(word) && word !== 'node');
  return [
    ...scripts
      .filter((path) => !inImage(path, copies, root))
      .map((path) => `${path}: is not in the image`),
    ...programs
      .filter((name) => !inImage(`/usr/local/bin/${name}`, copies, root))
      .map((name) => `${name}: is not in the image`),
    ...(json('HEALTHCHECK').length === 0 ? ['HEALTHCHECK is missing'] : []),
  ];
}

/** Whether a COPY brings a file of the repository to this place. */
function inImage(path: string, copies: readonly Copy[], root: string): boolean {
  return copies.some(({ sources, target }) =>
    sources.some((source) => {
      const full = join(root, source);
      if (!existsSync(full)) return false;
      const place = posix.resolve(WORKDIR, target);
      if (!statSync(full).isDirectory()) {
        return path === (target.endsWith('/') ? join(place, posix.basename(source)) : place);
      }
      return path.startsWith(`${place}/`) && existsSync(join(full, path.slice(place.length)));
    }),
  );
}

/** `npm ci` refuses a lock file whose workspaces are not all there. */
function workspaceProblems(instructions: readonly Instruction[], root: string): string[] {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    workspaces: string[];
  };
  const copied = copiesOf(instructions).flatMap(({ sources }) => sources);
  return workspaces
    .filter((workspace) => !copied.includes(`${workspace}/package.json`))
    .map((workspace) => `COPY ${workspace}/package.json is missing, and npm ci wants it`);
}
