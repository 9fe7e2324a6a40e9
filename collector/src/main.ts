#!/usr/bin/env node
/** The program `launchbeat-collector`: takes a command line, gives an exit code. */
import { endProcess, runBeat } from '@launchbeat/ecs-schemas/beat';
import { collectorProgram } from './cli/collector-program.ts';

await endProcess(await runBeat(collectorProgram(), process.argv.slice(2)));
