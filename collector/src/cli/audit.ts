/**
 * `launchbeat-collector audit`: who changed what in the fleet, newest first.
 */
import type { Command } from 'commander';
import { listAudit } from '../fleet/audit.ts';
import { withDatabase } from './with-database.ts';

/** Adds `audit`. */
export function addAuditCommand(program: Command): void {
  program
    .command('audit')
    .argument('[id]', 'only what concerns this token, key or agent')
    .option('--last <number>', 'how many changes', '50')
    .description('print who changed what: tokens, keys, agents')
    .action(async (id: string | undefined, options: { last: string }, command: Command) => {
      if (!/^[1-9]\d{0,5}$/.test(options.last)) {
        throw new Error(`--last ${options.last}: expected a number from 1.`);
      }
      await withDatabase(command, async (sql) => {
        const subject = id === undefined ? {} : { subject: id };
        console.log(['AT', 'WHO', 'WHAT', 'WHICH', 'DETAIL'].join('\t'));
        for (const one of await listAudit(sql, { limit: Number(options.last), ...subject })) {
          const { at, actor, action, detail } = one;
          const cells = [at.toISOString(), actor, action, one.subject, JSON.stringify(detail)];
          console.log(cells.join('\t'));
        }
      });
    });
}
