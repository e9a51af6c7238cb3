#include "stubs/baremetal/x86_steps.h"

#include "core/cpu/x86_layout.h"
#include "core/cursor.h"
#include "core/engine/x86_points.h"

#define CODE_64_ATTRIBUTES 0xa09bu
#define MSR_EFER 0xc0000080u
#define MSR_FMASK 0xc0000084u
#define EXCEPTION_STACK 4096 /* at most so far below what it has pushed is an exception's handler as it returns */
#define NEAR 4096            /* at most so far does the one instruction move the stack that runs before a trap */
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

/*
 * Puts right what such a step has left. False: it is not where it would be. A handler may have changed where to.
 * Whether the processor has gone back is a guess from the stack, and what it went back by lies on there: both places
 * are seen to. What leads back to this stack with the trap flag set is this step's in either.
 */
static bool mend_pushed(const struct tl_stub_x86_left *left)
{
	bool pushed = mend_at(left, (left->stack & ~(tl_u64)15) - sizeof(tl_u64) * PUSHED, false);
	bool framed = left->frame != 0 && mend_at(left, left->frame, true);

	return pushed || framed;
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
	const struct tl_stub_x86_left left = {steps->runner, steps->step.at, steps->stack, begins ? steps->frame : 0,
					      steps->step.flags};

	if ((!own && !tables->lies_still(left.runner)) || !mend_pushed(&left))
		keep(steps, &left);
}

/* What did not lie still may do so now. */
static void mend_left(struct tl_stub_x86_steps *steps, const struct tl_stub_x86_tables *tables, tl_u64 runner)
{
	for (unsigned n = steps->left_count; n-- > 0;)
		if ((steps->left[n].runner == runner || tables->lies_still(steps->left[n].runner)) &&
		    mend_pushed(&steps->left[n]))
			forget(steps, n);
}

/* Where there are no tasks, or a handler never returned, the stack tells such a step from what the program does. */
static unsigned last_left(const struct tl_stub_x86_steps *steps, tl_u64 runner, tl_u64 stack)
{
	unsigned number = steps->left_count;

	while (number > 0 && (steps->left[number - 1].runner != runner ||
			      stack - steps->left[number - 1].stack + NEAR >= (tl_u64)2 * NEAR))
		number--;
	return number;
}

bool tl_stub_x86_steps_drop(struct tl_stub_x86_steps *steps, tl_u64 runner, tl_u64 stack, tl_u64 *flags)
{
	unsigned number = last_left(steps, runner, stack);

	if (number == 0)
		return false;
	*flags = without_step(&steps->left[number - 1], *flags);
	forget(steps, number - 1);
	return true;
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

	mend_left(steps, tables, runner);
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
	tl_u8 *file;
	tl_u64 flags;

	if (steps->under_way && steps->runner == runner) {
		tl_stub_x86_steps_end(steps, machine, tables, true, runner);
		return;
	}
	file = step_file(machine, tables);
	flags = get(file, TL_X86_AT_EFLAGS);
	if (!tl_stub_x86_steps_drop(steps, runner, get(file, TL_X86_AT_RSP), &flags))
		return;
	put(file, TL_X86_AT_EFLAGS, flags);
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
