/*
 * What the stub keeps of a 64-bit Arm processor, between arm64.c (registers, memory, what leads in) and arm64_way.c
 * (how a processor goes past points and through steps).
 */
#ifndef TL_STUBS_BAREMETAL_ARM64_H
#define TL_STUBS_BAREMETAL_ARM64_H

#include "stubs/baremetal/internal.h"

#include "core/cpu/arm64_debug.h"
#include "core/cpu/arm64_decode.h"
#include "core/cpu/arm64_layout.h"

/* Bits of SPSR_EL1. */
#define TL_STUB_SPSR_STEP ((tl_u64)1 << 21)
#define TL_STUB_SPSR_DEBUG ((tl_u64)1 << 9)
#define TL_STUB_SPSR_OTHERS ((tl_u64)7 << 6) /* SError, IRQ, FIQ */
#define TL_STUB_SPSR_MASKS (TL_STUB_SPSR_DEBUG | TL_STUB_SPSR_OTHERS)
#define TL_STUB_SPSR_LEVEL ((tl_u64)0xc)

/*
 * How a processor goes where it does not simply run: one step, or to the ends of an exclusive sequence, with interrupts
 * held back and some of its points not armed. Set before it leaves the stub, over with its next exception.
 */
struct tl_stub_way {
	bool on;
	bool wanted;      /* the debugger has asked for this step: its end is told */
	bool past_break;  /* the hardware breakpoint at `at` is not armed */
	bool past_access; /* no watchpoint is armed: the access that was told of is made */
	bool unit;        /* it runs to one of the ends of `sequence`; otherwise the machine steps once */
	bool again;       /* a watched store-exclusive has failed: it steps back to the load, all points armed */
	bool is_store;    /* what is watched is the store of `sequence`: it counts if it has stored */
	tl_u8 steps;      /* with `again`: how many it has made */
	tl_u64 at;
	tl_u64 masks; /* TL_STUB_SPSR_MASKS of the program */
	struct tl_arm64_sequence sequence;
};

struct tl_stub_machine {
	tl_u8 vectors[TL_ARM64_AT_TPIDR - TL_ARM64_AT_V]; /* first: aligned to 16 */
	struct tl_stub_arm64_frame frame;                 /* of what was interrupted, while the processor is in here */
	struct tl_arm64_debug_plan armed;                 /* what its debug registers hold */
	struct tl_stub_way way;                           /* how it goes when it leaves */
	struct tl_hit hits[TL_HITS_MAX];                  /* the access that is told once it is made */
	tl_u64 table;                                     /* the embedder's vectors, while ours are in force */
	tl_u64 control;                                   /* MDSCR_EL1 as the embedder has it */
	tl_u64 thread_pointer;                            /* TPIDR_EL0 */
	tl_u32 generation;                                /* of the points that are armed */
	tl_u8 hit_count;
	bool has_vectors, vectors_changed, pointer_changed;
	tl_u64 syndrome, far; /* of the exception in whose handler a step ends, which reads them when it goes on */
};

/* Hardware points, the same for all processors, and what changes with them (atomic). */
struct tl_stub_arm64_points {
	struct tl_arm64_debug_plan plan;
	tl_u32 generation;
};
extern struct tl_stub_arm64_points tl_stub_arm64_points;

/* The exceptions that the stub knows; by the class in ESR_EL1, from a lower level or from this one. */
enum tl_stub_trap { TL_STUB_TRAP_OTHER, TL_STUB_TRAP_BRK, TL_STUB_TRAP_BREAK, TL_STUB_TRAP_STEP, TL_STUB_TRAP_WATCH };

/*
 * A way begins: `wanted` for a step, otherwise only past the hardware breakpoint at the program counter. False when the
 * instruction is carried out already. Under `serving`: reads code as it was before breakpoints.
 */
bool tl_stub_way_begin(struct tl_stub_machine *machine, bool wanted);

/*
 * An exception has come: the way that the processor was on is over, its registers have the program's own masks again.
 * Returns it.
 */
struct tl_stub_way tl_stub_way_over(struct tl_stub_machine *machine);

/*
 * What an exception means to a processor that was on that way (`was.on` false: on none). True with an event to be told;
 * false when there is none: the processor goes on, perhaps on a new way. *ours_ret is false when the exception is the
 * program's. FAR_EL1 is handed in.
 */
bool tl_stub_way_trap(struct tl_stub_machine *machine, const struct tl_stub_way *was, enum tl_stub_trap trap,
		      tl_u64 far, struct tl_event *event_ret, bool *ours_ret);

/* What the debug registers are to hold on the processor's way; false when there are too few. */
bool tl_stub_way_plan(const struct tl_stub_machine *machine, const struct tl_stub_way *way,
		      struct tl_arm64_debug_plan *plan_ret);

/* Puts the masks and the step bit of its way into the registers with which the processor leaves. */
void tl_stub_way_masks(struct tl_stub_machine *machine);

#endif
