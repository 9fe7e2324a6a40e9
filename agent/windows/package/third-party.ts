/**
 * Takes the packages in the bundle and Node.js' own licence, gives the text that must go with them.
 * Keeps: a package without a licence text stops the build.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundledPackage } from './bundle-agent.ts';
import type { NodeFiles } from './fetch-node.ts';

const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\.|-|$)/i;
const RULE = '='.repeat(80);

const mit = (holder: string): string => `MIT License

Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

const isc = (holder: string): string => `ISC License

Copyright (c) ${holder}

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted,
provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED
WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR
CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF
CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.`;

/** Packages whose archive has no licence file: the licence that their package.json names, with its author. */
const MISSING: Readonly<Record<string, string>> = {
  '@ts-evtx/core': mit('Nikolai Smetannikov'),
  saxes: isc('Louis-Dominique Dubeau and contributors'),
};

function licenceOf({ name, folder }: BundledPackage): string {
  const files = readdirSync(folder)
    .filter((file) => LICENCE_FILE.test(file))
    .sort();
  const text =
    files.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n') ||
    MISSING[name];
  if (text === undefined)
    throw new Error(`${name} has no licence file. Write its licence into third-party.ts.`);
  return text;
}

/** The text of THIRD-PARTY-LICENSES.txt, with CRLF. */
export function thirdPartyLicences(packages: readonly BundledPackage[], node: NodeFiles): string {
  const parts = [
    'app\\launchbeat.mjs contains the packages below. node.exe is Node.js, whose licence stands at the end.',
    ...packages.map((one) => `${RULE}\n${one.name} ${one.version}\n${RULE}\n\n${licenceOf(one)}`),
    `${RULE}\nNode.js ${node.version} (node.exe)\n${RULE}\n\n${node.licence.trim()}`,
  ];
  return `${parts.join('\n\n').replaceAll('\r\n', '\n')}\n`.replaceAll('\n', '\r\n');
}
