/*
 * The one door to the host: every system call that has to do with KVM goes through a table of functions, so that tests
 * can have each of them fail, and run without a /dev/kvm at all.
 *
 * Any thread, unless the call itself says otherwise (KVM wants what concerns a vCPU from the thread that runs it, or
 * while none does).
 */
#ifndef TL_TARGETS_KVM_CALLS_H
#define TL_TARGETS_KVM_CALLS_H

#include "base/error.h"
#include "core/types.h"

#include <linux/kvm.h>

/* System calls, with `context` in front. They return what the system calls return, with errno. */
struct tl_kvm_calls {
	/* open(2), with O_CLOEXEC added. */
	int (*open)(void *context, const char *path, int flags);
	/* close(2). */
	int (*close)(void *context, int descriptor);
	/* ioctl(2); the argument is a number or an address, as the request wants it. */
	int (*ioctl)(void *context, int descriptor, unsigned long request, unsigned long argument);
	/* mmap(2) at an address of the host's choice; NULL with errno when it fails. */
	void *(*map)(void *context, tl_size size, int protection, int flags, int descriptor);
	/* munmap(2). */
	int (*unmap)(void *context, void *address, tl_size size);
	/* The table's own; the host's has none. */
	void *context;
};

/* The host's. */
extern const struct tl_kvm_calls tl_kvm_host_calls;

/*
 * An ioctl as a function with an error: `name` is what a person knows the request by. A signal that interrupts it is
 * not an error: it is made again, a bounded number of times. What the ioctl returned (0 or more) is in *result_ret,
 * unless that is NULL. TL_ERROR_SYSTEM with errno in the error. Not for KVM_RUN, which signals are meant to interrupt.
 */
enum tl_status tl_kvm_call(const struct tl_kvm_calls *calls, int descriptor, unsigned long request, const char *name,
			   unsigned long argument, int *result_ret, struct tl_error *error);

/* The same with an address or NULL for its argument, and with the request's own name. */
#define TL_KVM_CALL(calls, descriptor, request, argument, error)                                                       \
	tl_kvm_call((calls), (descriptor), (request), #request, (unsigned long)(argument), NULL, (error))

#endif
