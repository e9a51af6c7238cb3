/*
 * A debug server inside a kernel, a firmware or any other program that owns its machine: the engine and the protocol
 * server of core/ over the processors that they run on. gdb, lldb and `trapline connect` reach it over whatever line
 * moves bytes.
 *
 * Each processor is a thread. A processor that meets a breakpoint, a watchpoint, the end of a step, or that is asked
 * to, stays in here with its registers until it is resumed; meanwhile one of those that are here serves the debugger.
 * Nobody is in here, and nothing is executed for it, while all processors run.
 *
 * An embedder does this:
 *
 *   1. supplies the four functions of struct tl_stub_port, and calls tl_stub_start() once, early, on one processor;
 *   2. lets exceptions come in: on x86-64 by tl_stub_x86_gates(), which fills in three gates of the IDT; on arm64 by
 * two calls in its own handlers, tl_stub_arm64_exception() and tl_stub_arm64_interrupt();
 *   3. calls tl_stub_join() on each further processor when it can take exceptions;
 *   4. calls tl_stub_poll() now and then, from a timer or from the line's interrupt: for ^C, and for debuggers that
 * come while everything runs. tl_stub_break() waits for one.
 *
 * It takes no lock of the embedder's, allocates from the storage that it was given and nowhere else, and needs no libc:
 * memcpy, memmove, memset and memcmp are supplied where the embedder has none. Its own code, and what the four
 * functions lead to, must not be debugged with it.
 */
#ifndef TL_STUBS_BAREMETAL_STUB_H
#define TL_STUBS_BAREMETAL_STUB_H

#include "core/status.h"
#include "core/types.h"

#define TL_STUB_PROCESSORS_MAX 64

struct tl_rsp_command;

/* Storage that serves a debugger of one processor, in bytes; each further processor takes TL_STUB_STORAGE_EACH more. */
#define TL_STUB_STORAGE (56u << 10)
#define TL_STUB_STORAGE_EACH (6u << 10)

/*
 * What the embedder supplies. All of it is called with interrupts off, on any processor, in an exception: it must not
 * wait for a lock that interrupted code may hold, nor touch the extended registers (SSE and the like).
 */
struct tl_stub_port {
	/* The next byte that came over the line, or -1 when there is none. Does not wait. */
	int (*receive)(void *context);
	/* Sends all of the bytes, waiting for the line. */
	void (*send)(void *context, const void *bytes, tl_size size);
	/* The number of the processor that asks, from 0; must not depend on a segment register's base. NULL: 0. */
	tl_u32 (*processor)(void *context);
	/*
	 * Brings another processor into the stub: a non-maskable interrupt, or the strongest that the machine has. NULL
	 * where there is one processor. To be sent, not waited for.
	 */
	void (*round_up)(void *context, tl_u32 processor);
	void *context;
};

/*
 * Sets the stub up for up to `processors` of them, the calling one the first. `port` is copied; `storage`, aligned to
 * 16, is the stub's from now on. TL_ERROR_ARGUMENT for numbers out of range or callbacks that are missing,
 * TL_ERROR_NO_MEMORY when the storage is too small, TL_ERROR_STATE when it was started before. Call it once, before the
 * gates are filled in.
 */
TL_CHECKED enum tl_status tl_stub_start(const struct tl_stub_port *port, tl_u32 processors, void *storage,
					tl_size size);

/*
 * Tasks that are on no processor, shown to the debugger beside the processors: by name, and with the registers that
 * they will go on with as far as those are known. They are only looked at. A number above TL_STUB_PROCESSORS_MAX names
 * each, the same from stop to stop. Called while all processors are in here, so that no list changes; but one may have
 * been stopped in the middle of a change.
 */
struct tl_stub_tasks {
	/* The one behind `after` in any order, 0: the first; false at the end, and where `after` is none. */
	bool (*next)(void *context, tl_u64 after, tl_u64 *next_ret);
	/* As fetch_bystander of struct tl_target_ops (core/engine/target.h). */
	enum tl_status (*fetch)(void *context, tl_u64 task, tl_u8 *file, const tl_i16 **known_ret);
	/* What it is called, and how many bytes that has. */
	tl_size (*name)(void *context, tl_u64 task, char *text, tl_size size);
};

/* What an embedder may add; each may be NULL or 0. Called as those of the port are, with its context. */
struct tl_stub_more {
	/* What the debugger is shown as a processor's name; how many bytes it has. */
	tl_size (*name)(void *context, tl_u32 processor, char *text, tl_size size);
	/* Why a breakpoint cannot be at an address, as a sentence; NULL: it can. */
	const char *(*forbids)(void *context, tl_u64 address);
	/*
	 * Whether the debugger is lost: asked while one is there, again and again, by whoever serves; everything
	 * `stands` for it, or does not yet or any more. True: all that it has put anywhere is taken back, and
	 * everything runs.
	 */
	bool (*lost)(void *context, bool stands);
	/* Where the kernel's text begins, for one that is not always at the same place; 0: where it was linked to. */
	tl_u64 text;
	/* Where it was linked to, for lldb, which wants to know how far that is; 0: not known. */
	tl_u64 linked;
	/* Monitor commands (core/rsp/rsp.h), also called with the context. */
	const struct tl_rsp_command *commands;
	const struct tl_stub_tasks *tasks;
	/* Exceptions of its own are not told to the stub: there is no "monitor exceptions". */
	bool tells_no_exceptions;
};

/* Right after tl_stub_start; `more` is kept, not copied. */
void tl_stub_add(const struct tl_stub_more *more);

/*
 * A further processor is there from now on. Called on it, once its gates are in force. When everything stands for a
 * debugger, it stands too, and returns when it is resumed.
 */
void tl_stub_join(void);

/* Stops everything for a debugger, and waits for one if none is there: a breakpoint in the source. */
void tl_stub_break(void);

/*
 * Looks whether bytes have come, and takes care of them: ^C stops everything, a debugger that comes finds everything
 * stopped. Cheap when there are none. May be called from interrupt handlers, on one processor at a time or on many.
 */
void tl_stub_poll(void);

/*
 * Takes everything back that a debugger has put anywhere and lets all processors run; a debugger that is there hears no
 * more. After that, once no processor can come in any more, tl_stub_end makes an end of the stub, whose storage is the
 * embedder's again.
 */
void tl_stub_leave(void);
void tl_stub_end(void);

/* Text for the debugger's console; dropped when no debugger waits for a stop. Never waits for a debugger. */
void tl_stub_print(const char *text, tl_size size);

/* How many bytes of the storage are in use, and how many were at the worst moment; for embedders who measure. */
void tl_stub_storage(tl_size *now_ret, tl_size *most_ret);

#ifdef __x86_64__

/* A gate of the IDT. Intel SDM volume 3, figure 6-8 "64-Bit IDT Gate Descriptors". */
struct tl_stub_x86_gate {
	tl_u16 offset_low, selector;
	tl_u8 stack, type;
	tl_u16 offset_middle;
	tl_u32 offset_high, reserved;
};

/*
 * Fills in gates 1 (debug), 2 (NMI) and 3 (breakpoint) of an IDT that the caller owns. `selector` is that of the
 * kernel's code segment. `stack` is the number of a stack in the task state segment (1 to 7), or 0 for the stack that
 * is in use: 2 KiB of it are needed, and code that uses a red zone needs another stack. An NMI that the stub did not
 * ask for goes to `nmi`, an entry of the embedder's own, as if the gate were its; NULL: it is ignored.
 */
void tl_stub_x86_gates(struct tl_stub_x86_gate idt[4], tl_u16 selector, tl_u8 stack, void (*nmi)(void));

/*
 * Fills in the gates of further exceptions, those whose bits are set in `vectors`: 0 and 4 to 31, for which the
 * embedder has no handler. One that comes stops everything and is told as a signal, with the program counter where the
 * processor has it: at the instruction, but for traps (4) behind it, and for aborts (8, 18) anywhere. Without a
 * debugger it waits for one. Resumed, the processor goes on there, or where the debugger has led it. `selector` and
 * `stack` as above. These gates are for processors that the stub knows, after tl_stub_start or tl_stub_join: on others
 * there is nobody to tell, and the processor meets the exception again and again.
 */
void tl_stub_x86_exceptions(struct tl_stub_x86_gate idt[32], tl_u16 selector, tl_u8 stack, tl_u32 vectors);

/*
 * The same for handlers of the embedder's own, when they find that there is nothing they can do: with all registers and
 * the stack as the processor has left them for the handler, jump to this address + 16 * vector.
 */
extern const tl_u8 tl_stub_x86_entries[];

#endif

/*
 * 64-bit Arm: registers of the code that an exception has interrupted, saved by the embedder's entry, and to be loaded
 * again by it, the stack pointer too: a debugger may have changed any of them. The order is that of Linux's struct
 * user_pt_regs.
 */
struct tl_stub_arm64_frame {
	tl_u64 x[31];
	tl_u64 sp;     /* SP_EL0 or SP_EL1, whichever the code used */
	tl_u64 pc;     /* ELR_EL1 */
	tl_u64 pstate; /* SPSR_EL1 */
};

#ifdef __aarch64__

/*
 * Every synchronous exception from EL1 (with its own stack pointer) and from EL0 in 64-bit state is handed in here
 * before the embedder looks at it: with the exception's masks as they are, and ESR_EL1 and FAR_EL1 not overwritten.
 * True: it was the stub's, and the processor goes on as the frame says. False: it is the embedder's. What the stub
 * needs of the processor: EL1, and PSTATE.D clear wherever watchpoints are to be seen; 2 KiB of the stack that is in
 * use.
 *
 * A debugger's step over an instruction that raises an exception of the embedder's ends behind this call, in the
 * embedder's handler: the first place where another exception can be taken without losing ELR_EL1 and SPSR_EL1.
 */
bool tl_stub_arm64_exception(struct tl_stub_arm64_frame *frame);

/*
 * The interrupt that struct tl_stub_port's round_up has sent has come to this processor; it is acknowledged, and may
 * come again. Interrupts are still off.
 */
void tl_stub_arm64_interrupt(struct tl_stub_arm64_frame *frame);

/*
 * An exception that tl_stub_arm64_exception has left to the embedder, and with which it can do nothing either; with
 * ESR_EL1 and FAR_EL1 as they were. It stops everything and is told as a signal, with the program counter at the
 * instruction; without a debugger it waits for one. When it returns, the processor goes on as the frame says: the
 * instruction is executed again, unless the debugger has led it elsewhere. Called as tl_stub_arm64_exception is.
 */
void tl_stub_arm64_unhandled(struct tl_stub_arm64_frame *frame, tl_u64 syndrome, tl_u64 address);

#endif

#endif
