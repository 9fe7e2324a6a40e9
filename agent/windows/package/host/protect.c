/*
 * `launchbeat.exe --protect` and `--unprotect`: DPAPI for the agent's keystore. Base64 comes by standard input, base64 goes to
 * standard output; nothing else is ever written there.
 * The scope is the PC, not a user: an administrator fills the keystore, and the service reads it under another account. So what
 * it gives is this: the files of the keystore are worth nothing on another PC, in a backup or on a stolen disk. On the PC itself
 * the rights of the files guard them.
 * Source: Microsoft, CryptProtectData (CRYPTPROTECT_LOCAL_MACHINE).
 * Exit codes: 0 done; 1 Windows refuses, or the input is not what --protect gave on this PC.
 */
#include "host.h"
#include <dpapi.h>
#include <stdio.h>
#include <wincrypt.h>

#define TEXT_BYTES_MAX 65536

static BOOL refuse(const wchar_t *what) {
  fwprintf(stderr, L"launchbeat: %ls (error %lu).\n", what, GetLastError());
  return FALSE;
}

static BOOL read_base64(BYTE *bytes, DWORD *size) {
  static char text[TEXT_BYTES_MAX + 1];
  size_t length = fread(text, 1, sizeof text, stdin);
  if (length > TEXT_BYTES_MAX) SetLastError(ERROR_BUFFER_OVERFLOW);
  BOOL done = length > 0 && length <= TEXT_BYTES_MAX &&
              CryptStringToBinaryA(text, (DWORD)length, CRYPT_STRING_BASE64, bytes, size, NULL, NULL);
  SecureZeroMemory(text, sizeof text);
  return done || refuse(L"standard input holds no base64 of at most 64 KB");
}

static BOOL write_base64(const DATA_BLOB *blob) {
  static char text[TEXT_BYTES_MAX * 2];
  DWORD size = sizeof text;
  BOOL done = CryptBinaryToStringA(blob->pbData, blob->cbData, CRYPT_STRING_BASE64 | CRYPT_STRING_NOCRLF, text, &size) &&
              fwrite(text, 1, size, stdout) == size && fflush(stdout) == 0;
  SecureZeroMemory(text, sizeof text);
  return done || refuse(L"standard output cannot be written");
}

int run_protect(BOOL protect) {
  static BYTE bytes[TEXT_BYTES_MAX];
  /* Bound into every blob, so that another program's is not taken for one of ours. */
  static BYTE context[] = "launchbeat keystore 1";
  DATA_BLOB in = {sizeof bytes, bytes}, entropy = {sizeof context - 1, context}, out = {0, NULL};
  DWORD flags = CRYPTPROTECT_UI_FORBIDDEN;
  if (!read_base64(bytes, &in.cbData)) return 1;
  BOOL done = protect ? CryptProtectData(&in, L"launchbeat keystore", &entropy, NULL, NULL,
                                         flags | CRYPTPROTECT_LOCAL_MACHINE, &out)
                      : CryptUnprotectData(&in, NULL, &entropy, NULL, NULL, flags, &out);
  SecureZeroMemory(bytes, sizeof bytes);
  if (!done) {
    refuse(protect ? L"Windows cannot protect the key" : L"Windows cannot open the key: it was protected on another PC, or changed");
    return 1;
  }
  done = write_base64(&out);
  SecureZeroMemory(out.pbData, out.cbData);
  LocalFree(out.pbData);
  return done ? 0 : 1;
}
