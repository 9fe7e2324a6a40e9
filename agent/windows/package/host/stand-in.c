/*
 * Stands in for node.exe in tests under Wine, where Node.js 24 does not run. Writes its command line and what it was given in the
 * environment to stand-in.txt beside itself, then does what stand-in.do says: "exit N" ends with N after words on stderr,
 * "child" starts another one of itself that sleeps; else it waits for the end of standard input and ends with 0.
 * "deaf" never ends by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

int wmain(int count, wchar_t **arguments) {
  wchar_t folder[MAX_PATH], path[MAX_PATH + 32], value[512];
  char what[64] = "", line[8192];
  if (count > 1 && wcscmp(arguments[1], L"sleep") == 0) Sleep(INFINITE);
  GetModuleFileNameW(NULL, folder, MAX_PATH);
  *wcsrchr(folder, L'\\') = 0;
  swprintf(path, MAX_PATH + 32, L"%ls\\stand-in.do", folder);
  FILE *file = _wfopen(path, L"rb");
  if (file != NULL) {
    if (fgets(what, sizeof what, file) == NULL) what[0] = 0;
    fclose(file);
  }
  swprintf(path, MAX_PATH + 32, L"%ls\\stand-in.txt", folder);
  file = _wfopen(path, L"wb");
  if (file != NULL) {
    WideCharToMultiByte(CP_UTF8, 0, GetCommandLineW(), -1, line, sizeof line, NULL, NULL);
    fprintf(file, "pid=%lu\ncommand=%s\n", GetCurrentProcessId(), line);
    const wchar_t *names[] = {L"LAUNCHBEAT_COLLECTOR_URL", L"LAUNCHBEAT_API_KEY", L"NODE_OPTIONS"};
    for (int index = 0; index < 3; index += 1) {
      DWORD units = GetEnvironmentVariableW(names[index], value, 512);
      WideCharToMultiByte(CP_UTF8, 0, units == 0 ? L"" : value, -1, line, sizeof line, NULL, NULL);
      fprintf(file, "%ls=%s\n", names[index], line);
    }
    fclose(file);
  }
  if (strncmp(what, "exit ", 5) == 0) {
    fprintf(stderr, "the config is wrong in line 7\n");
    return atoi(what + 5);
  }
  if (strncmp(what, "child", 5) == 0) {
    wchar_t command[MAX_PATH + 32];
    STARTUPINFOW start = {.cb = sizeof start};
    PROCESS_INFORMATION process;
    swprintf(command, MAX_PATH + 32, L"\"%ls\\node.exe\" sleep", folder);
    CreateProcessW(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &start, &process);
  }
  if (strncmp(what, "deaf", 4) == 0) Sleep(INFINITE);
  while (fread(line, 1, sizeof line, stdin) > 0) {
  }
  return 0;
}
