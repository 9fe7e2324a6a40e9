/* Where this program lies, and where its data does. Neither comes from the environment, which others can set. */
#include "host.h"
#include <shlobj.h>
#include <stdio.h>

BOOL fault_set(Fault *fault, DWORD code, const wchar_t *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  _vsnwprintf(fault->text, FAULT_UNITS - 1, format, arguments);
  va_end(arguments);
  fault->text[FAULT_UNITS - 1] = 0;
  fault->code = code;
  return FALSE;
}

BOOL join_path(wchar_t *path, const wchar_t *folder, const wchar_t *name, Fault *fault) {
  int units = _snwprintf(path, PATH_UNITS, L"%ls\\%ls", folder, name);
  if (units < 0 || units >= PATH_UNITS)
    return fault_set(fault, ERROR_FILENAME_EXCED_RANGE, L"The path %ls\\%ls is too long.", folder, name);
  return TRUE;
}

/* The folder of launchbeat.exe, without a backslash at its end. */
BOOL program_folder(wchar_t *folder, Fault *fault) {
  DWORD units = GetModuleFileNameW(NULL, folder, PATH_UNITS);
  if (units == 0 || units >= PATH_UNITS)
    return fault_set(fault, GetLastError(), L"The path of launchbeat.exe is too long.");
  wchar_t *end = wcsrchr(folder, L'\\');
  if (end != NULL) *end = 0;
  return TRUE;
}

/* FOLDERID_ProgramData of KnownFolders.h; libuuid would bring every other one along. */
static const GUID program_data = {0x62AB5D82, 0xFDC1, 0x4DC3, {0xA9, 0xDD, 0x07, 0x0D, 0x1D, 0x49, 0x5D, 0x97}};

/* C:\ProgramData\Launchbeat. */
BOOL data_folder(wchar_t *folder, Fault *fault) {
  wchar_t *known = NULL;
  HRESULT result = SHGetKnownFolderPath(&program_data, 0, NULL, &known);
  if (result != S_OK) return fault_set(fault, (DWORD)result, L"Windows does not say where ProgramData is.");
  BOOL joined = join_path(folder, known, L"Launchbeat", fault);
  CoTaskMemFree(known);
  return joined;
}
