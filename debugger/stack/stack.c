#include "debugger/stack/stack_internal.h"

#include "base/storage.h"
#include "symbols/calling_convention.h"

#include <string.h>

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	struct tl_stack *stack = context;
	tl_size done = 0;

	tl_engine_look_through(stack->engine, stack->thread);
	if (tl_engine_read_memory(stack->engine, stack->thread.process, address, buffer, size, &done) != TL_OK ||
	    done != size)
		return TL_ERROR_MEMORY;
	return TL_OK;
}

static enum tl_status write_memory(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	struct tl_stack *stack = context;
	tl_size done = 0;

	tl_engine_look_through(stack->engine, stack->thread);
	if (tl_engine_write_memory(stack->engine, stack->thread.process, address, buffer, size, &done) != TL_OK ||
	    done != size)
		return TL_ERROR_MEMORY;
	return TL_OK;
}

/*
 * Frames stand close together: what is around one is read with it, once for all that are in it. Who goes on outwards
 * gets more each time, up to a page.
 */
static enum tl_status read_around(void *context, tl_u64 address, void *buffer, tl_size size)
{
	struct tl_stack *stack = context;
	struct tl_stack_page *page = &stack->pages[address / TL_STACK_PAGE % TL_STACK_PAGES];

	if (size > page->size || address - page->address > page->size - size) {
		tl_size part = stack->part != 0 ? stack->part : TL_STACK_PART;
		tl_u64 start = address & ~(tl_u64)(part - 1);

		page->size = 0;
		if (size > part - (address - start) || read_memory(context, start, page->bytes, part) != TL_OK)
			return read_memory(context, address, buffer, size);
		page->address = start;
		page->size = part;
		stack->part = part < TL_STACK_PAGE ? part * 2 : part;
	}
	memcpy(buffer, page->bytes + (address - page->address), size);
	return TL_OK;
}

static enum tl_status begin(struct tl_stack *stack, struct tl_error *error)
{
	struct tl_process_facts facts;
	tl_u8 *file = NULL;
	enum tl_status status = tl_engine_facts(stack->engine, stack->thread.process, &facts);

	if (status == TL_OK)
		status = tl_engine_registers(stack->engine, stack->thread, 1u << TL_BANK_GENERAL, &file);
	if (status != TL_OK)
		return TL_FAIL(error, status, "the registers of thread %llu cannot be read%s",
			       (unsigned long long)stack->thread.thread,
			       status == TL_ERROR_RUNNING ? ": it runs (interrupt it)" : "");
	stack->cpu = facts.cpu;
	stack->memory = (struct tl_memory_access){read_memory, write_memory, stack};
	stack->unwinder = (struct tl_unwinder){
		.cpu = facts.cpu,
		.file = file,
		.memory = {read_around, NULL, stack},
		.code_at = tl_modules_code_at,
		.context = stack->modules,
	};
	return tl_unwind_first(&stack->unwinder, &stack->front, error);
}

enum tl_status tl_stack_open_with(struct tl_stack **stack_ret, struct tl_engine *engine, struct tl_thread_id thread,
				  struct tl_modules *modules, const struct tl_stack_options *options,
				  struct tl_error *error)
{
	struct tl_stack *stack = tl_allocate(tl_storage(), sizeof(*stack));
	enum tl_status status = TL_OK;

	if (stack == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a stack");
	stack->engine = engine;
	stack->thread = thread;
	stack->modules = modules;
	stack->skipped = options->skipped;
	stack->past_main = options->past_main;
	stack->frames_max = options->frames_max;
	stack->places = options->places;
	stack->own_places = options->places == NULL;
	if (stack->own_places)
		status = tl_places_open(&stack->places, modules, error);
	if (status == TL_OK)
		tl_places_hold(stack->places);
	if (status == TL_OK)
		status = begin(stack, error);
	if (status != TL_OK) {
		tl_stack_close(stack);
		return status;
	}
	*stack_ret = stack;
	return TL_OK;
}

enum tl_status tl_stack_open(struct tl_stack **stack_ret, struct tl_engine *engine, struct tl_thread_id thread,
			     struct tl_modules *modules, tl_u32 skipped, struct tl_error *error)
{
	const struct tl_stack_options options = {.skipped = skipped};

	return tl_stack_open_with(stack_ret, engine, thread, modules, &options, error);
}

void tl_stack_close(struct tl_stack *stack)
{
	if (stack == NULL)
		return;
	if (stack->places != NULL)
		tl_places_let_go(stack->places);
	if (stack->own_places)
		tl_places_close(stack->places);
	tl_arena_clear(&stack->arena);
	tl_release(tl_storage(), stack->frames, stack->capacity * sizeof(*stack->frames));
	tl_release(tl_storage(), stack, sizeof(*stack));
}

static enum tl_status no_memory(const struct tl_stack *stack, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for frame %llu", (unsigned long long)stack->count);
}

/* One more frame, with what the machine's frame says filled in. */
static enum tl_status add_frame(struct tl_stack *stack, const struct tl_kept_frame *machine,
				struct tl_stack_frame **frame_ret, struct tl_error *error)
{
	struct tl_stacked_frame *added;
	void *frames = stack->frames;

	if (!tl_grow(tl_storage(), &frames, &stack->capacity, stack->count, sizeof(*stack->frames)))
		return no_memory(stack, error);
	stack->frames = frames;
	added = tl_arena_allocate(&stack->arena, sizeof(*added));
	if (added == NULL)
		return no_memory(stack, error);
	added->stack = stack;
	added->shown = (struct tl_stack_frame){
		.level = (tl_u32)stack->count,
		.signal = machine->signal,
		.authenticated = machine->authenticated,
		.guessed = machine->origin >= TL_ORIGIN_FRAME_POINTER,
		.machine = machine,
		.program_counter = machine->program_counter,
		.lookup = machine->lookup,
		.frame_address = machine->frame_address,
		.mid_line = true,
	};
	stack->frames[stack->count++] = added;
	*frame_ret = &added->shown;
	return TL_OK;
}

static void describe(struct tl_stack_frame *frame, const struct tl_spot *place, tl_u32 index)
{
	const struct tl_spot_function *function = &place->functions[index];

	frame->inlined = index + 1 < place->count;
	frame->inline_depth = place->count - 1 - index;
	frame->module = place->module;
	frame->chain = &place->chain;
	frame->first = function->first;
	frame->last = function->last;
	frame->has_function = function->has_scopes;
	frame->name = function->name;
	frame->from_symbol = !function->has_scopes && function->name != NULL;
	frame->function_start = function->start;
	frame->file = function->file;
	frame->file_name = function->file_name;
	frame->line = function->line;
	/* A call that was inlined has a line, but no address of its own. */
	frame->mid_line = index == 0 || function->line == 0 ? frame->program_counter != function->line_start : false;
}

/* The frames of the functions at a place, but for the innermost `skipped`. */
static enum tl_status add_functions(struct tl_stack *stack, const struct tl_kept_frame *machine,
				    const struct tl_spot *place, tl_u32 skipped, struct tl_error *error)
{
	struct tl_stack_frame *frame;

	if (skipped >= place->count)
		skipped = place->count - 1;
	for (tl_u32 i = skipped; i < place->count; i++) {
		TL_TRY(add_frame(stack, machine, &frame, error));
		describe(frame, place, i);
	}
	return TL_OK;
}

/* Puts the front among the frames. Whether it is a signal's, and its address, are found on the way to its caller. */
static enum tl_status add_front(struct tl_stack *stack, struct tl_error *error)
{
	struct tl_stack_frame *frame;

	stack->end = tl_unwind_next(&stack->unwinder, &stack->front, &stack->next, &stack->why);
	stack->front_kept = tl_keep_frame(&stack->arena, &stack->front);
	if (stack->front_kept == NULL)
		return no_memory(stack, error);
	stack->front_place = NULL;
	if (stack->front.signal) {
		TL_TRY(add_frame(stack, stack->front_kept, &frame, error));
		frame->module = tl_modules_at(stack->modules, frame->program_counter);
		return TL_OK;
	}
	TL_TRY(tl_places_at(stack->places, stack->front.lookup, &stack->front_place, error));
	return add_functions(stack, stack->front_kept, stack->front_place, stack->front.level == 0 ? stack->skipped : 0,
			     error);
}

/* Whether the front is the program's `main`; what called it is of no interest to most. */
static bool is_main(const struct tl_stack *stack)
{
	const struct tl_module *program = tl_modules_get(stack->modules, 0);
	tl_u64 address;

	return stack->front_place != NULL && stack->front_place->module == program && program != NULL &&
	       tl_modules_symbol_address(stack->modules, program, "main", &address) &&
	       stack->front_place->functions[stack->front_place->count - 1].start == address;
}

/* A kernel, in the upper half of all addresses, was called by a program, whose code is none of this program's. */
static bool is_program_below_kernel(const struct tl_frame *frame)
{
	return frame->inner_known && frame->inner_address >> 63 != 0 && frame->program_counter >> 63 == 0;
}

/* Why it ended, as gdb says it where it has words for it. */
static const char *reason_of(const struct tl_stack *stack)
{
	const struct tl_frame *front = &stack->front;

	switch (stack->end) {
	case TL_UNWIND_GOES_ON:
	case TL_UNWIND_OUTERMOST:
		return NULL;
	case TL_UNWIND_CORRUPT:
		if (front->inner_known && front->frame_address < front->inner_address)
			return "previous frame inner to this frame (corrupt stack?)";
		return "previous frame identical to this frame (corrupt stack?)";
	case TL_UNWIND_NO_INFORMATION:
	case TL_UNWIND_NO_CODE:
		if (is_program_below_kernel(front))
			return NULL;
		break;
	case TL_UNWIND_DAMAGED:
	case TL_UNWIND_MEMORY:
	case TL_UNWIND_UNSUPPORTED:
		break;
	}
	return stack->why.text;
}

/* The registers of a function as it jumped elsewhere: those of its caller, as it gave them back. */
static const struct tl_kept_frame *keep_tail(struct tl_stack *stack, tl_u64 program_counter)
{
	const struct tl_calling_convention *convention = tl_calling_convention(stack->cpu);
	const tl_u64 values[] = {program_counter, stack->front.frame_address - stack->cpu->address_size};
	const unsigned numbers[] = {convention->program_counter, convention->stack_pointer};
	struct tl_frame frame = stack->next;

	frame.program_counter = program_counter;
	frame.lookup = program_counter - 1;
	frame.frame_address = stack->front.frame_address;
	frame.address_known = stack->front.address_known;
	for (unsigned i = 0; i < TL_COUNT(numbers); i++) {
		frame.state[numbers[i]] = TL_REGISTER_VALUE;
		frame.stale[numbers[i]] = false;
		frame.where[numbers[i]] = values[i];
	}
	return tl_keep_frame(&stack->arena, &frame);
}

/* A function that ended in a jump: one frame, as in gdb, even if it was inlined into what jumped. */
static enum tl_status add_tail_call(struct tl_stack *stack, tl_u64 program_counter, tl_u32 depth,
				    struct tl_error *error)
{
	const struct tl_kept_frame *machine = keep_tail(stack, program_counter);
	const struct tl_spot *place;
	struct tl_stack_frame *frame;

	if (machine == NULL)
		return no_memory(stack, error);
	TL_TRY(tl_places_at(stack->places, machine->lookup, &place, error));
	TL_TRY(add_frame(stack, machine, &frame, error));
	describe(frame, place, 0);
	frame->inlined = false;
	frame->tail_called = true;
	frame->tail_depth = depth;
	return TL_OK;
}

/* The functions between the front and its caller that left nothing on the stack. */
static enum tl_status add_tail_calls(struct tl_stack *stack, struct tl_error *error)
{
	const struct tl_spot *place = stack->front_place, *caller;
	const struct tl_tail_calls *calls;

	if (place == NULL || place->functions[place->count - 1].start == 0)
		return TL_OK;
	TL_TRY(tl_places_at(stack->places, stack->next.lookup, &caller, error));
	TL_TRY(tl_places_tail_calls(stack->places, caller, stack->next.program_counter,
				    place->functions[place->count - 1].start, &calls, error));
	for (tl_size i = calls->count; i-- > 0;)
		TL_TRY(add_tail_call(stack, calls->addresses[i], (tl_u32)(calls->count - i), error));
	return TL_OK;
}

/* The next frames outwards, one at the least unless it ends. */
static enum tl_status advance(struct tl_stack *stack, struct tl_error *error)
{
	if (!stack->begun) {
		stack->begun = true;
		return add_front(stack, error);
	}
	if (stack->end != TL_UNWIND_GOES_ON || (!stack->past_main && is_main(stack))) {
		stack->reason = reason_of(stack);
		stack->ended = true;
		return TL_OK;
	}
	TL_TRY(add_tail_calls(stack, error));
	stack->front = stack->next;
	return add_front(stack, error);
}

enum tl_status tl_stack_frame(struct tl_stack *stack, tl_u32 level, const struct tl_stack_frame **frame_ret,
			      struct tl_error *error)
{
	while (stack->count <= level && !stack->ended && (stack->frames_max == 0 || level < stack->frames_max))
		TL_TRY(advance(stack, error));
	if (stack->count <= level || (stack->frames_max != 0 && level >= stack->frames_max))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "there is no frame %u: the outermost is %llu", level,
			       (unsigned long long)(stack->count - 1));
	*frame_ret = &stack->frames[level]->shown;
	return TL_OK;
}

const char *tl_stack_end(const struct tl_stack *stack)
{
	return stack->ended ? stack->reason : NULL;
}

enum tl_status tl_stack_inlined_here(struct tl_stack *stack, tl_u32 *count_ret, struct tl_error *error)
{
	const struct tl_spot *place;

	TL_TRY(tl_places_at(stack->places, tl_cpu_get(stack->cpu, stack->unwinder.file, stack->cpu->program_counter),
			    &place, error));
	return tl_places_beginning(stack->places, place, count_ret, error);
}

bool tl_stack_same(const struct tl_stack_frame *left, const struct tl_stack_frame *right)
{
	return left->frame_address == right->frame_address && left->function_start == right->function_start &&
	       left->inline_depth == right->inline_depth && left->tail_depth == right->tail_depth &&
	       left->signal == right->signal;
}

struct tl_thread_id tl_stack_thread(const struct tl_stack *stack)
{
	return stack->thread;
}
