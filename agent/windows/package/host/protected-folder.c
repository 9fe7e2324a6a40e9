/*
 * The data folder: C:\ProgramData\Launchbeat with data\ and logs\. Every user of a PC may make folders in ProgramData, so one
 * that was there before us may be a trap: it is refused unless System or the Administrators own it and what lies in it.
 * Rights, not inherited from above:
 *   the folder   System and Administrators all, the service reads (launchbeat.yml, install.env, ca.crt)
 *   data, logs   the service changes as well
 * Nothing in these folders is ever run.
 */
#include "host.h"
#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <wchar.h>

/* %ls: the SID of the service's account; rights 0x1200a9 = read and execute (traverse), 0x1301bf = modify. */
#define SDDL_READ L"O:BAG:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;%ls)"
#define SDDL_MODIFY L"O:BAG:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;%ls)"
#define SDDL_FILE L"O:BAG:BAD:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;%ls)"

static PSECURITY_DESCRIPTOR descriptor_of(const wchar_t *sddl, const wchar_t *account_sid, Fault *fault) {
  wchar_t text[512];
  PSECURITY_DESCRIPTOR descriptor = NULL;
  _snwprintf(text, 512, sddl, account_sid);
  text[511] = 0;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &descriptor, NULL))
    fault_set(fault, GetLastError(), L"The rights %ls are not understood (error %lu).", text, GetLastError());
  return descriptor;
}

static BOOL is_trusted_owner(PSID owner, const wchar_t *account_sid) {
  static const WELL_KNOWN_SID_TYPE trusted[] = {WinLocalSystemSid, WinBuiltinAdministratorsSid};
  for (size_t index = 0; index < sizeof trusted / sizeof *trusted; index += 1)
    if (IsWellKnownSid(owner, trusted[index])) return TRUE;
#ifdef LAUNCHBEAT_FOR_WINE
  /* Tests only: under Wine every file belongs to this user, whatever it was made with. */
  PSID wine_user = NULL;
  if (ConvertStringSidToSidW(L"S-1-5-21-0-0-0-1000", &wine_user)) {
    BOOL own = EqualSid(owner, wine_user);
    LocalFree(wine_user);
    if (own) return TRUE;
  }
#endif
  /* The service may have run under its own account before, and under another one now. */
  wchar_t *text = NULL;
  if (ConvertSidToStringSidW(owner, &text)) {
    BOOL own = wcscmp(text, LAUNCHBEAT_SERVICE_SID) == 0;
    LocalFree(text);
    if (own) return TRUE;
  }
  PSID account = NULL;
  if (!ConvertStringSidToSidW(account_sid, &account)) return FALSE;
  BOOL same = EqualSid(owner, account);
  LocalFree(account);
  return same;
}

/* Whether a folder's rights are its own, as ours are: then only trusted accounts could put something into it. */
static BOOL is_protected(const wchar_t *path) {
  PSECURITY_DESCRIPTOR descriptor = NULL;
  SECURITY_DESCRIPTOR_CONTROL control = 0;
  DWORD revision;
  BOOL protected = GetNamedSecurityInfoW(path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, NULL, NULL,
                                         &descriptor) == ERROR_SUCCESS &&
                   GetSecurityDescriptorControl(descriptor, &control, &revision) && (control & SE_DACL_PROTECTED) != 0;
  if (descriptor != NULL) LocalFree(descriptor);
  return protected;
}

/* Looks at one thing that was there before: no link, and owned by one who could have installed us. */
static BOOL check_owner(const wchar_t *path, const wchar_t *account_sid, Fault *fault) {
  HANDLE handle = CreateFileW(path, READ_CONTROL | FILE_READ_ATTRIBUTES,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                              FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
  if (handle == INVALID_HANDLE_VALUE)
    return fault_set(fault, GetLastError(), L"%ls cannot be looked at (error %lu).", path, GetLastError());
  BY_HANDLE_FILE_INFORMATION info;
  PSID owner = NULL;
  PSECURITY_DESCRIPTOR descriptor = NULL;
  BOOL known = GetFileInformationByHandle(handle, &info);
  DWORD error =
      GetSecurityInfo(handle, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL, NULL, &descriptor);
  CloseHandle(handle);
  BOOL link = known && (info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
  BOOL trusted = known && error == ERROR_SUCCESS && owner != NULL && is_trusted_owner(owner, account_sid);
  wchar_t *owner_text = NULL;
  if (!trusted && owner != NULL) ConvertSidToStringSidW(owner, &owner_text);
  if (link)
    fault_set(fault, ERROR_ACCESS_DENIED, L"%ls is a link to somewhere else. Delete it, then install again.", path);
  else if (!trusted)
    fault_set(fault, ERROR_ACCESS_DENIED,
              L"%ls was made by somebody else (owner %ls), who may have left something in it. Look into it, delete it, then "
              L"install again.",
              path, owner_text == NULL ? L"unknown" : owner_text);
  if (owner_text != NULL) LocalFree(owner_text);
  if (descriptor != NULL) LocalFree(descriptor);
  return !link && trusted;
}

static BOOL check_contents(const wchar_t *folder, const wchar_t *account_sid, Fault *fault) {
  wchar_t pattern[PATH_UNITS], path[PATH_UNITS];
  if (!join_path(pattern, folder, L"*", fault)) return FALSE;
  WIN32_FIND_DATAW found;
  HANDLE search = FindFirstFileW(pattern, &found);
  if (search == INVALID_HANDLE_VALUE)
    return fault_set(fault, GetLastError(), L"%ls cannot be listed (error %lu).", folder, GetLastError());
  BOOL right = TRUE;
  do {
    if (wcscmp(found.cFileName, L".") == 0 || wcscmp(found.cFileName, L"..") == 0) continue;
    right = join_path(path, folder, found.cFileName, fault) && check_owner(path, account_sid, fault);
  } while (right && FindNextFileW(search, &found));
  FindClose(search);
  return right;
}

/* Makes a folder with these rights, or gives them to one that may be trusted. */
static BOOL make_folder(const wchar_t *path, const wchar_t *sddl, const wchar_t *account_sid, Fault *fault) {
  PSECURITY_DESCRIPTOR descriptor = descriptor_of(sddl, account_sid, fault);
  if (descriptor == NULL) return FALSE;
  SECURITY_ATTRIBUTES attributes = {sizeof attributes, descriptor, FALSE};
  BOOL made = CreateDirectoryW(path, &attributes);
  DWORD error = GetLastError();
  if (!made && error == ERROR_ALREADY_EXISTS) {
    made = check_owner(path, account_sid, fault) && (is_protected(path) || check_contents(path, account_sid, fault));
    if (made) {
      PSID owner = NULL;
      PACL rights = NULL;
      BOOL defaulted, present;
      GetSecurityDescriptorOwner(descriptor, &owner, &defaulted);
      GetSecurityDescriptorDacl(descriptor, &present, &rights, &defaulted);
      wchar_t name[PATH_UNITS];
      wcscpy(name, path);
      /* This call, unlike SetFileSecurity, brings the inherited part of what lies below up to date. */
      error = SetNamedSecurityInfoW(
          name, SE_FILE_OBJECT,
          OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, owner, NULL,
          rights, NULL);
      made = error == ERROR_SUCCESS;
      if (!made) fault_set(fault, error, L"The rights of %ls cannot be set (error %lu).", path, error);
    }
  } else if (!made) {
    fault_set(fault, error, L"%ls cannot be made (error %lu).", path, error);
  }
  LocalFree(descriptor);
  return made;
}

BOOL protect_data_folder(const wchar_t *folder, const wchar_t *account_sid, Fault *fault) {
  wchar_t data[PATH_UNITS], logs[PATH_UNITS];
  return make_folder(folder, SDDL_READ, account_sid, fault) && join_path(data, folder, L"data", fault) &&
         make_folder(data, SDDL_MODIFY, account_sid, fault) && join_path(logs, folder, L"logs", fault) &&
         make_folder(logs, SDDL_MODIFY, account_sid, fault);
}

BOOL write_protected_file(const wchar_t *path, const wchar_t *account_sid, const char *bytes, DWORD size,
                          Fault *fault) {
  wchar_t part[PATH_UNITS];
  int units = _snwprintf(part, PATH_UNITS, L"%ls.new", path);
  if (units < 0 || units >= PATH_UNITS) return fault_set(fault, ERROR_FILENAME_EXCED_RANGE, L"%ls is too long.", path);
  PSECURITY_DESCRIPTOR descriptor = descriptor_of(SDDL_FILE, account_sid, fault);
  if (descriptor == NULL) return FALSE;
  SECURITY_ATTRIBUTES attributes = {sizeof attributes, descriptor, FALSE};
  DeleteFileW(part);
  HANDLE file = CreateFileW(part, GENERIC_WRITE, 0, &attributes, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
  LocalFree(descriptor);
  if (file == INVALID_HANDLE_VALUE)
    return fault_set(fault, GetLastError(), L"%ls cannot be made (error %lu).", part, GetLastError());
  DWORD written = 0;
  BOOL done = WriteFile(file, bytes, size, &written, NULL) && written == size && FlushFileBuffers(file);
  DWORD error = GetLastError();
  CloseHandle(file);
  if (done && !MoveFileExW(part, path, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
    done = FALSE;
    error = GetLastError();
  }
  if (done) return TRUE;
  DeleteFileW(part);
  return fault_set(fault, error, L"%ls cannot be written (error %lu).", path, error);
}

/* Deletes a folder with all in it; a link is deleted itself, not what it leads to. */
BOOL delete_tree(const wchar_t *folder, Fault *fault) {
  wchar_t pattern[PATH_UNITS], path[PATH_UNITS];
  if (!join_path(pattern, folder, L"*", fault)) return FALSE;
  WIN32_FIND_DATAW found;
  HANDLE search = FindFirstFileW(pattern, &found);
  if (search == INVALID_HANDLE_VALUE) {
    DWORD error = GetLastError();
    if (error == ERROR_PATH_NOT_FOUND || error == ERROR_FILE_NOT_FOUND) return TRUE;
    return fault_set(fault, error, L"%ls cannot be listed (error %lu).", folder, error);
  }
  BOOL done = TRUE;
  do {
    if (wcscmp(found.cFileName, L".") == 0 || wcscmp(found.cFileName, L"..") == 0) continue;
    if (!join_path(path, folder, found.cFileName, fault)) {
      done = FALSE;
      break;
    }
    BOOL is_folder = (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    BOOL is_link = (found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
    if (is_folder && !is_link) {
      done = delete_tree(path, fault);
    } else if (!(is_folder ? RemoveDirectoryW(path) : DeleteFileW(path))) {
      done = fault_set(fault, GetLastError(), L"%ls cannot be deleted (error %lu).", path, GetLastError());
    }
  } while (done && FindNextFileW(search, &found));
  FindClose(search);
  if (done && !RemoveDirectoryW(folder))
    done = fault_set(fault, GetLastError(), L"%ls cannot be deleted (error %lu).", folder, GetLastError());
  return done;
}
