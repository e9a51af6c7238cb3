#include "targets/kvm/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Something is wrong with a host that interrupts the same call so often. */
#define INTERRUPTIONS_MAX 1000

static int host_open(void *context, const char *path, int flags)
{
	(void)context;
	return open(path, flags | O_CLOEXEC);
}

static int host_close(void *context, int descriptor)
{
	(void)context;
	return close(descriptor);
}

static int host_ioctl(void *context, int descriptor, unsigned long request, unsigned long argument)
{
	(void)context;
	return ioctl(descriptor, request, argument);
}

static void *host_map(void *context, tl_size size, int protection, int flags, int descriptor)
{
	void *mapped = mmap(NULL, size, protection, flags, descriptor, 0);

	(void)context;
	return mapped != MAP_FAILED ? mapped : NULL;
}

static int host_unmap(void *context, void *address, tl_size size)
{
	(void)context;
	return munmap(address, size);
}

const struct tl_kvm_calls tl_kvm_host_calls = {
	.open = host_open, .close = host_close, .ioctl = host_ioctl, .map = host_map, .unmap = host_unmap};

enum tl_status tl_kvm_call(const struct tl_kvm_calls *calls, int descriptor, unsigned long request, const char *name,
			   unsigned long argument, int *result_ret, struct tl_error *error)
{
	int result, left = INTERRUPTIONS_MAX;

	do
		result = calls->ioctl(calls->context, descriptor, request, argument);
	while (result < 0 && errno == EINTR && --left > 0);
	if (result < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "the host's KVM refuses %s", name);
	if (result_ret != NULL)
		*result_ret = result;
	return TL_OK;
}
