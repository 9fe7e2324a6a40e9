/**
 * `launchbeat test output`: asks the collector whether it is there and knows the key; says so step by step.
 */
import { type GlobalFlags, loadProgramConfig, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { AGENT_HOME } from '../config.ts';
import { openUploader } from '../pipeline.ts';
import { agentIdentity } from '../spool/agent-identity.ts';

/** Prints what was found; sets exit code 1 where events could not be shipped. */
export async function testOutput(flags: GlobalFlags): Promise<void> {
  const { config, paths } = loadProgramConfig(AGENT_HOME, flags);
  const log = SILENT_LOG;
  const uploader = await openUploader({ config, paths, log }, agentIdentity(paths.data, log).id);
  try {
    const result = await uploader.probe();
    console.log(`collector: ${config.output.collector.url.join(', ')}...`);
    for (const step of result.steps) console.log(`  ${step.name}... ${step.detail}`);
    if (!result.ok) process.exitCode = 1;
  } finally {
    await uploader.close();
  }
}
