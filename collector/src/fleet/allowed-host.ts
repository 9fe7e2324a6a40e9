/**
 * Takes the computer that an event is of and those that a key may speak for, says whether it may be sent.
 * Keeps: names are compared without case; a host without a domain stands for that host in any domain, since an agent knows its
 * short name and events have the full one.
 */

/** A host name as it is stored with a key. */
export function hostKey(host: string): string {
  return host.trim().toLowerCase();
}

/** Whether a key for these hosts may send events of the computer; undefined = any computer. */
export function isAllowedHost(hosts: readonly string[] | undefined, computer: string): boolean {
  if (hosts === undefined) return true;
  const name = hostKey(computer);
  const [short = ''] = name.split('.');
  return hosts.some((host) => host === name || (!host.includes('.') && host === short));
}
