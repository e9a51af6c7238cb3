/*
 * What a vCPU's thread is made of. All functions here are for that thread, with the crew's lock held, except where
 * said. The state machine and its rules are in crew.h.
 */
#ifndef TL_TARGETS_KVM_VCPU_H
#define TL_TARGETS_KVM_VCPU_H

#include "targets/kvm/crew.h"

/* ---- vcpu.c ---- */

/* The body of the thread. The lock is not held. */
void *tl_kvm_vcpu_live(void *context);
/* It has something to tell the engine, and stands. A step that was under way is over. */
void tl_kvm_vcpu_announce(struct tl_kvm_vcpu *vcpu, const struct tl_event *event);
/* The same for what is no event. `code` goes into the event's, `text` (may be NULL) into the message. */
void tl_kvm_vcpu_fail(struct tl_kvm_vcpu *vcpu, enum tl_kvm_news news, tl_i32 code, const char *text);

/* ---- vcpu_registers.c: registers, kept until the vCPU enters the guest ---- */

/* Sees to it that `general` and `system` are KVM's. TL_ERROR_SYSTEM. */
enum tl_status tl_kvm_vcpu_fetch(struct tl_kvm_vcpu *vcpu);
/* Gives KVM `general`. TL_ERROR_SYSTEM. */
enum tl_status tl_kvm_vcpu_store(struct tl_kvm_vcpu *vcpu);
/* What is kept was changed at KVM by somebody else. */
void tl_kvm_vcpu_forget(struct tl_kvm_vcpu *vcpu);
/* The linear address of the next instruction; 0 when it cannot be had. */
tl_u64 tl_kvm_vcpu_address(struct tl_kvm_vcpu *vcpu);
/* Where a linear address leads by the vCPU's page tables; false: nowhere. */
bool tl_kvm_vcpu_translate(struct tl_kvm_vcpu *vcpu, tl_u64 address, tl_u64 *physical_ret);
/* Memory as the vCPU sees it, without our int3s; how many bytes there are from the start. */
tl_size tl_kvm_vcpu_read(struct tl_kvm_vcpu *vcpu, tl_u64 address, void *buffer, tl_size size);
/* Memory as the vCPU may get at it by linear addresses, without minding protections or watchpoints. */
struct tl_memory_access tl_kvm_vcpu_memory(struct tl_kvm_vcpu *vcpu);
/* The same as its program would: protections, watchpoints and what a page table would note down are minded. */
struct tl_memory_access tl_kvm_vcpu_program_memory(struct tl_kvm_vcpu *vcpu);
/*
 * Fills vcpu->file with the registers that steps and instructions ask for: bank 0, what KVM_GET_SREGS has of bank 2,
 * and, in long mode, FMASK. TL_ERROR_SYSTEM.
 */
enum tl_status tl_kvm_vcpu_fill_file(struct tl_kvm_vcpu *vcpu);
/* Stores what of vcpu->file was changed since: banks as bits; of bank 2 that is FMASK alone. TL_ERROR_SYSTEM. */
enum tl_status tl_kvm_vcpu_store_file(struct tl_kvm_vcpu *vcpu, tl_u32 banks);
/* Register `number` of tl_cpu_x86_64, as far as it has 64 bits. TL_ERROR_REGISTER, TL_ERROR_SYSTEM. */
enum tl_status tl_kvm_vcpu_register(struct tl_kvm_vcpu *vcpu, tl_u16 number, tl_u64 *value_ret);
/* Interrupts are held back for one more instruction, as behind STI. TL_ERROR_SYSTEM. */
enum tl_status tl_kvm_vcpu_shadow(struct tl_kvm_vcpu *vcpu);
/* Exception `vector` (1 or 3) is due to the guest: it is injected before anything else runs. TL_ERROR_SYSTEM. */
enum tl_status tl_kvm_vcpu_inject(struct tl_kvm_vcpu *vcpu, tl_u8 vector);
/* The guest's DR6 gets these bits besides. TL_ERROR_SYSTEM. */
enum tl_status tl_kvm_vcpu_add_causes(struct tl_kvm_vcpu *vcpu, tl_u64 causes);

/* ---- vcpu_debug.c: what it does about debugging ---- */

/* What is to be arranged before it enters the guest; false: it cannot enter now, and looks at its orders again. */
bool tl_kvm_vcpu_prepare(struct tl_kvm_vcpu *vcpu);
/* It came out of the guest, for KVM_EXIT_DEBUG or not: a step that takes too long gives back what it has taken. */
void tl_kvm_vcpu_came_out(struct tl_kvm_vcpu *vcpu, bool debug);
/* It came out for KVM_EXIT_DEBUG. */
void tl_kvm_vcpu_debug_exit(struct tl_kvm_vcpu *vcpu);
/* It came out because KVM could not carry out an int3, which has been dealt with; false: it was another failure. */
bool tl_kvm_vcpu_unknown_trap(struct tl_kvm_vcpu *vcpu);
/* A step, and the machine if it was taken for it, are given up. */
void tl_kvm_vcpu_drop_step(struct tl_kvm_vcpu *vcpu);
/* What stands at the program counter now was dealt with, and is passed. */
void tl_kvm_vcpu_pass_here(struct tl_kvm_vcpu *vcpu);
/* The timer that ends long steps; begin and end of the thread, without the lock. */
void tl_kvm_vcpu_patience_begin(struct tl_kvm_vcpu *vcpu);
/* See tl_kvm_vcpu_patience_begin. */
void tl_kvm_vcpu_patience_end(struct tl_kvm_vcpu *vcpu);

/* ---- vcpu_watch.c: what it does about watched pages ---- */

/* The exit was an access to memory that is watched: it has been carried out, and written down. False: it was another.
 */
bool tl_kvm_vcpu_answer_memory(struct tl_kvm_vcpu *vcpu);
/*
 * Adds what the instruction that is complete did to watched bytes to an event, and forgets it; they may be a debug
 * register's as well. False: nothing that is watched.
 */
bool tl_kvm_vcpu_take_accesses(struct tl_kvm_vcpu *vcpu, struct tl_event *event);
/* The instruction that made such accesses is complete, and not a step's last, which tells of them itself. */
void tl_kvm_vcpu_tell_accesses(struct tl_kvm_vcpu *vcpu);

#endif
