/* What a virtual machine is made of, as its user says it. */
#ifndef TL_TARGETS_KVM_OPTIONS_H
#define TL_TARGETS_KVM_OPTIONS_H

#include "machine/board_options.h"
#include "targets/kvm/calls.h"

/* All 0 but the descriptors is the least: one processor, 512 MiB, nothing to run. Texts are borrowed while it is made.
 */
struct tl_kvm_options {
	const struct tl_kvm_calls *calls; /* NULL: the host's */
	tl_u32 cpus;                      /* 0: 1 */
	/*
	 * What it runs: see boot.h. The board's kernel, or this program (an ELF file, or code in 16 bits): one of them.
	 * NULL: none.
	 */
	const char *program;
	struct tl_board_options board;
	bool console; /* a virtio console at the serial port's line: see computer.h */
	/* The kernel's arrival at its final place is told as an event (tl_event.arrived), for names that move then. */
	bool moves;
	/* A line for people, about what happened to the machine. May be NULL. Control thread. */
	void (*remark)(void *context, const char *line);
	void *context;
};

#endif
