/*
 * `launchbeat.exe --setup install|uninstall`, for install.ps1 and uninstall.ps1: the folders, the settings, the service, the
 * group. The MSI makes the service itself and takes the steps of configure() through its custom actions.
 * Keeps: every step may be taken again; the key comes by standard input or a file, never as an argument, since Windows logs
 * command lines.
 * Exit codes: 0 done; 1 not done, the reason is on stderr; 2 the arguments are wrong.
 */
#include "host.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define KEY_UNITS 2048
#define SERVICE_RIGHTS (SERVICE_CHANGE_CONFIG | SERVICE_QUERY_STATUS | SERVICE_STOP | SERVICE_START | DELETE)

static BOOL copy_default_config(const wchar_t *program, const wchar_t *folder, Fault *fault) {
  wchar_t from[PATH_UNITS], to[PATH_UNITS];
  if (!join_path(from, program, L"launchbeat.yml", fault) || !join_path(to, folder, L"launchbeat.yml", fault)) return FALSE;
  /* One that is there is kept, whatever it says. */
  if (CopyFileW(from, to, TRUE) || GetLastError() == ERROR_FILE_EXISTS) return TRUE;
  return fault_set(fault, GetLastError(), L"%ls cannot be made (error %lu).", to, GetLastError());
}

/* Waits until the service has stopped, at most a minute. */
static BOOL stop_service(SC_HANDLE service, Fault *fault) {
  SERVICE_STATUS state;
  if (!ControlService(service, SERVICE_CONTROL_STOP, &state)) {
    DWORD error = GetLastError();
    if (error == ERROR_SERVICE_NOT_ACTIVE) return TRUE;
    if (error != ERROR_SERVICE_CANNOT_ACCEPT_CTRL)
      return fault_set(fault, error, L"The service cannot be stopped (error %lu).", error);
  }
  for (int second = 0; second < 60; second += 1) {
    if (!QueryServiceStatus(service, &state) || state.dwCurrentState == SERVICE_STOPPED) return TRUE;
    Sleep(1000);
  }
  return fault_set(fault, ERROR_TIMEOUT, L"The service did not stop within a minute.");
}

static BOOL set_service_options(SC_HANDLE service, Fault *fault) {
  SERVICE_DESCRIPTIONW description = {(LPWSTR)LAUNCHBEAT_DESCRIPTION};
  SC_ACTION actions[] = {{SC_ACTION_RESTART, 5000}, {SC_ACTION_RESTART, 30000}, {SC_ACTION_RESTART, 60000}};
  SERVICE_FAILURE_ACTIONSW failure = {.dwResetPeriod = 86400, .cActions = 3, .lpsaActions = actions};
  /* Since Windows 10 1703 a shutdown waits 10 s unless told otherwise; the agent may take STOP_SECONDS_MAX (service.c). */
  SERVICE_PRESHUTDOWN_INFO shutdown = {.dwPreshutdownTimeout = 30000};
  if (ChangeServiceConfig2W(service, SERVICE_CONFIG_DESCRIPTION, &description) &&
      ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS, &failure) &&
      ChangeServiceConfig2W(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, &shutdown))
    return TRUE;
  return fault_set(fault, GetLastError(), L"The service cannot be set up (error %lu).", GetLastError());
}

static BOOL register_event_source(Fault *fault) {
  wchar_t file[PATH_UNITS];
  DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
  HKEY key;
  if (GetModuleFileNameW(NULL, file, PATH_UNITS) == 0)
    return fault_set(fault, GetLastError(), L"The path of launchbeat.exe is too long.");
  LSTATUS result = RegCreateKeyExW(HKEY_LOCAL_MACHINE, LAUNCHBEAT_EVENT_SOURCE_KEY, 0, NULL, 0, KEY_WRITE, NULL, &key, NULL);
  if (result == ERROR_SUCCESS) {
    RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ, (BYTE *)file, (DWORD)((wcslen(file) + 1) * sizeof *file));
    result = RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD, (BYTE *)&types, sizeof types);
    RegCloseKey(key);
  }
  if (result == ERROR_SUCCESS) return TRUE;
  return fault_set(fault, (DWORD)result, L"The event source cannot be registered (error %ld).", result);
}

/*
 * What the service's table in an MSI cannot say, or says unsurely: a path in quotes (without them C:\Program.exe would be tried
 * first), and what Windows does when it fails.
 */
static BOOL settle_service(const wchar_t *program, Fault *fault) {
  wchar_t command[PATH_UNITS + 32];
  _snwprintf(command, PATH_UNITS + 32, L"\"%ls\\launchbeat.exe\" --service", program);
  SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
  SC_HANDLE service = manager == NULL ? NULL : OpenServiceW(manager, SERVICE_NAME, SERVICE_RIGHTS);
  BOOL done = service != NULL &&
              ChangeServiceConfigW(service, SERVICE_NO_CHANGE, SERVICE_NO_CHANGE, SERVICE_NO_CHANGE, command, NULL, NULL,
                                   L"EventLog\0", NULL, NULL, NULL);
  done = done ? set_service_options(service, fault)
              : fault_set(fault, GetLastError(), L"The service cannot be changed (error %lu).", GetLastError());
  if (service != NULL) CloseServiceHandle(service);
  if (manager != NULL) CloseServiceHandle(manager);
  return done;
}

BOOL configure(const Told *told, const wchar_t *program, Fault *fault) {
  wchar_t folder[PATH_UNITS];
  wchar_t *sid = account_sid_text(told->account, fault);
  if (sid == NULL) return FALSE;
  BOOL done = settle_service(program, fault) && data_folder(folder, fault) && protect_data_folder(folder, sid, fault) &&
              copy_default_config(program, folder, fault) && write_settings(folder, sid, told, fault) &&
              join_event_log_readers(sid, fault);
  LocalFree(sid);
  return done;
}

/* The account of the service as it is now; NULL where there is none. The caller frees it. */
static wchar_t *present_account(SC_HANDLE manager) {
  SC_HANDLE service = OpenServiceW(manager, SERVICE_NAME, SERVICE_QUERY_CONFIG);
  if (service == NULL) return NULL;
  DWORD size = 0;
  wchar_t *account = NULL;
  QueryServiceConfigW(service, NULL, 0, &size);
  QUERY_SERVICE_CONFIGW *config = malloc(size);
  if (config != NULL && QueryServiceConfigW(service, config, size, &size) && config->lpServiceStartName != NULL)
    account = _wcsdup(config->lpServiceStartName);
  free(config);
  CloseServiceHandle(service);
  return account;
}

/* Makes the service, or gives one that is there its present path and account. */
static BOOL make_service(SC_HANDLE manager, const wchar_t *account, Fault *fault) {
  wchar_t file[PATH_UNITS], command[PATH_UNITS + 16];
  if (GetModuleFileNameW(NULL, file, PATH_UNITS) == 0)
    return fault_set(fault, GetLastError(), L"The path of launchbeat.exe is too long.");
  _snwprintf(command, PATH_UNITS + 16, L"\"%ls\" --service", file);
  SC_HANDLE service = OpenServiceW(manager, SERVICE_NAME, SERVICE_RIGHTS);
  BOOL done;
  if (service != NULL)
    done = stop_service(service, fault) &&
           (ChangeServiceConfigW(service, SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, command,
                                 NULL, NULL, L"EventLog\0", account, NULL, SERVICE_NAME) ||
            fault_set(fault, GetLastError(), L"The service cannot be changed (error %lu).", GetLastError()));
  else {
    service = CreateServiceW(manager, SERVICE_NAME, SERVICE_NAME, SERVICE_RIGHTS, SERVICE_WIN32_OWN_PROCESS,
                             SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, command, NULL, NULL, L"EventLog\0", account, NULL);
    done = service != NULL ||
           fault_set(fault, GetLastError(), L"The service cannot be made (error %lu).", GetLastError());
  }
  if (service != NULL) CloseServiceHandle(service);
  return done;
}

static BOOL start_service(SC_HANDLE manager, Fault *fault) {
  SC_HANDLE service = OpenServiceW(manager, SERVICE_NAME, SERVICE_RIGHTS);
  BOOL started = FALSE;
  DWORD error = service == NULL ? GetLastError() : ERROR_SERVICE_DATABASE_LOCKED;
  /* Soon after the start of Windows the list of services is locked. */
  for (int second = 0; second < 60 && !started && error == ERROR_SERVICE_DATABASE_LOCKED; second += 1) {
    if (second > 0) Sleep(1000);
    started = StartServiceW(service, 0, NULL) || GetLastError() == ERROR_SERVICE_ALREADY_RUNNING;
    error = GetLastError();
  }
  if (service != NULL) CloseServiceHandle(service);
  return started || fault_set(fault, error, L"The service cannot be started (error %lu).", error);
}

static BOOL delete_service(SC_HANDLE manager, Fault *fault) {
  SC_HANDLE service = OpenServiceW(manager, SERVICE_NAME, SERVICE_RIGHTS);
  if (service == NULL && GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST) return TRUE;
  if (service == NULL) return fault_set(fault, GetLastError(), L"The service cannot be opened (error %lu).", GetLastError());
  BOOL done = stop_service(service, fault) &&
              (DeleteService(service) || GetLastError() == ERROR_SERVICE_MARKED_FOR_DELETE ||
               fault_set(fault, GetLastError(), L"The service cannot be deleted (error %lu).", GetLastError()));
  CloseServiceHandle(service);
  return done;
}

/* An account that is not told stays as it was. */
static BOOL install(const Told *asked, BOOL start, Fault *fault) {
  wchar_t program[PATH_UNITS];
  if (!program_folder(program, fault)) return FALSE;
  SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
  if (manager == NULL)
    return fault_set(fault, GetLastError(), L"The service manager refuses (error %lu): run this as an administrator.",
                     GetLastError());
  Told told = *asked;
  wchar_t *before = asked->account == NULL ? present_account(manager) : NULL;
  if (told.account == NULL) told.account = before == NULL ? SERVICE_ACCOUNT : before;
  /* The service first: its virtual account exists from then on, and the group asks for it. */
  BOOL done = make_service(manager, told.account, fault) && register_event_source(fault) && configure(&told, program, fault) &&
              (!start || start_service(manager, fault));
  free(before);
  CloseServiceHandle(manager);
  return done;
}

static BOOL uninstall(BOOL purge, Fault *fault) {
  wchar_t folder[PATH_UNITS];
  SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
  if (manager == NULL)
    return fault_set(fault, GetLastError(), L"The service manager refuses (error %lu): run this as an administrator.",
                     GetLastError());
  /* While the service is there its account has a name in the group. It may have run under another one before. */
  wchar_t *account = present_account(manager);
  wchar_t *sid = account == NULL ? NULL : account_sid_text(account, fault);
  BOOL done = account == NULL || (sid != NULL && leave_event_log_readers(sid, fault));
  done = leave_event_log_readers(LAUNCHBEAT_SERVICE_SID, fault) && done;
  done = delete_service(manager, fault) && done;
  LocalFree(sid);
  free(account);
  CloseServiceHandle(manager);
  RegDeleteKeyW(HKEY_LOCAL_MACHINE, LAUNCHBEAT_EVENT_SOURCE_KEY);
  return done && (!purge || (data_folder(folder, fault) && delete_tree(folder, fault)));
}

/* Reads the key from standard input, up to the first line end. */
static BOOL read_key_line(wchar_t *key, Fault *fault) {
  char line[KEY_UNITS];
  if (fgets(line, sizeof line, stdin) == NULL)
    return fault_set(fault, ERROR_NO_DATA, L"--key-stdin: standard input holds no key.");
  char *start = line;
  if (strncmp(line, "\xEF\xBB\xBF", 3) == 0) start += 3;
  start[strcspn(start, "\r\n")] = 0;
  MultiByteToWideChar(CP_UTF8, 0, start, -1, key, KEY_UNITS);
  SecureZeroMemory(line, sizeof line);
  return TRUE;
}

typedef struct {
  BOOL key_stdin, start, purge;
} Choices;

static BOOL take_argument(wchar_t **at, Told *told, Choices *choices, int *used) {
  struct {
    const wchar_t *flag;
    const wchar_t **value;
  } values[] = {{L"--server", &told->server},
                {L"--key-file", &told->key_file},
                {L"--ca", &told->ca},
                {L"--programs", &told->programs},
                {L"--account", &told->account}};
  struct {
    const wchar_t *flag;
    BOOL *choice;
  } flags[] = {{L"--key-stdin", &choices->key_stdin}, {L"--start", &choices->start}, {L"--purge", &choices->purge}};
  for (size_t index = 0; index < sizeof values / sizeof *values; index += 1)
    if (wcscmp(at[0], values[index].flag) == 0 && at[1] != NULL) {
      *values[index].value = at[1];
      *used = 2;
      return TRUE;
    }
  for (size_t index = 0; index < sizeof flags / sizeof *flags; index += 1)
    if (wcscmp(at[0], flags[index].flag) == 0) {
      *flags[index].choice = TRUE;
      *used = 1;
      return TRUE;
    }
  return FALSE;
}

int run_setup(int count, wchar_t **arguments) {
  Told told = {0};
  Choices choices = {0};
  Fault fault = {0};
  static wchar_t key[KEY_UNITS];
  const wchar_t *verb = count > 0 ? arguments[0] : L"";
  for (int index = 1, used = 0; index < count; index += used) {
    if (!take_argument(arguments + index, &told, &choices, &used)) {
      fwprintf(stderr, L"launchbeat --setup: %ls is not known, or lacks its value.\n", arguments[index]);
      return 2;
    }
  }
  BOOL done;
  if (wcscmp(verb, L"install") == 0) {
    done = !choices.key_stdin || read_key_line(key, &fault);
    if (choices.key_stdin) told.key = key;
    done = done && install(&told, choices.start, &fault);
    SecureZeroMemory(key, sizeof key);
  } else if (wcscmp(verb, L"uninstall") == 0) {
    done = uninstall(choices.purge, &fault);
  } else {
    fwprintf(stderr, L"launchbeat --setup: install or uninstall.\n");
    return 2;
  }
  if (!done) fwprintf(stderr, L"launchbeat --setup: %ls\n", fault.text);
  return done ? 0 : 1;
}
