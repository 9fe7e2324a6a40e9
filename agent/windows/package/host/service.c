/*
 * The service: starts the agent, tells Windows its state, ends it when asked.
 * By the agent's exit code:
 *   asked to end   stopped, 0
 *   0              its source ended (files): stopped, 0
 *   78             the config is wrong, and starting again would not mend it: stopped with 1066 and 78, no recovery action
 *   any other      this process ends without a word to the service manager, which counts that as a failure: recovery actions
 * An agent that could not be started is tried again in the same way, unless its settings are why.
 */
#include "host.h"
#include "messages.h"
#include <stdio.h>
#include <wchar.h>

#define EXIT_CONFIG 78
#define STOP_SECONDS_MAX 25

static SERVICE_STATUS_HANDLE status_handle;
static SERVICE_STATUS status = {.dwServiceType = SERVICE_WIN32_OWN_PROCESS};
static HANDLE stop_asked;

static void report(DWORD state, DWORD wait_ms) {
  status.dwCurrentState = state;
  status.dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN : 0;
  status.dwWaitHint = wait_ms;
  status.dwCheckPoint = state == SERVICE_RUNNING || state == SERVICE_STOPPED ? 0 : status.dwCheckPoint + 1;
  SetServiceStatus(status_handle, &status);
}

static void report_stopped(DWORD code) {
  status.dwWin32ExitCode = code == 0 ? NO_ERROR : ERROR_SERVICE_SPECIFIC_ERROR;
  status.dwServiceSpecificExitCode = code;
  report(SERVICE_STOPPED, 0);
}

static void still_stopping(void) { report(SERVICE_STOP_PENDING, 3000); }

static void log_event(WORD type, DWORD message, const wchar_t *first, const wchar_t *second) {
  HANDLE source = RegisterEventSourceW(NULL, SERVICE_NAME);
  if (source == NULL) return;
  const wchar_t *words[2] = {first, second};
  WORD count = (WORD)((first != NULL) + (second != NULL));
  ReportEventW(source, type, 0, message, NULL, count, 0, count == 0 ? NULL : words, NULL);
  DeregisterEventSource(source);
}

static DWORD WINAPI on_control(DWORD control, DWORD type, LPVOID data, LPVOID context) {
  (void)type;
  (void)data;
  (void)context;
  if (control == SERVICE_CONTROL_INTERROGATE) return NO_ERROR;
  if (control != SERVICE_CONTROL_STOP && control != SERVICE_CONTROL_PRESHUTDOWN) return ERROR_CALL_NOT_IMPLEMENTED;
  /* The agent ended by itself in this very moment: nothing may be said after that. */
  if (status.dwCurrentState == SERVICE_STOPPED) return NO_ERROR;
  report(SERVICE_STOP_PENDING, 3000);
  SetEvent(stop_asked);
  return NO_ERROR;
}

static void stop(AgentProcess *agent) {
  wchar_t seconds[16];
  _snwprintf(seconds, 16, L"%d", STOP_SECONDS_MAX);
  if (end_agent(agent, STOP_SECONDS_MAX, still_stopping))
    log_event(EVENTLOG_INFORMATION_TYPE, MESSAGE_STOPPED, NULL, NULL);
  else
    log_event(EVENTLOG_WARNING_TYPE, MESSAGE_STOP_SLOW, seconds, NULL);
  close_agent(agent);
  report_stopped(0);
}

static void ended(AgentProcess *agent) {
  static wchar_t said[2049];
  wchar_t code_text[16];
  DWORD code = 1;
  GetExitCodeProcess(agent->process, &code);
  agent_said(agent, said, 2049);
  _snwprintf(code_text, 16, L"%lu", code);
  close_agent(agent);
  if (code == 0) {
    log_event(EVENTLOG_INFORMATION_TYPE, MESSAGE_FINISHED, NULL, NULL);
    report_stopped(0);
  } else if (code == EXIT_CONFIG) {
    log_event(EVENTLOG_ERROR_TYPE, MESSAGE_CONFIG, said, NULL);
    report_stopped(EXIT_CONFIG);
  } else {
    log_event(EVENTLOG_ERROR_TYPE, MESSAGE_ENDED, code_text, said);
    ExitProcess(code);
  }
}

static void WINAPI service_main(DWORD count, LPWSTR *arguments) {
  (void)count;
  (void)arguments;
  static AgentProcess agent;
  Fault fault = {0};
  wchar_t process_id[16];
  status_handle = RegisterServiceCtrlHandlerExW(SERVICE_NAME, on_control, NULL);
  if (status_handle == NULL) return;
  stop_asked = CreateEventW(NULL, TRUE, FALSE, NULL);
  report(SERVICE_START_PENDING, 10000);
  if (!start_agent(&agent, &fault)) {
    log_event(EVENTLOG_ERROR_TYPE, MESSAGE_CANNOT_START, fault.text, NULL);
    if (fault.passing) ExitProcess(fault.code == 0 ? 1 : fault.code);
    report_stopped(fault.code == 0 ? 1 : fault.code);
    return;
  }
  _snwprintf(process_id, 16, L"%lu", agent.process_id);
  log_event(EVENTLOG_INFORMATION_TYPE, MESSAGE_STARTED, LAUNCHBEAT_VERSION, process_id);
  report(SERVICE_RUNNING, 0);
  HANDLE both[2] = {stop_asked, agent.process};
  if (WaitForMultipleObjects(2, both, FALSE, INFINITE) == WAIT_OBJECT_0)
    stop(&agent);
  else
    ended(&agent);
}

int run_service(void) {
  SERVICE_TABLE_ENTRYW table[] = {{(LPWSTR)SERVICE_NAME, service_main}, {NULL, NULL}};
  if (StartServiceCtrlDispatcherW(table)) return 0;
  fwprintf(stderr, L"launchbeat: --service is for the service manager; start the service with: sc.exe start %ls\n",
           SERVICE_NAME);
  return 1;
}
