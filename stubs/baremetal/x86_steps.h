/*
 * Steps of a processor that stands in the stub, by its trap flag: core/cpu/x86_step.h in ring 0, where what leads into
 * handlers and back is not ours. Shared by the stub on bare metal and by the one in Linux.
 *
 * An instruction that faults leads into a handler, which finds the trap flag saved, and interrupts masked. Where a
 * debug register is free, the step ends at the handler's first instruction, and what was saved is put right. Where none
 * is, the handler runs, and the step ends behind the instruction that it comes back to.
 *
 * A processor may stop in the handler before that, for another reason. The step is *given up* then: nobody waits for
 * its end, which would still come when the handler returns. So too when an NMI comes before the processor has gone back
 * to where it was to make the step. What the processor has pushed for the fault, and what it was about to go back by,
 * are looked for where they must be (on the stack at hand, and on those that the task state has for exceptions), and
 * put right. Where neither is there, the step is *left*: it is known by its trap when that comes, or when the handler
 * returns by a step of its own. That trap comes behind the instruction where the step began, or, where the handler has
 * led elsewhere, with the stack nearly as it was and interrupts masked; another one is the program's own, or ends the
 * step that is under way by then.
 *
 * A handler may sleep, where there are tasks: its processor runs others meanwhile, and it may wake up on another one.
 * So a step belongs to a *runner*, a number of the embedder's: the task; always 0 where there are none.
 */
#ifndef TL_STUBS_BAREMETAL_X86_STEPS_H
#define TL_STUBS_BAREMETAL_X86_STEPS_H

#include "core/cpu/x86_debug.h"
#include "core/cpu/x86_step.h"
#include "stubs/baremetal/internal.h"

#define TL_STUB_X86_LEFT_MAX 4

/* A step that was given up, and what was not found to be put right. */
struct tl_stub_x86_left {
	tl_u64 runner;
	tl_u64 at, stack; /* where it began */
	tl_u64 frame;     /* that of struct tl_stub_x86_tables, by which it may have yet to begin; 0: it has begun */
	tl_u64 flags;     /* those of the program */
	struct tl_x86_step_part parts[2];
};

/* A trap by the trap flag, as the exception's handler finds it. */
struct tl_stub_x86_trap {
	tl_u64 runner;
	tl_u64 address, stack, flags; /* where the runner goes on, and how */
};

/* The steps of one processor; plain data. Changed by whoever serves, while the processor stands. */
struct tl_stub_x86_steps {
	struct tl_x86_step step;
	tl_u64 runner, stack, frame; /* of the step that is under way */
	bool under_way;
	bool landed; /* it has ended at the first instruction of a handler: set by whoever knows, before it ends */
	bool mask_changed; /* FMASK is to become `mask` as the processor leaves */
	tl_u8 left_count;  /* the last to be given up returns first; the oldest is forgotten for want of room */
	tl_u64 mask;
	struct tl_stub_x86_left left[TL_STUB_X86_LEFT_MAX];
};

/* What the port says of its machine. */
struct tl_stub_x86_tables {
	tl_u64 base;  /* of the interrupt descriptor table */
	tl_u64 limit; /* its last byte */
	tl_u64 frame; /* where RIP, CS, the flags, RSP and SS lie, by which the processor at hand goes back */
	/* Where the descriptor of its task state lies, which has the stacks of exceptions; 0: they have none. */
	tl_u64 task_descriptor;
	/* Whether a breakpoint may wait at the first instruction of this handler. */
	bool (*may_wait)(const struct tl_x86_gate *gate);
	/* Whether the stack of a runner that is not the one at hand lies still. NULL: there is no other. */
	bool (*lies_still)(tl_u64 runner);
};

/*
 * The processor of `machine`, whose general registers tl_stub_machine_fetch and _store move, is about to run as it is
 * asked to, `runner` on it. False: the one instruction is carried out already, and it stays.
 */
bool tl_stub_x86_steps_begin(struct tl_stub_x86_steps *steps, struct tl_stub_machine *machine,
			     const struct tl_stub_x86_tables *tables, const struct tl_run_request *request,
			     tl_u64 runner);

/* The flags with which it runs then: `flags` with those of a step. */
tl_u64 tl_stub_x86_steps_flags(const struct tl_stub_x86_steps *steps, const struct tl_run_request *request,
			       tl_u64 flags);

/*
 * A step that is under way ends, or is given up: the processor of `machine` stands, `runner` on it, which may be
 * another's step than that one's own where its runner has moved. `stepped`: the step is what stopped it.
 */
void tl_stub_x86_steps_end(struct tl_stub_x86_steps *steps, struct tl_stub_machine *machine,
			   const struct tl_stub_x86_tables *tables, bool stepped, tl_u64 runner);

/*
 * The step of another processor's that was under way as `runner` met its end on the processor of `machine`, which
 * stands: it ends. Given up before anybody knew of that, it is among those that were left, and another runner's may be
 * under way there by now, which goes on.
 */
void tl_stub_x86_steps_end_moved(struct tl_stub_x86_steps *steps, struct tl_stub_machine *machine,
				 const struct tl_stub_x86_tables *tables, tl_u64 runner);

/* As the processor leaves: FMASK; and the plan of its debug registers gets those of its step, as far as some are free.
 */
void tl_stub_x86_steps_leave(struct tl_stub_x86_steps *steps, struct tl_x86_debug_plan *plan);

/* Whether the first instruction of a handler is where the step that is under way may end. */
bool tl_stub_x86_steps_lands(const struct tl_stub_x86_steps *steps, tl_u64 address);

/*
 * When a trap is the end of a step that was left, its flags become those of the program, and true is returned. `own`:
 * the step that is under way, which it would end otherwise; NULL: none. On any processor, in the exception.
 */
bool tl_stub_x86_steps_drop(struct tl_stub_x86_steps *steps, const struct tl_stub_x86_steps *own,
			    struct tl_stub_x86_trap *trap);

#endif
