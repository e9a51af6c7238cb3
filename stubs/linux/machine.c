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

#undef APIC_BASE /* core/ has a register of that name */

#include "core/cpu/x86_layout.h"
#include "core/cpu/x86_step.h"
#include "core/cpu/x86_xsave.h"
#include "core/cursor.h"
#include "core/engine/x86_points.h"
#include "stubs/linux/module.h"

#define CODE_64_ATTRIBUTES 0xa09bu
#define LINUX_SIGNAL_TRAP 5
#define TRAP_INSTRUCTION 0xcc
/* pt_regs has the general registers in the order of the register file, up to the stack segment. */
#define SAVED (TL_X86_SLOT_SS + 1)

static_assert(sizeof(struct pt_regs) >= SAVED * 8 && offsetof(struct pt_regs, ip) == TL_X86_AT_RIP &&
	      offsetof(struct pt_regs, sp) == TL_X86_AT_RSP && offsetof(struct pt_regs, ax) == TL_X86_AT_RAX);

struct tl_stub_machine {
	tl_u8 extended[TL_X86_XSAVE_LEGACY_SIZE] __aligned(16);
	struct pt_regs *regs;
	tl_u64 bases[2];     /* of FS and GS */
	tl_u64 control;      /* of the debug registers, as they were last set */
	tl_u32 generation;   /* of the plan that is in force */
	tl_u16 segments[4];  /* DS, ES, FS, GS */
	bool inside;         /* the processor is in the stub */
	bool restored_later; /* the entry that led in here puts DR7 back as it found it */
	bool extended_changed, bases_changed;
	/* A step has begun and not ended; or ended while a handler ran that takes it up again when it returns. */
	bool stepping, step_left;
	bool mask_changed; /* FMASK is to become `mask` */
	tl_u64 mask;
	struct tl_x86_step step;
};

/* The same for all processors. */
static struct {
	struct tl_x86_debug_plan plan;
	tl_u32 generation; /* changes with the plan; atomic */
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
	tl_u64 before = machine->control;

	machine->generation = __atomic_load_n(&all.generation, __ATOMIC_ACQUIRE);
	machine->control = tl_slots_arm(&all.plan);
	if (machine->restored_later && before != 0 && before != machine->control)
		tl_module_call_back();
}

void tl_machine_refresh(void)
{
	struct tl_stub *stub = tl_stub();
	struct tl_stub_processor *processor = stub != NULL ? tl_stub_here(stub) : NULL;

	if (processor == NULL || processor->machine->inside)
		return;
	processor->machine->restored_later = false;
	arm(processor->machine);
}

/* ---- In and out ---- */

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
	tl_slots_silence();
	machine->segments[0] = read_ds();
	machine->segments[1] = read_es();
	machine->segments[2] = read_fs();
	machine->segments[3] = read_gs();
	rdmsrl(MSR_FS_BASE, machine->bases[0]);
	rdmsrl(MSR_GS_BASE, machine->bases[1]);
	machine->bases_changed = machine->extended_changed = false;
	asm volatile("fxsaveq %0" : "=m"(machine->extended));
}

static void leave(struct tl_stub *stub, struct tl_stub_processor *processor)
{
	struct tl_stub_machine *machine = processor->machine;

	if (machine->extended_changed)
		asm volatile("fxrstorq %0" : : "m"(machine->extended));
	if (machine->bases_changed)
		wrmsrl(MSR_FS_BASE, machine->bases[0]);
	if (machine->mask_changed)
		wrmsrl(MSR_SYSCALL_MASK, machine->mask);
	machine->mask_changed = false;
	tl_module_touch_watchdogs();
	arm(machine);
	machine->inside = false;
	/* What came while interrupts of ours were ignored in here is asked for again. */
	if (__atomic_load_n(&processor->stop_asked, __ATOMIC_ACQUIRE) != 0 ||
	    __atomic_load_n(&all.generation, __ATOMIC_ACQUIRE) != machine->generation)
		tl_stub_summon(stub, processor);
}

static void stay(struct tl_stub *stub, struct tl_stub_processor *processor, enum tl_stub_state state,
		 const struct tl_event *event, struct pt_regs *regs)
{
	enter(processor->machine, regs);
	tl_stub_stay(stub, processor, state, event);
	leave(stub, processor);
}

/* ---- Steps ---- */

static enum tl_status peek(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context;
	return tl_stub_machine_peek(buffer, address, size) == size ? TL_OK : TL_ERROR_MEMORY;
}

static enum tl_status poke(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	(void)context;
	return tl_stub_machine_poke(address, buffer, size) == size ? TL_OK : TL_ERROR_MEMORY;
}

static const struct tl_memory_access access = {peek, poke, NULL};

static void put(tl_u8 *file, tl_size offset, tl_u64 value)
{
	tl_copy(file + offset, &value, sizeof(value));
}

static tl_u64 model_specific(tl_u32 number)
{
	tl_u64 value;

	rdmsrl(number, value);
	return value;
}

/*
 * The registers that a step looks at: those of the processor that stands, and of the system what all processors have in
 * common. One file for all: whoever serves is alone.
 */
static tl_u8 *step_file(const struct tl_stub_machine *machine)
{
	static tl_u64 words[(TL_X86_FILE_SIZE + 7) / 8];
	struct desc_ptr table;
	tl_u8 *file = (tl_u8 *)words;

	asm volatile("sidt %0" : "=m"(table));
	fetch_general(machine, file);
	put(file, TL_X86_AT_CR0, native_read_cr0());
	put(file, TL_X86_AT_CR4, native_read_cr4());
	put(file, TL_X86_AT_EFER, model_specific(MSR_EFER));
	put(file, TL_X86_AT_FMASK, model_specific(MSR_SYSCALL_MASK));
	put(file, TL_X86_AT_CS_ATTR, CODE_64_ATTRIBUTES);
	put(file, TL_X86_AT_IDTR_BASE, table.address);
	put(file, TL_X86_AT_IDTR_LIMIT, table.size);
	return file;
}

/* The mask of SYSCALL is the processor's own: it takes it in as it leaves. */
static void take_changes(struct tl_stub_machine *machine, const tl_u8 *file, tl_u32 changed)
{
	if ((changed & 1u << TL_BANK_GENERAL) != 0)
		store_general(machine, file);
	if ((changed & 1u << TL_X86_BANK_SYSTEM) != 0) {
		machine->mask_changed = true;
		tl_copy(&machine->mask, file + TL_X86_AT_FMASK, sizeof(machine->mask));
	}
}

bool tl_stub_machine_begin(struct tl_stub_machine *machine, const struct tl_run_request *request)
{
	tl_u8 *file;

	machine->stepping = request->run == TL_RUN_STEP;
	if (machine->stepping) {
		file = step_file(machine);
		tl_x86_step_begin(&machine->step, file, true, &access);
		take_changes(machine, file, machine->step.changed);
		if (machine->step.done)
			return false;
		machine->regs->flags |= X86_EFLAGS_TF;
	}
	machine->regs->flags &= ~X86_EFLAGS_RF;
	if (request->over_hardware || machine->stepping)
		machine->regs->flags |= X86_EFLAGS_RF;
	return true;
}

/* `trapped`: by the step itself. */
static void end_step(struct tl_stub_machine *machine, bool trapped)
{
	tl_u8 *file = step_file(machine);
	tl_u64 at = machine->regs->ip;
	struct tl_x86_step_result result;

	/* A breakpoint is met where the step began: nothing has happened, whatever the trap instruction did. */
	if (!trapped && !machine->step.done && (at == machine->step.at || at == machine->step.at + 1))
		put(file, TL_X86_AT_RIP, machine->step.at);
	result = tl_x86_step_end(&machine->step, file, trapped, &access);
	put(file, TL_X86_AT_RIP, at);
	take_changes(machine, file, result.changed);
	machine->step_left = !trapped && result.end == TL_X86_STEP_DONE && !machine->step.done;
}

void tl_stub_machine_settle(struct tl_stub_machine *machine, const struct tl_event *event)
{
	if (machine->stepping)
		end_step(machine, event->stepped);
	machine->stepping = false;
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

/* A breakpoint in what the stub itself needs: it cannot stay. */
static bool take_out(struct tl_stub *stub, struct pt_regs *regs)
{
	tl_u8 byte;

	if (tl_stub_original(stub, regs->ip - 1, &byte, 1) != TL_OK || byte == TRAP_INSTRUCTION ||
	    tl_stub_machine_poke(regs->ip - 1, &byte, 1) != 1)
		return false;
	regs->ip--;
	return true;
}

bool tl_machine_breakpoint(struct pt_regs *regs)
{
	struct tl_stub *stub = tl_stub();
	struct tl_stub_processor *processor = processor_here();
	struct tl_event event = {.kind = TL_EVENT_TRAP};
	tl_u8 byte;

	if (processor == NULL || user_mode(regs))
		return false;
	if (processor->machine->inside)
		return take_out(stub, regs);
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

/* DR6 and a step of ours to an event; false when there is nothing of ours in it. What is ours is taken out of DR6. */
static bool classify_debug(struct tl_stub_machine *machine, struct pt_regs *regs, unsigned long *dr6,
			   struct tl_event *event)
{
	bool hit = tl_x86_points_hit(&all.plan, tl_slots_hits(&all.plan, dr6, regs), regs->ip, event);

	event->address = regs->ip;
	event->stepped = machine->stepping && (*dr6 & DR_STEP) != 0;
	if (event->stepped)
		*dr6 &= ~(unsigned long)DR_STEP;
	if (event->stepped && !hit)
		event->kind = TL_EVENT_STEPPED;
	return hit || event->stepped;
}

/* The end of a step that was given up while a handler ran: nobody waits for it any more. */
static void drop_left(struct tl_stub_machine *machine, struct pt_regs *regs, unsigned long *dr6)
{
	const unsigned long both = X86_EFLAGS_TF | X86_EFLAGS_IF;

	machine->step_left = false;
	regs->flags = (regs->flags & ~both) | (machine->step.flags & both);
	*dr6 &= ~(unsigned long)DR_STEP;
}

bool tl_machine_debug(struct pt_regs *regs, unsigned long *dr6)
{
	struct tl_stub *stub = tl_stub();
	struct tl_stub_processor *processor = processor_here();
	struct tl_event event = {.kind = TL_EVENT_NONE};
	bool ours;

	if (processor == NULL)
		return false;
	if (processor->machine->inside) {
		(void)tl_slots_hits(&all.plan, dr6, regs);
		regs->flags &= ~(unsigned long)X86_EFLAGS_TF;
		*dr6 = 0;
		return true;
	}
	ours = processor->machine->step_left && !processor->machine->stepping && (*dr6 & DR_STEP) != 0;
	if (ours)
		drop_left(processor->machine, regs, dr6);
	if (classify_debug(processor->machine, regs, dr6, &event)) {
		processor->machine->restored_later = true;
		stay(stub, processor, TL_STUB_ARRIVED, &event, regs);
		ours = true;
	} else if (__atomic_load_n(&processor->stop_asked, __ATOMIC_ACQUIRE) != 0) {
		tl_stub_summon(stub, processor); /* what tl_machine_nmi has left it to, it was not */
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
	if (__atomic_load_n(&processor->stop_asked, __ATOMIC_ACQUIRE) != 0) {
		processor->machine->restored_later = true;
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

void tl_stub_machine_relax(void)
{
	cpu_relax();
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
