/*
 * Starts node.exe with the agent's bundle.
 * Keeps: the agent and all that it starts stand in a job that dies with this process, so none outlives it; the agent is asked
 * to end by closing its standard input, since Windows has no signal that a process without a console would get.
 */
#include "host.h"
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#define COMMAND_UNITS 32767

/*
 * A small young generation: the agent's objects die at once, and a large one would only be memory that is never given back. No optimising
 * compilers: what they keep is a fifth of the agent's memory, and a PC starts no ten thousand programs a second. An old generation that
 * is cleared when it has grown by a seventh: a backlog that is read at once takes 65 MiB less, for a tenth more of its CPU time.
 */
#define NODE_FLAGS L"--max-semi-space-size=1 --no-opt --no-maglev --heap-growing-percent=15"

/* node.exe, the bundle, the folders, the installer's settings. Later flags win, so those of the user come behind. */
static BOOL build_command(wchar_t *command, Fault *fault) {
  wchar_t program[PATH_UNITS], data[PATH_UNITS];
  if (!program_folder(program, fault) || !data_folder(data, fault)) return FALSE;
  _snwprintf(command, COMMAND_UNITS,
             L"\"%ls\\node.exe\" " NODE_FLAGS L" \"%ls\\app\\launchbeat.mjs\" --path.home \"%ls\" --path.config \"%ls\" --path.data "
             L"\"%ls\\data\" --path.logs \"%ls\\logs\"",
             program, program, program, data, data, data);
  command[COMMAND_UNITS - 1] = 0;
  /* What would make Node.js load code from elsewhere. */
  SetEnvironmentVariableW(L"NODE_OPTIONS", NULL);
  SetEnvironmentVariableW(L"NODE_PATH", NULL);
  SetEnvironmentVariableW(L"NODE_REPL_EXTERNAL_MODULE", NULL);
  return apply_settings(data, command, COMMAND_UNITS, fault);
}

static BOOL make_job(HANDLE *job, Fault *fault) {
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  *job = CreateJobObjectW(NULL, NULL);
  if (*job != NULL && SetInformationJobObject(*job, JobObjectExtendedLimitInformation, &limits, sizeof limits)) return TRUE;
  return fault_set(fault, GetLastError(), L"No job object could be made (error %lu).", GetLastError());
}

/* Starts a command suspended, puts it into the job, lets it run. Only these three handles are inherited. */
static BOOL start_in_job(wchar_t *command, HANDLE job, HANDLE handles[3], PROCESS_INFORMATION *process, Fault *fault) {
  wchar_t folder[PATH_UNITS];
  if (!program_folder(folder, fault)) return FALSE;
  SIZE_T size = 0;
  InitializeProcThreadAttributeList(NULL, 1, 0, &size);
  LPPROC_THREAD_ATTRIBUTE_LIST attributes = malloc(size);
  STARTUPINFOEXW start = {0};
  start.StartupInfo.cb = sizeof start;
  DWORD flags = CREATE_SUSPENDED | EXTENDED_STARTUPINFO_PRESENT;
  BOOL inherit = handles != NULL;
  BOOL ready = attributes != NULL && InitializeProcThreadAttributeList(attributes, 1, 0, &size);
  if (ready && inherit) {
    ready = UpdateProcThreadAttribute(attributes, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles, 3 * sizeof *handles,
                                      NULL, NULL);
    start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    start.StartupInfo.hStdInput = handles[0];
    start.StartupInfo.hStdOutput = handles[1];
    start.StartupInfo.hStdError = handles[2];
    flags |= CREATE_NO_WINDOW;
  }
  start.lpAttributeList = attributes;
  BOOL started = ready && CreateProcessW(NULL, command, NULL, NULL, inherit, flags, NULL, inherit ? folder : NULL,
                                         &start.StartupInfo, process);
  DWORD error = GetLastError();
  if (ready) DeleteProcThreadAttributeList(attributes);
  free(attributes);
  if (!started)
    return fault_set(fault, error, L"%ls\\node.exe cannot be started (error %lu). A virus scanner or AppLocker may hold it.",
                     folder, error);
  if (AssignProcessToJobObject(job, process->hProcess) && ResumeThread(process->hThread) != (DWORD)-1) return TRUE;
  error = GetLastError();
  TerminateProcess(process->hProcess, 1);
  CloseHandle(process->hThread);
  CloseHandle(process->hProcess);
  return fault_set(fault, error, L"node.exe cannot be put into a job (error %lu).", error);
}

/* Keeps the end of what comes; reads on to the end, so that the agent never waits for us. */
static DWORD WINAPI listen(LPVOID context) {
  AgentProcess *agent = context;
  char part[512];
  DWORD count;
  while (ReadFile(agent->stderr_pipe, part, sizeof part, &count, NULL) && count > 0) {
    if (agent->said_size + count > sizeof agent->said) {
      DWORD drop = agent->said_size + count - sizeof agent->said;
      memmove(agent->said, agent->said + drop, agent->said_size - drop);
      agent->said_size -= drop;
    }
    memcpy(agent->said + agent->said_size, part, count);
    agent->said_size += count;
  }
  return 0;
}

BOOL start_agent(AgentProcess *agent, Fault *fault) {
  static wchar_t command[COMMAND_UNITS];
  ZeroMemory(agent, sizeof *agent);
  if (!build_command(command, fault)) return FALSE;
  if (wcslen(command) + 32 > COMMAND_UNITS) return fault_set(fault, ERROR_BUFFER_OVERFLOW, L"The command line is too long.");
  wcscat(command, L" run --stop-on-stdin-end");

  SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
  HANDLE stdin_read = NULL, stderr_write = NULL;
  HANDLE nothing = CreateFileW(L"NUL", GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, OPEN_EXISTING, 0, NULL);
  PROCESS_INFORMATION process = {0};
  BOOL started = FALSE;
  if (nothing == INVALID_HANDLE_VALUE || !CreatePipe(&stdin_read, &agent->stop_pipe, &inherited, 0) ||
      !CreatePipe(&agent->stderr_pipe, &stderr_write, &inherited, 0)) {
    fault_set(fault, GetLastError(), L"No pipe could be made (error %lu).", GetLastError());
  } else {
    SetHandleInformation(agent->stop_pipe, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(agent->stderr_pipe, HANDLE_FLAG_INHERIT, 0);
    HANDLE handles[3] = {stdin_read, nothing, stderr_write};
    started = make_job(&agent->job, fault) && start_in_job(command, agent->job, handles, &process, fault);
  }
  /* The agent's ends: kept open here, its end would never be seen. */
  if (stdin_read != NULL) CloseHandle(stdin_read);
  if (stderr_write != NULL) CloseHandle(stderr_write);
  if (nothing != INVALID_HANDLE_VALUE) CloseHandle(nothing);
  if (!started) {
    close_agent(agent);
    fault->passing = TRUE;
    return FALSE;
  }
  CloseHandle(process.hThread);
  agent->process = process.hProcess;
  agent->process_id = process.dwProcessId;
  agent->listener = CreateThread(NULL, 0, listen, agent, 0, NULL);
  return TRUE;
}

BOOL end_agent(AgentProcess *agent, DWORD wait_seconds, void (*tick)(void)) {
  CloseHandle(agent->stop_pipe);
  agent->stop_pipe = NULL;
  for (DWORD second = 0; second < wait_seconds; second += 1) {
    if (WaitForSingleObject(agent->process, 1000) == WAIT_OBJECT_0) return TRUE;
    tick();
  }
  TerminateJobObject(agent->job, 1);
  WaitForSingleObject(agent->process, 5000);
  return FALSE;
}

void agent_said(AgentProcess *agent, wchar_t *text, size_t units) {
  /* A grandchild may hold the pipe: what has come by now is enough. */
  WaitForSingleObject(agent->listener, 2000);
  int count = MultiByteToWideChar(CP_UTF8, 0, agent->said, (int)agent->said_size, text, (int)units - 1);
  text[count] = 0;
  for (wchar_t *at = text; *at != 0; at += 1)
    if (*at < L' ') *at = L' ';
  if (count == 0) wcscpy(text, L"(nothing)");
}

void close_agent(AgentProcess *agent) {
  if (agent->job != NULL) TerminateJobObject(agent->job, 1);
  if (agent->listener != NULL) {
    CancelSynchronousIo(agent->listener);
    WaitForSingleObject(agent->listener, 2000);
    CloseHandle(agent->listener);
  }
  HANDLE handles[] = {agent->stop_pipe, agent->stderr_pipe, agent->process, agent->job};
  for (size_t index = 0; index < sizeof handles / sizeof *handles; index += 1)
    if (handles[index] != NULL) CloseHandle(handles[index]);
  ZeroMemory(agent, sizeof *agent);
}

/* Ctrl+C goes to every process of the console: the agent ends in good order, and we end after it. */
static BOOL WINAPI leave_to_agent(DWORD event) {
  (void)event;
  return TRUE;
}

int run_agent_in_console(const wchar_t *arguments) {
  static wchar_t command[COMMAND_UNITS];
  Fault fault;
  HANDLE job = NULL;
  PROCESS_INFORMATION process = {0};
  BOOL built = build_command(command, &fault);
  if (built && wcslen(command) + wcslen(arguments) + 2 > COMMAND_UNITS)
    built = fault_set(&fault, ERROR_BUFFER_OVERFLOW, L"The command line is too long.");
  if (built) {
    wcscat(command, L" ");
    wcscat(command, arguments);
    SetConsoleCtrlHandler(leave_to_agent, TRUE);
    built = make_job(&job, &fault) && start_in_job(command, job, NULL, &process, &fault);
  }
  if (!built) {
    if (fault.code == ERROR_ACCESS_DENIED)
      fwprintf(stderr, L"launchbeat: %ls Run this as an administrator.\n", fault.text);
    else
      fwprintf(stderr, L"launchbeat: %ls\n", fault.text);
    return 1;
  }
  DWORD code = 1;
  WaitForSingleObject(process.hProcess, INFINITE);
  GetExitCodeProcess(process.hProcess, &code);
  CloseHandle(process.hThread);
  CloseHandle(process.hProcess);
  CloseHandle(job);
  return (int)code;
}
