/*
 * What an installer was told, kept in the data folder and given to the agent at each start:
 *   install.env   NAME=value, UTF-8, a line each. LAUNCHBEAT_COLLECTOR_URL and LAUNCHBEAT_API_KEY, or in its place
 *                 LAUNCHBEAT_ENROLLMENT_TOKEN, are what launchbeat.yml asks for; LAUNCHBEAT_PROGRAMS and
 *                 LAUNCHBEAT_CA_FINGERPRINT become -E settings
 *   ca.crt        the CA's certificate, if one was given as a file
 * Keeps: an upgrade that is told nothing changes nothing; the key stands in no command line.
 */
#include "host.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define FILE_BYTES_MAX (256 * 1024)
#define VALUE_UNITS_MAX 2048
#define LINES_MAX 64

static BOOL told(const wchar_t *value) { return value != NULL && *value != 0; }

/* Reads a small file; the caller frees it. Gives NULL with code ERROR_FILE_NOT_FOUND where there is none. */
static char *read_file(const wchar_t *path, DWORD *size, Fault *fault) {
  HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
  if (file == INVALID_HANDLE_VALUE) {
    DWORD error = GetLastError();
    fault_set(fault, error == ERROR_PATH_NOT_FOUND ? ERROR_FILE_NOT_FOUND : error, L"%ls cannot be read (error %lu).",
              path, error);
    return NULL;
  }
  char *bytes = malloc(FILE_BYTES_MAX + 1);
  BOOL done = bytes != NULL && ReadFile(file, bytes, FILE_BYTES_MAX + 1, size, NULL);
  DWORD error = GetLastError();
  CloseHandle(file);
  if (done && *size <= FILE_BYTES_MAX) {
    bytes[*size] = 0;
    return bytes;
  }
  free(bytes);
  fault_set(fault, error, L"%ls cannot be read, or is larger than %d KB.", path, FILE_BYTES_MAX / 1024);
  return NULL;
}

static BOOL is_line(const wchar_t *value) {
  for (const wchar_t *at = value; *at != 0; at += 1)
    if (*at <= L' ' || *at == 0x7f || at - value >= VALUE_UNITS_MAX - 1) return FALSE;
  return TRUE;
}

static BOOL check_server(const wchar_t *server, Fault *fault) {
  BOOL known = wcsncmp(server, L"https://", 8) == 0 || wcsncmp(server, L"http://", 7) == 0;
  /* A quote, a brace or a dollar would mean something to the config. */
  if (known && is_line(server) && wcspbrk(server, L"'\"{}$\\") == NULL) return TRUE;
  return fault_set(fault, ERROR_INVALID_PARAMETER,
                   L"SERVER must be the collector's address, as https://collector.example.org:8443; it is \"%ls\".",
                   server);
}

/* The key's own characters are not named in any message. */
static BOOL check_key(const wchar_t *key, Fault *fault) {
  const wchar_t *colon = wcschr(key, L':');
  BOOL plain = is_line(key) && wcspbrk(key, L"'\"{}$\\#|") == NULL;
  for (const wchar_t *at = key; *at != 0; at += 1)
    if (*at > 0x7e) plain = FALSE;
  if (plain && colon != NULL && colon != key && colon[1] != 0) return TRUE;
  return fault_set(fault, ERROR_INVALID_PARAMETER,
                   L"A key or token must be id:secret, as `launchbeat-collector agents add` or `tokens add` printed it; "
                   L"what was given is not.");
}

static BOOL is_token(const wchar_t *secret) { return wcsncmp(secret, L"enroll-", 7) == 0; }

/* Reads a key from a file; %COMPUTERNAME% in its path is replaced. `key` has VALUE_UNITS_MAX units. */
static BOOL read_key(const wchar_t *key_file, wchar_t *key, Fault *fault) {
  wchar_t path[PATH_UNITS];
  DWORD units = ExpandEnvironmentStringsW(key_file, path, PATH_UNITS);
  if (units == 0 || units > PATH_UNITS)
    return fault_set(fault, ERROR_INVALID_PARAMETER, L"KEYFILE is too long: %ls", key_file);
  DWORD size = 0;
  char *bytes = read_file(path, &size, fault);
  if (bytes == NULL) return FALSE;
  char *start = bytes;
  if (size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) start += 3;
  start += strspn(start, " \t\r\n");
  start[strcspn(start, " \t\r\n")] = 0;
  int written = MultiByteToWideChar(CP_UTF8, 0, start, -1, key, VALUE_UNITS_MAX);
  SecureZeroMemory(bytes, size);
  free(bytes);
  if (written == 0) return fault_set(fault, ERROR_INVALID_DATA, L"%ls holds no key.", path);
  return check_key(key, fault);
}

/* 64 hexadecimal digits, with or without colons; `hex` takes 65 units. */
static BOOL is_fingerprint(const wchar_t *text, wchar_t *hex) {
  size_t count = 0;
  for (const wchar_t *at = text; *at != 0; at += 1) {
    if (*at == L':') continue;
    if (wcschr(L"0123456789abcdefABCDEF", *at) == NULL || count == 64) return FALSE;
    hex[count++] = (wchar_t)(*at >= L'A' && *at <= L'F' ? *at - L'A' + L'a' : *at);
  }
  hex[count] = 0;
  return count == 64;
}

static BOOL copy_certificate(const wchar_t *folder, const wchar_t *account_sid, const wchar_t *ca, Fault *fault) {
  wchar_t path[PATH_UNITS];
  BOOL absolute = (ca[0] == L'\\' && ca[1] == L'\\') || (ca[0] != 0 && ca[1] == L':' && ca[2] == L'\\');
  if (!absolute)
    return fault_set(fault, ERROR_INVALID_PARAMETER,
                     L"CA must be the full path of a PEM file, or a SHA-256 fingerprint; it is \"%ls\".", ca);
  DWORD size = 0;
  char *bytes = read_file(ca, &size, fault);
  if (bytes == NULL) return FALSE;
  BOOL done = strstr(bytes, "-----BEGIN CERTIFICATE-----") != NULL
                  ? join_path(path, folder, L"ca.crt", fault) &&
                        write_protected_file(path, account_sid, bytes, size, fault)
                  : fault_set(fault, ERROR_INVALID_DATA, L"%ls holds no PEM certificate.", ca);
  free(bytes);
  return done;
}

static BOOL check_programs(const wchar_t *programs, Fault *fault) {
  for (const wchar_t *at = programs; *at != 0; at += 1) {
    BOOL plain = *at >= 0x80 || (*at >= L'a' && *at <= L'z') || (*at >= L'A' && *at <= L'Z') ||
                 (*at >= L'0' && *at <= L'9') || wcschr(L" ._-+();,", *at) != NULL;
    if (!plain || at - programs >= VALUE_UNITS_MAX - 1)
      return fault_set(fault, ERROR_INVALID_PARAMETER,
                       L"PROGRAMS must be \"all\" or file names such as winword.exe;excel.exe; it is \"%ls\". Names with "
                       L"other signs go into launchbeat.yml.", programs);
  }
  return TRUE;
}

/* Puts NAME=value in the place of its old line, or at the end; an empty value takes the line away. */
static BOOL put_line(char *text, size_t size, const char *name, const wchar_t *value, Fault *fault) {
  size_t length = strlen(name);
  for (char *line = text; *line != 0;) {
    char *end = strchr(line, '\n');
    char *next = end == NULL ? line + strlen(line) : end + 1;
    if (strncmp(line, name, length) == 0 && line[length] == '=')
      memmove(line, next, strlen(next) + 1);
    else
      line = next;
  }
  if (*value == 0) return TRUE;
  char bytes[VALUE_UNITS_MAX * 3];
  size_t used = strlen(text);
  int count = WideCharToMultiByte(CP_UTF8, 0, value, -1, bytes, sizeof bytes, NULL, NULL);
  if (count == 0 || used + length + (size_t)count + 4 > size)
    return fault_set(fault, ERROR_INVALID_DATA, L"install.env is too large.");
  if (used > 0 && text[used - 1] != '\n') text[used++] = '\n';
  sprintf(text + used, "%s=%s\n", name, bytes);
  SecureZeroMemory(bytes, sizeof bytes);
  return TRUE;
}

/* A key takes the place of a token that waited for one; a token leaves a key that is there alone: the agent prefers the key. */
static BOOL put_secret(char *text, size_t size, const wchar_t *secret, Fault *fault) {
  if (!check_key(secret, fault)) return FALSE;
  if (is_token(secret)) return put_line(text, size, "LAUNCHBEAT_ENROLLMENT_TOKEN", secret, fault);
  return put_line(text, size, "LAUNCHBEAT_ENROLLMENT_TOKEN", L"", fault) &&
         put_line(text, size, "LAUNCHBEAT_API_KEY", secret, fault);
}

/* Takes the text of install.env, puts in what was told. */
static BOOL put_told(char *text, size_t size, const Told *values, Fault *fault) {
  wchar_t hex[65], key[VALUE_UNITS_MAX];
  if (told(values->server) && !(check_server(values->server, fault) &&
                                put_line(text, size, "LAUNCHBEAT_COLLECTOR_URL", values->server, fault)))
    return FALSE;
  if (told(values->token)) {
    if (!is_token(values->token))
      return fault_set(fault, ERROR_INVALID_PARAMETER,
                       L"TOKEN must begin with enroll-, as `launchbeat-collector tokens add` printed it; a key goes by KEYFILE.");
    if (!put_secret(text, size, values->token, fault)) return FALSE;
  }
  if (told(values->key)) {
    if (!put_secret(text, size, values->key, fault)) return FALSE;
  } else if (told(values->key_file)) {
    BOOL done = read_key(values->key_file, key, fault) && put_secret(text, size, key, fault);
    SecureZeroMemory(key, sizeof key);
    if (!done) return FALSE;
  }
  if (told(values->ca) && !put_line(text, size, "LAUNCHBEAT_CA_FINGERPRINT",
                                    is_fingerprint(values->ca, hex) ? hex : L"", fault))
    return FALSE;
  return !told(values->programs) || (check_programs(values->programs, fault) &&
                                     put_line(text, size, "LAUNCHBEAT_PROGRAMS", values->programs, fault));
}

BOOL write_settings(const wchar_t *folder, const wchar_t *account_sid, const Told *values, Fault *fault) {
  wchar_t path[PATH_UNITS], certificate[PATH_UNITS], hex[65];
  if (!join_path(path, folder, L"install.env", fault) || !join_path(certificate, folder, L"ca.crt", fault)) return FALSE;
  DWORD size = 0;
  char *before = read_file(path, &size, fault);
  if (before == NULL && fault->code != ERROR_FILE_NOT_FOUND) return FALSE;
  char *text = calloc(1, FILE_BYTES_MAX * 2);
  if (text == NULL) return fault_set(fault, ERROR_OUTOFMEMORY, L"Out of memory.");
  strcpy(text, before == NULL ? "# Written by the installer; launchbeat.exe gives it to the agent.\n" : before);
  BOOL done = put_told(text, FILE_BYTES_MAX, values, fault);
  if (done && told(values->ca)) {
    /* One of the two: the last word counts. */
    if (is_fingerprint(values->ca, hex))
      DeleteFileW(certificate);
    else
      done = copy_certificate(folder, account_sid, values->ca, fault);
  }
  if (done) done = write_protected_file(path, account_sid, text, (DWORD)strlen(text), fault);
  SecureZeroMemory(text, FILE_BYTES_MAX * 2);
  free(text);
  if (before != NULL) {
    SecureZeroMemory(before, size);
    free(before);
  }
  return done;
}

static BOOL append(wchar_t *command, size_t units, const wchar_t *text, Fault *fault) {
  if (wcslen(command) + wcslen(text) + 1 > units)
    return fault_set(fault, ERROR_BUFFER_OVERFLOW, L"The command line of the agent is too long.");
  wcscat(command, text);
  return TRUE;
}

/* winword.exe;excel.exe -> -E "programs=[{label: 'winword.exe', names: ['winword.exe']}, …]" */
static BOOL append_programs(wchar_t *command, size_t units, wchar_t *programs, Fault *fault) {
  if (_wcsicmp(programs, L"all") == 0) return append(command, units, L" -E select=all", fault);
  if (!append(command, units, L" -E \"programs=[", fault)) return FALSE;
  wchar_t item[VALUE_UNITS_MAX * 2 + 64];
  const wchar_t *comma = L"";
  for (wchar_t *name = wcstok(programs, L";,"); name != NULL; name = wcstok(NULL, L";,")) {
    while (*name == L' ') name += 1;
    for (size_t length = wcslen(name); length > 0 && name[length - 1] == L' '; length -= 1) name[length - 1] = 0;
    if (*name == 0) continue;
    _snwprintf(item, sizeof item / sizeof *item, L"%ls{label: '%ls', names: ['%ls']}", comma, name, name);
    if (!append(command, units, item, fault)) return FALSE;
    comma = L", ";
  }
  return append(command, units, L"]\"", fault);
}

static BOOL apply_line(const char *name, wchar_t *value, wchar_t *command, size_t units, Fault *fault) {
  if (strcmp(name, "LAUNCHBEAT_PROGRAMS") == 0)
    return check_programs(value, fault) && append_programs(command, units, value, fault);
  if (strcmp(name, "LAUNCHBEAT_CA_FINGERPRINT") == 0) {
    wchar_t hex[65];
    if (!is_fingerprint(value, hex)) return TRUE;
    return append(command, units, L" -E output.collector.ssl.ca_trusted_fingerprint='", fault) &&
           append(command, units, hex, fault) && append(command, units, L"'", fault);
  }
  /* Nothing but our own names: this file must not be a way to set NODE_OPTIONS. */
  if (strncmp(name, "LAUNCHBEAT_", 11) == 0) {
    wchar_t wide[128];
    MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, 128);
    wide[127] = 0;
    SetEnvironmentVariableW(wide, value);
  }
  return TRUE;
}

BOOL apply_settings(const wchar_t *folder, wchar_t *command, size_t units, Fault *fault) {
  wchar_t path[PATH_UNITS], value[VALUE_UNITS_MAX];
  if (!join_path(path, folder, L"ca.crt", fault)) return FALSE;
  if (GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES &&
      !(append(command, units, L" -E \"output.collector.ssl.certificate_authorities=", fault) &&
        append(command, units, path, fault) && append(command, units, L"\"", fault)))
    return FALSE;
  if (!join_path(path, folder, L"install.env", fault)) return FALSE;
  DWORD size = 0;
  char *text = read_file(path, &size, fault);
  if (text == NULL) return fault->code == ERROR_FILE_NOT_FOUND;
  BOOL done = TRUE;
  int lines = 0;
  for (char *line = strtok(text, "\r\n"); done && line != NULL && lines < LINES_MAX; line = strtok(NULL, "\r\n")) {
    char *equals = strchr(line, '=');
    lines += 1;
    if (*line == '#' || equals == NULL) continue;
    *equals = 0;
    if (strlen(line) < 100 && MultiByteToWideChar(CP_UTF8, 0, equals + 1, -1, value, VALUE_UNITS_MAX) > 0)
      done = apply_line(line, value, command, units, fault);
  }
  SecureZeroMemory(text, size);
  free(text);
  return done;
}
