/**
 * Stands in for the canary on a PC without Windows: writes down who it is, for replay-bridge.ts to make its event of, and ends.
 * Takes the file to write, then the mark.
 */
import { renameSync, writeFileSync } from 'node:fs';

const [node = '', , file = '', mark = ''] = process.argv;
const commandLine = `${node} ${mark}`;
writeFileSync(`${file}.new`, JSON.stringify({ pid: process.pid, program: node, commandLine }));
renameSync(`${file}.new`, file);
