/*
 * launchbeat.exe: the agent's command line for people, and its service.
 *   launchbeat.exe --service            run by the service manager
 *   launchbeat.exe --setup …            run by install.ps1 and uninstall.ps1
 *   launchbeat.exe --protect | --unprotect   run by the agent, for its keystore
 *   launchbeat.exe ANYTHING ELSE        the agent's own commands, with the folders and settings of the service
 */
#include "host.h"
#include <wchar.h>

/* The command line behind the program's own name, as it was written: quotes are for the agent to read. */
static const wchar_t *arguments_of(const wchar_t *command) {
  if (*command == L'"') {
    for (command += 1; *command != 0 && *command != L'"';) command += 1;
    if (*command == L'"') command += 1;
  } else {
    while (*command > L' ') command += 1;
  }
  while (*command == L' ' || *command == L'\t') command += 1;
  return command;
}

int wmain(int count, wchar_t **arguments) {
  /* DLLs only from System32: nobody may leave one in the folder that we are started from. */
  SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
  if (count > 1 && wcscmp(arguments[1], L"--service") == 0) return run_service();
  if (count > 1 && wcscmp(arguments[1], L"--setup") == 0) return run_setup(count - 2, arguments + 2);
  if (count == 2 && wcscmp(arguments[1], L"--protect") == 0) return run_protect(TRUE);
  if (count == 2 && wcscmp(arguments[1], L"--unprotect") == 0) return run_protect(FALSE);
  return run_agent_in_console(arguments_of(GetCommandLineW()));
}
