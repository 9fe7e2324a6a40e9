/**
 * Writes the source of the MSI (WiX 3's language, as far as wixl knows it) from the staged files.
 * What wixl cannot say is put into the tables afterwards: see build-msi.ts.
 */
import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { PRODUCT } from './layout.ts';
import { uuidOf } from './sbom.ts';

/** Never to be changed: Windows knows by it that two versions are the same product. */
export const UPGRADE_CODE = '7D0B9D5C-6F0C-4E6B-8B7A-5A3C2E46884A';

/** What may be told at the command line of msiexec; the values here are the MSI's own (`make windows SERVER=…`). */
export interface Defaults {
  readonly SERVER?: string;
  readonly KEYFILE?: string;
  readonly CA?: string;
  readonly PROGRAMS?: string;
  /** For every PC that installs it; one that expires, or has a number of uses. */
  readonly TOKEN?: string;
  readonly SERVICEACCOUNT?: string;
}

export interface MsiSourceOptions {
  /** The folder in which wixl will run: it takes relative paths alone. */
  readonly folder: string;
  /** The staged tree. */
  readonly stage: string;
  readonly version: string;
  /** Paths below the staged tree, with forward slashes. */
  readonly files: readonly string[];
  readonly dll: string;
  readonly ico: string;
  readonly defaults: Defaults;
}

const escaped = (text: string): string =>
  // A single dollar would begin one of wixl's own variables.
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replaceAll('$', '$$$$');

/** An MSI identifier for a path. */
const idOf = (kind: string, path: string): string =>
  `${kind}_${createHash('sha256').update(path).digest('hex').slice(0, 24)}`;

const guidOf = (path: string): string => uuidOf(`component ${path}`).toUpperCase();

const SERVICE = `
          <ServiceInstall Id="Service" Name="${PRODUCT.service}" DisplayName="${PRODUCT.name}" Description="${PRODUCT.description}"
              Type="ownProcess" Start="auto" ErrorControl="normal" Account="[SERVICEACCOUNT]" Arguments="--service">
            <ServiceDependency Id="EventLog"/>
          </ServiceInstall>
          <ServiceControl Id="StopService" Name="${PRODUCT.service}" Stop="both" Remove="uninstall" Wait="yes"/>
          <ServiceControl Id="StartService" Name="${PRODUCT.service}" Start="install" Wait="no"/>
          <RegistryValue Root="HKLM" Key="SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\${PRODUCT.service}" Name="EventMessageFile"
              Type="expandable" Value="[INSTALLFOLDER]launchbeat.exe"/>
          <RegistryValue Root="HKLM" Key="SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\${PRODUCT.service}" Name="TypesSupported"
              Type="integer" Value="7"/>
          <RegistryValue Root="HKLM" Key="SOFTWARE\\${PRODUCT.name}" Name="ServiceAccount" Type="string" Value="[SERVICEACCOUNT]"/>`;

function component(file: string, source: string): string {
  const isHost = file === 'launchbeat.exe';
  const name = file.split('/').at(-1) ?? file;
  return `
        <Component Id="${idOf('c', file)}" Guid="{${guidOf(file)}}" Win64="yes">
          <File Id="${idOf('f', file)}" Name="${escaped(name)}" Source="${escaped(source)}" KeyPath="yes"/>${isHost ? SERVICE : ''}
        </Component>`;
}

/** The directory elements below a folder, with their components. */
function directories(files: readonly string[], above: string, stage: string): string {
  const inside = files.filter((file) => file.startsWith(above));
  const direct = inside.filter((file) => !file.slice(above.length).includes('/'));
  const folders = new Set(
    inside.flatMap((file) => {
      const rest = file.slice(above.length);
      return rest.includes('/') ? [rest.slice(0, rest.indexOf('/'))] : [];
    }),
  );
  const below = [...folders].map((folder) => {
    const path = `${above}${folder}/`;
    return `
        <Directory Id="${idOf('d', path)}" Name="${escaped(folder)}">${directories(files, path, stage)}
        </Directory>`;
  });
  return [...direct.map((file) => component(file, `${stage}/${file}`)), ...below].join('');
}

/** Names and values of what was told. wixl dies of a text beyond ASCII: such ones are put into the table afterwards. */
export const told = (defaults: Defaults, isAscii: boolean): readonly [string, string][] =>
  Object.entries(defaults as Record<string, string>).filter(
    ([, value]) => value !== '' && /^[\x20-\x7e]*$/.test(value) === isAscii,
  );

const properties = (defaults: Defaults): string =>
  told(defaults, true)
    .map(([name, value]) => `\n    <Property Id="${name}" Value="${escaped(value)}"/>`)
    .join('');

/** The text of the .wxs. */
export function msiSource(options: MsiSourceOptions): string {
  const { folder, version, files, defaults } = options;
  const [stage, dll, ico] = [options.stage, options.dll, options.ico].map((path) =>
    relative(folder, path),
  ) as [string, string, string];
  const productCode = uuidOf(`product ${version}`).toUpperCase();
  return `<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="{${productCode}}" Name="${PRODUCT.name}" Language="1033" Version="${version}" Manufacturer="${PRODUCT.manufacturer}"
      UpgradeCode="{${UPGRADE_CODE}}">
    <Package InstallerVersion="500" Compressed="yes" InstallScope="perMachine" Languages="1033"
        Description="${PRODUCT.name} agent ${version}" Comments="${PRODUCT.description}" Manufacturer="${PRODUCT.manufacturer}"/>
    <MajorUpgrade DowngradeErrorMessage="A newer version of ${PRODUCT.name} is installed already."/>
    <Media Id="1" Cabinet="launchbeat.cab" EmbedCab="yes"/>
    <Icon Id="launchbeat.ico" SourceFile="${escaped(ico)}"/>
    <Binary Id="Actions" SourceFile="${escaped(dll)}"/>
    <Condition Message="${PRODUCT.name} needs Windows 10, Windows Server 2016 or newer, 64-bit.">Installed OR (VersionNT64 &gt;= 603)</Condition>

    <Property Id="ARPPRODUCTICON" Value="launchbeat.ico"/>
    <Property Id="ARPNOMODIFY" Value="1"/>
    <Property Id="ARPCOMMENTS" Value="${PRODUCT.description}"/>
    <Property Id="MsiHiddenProperties" Value="KEY;TOKEN;Configure"/>${properties(defaults)}
    <Property Id="ACCOUNTBEFORE">
      <RegistrySearch Id="AccountBefore" Root="HKLM" Key="SOFTWARE\\${PRODUCT.name}" Name="ServiceAccount" Type="raw" Win64="yes"/>
    </Property>

    <CustomAction Id="KeepAccount" Property="SERVICEACCOUNT" Value="[ACCOUNTBEFORE]"/>
    <CustomAction Id="DefaultAccount" Property="SERVICEACCOUNT" Value="NT SERVICE\\${PRODUCT.service}"/>
    <CustomAction Id="TellConfigure" Property="Configure" HideTarget="yes"
        Value="[INSTALLFOLDER]|[SERVICEACCOUNT]|[SERVER]|[KEY]|[KEYFILE]|[CA]|[PROGRAMS]|[TOKEN]"/>
    <CustomAction Id="Configure" BinaryKey="Actions" DllEntry="Configure" Execute="deferred" Impersonate="no" HideTarget="yes"/>
    <CustomAction Id="TellCleanUp" Property="CleanUp" Value="[SERVICEACCOUNT]|[PURGE]"/>
    <CustomAction Id="CleanUp" BinaryKey="Actions" DllEntry="CleanUp" Execute="deferred" Impersonate="no"/>

    <Directory Id="TARGETDIR" Name="SourceDir">
      <Directory Id="ProgramFiles64Folder">
        <Directory Id="INSTALLFOLDER" Name="${PRODUCT.name}">${directories(files, '', stage)}
        </Directory>
      </Directory>
    </Directory>

    <Feature Id="Agent" Title="${PRODUCT.name} agent" Level="1">
${files.map((file) => `      <ComponentRef Id="${idOf('c', file)}"/>`).join('\n')}
    </Feature>

    <InstallExecuteSequence>
      <Custom Action="KeepAccount" After="AppSearch">NOT SERVICEACCOUNT AND ACCOUNTBEFORE</Custom>
      <Custom Action="DefaultAccount" After="KeepAccount">NOT SERVICEACCOUNT</Custom>
      <Custom Action="TellConfigure" After="InstallServices">NOT (REMOVE="ALL")</Custom>
      <Custom Action="Configure" After="TellConfigure">NOT (REMOVE="ALL")</Custom>
      <Custom Action="TellCleanUp" After="StopServices">REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE</Custom>
      <Custom Action="CleanUp" After="TellCleanUp">REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE</Custom>
    </InstallExecuteSequence>
  </Product>
</Wix>
`;
}
