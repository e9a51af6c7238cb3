/*
 * What `monitor` tells of a virtual machine by looking at one of its vCPUs: its mode, what is mapped and how, physical
 * memory, gates of interrupts, where a Linux kernel runs, what is at which address, what the host's KVM lacks. Nothing
 * here changes anything. Commands about the debugger's own state (points, counters) are the target's.
 */
#ifndef TL_TARGETS_KVM_MONITOR_H
#define TL_TARGETS_KVM_MONITOR_H

#include "core/cursor.h"
#include "machine/bus.h"
#include "targets/kvm/vm.h"

/* What is looked at. All of it is borrowed, and stands: nothing runs while the vCPU is asked. */
struct tl_kvm_view {
	const struct tl_kvm_vm *vm;
	const struct tl_bus *ports, *space; /* the board's; may be NULL */
	tl_u32 number;                      /* of the vCPU */
	/* Guest-physical memory as the guest has it; NULL: as it stands in memory, traps and all. */
	bool (*read)(void *context, tl_u64 physical, void *buffer, tl_size size);
	void *context;
};

/*
 * Carries out `command`: see tl_kvm_monitor_help. TL_ERROR_UNSUPPORTED when it is none of these; TL_ERROR_ARGUMENT
 * with a sentence in `output` when its words are wrong; TL_ERROR_SYSTEM when KVM does not tell. In the thread of the
 * vCPU, or while nobody runs it.
 */
enum tl_status tl_kvm_monitor_look(const struct tl_kvm_view *view, const char *command, struct tl_writer *output);

/* A line for each command. */
void tl_kvm_monitor_help(struct tl_writer *output);

#endif
