/*
 * The MSI's custom actions. Both are deferred, run as System, and get what they need as CustomActionData: a deferred action
 * sees no properties. The MSI hides that value and the properties KEY and TOKEN from its log.
 *   Configure   folder of the program|account|SERVER|KEY|KEYFILE|CA|PROGRAMS|TOKEN   folders, settings, group
 *   CleanUp     account|PURGE   group; with PURGE=1 the data too
 */
#include "host.h"
#include <msi.h>
#include <msiquery.h>
#include <stdlib.h>
#include <wchar.h>

#define DATA_UNITS 8192
#define PARTS_MAX 8

static UINT fail(MSIHANDLE install, const Fault *fault) {
  MSIHANDLE record = MsiCreateRecord(1);
  MsiRecordSetStringW(record, 0, L"[1]");
  MsiRecordSetStringW(record, 1, fault->text);
  MsiProcessMessage(install, INSTALLMESSAGE_ERROR, record);
  MsiCloseHandle(record);
  return ERROR_INSTALL_FAILURE;
}

/* Reads CustomActionData and cuts it at the bars; every part is there, empty if need be. */
static void read_parts(MSIHANDLE install, wchar_t *data, wchar_t **parts) {
  DWORD units = DATA_UNITS;
  if (MsiGetPropertyW(install, L"CustomActionData", data, &units) != ERROR_SUCCESS) data[0] = 0;
  wchar_t *at = data;
  for (int index = 0; index < PARTS_MAX; index += 1) {
    wchar_t *bar = wcschr(at, L'|');
    parts[index] = at;
    if (bar == NULL) {
      at += wcslen(at);
    } else {
      *bar = 0;
      at = bar + 1;
    }
  }
}

__declspec(dllexport) UINT __stdcall Configure(MSIHANDLE install) {
  static wchar_t data[DATA_UNITS];
  wchar_t *parts[PARTS_MAX];
  Fault fault;
  read_parts(install, data, parts);
  Told told = {parts[1], parts[2], parts[3], parts[4], parts[5], parts[6], parts[7]};
  /* The MSI's name of a folder ends with a backslash. */
  size_t length = wcslen(parts[0]);
  if (length > 0 && parts[0][length - 1] == L'\\') parts[0][length - 1] = 0;
  BOOL done = configure(&told, parts[0], &fault);
  SecureZeroMemory(data, sizeof data);
  return done ? ERROR_SUCCESS : fail(install, &fault);
}

/* What is left behind must not keep a program on the PC: faults are only told. */
__declspec(dllexport) UINT __stdcall CleanUp(MSIHANDLE install) {
  static wchar_t data[DATA_UNITS];
  wchar_t *parts[PARTS_MAX], folder[PATH_UNITS];
  Fault fault;
  read_parts(install, data, parts);
  wchar_t *sid = account_sid_text(parts[0], &fault);
  if (sid == NULL || !leave_event_log_readers(sid, &fault)) fail(install, &fault);
  if (sid != NULL) LocalFree(sid);
  if (wcscmp(parts[1], L"1") == 0 && !(data_folder(folder, &fault) && delete_tree(folder, &fault))) fail(install, &fault);
  return ERROR_SUCCESS;
}
