/**
 * `http:` of collector.yml: where the collector listens, and with which certificate.
 * Keeps: outside loopback TLS is the default; plain HTTP there has to be asked for.
 */
import { duration, stringList } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import { parseNetwork } from './client-address.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

export const httpConfigSchema = z
  .strictObject({
    /** Address or name to listen on; 0.0.0.0 or :: = all. */
    host: z.string().min(1).default('localhost'),
    /** 0 = any free one. */
    port: z.int().min(0).max(65_535).default(8443),
    tls: z
      .strictObject({
        /** false: plain HTTP also outside loopback, behind a proxy that speaks TLS. */
        enabled: z.boolean().default(true),
        /** PEM file: the certificate and those between it and its CA. Absent on loopback: plain HTTP. */
        certificate: z.string().min(1).optional(),
        /** PEM file with its private key. */
        key: z.string().min(1).optional(),
        /** Whether agents show a certificate too: none, optional (one that is shown must be right), required. */
        client_authentication: z.enum(['none', 'optional', 'required']).default('none'),
        /** PEM files of those who may have signed the certificates of agents. */
        certificate_authorities: stringList(),
      })
      .prefault({}),
    /** Connections at once; more are closed as they come. */
    connections_max: z.int().positive().default(5000),
    /** Connections at once of one address, proxies of the list below left out; more are closed as they come. */
    connections_per_address_max: z.int().positive().default(2000),
    /** Networks of proxies whose word on the client's address counts. */
    trusted_proxies: stringList().refine(
      (networks) => networks.every((one) => parseNetwork(one) !== undefined),
      'Expected addresses or networks, such as 10.0.0.7 or 10.0.0.0/8',
    ),
    /** The header that these proxies write; the other one is a client's own and never looked at. */
    forwarded_header: z.enum(['x-forwarded-for', 'forwarded']).default('x-forwarded-for'),
    /** Running requests may take so long when the collector ends. */
    stop_timeout: duration('20s'),
  })
  .prefault({})
  .superRefine(({ host, tls }, context) => {
    if (!tls.enabled) return;
    if (tls.client_authentication !== 'none') {
      const missing =
        tls.certificate === undefined
          ? 'certificate'
          : tls.certificate_authorities.length === 0
            ? 'certificate_authorities'
            : undefined;
      if (missing !== undefined) {
        const message = 'Missing, and http.tls.client_authentication wants it.';
        context.addIssue({ code: 'custom', path: ['tls', missing], message });
        return;
      }
    }
    if ((tls.certificate === undefined) !== (tls.key === undefined)) {
      const missing = tls.key === undefined ? 'key' : 'certificate';
      const message = 'Certificate and key belong together. Name both files.';
      context.addIssue({ code: 'custom', path: ['tls', missing], message });
    } else if (tls.certificate === undefined && !LOOPBACK.test(host)) {
      const message =
        'Missing outside loopback. Make one with launchbeat-collector certs init, ' +
        'or set http.tls.enabled: false behind a proxy that speaks TLS.';
      context.addIssue({ code: 'custom', path: ['tls', 'certificate'], message });
    }
  });

export type HttpConfig = z.infer<typeof httpConfigSchema>;
