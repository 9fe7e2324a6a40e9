/**
 * Takes security options, gives the bytes of GptTmpl.inf ([MS-GPSB] 2.2): UTF-16LE with a byte order mark, CRLF.
 */
import type { SecurityOption } from './settings.ts';

/** [MS-GPSB] 2.2.5: a registry value is written as type number, comma, value. */
const REG_DWORD = 4;

/** The name by which GptTmpl.inf and GPMC's report know an option. */
export const templateKey = (option: SecurityOption): string =>
  `MACHINE\\${option.key}\\${option.valueName}`;

/** The whole file. */
export function gptTemplate(options: readonly SecurityOption[]): Buffer {
  const lines = [
    '[Unicode]',
    'Unicode=yes',
    '[Version]',
    'signature="$CHICAGO$"',
    'Revision=1',
    '[Registry Values]',
    ...options.map((option) => `${templateKey(option)}=${REG_DWORD},${option.number}`),
    '',
  ];
  return Buffer.from(`\uFEFF${lines.join('\r\n')}`, 'utf16le');
}
