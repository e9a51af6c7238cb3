/*
 * The system calls that the process target makes, in one table, so that a test can stand between: count them, fail the
 * n-th with any errno. Signatures and results are those of the manual pages (section 2), except ptrace, whose results
 * all come back through `data` as the kernel's own interface has it, and thread_kill, which is tgkill.
 *
 * Nothing else in targets/process calls the system, but for what a forked child does before exec (launch.c).
 */
#ifndef TL_TARGETS_PROCESS_CALLS_H
#define TL_TARGETS_PROCESS_CALLS_H

#include "core/types.h"

#include <signal.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

struct tl_process_calls {
	long (*ptrace)(long request, pid_t thread, tl_uintptr address, tl_uintptr data);
	pid_t (*wait)(pid_t id, int *status, int flags);
	int (*wait_signal)(const sigset_t *set, const struct timespec *timeout); /* sigtimedwait */
	pid_t (*fork)(void);
	int (*kill)(pid_t process, int signal);
	int (*thread_kill)(pid_t process, pid_t thread, int signal);
	ssize_t (*read_process)(pid_t process, void *buffer, tl_u64 address, tl_size size); /* process_vm_readv */
	ssize_t (*write_process)(pid_t process, const void *buffer, tl_u64 address,
				 tl_size size); /* process_vm_writev */
	int (*open)(const char *path, int flags);
	int (*close)(int descriptor);
	ssize_t (*read)(int descriptor, void *buffer, tl_size size);
	ssize_t (*write)(int descriptor, const void *buffer, tl_size size);
	ssize_t (*pread)(int descriptor, void *buffer, tl_size size, tl_u64 offset);
	ssize_t (*pwrite)(int descriptor, const void *buffer, tl_size size, tl_u64 offset);
	ssize_t (*readlink)(const char *path, char *buffer, tl_size size);
	int (*pipe)(int ends[2]);                      /* close-on-exec */
	int (*compare_memory)(pid_t one, pid_t other); /* kcmp, KCMP_VM: 0 when they share it */
};

extern const struct tl_process_calls tl_process_calls_real;

/* Makes a ptrace call and traces it by name with its result. -1 and errno on failure, as ptrace. */
long tl_process_ptrace(const struct tl_process_calls *calls, long request, pid_t thread, tl_uintptr address,
		       tl_uintptr data);

/*
 * The same for what must not fail: a stop cannot be understood, or a thread not be let go, without it. A passing
 * failure gets another chance; ESRCH is an answer.
 */
long tl_process_ptrace_patiently(const struct tl_process_calls *calls, long request, pid_t thread, tl_uintptr address,
				 tl_uintptr data);

/* The same for waitpid; nothing is traced when nothing was ready. */
pid_t tl_process_wait(const struct tl_process_calls *calls, pid_t id, int *status, int flags);

/* "PTRACE_CONT"; "ptrace ?" for a request that is not used here. */
const char *tl_process_request_name(long request);

#endif
