/**
 * Which options of which programs take a secret, where the option's name alone does not say so (`-p`, `-u`, `/p`).
 * Source: each program's own help. Options that say what they are (`--password`, `/pass:`) need no row here.
 */

/** How one program takes secrets. Options are compared as written unless `ignoresCase`. */
export interface ProgramOptions {
  /** File names without `.exe`, lower case. */
  readonly names: string;
  /** The next argument is the secret. */
  readonly separate?: string;
  /** What follows in the same argument is the secret, also behind `:` or `=`. */
  readonly glued?: string;
  /** As `glued`, but only behind `:`. */
  readonly colon?: string;
  /** The next argument is `user:secret`, `user%secret` or `user,secret`. */
  readonly login?: string;
  /** Two arguments follow, the second is the secret. */
  readonly second?: string;
  /** Three arguments follow, the third is the secret. */
  readonly third?: string;
  readonly ignoresCase?: boolean;
  /** Holds only when this argument came before. */
  readonly requires?: string;
  /** Arguments that look like a glued option and are none. */
  readonly not?: RegExp;
}

export const PROGRAM_OPTIONS: readonly ProgramOptions[] = [
  {
    names:
      'mysql mysqldump mysqladmin mysqlimport mysqlcheck mysqlshow mysqlslap mysqlpump mysqlsh mariadb mariadb-dump mariadb-admin',
    glued: '-p',
    not: /^-p(?:rotocol|ort|rompt|lugin)/,
  },
  { names: 'sshpass', separate: '-p', glued: '-p' },
  { names: 'plink pscp psftp putty klink kscp kitty', separate: '-pw' },
  {
    names:
      'psexec psexec64 paexec csexec pskill pskill64 pslist pslist64 psservice psservice64 psinfo psinfo64 psloglist ' +
      'psloglist64 pssuspend pssuspend64 psfile psfile64 psgetsid psgetsid64 psshutdown psshutdown64',
    separate: '-p /p',
    ignoresCase: true,
  },
  {
    names: 'curl',
    login: '-u --user -U --proxy-user --proxy-basic',
    separate: '--oauth2-bearer --pass --proxy-pass',
  },
  { names: 'lftp', login: '-u --user' },
  {
    names: '7z 7za 7zr 7zg rar winrar unrar winzip32 winzip64 wzzip bz bandizip',
    glued: '-p -hp',
    ignoresCase: true,
  },
  { names: 'zip unzip', separate: '-P' },
  { names: 'sqlcmd osql bcp', separate: '-P', glued: '-P' },
  // Sybase's and Firebird's.
  { names: 'isql', separate: '-P -pas -pa', glued: '-P' },
  { names: 'gbak gfix gsec nbackup gstat', separate: '-pas -pa', ignoresCase: true },
  { names: 'redis-cli', separate: '-a' },
  {
    names: 'mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop',
    separate: '-p',
  },
  {
    names:
      'schtasks at tasklist taskkill systeminfo driverquery getmac openfiles eventcreate gpresult takeown waitfor bootcfg typeperf',
    separate: '/p -p /rp -rp',
    colon: '/p /rp',
    ignoresCase: true,
  },
  { names: 'logman', second: '-u --u', ignoresCase: true },
  {
    names: 'winrs winrm wevtutil wecutil xfreerdp wfreerdp freerdp mstsc wbadmin sdelete',
    colon: '/p -p /up -up',
    ignoresCase: true,
  },
  { names: 'rdesktop', separate: '-p', glued: '-p' },
  {
    names: 'netdom',
    colon: '/pd /po /pu /ps /pm /pt /passwordd /passwordo /passwordu /passwordm /passwordt',
    ignoresCase: true,
  },
  { names: 'dsadd dsmod dsquery dsget dsrm dsmove', separate: '-p', ignoresCase: true },
  { names: 'ldifde csvde', third: '-b', ignoresCase: true },
  {
    names: 'ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldappasswd',
    separate: '-w -s -a',
    glued: '-w',
    requires: '-d',
  },
  { names: 'smbclient rpcclient smbget winexe', login: '-U --user' },
  {
    names: 'crackmapexec cme nxc netexec evil-winrm hydra medusa smbmap wmiexec secretsdump',
    separate: '-p -H -hashes',
  },
  { names: 'docker podman nerdctl az', separate: '-p', requires: 'login' },
  { names: 'dotnet nuget', separate: '-k', requires: 'push' },
  { names: 'twine', separate: '-p' },
  { names: 'certutil certreq signtool', separate: '/p -p', ignoresCase: true },
  { names: 'pvk2pfx', separate: '-pi -po /pi /po', ignoresCase: true },
  { names: 'openssl', separate: '-k -K' },
  { names: 'keytool jarsigner', separate: '-storepass -keypass -srcstorepass -deststorepass' },
  {
    names: '1cv8 1cv8c 1cv8s 1cestart',
    separate: '/P -P /ConfigurationRepositoryP /WSP /UC',
    glued: '/P -P /UC',
    not: /^[/-](?:P(?:roxy|nt|Srv|Port)|UCaddr)/i,
  },
  { names: 'teamviewer', separate: '-P -p --passwd' },
  { names: 'veracrypt truecrypt', separate: '/p -p', ignoresCase: true },
  {
    names: 'rubeus mimikatz sharphound',
    colon: '/rc4 /aes128 /aes256 /des /hash /ntlm /ldappassword',
    ignoresCase: true,
  },
  { names: 'runasspc lsrunas lsrunase cpau', separate: '-p /p', colon: '-p /p', ignoresCase: true },
  { names: 'snmpwalk snmpget snmpset', separate: '-c -A -X' },
  { names: 'ipmitool', separate: '-P' },
  { names: 'vmrun', separate: '-gp -vp -p' },
  { names: 'steam steamcmd', second: '-login +login' },
  { names: 'gcloud', second: 'activate-refresh-token' },
  { names: 'ngrok', separate: 'authtoken add-authtoken' },
  { names: 'csptest csptestf certmgr cryptcp', separate: '-pin', ignoresCase: true },
  { names: 'pkcs11-tool pkcs15-tool', separate: '--pin --so-pin --new-pin -p' },
  { names: 'netsh', glued: 'key= keymaterial=', ignoresCase: true },
];
