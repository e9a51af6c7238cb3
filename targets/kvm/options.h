/* What a virtual machine is made of, as its user says it. */
#ifndef TL_TARGETS_KVM_OPTIONS_H
#define TL_TARGETS_KVM_OPTIONS_H

#include "targets/kvm/calls.h"

#define TL_KVM_DISKS 4
#define TL_KVM_FORWARDS 16

/* All 0 but the descriptors is the least: one processor, 512 MiB, nothing to run. Texts are borrowed while it is made.
 */
struct tl_kvm_options {
	const struct tl_kvm_calls *calls; /* NULL: the host's */
	tl_u32 cpus;                      /* 0: 1 */
	tl_u64 memory_size;               /* bytes; 0: 512 MiB */
	/* What it runs: see boot.h. A kernel, or a program (an ELF file, or code in 16 bits): one of them. NULL: none.
	 */
	const char *program, *kernel, *initrd, *command_line;
	/*
	 * Of the serial port: where it is read from and written to, -1: nowhere. They are not the same one, and stay
	 * the caller's. `terminal`: the path of a terminal to use instead, opened here; NULL: none.
	 */
	int input, output;
	const char *terminal;
	const char *disks[TL_KVM_DISKS]; /* as tl_disk_option_open wants them, in the order of their slots */
	tl_u32 disk_count;
	bool console;                          /* a virtio console at the serial port's line: see computer.h */
	bool network;                          /* a network card, in a network in user mode */
	bool restricted;                       /* from which only forwarded ports lead out */
	const char *forwards[TL_KVM_FORWARDS]; /* as tl_user_network_forward wants them */
	tl_u32 forward_count;
	/* The kernel's arrival at its final place is told as an event (tl_event.arrived), for names that move then. */
	bool moves;
	/* A line for people, about what happened to the machine. May be NULL. Control thread. */
	void (*remark)(void *context, const char *line);
	void *context;
};

#endif
