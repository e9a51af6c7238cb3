/*
 * A host's KVM that is not there: descriptors and mappings are counted, states are kept as bytes, and any call can be
 * told to fail.
 */
#ifndef TL_TESTS_UNIT_KVM_HOST_H
#define TL_TESTS_UNIT_KVM_HOST_H

#include "targets/kvm/calls.h"
#include "targets/kvm/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KVM_HOST_SLOTS 512
#define KVM_HOST_RUN_SIZE 12288
#define KVM_HOST_LINES 24

struct kvm_host {
	int calls;   /* so far */
	int fail;    /* the number of the call that fails, from 1 on; 0: none */
	bool misses; /* a capability that it does not have: KVM_CAP_IRQCHIP is 0 */
	unsigned long missing;
	unsigned long refused; /* a request that always fails; 0: none */
	int refused_errno;     /* with that; 0: EINVAL */
	int open_errno;        /* opening it always fails with that; 0: it does not */
	int next_descriptor, open_descriptors, mappings;
	struct kvm_userspace_memory_region slots[KVM_HOST_SLOTS];
	int overlaps; /* how often a slot met another */
	bool lines[KVM_HOST_LINES];
	int line_changes;
	struct kvm_regs registers; /* as they were set last; and so on */
	struct kvm_sregs system;
	struct kvm_mp_state state;
	int control_calls; /* KVM_KVMCLOCK_CTRL */
	tl_u64 clock;
	unsigned long last_request;
};

static inline bool kvm_host_fails(struct kvm_host *host)
{
	host->calls++;
	if (host->calls != host->fail)
		return false;
	errno = EIO;
	return true;
}

static inline int kvm_host_descriptor(struct kvm_host *host)
{
	host->open_descriptors++;
	return 1000 + host->next_descriptor++;
}

static inline int kvm_host_open(void *context, const char *path, int flags)
{
	const struct kvm_host *host = context;

	(void)path;
	(void)flags;
	if (kvm_host_fails(context))
		return -1;
	if (host->open_errno == 0)
		return kvm_host_descriptor(context);
	errno = host->open_errno;
	return -1;
}

static inline int kvm_host_close(void *context, int descriptor)
{
	struct kvm_host *host = context;

	(void)descriptor;
	host->open_descriptors--;
	return 0;
}

static inline int kvm_host_set_slot(struct kvm_host *host, const struct kvm_userspace_memory_region *region)
{
	if (region->slot >= KVM_HOST_SLOTS) {
		errno = EINVAL;
		return -1;
	}
	for (int i = 0; i < KVM_HOST_SLOTS && region->memory_size != 0; i++) {
		const struct kvm_userspace_memory_region *other = &host->slots[i];

		if ((tl_u32)i != region->slot && other->memory_size != 0 &&
		    region->guest_phys_addr < other->guest_phys_addr + other->memory_size &&
		    other->guest_phys_addr < region->guest_phys_addr + region->memory_size) {
			host->overlaps++;
			errno = EEXIST;
			return -1;
		}
	}
	host->slots[region->slot] = *region;
	return 0;
}

static inline int kvm_host_request(struct kvm_host *host, unsigned long request, void *argument)
{
	switch (request) {
	case KVM_GET_API_VERSION:
		return 12;
	case KVM_CHECK_EXTENSION:
		if (host->misses && host->missing == (unsigned long)argument)
			return 0;
		return (unsigned long)argument == KVM_CAP_NR_MEMSLOTS ? 509 : 64;
	case KVM_GET_VCPU_MMAP_SIZE:
		return KVM_HOST_RUN_SIZE;
	case KVM_CREATE_VM:
	case KVM_CREATE_VCPU:
		return kvm_host_descriptor(host);
	case KVM_GET_SUPPORTED_CPUID:
	case KVM_GET_MSR_INDEX_LIST:
		*(tl_u32 *)argument = 0;
		return 0;
	case KVM_SET_USER_MEMORY_REGION:
		return kvm_host_set_slot(host, argument);
	case KVM_IRQ_LINE: {
		const struct kvm_irq_level *line = argument;

		if (line->irq < KVM_HOST_LINES)
			host->lines[line->irq] = line->level != 0;
		host->line_changes++;
		return 0;
	}
	case KVM_GET_CLOCK:
		memset(argument, 0, sizeof(struct kvm_clock_data));
		((struct kvm_clock_data *)argument)->clock = host->clock;
		return 0;
	case KVM_SET_CLOCK:
		host->clock = ((struct kvm_clock_data *)argument)->clock;
		return 0;
	case KVM_KVMCLOCK_CTRL:
		host->control_calls++;
		return 0;
	case KVM_SET_REGS:
		memcpy(&host->registers, argument, sizeof(host->registers));
		return 0;
	case KVM_GET_REGS:
		memcpy(argument, &host->registers, sizeof(host->registers));
		return 0;
	case KVM_SET_SREGS:
		memcpy(&host->system, argument, sizeof(host->system));
		return 0;
	case KVM_GET_SREGS:
		memcpy(argument, &host->system, sizeof(host->system));
		return 0;
	case KVM_SET_MP_STATE:
		memcpy(&host->state, argument, sizeof(host->state));
		return 0;
	default:
		return 0;
	}
}

static inline int kvm_host_ioctl(void *context, int descriptor, unsigned long request, unsigned long argument)
{
	struct kvm_host *host = context;

	(void)descriptor;
	host->last_request = request;
	if (kvm_host_fails(host))
		return -1;
	if (host->refused != 0 && request == host->refused) {
		errno = host->refused_errno != 0 ? host->refused_errno : EINVAL;
		return -1;
	}
	return kvm_host_request(host, request, (void *)argument);
}

static inline void *kvm_host_map(void *context, tl_size size, int protection, int flags, int descriptor)
{
	struct kvm_host *host = context;

	(void)protection;
	(void)flags;
	(void)descriptor;
	if (kvm_host_fails(host))
		return NULL;
	host->mappings++;
	return calloc(1, size);
}

static inline int kvm_host_unmap(void *context, void *address, tl_size size)
{
	struct kvm_host *host = context;

	(void)size;
	host->mappings--;
	free(address);
	return 0;
}

/* The table of a host, which is borrowed. */
static inline struct tl_kvm_calls kvm_host_calls(struct kvm_host *host)
{
	return (struct tl_kvm_calls){.open = kvm_host_open,
				     .close = kvm_host_close,
				     .ioctl = kvm_host_ioctl,
				     .map = kvm_host_map,
				     .unmap = kvm_host_unmap,
				     .context = host};
}

#endif
