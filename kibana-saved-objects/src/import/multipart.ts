/**
 * Takes a text and a file name, gives a multipart body with it as the field `file`, the way a browser's form would send it.
 * Keeps: the boundary is in no line of the text.
 */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';

export interface Multipart {
  /** Value of `content-type`. */
  readonly type: string;
  readonly bytes: Buffer;
}

export function multipartFile(fileName: string, text: string): Multipart {
  let boundary: string;
  do boundary = `launchbeat-${randomBytes(12).toString('hex')}`;
  while (text.includes(boundary));
  const bytes = Buffer.from(
    [
      `--${boundary}`,
      `Content-Disposition: form-data; name="file"; filename="${fileName}"`,
      'Content-Type: application/ndjson',
      '',
      text,
      `--${boundary}--`,
      '',
    ].join('\r\n'),
    'utf8',
  );
  return { type: `multipart/form-data; boundary=${boundary}`, bytes };
}
