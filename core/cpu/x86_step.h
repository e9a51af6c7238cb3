/*
 * One step of a virtual x86 machine, so that nothing of it stays behind in the guest.
 *
 * A hypervisor steps with the trap flag (TF), which the guest can see: whatever saves the flags while they hold it
 * (PUSHF, SYSCALL, interrupts) saves it too. Interrupts that are due would carry the step into their handlers; where
 * KVM cannot hold them back the interrupt flag (IF) is cleared for the step, and that shows in the same places. The two
 * functions here stand around a step: what must be prepared, and what must be put right. They are pure: registers
 * (banks 0 and 2) and memory are handed in. `memory` takes linear addresses and pays no heed to the guest's write
 * protection.
 *
 * The rule:
 *
 *  - A step is one instruction, and ends behind it; REP is one round. MOV SS and POP SS hold the trap back, as on a
 *    processor, and are one step with what follows them. HLT is passed by as if an interrupt had come: it need not
 * come. SYSCALL, SYSENTER, SYSRET and IRET end where they lead.
 *  - An instruction that raises an exception, INT n, INT3, INTO and ICEBP end at the first instruction of the handler:
 * that is where a hardware breakpoint of the step's own (a *landing*) waits, since TF is off there. Without a free
 * debug register, or where the table cannot be read, the handler runs, and the step ends behind the instruction that it
 *    comes back to.
 *  - An NMI is not held back everywhere. Its handler runs to its end with the flags that it saved, TF among them, and
 *    its IRET takes the step up again: the step ends as it would have without it.
 *  - What the guest saved of its flags has its own TF and IF, not ours: on the stack after PUSHF and in the frame of a
 *    handler, in R11 after SYSCALL. The flags themselves are what the instruction makes of the guest's own: STI, CLI,
 *    POPF, IRET, SYSRET and SYSENTER change IF, and POPF, IRET and SYSRET can set a TF that is the guest's.
 *  - A TF of the guest's own raises a debug exception behind the instruction. The step has taken it; it is given back
 *    (`guest_trap`) before the guest runs on.
 *  - STI that lets interrupts in holds them back for one more instruction (`sti_shadow`): STI and HLT must not be torn
 * apart.
 *  - A step that leaves everything as it was, where the instruction cannot do that, was lost (TL_X86_STEP_AGAIN): a
 *    processor that faulted into the hypervisor may report it. Whoever steps tries again, a bounded number of times.
 */
#ifndef TL_CORE_CPU_X86_STEP_H
#define TL_CORE_CPU_X86_STEP_H

#include "core/cpu/x86_gate.h"
#include "core/cpu/x86_system.h"

#define TL_X86_STEP_LANDINGS 4

/* An instruction, as far as steps are concerned. */
enum tl_x86_step_kind {
	TL_X86_STEP_PLAIN,
	TL_X86_STEP_PUSHF,
	TL_X86_STEP_POPF,
	TL_X86_STEP_IRET,
	TL_X86_STEP_STI,
	TL_X86_STEP_CLI,
	TL_X86_STEP_STACK_SEGMENT, /* MOV SS, POP SS */
	TL_X86_STEP_HALT,
	TL_X86_STEP_SYSCALL,
	TL_X86_STEP_SYSRET,
	TL_X86_STEP_SYSENTER,
	TL_X86_STEP_INTERRUPT, /* INT n, INT3, INTO, ICEBP */
	TL_X86_STEP_KIND_MAX
};

/* One of at most two instructions of a step. */
struct tl_x86_step_part {
	enum tl_x86_step_kind kind;
	tl_u8 length;
	tl_u8 operand_size;
	/* It may end where it began: REP, and branches to themselves. */
	bool stays;
};

/* A step that was begun; plain data, the caller's. */
struct tl_x86_step {
	/* Nothing is to run: the instruction was carried out on the register file. */
	bool done;
	/* Banks of the register file that were changed, and must be stored before the vCPU runs: bit n for bank n. */
	tl_u32 changed;
	/*
	 * Where hardware breakpoints may wait, in this vCPU alone and for this step alone, the most needed first. Use
	 * as many as there are free debug registers.
	 */
	struct tl_x86_gate landings[TL_X86_STEP_LANDINGS];
	tl_u8 landing_count;
	/* What there was before. */
	tl_u64 at, flags, fmask, r11, popped;
	struct tl_x86_step_part parts[2];
	bool masked;       /* IF was cleared for the step */
	bool popped_known; /* `popped` holds the flags that POPF or IRET are about to take */
	bool may_set_if;   /* the privilege level allows POPF and its like to change IF */
};

enum tl_x86_step_end {
	TL_X86_STEP_DONE,    /* behind the instruction, or where it leads */
	TL_X86_STEP_ENTERED, /* at the first instruction of a handler */
	TL_X86_STEP_AGAIN    /* nothing happened */
};

struct tl_x86_step_result {
	enum tl_x86_step_end end;
	tl_u8 vector;    /* of the handler: ENTERED */
	tl_u32 changed;  /* banks of the register file that must be stored, once the step flag is out of the vCPU */
	bool guest_trap; /* a debug exception with DR6.BS is the guest's own: inject it before the guest runs on */
	bool sti_shadow; /* interrupts are held back for one more instruction: set the vCPU's interrupt shadow to STI */
};

/*
 * Prepares a step from the state in `file`, changing it where the step needs that. `hide_interrupts`: IF is to be
 * cleared, because KVM_GUESTDBG_BLOCKIRQ is missing. Never fails: an instruction that cannot be read or decoded will
 * fault. Any thread.
 */
void tl_x86_step_begin(struct tl_x86_step *step, tl_u8 *file, bool hide_interrupts,
		       const struct tl_memory_access *memory);

/*
 * Puts right what a step left: `file` is what the vCPU has now. `trapped` is DR6.BS, or true where the end of the step
 * is otherwise known; false when the vCPU stopped for another reason (at a landing, by a kick): what was prepared is
 * taken back then as well. Memory that the guest pushed is written; where that fails (the page has gone) it stays. Any
 * thread.
 */
struct tl_x86_step_result tl_x86_step_end(const struct tl_x86_step *step, tl_u8 *file, bool trapped,
					  const struct tl_memory_access *memory);

#endif
