/*
 * Functions of the program that are called for an expression, and frames that are made to return.
 *
 * A call keeps the registers, sets up a frame below the stack, and runs the thread alone until it comes back to where a
 * breakpoint of the session's own waits; then the registers are put back, so that the program never knows.
 */
#include "debugger/modules/function_name.h"
#include "debugger/modules/indirect.h"
#include "debugger/session/session_internal.h"
#include "debugger/session/steps_internal.h"
#include "debugger/values/abi.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ALL_BANKS 0xffffffffu
/* Milliseconds in which a program stops that can be stopped. */
#define STOP_TIME 2000

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
	enum tl_status status = TL_OK;

	tl_engine_look_through(session->engine, session->selected);
	if (call->stack_size != 0)
		status = tl_engine_write_memory(session->engine, session->selected.process, call->stack_pointer,
						call->stack, (tl_size)call->stack_size, &done);
	if (status != TL_OK || done != call->stack_size)
		return TL_FAIL(error, TL_ERROR_MEMORY, "Cannot write to the stack at 0x%llx: is there room on it?",
			       (unsigned long long)call->stack_pointer);
	return TL_OK;
}

/* Itanium C++ ABI, 2.5.3: where an exception ends that nobody catches. The program would be over. */
static void guard_against_exceptions(struct tl_session *session)
{
	struct tl_error error;
	tl_u64 address;

	session->terminating = false;
	if (session->settings.unwind_on_exception &&
	    tl_modules_symbol_address(tl_session_modules(session), NULL, "_ZSt9terminatev", &address) &&
	    tl_breakpoints_add_internal(session, TL_INTERNAL_TERMINATE, address, 0, &error) != TL_OK)
		session->terminating = false;
}

/* Gives up, so many milliseconds after it was made. */
struct limit {
	tl_u64 until;
};

static tl_u64 now(void)
{
	struct timespec time = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (tl_u64)time.tv_sec * 1000 + (tl_u64)time.tv_nsec / 1000000;
}

static bool within(void *context)
{
	const struct limit *limit = context;

	return now() < limit->until;
}

/*
 * Whoever waited has had enough: the function is stopped where it is. A thread that does not stop is waited for no
 * longer than this; its stop is told when it comes.
 */
static enum tl_status give_up(struct tl_session *session, struct tl_stop *stop_ret, struct tl_error *error)
{
	struct limit limit = {now() + STOP_TIME};
	const struct tl_patience patience = {within, &limit};
	enum tl_status status;

	tl_session_interrupt(session);
	status = tl_session_wait(session, &patience, stop_ret, error);
	if (status != TL_ERROR_CANCELLED)
		return status;
	return TL_FAIL(error, TL_ERROR_TIMEOUT,
		       "The program does not stop: it runs on in a function called from Trapline.\n"
		       "Evaluation of the expression containing the function will be abandoned.\n"
		       "When the function is done executing, Trapline will silently stop.");
}

/* Runs the program until the function has returned. Anything else that stops it is an error. */
static enum tl_status run(struct tl_session *session, tl_u64 back, struct tl_stop *stop_ret, struct tl_error *error)
{
	struct tl_plan plan = {.kind = TL_PLAN_CONTINUE, .signal = 0};
	enum tl_status status;

	TL_TRY(tl_breakpoints_add_internal(session, TL_INTERNAL_CALL, back, 0, error));
	guard_against_exceptions(session);
	session->calling = true;
	status = tl_session_resume(session, &plan, error);
	if (status == TL_OK)
		status = tl_session_wait(session, &session->patience, stop_ret, error);
	if (status == TL_ERROR_CANCELLED)
		status = give_up(session, stop_ret, error);
	session->calling = false;
	tl_breakpoints_remove_internal(session, TL_INTERNAL_TERMINATE, 0);
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

/* ---- What is said of a call that did not return ---- */

/* What a call is undone for: then the program stands where it was called from. */
static bool is_undone(const struct tl_session *session, const struct tl_stop *stop, struct tl_thread_id caller)
{
	if (session->terminating)
		return true;
	return session->settings.unwind_on_signal && stop->thread.thread == caller.thread &&
	       (stop->kind == TL_STOP_SIGNAL || stop->kind == TL_STOP_INTERRUPTED);
}

static void write_function(struct tl_session *session, tl_u64 address, struct tl_output *output)
{
	struct tl_elf_name symbol;
	tl_u64 start;

	if (!tl_modules_symbol(tl_session_modules(session), address, &symbol, &start))
		tl_output_format(output, "at 0x%llx", (unsigned long long)address);
	else if (!tl_symbol_write_name(symbol.name, output))
		tl_output_text(output, symbol.name);
}

static enum tl_status explain(struct tl_session *session, const struct tl_stop *stop, struct tl_thread_id caller,
			      tl_u64 function, struct tl_error *error)
{
	struct tl_output name = tl_output_make(256);
	bool undone = is_undone(session, stop, caller);
	bool signalled = stop->kind == TL_STOP_SIGNAL || stop->kind == TL_STOP_INTERRUPTED;
	enum tl_status status;

	write_function(session, function, &name);
	if (stop->kind == TL_STOP_EXITED || stop->kind == TL_STOP_KILLED)
		status = TL_FAIL(error, TL_ERROR_GONE,
				 "The program being debugged exited while in a function called from Trapline.\n"
				 "Evaluation of the expression containing the function\n(%.200s) will be abandoned.",
				 tl_output_string(&name));
	else if (session->terminating)
		status = TL_FAIL(error, TL_ERROR_STATE,
				 "The program being debugged entered a std::terminate call, most likely\n"
				 "caused by an unhandled C++ exception.  Trapline blocked this call in order\n"
				 "to prevent the program from being terminated, and has restored the\n"
				 "context to its original state before the call.\n"
				 "To change this behaviour use \"set unwind-on-terminating-exception off\".\n"
				 "Evaluation of the expression containing the function (%.200s)\n"
				 "will be abandoned.",
				 tl_output_string(&name));
	else if (stop->thread.thread != caller.thread)
		status = TL_FAIL(error, TL_ERROR_STATE,
				 "The program %s in another thread while making a function call from Trapline.\n"
				 "Evaluation of the expression containing the function\n(%.200s) will be abandoned.\n"
				 "When the function is done executing, Trapline will silently stop.",
				 signalled ? "received a signal" : "stopped", tl_output_string(&name));
	else if (signalled)
		status = TL_FAIL(error, TL_ERROR_STATE,
				 "The program being debugged was signaled while in a function called from Trapline.\n"
				 "Trapline %s.\n"
				 "To change this behavior use \"set unwindonsignal %s\".\n"
				 "Evaluation of the expression containing the function\n(%.200s) will be abandoned.%s",
				 undone ? "has restored the context to what it was before the call"
					: "remains in the frame where the signal was received",
				 undone ? "off" : "on", tl_output_string(&name),
				 undone ? "" : "\nWhen the function is done executing, Trapline will silently stop.");
	else
		status = TL_FAIL(error, TL_ERROR_STATE,
				 "The program being debugged stopped while in a function called from Trapline.\n"
				 "Evaluation of the expression containing the function\n(%.200s) will be abandoned.\n"
				 "When the function is done executing, Trapline will silently stop.",
				 tl_output_string(&name));
	tl_output_release(&name);
	return status;
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
	/* What was under way, if a point on the way is asked whether it counts. */
	struct tl_steps steps;
	struct tl_plan plan;
	struct tl_code_places places;
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
		.steps = session->steps,
		.plan = session->plan,
		.places = session->plan_places,
	};
	session->stack = NULL;
	session->store = NULL;
	session->arena = (struct tl_arena){0};
	session->plan_places = (struct tl_code_places){0};
	session->steps.active = false;
	for (tl_size i = 0; i < session->inferior_count; i++)
		session->inferiors[i]->went = session->inferiors[i]->going;
	tl_breakpoints_turn_internal(session, TL_INTERNAL_STEP, TL_INTERNAL_HELD);
}

/* What was under way goes on, or is over. */
static void restore_plan(struct tl_session *session, struct state *state, bool goes_on)
{
	tl_steps_end(session);
	tl_code_places_release(&session->plan_places);
	session->plan_places = (struct tl_code_places){0};
	if (!goes_on) {
		tl_code_places_release(&state->places);
		tl_breakpoints_remove_internal(session, TL_INTERNAL_HELD, 0);
		return;
	}
	session->plan_places = state->places;
	session->plan = state->plan;
	session->steps = state->steps;
	for (tl_size i = 0; i < session->inferior_count; i++)
		session->inferiors[i]->going = session->inferiors[i]->went;
	tl_breakpoints_turn_internal(session, TL_INTERNAL_HELD, TL_INTERNAL_STEP);
	tl_session_set_passed_signals(session);
}

/* If the function did not return, its stop is the next that is told, and what is restored ends with that. */
static void restore_state(struct tl_session *session, struct state *state, const struct tl_stop *stop)
{
	bool alive = tl_session_debugged(session, state->selected.process) != NULL;
	bool is_back = stop->kind == TL_STOP_FINISHED;

	restore_plan(session, state, is_back);
	tl_session_forget_stop(session);
	session->arena = state->arena;
	session->stack = state->stack;
	session->store = state->store;
	session->environment = state->environment;
	session->code = state->code;
	if (is_back) {
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

/* Sets the thread up for the call: its frame on the stack, its registers. On failure they are as they were. */
static enum tl_status place(struct tl_session *session, const struct tl_value_context *values, const struct kept *kept,
			    const struct tl_abi_request *request, tl_u8 *file, struct tl_abi_call *call_ret,
			    struct tl_error *error)
{
	enum tl_status status = tl_abi_place_call(values, kept->cpu, file, request, call_ret, error);
	tl_u16 index;

	if (status == TL_OK)
		status = write_stack(session, call_ret, error);
	if (status != TL_OK) {
		put_back(session, kept);
		return status;
	}
	/* A thread in a system call would begin that anew with these registers. */
	if (tl_cpu_find(kept->cpu, "orig_rax", &index) == TL_OK || tl_cpu_find(kept->cpu, "orig_eax", &index) == TL_OK)
		tl_cpu_set(kept->cpu, file, index, ~(tl_u64)0);
	(void)tl_engine_registers_changed(session->engine, session->selected, kept->banks);
	return TL_OK;
}

/* A signal that is not left standing is told of before it is undone. */
static void tell_undone(struct tl_session *session, const struct tl_stop *stop)
{
	if (!session->terminating && session->options.signalled != NULL)
		session->options.signalled(session->options.context, stop->thread,
					   stop->signal != 0 ? stop->signal : 2);
}

/*
 * Puts back what was before the call. Stopped inside, or running on, the program stays there, as a person would want to
 * see it; what was is put back when it returns. `kept` is taken over.
 */
static void leave_function(struct tl_session *session, struct kept *kept, const struct tl_stop *stop)
{
	bool inside = stop->kind == TL_STOP_NONE ? session->running : stop->kind != TL_STOP_FINISHED;

	if (inside && tl_session_debugged(session, kept->thread.process) != NULL) {
		keep_unfinished(session, kept);
	} else {
		if (!inside)
			put_back(session, kept);
		free(kept->registers);
	}
	settle_points(session);
}

/* Where a result in memory is, the caller knows; a callee need not leave that in its register (RISC-V's psABI). */
static enum tl_status take_result(const struct tl_value_context *values, const struct kept *returned,
				  const struct tl_abi_call *placed, const struct tl_type *type,
				  struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_abi_place place;
	bool known;

	TL_TRY(tl_abi_result_place(returned->cpu, type, &place, error));
	if (place.kind == TL_ABI_MEMORY)
		tl_cpu_set(returned->cpu, returned->registers, place.pointer, placed->result_address);
	return tl_abi_result(values, returned->cpu, returned->registers, type, value_ret, &known, error);
}

/*
 * Makes a call that is worked out. What was worked out before it (arguments, the expression's values) lives in the
 * arena, which a resume clears: the call has one of its own.
 */
static enum tl_status call(struct tl_session *session, const struct tl_environment *environment,
			   struct tl_abi_request *request, struct tl_value *value_ret, struct tl_error *error)
{
	struct kept kept, returned = {0};
	struct tl_stop stop = {0};
	struct tl_abi_call placed;
	struct state state;
	enum tl_status status;
	tl_u8 *file;

	TL_TRY(return_address(session, &request->return_address, error));
	TL_TRY(keep(session, &kept, &file, error));
	status = place(session, &environment->values, &kept, request, file, &placed, error);
	if (status != TL_OK) {
		free(kept.registers);
		return status;
	}
	save_state(session, &state);
	status = run(session, request->return_address, &stop, error);
	if (status == TL_OK && stop.kind != TL_STOP_FINISHED)
		status = explain(session, &stop, kept.thread, request->address, error);
	if (status == TL_OK)
		status = keep(session, &returned, &file, error);
	if (stop.kind != TL_STOP_FINISHED && stop.kind != TL_STOP_NONE && is_undone(session, &stop, kept.thread) &&
	    tl_session_debugged(session, kept.thread.process) != NULL) {
		tell_undone(session, &stop);
		stop.kind = TL_STOP_FINISHED;
	}
	leave_function(session, &kept, &stop);
	restore_state(session, &state, &stop);
	session->called = true;
	/* Only now is the arena that of the expression again. */
	if (status == TL_OK)
		status = take_result(&environment->values, &returned, &placed, request->result, value_ret, error);
	if (status == TL_OK)
		status = tl_value_load(&environment->values, value_ret, error);
	free(returned.registers);
	return status;
}

/* Of an indirect function the address is that of what chooses it: what it chose, or chooses now, is called. */
static enum tl_status choose(struct tl_session *session, const struct tl_environment *environment, tl_u64 *address,
			     struct tl_error *error)
{
	struct tl_modules *modules = tl_session_modules(session);
	const struct tl_module *module = tl_modules_at(modules, *address);
	struct tl_abi_request request = {.address = *address};
	struct tl_elf_name symbol;
	struct tl_value chosen;
	tl_i128 number;
	tl_u64 start;

	if (module == NULL || !tl_modules_symbol(modules, *address, &symbol, &start) || start != *address ||
	    symbol.type != STT_GNU_IFUNC || tl_indirect_chosen(modules, module, symbol.name, *address, address))
		return TL_OK;
	TL_TRY(tl_value_integer_type(&environment->values, environment->values.address_size, false, &request.result,
				     error));
	TL_TRY(call(session, environment, &request, &chosen, error));
	TL_TRY(tl_value_integer(&environment->values, &chosen, &number, error));
	*address = (tl_u64)number;
	return TL_OK;
}

enum tl_status tl_session_call(struct tl_session *session, const struct tl_value *function,
			       const struct tl_value *arguments, tl_size count, const struct tl_type *result,
			       struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_abi_request request = {
		.function = function->type, .result = result, .arguments = arguments, .count = count};
	tl_i128 address;

	if (session->settings.no_calls)
		return TL_FAIL(error, TL_ERROR_STATE,
			       "Cannot call functions in the program: may-call-functions is off.");
	if ((tl_target_capabilities(session->target) & TL_CAN_RUN) == 0 || session->selected.process == 0)
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "You can't do that without a process to debug.");
	/* On the way back, a call would begin another future. */
	if (session->deciding && session->steps.back)
		return TL_FAIL(error, TL_ERROR_STATE, "Cannot call functions in reverse mode.");
	if (session->running || session->calling)
		return TL_FAIL(error, TL_ERROR_RUNNING, "The program runs: functions can be called when it stands.");
	TL_TRY(tl_session_environment(session, &environment, NULL, error));
	TL_TRY(function_address(&environment->values, function, &address, error));
	request.address = (tl_u64)address;
	TL_TRY(choose(session, environment, &request.address, error));
	return call(session, environment, &request, value_ret, error);
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
