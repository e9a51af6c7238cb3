#include "targets/process/calls.h"

#include "base/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long real_ptrace(long request, pid_t thread, tl_uintptr address, tl_uintptr data)
{
	return syscall(SYS_ptrace, request, thread, address, data);
}

static int real_wait_signal(const sigset_t *set, const struct timespec *timeout)
{
	return sigtimedwait(set, NULL, timeout);
}

static int real_thread_kill(pid_t process, pid_t thread, int signal)
{
	return (int)syscall(SYS_tgkill, process, thread, signal);
}

static ssize_t real_read_process(pid_t process, void *buffer, tl_u64 address, tl_size size)
{
	struct iovec here = {buffer, size}, there = {(void *)(tl_uintptr)address, size};

	return process_vm_readv(process, &here, 1, &there, 1, 0);
}

static ssize_t real_write_process(pid_t process, const void *buffer, tl_u64 address, tl_size size)
{
	struct iovec here = {(void *)(tl_uintptr)buffer, size}, there = {(void *)(tl_uintptr)address, size};

	return process_vm_writev(process, &here, 1, &there, 1, 0);
}

static int real_open(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC);
}

static ssize_t real_pread(int descriptor, void *buffer, tl_size size, tl_u64 offset)
{
	return pread(descriptor, buffer, size, (off_t)offset);
}

static ssize_t real_pwrite(int descriptor, const void *buffer, tl_size size, tl_u64 offset)
{
	return pwrite(descriptor, buffer, size, (off_t)offset);
}

static int real_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC);
}

static int real_compare_memory(pid_t one, pid_t other)
{
	return (int)syscall(SYS_kcmp, one, other, KCMP_VM, 0, 0);
}

const struct tl_process_calls tl_process_calls_real = {
	.ptrace = real_ptrace,
	.wait = waitpid,
	.wait_signal = real_wait_signal,
	.fork = fork,
	.kill = kill,
	.thread_kill = real_thread_kill,
	.read_process = real_read_process,
	.write_process = real_write_process,
	.open = real_open,
	.close = close,
	.read = read,
	.write = write,
	.pread = real_pread,
	.pwrite = real_pwrite,
	.readlink = readlink,
	.compare_memory = real_compare_memory,
	.pipe = real_pipe,
};

#define REQUESTS(X)                                                                                                    \
	X(PTRACE_SEIZE)                                                                                                \
	X(PTRACE_INTERRUPT)                                                                                            \
	X(PTRACE_LISTEN)                                                                                               \
	X(PTRACE_SETOPTIONS)                                                                                           \
	X(PTRACE_GETEVENTMSG)                                                                                          \
	X(PTRACE_GETSIGINFO)                                                                                           \
	X(PTRACE_SETSIGINFO)                                                                                           \
	X(PTRACE_PEEKSIGINFO)                                                                                          \
	X(PTRACE_GETSIGMASK)                                                                                           \
	X(PTRACE_SETSIGMASK)                                                                                           \
	X(PTRACE_GETREGSET)                                                                                            \
	X(PTRACE_SETREGSET)                                                                                            \
	X(PTRACE_GET_SYSCALL_INFO)                                                                                     \
	X(PTRACE_POKEDATA)                                                                                             \
	X(PTRACE_PEEKDATA)                                                                                             \
	X(PTRACE_CONT)                                                                                                 \
	X(PTRACE_SYSCALL)                                                                                              \
	X(PTRACE_SINGLESTEP)                                                                                           \
	X(PTRACE_DETACH)

/* Those that other machines' C libraries do not name. */
#if defined(__x86_64__)
#define MACHINE_REQUESTS(X)                                                                                            \
	X(PTRACE_GETREGS) X(PTRACE_SETREGS) X(PTRACE_GET_THREAD_AREA) X(PTRACE_PEEKUSER) X(PTRACE_POKEUSER)
#else
#define MACHINE_REQUESTS(X)
#endif

const char *tl_process_request_name(long request)
{
#define X(name)                                                                                                        \
	if (request == (long)name)                                                                                     \
		return #name;
	REQUESTS(X)
	MACHINE_REQUESTS(X)
#undef X
	return "ptrace ?";
}

long tl_process_ptrace(const struct tl_process_calls *calls, long request, pid_t thread, tl_uintptr address,
		       tl_uintptr data)
{
	long result = calls->ptrace(request, thread, address, data);
	int saved = errno;

	TL_TRACE(PTRACE, "%s(%d, 0x%llx, 0x%llx) = %ld%s%s", tl_process_request_name(request), (int)thread,
		 (unsigned long long)address, (unsigned long long)data, result, result == -1 ? " " : "",
		 result == -1 ? strerrorname_np(saved) : "");
	errno = saved;
	return result;
}

long tl_process_ptrace_patiently(const struct tl_process_calls *calls, long request, pid_t thread, tl_uintptr address,
				 tl_uintptr data)
{
	long result = -1;

	for (int attempt = 0; attempt < 3 && result < 0; attempt++) {
		result = tl_process_ptrace(calls, request, thread, address, data);
		if (result < 0 && errno == ESRCH)
			break;
	}
	return result;
}

pid_t tl_process_wait(const struct tl_process_calls *calls, pid_t id, int *status, int flags)
{
	pid_t result = calls->wait(id, status, flags);
	int saved = errno;

	if (result > 0)
		TL_TRACE(PTRACE, "waitpid(%d) = %d, status 0x%x", (int)id, (int)result, (unsigned)*status);
	else if (result < 0 && saved != ECHILD)
		TL_TRACE(PTRACE, "waitpid(%d) = -1 %s", (int)id, strerrorname_np(saved));
	errno = saved;
	return result;
}
