/* Asks Windows' AccessCheck the rows of access_check.txt that it can express from an ordinary account, and prints the rows
   with its answers: i686-w64-mingw32-gcc -O1 access_check_wine.c -ladvapi32. The account must be S-1-5-21-0-0-0-1000 and an
   administrator, as Wine's is; rows about Administrators are for the token "admin" alone. */
#include <windows.h>
#include <stdio.h>
#include <string.h>

static const GENERIC_MAPPING mapping = {0x20001, 0x20002, 0x20004, 0xf000f};

static BOOL sid_of(const char *name, BYTE *out)
{
    static const struct { const char *name; BYTE authority, count; DWORD sub[5]; } known[] = {
        {"ME", 5, 5, {21, 0, 0, 0, 1000}}, {"WD", 1, 1, {0}}, {"BA", 5, 2, {32, 544}}, {"BU", 5, 2, {32, 545}},
        {"SY", 5, 1, {18}}, {"IU", 5, 1, {4}}, {"AU", 5, 1, {11}}, {"DU", 5, 1, {1}}, {"OW", 3, 1, {4}},
        {"PS", 5, 1, {10}}, {"RC", 5, 1, {12}}, {"WR", 5, 1, {33}}, {"ML", 16, 1, {8192}},
    };
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, name)) continue;
        memset(out, 0, 68);
        out[0] = 1; out[1] = known[i].count; out[7] = known[i].authority;
        memcpy(out + 8, known[i].sub, 4 * known[i].count);
        return TRUE;
    }
    return FALSE;
}

static BOOL list_of(char *text, BYTE *out)
{
    DWORD size = 8; WORD count = 0;
    if (!strcmp(text, "empty")) text[0] = 0;
    for (char *entry = strtok(text, " "); entry; entry = strtok(NULL, " "), count++) {
        char kind[16], name[16]; DWORD mask; BYTE sid[68]; BYTE type, flags = 0;
        if (sscanf(entry, "%15[^:]:%15[^:]:%lx", kind, name, &mask) != 3) return FALSE;
        char *small = kind + strcspn(kind, "abcdefghijklmnopqrstuvwxyz.");
        if (!strcmp(small, "io")) flags = 8; else if (*small) return FALSE;
        *small = 0;
        if (!strcmp(kind, "A")) type = 0; else if (!strcmp(kind, "D")) type = 1; else return FALSE;
        if (!sid_of(name, sid)) return FALSE;
        WORD length = 8 + 8 + 4 * sid[1];
        BYTE *ace = out + size;
        ace[0] = type; ace[1] = flags; memcpy(ace + 2, &length, 2); memcpy(ace + 4, &mask, 4);
        memcpy(ace + 8, sid, length - 8);
        size += length;
    }
    out[0] = 2; out[1] = 0; memcpy(out + 2, &size, 2); memcpy(out + 4, &count, 2); out[6] = out[7] = 0;
    return TRUE;
}

static HANDLE token_of(const char *name)
{
    HANDLE process, token = NULL, copy;
    SECURITY_IMPERSONATION_LEVEL level = SecurityImpersonation;
    const char *disable = NULL, *restrict_to = NULL, *privilege = NULL;
    BYTE one[68], other[68];
    if (!strcmp(name, "denyonly")) disable = "IU";
    else if (!strcmp(name, "nouser")) disable = "ME";
    else if (!strcmp(name, "restricted")) restrict_to = "RC";
    else if (!strcmp(name, "takeown")) privilege = "SeTakeOwnershipPrivilege";
    else if (!strcmp(name, "security")) privilege = "SeSecurityPrivilege";
    else if (!strcmp(name, "anonymous")) level = SecurityAnonymous;
    else if (!strcmp(name, "identification")) level = SecurityIdentification;
    else if (strcmp(name, "user") && strcmp(name, "admin") && strcmp(name, "nosecurity") && strcmp(name, "impersonation")) return NULL;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &process)) return NULL;
    SID_AND_ATTRIBUTES d = {one, 0}, r = {other, 0};
    if (disable) sid_of(disable, one);
    if (restrict_to) sid_of(restrict_to, other);
    if (!CreateRestrictedToken(process, 0, disable ? 1 : 0, &d, 0, NULL, restrict_to ? 1 : 0, &r, &token)) return NULL;
    AdjustTokenPrivileges(token, TRUE, NULL, 0, NULL, NULL);
    if (privilege) {
        TOKEN_PRIVILEGES p = {1, {{{0}, SE_PRIVILEGE_ENABLED}}};
        LookupPrivilegeValueA(NULL, privilege, &p.Privileges[0].Luid);
        AdjustTokenPrivileges(token, FALSE, &p, 0, NULL, NULL);
    }
    if (!DuplicateTokenEx(token, TOKEN_ALL_ACCESS, NULL, level, TokenImpersonation, &copy)) return NULL;
    return copy;
}

int main(int argc, char **argv)
{
    char line[512];
    FILE *table = fopen(argv[1], "r");
    while (table && fgets(line, sizeof line, table)) {
        char token_name[32], owner_name[8], label[32], dacl[256], text[256]; DWORD desired;
        if (line[0] == '#' || sscanf(line, "%31s | %7s | %31s | %255[^|]| %lx", token_name, owner_name, label, dacl, &desired) != 5) continue;
        while (*dacl && dacl[strlen(dacl) - 1] == ' ') dacl[strlen(dacl) - 1] = 0;
        if (strcmp(label, "-") || (strcmp(token_name, "admin") && (strstr(dacl, "BA") || strstr(owner_name, "BA")))) continue;
        SECURITY_DESCRIPTOR sd; BYTE owner[68]; static BYTE acl[4096];
        InitializeSecurityDescriptor(&sd, 1);
        sid_of(owner_name, owner);
        SetSecurityDescriptorOwner(&sd, owner, FALSE);
        SetSecurityDescriptorGroup(&sd, owner, FALSE);
        strcpy(text, dacl);
        if (!strcmp(dacl, "null")) SetSecurityDescriptorDacl(&sd, TRUE, NULL, FALSE);
        else if (strcmp(dacl, "absent")) {
            if (!list_of(text, acl)) continue;
            SetSecurityDescriptorDacl(&sd, TRUE, (ACL *)acl, FALSE);
        }
        HANDLE token = token_of(token_name);
        if (!token) continue;
        BYTE set[256]; DWORD length = sizeof set, granted = 0; BOOL status = FALSE;
        GENERIC_MAPPING m = mapping;
        BOOL called = AccessCheck(&sd, token, desired, &m, (PRIVILEGE_SET *)set, &length, &granted, &status);
        DWORD error = GetLastError();
        printf("%s | %s | %s | %s | %lx | ", token_name, owner_name, label, dacl, desired);
        if (called && status) printf("%lx\n", granted);
        else if (error == ERROR_ACCESS_DENIED) printf("DENIED\n");
        else if (error == ERROR_PRIVILEGE_NOT_HELD) printf("PRIVILEGE\n");
        else if (error == ERROR_BAD_IMPERSONATION_LEVEL) printf("LEVEL\n");
        else if (error == ERROR_GENERIC_NOT_MAPPED) printf("GENERIC\n");
        else printf("%s error %lu\n", called ? "status" : "call", error);
        CloseHandle(token);
    }
    return 0;
}
