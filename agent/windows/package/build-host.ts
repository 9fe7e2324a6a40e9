/**
 * Compiles launchbeat.exe (service host and command line) and the MSI's custom actions from host/, with mingw-w64.
 * Keeps: the same sources give the same bytes; no time, path or user name of the build is in them.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { icon } from './icon.ts';
import { DIST, PACKAGE_FOLDER, PRODUCT, VERSION } from './layout.ts';
import { serviceSid } from './service-account.ts';

const TOOL = 'x86_64-w64-mingw32-';
const SOURCES = join(PACKAGE_FOLDER, 'host');
const SHARED = ['paths', 'account', 'protected-folder', 'settings', 'setup'];
const EXE = ['main', 'service', 'agent-process', 'protect'];
const DLL = ['msi-actions'];
const LIBRARIES = ['advapi32', 'netapi32', 'shell32', 'ole32', 'crypt32'];
const EVENT_SOURCE_KEY = `SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\${PRODUCT.service}`;

/** A C string literal, wide. */
const wide = (text: string): string => `L"${text.replaceAll('\\', '\\\\')}"`;

const definitionsOf = (version: string) => ({
  UNICODE: '1',
  _UNICODE: '1',
  WIN32_LEAN_AND_MEAN: '1',
  _WIN32_WINNT: '0x0A00',
  LAUNCHBEAT_VERSION: wide(version),
  LAUNCHBEAT_SERVICE_SID: wide(serviceSid(PRODUCT.service)),
  LAUNCHBEAT_DESCRIPTION: wide(PRODUCT.description),
  LAUNCHBEAT_EVENT_SOURCE_KEY: wide(EVENT_SOURCE_KEY),
});

const COMPILE = [
  ...['-std=c17', '-Os', '-Wall', '-Wextra', '-Werror', '-fno-ident', '-municode'],
  ...['-fstack-protector-strong', '-ffile-prefix-map=.=host'],
];
/** Address space layout randomisation, no executable data, no time of the build; libgcc and libssp inside. */
const LINK = [
  ...[
    '-s',
    '-static',
    '-fstack-protector-strong',
    '-Wl,--no-insert-timestamp',
    '-Wl,--dynamicbase',
    '-Wl,--nxcompat',
  ],
  '-Wl,--high-entropy-va',
];

export interface HostOptions {
  /** Absolute path of the folder that is made anew; default `dist/windows/host`. */
  readonly out?: string;
  readonly version?: string;
  /** For a test under Wine, which keeps no owners of files. Never shipped. */
  readonly forWine?: boolean;
}

export interface HostFiles {
  readonly exe: string;
  readonly dll: string;
  readonly ico: string;
}

function run(tool: string, args: readonly string[]): void {
  try {
    execFileSync(TOOL + tool, args, { cwd: SOURCES, stdio: ['ignore', 'inherit', 'inherit'] });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new Error(`${TOOL}${tool} is not installed (Debian: apt-get install mingw-w64).`, {
      cause,
    });
  }
}

/** Compiles everything; gives the files. */
export function buildHost(options: HostOptions = {}): HostFiles {
  const { out = join(DIST, 'host'), version = VERSION, forWine = false } = options;
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const ico = join(out, 'launchbeat.ico');
  writeFileSync(ico, icon());
  run('windmc', ['-b', '-h', out, '-r', out, 'messages.mc']);
  const resources = join(out, 'resources.o');
  run('windres', [
    ...['-i', 'launchbeat.rc', '-o', resources, '-O', 'coff', '-I', out],
    `-DVERSION_COMMAS=${version.replaceAll('.', ',')},0`,
    `-DVERSION_TEXT=\\"${version}\\"`,
  ]);
  const definitions = Object.entries(definitionsOf(version)).map(
    ([name, value]) => `-D${name}=${value}`,
  );
  if (forWine) definitions.push('-DLAUNCHBEAT_FOR_WINE');
  const compile = (names: readonly string[]): string[] =>
    names.map((name) => {
      const object = join(out, `${name}.o`);
      run('gcc', [...COMPILE, ...definitions, `-I${out}`, '-c', `${name}.c`, '-o', object]);
      return object;
    });
  const shared = compile(SHARED);
  const libraries = LIBRARIES.map((name) => `-l${name}`);
  const exe = join(out, 'launchbeat.exe');
  run('gcc', [
    ...['-municode', ...LINK, '-o', exe],
    ...[...compile(EXE), ...shared, resources, ...libraries],
  ]);
  const dll = join(out, 'launchbeat-msi.dll');
  run('gcc', [
    // Without it ld takes a base address from the path of the output.
    ...['-shared', '-Wl,--image-base,0x180000000', ...LINK, '-o', dll],
    ...[...compile(DLL), ...shared, ...libraries, '-lmsi'],
  ]);
  return { exe, dll, ico };
}
