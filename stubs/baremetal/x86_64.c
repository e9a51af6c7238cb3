/* The stub on x86-64. Intel SDM volume 3, chapters 6 "Interrupt and Exception Handling" and 18.2 "Debug Registers". */
#include "stubs/baremetal/exceptions.h"

#include "core/cpu/x86_layout.h"
#include "core/cpu/x86_xsave.h"
#include "core/cursor.h"
#include "core/engine/x86_points.h"
#include "stubs/baremetal/x86_steps.h"

#define EXCEPTIONS 32
#define ENTRY_SIZE 16

enum { VECTOR_DEBUG = 1, VECTOR_NMI = 2, VECTOR_BREAKPOINT = 3 };

#define CR0_MONITOR_EMULATE 0x4u
#define CR0_TASK_SWITCHED 0x8u
#define CR0_WRITE_PROTECT 0x10000u
#define CR4_FXSAVE 0x200u
#define DR6_INITIAL 0xffff0ff0u
#define DR7_INITIAL 0x400u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define LINUX_SIGNAL_TRAP 5

/* What the entries push, and the processor before them. */
struct frame {
	tl_u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	tl_u64 vector, error;
	tl_u64 rip, cs, rflags, rsp, ss;
};

struct table_register {
	tl_u16 limit;
	tl_u64 base;
} __attribute__((packed));

struct tl_stub_machine {
	tl_u8 extended[TL_X86_XSAVE_LEGACY_SIZE]; /* first: aligned to 16 */
	struct frame *frame;
	struct table_register table; /* the embedder's IDT, while ours is in force */
	tl_u64 bases[2];             /* of FS and GS */
	tl_u64 accessed;             /* CR2 as the program has it, while the processor is in here */
	tl_u64 task_descriptor;      /* where that of its task state lies; 0: it has none */
	tl_u32 generation;           /* of the debug registers that are in force */
	tl_u16 segments[4];          /* DS, ES, FS, GS */
	bool inside;                 /* our IDT is in force */
	bool has_extended, extended_changed, bases_changed;
	struct tl_stub_x86_steps steps;
};

/* The same for all processors. */
static struct {
	struct tl_x86_debug_plan plan;
	tl_u32 generation; /* changes with the plan; atomic */
	struct tl_stub_x86_gate table[EXCEPTIONS];
	void (*nmi)(void);
} all;

extern const tl_u8 tl_stub_x86_visited[], tl_stub_x86_joined[];
extern const tl_u8 tl_stub_x86_copy_end[], tl_stub_x86_copy_failed[], tl_stub_x86_again[];
tl_size tl_stub_x86_copy(void *to, const void *from, tl_size size);
void tl_stub_x86_on_stack(void *top, void (*function)(void *context), void *context);
void (*tl_stub_x86_trap(struct frame *frame))(void);

/* ---- Registers of the machine ---- */

#define READ(name, type)                                                                                               \
	static type read_##name(void)                                                                                  \
	{                                                                                                              \
		tl_u64 value;                                                                                          \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(value));                                                 \
		return (type)value;                                                                                    \
	}
#define WRITE(name)                                                                                                    \
	static void write_##name(tl_u64 value)                                                                         \
	{                                                                                                              \
		__asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");                                        \
	}

READ(cr0, tl_u64)
READ(cr2, tl_u64)
READ(cr4, tl_u64)
READ(dr6, tl_u64)
READ(ds, tl_u16)
READ(es, tl_u16)
READ(fs, tl_u16)
READ(gs, tl_u16)
WRITE(cr0)
WRITE(cr2)
WRITE(dr0)
WRITE(dr1)
WRITE(dr2)
WRITE(dr3)
WRITE(dr6)
WRITE(dr7)

static tl_u64 read_msr(tl_u32 number)
{
	tl_u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
	return (tl_u64)high << 32 | low;
}

static void write_msr(tl_u32 number, tl_u64 value)
{
	__asm__ volatile("wrmsr" : : "a"((tl_u32)value), "d"((tl_u32)(value >> 32)), "c"(number));
}

/* ---- Gates ---- */

static struct tl_stub_x86_gate gate(unsigned vector, tl_u16 selector, tl_u8 stack)
{
	tl_u64 entry = (tl_u64)(tl_uintptr)tl_stub_x86_entries + (tl_u64)vector * ENTRY_SIZE;

	/* An interrupt gate that the processor itself may use only; int3 of any ring. */
	return (struct tl_stub_x86_gate){
		.offset_low = (tl_u16)entry,
		.selector = selector,
		.stack = stack,
		.type = vector == VECTOR_BREAKPOINT ? 0xee : 0x8e,
		.offset_middle = (tl_u16)(entry >> 16),
		.offset_high = (tl_u32)(entry >> 32),
	};
}

void tl_stub_x86_gates(struct tl_stub_x86_gate idt[4], tl_u16 selector, tl_u8 stack, void (*nmi)(void))
{
	for (unsigned vector = VECTOR_DEBUG; vector <= VECTOR_BREAKPOINT; vector++)
		idt[vector] = gate(vector, selector, stack);
	/* In here, exceptions go on with the stack that is in use. */
	for (unsigned vector = 0; vector < EXCEPTIONS; vector++)
		all.table[vector] = gate(vector, selector, 0);
	all.nmi = nmi;
}

void tl_stub_x86_exceptions(struct tl_stub_x86_gate idt[EXCEPTIONS], tl_u16 selector, tl_u8 stack, tl_u32 vectors)
{
	for (unsigned vector = 0; vector < EXCEPTIONS; vector++)
		if ((vector < VECTOR_DEBUG || vector > VECTOR_BREAKPOINT) && (vectors >> vector & 1) != 0)
			idt[vector] = gate(vector, selector, stack);
}

/* ---- Registers of the program ---- */

tl_size tl_stub_machine_size(void)
{
	return (sizeof(struct tl_stub_machine) + 15) & ~(tl_size)15;
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

/* Where each general register stands in the frame, by its slot in the register file; 0: not there. */
#define AT(field) ((tl_u16) __builtin_offsetof(struct frame, field) + 1)
static const tl_u16 places[TL_X86_SLOT_MAX] = {
	[TL_X86_SLOT_R15] = AT(r15), [TL_X86_SLOT_R14] = AT(r14),       [TL_X86_SLOT_R13] = AT(r13),
	[TL_X86_SLOT_R12] = AT(r12), [TL_X86_SLOT_RBP] = AT(rbp),       [TL_X86_SLOT_RBX] = AT(rbx),
	[TL_X86_SLOT_R11] = AT(r11), [TL_X86_SLOT_R10] = AT(r10),       [TL_X86_SLOT_R9] = AT(r9),
	[TL_X86_SLOT_R8] = AT(r8),   [TL_X86_SLOT_RAX] = AT(rax),       [TL_X86_SLOT_RCX] = AT(rcx),
	[TL_X86_SLOT_RDX] = AT(rdx), [TL_X86_SLOT_RSI] = AT(rsi),       [TL_X86_SLOT_RDI] = AT(rdi),
	[TL_X86_SLOT_RIP] = AT(rip), [TL_X86_SLOT_EFLAGS] = AT(rflags), [TL_X86_SLOT_RSP] = AT(rsp),
};

static tl_u64 *slot(tl_u8 *file, enum tl_x86_slot number)
{
	return (tl_u64 *)(void *)(file + 8 * (tl_size)number);
}

static void fetch_general(const struct tl_stub_machine *machine, tl_u8 *file)
{
	static const tl_u8 segments[] = {TL_X86_SLOT_DS, TL_X86_SLOT_ES, TL_X86_SLOT_FS, TL_X86_SLOT_GS};
	tl_u64 *general = slot(file, 0);

	for (unsigned n = 0; n < TL_X86_SLOT_MAX; n++) {
		general[n] = 0;
		if (places[n] != 0)
			tl_copy(&general[n], (const tl_u8 *)machine->frame + places[n] - 1, 8);
	}
	general[TL_X86_SLOT_CS] = machine->frame->cs;
	general[TL_X86_SLOT_SS] = machine->frame->ss;
	for (unsigned n = 0; n < TL_COUNT(segments); n++)
		general[segments[n]] = machine->segments[n];
	general[TL_X86_SLOT_FS_BASE] = machine->bases[0];
	general[TL_X86_SLOT_GS_BASE] = machine->bases[1];
}

/* Segments stay as they are: with another one the way back might not be found. */
static void store_general(struct tl_stub_machine *machine, const tl_u8 *file)
{
	tl_u64 values[TL_X86_SLOT_MAX];

	tl_copy(values, file, sizeof(values));
	for (unsigned n = 0; n < TL_X86_SLOT_MAX; n++)
		if (places[n] != 0)
			tl_copy((tl_u8 *)machine->frame + places[n] - 1, &values[n], 8);
	machine->bases_changed |=
		values[TL_X86_SLOT_FS_BASE] != machine->bases[0] || values[TL_X86_SLOT_GS_BASE] != machine->bases[1];
	machine->bases[0] = values[TL_X86_SLOT_FS_BASE];
	machine->bases[1] = values[TL_X86_SLOT_GS_BASE];
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
	if (bank == TL_BANK_GENERAL) {
		store_general(machine, file);
		return TL_OK;
	}
	if (bank != TL_X86_BANK_EXTENDED)
		return TL_ERROR_ARGUMENT;
	if (!machine->has_extended)
		return TL_ERROR_UNSUPPORTED;
	machine->extended_changed |= tl_x86_xsave_write(&legacy, machine->extended, sizeof(machine->extended), file);
	return TL_OK;
}

/* ---- Memory ---- */

tl_size tl_stub_machine_peek(void *to, tl_u64 address, tl_size size)
{
	return size - tl_stub_x86_copy(to, (const void *)(tl_uintptr)address, size);
}

tl_size tl_stub_machine_poke(tl_u64 address, const void *from, tl_size size)
{
	tl_u64 control = read_cr0();
	tl_size left;

	write_cr0(control & ~(tl_u64)CR0_WRITE_PROTECT);
	left = tl_stub_x86_copy((void *)(tl_uintptr)address, from, size);
	write_cr0(control);
	return size - left;
}

/* ---- Debug registers ---- */

enum tl_status tl_stub_machine_insert(enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
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

/* A step may end in a handler: this processor alone has breakpoints there meanwhile, as far as registers are free. */
static void program_debug(struct tl_stub_machine *machine)
{
	struct tl_x86_debug_plan plan;

	machine->generation = __atomic_load_n(&all.generation, __ATOMIC_ACQUIRE);
	plan = all.plan;
	tl_stub_x86_steps_leave(&machine->steps, &plan);
	write_dr7(DR7_INITIAL); /* an address must not move under an armed register */
	write_dr0(plan.address[0]);
	write_dr1(plan.address[1]);
	write_dr2(plan.address[2]);
	write_dr3(plan.address[3]);
	write_dr7(plan.control | DR7_INITIAL);
}

/* ---- What an exception means ---- */

/* DR6 and a step of ours to an event; false when there is nothing of ours in it. */
static bool classify_debug(struct tl_stub_machine *machine, struct tl_event *event)
{
	struct tl_stub_x86_steps *steps = &machine->steps;
	tl_u64 status = read_dr6();
	bool hit = tl_x86_points_hit(&all.plan, status, machine->frame->rip, event);

	write_dr6(DR6_INITIAL);
	event->address = machine->frame->rip;
	event->stepped = steps->under_way && (status & TL_X86_DR6_STEP) != 0;
	steps->landed = !event->stepped && (status & 0xf) != 0 && tl_stub_x86_steps_lands(steps, machine->frame->rip);
	event->stepped |= steps->landed;
	if (hit)
		return true;
	if (event->stepped)
		event->kind = TL_EVENT_STEPPED;
	else if ((status & TL_X86_DR6_STEP) != 0) /* the program has set TF itself */
		*event = (struct tl_event){
			.kind = TL_EVENT_SIGNAL, .signal = LINUX_SIGNAL_TRAP, .address = machine->frame->rip};
	else
		return false;
	return true;
}

static bool is_at(const struct frame *frame, const tl_u8 *place)
{
	return frame->rip == (tl_u64)(tl_uintptr)place;
}

/* ---- In and out ---- */

static tl_u64 find_task_descriptor(void)
{
	struct table_register table;
	tl_u16 selector;

	__asm__ volatile("sgdt %0" : "=m"(table));
	__asm__ volatile("str %0" : "=rm"(selector));
	return selector != 0 ? table.base + (selector & ~7u) : 0;
}

static void enter(struct tl_stub_machine *machine)
{
	struct table_register table = {sizeof(all.table) - 1, (tl_u64)(tl_uintptr)all.table};

	write_dr7(DR7_INITIAL); /* before anything is stored: a watched word may be next to it */
	machine->accessed = read_cr2();
	__asm__ volatile("sidt %0" : "=m"(machine->table));
	__asm__ volatile("lidt %0" : : "m"(table));
	machine->inside = true;
	machine->segments[0] = read_ds();
	machine->segments[1] = read_es();
	machine->segments[2] = read_fs();
	machine->segments[3] = read_gs();
	machine->bases[0] = read_msr(MSR_FS_BASE);
	machine->bases[1] = read_msr(MSR_GS_BASE);
	machine->task_descriptor = find_task_descriptor();
	machine->bases_changed = machine->extended_changed = false;
	machine->has_extended =
		(read_cr4() & CR4_FXSAVE) != 0 && (read_cr0() & (CR0_MONITOR_EMULATE | CR0_TASK_SWITCHED)) == 0;
	if (machine->has_extended)
		__asm__ volatile("fxsave64 %0" : "=m"(machine->extended));
	else
		tl_fill(machine->extended, 0, sizeof(machine->extended));
}

static void leave(struct tl_stub *stub, struct tl_stub_processor *processor)
{
	struct tl_stub_machine *machine = processor->machine;

	if (machine->extended_changed)
		__asm__ volatile("fxrstor64 %0" : : "m"(machine->extended));
	if (machine->bases_changed) {
		write_msr(MSR_FS_BASE, machine->bases[0]);
		write_msr(MSR_GS_BASE, machine->bases[1]);
	}
	program_debug(machine);
	write_cr2(machine->accessed);
	__asm__ volatile("lidt %0" : : "m"(machine->table));
	machine->inside = false;
	/* What came while interrupts of ours were ignored in here is asked for again. */
	if (__atomic_load_n(&processor->stop_asked, __ATOMIC_ACQUIRE) != 0 ||
	    __atomic_load_n(&all.generation, __ATOMIC_ACQUIRE) != machine->generation)
		tl_stub_summon(stub, processor);
}

/* ---- Steps ---- */

/* Where the exceptions lead that the stub takes itself: nothing can wait there. */
static bool may_wait(const struct tl_x86_gate *entry)
{
	return entry->address - (tl_u64)(tl_uintptr)tl_stub_x86_entries >= EXCEPTIONS * ENTRY_SIZE;
}

static struct tl_stub_x86_tables tables(const struct tl_stub_machine *machine)
{
	return (struct tl_stub_x86_tables){.base = machine->table.base,
					   .limit = machine->table.limit,
					   .frame = (tl_u64)(tl_uintptr)&machine->frame->rip,
					   .task_descriptor = machine->task_descriptor,
					   .may_wait = may_wait};
}

bool tl_stub_machine_begin(struct tl_stub_machine *machine, const struct tl_run_request *request)
{
	const struct tl_stub_x86_tables here = tables(machine);

	if (!tl_stub_x86_steps_begin(&machine->steps, machine, &here, request, 0))
		return false;
	machine->frame->rflags = tl_stub_x86_steps_flags(&machine->steps, request, machine->frame->rflags);
	return true;
}

void tl_stub_machine_settle(struct tl_stub_machine *machine, const struct tl_event *event)
{
	const struct tl_stub_x86_tables here = tables(machine);

	tl_stub_x86_steps_end(&machine->steps, machine, &here, event->stepped, 0);
}

/* ---- What leads in ---- */

static void stay(struct tl_stub *stub, struct tl_stub_processor *processor, enum tl_stub_state state,
		 const struct tl_event *event)
{
	enter(processor->machine);
	tl_stub_stay(stub, processor, state, event);
	leave(stub, processor);
}

static void on_breakpoint(struct tl_stub *stub, struct tl_stub_processor *processor)
{
	const struct frame *frame = processor->machine->frame;
	struct tl_event event = {.kind = TL_EVENT_TRAP, .address = frame->rip - 1};

	if (is_at(frame, tl_stub_x86_visited)) {
		stay(stub, processor, TL_STUB_VISITING, NULL);
		return;
	}
	if (is_at(frame, tl_stub_x86_joined))
		event = (struct tl_event){.kind = TL_EVENT_THREAD_CREATED};
	stay(stub, processor, TL_STUB_ARRIVED, &event);
}

/* One that the embedder does not handle, and which had better be seen. */
static void on_unhandled(struct tl_stub *stub, struct tl_stub_processor *processor)
{
	const struct frame *frame = processor->machine->frame;
	struct tl_stub_exception exception = tl_stub_exception_x86(frame->vector);
	struct tl_event event = {
		.kind = TL_EVENT_SIGNAL, .signal = exception.signal, .fault = true, .address = frame->rip};

	tl_stub_exception_said(processor, exception, "vector", frame->vector, &frame->error, read_cr2(), frame->rip);
	stay(stub, processor, TL_STUB_ARRIVED, &event);
}

static void on_debug(struct tl_stub *stub, struct tl_stub_processor *processor)
{
	struct tl_stub_machine *machine = processor->machine;
	struct frame *frame = machine->frame;
	struct tl_stub_x86_trap trap = {.address = frame->rip, .stack = frame->rsp, .flags = frame->rflags};
	struct tl_event event = {.kind = TL_EVENT_NONE};

	/* The end of a step that was given up while a handler ran: nobody waits for it any more. */
	if ((read_dr6() & TL_X86_DR6_STEP) != 0 &&
	    tl_stub_x86_steps_drop(&machine->steps, machine->steps.under_way ? &machine->steps : NULL, &trap)) {
		frame->rflags = trap.flags;
		write_dr6(read_dr6() & ~TL_X86_DR6_STEP);
	}
	if (classify_debug(machine, &event))
		stay(stub, processor, TL_STUB_ARRIVED, &event);
}

/* Where the embedder takes it from here; NULL: nowhere. */
static void (*on_nmi(struct tl_stub *stub, struct tl_stub_processor *processor))(void)
{
	static const struct tl_event paused = {.kind = TL_EVENT_PAUSED};
	bool ours = tl_stub_summoned(processor);

	if (__atomic_load_n(&processor->stop_asked, __ATOMIC_ACQUIRE) != 0)
		stay(stub, processor, TL_STUB_ARRIVED, &paused);
	else if (__atomic_load_n(&all.generation, __ATOMIC_ACQUIRE) != processor->machine->generation)
		program_debug(processor->machine);
	else if (!ours)
		return all.nmi;
	return NULL;
}

/* ---- Exceptions in the stub itself ---- */

static void explain(struct tl_stub *stub, const struct frame *frame)
{
	char text[112];
	struct tl_writer writer = tl_writer_make(text, sizeof(text) - 1);

	tl_write_text(&writer, "Exception ");
	tl_write_decimal(&writer, frame->vector);
	tl_write_text(&writer, " in the stub itself, at ");
	tl_write_hex(&writer, frame->rip);
	tl_write_text(&writer, ", address ");
	tl_write_hex(&writer, read_cr2());
	tl_write_text(&writer, ".\n");
	text[tl_writer_size(&writer)] = '\0';
	tl_stub_trouble(stub, text);
}

static void on_exception_inside(struct tl_stub *stub, struct tl_stub_processor *processor, struct frame *frame)
{
	tl_u64 top = (tl_u64)(tl_uintptr)stub->stack + TL_STUB_STACK;

	switch (frame->vector) {
	case VECTOR_NMI:
		(void)tl_stub_summoned(processor);
		return;
	case VECTOR_DEBUG:
		write_dr6(DR6_INITIAL);
		frame->rflags &= ~TL_X86_FLAG_TF;
		return;
	case VECTOR_BREAKPOINT:
		/* A breakpoint in what the stub itself needs: it cannot stay. */
		if (tl_stub_take_out(stub, processor, frame->rip - 1))
			frame->rip--;
		return;
	default:
		break;
	}
	if (frame->rip >= (tl_u64)(tl_uintptr)tl_stub_x86_copy &&
	    frame->rip < (tl_u64)(tl_uintptr)tl_stub_x86_copy_end) {
		frame->rip = (tl_u64)(tl_uintptr)tl_stub_x86_copy_failed;
		return;
	}
	explain(stub, frame);
	frame->rip = (tl_u64)(tl_uintptr)tl_stub_x86_again;
	frame->rdi = top;
	/* Only whoever serves runs code that could fail; anything else would fail again at once. */
	while (frame->rsp < top - TL_STUB_STACK || frame->rsp > top)
		tl_stub_machine_relax();
}

/*
 * Every exception that leads into the stub, with interrupts off. Returns where the processor goes instead of back:
 * NULL, but for an NMI that is not ours.
 */
void (*tl_stub_x86_trap(struct frame *frame))(void)
{
	struct tl_stub *stub = tl_stub();
	struct tl_stub_processor *processor = stub != NULL ? tl_stub_here(stub) : NULL;
	struct frame *outer;
	void (*next)(void);

	if (processor == NULL)
		return frame->vector == VECTOR_NMI ? all.nmi : NULL;
	if (processor->machine->inside) {
		on_exception_inside(stub, processor, frame);
		return NULL;
	}
	/*
	 * QEMU (TCG) raises the trap of a step once more when a watchpoint's got in first: on the way in, before the
	 * first instruction of the handler. That one knows all of it, from DR6.
	 */
	if (frame->vector == VECTOR_DEBUG && is_at(frame, tl_stub_x86_entries + VECTOR_DEBUG * ENTRY_SIZE)) {
		frame->rflags &= ~TL_X86_FLAG_TF;
		return NULL;
	}
	/* An NMI may come while another exception is on its way in, whose frame is needed after it. */
	outer = processor->machine->frame;
	processor->machine->frame = frame;
	if (frame->vector == VECTOR_NMI) {
		next = on_nmi(stub, processor);
		processor->machine->frame = outer;
		return next;
	}
	if (frame->vector == VECTOR_DEBUG)
		on_debug(stub, processor);
	else if (frame->vector == VECTOR_BREAKPOINT)
		on_breakpoint(stub, processor);
	else
		on_unhandled(stub, processor);
	return NULL;
}

void tl_stub_machine_relax(void)
{
	__asm__ volatile("pause");
}

/* How fast it goes is not told everywhere: at 1 to 5 GHz this is between half a second and two. */
tl_u64 tl_stub_machine_clock(tl_u64 *second_ret)
{
	tl_u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	*second_ret = (tl_u64)1 << 31;
	return (tl_u64)high << 32 | low;
}

void tl_stub_machine_serve(struct tl_stub *stub, void (*function)(void *context), void *context)
{
	tl_stub_x86_on_stack(stub->stack + TL_STUB_STACK, function, context);
}
