#!/usr/bin/env node
/** The program `launchbeat`: takes a command line, gives an exit code. */
import { endProcess, runBeat } from '@launchbeat/ecs-schemas/beat';
import { agentProgram } from './cli/agent-program.ts';

await endProcess(await runBeat(agentProgram(), process.argv.slice(2)));
