/**
 * `launchbeat-collector rules check`, `rules test FILE` and `rules backtest`: what alerts.yml says, tried before it is trusted.
 * Keeps: nothing is sent and nothing is written; only `backtest` asks PostgreSQL.
 */
import { globalFlags } from '@launchbeat/ecs-schemas/beat';
import type { Command } from 'commander';
import type { AlertsConfig } from '../assess/alerts-config.ts';
import { span } from '../assess/quiet-config.ts';
import type { AlertRule } from '../assess/rule-config.ts';
import { explainRules } from '../assess/why-not.ts';
import { openDatabase } from '../commit/database.ts';
import { loadCollector } from '../config.ts';
import { backtestReport, backtestRules } from './backtest-rules.ts';
import { chatNames, testRules } from './test-rules.ts';

/** Adds `rules`. */
export function addRuleCommands(program: Command): void {
  const rules = program.command('rules').description('try the rules of alerts.yml');
  rules
    .command('check')
    .description('read alerts.yml, name each problem with its line, and show the rules')
    .action((_options, command: Command) => {
      const { alerts, alertsFile } = loadCollector(globalFlags(command));
      console.log(`${alertsFile}: Config OK`);
      for (const line of rulesOverview(alerts)) console.log(line);
    });
  rules
    .command('test')
    .argument('<file>', "NDJSON of events, as in the agent's spool; - = standard input")
    .description('say which rules fire on which events, and why the others do not')
    .option('--rule <id>', 'only this rule')
    .option('--json', 'print NDJSON')
    .action(async (file: string, options: { rule?: string; json?: boolean }, command: Command) => {
      const { alerts } = loadCollector(globalFlags(command));
      await testRules(file, alerts, { isJson: options.json === true, ruleId: options.rule });
    });
  rules
    .command('backtest')
    .description('say what the chats would have heard, from the chunks that PostgreSQL still has')
    .option('--since <time>', 'so long ago, such as 7d, 12h', '7d')
    .action(async (options: { since: string }, command: Command) => {
      const { alerts, config } = loadCollector(globalFlags(command));
      const since = new Date(Date.now() - sinceMs(options.since));
      const sql = openDatabase(config.postgresql);
      try {
        const result = await backtestRules(sql, alerts, since);
        for (const line of backtestReport(alerts, result, since)) console.log(line);
      } finally {
        await sql.end({ timeout: 5 });
      }
    });
}

function sinceMs(text: string): number {
  const parsed = span.safeParse(text);
  if (parsed.success && parsed.data > 0) return parsed.data;
  throw new Error(`--since ${text} is no time. Write a number with a unit, such as 12h or 7d.`);
}

function rulesOverview(alerts: AlertsConfig): string[] {
  const names = chatNames(alerts);
  return explainRules(alerts).flatMap(({ rule, chatIds }) => {
    const heard = chatIds.map((id) => names.get(id) ?? id).join(', ') || 'nobody';
    const notes = [rule.description, ...doubts(rule, chatIds)].filter((note) => note !== undefined);
    return [
      `${rule.enabled ? 'on ' : 'off'}  ${rule.id}  ${rule.severity} → ${heard}`,
      ...notes.map((note) => `       ${note}`),
    ];
  });
}

/** What is not wrong, and yet may not be what was meant. */
function doubts(rule: AlertRule, chatIds: readonly string[]): string[] {
  const { programs, parents, executables, command_lines: lines, when } = rule;
  const isAboutMore = [parents, executables, lines, when].some((one) => one !== undefined);
  return [
    ...(rule.enabled && chatIds.length === 0
      ? ['Note: nobody hears it. Write a chat under chats.']
      : []),
    ...(programs === undefined && isAboutMore
      ? ["Note: it is about watched programs only. For all programs write programs: ['*']."]
      : []),
  ];
}
