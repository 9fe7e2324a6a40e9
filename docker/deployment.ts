/**
 * Takes the texts of this folder's files, gives them as values: compose services, Dockerfile instructions, variables.
 * Keeps: only what the checks ask for; an instruction or a volume in a form that is not known here throws.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** File name, relative to the repository, to its text. */
export type DeploymentFiles = Readonly<Record<string, string>>;

export const COMPOSE = 'docker/compose.yaml';
export const DOCKERFILE = 'docker/Dockerfile';
export const ENV_EXAMPLE = 'docker/.env.example';
export const IGNORE = '.dockerignore';
export const CONFIG = 'docker/collector.yml';

/** Reads the five files. */
export function readDeployment(root: string): DeploymentFiles {
  return Object.fromEntries(
    [COMPOSE, DOCKERFILE, ENV_EXAMPLE, IGNORE, CONFIG].map((name) => [
      name,
      readFileSync(join(root, name), 'utf8'),
    ]),
  );
}

/** A volume in the long syntax of Compose; the short one is turned into it. */
export interface Mount {
  readonly type: 'volume' | 'bind';
  readonly source: string;
  readonly target: string;
  readonly read_only?: boolean;
  readonly bind?: { readonly create_host_path?: boolean };
}

export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly user?: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly volumes?: readonly (string | Mount)[];
  readonly tmpfs?: readonly string[];
  readonly ports?: readonly string[];
  readonly mem_limit?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly restart?: string;
  readonly logging?: object;
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** Reads compose.yaml; variables stay as they are written. */
export function readCompose(text: string): Compose {
  return parse(text, { merge: true }) as Compose;
}

/** The mounts of a service, all in the long form. */
export function mountsOf(service: Service): Mount[] {
  return (service.volumes ?? []).map((volume) => {
    if (typeof volume !== 'string') return volume;
    const [source = '', target = '', mode] = volume.split(':');
    if (!/^[a-z-]+$/.test(source))
      throw new Error(`${volume}: write a bind mount in the long form`);
    return { type: 'volume', source, target, ...(mode === 'ro' ? { read_only: true } : {}) };
  });
}

const VARIABLE = /\$\{(?<name>[A-Z_]+)(?<operator>:-|:\?|-)?(?<rest>[^}]*)\}/g;

export interface VariableUse {
  readonly name: string;
  readonly required: boolean;
}

/** The variables that a compose text uses. */
export function variablesOf(text: string): VariableUse[] {
  const code = text.replace(/^\s*#.*$/gm, '');
  return [...code.matchAll(VARIABLE)].map(({ groups }) => ({
    name: groups?.['name'] ?? '',
    required: groups?.['operator'] === ':?',
  }));
}

/** A compose value with every variable replaced by its value in `environment`, else by its default, as Compose does it. */
export function interpolate(value: string, environment: Readonly<Record<string, string>>): string {
  return value.replace(VARIABLE, (_whole, name: string, operator?: string, rest = '') => {
    const given = environment[name];
    if (given !== undefined && (given !== '' || operator === '-')) return given;
    return operator === ':?' ? '' : rest;
  });
}

/** `.env.example`: name to value, in order. */
export function readEnvironmentFile(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const equals = line.indexOf('=');
      if (!/^[A-Z_]+=\S*$/.test(line)) throw new Error(`${ENV_EXAMPLE}: cannot read "${line}"`);
      return [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}

export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** The instructions of a Dockerfile, with continued lines joined. */
export function readDockerfile(text: string): Instruction[] {
  return text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const match = /^(?<name>[A-Z]+)\s+(?<text>.+)$/.exec(line);
      if (match?.groups === undefined) throw new Error(`${DOCKERFILE}: cannot read "${line}"`);
      return { name: match.groups['name'] ?? '', text: match.groups['text']?.trim() ?? '' };
    });
}
