/**
 * Takes the address of a collector, gives the certificates that it presents and how long they are good.
 */
import type { X509Certificate } from 'node:crypto';
import type { OutputConfig } from './output-config.ts';
import { proxyTunnel } from './proxy-tunnel.ts';
import { fetchChain, proxyAuthorities } from './tls-trust.ts';

const DAY_MS = 86_400_000;
/** Fewer days than these are worth a word: time enough to renew. */
const DAYS_SOON = 14;

export interface CertificateDays {
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
}

/** Fetches the chain without trusting it. Rejects where no TLS is spoken. */
export async function certificateDays(url: string, config: OutputConfig): Promise<CertificateDays> {
  const { hostname, port, protocol } = new URL(url);
  const tunnel =
    config.proxy_url === undefined
      ? undefined
      : proxyTunnel(config.proxy_url, config.timeout, proxyAuthorities(config));
  return judgeChain(
    await fetchChain({ hostname, port, protocol }, config.timeout, tunnel),
    Date.now(),
  );
}

/** Names the chain and the days left of the certificate that ends first. */
export function judgeChain(chain: readonly X509Certificate[], nowMs: number): CertificateDays {
  const subjects = chain.map((one) => one.subject.replaceAll('\n', ', ')).join(' < ');
  const days = Math.min(
    ...chain.map((one) => Math.floor((one.validToDate.getTime() - nowMs) / DAY_MS)),
  );
  const early = chain.some((one) => one.validFromDate.getTime() > nowMs);
  if (early) return { state: 'fail', detail: `${subjects}: not valid yet; is the clock right?` };
  if (days < 0) return { state: 'fail', detail: `${subjects}: expired ${-days} days ago` };
  return { state: days < DAYS_SOON ? 'warn' : 'ok', detail: `${subjects}: ${days} days left` };
}
