/* What is in a frame: registers, and what the expressions of its variables ask for. */
#include "debugger/modules/thread_storage.h"
#include "debugger/stack/stack_internal.h"

#include <string.h>

const struct tl_cpu *tl_stack_cpu(const struct tl_stack *stack)
{
	return stack->cpu;
}

void tl_stack_machine(const struct tl_stack *stack, const struct tl_stack_frame *frame, struct tl_frame *machine_ret)
{
	(void)stack;
	tl_kept_frame_restore(frame->machine, machine_ret);
	/* Levels count what people see. */
	if (machine_ret->level != 0)
		machine_ret->level = frame->level;
}

/* Registers beside the general ones are fetched when they are asked for first. */
static enum tl_status fetch(struct tl_stack *stack, tl_u8 bank, struct tl_error *error)
{
	tl_u8 *file;
	const enum tl_status status =
		tl_engine_registers(stack->engine, stack->thread, 1u << TL_BANK_GENERAL | 1u << bank, &file);

	if (status != TL_OK)
		return TL_FAIL(error, status, "the registers of thread %llu cannot be read",
			       (unsigned long long)stack->thread.thread);
	stack->unwinder.file = file;
	return TL_OK;
}

static enum tl_status fetch_numbered(struct tl_stack *stack, tl_u64 number, struct tl_error *error)
{
	for (const struct tl_register *at = stack->cpu->registers; at->name != NULL; at++)
		if (at->dwarf >= 0 && (tl_u64)at->dwarf == number && at->bank != TL_BANK_GENERAL)
			return fetch(stack, at->bank, error);
	return TL_OK;
}

static enum tl_status read_register(struct tl_stacked_frame *frame, tl_u64 number, bool stale, void *buffer,
				    tl_size size, struct tl_error *error)
{
	struct tl_frame machine;

	TL_TRY(fetch_numbered(frame->stack, number, error));
	tl_stack_machine(frame->stack, &frame->shown, &machine);
	return tl_frame_register(&frame->stack->unwinder, &machine, number, stale, buffer, size, error);
}

static enum tl_status known_register(void *context, tl_u64 number, void *buffer, tl_size size, struct tl_error *error)
{
	return read_register(context, number, false, buffer, size, error);
}

static enum tl_status stale_register(void *context, tl_u64 number, void *buffer, tl_size size, struct tl_error *error)
{
	return read_register(context, number, true, buffer, size, error);
}

static enum tl_status frame_address(void *context, tl_u64 *address_ret, struct tl_error *error)
{
	const struct tl_stacked_frame *frame = context;
	struct tl_frame machine;

	tl_stack_machine(frame->stack, &frame->shown, &machine);
	return tl_frame_address(&frame->stack->unwinder, &machine, address_ret, error);
}

static enum tl_status in_thread(void *context, tl_u64 offset, tl_u64 *address_ret, struct tl_error *error)
{
	const struct tl_stacked_frame *frame = context;
	struct tl_stack *stack = frame->stack;

	if (frame->shown.module == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "no module is known to have this frame's code");
	return tl_stack_thread_storage(stack, frame->shown.module, offset, address_ret, error);
}

enum tl_status tl_stack_thread_storage(struct tl_stack *stack, const struct tl_module *module, tl_u64 offset,
				       tl_u64 *address_ret, struct tl_error *error)
{
	struct tl_target *target = tl_engine_target(stack->engine);
	struct tl_thread_place thread = {
		.modules = stack->modules, .memory = stack->memory, .address_size = stack->cpu->address_size};
	tl_u8 bytes[8];
	tl_size done = 0;

	if (target->ops->read_object == NULL ||
	    target->ops->read_object(target, stack->thread, TL_OBJECT_THREAD_POINTER, 0, bytes, sizeof(bytes), &done) !=
		    TL_OK ||
	    done != sizeof(bytes))
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "where the thread's own variables are cannot be asked of this target");
	thread.thread_pointer = tl_load_little(bytes, sizeof(bytes));
	return tl_thread_storage_address(&thread, module, offset, address_ret, error);
}

static enum tl_status symbol(void *context, const char *name, tl_u64 *address_ret, bool *found_ret,
			     struct tl_error *error)
{
	const struct tl_stacked_frame *frame = context;

	(void)error;
	*found_ret = tl_modules_symbol_address(frame->stack->modules, frame->shown.module, name, address_ret);
	return TL_OK;
}

/* The frame that called: those that are inlined in one function are all called by its caller. */
static enum tl_status caller(void *context, struct tl_variable_frame *caller_ret, struct tl_error *error)
{
	const struct tl_stacked_frame *frame = context;
	const struct tl_stack_frame *outer = &frame->shown;

	while (outer->inlined)
		TL_TRY(tl_stack_frame(frame->stack, outer->level + 1, &outer, error));
	if (tl_stack_frame(frame->stack, outer->level + 1, &outer, NULL) != TL_OK || outer->signal)
		return TL_FAIL(error, TL_ERROR_REGISTER, "frame %u has no caller that is known", frame->shown.level);
	return tl_stack_variables(frame->stack, outer, caller_ret, error);
}

enum tl_status tl_stack_variables(struct tl_stack *stack, const struct tl_stack_frame *frame,
				  struct tl_variable_frame *variables_ret, struct tl_error *error)
{
	struct tl_stacked_frame *stacked = stack->frames[frame->level];
	const tl_u64 bias = frame->module != NULL ? frame->module->bias : 0;

	(void)error;
	*variables_ret = (struct tl_variable_frame){
		.machine = {.context = stacked,
			    .address_size = stack->cpu->address_size,
			    .offset_size = 4,
			    .version = 5,
			    .bias = bias,
			    .memory = &stack->memory,
			    .read_register = known_register,
			    .frame_address = frame_address,
			    .thread_local = in_thread},
		.address = frame->lookup - bias,
		.program_counter = frame->program_counter - bias,
		.stale_register = stale_register,
		.caller = caller,
		.symbol = symbol,
		.context = stacked,
		.origins = tl_places_origins(stack->places),
	};
	if (frame->module != NULL) {
		variables_ret->types = frame->module->binary->types;
		variables_ret->scopes = frame->module->binary->scopes;
	}
	if (frame->has_function)
		variables_ret->function = frame->chain->scopes[frame->chain->count - 1].entry;
	return TL_OK;
}

/* Registers that are the thread's, whichever function runs: no call changes them. */
static bool is_of_thread(const struct tl_register *found)
{
	static const char *const names[] = {"cs", "ss", "ds", "es", "fs", "gs", "fs_base", "gs_base", "fctrl", "pkru"};

	for (tl_size i = 0; i < TL_COUNT(names); i++)
		if (strcmp(found->name, names[i]) == 0)
			return true;
	return false;
}

enum tl_status tl_stack_register(struct tl_stack *stack, const struct tl_stack_frame *frame, tl_u16 index, void *buffer,
				 tl_size size, tl_u64 *memory_ret, struct tl_error *error)
{
	const struct tl_register *found;
	struct tl_frame machine;
	tl_u64 number;

	if (index >= stack->cpu->register_count)
		return TL_FAIL(error, TL_ERROR_REGISTER, "%s has no such register", stack->cpu->name);
	found = &stack->cpu->registers[index];
	if (size > (found->bits + 7u) / 8)
		return TL_FAIL(error, TL_ERROR_REGISTER, "%s has %u bits only", found->name, found->bits);
	TL_TRY(fetch(stack, found->bank, error));
	tl_stack_machine(stack, frame, &machine);
	if (machine.level == 0 || is_of_thread(found)) {
		memcpy(buffer, stack->unwinder.file + found->offset, size);
		*memory_ret = 0;
		return TL_OK;
	}
	if (found->dwarf < 0)
		return TL_FAIL(error, TL_ERROR_REGISTER,
			       "%s is not known in frame %u: functions that it called were free to change it",
			       found->name, frame->level);
	number = (tl_u64)found->dwarf;
	TL_TRY(tl_frame_register(&stack->unwinder, &machine, number, false, buffer, size, error));
	if (machine.state[number] == TL_REGISTER_MEMORY)
		*memory_ret = machine.where[number];
	else
		*memory_ret = machine.state[number] == TL_REGISTER_THREAD ? 0 : TL_STACK_NOWHERE;
	return TL_OK;
}
