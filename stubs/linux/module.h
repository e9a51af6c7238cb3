/*
 * Trapline as a module of Linux on x86-64: what its parts know of each other. stubs/baremetal/stub.c serves the
 * debugger here as it does on bare metal; the parts in this folder are the machine below it.
 *
 *   module.c    parameters, which processors there are, what is called when; the way in and out of the kernel
 *   machine.c   a processor that is in the stub: its registers, its steps, what an exception means
 *   slots.c     the debug registers, lent by the kernel's hardware breakpoint layer or the module's own
 *   memory.c    memory that may not be there, and code that may not be written
 *   way.c       functions of the kernel that the module itself needs
 *   line.c      the serial port
 *   tasks.c     tasks that are on no processor, as threads
 *
 * Include the kernel's headers first.
 */
#ifndef TL_STUBS_LINUX_MODULE_H
#define TL_STUBS_LINUX_MODULE_H

#include "core/cpu/x86_debug.h"
#include "stubs/baremetal/internal.h"

struct pt_regs;

/* ---- line.c ---- */

/*
 * Takes the serial port "ttyS0" to "ttyS3" for the stub, at so many bits a second, until tl_line_close. A negative
 * number of the kernel's when it is in use or not there. `silence`: see tl_line_lost; 0: none is too long.
 */
int tl_line_open(const char *name, unsigned baud, unsigned silence);
void tl_line_close(void);

/* Bytes have come. Any context. */
bool tl_line_ready(void);

/* A carrier was there, and is there no more; told until tl_line_lost has told it. Any context. */
bool tl_line_dropped(void);

/*
 * As struct tl_stub_more has it: the carrier was dropped, or while everything stood nothing was said in either
 * direction for as many seconds as are too long.
 */
bool tl_line_lost(void *context, bool stands);

/* As struct tl_stub_port has it. */
int tl_line_receive(void *context);
void tl_line_send(void *context, const void *bytes, tl_size size);

/* ---- memory.c ---- */

/* The page through which code is written; needs to be there before anything is stopped. Negative: no memory. */
int tl_memory_open(void);
void tl_memory_close(void);

/* Why no breakpoint can be at an address, as a sentence; NULL when one can. While everything is stopped. */
const char *tl_memory_forbids(tl_u64 address);

/* The address of a symbol that modules are not given; NULL when there is none. May sleep. */
void *tl_memory_symbol(const char *name);

/* ---- way.c ---- */

/* Looks the functions up; once tl_memory_open has been called. May sleep. */
void tl_way_open(void);

/* Why no breakpoint can be at an address that the module's own way leads through; NULL when it does not. */
const char *tl_way_forbids(tl_u64 address);

/* ---- slots.c ---- */

/*
 * Takes all debug registers on all processors: has the kernel's layer lend them, or makes them the module's own
 * (`early`). Negative: somebody else has some. May sleep.
 */
int tl_slots_open(bool early);
void tl_slots_close(void);

/*
 * Once the module's own die notifier is registered: with `early` the layer's comes behind it from now on. Negative:
 * as register_die_notifier. May sleep.
 */
int tl_slots_order(void);

/* Why nothing can be watched in an area, as a sentence; NULL when it can. While everything is stopped. */
const char *tl_slots_forbid(tl_u64 address, tl_u64 size);

/*
 * The debug registers of the processor at hand become those of the plan; what they are set to is returned, without the
 * bits that are always set. Interrupts off.
 */
tl_u64 tl_slots_arm(const struct tl_x86_debug_plan *plan);
/* None is in force from here on, until tl_slots_arm. Interrupts off. */
void tl_slots_silence(void);

/*
 * Which registers of the plan the exception at hand came from, as bits of DR6; they are told once, and taken out of
 * `dr6` where they are still in it.
 */
tl_u64 tl_slots_hits(const struct tl_x86_debug_plan *plan, unsigned long *dr6, struct pt_regs *regs);
/* Whether some are there to be told. */
bool tl_slots_noted(void);

/* ---- tasks.c ---- */

/* For struct tl_stub_more. There are none until they are to be shown. */
extern const struct tl_stub_tasks tl_tasks;
void tl_tasks_show(bool show);

/* monitor tasks, as struct tl_rsp_command has it. */
enum tl_status tl_tasks_monitor(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output);

/* ---- machine.c ---- */

/* What the kernel tells of: a trap instruction, a debug exception with its DR6, an NMI. True when it was for us. */
bool tl_machine_breakpoint(struct pt_regs *regs);
bool tl_machine_debug(struct pt_regs *regs, unsigned long *dr6);
bool tl_machine_nmi(struct pt_regs *regs);

/* The processor at hand takes in what it could not while it left. Interrupts off. */
void tl_machine_refresh(void);

/* ---- module.c ---- */

/* The processor at hand has stood for long: watchdogs that count time are told. */
void tl_module_touch_watchdogs(void);
/* tl_machine_refresh is to be called as soon as this processor takes interrupts. Any context. */
void tl_module_call_back(void);

#endif
