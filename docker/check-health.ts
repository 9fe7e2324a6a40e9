/**
 * Takes the collector's health URL as argument; exit code 0 if it answers 200, else 1 with the reason.
 * Keeps: the certificate is not verified, since the container asks itself over loopback and a certificate names the host
 * that agents use. Nothing secret is sent.
 */
import { get } from 'node:https';

const TIMEOUT_MS = 4000;

const url = process.argv[2] ?? '';

function fail(reason: string): void {
  process.stderr.write(`${url}: ${reason}\n`);
  process.exitCode = 1;
}

const request = get(url, { rejectUnauthorized: false, timeout: TIMEOUT_MS }, (response) => {
  response.resume();
  if (response.statusCode !== 200) fail(`answered ${response.statusCode}.`);
});
request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms.`)));
request.on('error', (error) => fail(error.message));
