#include "stubs/baremetal/x86_steps.h"

#include "core/cpu/x86_layout.h"
#include "core/cursor.h"
#include "core/engine/x86_points.h"

#define CODE_64_ATTRIBUTES 0xa09bu
#define MSR_EFER 0xc0000080u
#define MSR_FMASK 0xc0000084u
#define EXCEPTION_STACK 4096 /* at most so far below what it has pushed is an exception's handler as it returns */
#define NEAR 4096            /* at most so far does the one instruction move the stack that runs before a trap */
#define BESIDE 16            /* as far as most do */
/* A processor pushes these for an exception, onto a stack that it aligns to 16 (Intel SDM volume 3, 6.14.2). */
enum { PUSHED_RIP, PUSHED_CS, PUSHED_FLAGS, PUSHED_RSP, PUSHED_SS, PUSHED };

static const tl_u64 both = TL_X86_FLAG_TF | TL_X86_FLAG_IF;

/* ---- What core/ asks for ---- */

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

static tl_u64 get(const tl_u8 *file, tl_size offset)
{
	tl_u64 value;

	tl_copy(&value, file + offset, sizeof(value));
	return value;
}

static tl_u64 model_specific(tl_u32 number)
{
	tl_u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
	return (tl_u64)high << 32 | low;
}

/*
 * The registers that a step looks at: those of the processor that stands, and of the system what all processors have in
 * common. One file for all: whoever serves is alone.
 */
static tl_u8 *step_file(struct tl_stub_machine *machine, const struct tl_stub_x86_tables *tables)
{
	static tl_u64 words[(TL_X86_FILE_SIZE + 7) / 8];
	tl_u8 *file = (tl_u8 *)words;
	tl_u64 control;

	(void)tl_stub_machine_fetch(machine, TL_BANK_GENERAL, file);
	__asm__ volatile("mov %%cr0, %0" : "=r"(control));
	put(file, TL_X86_AT_CR0, control);
	__asm__ volatile("mov %%cr4, %0" : "=r"(control));
	put(file, TL_X86_AT_CR4, control);
	put(file, TL_X86_AT_EFER, model_specific(MSR_EFER));
	put(file, TL_X86_AT_FMASK, model_specific(MSR_FMASK));
	put(file, TL_X86_AT_CS_ATTR, CODE_64_ATTRIBUTES);
	put(file, TL_X86_AT_IDTR_BASE, tables->base);
	put(file, TL_X86_AT_IDTR_LIMIT, tables->limit);
	return file;
}

/* The mask of SYSCALL is the processor's own: it takes it in as it leaves. */
static void take_changes(struct tl_stub_x86_steps *steps, struct tl_stub_machine *machine, const tl_u8 *file,
			 tl_u32 changed)
{
	if ((changed & 1u << TL_BANK_GENERAL) != 0)
		(void)tl_stub_machine_store(machine, TL_BANK_GENERAL, file);
	if ((changed & 1u << TL_X86_BANK_SYSTEM) != 0) {
		steps->mask_changed = true;
		steps->mask = get(file, TL_X86_AT_FMASK);
	}
}

/* ---- Steps that were given up ---- */

static tl_u64 without_step(const struct tl_stub_x86_left *left, tl_u64 flags)
{
	return (flags & ~both) | (left->flags & both);
}

static bool mend_at(const struct tl_stub_x86_left *left, tl_u64 place, bool begins)
{
	tl_u64 pushed[PUSHED];

	if (peek(NULL, place, pushed, sizeof(pushed)) != TL_OK || pushed[PUSHED_RSP] != left->stack ||
	    (pushed[PUSHED_FLAGS] & TL_X86_FLAG_TF) == 0 || (begins && pushed[PUSHED_RIP] != left->at))
		return false;
	pushed[PUSHED_FLAGS] = without_step(left, pushed[PUSHED_FLAGS]);
	return poke(NULL, place + sizeof(tl_u64) * PUSHED_FLAGS, &pushed[PUSHED_FLAGS], sizeof(tl_u64)) == TL_OK;
}

static tl_u64 pushed_at(tl_u64 stack)
{
	return (stack & ~(tl_u64)15) - sizeof(tl_u64) * PUSHED;
}

/* An exception may come onto a stack of its own, or from a program's onto the kernel's (Intel SDM volume 3, 8.7). */
static bool mend_on_other_stacks(const struct tl_stub_x86_left *left, const struct tl_stub_x86_tables *tables)
{
	enum { KERNELS = 0x04, OWN = 0x24, OWN_COUNT = 7, STATE_SIZE = OWN + 8 * OWN_COUNT };
	tl_u8 descriptor[16], state[STATE_SIZE];
	tl_u64 base;
	bool found;

	if (tables->task_descriptor == 0 ||
	    peek(NULL, tables->task_descriptor, descriptor, sizeof(descriptor)) != TL_OK)
		return false;
	base = tl_load_little(descriptor + 2, 3) | tl_load_little(descriptor + 7, 1) << 24 |
	       tl_load_little(descriptor + 8, 4) << 32;
	if (peek(NULL, base, state, sizeof(state)) != TL_OK)
		return false;
	found = mend_at(left, pushed_at(tl_load_little(state + KERNELS, 8)), false);
	for (unsigned n = 0; n < OWN_COUNT; n++)
		found |= mend_at(left, pushed_at(tl_load_little(state + OWN + (tl_size)8 * n, 8)), false);
	return found;
}

/*
 * Puts right what such a step has left. False: it is not where it would be. A handler may have changed where to.
 * Whether the processor has gone back is a guess from the stack, and what it went back by lies on there: all places
 * are seen to. What leads back to this stack with the trap flag set is this step's in each.
 */
static bool mend_pushed(const struct tl_stub_x86_left *left, const struct tl_stub_x86_tables *tables)
{
	bool pushed = mend_at(left, pushed_at(left->stack), false);
	bool framed = left->frame != 0 && mend_at(left, left->frame, true);

	return mend_on_other_stacks(left, tables) || pushed || framed;
}

static void forget(struct tl_stub_x86_steps *steps, unsigned number)
{
	steps->left_count--;
	for (; number < steps->left_count; number++)
		steps->left[number] = steps->left[number + 1];
}

/* A handler that never returns keeps its place: the oldest makes room. */
static void keep(struct tl_stub_x86_steps *steps, const struct tl_stub_x86_left *left)
{
	if (steps->left_count == TL_STUB_X86_LEFT_MAX)
		forget(steps, 0);
	steps->left[steps->left_count++] = *left;
}

/*
 * `runner` is at hand, with this stack. While that is below the frame by which the step was to begin, the processor may
 * not have gone back yet.
 */
static void give_up(struct tl_stub_x86_steps *steps, const struct tl_stub_x86_tables *tables, tl_u64 runner,
		    tl_u64 stack)
{
	const bool own = steps->runner == runner, begins = own && steps->frame - stack < EXCEPTION_STACK;
	const struct tl_stub_x86_left left = {.runner = steps->runner,
					      .at = steps->step.at,
					      .stack = steps->stack,
					      .frame = begins ? steps->frame : 0,
					      .flags = steps->step.flags,
					      .parts = {steps->step.parts[0], steps->step.parts[1]}};

	if ((!own && !tables->lies_still(left.runner)) || !mend_pushed(&left, tables))
		keep(steps, &left);
}

/*
 * The runner stands as it stood when such a step began: that one is over, whether its handler returned here or not. Its
 * flags go, if they are there.
 */
static bool stands_again(const struct tl_stub_x86_left *left, struct tl_stub_machine *machine, tl_u8 *file)
{
	tl_u64 flags = get(file, TL_X86_AT_EFLAGS);

	if (left->at != get(file, TL_X86_AT_RIP) || left->stack != get(file, TL_X86_AT_RSP))
		return false;
	if ((flags & TL_X86_FLAG_TF) == 0)
		return true;
	put(file, TL_X86_AT_EFLAGS, without_step(left, flags));
	return tl_stub_machine_store(machine, TL_BANK_GENERAL, file) == TL_OK;
}

/* What did not lie still may do so now. */
static void mend_left(struct tl_stub_x86_steps *steps, struct tl_stub_machine *machine,
		      const struct tl_stub_x86_tables *tables, tl_u64 runner)
{
	tl_u8 *file = steps->left_count != 0 ? step_file(machine, tables) : NULL;

	for (unsigned n = steps->left_count; n-- > 0;) {
		const struct tl_stub_x86_left *left = &steps->left[n];
		bool own = left->runner == runner;

		if ((own && stands_again(left, machine, file)) ||
		    ((own || tables->lies_still(left->runner)) && mend_pushed(left, tables)))
			forget(steps, n);
	}
}

static bool within(tl_u64 one, tl_u64 other, tl_u64 distance)
{
	return one - other + distance < 2 * distance;
}

/* How surely a trap ends the step that began there; 0: it does not. */
enum { NO_END, END_ELSEWHERE, END_BEHIND };

static bool is_behind(tl_u64 address, tl_u64 at, const struct tl_x86_step_part parts[2])
{
	tl_u64 behind = at + parts[0].length;

	return address == behind || (parts[1].length != 0 && address == behind + parts[1].length);
}

static unsigned sureness(const struct tl_stub_x86_trap *trap, tl_u64 at, tl_u64 stack,
			 const struct tl_x86_step_part parts[2])
{
	bool leads_anywhere = parts[0].length == 0 || parts[0].stays || parts[1].stays;

	if (!within(trap->stack, stack, NEAR))
		return NO_END;
	if (leads_anywhere || is_behind(trap->address, at, parts))
		return END_BEHIND;
	return within(trap->stack, stack, BESIDE) && (trap->flags & TL_X86_FLAG_IF) == 0 ? END_ELSEWHERE : NO_END;
}

static bool is_rather(const struct tl_stub_x86_steps *own, const struct tl_stub_x86_trap *trap, unsigned other)
{
	const struct tl_x86_step *step = &own->step;

	return (!step->parts[0].stays && is_behind(trap->address, step->at, step->parts)) ||
	       sureness(trap, step->at, own->stack, step->parts) >= other;
}

bool tl_stub_x86_steps_drop(struct tl_stub_x86_steps *steps, const struct tl_stub_x86_steps *own,
			    struct tl_stub_x86_trap *trap)
{
	unsigned best = NO_END, number = 0;

	for (unsigned n = steps->left_count; n-- > 0;) {
		const struct tl_stub_x86_left *left = &steps->left[n];
		unsigned sure = NO_END;

		if (left->runner == trap->runner)
			sure = sureness(trap, left->at, left->stack, left->parts);
		if (sure > best) {
			best = sure;
			number = n;
		}
	}
	if (best == NO_END || (own != NULL && is_rather(own, trap, best)))
		return false;
	trap->flags = without_step(&steps->left[number], trap->flags);
	forget(steps, number);
	return true;
}

/* What returns to this stack returns to the step that began there. */
static unsigned last_left(const struct tl_stub_x86_steps *steps, tl_u64 runner, tl_u64 stack)
{
	unsigned number = steps->left_count;

	while (number > 0 && (steps->left[number - 1].runner != runner || steps->left[number - 1].stack != stack))
		number--;
	return number;
}

/*
 * The handler is about to return, by a step of its own, to where one was left: to the flags of the program. The trap
 * that would tell where to put them right is this step's.
 */
static void return_to_left(struct tl_stub_x86_steps *steps, const tl_u8 *file)
{
	struct tl_x86_step *step = &steps->step;
	tl_u64 place = get(file, TL_X86_AT_RSP), flags, stack = 0;
	tl_u8 width = step->parts[0].operand_size;
	unsigned number;

	if (step->parts[0].kind != TL_X86_STEP_IRET || !step->popped_known || (step->popped & TL_X86_FLAG_TF) == 0 ||
	    peek(NULL, place + (tl_u64)PUSHED_RSP * width, &stack, width) != TL_OK)
		return;
	number = last_left(steps, steps->runner, stack);
	if (number == 0)
		return;
	flags = without_step(&steps->left[number - 1], step->popped);
	if (poke(NULL, place + (tl_u64)PUSHED_FLAGS * width, &flags, width) != TL_OK)
		return;
	step->popped = flags;
	forget(steps, number - 1);
}

/* ---- Steps ---- */

static void keep_landings(struct tl_x86_step *step, bool (*may_wait)(const struct tl_x86_gate *gate))
{
	tl_u8 count = 0;

	for (tl_u8 n = 0; n < step->landing_count; n++)
		if (may_wait(&step->landings[n]))
			step->landings[count++] = step->landings[n];
	step->landing_count = count;
}

bool tl_stub_x86_steps_begin(struct tl_stub_x86_steps *steps, struct tl_stub_machine *machine,
			     const struct tl_stub_x86_tables *tables, const struct tl_run_request *request,
			     tl_u64 runner)
{
	tl_u8 *file;

	mend_left(steps, machine, tables, runner);
	steps->under_way = request->run == TL_RUN_STEP;
	if (!steps->under_way)
		return true;
	file = step_file(machine, tables);
	tl_x86_step_begin(&steps->step, file, true, &access);
	keep_landings(&steps->step, tables->may_wait);
	take_changes(steps, machine, file, steps->step.changed);
	steps->runner = runner;
	steps->stack = get(file, TL_X86_AT_RSP);
	steps->frame = tables->frame;
	if (!steps->step.done)
		return_to_left(steps, file);
	return !steps->step.done;
}

tl_u64 tl_stub_x86_steps_flags(const struct tl_stub_x86_steps *steps, const struct tl_run_request *request,
			       tl_u64 flags)
{
	flags &= ~(tl_u64)TL_X86_FLAG_RF;
	if (steps->under_way)
		flags |= TL_X86_FLAG_TF;
	if (steps->under_way || request->over_hardware)
		flags |= TL_X86_FLAG_RF;
	return flags;
}

static void end(struct tl_stub_x86_steps *steps, struct tl_stub_machine *machine,
		const struct tl_stub_x86_tables *tables, bool trapped)
{
	tl_u8 *file = step_file(machine, tables);
	tl_u64 at = get(file, TL_X86_AT_RIP);
	struct tl_x86_step_result result;

	/* A breakpoint is met where the step began: nothing has happened, whatever the trap instruction did. */
	if (!trapped && !steps->step.done && (at == steps->step.at || at == steps->step.at + 1))
		put(file, TL_X86_AT_RIP, steps->step.at);
	result = tl_x86_step_end(&steps->step, file, trapped, &access);
	put(file, TL_X86_AT_RIP, at);
	take_changes(steps, machine, file, result.changed);
	if (!trapped && result.end == TL_X86_STEP_DONE && !steps->step.done)
		give_up(steps, tables, steps->runner, get(file, TL_X86_AT_RSP));
}

void tl_stub_x86_steps_end(struct tl_stub_x86_steps *steps, struct tl_stub_machine *machine,
			   const struct tl_stub_x86_tables *tables, bool stepped, tl_u64 runner)
{
	if (!steps->under_way)
		return;
	/* With another runner the registers are nothing to it. No step that can sleep changes the mask of SYSCALL. */
	if (runner == steps->runner)
		end(steps, machine, tables, stepped && !steps->landed);
	else
		give_up(steps, tables, runner, 0);
	steps->under_way = steps->landed = false;
}

void tl_stub_x86_steps_end_moved(struct tl_stub_x86_steps *steps, struct tl_stub_machine *machine,
				 const struct tl_stub_x86_tables *tables, tl_u64 runner)
{
	struct tl_stub_x86_trap trap = {.runner = runner};
	tl_u8 *file;

	if (steps->under_way && steps->runner == runner) {
		tl_stub_x86_steps_end(steps, machine, tables, true, runner);
		return;
	}
	file = step_file(machine, tables);
	trap.address = get(file, TL_X86_AT_RIP);
	trap.stack = get(file, TL_X86_AT_RSP);
	trap.flags = get(file, TL_X86_AT_EFLAGS);
	if (!tl_stub_x86_steps_drop(steps, NULL, &trap))
		return;
	put(file, TL_X86_AT_EFLAGS, trap.flags);
	(void)tl_stub_machine_store(machine, TL_BANK_GENERAL, file);
}

bool tl_stub_x86_steps_lands(const struct tl_stub_x86_steps *steps, tl_u64 address)
{
	for (tl_u8 n = 0; steps->under_way && n < steps->step.landing_count; n++)
		if (steps->step.landings[n].address == address)
			return true;
	return false;
}

void tl_stub_x86_steps_leave(struct tl_stub_x86_steps *steps, struct tl_x86_debug_plan *plan)
{
	if (steps->mask_changed)
		__asm__ volatile("wrmsr"
				 :
				 : "a"((tl_u32)steps->mask), "d"((tl_u32)(steps->mask >> 32)), "c"(MSR_FMASK));
	steps->mask_changed = false;
	for (tl_u8 n = 0; steps->under_way && n < steps->step.landing_count; n++)
		(void)tl_x86_points_add(plan, TL_POINT_HARDWARE, steps->step.landings[n].address, 1, true);
}
