/**
 * Takes alerts.yml, gives what is asked about each alert: how old it may be, what it is the same as, what its chat can bear.
 * Keeps: pure; a rule that is no longer in the file gets what the file says for all.
 */
import type { AlertsConfig } from '../assess/alerts-config.ts';
import type { ChatBounds, SuppressConfig, SuppressField } from '../assess/quiet-config.ts';
import { createRuleSchedule } from '../assess/schedule.ts';

type Fields = Readonly<Record<string, string>>;

export interface RulePolicy {
  /** 0 = any age. */
  readonly maxAgeMs: number;
  readonly suppress: SuppressConfig | undefined;
  /** So long its alerts are gathered, whatever the chat says; 0 = not at all. */
  readonly digestMs: number | undefined;
}

export interface ChatPolicy {
  /** Messages a minute. */
  readonly budget: number;
  /** So long alerts are gathered; 0 = not at all. */
  readonly digestMs: number;
  /** Whether the chat is to be left alone at this moment (Unix milliseconds). */
  readonly isQuiet: (nowMs: number) => boolean;
}

export interface QuietPolicies {
  /** False: every alert is sent, nothing is to be decided. */
  readonly isOn: boolean;
  readonly digestAfterMs: number;
  rule(ruleId: string): RulePolicy;
  chat(chatId: string): ChatPolicy;
  /** Chats that have a budget. */
  readonly budgeted: readonly string[];
}

const FREE_CHAT: ChatPolicy = {
  budget: Number.POSITIVE_INFINITY,
  digestMs: 0,
  isQuiet: () => false,
};

/** Compiles the file. */
export function createQuietPolicies(config: AlertsConfig): QuietPolicies {
  const ofFile: RulePolicy = {
    ...{ maxAgeMs: config.max_age, suppress: config.suppress, digestMs: undefined },
  };
  const ofRule = new Map(
    (config.rules ?? []).map((rule): [string, RulePolicy] => [
      rule.id,
      {
        maxAgeMs: rule.max_age ?? ofFile.maxAgeMs,
        suppress: rule.suppress ?? ofFile.suppress,
        digestMs: rule.digest,
      },
    ]),
  );
  const ofChat = new Map(
    Object.values(config.chats)
      .filter(({ budget, digest, quiet_hours: hours }) =>
        [budget, digest, hours].some((bound) => bound !== undefined),
      )
      .map((chat): [string, ChatPolicy] => [chat.id, chatPolicy(chat, config.time_zone)]),
  );
  const rules = [ofFile, ...ofRule.values()];
  return {
    isOn:
      config.commands !== undefined ||
      ofChat.size > 0 ||
      rules.some(
        ({ maxAgeMs, suppress, digestMs = 0 }) =>
          maxAgeMs > 0 || suppress !== undefined || digestMs > 0,
      ),
    digestAfterMs: config.digest_after,
    rule: (ruleId) => ofRule.get(ruleId) ?? ofFile,
    chat: (chatId) => ofChat.get(chatId) ?? FREE_CHAT,
    budgeted: [...ofChat].filter(([, one]) => Number.isFinite(one.budget)).map(([id]) => id),
  };
}

function chatPolicy(
  { budget, digest, quiet_hours: hours }: ChatBounds,
  timeZone: string,
): ChatPolicy {
  return {
    budget: budget ?? FREE_CHAT.budget,
    digestMs: digest ?? FREE_CHAT.digestMs,
    isQuiet:
      hours === undefined
        ? FREE_CHAT.isQuiet
        : createRuleSchedule({ ...hours, outside: false }, timeZone),
  };
}

/** What an alert has in common with the same ones, as one text; `user` has its domain, a program without label its file name. */
export function suppressKey(fields: Fields, key: readonly SuppressField[]): string {
  const of = (name: string): string => fields[name] ?? '';
  const texts = key.map((name) => {
    if (name === 'user') return `${of('domain')}\\${of('user')}`;
    if (name === 'program') return of('program') || of('process');
    return of(name);
  });
  return JSON.stringify(texts.map((text) => text.toLowerCase()));
}
