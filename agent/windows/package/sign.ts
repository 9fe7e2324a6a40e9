/**
 * Signs an .exe or .msi in place with osslsigncode, where a certificate is given; else leaves it as it is.
 *   LAUNCHBEAT_SIGN           PKCS#12 file (.pfx)
 *   LAUNCHBEAT_SIGN_PASSFILE  file with its password
 *   LAUNCHBEAT_SIGN_TIMESTAMP address of an RFC 3161 time stamp server; without it the signature ends with the certificate
 * A signature has a time in it: signed builds are not the same bytes twice.
 */
import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import { PRODUCT } from './layout.ts';

export function sign(file: string): void {
  const certificate = process.env['LAUNCHBEAT_SIGN'];
  if (!certificate) return;
  const password = process.env['LAUNCHBEAT_SIGN_PASSFILE'];
  const timestamp = process.env['LAUNCHBEAT_SIGN_TIMESTAMP'];
  const signed = `${file}.signed`;
  execFileSync(
    'osslsigncode',
    [
      ...['sign', '-pkcs12', certificate, '-h', 'sha256', '-n', PRODUCT.name],
      ...(password ? ['-readpass', password] : []),
      ...(timestamp ? ['-ts', timestamp] : []),
      ...['-in', file, '-out', signed],
    ],
    { stdio: 'inherit' },
  );
  renameSync(signed, file);
}
