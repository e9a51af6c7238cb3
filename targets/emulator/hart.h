/*
 * One hart (hardware thread, processor) of an emulated RV64GC machine: all that its instructions can see and change.
 *
 * The interpreter and the translator both work on this. The files around it are the parts of the architecture:
 * control.h (control and status registers), paging.h (addresses), trap.h (exceptions, interrupts, privilege). Harts of
 * one machine run in turn, in one thread; nothing here may be touched from another while it runs.
 *
 * Source: RISC-V Instruction Set Manual, volume II, privileged architecture 1.12.
 */
#ifndef TL_TARGETS_EMULATOR_HART_H
#define TL_TARGETS_EMULATOR_HART_H

#include "core/cpu/riscv_decode.h"
#include "core/cpu/riscv_layout.h"
#include "core/types.h"
#include "machine/bus.h"
#include "targets/emulator/first_writes.h"

enum tl_privilege { TL_PRIVILEGE_USER = 0, TL_PRIVILEGE_SUPERVISOR = 1, TL_PRIVILEGE_MACHINE = 3 };

/* Bits of mstatus and sstatus. */
#define TL_STATUS_SIE ((tl_u64)1 << 1)
#define TL_STATUS_MIE ((tl_u64)1 << 3)
#define TL_STATUS_SPIE ((tl_u64)1 << 5)
#define TL_STATUS_MPIE ((tl_u64)1 << 7)
#define TL_STATUS_SPP ((tl_u64)1 << 8)
#define TL_STATUS_MPP ((tl_u64)3 << 11)
#define TL_STATUS_FS ((tl_u64)3 << 13)
#define TL_STATUS_MPRV ((tl_u64)1 << 17)
#define TL_STATUS_SUM ((tl_u64)1 << 18)
#define TL_STATUS_MXR ((tl_u64)1 << 19)
#define TL_STATUS_TVM ((tl_u64)1 << 20)
#define TL_STATUS_TW ((tl_u64)1 << 21)
#define TL_STATUS_TSR ((tl_u64)1 << 22)
#define TL_STATUS_UXL ((tl_u64)3 << 32)
#define TL_STATUS_SXL ((tl_u64)3 << 34)
#define TL_STATUS_SD ((tl_u64)1 << 63)

/* Interrupts: bits of mip and mie, and causes with the top bit set. */
enum tl_interrupt {
	TL_INTERRUPT_SUPERVISOR_SOFTWARE = 1,
	TL_INTERRUPT_MACHINE_SOFTWARE = 3,
	TL_INTERRUPT_SUPERVISOR_TIMER = 5,
	TL_INTERRUPT_MACHINE_TIMER = 7,
	TL_INTERRUPT_SUPERVISOR_EXTERNAL = 9,
	TL_INTERRUPT_MACHINE_EXTERNAL = 11
};
#define TL_CAUSE_INTERRUPT ((tl_u64)1 << 63)

/* Causes of exceptions. */
enum tl_cause {
	TL_CAUSE_FETCH_MISALIGNED = 0,
	TL_CAUSE_FETCH_ACCESS = 1,
	TL_CAUSE_ILLEGAL = 2,
	TL_CAUSE_BREAKPOINT = 3,
	TL_CAUSE_LOAD_MISALIGNED = 4,
	TL_CAUSE_LOAD_ACCESS = 5,
	TL_CAUSE_STORE_MISALIGNED = 6,
	TL_CAUSE_STORE_ACCESS = 7,
	TL_CAUSE_CALL_FROM_USER = 8,
	TL_CAUSE_CALL_FROM_SUPERVISOR = 9,
	TL_CAUSE_CALL_FROM_MACHINE = 11,
	TL_CAUSE_FETCH_PAGE = 12,
	TL_CAUSE_LOAD_PAGE = 13,
	TL_CAUSE_STORE_PAGE = 15
};

#define TL_PMP_ENTRIES 16
#define TL_PAGE_BITS 12
#define TL_PAGE_SIZE ((tl_u64)1 << TL_PAGE_BITS)

/* What is accessed, and how: which faults it gives, and which rights it needs. */
enum tl_memory_access_kind { TL_MEMORY_FETCH, TL_MEMORY_LOAD, TL_MEMORY_STORE, TL_MEMORY_ATOMIC };

/*
 * Translations that were used, by virtual page. A tag is the address of the page for which the access is allowed, or
 * TL_TLB_NONE; host + virtual address is where its bytes stand in this process. Only pages of memory are here.
 */
struct tl_tlb_entry {
	tl_u64 load, store, fetch;
	tl_uintptr host;
};
#define TL_TLB_ENTRIES 4096    /* 16 MiB: xz goes through more than 4 */
#define TL_TLB_NONE TL_U64_MAX /* not even the low bits of an address, which translated code leaves in, are these */

/*
 * A page with watchpoints has tags, too, which no address equals: the number of its map is in them, TL_WATCHED_SHIFT
 * bits up. The map has a byte for every 8 of the page: which accesses (TL_POINT_READS, TL_POINT_WRITES) of up to 8
 * bytes that begin there may meet a watchpoint. Translated code lets the others pass; all else goes the long way by
 * such a tag.
 */
#define TL_WATCHED_SHIFT 3
#define TL_WATCHED_MAPS                                                                                                \
	64 /* number 0 is none; when there are no more, the oldest page that has one goes the long way */
struct tl_watched {
	tl_u32 next;
	tl_u16 owners[TL_WATCHED_MAPS]; /* set * TL_TLB_ENTRIES + entry that has the map, if its tags name it */
	tl_u8 maps[TL_WATCHED_MAPS][TL_PAGE_SIZE / 8];
};

/* The entries of a set that were filled since it was emptied, so that emptying it costs what was used of it. */
#define TL_TLB_USED_MAX 256
struct tl_tlb_used {
	tl_u32 count; /* more than TL_TLB_USED_MAX: any may be */
	tl_u16 entries[TL_TLB_USED_MAX];
};

/* Who looks: a set of translations each, so that a change of privilege, or of SUM, needs no flush. */
enum tl_tlb_set { TL_TLB_MACHINE, TL_TLB_SUPERVISOR, TL_TLB_SUPERVISOR_SUM, TL_TLB_USER, TL_TLB_SET_MAX };

/* An exception on its way: what an access or an instruction came to when it could not be carried out. */
struct tl_exception {
	tl_u64 cause;
	tl_u64 value; /* for mtval and stval */
};

/* Why a run came to an end before its count. */
enum tl_halt {
	TL_HALT_NONE,
	TL_HALT_BREAKPOINT, /* at the program counter, whose instruction was not begun */
	TL_HALT_WATCHPOINT, /* the access is done, its instruction retired; see watch_hits */
	TL_HALT_EXCEPTION   /* halt_exception is about to be taken at the program counter; nothing was changed */
};

/* An access that met a watchpoint. */
struct tl_watch_hit {
	tl_u64 point_address, point_size; /* of the watchpoint */
	tl_u64 address;                   /* virtual, of the access */
	tl_u32 size;
	tl_u32 label; /* of the watchpoint */
	bool write;
	bool old_known; /* false for reads and devices */
	tl_u64 old, value;
};
#define TL_WATCH_HITS_MAX 8

#define TL_PASS_NONE ((tl_u64)1)

/* What software in the machine keeps an eye on by itself: triggers.h. */
#define TL_TRIGGERS 4
#define TL_TRIGGERS_ON 0x08u      /* of `control`: mte */
#define TL_TRIGGERS_WERE_ON 0x80u /* mpte */
struct tl_triggers {
	tl_u64 data1[TL_TRIGGERS], data2[TL_TRIGGERS];
	tl_u8 selected, control;
	tl_u8 armed; /* what any of them may fire on */
};

struct tl_emulator_points;
struct tl_page_tables;
struct tl_translator;

/*
 * What translated code finds beside the registers, relative to the hart like these. Only the translator knows what it
 * means (translator_internal.h); of the rest, paging.c alone touches it: it forgets pages.
 */
#define TL_FETCH_PAGES 8192 /* 32 MiB: a compiler is larger */
#define TL_JUMPS 4096
#define TL_JUMP_SETS 8
#define TL_CONDITION_HEIGHT 32
#define TL_SPANS_MAX 4
struct tl_hart_translated {
	_Alignas(16) tl_u64 constants[8][2];
	tl_u64 budget; /* instructions that may still begin */
	tl_u64 mark;   /* the budget when hart->retired was last brought up to date */
	tl_u64 beyond; /* instructions of the run that may begin beside the budget */
	tl_u64 direct; /* what machine mode adds to addresses: only this part of memory is in its set of the TLB */
	tl_u64 host_stack, stack_top, stack;
	tl_u64 below[TL_CONDITION_HEIGHT]; /* of the stack of a condition */
	tl_u64 spans[TL_SPANS_MAX];        /* where registers lead to, for blocks that come back to them */
	tl_u32 guest_mxcsr, host_mxcsr;
	tl_u32 pages[TL_TLB_SET_MAX][TL_FETCH_PAGES]; /* which page of code stands there; 0: not known */
	struct {
		tl_u64 pc, code;
	} jumps[TL_JUMP_SETS][TL_JUMPS];
};

/*
 * Instructions that were decoded, by their own bits: the same bits are the same instruction wherever they stand, so
 * that nothing has to be forgotten when memory changes.
 */
struct tl_decoded {
	tl_u32 word;
	struct tl_riscv_instruction instruction; /* length 0: nothing is here */
};
#define TL_DECODED_BITS 12
#define TL_DECODED_ENTRIES (1 << TL_DECODED_BITS)

struct tl_hart {
	tl_u64 x[32]; /* x[0] stays 0 */
	tl_u64 pc;
	tl_u64 f[32]; /* binary32 numbers are boxed: their upper half is all ones */
	tl_u8 fflags, frm;
	tl_u8 privilege; /* enum tl_privilege */
	tl_u32 number;

	/* Instructions that were carried out to their end, since reset: the machine's clock. */
	tl_u64 retired;

	tl_u64 mstatus, medeleg, mideleg, mie, mtvec, mcounteren, menvcfg, mcountinhibit;
	tl_u64 mip;   /* what software has set of it */
	tl_u64 lines; /* what the interrupt controllers and timers hold up: the rest of mip */
	tl_u64 mscratch, mepc, mcause, mtval;
	tl_u64 stvec, scounteren, senvcfg, sscratch, sepc, scause, stval, satp, stimecmp;
	tl_u64 mcycle_offset, minstret_offset; /* counter minus retired */
	tl_u8 pmp_configuration[TL_PMP_ENTRIES];
	tl_u64 pmp_address[TL_PMP_ENTRIES];
	bool pmp_used;

	/* The reservation of lr: a virtual address, and the physical one behind it; sc fails when it is not held. */
	bool reserved;
	tl_u64 reserved_address;
	tl_u64 reservation;

	struct tl_triggers triggers;

	/* Something changed that may let an interrupt in: looked at before the next instruction. */
	bool look_for_interrupt;

	/* Asleep in wfi until an interrupt is pending, whether enabled or not. */
	bool waiting;

	/* Up to here is what a guest can tell: what is kept of a hart in a snapshot. */

	const struct tl_first_writes *first_writes; /* borrowed; NULL: nobody wants to know */
	/* Added to the host's address of a store, shifted by TL_LINE_BITS: its mark in first_writes->lines. 0: none. */
	tl_uintptr marks;
	struct tl_page_tables
		*tables; /* borrowed; NULL: what is kept is forgotten when the guest says so, and not before */

	/*
	 * The debugger's part. The points are borrowed, and one table for all harts; NULL: none. What runs a hart
	 * clears `halt` and the hits as it begins, and ends early when `halt` was set.
	 */
	struct tl_emulator_points *points;
	tl_u8 halt; /* enum tl_halt */
	struct tl_exception halt_exception;
	/*
	 * The instruction at `pass` is carried out although a breakpoint stands there (pass_caught: and although its
	 * exception is one that the debugger catches), the next time that the hart comes to it with the stack pointer
	 * pass_stack: at once, or behind an interrupt that came first. TL_PASS_NONE: none. It holds for the next
	 * instruction that is begun, unless an interrupt is taken before it: what runs a hart then leaves it alone, and
	 * else clears it behind that.
	 */
	tl_u64 pass, pass_stack;
	bool pass_caught;
	bool hold_interrupts; /* none is taken, as in a step that is not to end in a handler */
	struct tl_watch_hit watch_hits[TL_WATCH_HITS_MAX];
	tl_u8 watch_hit_count;

	/* The run is to end after the present instruction: see tl_hart_leave. */
	bool leave;

	/*
	 * Of the run that the hart is in, the instructions that have not been carried out, the present one included:
	 * who runs it keeps this true whenever the hart can see the time. run_end is the machine's time at the end of
	 * the run, if it goes on to its end: now is run_end - left.
	 */
	tl_u64 left, run_end;

	const struct tl_bus *bus;
	/* Time as `time` and the timers count it; borrowed. Without one, time is the number of retired instructions. */
	tl_u64 (*time)(void *context);
	void *time_context;

	tl_u8 data_set, fetch_set; /* enum tl_tlb_set: those in use now; see tl_paging_update */
	struct tl_tlb_entry tlb[TL_TLB_SET_MAX][TL_TLB_ENTRIES];
	struct tl_tlb_used tlb_used[TL_TLB_SET_MAX];
	struct tl_watched watched;
	tl_u32 flushes;                   /* how often translations, or what they allow, were forgotten */
	struct tl_triggers triggers_told; /* as the translator knows them */

	struct tl_decoded decoded[TL_DECODED_ENTRIES]; /* the interpreter's */

	struct tl_translator *translator; /* borrowed; NULL: none, and what follows is not used */
	struct tl_hart_translated translated;
};

/*
 * A hart as it is after reset: in machine mode at `start`, with a0 its number. The bus is borrowed. Nothing else is
 * kept of what was in *hart_ret.
 */
void tl_hart_reset(struct tl_hart *hart_ret, tl_u32 number, tl_u64 start, const struct tl_bus *bus);

/* What runs a hart begins with this: `count` instructions are left, and nothing has halted it yet. */
static inline void tl_hart_begin_run(struct tl_hart *hart, tl_u64 count)
{
	hart->look_for_interrupt = true;
	hart->halt = TL_HALT_NONE;
	hart->watch_hit_count = 0;
	hart->leave = false;
	hart->left = count;
}

/* Ends the run after the present instruction; devices and control registers ask for that. */
static inline void tl_hart_leave(struct tl_hart *hart)
{
	hart->leave = true;
	hart->look_for_interrupt = true; /* so that there is but one thing to look at behind an instruction */
}

/* The time that the machine shows. */
tl_u64 tl_hart_time(const struct tl_hart *hart);

/*
 * Takes an exception, or an interrupt when `cause` has TL_CAUSE_INTERRUPT set: saves where it was, changes the
 * privilege and goes to the handler that mtvec or stvec names (volume II, 3.1.6.1, 3.1.8, 10.1.1).
 */
void tl_hart_trap(struct tl_hart *hart, tl_u64 cause, tl_u64 value);

/*
 * The interrupt that is to be taken before the next instruction, as a cause for tl_hart_trap; 0 when there is none.
 * Brings the supervisor's timer bit up to date.
 */
tl_u64 tl_hart_interrupt(struct tl_hart *hart);

/* mret and sret; the caller has checked that they are allowed. */
void tl_hart_return_from_machine(struct tl_hart *hart);
void tl_hart_return_from_supervisor(struct tl_hart *hart);

#endif
