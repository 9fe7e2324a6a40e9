/**
 * `select`, `programs`, `exclude`, `redaction` and `processors` of launchbeat.yml: which process starts become documents, and what of them.
 * Keeps: what is left out is decided in this order and counted by the first reason that holds: not a process start, too old,
 * canary, not watched, system account, helper process, processor.
 */
import { stringList } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import { processorsSchema } from './processors/processor-config.ts';
import { redactionConfigSchema } from './redact/redaction-config.ts';

/** One program to watch. All comparisons ignore case, in every script (NFC, Unicode lower case). */
export const programSchema = z.strictObject({
  /** Name of the program in documents (`launchbeat.program`), rules and messages. */
  label: z.string().min(1),
  /** File names of the executable, e.g. `chrome.exe`. */
  names: z.array(z.string().min(1)).min(1),
  /**
   * Patterns that the whole path must match, with `*` for any text and `?` for one character; one match is enough.
   * Needed where the file name says too little (Yandex Browser is `browser.exe`). Empty = the file name alone decides.
   */
  paths: stringList(),
  /**
   * Arguments of starts that no person made: child processes and starts at logon. One that ends with `=` matches by its
   * beginning, any other as a whole.
   */
  helper_args: stringList(),
  /** A start by a process of the same executable is a helper process. False for programs that a person starts from themselves. */
  helper_if_self_started: z.boolean().default(true),
});

export type Program = z.infer<typeof programSchema>;

/** Chromium's helper processes have `--type=`; the other two are its and Yandex's start at logon without a window. */
const CHROMIUM_HELPERS = [
  '--type=',
  '--no-startup-window',
  '--shutdown-if-not-closed-by-system-restart',
];

/** The programs that are watched unless the config says otherwise. */
const DEFAULT_PROGRAMS: readonly Program[] = [
  {
    label: 'Google Chrome',
    names: ['chrome.exe'],
    paths: ['*\\Google\\Chrome*\\*'],
    helper_args: CHROMIUM_HELPERS,
    helper_if_self_started: true,
  },
  {
    label: 'Yandex Browser',
    names: ['browser.exe'],
    paths: ['*\\Yandex\\YandexBrowser*\\*'],
    helper_args: CHROMIUM_HELPERS,
    helper_if_self_started: true,
  },
  {
    label: 'Telegram',
    names: ['Telegram.exe'],
    paths: [],
    helper_args: ['-autostart'],
    helper_if_self_started: true,
  },
  {
    label: 'Explorer',
    names: ['explorer.exe'],
    paths: ['?:\\Windows\\explorer.exe', '?:\\Windows\\SysWOW64\\explorer.exe'],
    helper_args: [],
    // Who opens a folder from the desktop starts explorer.exe from explorer.exe.
    helper_if_self_started: false,
  },
];

export const mapConfigSchema = z.strictObject({
  /** `watched`: starts of the programs below. `all`: every process start; the programs below still get their label. */
  select: z.enum(['watched', 'all']).default('watched'),
  /** The programs to watch. A list here replaces the default list. */
  programs: z.array(programSchema).default(DEFAULT_PROGRAMS.map((program) => ({ ...program }))),
  /** What is left out, in either mode: for a full record of every start set `select: all` and both of these to false. */
  exclude: z
    .strictObject({
      /** Starts by the system itself: SYSTEM, service, machine (`NAME$`), window manager and font driver accounts. */
      system_accounts: z.boolean().default(true),
      /** Starts of a program by itself: a browser's child processes, starts at logon. */
      helper_processes: z.boolean().default(true),
    })
    .prefault({}),
  redaction: redactionConfigSchema,
  processors: processorsSchema,
});

export type MapConfig = z.infer<typeof mapConfigSchema>;
