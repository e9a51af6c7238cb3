/*
 * A processor that is in the stub: its registers as the kernel's entry saved them, its steps, what an exception means.
 * All of it runs with interrupts off, in an exception or an NMI; nothing takes a lock, allocates or waits for another.
 */
#include <linux/kernel.h>
#include <linux/nmi.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

#include <asm/debugreg.h>
#include <asm/msr.h>
#include <asm/trapnr.h>
#include <asm/tsc.h>

#undef APIC_BASE /* core/ has a register of that name */

#include "core/cpu/x86_layout.h"
#include "core/cpu/x86_xsave.h"
#include "core/cursor.h"
#include "core/engine/x86_points.h"
#include "stubs/baremetal/x86_steps.h"
#include "stubs/linux/module.h"

#define LINUX_SIGNAL_TRAP 5
#define TRAP_INSTRUCTION 0xcc
/* pt_regs has the general registers in the order of the register file, up to the stack segment. */
#define SAVED (TL_X86_SLOT_SS + 1)

static_assert(sizeof(struct pt_regs) >= SAVED * 8 && offsetof(struct pt_regs, ip) == TL_X86_AT_RIP &&
	      offsetof(struct pt_regs, sp) == TL_X86_AT_RSP && offsetof(struct pt_regs, ax) == TL_X86_AT_RAX);

/* What an exception pushes, and IRETQ takes. */
struct frame {
	unsigned long ip, cs, flags, sp, ss;
};

static_assert(sizeof(struct pt_regs) - offsetof(struct pt_regs, ip) == sizeof(struct frame));

struct tl_stub_machine {
	tl_u8 extended[TL_X86_XSAVE_LEGACY_SIZE] __aligned(16);
	struct pt_regs *regs;
	struct frame *way_back; /* by which an NMI returns, where that is not what is at the end of `regs`; else NULL */
	unsigned long came_from; /* what stood there as the instruction */
	tl_u64 bases[2];         /* of FS and GS */
	tl_u64 control;          /* of the debug registers, as they were last set */
	tl_u32 generation;       /* of the plan that is in force */
	tl_u16 segments[4];      /* DS, ES, FS, GS */
	bool inside;             /* the processor is in the stub */
	bool restored_later;     /* the entry that led in here puts DR7 back as it found it */
	bool extended_changed, bases_changed;
	tl_u64 fault_address; /* CR2: a step may end where a handler has not read it yet */
	tl_u64 runner;        /* the task that the processor came in with */
	struct tl_stub_x86_steps steps;
	struct tl_stub_x86_steps *moved; /* the step of another processor's that has ended on this one */
};

/* The same for all processors. */
static struct {
	struct tl_x86_debug_plan plan;
	tl_u32 generation; /* changes with the plan; atomic */
	tl_u32 leaving;    /* atomic: somebody reads or changes what is known of steps that were left */
	tl_u32 put_off;    /* atomic: an NMI came where its processor could not stay */
} all;

extern const tl_u8 tl_linux_visited[], tl_linux_joined[];

/* ---- Registers ---- */

tl_size tl_stub_machine_size(void)
{
	return sizeof(struct tl_stub_machine);
}

void tl_stub_machine_init(struct tl_stub *stub, struct tl_stub_machine *machine)
{
	(void)stub;
	machine->generation = all.generation;
}

void tl_stub_machine_describe(struct tl_process_facts *facts_ret)
{
	*facts_ret = (struct tl_process_facts){
		.cpu = &tl_cpu_x86_64,
		.features = 1u << TL_X86_FEATURE_CORE | 1u << TL_X86_FEATURE_SSE | 1u << TL_X86_FEATURE_SEGMENTS,
		.os_abi = "none",
	};
}

static tl_u64 *slot(tl_u8 *file, enum tl_x86_slot number)
{
	return (tl_u64 *)(void *)(file + 8 * (tl_size)number);
}

static void fetch_general(const struct tl_stub_machine *machine, tl_u8 *file)
{
	static const tl_u8 segments[] = {TL_X86_SLOT_DS, TL_X86_SLOT_ES, TL_X86_SLOT_FS, TL_X86_SLOT_GS};
	tl_u64 *general = slot(file, 0);

	tl_copy(general, machine->regs, SAVED * 8);
	general[TL_X86_SLOT_CS] &= 0xffff;
	general[TL_X86_SLOT_SS] &= 0xffff;
	for (unsigned n = 0; n < TL_COUNT(segments); n++)
		general[segments[n]] = machine->segments[n];
	general[TL_X86_SLOT_FS_BASE] = machine->bases[0];
	general[TL_X86_SLOT_GS_BASE] = machine->bases[1];
}

/* Segments stay as they are: with another one the way back might not be found. */
static void store_general(struct tl_stub_machine *machine, const tl_u8 *file)
{
	unsigned long code = machine->regs->cs, stack = machine->regs->ss;
	tl_u64 bases[2];

	tl_copy(machine->regs, file, SAVED * 8);
	machine->regs->cs = code;
	machine->regs->ss = stack;
	tl_copy(bases, file + TL_X86_AT_FS_BASE, sizeof(bases));
	machine->bases_changed |= bases[0] != machine->bases[0];
	machine->bases[0] = bases[0]; /* that of GS is how the kernel finds itself */
}

static const struct tl_x86_xsave legacy = {.components = 1u << TL_X86_COMPONENT_X87 | 1u << TL_X86_COMPONENT_SSE};

enum tl_status tl_stub_machine_fetch(struct tl_stub_machine *machine, tl_u8 bank, tl_u8 *file)
{
	if (bank == TL_BANK_GENERAL)
		fetch_general(machine, file);
	else if (bank == TL_X86_BANK_EXTENDED)
		tl_x86_xsave_read(&legacy, machine->extended, sizeof(machine->extended), file);
	else
		return TL_ERROR_ARGUMENT;
	return TL_OK;
}

enum tl_status tl_stub_machine_store(struct tl_stub_machine *machine, tl_u8 bank, const tl_u8 *file)
{
	if (bank == TL_BANK_GENERAL)
		store_general(machine, file);
	else if (bank == TL_X86_BANK_EXTENDED)
		machine->extended_changed |=
			tl_x86_xsave_write(&legacy, machine->extended, sizeof(machine->extended), file);
	else
		return TL_ERROR_ARGUMENT;
	return TL_OK;
}

/* ---- Debug registers ---- */

enum tl_status tl_stub_machine_insert(enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	struct tl_stub *stub = tl_stub();
	const char *reason = NULL;

	if (kind != TL_POINT_HARDWARE)
		reason = tl_slots_forbid(address, size);
	else if (address >= TASK_SIZE_MAX)
		reason = tl_memory_forbids(address);
	if (reason != NULL) {
		if (stub->rsp != NULL)
			tl_rsp_explain(stub->rsp, reason);
		return TL_ERROR_PERMISSION;
	}
	TL_TRY(tl_x86_points_add(&all.plan, kind, address, size, true));
	__atomic_fetch_add(&all.generation, 1, __ATOMIC_RELEASE);
	return TL_OK;
}

enum tl_status tl_stub_machine_remove(enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	TL_TRY(tl_x86_points_remove(&all.plan, kind, address, size, true));
	__atomic_fetch_add(&all.generation, 1, __ATOMIC_RELEASE);
	return TL_OK;
}

/*
 * The kernel's entries for NMIs and debug exceptions put DR7 back on the way out as they found it, if anything was
 * armed. Where that is not what is wanted now, it is set once more as soon as this processor takes interrupts.
 */
static void arm(struct tl_stub_machine *machine)
{
	struct tl_x86_debug_plan plan;
	tl_u64 before = machine->control;

	machine->generation = __atomic_load_n(&all.generation, __ATOMIC_ACQUIRE);
	plan = all.plan;
	tl_stub_x86_steps_leave(&machine->steps, &plan);
	machine->control = tl_slots_arm(&plan);
	if (machine->restored_later && before != 0 && before != machine->control)
		tl_module_call_back();
}

/* What came while interrupts of ours were ignored is asked for again. */
static void ask_again(struct tl_stub *stub, struct tl_stub_processor *processor)
{
	if (__atomic_load_n(&processor->stop_asked, __ATOMIC_ACQUIRE) != 0 ||
	    __atomic_load_n(&all.generation, __ATOMIC_ACQUIRE) != processor->machine->generation)
		tl_stub_summon(stub, processor);
}

void tl_machine_refresh(void)
{
	struct tl_stub *stub = tl_stub();
	struct tl_stub_processor *processor = stub != NULL ? tl_stub_here(stub) : NULL;

	if (processor == NULL || processor->machine->inside)
		return;
	processor->machine->restored_later = false;
	arm(processor->machine);
	ask_again(stub, processor);
}

/* ---- In and out ---- */

/*
 * A debug exception begins at the top of a stack of its own: one that comes while another is handled there runs over
 * it. So nobody stays there, to be stepped, and what an NMI was to have armed there is armed later.
 */
static bool is_on_debug_stack(const struct pt_regs *regs)
{
	return this_cpu_read(cpu_tss_rw.x86_tss.ist[IST_INDEX_DB]) - 1 - regs->sp < EXCEPTION_STKSZ;
}

#define SEGMENT(name)                                                                                                  \
	static tl_u16 read_##name(void)                                                                                \
	{                                                                                                              \
		tl_u16 value;                                                                                          \
		asm volatile("mov %%" #name ", %0" : "=r"(value));                                                     \
		return value;                                                                                          \
	}
SEGMENT(ds)
SEGMENT(es)
SEGMENT(fs)
SEGMENT(gs)

static void enter(struct tl_stub_machine *machine, struct pt_regs *regs)
{
	machine->inside = true;
	machine->regs = regs;
	machine->came_from = regs->ip;
	machine->runner = (tl_u64)current;
	tl_slots_silence();
	machine->fault_address = native_read_cr2();
	machine->segments[0] = read_ds();
	machine->segments[1] = read_es();
	machine->segments[2] = read_fs();
	machine->segments[3] = read_gs();
	rdmsrl(MSR_FS_BASE, machine->bases[0]);
	rdmsrl(MSR_GS_BASE, machine->bases[1]);
	machine->bases_changed = machine->extended_changed = false;
	asm volatile("fxsaveq %0" : "=m"(machine->extended));
}

/*
 * An NMI that came into the kernel has what it returns by twice (arch/x86/entry/entry_64.S, "Here's what our stack
 * frame will look like"): at the end of pt_regs, where it is changed to no effect, and above that.
 */
static struct frame *way_back_of_nmi(struct pt_regs *regs)
{
	struct frame *frame = (struct frame *)(regs + 1);

	return !user_mode(regs) && memcmp(frame, &regs->ip, sizeof(*frame)) == 0 ? frame : NULL;
}

/*
 * Once an exception has been met in here, another NMI may come. It is put off: it makes this frame lead to where the
 * NMI begins once more, with what stands in pt_regs then. So if it has come meanwhile, that is what has to be there.
 */
static void change_way_back(const struct tl_stub_machine *machine)
{
	const struct pt_regs *regs = machine->regs;
	struct frame *frame = machine->way_back;

	if (frame == NULL || memcmp(frame, &regs->ip, sizeof(*frame)) == 0)
		return;
	WRITE_ONCE(frame->sp, regs->sp);
	WRITE_ONCE(frame->flags, regs->flags);
	if (cmpxchg_local(&frame->ip, machine->came_from, regs->ip) == machine->came_from)
		return;
	WRITE_ONCE(frame->sp, (unsigned long)&regs->ip);
	WRITE_ONCE(frame->flags, X86_EFLAGS_FIXED);
}

static void leave(struct tl_stub *stub, struct tl_stub_processor *processor)
{
	struct tl_stub_machine *machine = processor->machine;

	change_way_back(machine);
	machine->way_back = NULL;
	if (machine->extended_changed)
		asm volatile("fxrstorq %0" : : "m"(machine->extended));
	if (machine->bases_changed)
		wrmsrl(MSR_FS_BASE, machine->bases[0]);
	tl_module_touch_watchdogs();
	native_write_cr2(machine->fault_address);
	arm(machine);
	machine->inside = false;
	ask_again(stub, processor);
}

static void stay(struct tl_stub *stub, struct tl_stub_processor *processor, enum tl_stub_state state,
		 const struct tl_event *event, struct pt_regs *regs)
{
	enter(processor->machine, regs);
	tl_stub_stay(stub, processor, state, event);
	leave(stub, processor);
}

/* ---- Steps ---- */

/* Only where an exception has no stack of its own, and its handler is not what tells of the hit. */
static bool may_wait(const struct tl_x86_gate *gate)
{
	return gate->vector == X86_TRAP_PF || gate->vector == X86_TRAP_GP || gate->vector == X86_TRAP_UD ||
	       gate->vector == X86_TRAP_DE || gate->vector == X86_TRAP_NM;
}

/* A task that sleeps, or whose processor stands; one that has ended has no stack in which anything would be found. */
static bool lies_still(tl_u64 runner)
{
	const struct task_struct *task = (const struct task_struct *)runner;
	const struct tl_stub *stub = tl_stub();
	int running = 1;

	for (tl_u32 n = 0; n < stub->count; n++)
		if (__atomic_load_n(&stub->processors[n].state, __ATOMIC_ACQUIRE) == TL_STUB_HERE &&
		    stub->processors[n].machine->runner == runner)
			return true;
	return copy_from_kernel_nofault(&running, &task->on_cpu, sizeof(running)) == 0 && running == 0;
}

static struct tl_stub_x86_tables tables(const struct tl_stub_machine *machine)
{
	const void *frame = machine->way_back != NULL ? (const void *)machine->way_back : &machine->regs->ip;
	struct desc_ptr table;

	asm volatile("sidt %0" : "=m"(table));
	return (struct tl_stub_x86_tables){.base = table.address,
					   .limit = table.size,
					   .frame = (tl_u64)frame,
					   .may_wait = may_wait,
					   .lies_still = lies_still};
}

/*
 * Whoever serves may give a step up while another processor meets the end of one: both are short. An NMI that came to
 * that one meanwhile would lead in here: who holds it counts as inside.
 */
static void lock_left(void)
{
	while (__atomic_exchange_n(&all.leaving, 1, __ATOMIC_ACQUIRE) != 0)
		cpu_relax();
}

static void unlock_left(void)
{
	__atomic_store_n(&all.leaving, 0, __ATOMIC_RELEASE);
}

bool tl_stub_machine_begin(struct tl_stub_machine *machine, const struct tl_run_request *request)
{
	const struct tl_stub_x86_tables here = tables(machine);
	bool runs;

	lock_left();
	runs = tl_stub_x86_steps_begin(&machine->steps, machine, &here, request, machine->runner);
	unlock_left();
	if (runs)
		machine->regs->flags = tl_stub_x86_steps_flags(&machine->steps, request, machine->regs->flags);
	return runs;
}

void tl_stub_machine_settle(struct tl_stub_machine *machine, const struct tl_event *event)
{
	const struct tl_stub_x86_tables here = tables(machine);

	lock_left();
	tl_stub_x86_steps_end(&machine->steps, machine, &here, event->stepped, machine->runner);
	if (machine->moved != NULL)
		tl_stub_x86_steps_end_moved(machine->moved, machine, &here, machine->runner);
	machine->moved = NULL;
	unlock_left();
}

/* ---- What the kernel tells of ---- */

static struct tl_stub_processor *processor_here(void)
{
	struct tl_stub *stub = tl_stub();

	return stub != NULL ? tl_stub_here(stub) : NULL;
}

static bool is_at(const struct pt_regs *regs, const tl_u8 *place)
{
	return regs->ip == (unsigned long)place;
}

bool tl_machine_breakpoint(struct pt_regs *regs)
{
	struct tl_stub *stub = tl_stub();
	struct tl_stub_processor *processor = processor_here();
	struct tl_event event = {.kind = TL_EVENT_TRAP};
	tl_u8 byte;

	if (processor == NULL || user_mode(regs))
		return false;
	if (processor->machine->inside || is_on_debug_stack(regs)) {
		if (!tl_stub_take_out(stub, processor, regs->ip - 1))
			return false;
		regs->ip--;
		return true;
	}
	processor->machine->restored_later = false;
	event.address = regs->ip - 1;
	if (is_at(regs, tl_linux_visited)) {
		stay(stub, processor, TL_STUB_VISITING, NULL, regs);
		return true;
	}
	if (is_at(regs, tl_linux_joined)) {
		event = (struct tl_event){.kind = TL_EVENT_THREAD_CREATED};
	} else if (tl_stub_machine_peek(&byte, event.address, 1) == 1 && byte != TRAP_INSTRUCTION) {
		/* It was taken out as this processor ran into it: the instruction that stands there now has not run. */
		regs->ip--;
		return true;
	} else if (stub->rsp == NULL) {
		return false; /* nobody's that we know */
	}
	stay(stub, processor, TL_STUB_ARRIVED, &event, regs);
	return true;
}

/* The step of another processor's whose task goes on here, after it slept in a handler. NULL: there is none. */
static struct tl_stub_x86_steps *moved_here(struct tl_stub *stub, const struct tl_stub_machine *machine)
{
	for (tl_u32 n = 0; n < stub->count; n++) {
		struct tl_stub_x86_steps *steps = &stub->processors[n].machine->steps;

		if (steps != &machine->steps && steps->under_way && steps->runner == (tl_u64)current)
			return steps;
	}
	return NULL;
}

/* DR6 and a step of ours to an event; false when there is nothing of ours in it. What is ours is taken out of DR6. */
static bool classify_debug(struct tl_stub *stub, struct tl_stub_machine *machine, struct pt_regs *regs,
			   unsigned long *dr6, struct tl_event *event)
{
	tl_u64 hits = tl_slots_hits(&all.plan, dr6, regs);
	bool hit = tl_x86_points_hit(&all.plan, hits, regs->ip, event);
	bool own = machine->steps.under_way && machine->steps.runner == (tl_u64)current;

	event->address = regs->ip;
	machine->steps.landed =
		own && hits != 0 && (*dr6 & DR_STEP) == 0 && tl_stub_x86_steps_lands(&machine->steps, regs->ip);
	event->stepped = machine->steps.landed || (own && (*dr6 & DR_STEP) != 0);
	if (!own && (*dr6 & DR_STEP) != 0)
		machine->moved = moved_here(stub, machine);
	if (event->stepped || machine->moved != NULL)
		*dr6 &= ~(unsigned long)DR_STEP;
	if (event->stepped && !hit)
		event->kind = TL_EVENT_STEPPED;
	else if (machine->moved != NULL && !hit)
		*event = (struct tl_event){.kind = TL_EVENT_SIGNAL, .signal = LINUX_SIGNAL_TRAP, .address = regs->ip};
	return hit || event->stepped || machine->moved != NULL;
}

/* The end of a step that was left, wherever it began: nobody waits for it any more. */
static bool drop_left(struct tl_stub *stub, struct tl_stub_machine *machine, struct pt_regs *regs)
{
	struct tl_stub_x86_trap trap = {
		.runner = (tl_u64)current, .address = regs->ip, .stack = regs->sp, .flags = regs->flags};
	const struct tl_stub_x86_steps *own = &machine->steps;
	bool found = false;

	machine->inside = true;
	barrier();
	lock_left();
	if (!own->under_way || own->runner != trap.runner)
		own = moved_here(stub, machine);
	for (tl_u32 n = 0; n < stub->count && !found; n++)
		found = tl_stub_x86_steps_drop(&stub->processors[n].machine->steps, own, &trap);
	unlock_left();
	barrier();
	machine->inside = false;
	regs->flags = trap.flags;
	return found;
}

bool tl_machine_debug(struct pt_regs *regs, unsigned long *dr6)
{
	struct tl_stub *stub = tl_stub();
	struct tl_stub_processor *processor = processor_here();
	struct tl_event event = {.kind = TL_EVENT_NONE};
	bool ours = false;

	if (processor == NULL)
		return false;
	if (processor->machine->inside) {
		(void)tl_slots_hits(&all.plan, dr6, regs);
		regs->flags &= ~(unsigned long)X86_EFLAGS_TF;
		*dr6 = 0;
		return true;
	}
	if ((*dr6 & DR_STEP) != 0 && !user_mode(regs) && drop_left(stub, processor->machine, regs)) {
		*dr6 &= ~(unsigned long)DR_STEP;
		ours = true;
	}
	ours |= classify_debug(stub, processor->machine, regs, dr6, &event);
	if (event.kind != TL_EVENT_NONE) {
		processor->machine->restored_later = true;
		stay(stub, processor, TL_STUB_ARRIVED, &event, regs);
	} else {
		ask_again(stub, processor); /* what tl_machine_nmi has left it to, it was not */
	}
	return ours && *dr6 == 0;
}

bool tl_machine_nmi(struct pt_regs *regs)
{
	static const struct tl_event paused = {.kind = TL_EVENT_PAUSED};
	struct tl_stub *stub = tl_stub();
	struct tl_stub_processor *processor = processor_here();
	bool ours;

	if (processor == NULL)
		return false;
	ours = tl_stub_summoned(processor);
	/* Who has a hit noted is on its way to tl_machine_debug: that tells it, and what the stop asks for with it. */
	if (processor->machine->inside || tl_slots_noted())
		return ours;
	if (is_on_debug_stack(regs)) {
		__atomic_store_n(&all.put_off, 1, __ATOMIC_RELEASE);
		tl_module_call_back();
		return ours;
	}
	if (__atomic_load_n(&processor->stop_asked, __ATOMIC_ACQUIRE) != 0) {
		processor->machine->restored_later = true;
		processor->machine->way_back = way_back_of_nmi(regs);
		stay(stub, processor, TL_STUB_ARRIVED, &paused, regs);
		return true;
	}
	if (__atomic_load_n(&all.generation, __ATOMIC_ACQUIRE) != processor->machine->generation) {
		processor->machine->restored_later = true;
		arm(processor->machine);
	}
	return ours;
}

/* ---- Ways in of our own ---- */

/* Not inlined and in one place each: the exception's handler knows them by their addresses. */
noinline void tl_stub_machine_visit(void)
{
	asm volatile("int3\n.globl tl_linux_visited\ntl_linux_visited:" : : : "memory");
}

noinline void tl_stub_machine_join(void)
{
	asm volatile("int3\n.globl tl_linux_joined\ntl_linux_joined:" : : : "memory");
}

noinline void tl_stub_machine_break(void)
{
	asm volatile("int3" : : : "memory");
}

/* Who could not stay where an NMI met it is called once more by those that wait, until it is on another stack. */
void tl_stub_machine_relax(void)
{
	struct tl_stub *stub = tl_stub();

	cpu_relax();
	if (__atomic_load_n(&all.put_off, __ATOMIC_ACQUIRE) == 0 ||
	    __atomic_exchange_n(&all.put_off, 0, __ATOMIC_ACQ_REL) == 0)
		return;
	for (tl_u32 n = 0; n < stub->count; n++)
		if (__atomic_load_n(&stub->processors[n].stop_asked, __ATOMIC_ACQUIRE) != 0)
			tl_stub_summon(stub, &stub->processors[n]);
}

tl_u64 tl_stub_machine_clock(tl_u64 *second_ret)
{
	*second_ret = tsc_khz != 0 ? (tl_u64)tsc_khz * 1000 : 1ull << 31;
	return rdtsc();
}

struct call {
	void (*function)(void *context);
	void *context;
};

void tl_linux_serve(const struct call *call);

/* Called by the few instructions below, with another stack under it. */
noinline void tl_linux_serve(const struct call *call)
{
	call->function(call->context);
}

/* The stacks of exceptions have 4 KiB, which handling a packet may exceed. */
void tl_stub_machine_serve(struct tl_stub *stub, void (*function)(void *context), void *context)
{
	const struct call call = {function, context};
	const struct call *argument = &call;
	void *top = stub->stack + TL_STUB_STACK;

	asm volatile("movq %%rsp, %%rbx\n\tmovq %[top], %%rsp\n\tcall tl_linux_serve\n\tmovq %%rbx, %%rsp"
		     : "+D"(argument), [top] "+r"(top)
		     :
		     : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
}
STACK_FRAME_NON_STANDARD(tl_stub_machine_serve);
