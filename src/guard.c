/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c: privileges and the service manager. */
#include "guard.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"

/* AddressSanitizer's search for leaks traces the program. */
#if defined(WITH_SECCOMP) && !defined(__SANITIZE_ADDRESS__)
#include <seccomp.h>

/*
 * Not a list of what is allowed, which every version of a library could break, but of what the program never does and an
 * intruder would: run programs, look into others, change the system.
 */
static const int never[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(keyctl),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
};

static int forbid(void)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    int rc = ctx ? 0 : -ENOMEM;

    for (size_t i = 0; rc == 0 && i < sizeof never / sizeof never[0]; i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), never[i], 0);
    if (rc == 0)
        rc = seccomp_load(ctx);
    if (ctx)
        seccomp_release(ctx);
    return rc == 0 ? CLI_OK : cli_fail("cannot restrict system calls: %s", strerror(-rc));
}
#else
static int forbid(void)
{
    return CLI_OK;
}
#endif

static int become(const char *user)
{
    const struct passwd *p;

    errno = 0;
    p = getpwnam(user);
    if (!p)
        return cli_fail("--user %s: %s", user, errno ? strerror(errno) : "there is no such user");
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || initgroups(user, p->pw_gid) < 0 ||
        setresgid(p->pw_gid, p->pw_gid, p->pw_gid) < 0 ||
        setresuid(p->pw_uid, p->pw_uid, p->pw_uid) < 0)
        return cli_fail("--user %s: %s", user, strerror(errno));
    return CLI_OK;
}

/* An interface that comes back is opened again: that needs CAP_NET_RAW, and nothing else is needed. */
static int keep_net_raw(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct now[2], keep[2] = {{0}};
    const unsigned bit = 1u << CAP_NET_RAW;

    if (syscall(SYS_capget, &head, now) < 0)
        return cli_fail("capabilities cannot be read: %s", strerror(errno));
    keep[0].permitted = keep[0].effective = now[0].permitted & bit;
    if (syscall(SYS_capset, &head, keep) < 0)
        return cli_fail("capabilities cannot be dropped: %s", strerror(errno));
    return CLI_OK;
}

int guard_drop(const char *user)
{
    int rc = user ? become(user) : CLI_OK;

    if (rc == CLI_OK)
        rc = keep_net_raw();
    if (rc == CLI_OK && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        rc = cli_fail("new privileges cannot be refused: %s", strerror(errno));
    return rc == CLI_OK ? forbid() : rc;
}

void guard_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    int fd;

    if (len < 2 || len >= sizeof addr.sun_path || (*path != '/' && *path != '@'))
        return;
    memcpy(addr.sun_path, path, len);
    if (*path == '@') /* an abstract address */
        addr.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    /* when systemd does not listen, there is nobody to tell */
    (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&addr,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    (void)close(fd);
}

uint64_t guard_watchdog_ns(void)
{
    const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

    if (!us || (pid && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    return strtoull(us, NULL, 10) * 1000 / 2;
}
