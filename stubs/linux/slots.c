/*
 * The kernel's hardware breakpoint layer. Four events are reserved on each processor when the module is loaded, all the
 * debug registers there are. What they watch is changed later, while everything stands, without the layer's locks: its
 * record of each event is rewritten together with the register, so that it finds both in agreement whenever it looks.
 * A register that watches nothing has its record point at a word of ours that nobody touches.
 *
 * A hit comes as a call of on_hit for the event, from the layer's own handler of the debug exception. It is noted, and
 * the layer is told to pass the exception on: machine.c then has all causes of it at once.
 *
 * With early=1 the registers are the module's own, as they are where that layer does not exist yet: nothing is
 * reserved, a hit is what DR6 says, and the layer, which takes every hit for its own, is put behind the module in the
 * kernel's chain of notifiers. cpu_dr7 is kept up all the same: it is by that word that the kernel's entries for NMIs
 * and debug exceptions decide whether there is anything to be switched off.
 */
#include <linux/cpu.h>
#include <linux/hw_breakpoint.h>
#include <linux/kdebug.h>
#include <linux/kernel.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include <asm/debugreg.h>

#include "stubs/linux/module.h"

#define SLOTS TL_X86_DEBUG_REGISTERS
#define NOWHERE 0xff
#define FIELDS(slot) (0xful << (16 + 4 * (slot)))
#define ENABLES(slot) (3ul << (2 * (slot)))

/* Four words that nobody touches: what an event watches before it has something to watch. */
static u64 idle[SLOTS];
static struct perf_event *__percpu *events[SLOTS];
static typeof(hw_breakpoint_arch_parse) *parse; /* NULL: cannot be asked */
static unsigned long __percpu *kept;            /* what the layer believes to be in DR0 to DR3; NULL: cannot be told */
static struct notifier_block *layer;            /* what it is called by; NULL: the registers are lent by it */

static struct place {
	u8 slot[SLOTS]; /* in which register the layer keeps each event; NOWHERE: in none */
	u8 hits;        /* bit n: event n */
} places[TL_STUB_PROCESSORS_MAX];

static struct place *here(void)
{
	return &places[raw_smp_processor_id()];
}

static void on_hit(struct perf_event *event, struct perf_sample_data *data, struct pt_regs *regs)
{
	unsigned number = (unsigned)(unsigned long)event->overflow_handler_context;

	(void)data;
	(void)regs;
	here()->hits |= (u8)(1u << number);
	/* The layer ends the matter here unless a register's bit stands in this word. */
	current->thread.virtual_dr6 |= DR_TRAP0;
}

bool tl_slots_noted(void)
{
	return here()->hits != 0;
}

/* With early=1. What stood in the way of an instruction must not do so again, even if nobody wants to know any more. */
static tl_u64 own_hits(const struct tl_x86_debug_plan *plan, unsigned long *dr6, struct pt_regs *regs)
{
	tl_u64 hits = *dr6 & DR_TRAP_BITS;
	enum tl_x86_debug_kind kind;
	tl_u64 address, size;

	*dr6 &= ~(unsigned long)DR_TRAP_BITS;
	for (unsigned n = 0; n < SLOTS; n++)
		if ((hits & DR_TRAP0 << n) != 0 &&
		    (!tl_x86_debug_piece(plan, n, &kind, &address, &size) || kind == TL_X86_DEBUG_EXECUTE))
			regs->flags |= X86_EFLAGS_RF;
	return hits;
}

tl_u64 tl_slots_hits(const struct tl_x86_debug_plan *plan, unsigned long *dr6, struct pt_regs *regs)
{
	tl_u64 hits = here()->hits;

	if (layer != NULL)
		return own_hits(plan, dr6, regs);
	here()->hits = 0;
	if (hits != 0)
		current->thread.virtual_dr6 &= ~(unsigned long)DR_TRAP0;
	return hits;
}

static unsigned long address_in(unsigned slot)
{
	unsigned long address = 0;

	switch (slot) {
	case 0:
		get_debugreg(address, 0);
		break;
	case 1:
		get_debugreg(address, 1);
		break;
	case 2:
		get_debugreg(address, 2);
		break;
	default:
		get_debugreg(address, 3);
		break;
	}
	return address;
}

static void set_address(unsigned slot, unsigned long address)
{
	switch (slot) {
	case 0:
		set_debugreg(address, 0);
		break;
	case 1:
		set_debugreg(address, 1);
		break;
	case 2:
		set_debugreg(address, 2);
		break;
	default:
		set_debugreg(address, 3);
		break;
	}
	/* From here it is set once more after a guest of KVM's, and after sleep. */
	if (kept != NULL)
		this_cpu_ptr(kept)[slot] = address;
}

static struct arch_hw_breakpoint *record(unsigned number)
{
	return counter_arch_bp(*per_cpu_ptr(events[number], raw_smp_processor_id()));
}

/* The layer may have moved its events when it made room for somebody else's counters. */
static void find_places(struct place *place)
{
	bool taken[SLOTS] = {false};

	if (layer != NULL)
		return;
	for (unsigned n = 0; n < SLOTS; n++) {
		unsigned slot = place->slot[n];

		if (slot < SLOTS && !taken[slot] && address_in(slot) == record(n)->address) {
			taken[slot] = true;
			continue;
		}
		for (slot = 0; slot < SLOTS; slot++)
			if (!taken[slot] && address_in(slot) == record(n)->address)
				break;
		place->slot[n] = slot < SLOTS ? (u8)slot : NOWHERE;
		if (slot < SLOTS)
			taken[slot] = true;
	}
}

/* What a register is set to for what the plan has there; the layer's record of the event says the same. */
static unsigned long rewrite(unsigned number, const struct tl_x86_debug_plan *plan)
{
	static const u8 types[] = {[TL_X86_DEBUG_EXECUTE] = X86_BREAKPOINT_EXECUTE,
				   [TL_X86_DEBUG_WRITE] = X86_BREAKPOINT_WRITE,
				   [TL_X86_DEBUG_ACCESS] = X86_BREAKPOINT_RW};
	struct arch_hw_breakpoint info = {(unsigned long)&idle[number], 0, X86_BREAKPOINT_LEN_8, X86_BREAKPOINT_WRITE};
	enum tl_x86_debug_kind kind;
	tl_u64 address, size;

	if (tl_x86_debug_piece(plan, number, &kind, &address, &size)) {
		info.address = address;
		info.type = types[kind];
		info.len = (u8)(X86_BREAKPOINT_LEN_1 | (plan->control >> (18 + 4 * number) & 3) << 2);
	}
	if (layer == NULL)
		*record(number) = info;
	return info.address;
}

tl_u64 tl_slots_arm(const struct tl_x86_debug_plan *plan)
{
	struct place *place = here();
	unsigned long control = 0;

	find_places(place);
	set_debugreg(0ul, 7); /* an address must not move under an armed register */
	for (unsigned n = 0; n < SLOTS; n++) {
		unsigned slot = place->slot[n];
		unsigned long address = rewrite(n, plan);

		if (slot == NOWHERE)
			continue;
		set_address(slot, address);
		if (plan->users[n] != 0)
			control |= 2ul << (2 * slot) | (plan->control >> (16 + 4 * n) & 0xf) << (16 + 4 * slot);
	}
	place->hits = 0;
	this_cpu_write(cpu_dr7, control);
	barrier();
	set_debugreg(control, 7);
	return control;
}

void tl_slots_silence(void)
{
	set_debugreg(0ul, 7);
}

/*
 * The layer refuses what its own handler needs before it has switched the registers off: the entry area with the stacks
 * of exceptions, and some words. What is entered past it is to be refused as well. It looks at the address alone then,
 * and is asked byte by byte: it knows no areas of other sizes than a register has.
 */
const char *tl_slots_forbid(tl_u64 address, tl_u64 size)
{
	struct perf_event_attr attr = {.bp_type = HW_BREAKPOINT_W, .bp_len = HW_BREAKPOINT_LEN_1};
	struct arch_hw_breakpoint unused;

	for (tl_u64 n = 0; parse != NULL && n < size && n < SLOTS * 8; n++) {
		attr.bp_addr = address + n;
		if (parse(NULL, &attr, &unused) != 0)
			return "the kernel runs through this memory when a watchpoint is hit";
	}
	return NULL;
}

static void find_and_disarm(void *unused)
{
	static const struct tl_x86_debug_plan nothing;
	unsigned long flags;

	(void)unused;
	local_irq_save(flags);
	tl_slots_arm(&nothing);
	local_irq_restore(flags);
}

void tl_slots_close(void)
{
	if (layer != NULL || events[SLOTS - 1] != NULL)
		on_each_cpu(find_and_disarm, NULL, 1);
	for (unsigned n = 0; n < SLOTS; n++) {
		if (events[n] != NULL)
			unregister_wide_hw_breakpoint(events[n]);
		events[n] = NULL;
	}
	layer = NULL;
}

static int refuse(int error)
{
	tl_slots_close();
	pr_err("trapline: somebody else uses debug registers: end what watches (perf, gdb) first\n");
	return error;
}

static int borrow(void)
{
	struct perf_event_attr attr;

	for (unsigned n = 0; n < SLOTS; n++) {
		hw_breakpoint_init(&attr);
		attr.bp_addr = (unsigned long)&idle[n];
		attr.bp_len = HW_BREAKPOINT_LEN_8;
		attr.bp_type = HW_BREAKPOINT_W;
		events[n] = register_wide_hw_breakpoint(&attr, on_hit, (void *)(unsigned long)n);
		if (IS_ERR((void __force *)events[n])) {
			int error = (int)PTR_ERR((void __force *)events[n]);

			events[n] = NULL;
			return refuse(error);
		}
	}
	return 0;
}

static void look_for_others(void *found)
{
	if (hw_breakpoint_active())
		atomic_inc((atomic_t *)found);
}

/* Each register holds what the plan has under its number. */
static int own(void)
{
	atomic_t others = ATOMIC_INIT(0);

	layer = tl_memory_symbol("hw_breakpoint_exceptions_nb");
	if (layer == NULL) {
		pr_err("trapline: this kernel has no hw_breakpoint_exceptions_nb, so there is no early=1 with it\n");
		return -EOPNOTSUPP;
	}
	on_each_cpu(look_for_others, &others, 1);
	if (atomic_read(&others) != 0) {
		layer = NULL;
		return refuse(-EBUSY);
	}
	for (unsigned n = 0; n < TL_COUNT(places); n++)
		for (unsigned slot = 0; slot < SLOTS; slot++)
			places[n].slot[slot] = (u8)slot;
	return 0;
}

int tl_slots_open(bool early)
{
	int error;

	parse = tl_memory_symbol("hw_breakpoint_arch_parse");
	kept = (unsigned long __percpu __force *)tl_memory_symbol("cpu_debugreg");
	memset(places, NOWHERE, sizeof(places));
	for (unsigned n = 0; n < TL_COUNT(places); n++)
		places[n].hits = 0;
	error = early ? own() : borrow();
	if (error == 0)
		on_each_cpu(find_and_disarm, NULL, 1);
	return error;
}

int tl_slots_order(void)
{
	int error = 0;

	if (layer != NULL) {
		(void)unregister_die_notifier(layer);
		error = register_die_notifier(layer);
	}
	return error;
}
