/**
 * Command lines with secrets in them, in all the ways that people write them; for tests that look for the secrets afterwards.
 * Keeps: every secret is made here from its number, so that it stands in no other file; each is long enough to be looked for.
 */

export interface Planted {
  /** Path of the program. */
  readonly image: string;
  readonly commandLine: string;
  /** What must be found nowhere: the secret as written, and as decoded where it is encoded. */
  readonly secrets: readonly string[];
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Letters and digits that look like chance; the same number gives the same. */
function letters(seed: number, count: number, alphabet = ALPHABET): string {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  let text = '';
  for (let at = 0; at < count; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += alphabet[(state >>> 16) % alphabet.length];
  }
  return text;
}

const upper = (seed: number, count: number): string =>
  letters(seed, count, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567');
const digits = (seed: number, count: number): string => letters(seed, count, '123456789');
const hex = (seed: number): string => letters(seed, 32, '0123456789abcdef');
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const encoded = (script: string): string => Buffer.from(script, 'utf16le').toString('base64');

/** `{s}` is where the secret goes; a password of letters, digits and signs that need no quotes. */
const PASSWORDS: readonly (readonly [image: string, commandLine: string])[] = [
  ['net.exe', 'net use Z: \\\\srv01\\share {s} /user:OFFICE\\ivanov /persistent:yes'],
  ['net.exe', 'net  use \\\\10.0.0.5\\ipc$ /u:admin {s}'],
  [
    'net.exe',
    '"C:\\Windows\\System32\\net.exe" use * "\\\\srv 01\\share" "{s} with blanks" /user:"a b"',
  ],
  ['net1.exe', 'C:\\Windows\\system32\\net1 user backdoor {s} /add'],
  ['net.exe', 'net user /add petrov {s} /domain'],
  ['cmd.exe', 'cmd.exe /c "net use x: \\\\srv\\d$ {s} /user:dom\\me & dir x:"'],
  ['cmd.exe', 'cmd /c "net use x: "\\\\srv\\a b" {s} /user:me"'],
  ['wmic.exe', 'wmic /node:pc7 /user:OFFICE\\adm /password:{s} process call create "calc.exe"'],
  ['wmic.exe', 'wmic /node:pc7 /user:adm /password:"{s} two" os get caption'],
  ['psexec.exe', 'PsExec64.exe \\\\pc7 -accepteula -u OFFICE\\adm -p {s} -s cmd'],
  ['psexec.exe', 'psexec \\\\pc7 -u adm -p "{s} two" ipconfig'],
  ['plink.exe', 'plink -ssh root@10.0.0.9 -pw {s} uptime'],
  ['sshpass.exe', 'sshpass -p{s} ssh root@host'],
  ['mysql.exe', 'C:\\Program Files\\MySQL\\bin\\mysql.exe -u root -p{s} -h db shop'],
  ['mysqldump.exe', 'mysqldump --user=root --password={s} shop'],
  ['curl.exe', 'curl -s -u admin:{s} https://nexus.example/repository'],
  ['curl.exe', "curl --user 'admin:{s}' https://nexus.example/"],
  ['curl.exe', 'curl -uadmin:{s} https://nexus.example/'],
  ['curl.exe', 'curl --proxy-user proxy:{s} https://nexus.example/'],
  ['wget.exe', 'wget --http-password={s} --user=me https://x.example/'],
  ['git.exe', 'git clone https://deploy:{s}@git.example/it/repo.git'],
  ['sqlcmd.exe', 'sqlcmd -S srv -U sa -P {s} -Q "select 1"'],
  ['bcp.exe', 'bcp db.dbo.t out t.txt -c -U sa -P{s}'],
  ['schtasks.exe', 'schtasks /create /tn Backup /tr b.cmd /sc daily /ru OFFICE\\svc /rp {s}'],
  ['schtasks.exe', 'schtasks /query /s pc7 /u adm /p "{s} two"'],
  ['cmdkey.exe', 'cmdkey /add:srv01 /user:OFFICE\\ivanov /pass:{s}'],
  [
    'reg.exe',
    'reg add "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon" /v DefaultPassword /t REG_SZ /d {s} /f',
  ],
  ['runas.exe', 'lsrunas /user:adm /password:{s} /domain:OFFICE /command:cmd'],
  ['sc.exe', 'sc config Backup obj= OFFICE\\svc password= {s}'],
  ['setx.exe', 'setx DB_PASSWORD {s} /M'],
  ['msiexec.exe', 'msiexec /i agent.msi SVC_USER=svc SVC_PASSWORD={s} /qn'],
  ['1cv8.exe', '1cv8.exe ENTERPRISE /S"srv1c\\accounting" /N"Бухгалтер" /P"{s}"'],
  ['1cv8c.exe', '1cv8c /IBConnectionString "Srvr=srv;Ref=acc;Usr=adm;Pwd={s};"'],
  ['rar.exe', 'rar a -hp{s} backup.rar D:\\docs'],
  ['7z.exe', '"C:\\Program Files\\7-Zip\\7z.exe" a -p"{s} two" x.7z d'],
  ['openssl.exe', 'openssl pkcs12 -export -passout pass:{s} -in a.crt'],
  ['keytool.exe', 'keytool -list -keystore a.jks -storepass {s}'],
  [
    'powershell.exe',
    'powershell -Command "$p = ConvertTo-SecureString \'{s}\' -AsPlainText -Force"',
  ],
  ['powershell.exe', "powershell -c \"New-Object Net.NetworkCredential('adm','{s}')\""],
  ['powershell.exe', 'powershell -c "net use x: \\\\s\\p \\"{s} two\\" /user:me"'],
  ['powershell.exe', "pwsh -File deploy.ps1 -UserName adm -Password '{s} two'"],
  ['java.exe', 'java -Djavax.net.ssl.keyStorePassword={s} -jar a.jar'],
  ['node.exe', 'node app.js --db-password "{s} two" --port 80'],
  ['app.exe', 'app.exe {"login":"adm","password":"{s}"}'],
  ['app.exe', 'app.exe "{\\"password\\": \\"{s} two\\"}"'],
  ['app.exe', 'app --token {s} --verbose'],
  ['app.exe', 'app /secret:{s}'],
  ['app.exe', 'app --client-secret={s}'],
  ['tool.exe', 'tool.exe /u:OFFICE\\adm /p:{s} /target:pc7'],
  ['dbtool.exe', 'dbtool "Server=db;Database=shop;User Id=sa;Password={s} two;Encrypt=True"'],
  ['dbtool.exe', 'dbtool Data Source=db;Uid=sa;Pwd={s};Timeout=5'],
  [
    'anydesk.exe',
    'cmd /c echo {s} | "C:\\Program Files (x86)\\AnyDesk\\AnyDesk.exe" --set-password',
  ],
  ['rasdial.exe', 'rasdial Office ivanov {s}'],
  ['docker.exe', 'docker login -u ci -p {s} registry.example'],
  ['sqlplus.exe', 'sqlplus scott/{s}@orcl'],
  ['vnc.exe', 'tvnserver -controlservice -password {s}'],
  ['curl.exe', 'curl -H "Authorization: Splunk {s}" https://x.example'],
  ['curl.exe', 'curl -H "X-Api-Key: {s}" https://x.example'],
  ['curl.exe', 'curl -H "Cookie: session={s}; b=c" https://x.example'],
  ['net.exe', 'net use Z: https://dav.example/docs {s} /user:me'],
  ['cmd.exe', 'cmd /c n^et us^er petrov {s} /add'],
  ['psexec.exe', 'psexec \\\\pc7 \u2013u adm \u2013p {s} cmd'],
  ['app.exe', 'app \u2014password {s}'],
  ['powershell.exe', 'powershell -c Connect-Db -Password \u201c{s} two\u201d'],
  ['curl.exe', 'curl -sku admin:{s} https://nexus.example/'],
  ['curl.exe', 'curl -E C:\\certs\\a.pem:{s} https://x.example'],
  ['curl.exe', 'curl --cookie "JSESSIONID={s}" https://x.example'],
  ['mysqladmin.exe', 'mysqladmin -u root password {s}'],
  ['gbak.exe', 'gbak -b -user SYSDBA -pas {s} a.fdb a.fbk'],
  ['csptest.exe', 'csptest -keycopy -pin {s}'],
  ['gcloud.exe', 'gcloud auth activate-refresh-token me {s}'],
  ['npm.cmd', 'npm config set //r.example/:_authToken {s}'],
  ['npm.cmd', 'npm login --_auth={s}'],
  ['ngrok.exe', 'ngrok config add-authtoken {s}'],
  ['rclone.exe', 'rclone config create nas sftp user me pass {s}'],
  ['vault.exe', 'vault login {s}'],
  ['msiexec.exe', 'msiexec /i launchbeat.msi SERVER=https://c.example KEY=pc7:{s} /qn'],
  ['python.exe', 'python secretsdump.py OFFICE/adm:{s}@pc7'],
  ['python.exe', "python -c \"requests.get(u, auth=('me', '{s} two'))\""],
  ['java.exe', 'java -jar a.jar jdbc:oracle:thin:scott/{s}@//db:1521/orcl'],
  ['exp.exe', 'exp userid=scott/{s}@orcl file=a.dmp'],
  ['docker.exe', 'cmd /c echo {s} | docker login -u ci --password-stdin registry.example'],
  ['powershell.exe', "powershell -c \"[Net.NetworkCredential]::new('adm','{s}')\""],
  [
    'powershell.exe',
    'powershell -c "New-Object Net.NetworkCredential -ArgumentList $u, \'{s} two\'"',
  ],
  ['app.exe', 'app.exe "{""login"":""adm"",""password"":""{s} two""}"'],
  ['app.exe', 'app --токен {s}'],
  ['azcopy.exe', 'azcopy copy "https://a.blob.core.windows.net/c?sv=2022&sig={s}&se=2027" d'],
];

/** Secrets with a look of their own. */
const SHAPED: readonly ((seed: number) => string)[] = [
  (seed) => `AKIA${upper(seed, 16)}`,
  (seed) => `ghp_${letters(seed, 36)}`,
  (seed) => `github_pat_${letters(seed, 22)}_${letters(seed + 1, 59)}`,
  (seed) => `glpat-${letters(seed, 20)}`,
  (seed) => `xoxb-${digits(seed, 12)}-${digits(seed + 1, 12)}-${letters(seed, 24)}`,
  (seed) => `${digits(seed, 10)}:AA${letters(seed, 33)}`,
  (seed) => `eyJ${letters(seed, 30)}.eyJ${letters(seed + 1, 40)}.${letters(seed + 2, 43)}`,
  (seed) => `AIza${letters(seed, 35)}`,
  (seed) => `sk-proj-${letters(seed, 40)}`,
  (seed) => `npm_${letters(seed, 36)}`,
  (seed) => `hvs.${letters(seed, 24)}`,
  (seed) => Array.from({ length: 8 }, (_, at) => digits(seed + at, 6)).join('-'),
];

/** All of them, numbered from `seed`. */
export function plantedSecrets(seed = 0): Planted[] {
  const planted: Planted[] = PASSWORDS.map(([image, commandLine], at) => {
    const secret = `Zq${letters(seed + at, 10)}7x`;
    return {
      image: `C:\\Tools\\${image}`,
      commandLine: commandLine.replace('{s}', secret),
      secrets: [secret],
    };
  });
  for (const [at, make] of SHAPED.entries()) {
    const secret = make(seed + 100 + at * 10);
    planted.push({
      image: 'C:\\Tools\\app.exe',
      commandLine: `app.exe run "${secret}" --quiet`,
      secrets: [secret],
    });
  }
  const password = (at: number): string => `Zq${letters(seed + at, 14)}`;
  const basic = base64(`adm:${password(300)}`);
  const bearer = letters(seed + 301, 40);
  const script = `$c = New-Object PSCredential('a', (ConvertTo-SecureString '${password(302)}' -AsPlainText -Force))`;
  const nested = `powershell -enc ${encoded(`net use x: \\\\s\\p ${password(303)} /user:a`)}`;
  const key = `-----BEGIN RSA PRIVATE KEY-----\\n${letters(seed + 304, 64)}\\n-----END RSA PRIVATE KEY-----`;
  const account = `${base64(letters(seed + 305, 60))}`;
  planted.push(
    {
      image: 'C:\\Tools\\curl.exe',
      commandLine: `curl -H "Authorization: Basic ${basic}" https://x.example/`,
      secrets: [basic, password(300)],
    },
    {
      image: 'C:\\Tools\\curl.exe',
      commandLine: `curl -H 'Authorization: Bearer ${bearer}' https://x.example/`,
      secrets: [bearer],
    },
    {
      image: 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe',
      commandLine: `powershell -NoP -EncodedCommand ${encoded(script)}`,
      secrets: [encoded(script), password(302)],
    },
    {
      image: 'C:\\Windows\\System32\\cmd.exe',
      commandLine: `cmd /c start /b powershell.exe -e "${encoded(nested)}"`,
      secrets: [encoded(nested), password(303)],
    },
    ...[
      `powershell.exe -e^n^c ${encoded(nested)}`,
      `powershell.exe "-enc" "${encoded(nested)}"`,
      `powershell.exe -ea ${encoded(nested)}`,
      `powershell -c "iex([Text.Encoding]::Unicode.GetString([Convert]::FromBase64String('${encoded(nested)}')))"`,
    ].map((commandLine) => ({
      image: 'C:\\Windows\\System32\\cmd.exe',
      commandLine,
      secrets: [encoded(nested), password(303)],
    })),
    {
      image: 'C:\\Windows\\System32\\cmd.exe',
      commandLine: `powershell -c "iex([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('${base64(`net user me ${password(306)}`)}')))"`,
      secrets: [base64(`net user me ${password(306)}`), password(306)],
    },
    {
      image: 'C:\\Tools\\mimikatz.exe',
      commandLine: `mimikatz "sekurlsa::pth /user:adm /ntlm:${hex(seed + 307)}"`,
      secrets: [hex(seed + 307)],
    },
    {
      image: 'C:\\Tools\\app.exe',
      commandLine: `app --key "${key}"`,
      secrets: [letters(seed + 304, 64)],
    },
    {
      image: 'C:\\Tools\\azcopy.exe',
      commandLine: `azcopy "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${account};EndpointSuffix=core"`,
      secrets: [account],
    },
    {
      image: 'C:\\Tools\\sb.exe',
      commandLine: `sb Endpoint=sb://a.example/;SharedAccessKeyName=root;SharedAccessKey=${account}x`,
      secrets: [`${account}x`],
    },
  );
  return planted;
}
