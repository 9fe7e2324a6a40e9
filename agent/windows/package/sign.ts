/**
 * Signs an .exe, an .msi or a PowerShell script in place with osslsigncode, where a certificate is given; else leaves it as it is.
 *   LAUNCHBEAT_SIGN           PKCS#12 file (.pfx)
 *   LAUNCHBEAT_SIGN_PASSFILE  file with its password
 *   LAUNCHBEAT_SIGN_TIMESTAMP address of an RFC 3161 time stamp server; without it the signature ends with the certificate
 * A signature has a time in it: signed builds are not the same bytes twice.
 */
import { execFileSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { PRODUCT } from './layout.ts';

/** Whether a file is a script that a policy AllSigned wants signed. */
export const isScript = (file: string): boolean => /\.ps(1|m1|d1)$/.test(file);

export function sign(file: string, env: NodeJS.ProcessEnv = process.env): void {
  const certificate = env['LAUNCHBEAT_SIGN'];
  if (!certificate) return;
  const password = env['LAUNCHBEAT_SIGN_PASSFILE'];
  const timestamp = env['LAUNCHBEAT_SIGN_TIMESTAMP'];
  const signed = `${file}.signed`;
  rmSync(signed, { force: true });
  try {
    execFileSync(
      'osslsigncode',
      [
        ...['sign', '-pkcs12', certificate, '-h', 'sha256', '-n', PRODUCT.name],
        ...(password ? ['-readpass', password] : []),
        ...(timestamp ? ['-ts', timestamp] : []),
        ...['-in', file, '-out', signed],
      ],
      { stdio: ['inherit', 'ignore', 'inherit'] },
    );
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new Error('osslsigncode is not installed (Debian: apt-get install osslsigncode).', {
      cause,
    });
  }
  renameSync(signed, file);
}
