/**
 * The fixed ids of the backup. They never change, so that the files stay the same byte for byte and an import script can name them.
 * Import-GPO gives the imported GPO an id of its own; these describe only where the backup "came from".
 */
export interface GpoIdentity {
  /** Id of the backup, which is also the name of its folder. */
  readonly backupId: string;
  readonly gpoId: string;
  readonly displayName: string;
  /** A domain that cannot exist (RFC 2606): the backup comes from no domain. */
  readonly domain: string;
  readonly domainId: string;
  readonly domainController: string;
  /** Local time without a zone, as GPMC writes it. */
  readonly backupTime: string;
  readonly comment: string;
  /** Version of the computer half; AD and SYSVOL carry the same. */
  readonly version: number;
}

export const GPO_IDENTITY: GpoIdentity = {
  backupId: '{5D3C0A51-6E0B-4B0E-9C0F-4688A0D17001}',
  gpoId: '{5D3C0A51-6E0B-4B0E-9C0F-4688A0D17002}',
  displayName: 'Launchbeat audit policy',
  domain: 'launchbeat.invalid',
  domainId: '{5d3c0a51-6e0b-4b0e-9c0f-4688a0d17003}',
  domainController: 'dc.launchbeat.invalid',
  backupTime: '2026-01-01T00:00:00',
  comment:
    'Process creation auditing with command lines, and a Security log that holds days of it.',
  version: 1,
};
