/*
 * Functions of the program that are called for an expression, and frames that are made to return.
 *
 * A call keeps the registers, sets up a frame below the stack, and runs the thread alone until it comes back to where a
 * breakpoint of the session's own waits; then the registers are put back, so that the program never knows.
 */
#include "debugger/session/session_internal.h"
#include "debugger/session/steps_internal.h"
#include "debugger/values/abi.h"

#include <stdlib.h>
#include <string.h>

#define ALL_BANKS 0xffffffffu

/* A thread's registers, all of them, as they were. */
struct kept {
	struct tl_thread_id thread;
	const struct tl_cpu *cpu;
	tl_u8 *registers;
	tl_u32 banks;
};

static tl_u32 banks_of(const struct tl_cpu *cpu)
{
	return cpu->bank_count >= 32 ? ALL_BANKS : ((tl_u32)1 << cpu->bank_count) - 1;
}

static enum tl_status keep(struct tl_session *session, struct kept *kept_ret, tl_u8 **file_ret, struct tl_error *error)
{
	struct tl_process_facts facts;
	enum tl_status status = tl_engine_facts(session->engine, session->selected.process, &facts);

	*kept_ret = (struct kept){.thread = session->selected};
	if (status == TL_OK) {
		kept_ret->cpu = facts.cpu;
		kept_ret->banks = banks_of(facts.cpu);
		status = tl_engine_registers(session->engine, session->selected, kept_ret->banks, file_ret);
	}
	if (status != TL_OK)
		return TL_FAIL(error, status, "The registers cannot be read: %s.", tl_status_text(status));
	kept_ret->registers = malloc(facts.cpu->file_size);
	if (kept_ret->registers == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for registers");
	memcpy(kept_ret->registers, *file_ret, facts.cpu->file_size);
	return TL_OK;
}

static void put_back(struct tl_session *session, const struct kept *kept)
{
	tl_u8 *file;

	if (tl_engine_registers(session->engine, kept->thread, kept->banks, &file) != TL_OK)
		return;
	memcpy(file, kept->registers, kept->cpu->file_size);
	(void)tl_engine_registers_changed(session->engine, kept->thread, kept->banks);
	(void)tl_engine_flush_registers(session->engine, kept->thread);
}

/* The program's entry: code that nobody runs any more. */
static enum tl_status return_address(struct tl_session *session, tl_u64 *address_ret, struct tl_error *error)
{
	const struct tl_module *program = tl_modules_get(tl_session_modules(session), 0);
	const struct tl_elf *elf = program != NULL ? tl_image_elf(program->binary->image) : NULL;

	if (elf == NULL || elf->entry == 0)
		return TL_FAIL(error, TL_ERROR_STATE, "Functions cannot be called: the program's entry is not known.");
	*address_ret = elf->entry + program->bias;
	return TL_OK;
}

static enum tl_status write_stack(struct tl_session *session, const struct tl_abi_call *call, struct tl_error *error)
{
	tl_size done = 0;
	enum tl_status status = tl_engine_write_memory(session->engine, session->selected.process, call->stack_pointer,
						       call->stack, (tl_size)call->stack_size, &done);

	if (status != TL_OK || done != call->stack_size)
		return TL_FAIL(error, TL_ERROR_MEMORY, "Cannot write to the stack at 0x%llx: is there room on it?",
			       (unsigned long long)call->stack_pointer);
	return TL_OK;
}

/* Runs the thread alone until the function has returned. Anything else that stops it is an error. */
static enum tl_status run(struct tl_session *session, tl_u64 back, struct tl_stop *stop_ret, struct tl_error *error)
{
	struct tl_plan plan = {.kind = TL_PLAN_CONTINUE, .signal = 0};
	enum tl_status status;

	TL_TRY(tl_breakpoints_add_internal(session, TL_INTERNAL_CALL, back, 0, error));
	session->calling = true;
	status = tl_session_resume(session, &plan, error);
	if (status == TL_OK)
		status = tl_session_wait(session, &session->patience, stop_ret, error);
	if (status == TL_ERROR_CANCELLED) {
		/* Whoever waited has had enough: the function is stopped where it is. */
		tl_session_interrupt(session);
		status = tl_session_wait(session, NULL, stop_ret, error);
	}
	session->calling = false;
	return status;
}

/* ---- Calls that stopped on the way ---- */

/* What is put back when a function that stopped inside returns after all. */
struct tl_unfinished {
	struct kept kept;
	struct tl_unfinished *next;
};

static void keep_unfinished(struct tl_session *session, const struct kept *kept)
{
	struct tl_unfinished *unfinished = malloc(sizeof(*unfinished));

	if (unfinished == NULL) {
		free(kept->registers);
		return;
	}
	*unfinished = (struct tl_unfinished){.kept = *kept, .next = session->unfinished};
	session->unfinished = unfinished;
}

static void settle_points(struct tl_session *session)
{
	if (session->unfinished == NULL)
		tl_breakpoints_remove_internal(session, TL_INTERNAL_CALL, 0);
}

bool tl_session_call_ended(struct tl_session *session, struct tl_thread_id thread)
{
	for (struct tl_unfinished **at = &session->unfinished; *at != NULL; at = &(*at)->next) {
		struct tl_unfinished *unfinished = *at;

		if (unfinished->kept.thread.process != thread.process ||
		    unfinished->kept.thread.thread != thread.thread)
			continue;
		put_back(session, &unfinished->kept);
		*at = unfinished->next;
		free(unfinished->kept.registers);
		free(unfinished);
		settle_points(session);
		return true;
	}
	return false;
}

void tl_session_forget_calls(struct tl_session *session, tl_u64 process)
{
	struct tl_unfinished **at = &session->unfinished;

	while (*at != NULL) {
		struct tl_unfinished *unfinished = *at;

		if (unfinished->kept.thread.process != process) {
			at = &unfinished->next;
			continue;
		}
		*at = unfinished->next;
		free(unfinished->kept.registers);
		free(unfinished);
	}
	settle_points(session);
}

static enum tl_status explain(const struct tl_stop *stop, struct tl_error *error)
{
	if (stop->kind == TL_STOP_EXITED || stop->kind == TL_STOP_KILLED)
		return TL_FAIL(error, TL_ERROR_GONE,
			       "The program being debugged exited while in a function called from Trapline.");
	if (stop->kind == TL_STOP_SIGNAL)
		return TL_FAIL(error, TL_ERROR_STATE,
			       "The program being debugged was signaled while in a function called from Trapline.\n"
			       "Trapline remains in the frame where the signal was received.");
	return TL_FAIL(error, TL_ERROR_STATE,
		       "The program being debugged stopped while in a function called from Trapline.\n"
		       "When it is done executing, the program will go on where it was.");
}

/*
 * What the stop from which the call is made holds: an expression is being evaluated over it, and must find it as it
 * was.
 */
struct state {
	struct tl_stack *stack;
	struct tl_environment_store *store;
	struct tl_environment environment;
	struct tl_code_environment code;
	struct tl_arena arena;
	struct tl_thread_id selected;
	struct tl_stop stop;
	tl_u64 stopped_at;
	tl_u32 level, skipped;
};

static void save_state(struct tl_session *session, struct state *state_ret)
{
	*state_ret = (struct state){
		.stack = session->stack,
		.store = session->store,
		.environment = session->environment,
		.code = session->code,
		.arena = session->arena,
		.selected = session->selected,
		.stop = session->stop,
		.stopped_at = session->stopped_at,
		.level = session->level,
		.skipped = session->skipped,
	};
	session->stack = NULL;
	session->store = NULL;
	session->arena = (struct tl_arena){0};
}

/* If the function did not return, its stop is the next that is told, and what is restored ends with that. */
static void restore_state(struct tl_session *session, struct state *state, const struct tl_stop *stop)
{
	bool alive = tl_session_debugged(session, state->selected.process) != NULL;

	tl_session_forget_stop(session);
	session->arena = state->arena;
	session->stack = state->stack;
	session->store = state->store;
	session->environment = state->environment;
	session->code = state->code;
	if (stop->kind == TL_STOP_FINISHED) {
		session->selected = state->selected;
		session->stop = state->stop;
		session->stopped_at = state->stopped_at;
		session->level = state->level;
		session->skipped = state->skipped;
		session->stop_ready = false;
		return;
	}
	if (!alive) {
		tl_session_forget_frame(session);
		tl_stack_close(session->stack);
		session->stack = NULL;
	}
	session->stale = alive;
	session->stop = *stop;
	session->stop_ready = stop->kind != TL_STOP_NONE;
	if (session->stop_ready && session->options.stopped != NULL)
		session->options.stopped(session->options.context);
}

static enum tl_status function_address(const struct tl_value_context *values, const struct tl_value *function,
				       tl_i128 *address_ret, struct tl_error *error)
{
	struct tl_value pointer = *function;

	TL_TRY(tl_value_decay(values, &pointer, error));
	return tl_value_integer(values, &pointer, address_ret, error);
}

/*
 * What was worked out before the call (arguments, the expression's values) lives in the arena, which a resume clears:
 * the call has one of its own.
 */
enum tl_status tl_session_call(struct tl_session *session, const struct tl_value *function,
			       const struct tl_value *arguments, tl_size count, const struct tl_type *result,
			       struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_abi_request request = {
		.function = function->type, .result = result, .arguments = arguments, .count = count};
	struct state state;
	struct tl_abi_call call;
	struct tl_stop stop = {0};
	struct kept kept, returned = {0};
	enum tl_status status;
	tl_i128 address;
	tl_u16 index;
	bool known;
	tl_u8 *file;

	if ((tl_target_capabilities(session->target) & TL_CAN_RUN) == 0 || session->selected.process == 0)
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "You can't do that without a process to debug.");
	if (session->running || session->calling)
		return TL_FAIL(error, TL_ERROR_RUNNING, "The program runs: functions can be called when it stands.");
	TL_TRY(tl_session_environment(session, &environment, NULL, error));
	TL_TRY(function_address(&environment->values, function, &address, error));
	request.address = (tl_u64)address;
	TL_TRY(return_address(session, &request.return_address, error));
	TL_TRY(keep(session, &kept, &file, error));
	status = tl_abi_place_call(&environment->values, kept.cpu, file, &request, &call, error);
	if (status == TL_OK)
		status = write_stack(session, &call, error);
	if (status != TL_OK) {
		put_back(session, &kept);
		free(kept.registers);
		return status;
	}
	/* A thread in a system call would begin that anew with these registers. */
	if (tl_cpu_find(kept.cpu, "orig_rax", &index) == TL_OK || tl_cpu_find(kept.cpu, "orig_eax", &index) == TL_OK)
		tl_cpu_set(kept.cpu, file, index, ~(tl_u64)0);
	(void)tl_engine_registers_changed(session->engine, session->selected, kept.banks);
	save_state(session, &state);
	status = run(session, request.return_address, &stop, error);
	if (status == TL_OK && stop.kind != TL_STOP_FINISHED)
		status = explain(&stop, error);
	if (status == TL_OK)
		status = keep(session, &returned, &file, error);
	/* Stopped inside, the program stays there, as a person would want to see it; what was is put back when it
	 * returns. */
	if (stop.kind == TL_STOP_FINISHED || stop.kind == TL_STOP_NONE)
		put_back(session, &kept);
	else if (tl_session_debugged(session, kept.thread.process) != NULL)
		keep_unfinished(session, &kept);
	else
		free(kept.registers);
	settle_points(session);
	restore_state(session, &state, &stop);
	/* Only now is the arena that of the expression again. */
	if (status == TL_OK)
		status = tl_abi_result(&environment->values, kept.cpu, returned.registers, result, value_ret, &known,
				       error);
	if (status == TL_OK)
		status = tl_value_load(&environment->values, value_ret, error);
	free(returned.registers);
	if (stop.kind == TL_STOP_FINISHED || stop.kind == TL_STOP_NONE)
		free(kept.registers);
	return status;
}

/* ---- Returning ---- */

/* The registers of the caller, as far as they can be told; others stay as they are. */
static void set_callers_registers(struct tl_stack *stack, const struct tl_stack_frame *caller, const struct kept *kept,
				  tl_u8 *file)
{
	const struct tl_cpu *cpu = kept->cpu;
	struct tl_error error;

	for (tl_u16 index = 0; index < cpu->register_count; index++) {
		const struct tl_register *reg = &cpu->registers[index];
		tl_u64 memory;
		tl_u8 bytes[8];
		tl_size size = reg->bits / 8;

		if (reg->bank != TL_BANK_GENERAL || reg->dwarf < 0 || size > sizeof(bytes) ||
		    tl_stack_register(stack, caller, index, bytes, size, &memory, &error) != TL_OK)
			continue;
		memcpy(file + reg->offset, bytes, size);
	}
	tl_cpu_set(cpu, file, cpu->program_counter, caller->program_counter);
}

enum tl_status tl_session_return(struct tl_session *session, const struct tl_value *value, struct tl_error *error)
{
	const struct tl_environment *environment;
	const struct tl_stack_frame *frame, *caller;
	struct tl_stack *stack;
	struct kept kept;
	tl_u32 banks = 0;
	tl_u8 *file;
	enum tl_status status = TL_OK;

	TL_TRY(tl_session_stack(session, &stack, error));
	TL_TRY(tl_session_frame(session, &frame, error));
	TL_TRY(tl_session_environment(session, &environment, NULL, error));
	if (frame->inlined)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "Can not force return from an inlined function.");
	TL_TRY(tl_stack_frame(stack, frame->level + 1, &caller, error));
	TL_TRY(keep(session, &kept, &file, error));
	set_callers_registers(stack, caller, &kept, file);
	if (value != NULL)
		status = tl_abi_set_result(&environment->values, kept.cpu, file, value, &banks, error);
	if (status != TL_OK)
		memcpy(file, kept.registers, kept.cpu->file_size);
	(void)tl_engine_registers_changed(session->engine, session->selected, kept.banks);
	free(kept.registers);
	if (status != TL_OK)
		return status;
	tl_session_forget_stop(session);
	tl_session_set_selected(session, session->selected, 0);
	/* A point at the caller's address has not been met. */
	session->stopped_at = 0;
	return TL_OK;
}
