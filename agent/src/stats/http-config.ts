/**
 * `http:` of launchbeat.yml, with the keys and defaults of Beats (http-endpoint.asciidoc of Beats): the local statistics.
 */
import { z } from 'zod';

const SOCKET = /^(unix|npipe):\/\/\/./;

export const httpConfigSchema = z
  .strictObject({
    /** Answer questions about this agent over HTTP. */
    enabled: z.boolean().default(false),
    /** Name or address to listen on, or `unix:///path`, `npipe:///name`. There is no key: keep it on this PC. */
    host: z
      .string()
      .min(1)
      .refine(
        (host) => !host.includes('/') || SOCKET.test(host),
        'Expected a name, an address, unix:///path or npipe:///name',
      )
      .default('localhost'),
    /** TCP port. */
    port: z.int().min(0).max(65_535).default(5066),
  })
  .prefault({});

export type HttpConfig = z.infer<typeof httpConfigSchema>;

/** Where node:net listens or connects. */
export type ListenPlace =
  | { readonly path: string }
  | { readonly host: string; readonly port: number };

/** The place that the config names. A pipe is `npipe:///name`, as in Beats; Windows calls it `\\.\pipe\name`. */
export function listenPlace(config: Pick<HttpConfig, 'host' | 'port'>): ListenPlace {
  const { host, port } = config;
  if (host.startsWith('unix://')) return { path: host.slice('unix://'.length) };
  if (host.startsWith('npipe:///'))
    return { path: `\\\\.\\pipe\\${host.slice('npipe:///'.length)}` };
  return { host, port };
}
