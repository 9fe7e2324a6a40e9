#!/usr/bin/env node
/** The program `launchbeat`: takes a command line, gives an exit code. */
import { runBeat } from '@launchbeat/ecs-schemas/beat';
import { agentProgram } from './cli/agent-program.ts';

process.exit(await runBeat(agentProgram(), process.argv.slice(2)));
