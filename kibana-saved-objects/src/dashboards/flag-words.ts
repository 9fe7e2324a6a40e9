/**
 * Takes a language, gives what each of the agent's flags is called on a dashboard.
 */
import type { Say } from '../build/language.ts';
import type { Flag } from './questions.ts';

export const flagWords = (say: Say): Readonly<Record<Flag, string>> => ({
  encoded_powershell: say('Encoded PowerShell', 'PowerShell в Base64'),
  office_child: say('Child of Office', 'Потомок Office'),
  double_extension: say('Double file extension', 'Двойное расширение'),
  lolbin: say('Living off the land', 'Штатная утилита ОС'),
  script_host: say('Shell or script host', 'Оболочка или сценарий'),
  remote_tool: say('Remote access tool', 'Удалённый доступ'),
  user_writable_path: say('Writable folder', 'Папка с правом записи'),
  long_cmdline: say('Long command line', 'Длинная команда'),
  elevated: say('Elevated', 'Повышенные права'),
  no_command_line: say('No command line', 'Нет командной строки'),
  truncated: say('Cut command line', 'Обрезанная командная строка'),
  control_characters: say('Control characters', 'Управляющие символы'),
  degraded: say('Seen by polling', 'Замечено опросом'),
});
