/**
 * Gives the software bill of materials (CycloneDX 1.5) of what is shipped: the packages in the bundle, Node.js, our own parts.
 * `npm sbom` writes the packages with their licences and digests; what is not in the bundle is left out of it, and so are the
 * time and the random number, which would make every build another one.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { BundledPackage } from './bundle-agent.ts';
import type { NodeFiles } from './fetch-node.ts';
import { BUILD_TIME, PRODUCT, ROOT, VERSION } from './layout.ts';

interface Component {
  readonly purl: string;
  readonly [key: string]: unknown;
}

/** `pkg:npm/%40scope/name@version`. */
const purlOf = ({ name, version }: BundledPackage): string =>
  `pkg:npm/${name.replace('@', '%40')}@${version}`;

/** A UUID (version 8) that follows from a text. */
export function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/** The text of the bill. Throws where npm does not know a package that is in the bundle. */
export function billOfMaterials(packages: readonly BundledPackage[], node: NodeFiles): string {
  const listed = JSON.parse(
    execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--loglevel=error'], {
      cwd: ROOT,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    }),
  ) as { components: Component[] };
  const byPurl = new Map(listed.components.map((one) => [one.purl, one]));
  const components = packages.map((one) => {
    const component = byPurl.get(purlOf(one));
    if (component === undefined) throw new Error(`npm sbom does not list ${purlOf(one)}`);
    return component;
  });
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    serialNumber: '',
    version: 1,
    metadata: {
      timestamp: BUILD_TIME.toISOString(),
      component: {
        'bom-ref': `launchbeat-agent@${VERSION}`,
        type: 'application',
        name: PRODUCT.name,
        version: VERSION,
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components: [
      {
        'bom-ref': `node@${node.version}`,
        type: 'application',
        name: 'node.exe',
        version: node.version,
        purl: `pkg:generic/nodejs@${node.version}`,
        supplier: { name: 'OpenJS Foundation' },
        hashes: [{ alg: 'SHA-256', content: node.exeSha256 }],
        licenses: [{ license: { id: 'MIT' } }],
      },
      ...components,
    ],
  };
  const serial = uuidOf(JSON.stringify(bill));
  return `${JSON.stringify({ ...bill, serialNumber: `urn:uuid:${serial}` }, undefined, 2)}\n`;
}
