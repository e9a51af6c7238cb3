/* The virtual machine as a target: what its files share. */
#ifndef TL_TARGETS_KVM_TARGET_INTERNAL_H
#define TL_TARGETS_KVM_TARGET_INTERNAL_H

#include "targets/kvm/computer.h"
#include "targets/kvm/target.h"
#include "targets/kvm/vcpu.h"

#define TL_KVM_PROCESS 1

struct tl_kvm_target {
	struct tl_target target;
	struct tl_loop *loop;
	struct tl_mailbox *mailbox;
	struct tl_kvm_computer computer;
	bool opened;
	struct tl_kvm_crew crew;
	struct tl_run_states states;
	struct tl_run_subscriber tracer;
	char *program; /* absolute; owned; NULL: none */
	void (*remark)(void *context, const char *line);
	void *remark_context;
	bool adopted;   /* the engine knows the process */
	bool off;       /* the machine was switched off */
	bool moves;     /* whoever debugs moves his names when a kernel has come to its place, and hears of it */
	tl_u64 renewed; /* the number of the last stop before the machine began anew: what is told of it is over */
	tl_u64 text;    /* where the kernel's text begins that has come to its place; 0: none has */
	bool physical;  /* addresses are physical ones (PhyMemMode) */
	tl_u32 eye;     /* the vCPU through whose page tables one looks */
	bool eye_fixed; /* told so by monitor: whichever thread is selected */
	char detail[512];
};

static inline struct tl_kvm_target *tl_kvm_target_of(struct tl_target *target)
{
	return TL_CONTAINER(target, struct tl_kvm_target, target);
}

/* The vCPU of a thread; NULL when there is none. */
struct tl_kvm_vcpu *tl_kvm_target_vcpu(struct tl_kvm_target *machine, struct tl_thread_id thread);

/* The machine begins anew: all as after power on, loaded again. Which vCPUs run does not change. TL_ERROR_SYSTEM. */
TL_CHECKED enum tl_status tl_kvm_target_restart(struct tl_kvm_target *machine, struct tl_error *error);

/*
 * From now on, until it was: a Linux kernel's arrival at its final place is told. The machine is ours alone. Errors of
 * tl_kaslr_arm.
 */
TL_CHECKED enum tl_status tl_kvm_target_await_kernel(struct tl_kvm_target *machine, struct tl_error *error);

/* target_monitor.c; see core/engine/target.h. */
enum tl_status tl_kvm_target_monitor(struct tl_target *target, const char *command, struct tl_writer *output);

/* target_points.c: operations of rungs 3 and 4; see core/engine/target.h. */
enum tl_status tl_kvm_insert_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
				   tl_u64 size);
/* See tl_kvm_insert_point. */
enum tl_status tl_kvm_remove_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
				   tl_u64 size);
/* See tl_kvm_insert_point. */
void tl_kvm_set_conditions(struct tl_target *target, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
			   tl_u64 size, const struct tl_agent_code *conditions, tl_size count);
/*
 * Points whose bytes the guest has written over are put back; those whose addresses lead elsewhere by the page tables
 * of `vcpu`, which stands, are moved. NULL: none is. The lock is held.
 */
void tl_kvm_target_look_at_points(struct tl_kvm_target *machine, struct tl_kvm_vcpu *vcpu);

/* target_state.c: registers and memory; see core/engine/target.h. */
enum tl_status tl_kvm_describe(struct tl_target *target, tl_u64 process, struct tl_process_facts *facts_ret);
/* See tl_kvm_describe. */
enum tl_status tl_kvm_fetch_registers(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank, tl_u8 *file);
/* See tl_kvm_describe. */
enum tl_status tl_kvm_store_registers(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank,
				      const tl_u8 *file);
/* See tl_kvm_describe. */
enum tl_status tl_kvm_fetch_program_counter(struct tl_target *target, struct tl_thread_id thread, tl_u64 *value_ret);
/* See tl_kvm_describe. */
enum tl_status tl_kvm_read_memory(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer, tl_size size,
				  tl_size *done_ret);
/* See tl_kvm_describe. */
enum tl_status tl_kvm_write_memory(struct tl_target *target, tl_u64 process, tl_u64 address, const void *buffer,
				   tl_size size, tl_size *done_ret);
/* See tl_kvm_describe. */
enum tl_status tl_kvm_read_object(struct tl_target *target, struct tl_thread_id thread, enum tl_object object,
				  tl_u64 offset, void *buffer, tl_size size, tl_size *done_ret);
/* See tl_kvm_describe. */
void tl_kvm_look_through(struct tl_target *target, struct tl_thread_id thread);

#endif
