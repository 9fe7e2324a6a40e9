#!/usr/bin/env node
/** The program `launchbeat-collector`: takes a command line, gives an exit code. */
import { runBeat } from '@launchbeat/ecs-schemas/beat';
import { collectorProgram } from './cli/collector-program.ts';

process.exit(await runBeat(collectorProgram(), process.argv.slice(2)));
