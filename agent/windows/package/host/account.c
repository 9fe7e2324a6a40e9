/*
 * The account of the service: its SID, and its place among the Event Log Readers, who may read the Security log.
 * The group goes by its SID: its name is another one in each language of Windows.
 */
#include "host.h"
#include <lm.h>
#include <sddl.h>
#include <stdio.h>
#include <wchar.h>

#define EVENT_LOG_READERS L"S-1-5-32-573"

/* LocalSystem and the service's own account are known; any other one is looked up. */
wchar_t *account_sid_text(const wchar_t *account, Fault *fault) {
  wchar_t *text = NULL;
  const wchar_t *known = NULL;
  if (_wcsicmp(account, L"LocalSystem") == 0) known = L"S-1-5-18";
  if (_wcsicmp(account, SERVICE_ACCOUNT) == 0) known = LAUNCHBEAT_SERVICE_SID;
  if (known != NULL) {
    size_t size = (wcslen(known) + 1) * sizeof(wchar_t);
    text = LocalAlloc(LMEM_FIXED, size);
    if (text != NULL) memcpy(text, known, size);
    return text;
  }
  /* The service manager's way to write an account of this PC; look-ups do not know it. */
  if (wcsncmp(account, L".\\", 2) == 0) account += 2;
  BYTE sid[SECURITY_MAX_SID_SIZE];
  wchar_t domain[256];
  DWORD sid_size = sizeof sid, domain_units = 256;
  SID_NAME_USE use;
  if (!LookupAccountNameW(NULL, account, sid, &sid_size, domain, &domain_units, &use) ||
      !ConvertSidToStringSidW(sid, &text)) {
    fault_set(fault, GetLastError(), L"The account %ls is not known here (error %lu).", account, GetLastError());
    return NULL;
  }
  return text;
}

static BOOL group_name(wchar_t *name, DWORD units, Fault *fault) {
  PSID sid = NULL;
  wchar_t domain[256];
  DWORD domain_units = 256;
  SID_NAME_USE use;
  BOOL found = ConvertStringSidToSidW(EVENT_LOG_READERS, &sid) &&
               LookupAccountSidW(NULL, sid, name, &units, domain, &domain_units, &use);
  DWORD error = GetLastError();
  if (sid != NULL) LocalFree(sid);
  if (!found)
    return fault_set(fault, error, L"This Windows has no group " EVENT_LOG_READERS L" (Event Log Readers): error %lu.",
                     error);
  return TRUE;
}

static BOOL change_membership(const wchar_t *sid_text, BOOL join, Fault *fault) {
  wchar_t group[256];
  if (!group_name(group, 256, fault)) return FALSE;
  LOCALGROUP_MEMBERS_INFO_0 member;
  if (!ConvertStringSidToSidW(sid_text, &member.lgrmi0_sid))
    return fault_set(fault, GetLastError(), L"%ls is no SID.", sid_text);
  NET_API_STATUS status = join ? NetLocalGroupAddMembers(NULL, group, 0, (LPBYTE)&member, 1)
                               : NetLocalGroupDelMembers(NULL, group, 0, (LPBYTE)&member, 1);
  LocalFree(member.lgrmi0_sid);
  BOOL there_already = join ? status == ERROR_MEMBER_IN_ALIAS : status == ERROR_MEMBER_NOT_IN_ALIAS;
  if (status == NERR_Success || there_already) return TRUE;
  return fault_set(fault, status,
                   L"The service's account (%ls) could not be %ls the group %ls: error %lu. Without it the agent may not "
                   L"read the Security log; a group policy \"Restricted Groups\" may forbid it.",
                   sid_text, join ? L"added to" : L"taken from", group, status);
}

BOOL join_event_log_readers(const wchar_t *sid_text, Fault *fault) {
  /* LocalSystem may read every log. */
  if (wcscmp(sid_text, L"S-1-5-18") == 0) return TRUE;
  return change_membership(sid_text, TRUE, fault);
}

BOOL leave_event_log_readers(const wchar_t *sid_text, Fault *fault) {
  if (wcscmp(sid_text, L"S-1-5-18") == 0) return TRUE;
  return change_membership(sid_text, FALSE, fault);
}
