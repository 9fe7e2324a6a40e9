/**
 * The agent's config: the slices of its stages put together into the schema of launchbeat.yml.
 * Keeps: unknown keys are refused; every key stands in the shipped file with a comment (tests/config-files.test.ts).
 */
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { namespaceSchema } from '@launchbeat/ecs-schemas';
import {
  byteSize,
  loggingConfigSchema,
  type ProgramHome,
  pathConfigSchema,
  programVersion,
} from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import { captureConfigSchema } from './capture/capture-config.ts';
import { checkInConfigSchema } from './checkin/check-in-config.ts';
import { mapConfigSchema } from './map/map-config.ts';
import { spoolConfigSchema } from './spool/spool-config.ts';
import { httpConfigSchema } from './stats/http-config.ts';
import { outputConfigSchema } from './upload/output-config.ts';
import { MEMORY_BYTES_MIN } from './watch-memory.ts';

export const agentConfigSchema = z.strictObject({
  /** Name of this agent in its documents (`agent.name`); default the computer's name. */
  name: z.string().min(1).default(hostname()),
  /** Namespace of the data stream. */
  namespace: namespaceSchema.default('default'),
  capture: captureConfigSchema,
  ...mapConfigSchema.shape,
  spool: spoolConfigSchema,
  output: z.strictObject({ collector: outputConfigSchema }),
  check_in: checkInConfigSchema,
  http: httpConfigSchema,
  /** Memory that the process may have before it says so, ends in good order and is started again by its service; 0 = no limit. */
  max_memory: byteSize('512MiB').refine(
    (bytes) => bytes === 0 || bytes >= MEMORY_BYTES_MIN,
    'Expected 0, or at least 64MiB: less no agent can do with',
  ),
  path: pathConfigSchema,
  logging: loggingConfigSchema,
});

export type AgentConfig = z.infer<typeof agentConfigSchema>;

const FOLDER = dirname(dirname(fileURLToPath(import.meta.url)));

/** What the agent is as a program. */
export const AGENT_HOME: ProgramHome<typeof agentConfigSchema> = {
  name: 'launchbeat',
  folder: FOLDER,
  configFile: 'launchbeat.yml',
  schema: agentConfigSchema,
};

/** The same without the way to the collector, for commands that send nothing: they need no address and no key. */
export const AGENT_HOME_WITHOUT_OUTPUT = {
  ...AGENT_HOME,
  schema: agentConfigSchema.omit({ output: true }),
  unread: ['output'],
} as const;

/** Version of the agent, `major.minor.patch`. */
export function agentVersion(): string {
  return programVersion(FOLDER);
}
