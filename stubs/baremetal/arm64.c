/* The stub on 64-bit Arm, at EL1. Arm Architecture Reference Manual (DDI 0487), chapters D1, D2 and D19. */
#include "stubs/baremetal/arm64.h"
#include "stubs/baremetal/exceptions.h"

#include "core/cursor.h"
#include "core/engine/arm64_points.h"

#define ESR_CLASS(syndrome) ((syndrome) >> 26 & 0x3f)
#define MDSCR_STEP 0x1u
#define MDSCR_KERNEL 0x2000u
#define MDSCR_POINTS 0x8000u
#define CPACR_VECTORS ((tl_u64)1 << 20)
#define BREAK_FOR_KERNELS (1u << 1) /* with what core/cpu/arm64_debug.c sets for EL0: EL1 and EL0 */

typedef int trap_function(struct tl_stub_arm64_frame *frame);

/* What an exception was, for tl_stub_arm64_exception in arm64_entry.S. */
enum { NOT_OURS, OURS, LANDED };

extern const tl_u8 tl_stub_arm64_vectors[], tl_stub_arm64_again[], tl_stub_arm64_landed[];
extern const tl_u8 tl_stub_arm64_copy_end[], tl_stub_arm64_copy_failed[];
tl_size tl_stub_arm64_copy(void *to, const void *from, tl_size size);
void tl_stub_arm64_on_stack(void *top, void (*function)(void *context), void *context);
void tl_stub_arm64_save_vectors(tl_u8 *vectors);
void tl_stub_arm64_load_vectors(const tl_u8 *vectors);
trap_function tl_stub_arm64_trap;
void tl_stub_arm64_inside(struct tl_stub_arm64_frame *frame, tl_u64 vector);

/* ---- Registers of the machine ---- */

#define READ(name)                                                                                                     \
	static tl_u64 read_##name(void)                                                                                \
	{                                                                                                              \
		tl_u64 value;                                                                                          \
		__asm__ volatile("mrs %0, " #name : "=r"(value));                                                      \
		return value;                                                                                          \
	}
#define WRITE(name)                                                                                                    \
	static void write_##name(tl_u64 value)                                                                         \
	{                                                                                                              \
		__asm__ volatile("msr " #name ", %0" : : "r"(value) : "memory");                                       \
	}

READ(esr_el1)
READ(far_el1)
READ(vbar_el1)
READ(mdscr_el1)
READ(cpacr_el1)
READ(tpidr_el0)
READ(id_aa64dfr0_el1)
READ(id_aa64mmfr1_el1)
READ(ctr_el0)
WRITE(esr_el1)
WRITE(far_el1)
WRITE(vbar_el1)
WRITE(mdscr_el1)
WRITE(tpidr_el0)
WRITE(oslar_el1)
WRITE(osdlr_el1)

static void synchronize(void)
{
	__asm__ volatile("isb" : : : "memory");
}

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define SET_PAIR(n, control_name, address_name)                                                                        \
	case n:                                                                                                        \
		__asm__ volatile("msr " control_name #n "_el1, xzr\n\tisb\n\tmsr " address_name #n                     \
				 "_el1, %0\n\tmsr " control_name #n "_el1, %1"                                         \
				 :                                                                                     \
				 : "r"(value.address), "r"((tl_u64)value.control)                                      \
				 : "memory");                                                                          \
		break;
#define SET_BREAK(n) SET_PAIR(n, "dbgbcr", "dbgbvr")
#define SET_WATCH(n) SET_PAIR(n, "dbgwcr", "dbgwvr")

/* An address must not move under an armed register: each is off while it changes. */
static void set_break(unsigned number, struct tl_arm64_debug_register value)
{
	if (value.control != 0)
		value.control |= BREAK_FOR_KERNELS;
	switch (number) {
		EACH(SET_BREAK)
	default:
		break;
	}
}

static void set_watch(unsigned number, struct tl_arm64_debug_register value)
{
	if (value.control != 0)
		value.control |= BREAK_FOR_KERNELS;
	switch (number) {
		EACH(SET_WATCH)
	default:
		break;
	}
}

/* ---- Registers of the program ---- */

tl_size tl_stub_machine_size(void)
{
	return (sizeof(struct tl_stub_machine) + 15) & ~(tl_size)15;
}

void tl_stub_machine_init(struct tl_stub *stub, struct tl_stub_machine *machine)
{
	tl_u64 features = read_id_aa64dfr0_el1();

	(void)stub;
	tl_stub_arm64_points.plan.break_count = (tl_u8)((features >> 12 & 15) + 1);
	tl_stub_arm64_points.plan.watch_count = (tl_u8)((features >> 20 & 15) + 1);
	machine->generation = tl_stub_arm64_points.generation;
}

void tl_stub_machine_describe(struct tl_process_facts *facts_ret)
{
	*facts_ret = (struct tl_process_facts){
		.cpu = &tl_cpu_aarch64,
		.features = tl_cpu_aarch64.base_features | 1u << TL_ARM64_FEATURE_TLS,
		.os_abi = "none",
	};
}

enum tl_status tl_stub_machine_fetch(struct tl_stub_machine *machine, tl_u8 bank, tl_u8 *file)
{
	switch (bank) {
	case TL_BANK_GENERAL:
		tl_copy(file, &machine->frame, sizeof(machine->frame));
		return TL_OK;
	case TL_ARM64_BANK_VECTOR:
		tl_copy(file + TL_ARM64_AT_V, machine->vectors, sizeof(machine->vectors));
		return TL_OK;
	case TL_ARM64_BANK_SYSTEM:
		tl_fill(file + TL_ARM64_AT_TPIDR, 0, TL_ARM64_FILE_SIZE - TL_ARM64_AT_TPIDR);
		tl_store_little(file + TL_ARM64_AT_TPIDR, machine->thread_pointer, 8);
		return TL_OK;
	default:
		return TL_ERROR_ARGUMENT;
	}
}

/* At which level it goes on, and what is held back there, stays as it is, but for the flags. */
static void store_general(struct tl_stub_machine *machine, const tl_u8 *file)
{
	tl_u64 changeable =
		TL_ARM64_N | TL_ARM64_Z | TL_ARM64_C | TL_ARM64_V | TL_ARM64_BRANCH_TYPE | TL_STUB_SPSR_MASKS;
	tl_u64 before = machine->frame.pstate;

	tl_copy(&machine->frame, file, sizeof(machine->frame));
	machine->frame.pstate = (before & ~changeable) | (machine->frame.pstate & changeable);
}

enum tl_status tl_stub_machine_store(struct tl_stub_machine *machine, tl_u8 bank, const tl_u8 *file)
{
	tl_u64 pointer;

	switch (bank) {
	case TL_BANK_GENERAL:
		store_general(machine, file);
		return TL_OK;
	case TL_ARM64_BANK_VECTOR:
		if (!machine->has_vectors)
			return TL_ERROR_UNSUPPORTED;
		machine->vectors_changed |= !tl_same(machine->vectors, file + TL_ARM64_AT_V, sizeof(machine->vectors));
		tl_copy(machine->vectors, file + TL_ARM64_AT_V, sizeof(machine->vectors));
		return TL_OK;
	case TL_ARM64_BANK_SYSTEM:
		pointer = tl_load_little(file + TL_ARM64_AT_TPIDR, 8);
		machine->pointer_changed |= pointer != machine->thread_pointer;
		machine->thread_pointer = pointer;
		return TL_OK;
	default:
		return TL_ERROR_ARGUMENT;
	}
}

/* ---- Memory ---- */

/* Memory of EL0 is the kernel's to read as well, where PSTATE.PAN forbids it; the return takes the bit back. */
static void open_memory(void)
{
	if ((read_id_aa64mmfr1_el1() >> 20 & 15) != 0)
		__asm__ volatile(".inst 0xd500409f" : : : "memory"); /* msr pan, #0 */
}

tl_size tl_stub_machine_peek(void *to, tl_u64 address, tl_size size)
{
	open_memory();
	return size - tl_stub_arm64_copy(to, (const void *)(tl_uintptr)address, size);
}

/* What was written may be code: DDI 0487, B2.7.4 "Concurrent modification and execution of instructions". */
static void code_changed(tl_u64 address, tl_size size)
{
	tl_u64 sizes = read_ctr_el0(), data = (tl_u64)4 << (sizes >> 16 & 15), code = (tl_u64)4 << (sizes & 15);

	for (tl_u64 at = address & ~(data - 1); at < address + size; at += data)
		__asm__ volatile("dc cvau, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb ish" : : : "memory");
	for (tl_u64 at = address & ~(code - 1); at < address + size; at += code)
		__asm__ volatile("ic ivau, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

tl_size tl_stub_machine_poke(tl_u64 address, const void *from, tl_size size)
{
	tl_size done;

	open_memory();
	done = size - tl_stub_arm64_copy((void *)(tl_uintptr)address, from, size);
	if (done != 0)
		code_changed(address, done);
	return done;
}

/* ---- Debug registers ---- */

enum tl_status tl_stub_machine_insert(enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	enum tl_arm64_debug_kind debug;

	if (!tl_arm64_points_kind(kind, &debug))
		return TL_ERROR_POINT_KIND;
	TL_TRY(tl_arm64_debug_add(&tl_stub_arm64_points.plan, debug, address, size));
	__atomic_fetch_add(&tl_stub_arm64_points.generation, 1, __ATOMIC_RELEASE);
	return TL_OK;
}

enum tl_status tl_stub_machine_remove(enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	enum tl_arm64_debug_kind debug;

	if (!tl_arm64_points_kind(kind, &debug))
		return TL_ERROR_POINT_KIND;
	TL_TRY(tl_arm64_debug_remove(&tl_stub_arm64_points.plan, debug, address, size));
	__atomic_fetch_add(&tl_stub_arm64_points.generation, 1, __ATOMIC_RELEASE);
	return TL_OK;
}

/* Debug registers and MDSCR_EL1 for the way that the processor goes. */
static void program_debug(struct tl_stub_machine *machine)
{
	const struct tl_stub_way *way = &machine->way;
	struct tl_arm64_debug_plan *armed = &machine->armed;
	tl_u64 control = machine->control & ~(tl_u64)(MDSCR_KERNEL | MDSCR_POINTS);

	machine->generation = __atomic_load_n(&tl_stub_arm64_points.generation, __ATOMIC_ACQUIRE);
	write_oslar_el1(0);
	write_osdlr_el1(0);
	write_mdscr_el1(control & ~(tl_u64)MDSCR_STEP);
	synchronize();
	(void)tl_stub_way_plan(machine, way, armed); /* whether there is room was asked when the way began */
	for (unsigned n = 0; n < armed->break_count; n++)
		set_break(n, armed->breaks[n]);
	for (unsigned n = 0; n < armed->watch_count; n++)
		set_watch(n, armed->watches[n]);
	control |= MDSCR_KERNEL | MDSCR_POINTS;
	write_mdscr_el1(way->on && !way->unit ? control | MDSCR_STEP : control);
	synchronize();
}

/* ---- In and out ---- */

static void enter(struct tl_stub_machine *machine)
{
	machine->table = read_vbar_el1();
	write_vbar_el1((tl_u64)(tl_uintptr)tl_stub_arm64_vectors);
	synchronize();
	machine->thread_pointer = read_tpidr_el0();
	machine->vectors_changed = machine->pointer_changed = false;
	machine->has_vectors = (read_cpacr_el1() & CPACR_VECTORS) != 0;
	if (machine->has_vectors)
		tl_stub_arm64_save_vectors(machine->vectors);
	else
		tl_fill(machine->vectors, 0, sizeof(machine->vectors));
}

static void leave(struct tl_stub_machine *machine)
{
	if (machine->vectors_changed)
		tl_stub_arm64_load_vectors(machine->vectors);
	if (machine->pointer_changed)
		write_tpidr_el0(machine->thread_pointer);
	write_vbar_el1(machine->table);
	synchronize();
}

/* What came while interrupts were held back comes now; what the processor would tell itself, it sends. */
static void look_back(struct tl_stub *stub, struct tl_stub_processor *processor)
{
	if (__atomic_load_n(&processor->stop_asked, __ATOMIC_ACQUIRE) != 0 ||
	    __atomic_load_n(&tl_stub_arm64_points.generation, __ATOMIC_ACQUIRE) != processor->machine->generation)
		tl_stub_summon(stub, processor);
}

static void stay(struct tl_stub *stub, struct tl_stub_processor *processor, enum tl_stub_state state,
		 const struct tl_event *event)
{
	enter(processor->machine);
	tl_stub_stay(stub, processor, state, event);
	leave(processor->machine);
}

bool tl_stub_machine_begin(struct tl_stub_machine *machine, const struct tl_run_request *request)
{
	if (request->run == TL_RUN_STEP)
		return tl_stub_way_begin(machine, true);
	if (request->over_hardware)
		(void)tl_stub_way_begin(machine, false);
	return true;
}

/* The processor itself has put right what a step had changed, before it came in. */
void tl_stub_machine_settle(struct tl_stub_machine *machine, const struct tl_event *event)
{
	(void)machine, (void)event;
}

/* ---- What leads in ---- */

static bool is_at(const struct tl_stub_machine *machine, const void *place)
{
	return machine->frame.pc == (tl_u64)(tl_uintptr)place;
}

/* DDI 0487, D19.2.37 "ESR_EL1": from a lower level the class is even. */
static enum tl_stub_trap trap_of(tl_u64 syndrome)
{
	switch (ESR_CLASS(syndrome)) {
	case 0x30:
	case 0x31:
		return TL_STUB_TRAP_BREAK;
	case 0x32:
	case 0x33:
		return TL_STUB_TRAP_STEP;
	case 0x34:
	case 0x35:
		return TL_STUB_TRAP_WATCH;
	case 0x3c:
		return TL_STUB_TRAP_BRK;
	default:
		return TL_STUB_TRAP_OTHER;
	}
}

/* The stub's own traps, and those in the program's source. False: an ordinary one. */
static bool own_trap(struct tl_stub *stub, struct tl_stub_processor *processor, struct tl_event *event)
{
	struct tl_stub_machine *machine = processor->machine;

	if (is_at(machine, (const void *)(tl_uintptr)tl_stub_machine_visit)) {
		machine->frame.pc += 4;
		stay(stub, processor, TL_STUB_VISITING, NULL);
		return true;
	}
	if (is_at(machine, (const void *)(tl_uintptr)tl_stub_machine_join)) {
		machine->frame.pc += 4;
		*event = (struct tl_event){.kind = TL_EVENT_THREAD_CREATED};
	} else if (is_at(machine, (const void *)(tl_uintptr)tl_stub_machine_break)) {
		machine->frame.pc += 4;
	} else if (is_at(machine, tl_stub_arm64_landed)) {
		/* As if tl_stub_arm64_exception had returned: false. */
		machine->frame.pc = machine->frame.x[30];
		machine->frame.x[0] = 0;
		*event = (struct tl_event){.kind = TL_EVENT_STEPPED, .address = machine->frame.pc, .stepped = true};
		stay(stub, processor, TL_STUB_ARRIVED, event);
		write_esr_el1(machine->syndrome);
		write_far_el1(machine->far);
		return true;
	}
	return false;
}

/* A step ends in a handler: the debugger's console says why, and the handler will want to know. */
static void note_landed(struct tl_stub_processor *processor, tl_u64 syndrome, tl_u64 far)
{
	struct tl_stub_machine *machine = processor->machine;

	tl_stub_exception_said(processor, tl_stub_exception_arm64(syndrome), "ESR_EL1", syndrome, NULL, far,
			       machine->frame.pc);
	machine->syndrome = syndrome;
	machine->far = far;
}

/* What every synchronous exception is to the stub: NOT_OURS, OURS, or LANDED where a step ends in its handler. */
int tl_stub_arm64_trap(struct tl_stub_arm64_frame *frame)
{
	tl_u64 syndrome = read_esr_el1(), far = read_far_el1();
	struct tl_stub *stub = tl_stub();
	struct tl_stub_processor *processor = stub != NULL ? tl_stub_here(stub) : NULL;
	enum tl_stub_trap trap = trap_of(syndrome);
	struct tl_stub_machine *machine;
	struct tl_stub_way was;
	struct tl_event event;
	bool told, ours;

	if (processor == NULL || (trap == TL_STUB_TRAP_OTHER && !processor->machine->way.on))
		return NOT_OURS;
	machine = processor->machine;
	machine->frame = *frame;
	machine->control = read_mdscr_el1();
	was = tl_stub_way_over(machine);
	if (was.on && !was.unit)
		machine->control &= ~(tl_u64)MDSCR_STEP;
	told = tl_stub_way_trap(machine, &was, trap, far, &event, &ours);
	if (ours && told && !(trap == TL_STUB_TRAP_BRK && own_trap(stub, processor, &event)))
		stay(stub, processor, TL_STUB_ARRIVED, &event);
	if (ours || was.on) {
		program_debug(machine);
		tl_stub_way_masks(machine);
		look_back(stub, processor);
	}
	*frame = machine->frame;
	if (ours)
		return OURS;
	if (!was.on || !was.wanted)
		return NOT_OURS;
	note_landed(processor, syndrome, far);
	return LANDED;
}

/* In from an exception of the embedder's, with an event if there is one, and out again. */
static void come_in(struct tl_stub *stub, struct tl_stub_processor *processor, struct tl_stub_arm64_frame *frame,
		    const struct tl_event *event)
{
	struct tl_stub_machine *machine = processor->machine;

	machine->frame = *frame;
	machine->control = read_mdscr_el1();
	if (event != NULL)
		stay(stub, processor, TL_STUB_ARRIVED, event);
	program_debug(machine);
	tl_stub_way_masks(machine);
	look_back(stub, processor);
	*frame = machine->frame;
}

void tl_stub_arm64_interrupt(struct tl_stub_arm64_frame *frame)
{
	static const struct tl_event paused = {.kind = TL_EVENT_PAUSED};
	struct tl_stub *stub = tl_stub();
	struct tl_stub_processor *processor = stub != NULL ? tl_stub_here(stub) : NULL;

	if (processor == NULL)
		return;
	(void)tl_stub_summoned(processor);
	come_in(stub, processor, frame,
		__atomic_load_n(&processor->stop_asked, __ATOMIC_ACQUIRE) != 0 ? &paused : NULL);
}

void tl_stub_arm64_unhandled(struct tl_stub_arm64_frame *frame, tl_u64 syndrome, tl_u64 address)
{
	struct tl_stub_exception exception = tl_stub_exception_arm64(syndrome);
	struct tl_event event = {
		.kind = TL_EVENT_SIGNAL, .signal = exception.signal, .fault = true, .address = frame->pc};
	struct tl_stub *stub = tl_stub();
	struct tl_stub_processor *processor = stub != NULL ? tl_stub_here(stub) : NULL;

	if (processor == NULL)
		return;
	tl_stub_exception_said(processor, exception, "ESR_EL1", syndrome, NULL, address, frame->pc);
	come_in(stub, processor, frame, &event);
}

/* ---- Exceptions in the stub itself ---- */

static void explain(struct tl_stub *stub, const struct tl_stub_arm64_frame *frame, tl_u64 vector)
{
	char text[112];
	struct tl_writer writer = tl_writer_make(text, sizeof(text) - 1);

	tl_write_text(&writer, "Exception ");
	tl_write_hex(&writer, ESR_CLASS(read_esr_el1()));
	tl_write_text(&writer, " (vector ");
	tl_write_decimal(&writer, vector);
	tl_write_text(&writer, ") in the stub itself, at ");
	tl_write_hex(&writer, frame->pc);
	tl_write_text(&writer, ", address ");
	tl_write_hex(&writer, read_far_el1());
	tl_write_text(&writer, ".\n");
	text[tl_writer_size(&writer)] = '\0';
	tl_stub_trouble(stub, text);
}

void tl_stub_arm64_inside(struct tl_stub_arm64_frame *frame, tl_u64 vector)
{
	static const tl_u8 trap[] = {0x00, 0x00, 0x20, 0xd4};
	struct tl_stub *stub = tl_stub();
	tl_u64 top = (tl_u64)(tl_uintptr)stub->stack + TL_STUB_STACK;
	tl_u8 code[4];

	/* A breakpoint in what the stub itself needs: it cannot stay. */
	if (trap_of(read_esr_el1()) == TL_STUB_TRAP_BRK &&
	    tl_stub_original(stub, frame->pc, code, sizeof(code)) == TL_OK && !tl_same(code, trap, sizeof(code)) &&
	    tl_stub_machine_poke(frame->pc, code, sizeof(code)) == sizeof(code))
		return;
	if (frame->pc >= (tl_u64)(tl_uintptr)tl_stub_arm64_copy &&
	    frame->pc < (tl_u64)(tl_uintptr)tl_stub_arm64_copy_end) {
		frame->pc = (tl_u64)(tl_uintptr)tl_stub_arm64_copy_failed;
		return;
	}
	explain(stub, frame, vector);
	frame->pc = (tl_u64)(tl_uintptr)tl_stub_arm64_again;
	frame->x[0] = top;
	/* Only whoever serves runs code that could fail; anything else would fail again at once. */
	while (frame->sp < top - TL_STUB_STACK || frame->sp > top)
		tl_stub_machine_relax();
}

void tl_stub_machine_relax(void)
{
	__asm__ volatile("yield");
}

tl_u64 tl_stub_machine_clock(tl_u64 *second_ret)
{
	tl_u64 now;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(*second_ret));
	if (*second_ret == 0) /* for firmware to set: some does not */
		*second_ret = 100000000;
	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(now));
	return now;
}

void tl_stub_machine_serve(struct tl_stub *stub, void (*function)(void *context), void *context)
{
	tl_stub_arm64_on_stack(stub->stack + TL_STUB_STACK, function, context);
}
