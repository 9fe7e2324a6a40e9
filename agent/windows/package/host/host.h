/*
 * What the parts of launchbeat.exe and of the MSI's custom actions share. Windows 10, Server 2016 or newer; UTF-16 everywhere.
 * The macros LAUNCHBEAT_… come from the build (build-host.ts).
 */
#ifndef LAUNCHBEAT_HOST_H
#define LAUNCHBEAT_HOST_H

#include <stdarg.h>
#include <windows.h>

#define SERVICE_NAME L"Launchbeat"
#define SERVICE_ACCOUNT L"NT SERVICE\\Launchbeat"
#define PATH_UNITS 1024
#define FAULT_UNITS 2048

/* Why something did not work: a sentence for a person, and the code of Windows. */
typedef struct {
  DWORD code;
  /* It may pass by itself: a virus scanner lets a file go, memory is there again. */
  BOOL passing;
  wchar_t text[FAULT_UNITS];
} Fault;

/* Fills the fault in; always gives FALSE, so that `return fault_set(…)` ends a function. */
BOOL fault_set(Fault *fault, DWORD code, const wchar_t *format, ...);

/* paths.c */
BOOL program_folder(wchar_t *folder, Fault *fault);
BOOL data_folder(wchar_t *folder, Fault *fault);
BOOL join_path(wchar_t *path, const wchar_t *folder, const wchar_t *name, Fault *fault);

/* settings.c: install.env of the data folder. What an installer was told; empty or NULL = not told. */
typedef struct {
  const wchar_t *account;
  const wchar_t *server;
  const wchar_t *key;
  const wchar_t *key_file;
  const wchar_t *ca;
  const wchar_t *programs;
  const wchar_t *token;
} Told;
/* Checks what was told and writes it into the folder; what was not told stays as it was. */
BOOL write_settings(const wchar_t *folder, const wchar_t *account_sid, const Told *told, Fault *fault);
/* Puts the settings into this process's environment and appends the flags that stand for them to a command line. */
BOOL apply_settings(const wchar_t *folder, wchar_t *command, size_t units, Fault *fault);

/* protected-folder.c */
/* Makes the data folder and its parts for an account (a SID as text); refuses one that somebody else made. */
BOOL protect_data_folder(const wchar_t *folder, const wchar_t *account_sid, Fault *fault);
/* Writes a file that only System, Administrators and (to read) the account may open; replaces it as a whole. */
BOOL write_protected_file(const wchar_t *path, const wchar_t *account_sid, const char *bytes, DWORD size,
                          Fault *fault);
BOOL delete_tree(const wchar_t *folder, Fault *fault);

/* account.c */
/* The SID of a service account as text; free it with LocalFree. */
wchar_t *account_sid_text(const wchar_t *account, Fault *fault);
BOOL join_event_log_readers(const wchar_t *sid_text, Fault *fault);
BOOL leave_event_log_readers(const wchar_t *sid_text, Fault *fault);

/* agent-process.c */
typedef struct {
  HANDLE process;
  HANDLE job;
  /* Closing it asks the agent to end. */
  HANDLE stop_pipe;
  HANDLE listener;
  DWORD process_id;
  /* The end of what it said on stderr, UTF-8. */
  char said[2048];
  DWORD said_size;
  HANDLE stderr_pipe;
} AgentProcess;
/* Starts node.exe with the agent as a service does. */
BOOL start_agent(AgentProcess *agent, Fault *fault);
/* Asks it to end and waits; gives FALSE when it had to be terminated. `tick` is called every second. */
BOOL end_agent(AgentProcess *agent, DWORD wait_seconds, void (*tick)(void));
/* What it said, as one line. */
void agent_said(AgentProcess *agent, wchar_t *text, size_t units);
void close_agent(AgentProcess *agent);
/* Runs the agent in this console with the arguments of this process; gives its exit code. */
int run_agent_in_console(const wchar_t *arguments);

/* setup.c, for install.ps1 and uninstall.ps1 */
int run_setup(int count, wchar_t **arguments);
/* Steps that the MSI takes too, with the service there already: folders, settings, group. `program` is the folder of launchbeat.exe. */
BOOL configure(const Told *told, const wchar_t *program, Fault *fault);

/* protect.c: DPAPI, standard input to standard output; gives the exit code. */
int run_protect(BOOL protect);

/* service.c */
int run_service(void);

#endif
