/* The engine: steps, range steps, steps without the machine's help, and every way over a breakpoint. */
#include "tests/unit/engine_machine.h"

#define DATA_IS(n) CODE(0x24, 0, 0, 0x20, 0, 0x1a, 0x22, (n), 0x13, 0x27)

/* The makes of machine that a test is run on. */
static const struct make {
	const char *name;
	tl_u32 without;
	bool inserted, passes;
} makes[] = {
	{"all ways", 0, false, false},
	{"no carrying out", TL_CAN_CARRY_OUT, false, false},
	{"others held", TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE, false, false},
	{"no step", TL_CAN_STEP, false, false},
	{"no step, others held", TL_CAN_STEP | TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE, false, false},
	{"inserted", TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE, true, false},
	{"inserted and passed", 0, true, true},
	{"inserted, no step", TL_CAN_STEP | TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE, true, false},
	{"no allocation", TL_CAN_CARRY_OUT | TL_CAN_ALLOCATE, false, false},
};

static bool make_machine(struct machine *machine, const struct make *make)
{
	struct tl_scripted_options options = machine_options();

	options.without = make->without;
	options.points_inserted = make->inserted;
	options.passes_points = make->passes;
	return machine_make(machine, &options);
}

/* Runs `body` on every make of machine, naming the one that fails. */
static void on_every_make(void (*body)(struct machine *machine))
{
	for (size_t i = 0; i < TL_COUNT(makes); i++) {
		struct machine machine;
		unsigned before = test_failures;

		REQUIRE(make_machine(&machine, &makes[i]));
		body(&machine);
		MACHINE_END(&machine);
		if (test_failures != before)
			printf("  … on the machine \"%s\"\n", makes[i].name);
	}
}

static void step_through(struct machine *machine)
{
	static const tl_u64 path[] = {LOOP + 4,        LOOP_STORE, LOOP_CALL,     FUNCTION, FUNCTION_POP,
				      FUNCTION_RETURN, LOOP_BACK,  LOOP_BACK + 1, LOOP};
	struct tl_report report;

	for (size_t i = 0; i < TL_COUNT(path); i++) {
		REQUIRE(machine_step(machine, machine->main, &report));
		CHECK_EQUAL(report.event.kind, TL_EVENT_STEPPED);
		CHECK_EQUAL(machine_pc(machine, machine->main), path[i]);
	}
}

TEST(steps_follow_the_program)
{
	on_every_make(step_through);
}

static void conditions_all_over(struct machine *machine)
{
	struct tl_report report;

	for (tl_u64 address = LOOP; address <= LOOP + 4; address += 4)
		CHECK_EQUAL(machine_insert_with(machine, address, NEVER, NULL), TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, LOOP_STORE, NEVER, NULL), TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, LOOP_CALL, NEVER, NULL), TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, FUNCTION, NEVER, NULL), TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, FUNCTION_POP, NEVER, NULL), TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, FUNCTION_RETURN, NEVER, NULL), TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, LOOP_BACK, DATA_IS(5), NULL), TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, LOOP_BACK + 1, NEVER, NULL), TL_OK);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
	CHECK_EQUAL(machine_pc(machine, machine->main), LOOP_BACK);
	CHECK_EQUAL(machine_word(machine, DATA), 5);
	CHECK_EQUAL(tl_scripted_register(machine->scripted, machine->main, tl_cpu_x86_64.stack_pointer), STACK_TOP);
}

TEST(every_instruction_is_passed)
{
	on_every_make(conditions_all_over);
}

static void threads_all_over(struct machine *machine)
{
	struct tl_thread_id ids[6];
	struct tl_report report;

	for (unsigned i = 0; i < 6; i++)
		REQUIRE(tl_scripted_add_thread(machine->scripted, machine->process, i % 2 ? SPIN : LOOP, &ids[i]) ==
			TL_OK);
	conditions_all_over(machine);
	CHECK_EQUAL(machine_insert_with(machine, SPIN, NEVER, NULL), TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, SPIN + 1, NEVER, NULL), TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, LOOP_BACK, NEVER, NULL), TL_OK);
	for (unsigned i = 0; i < 5; i++) {
		REQUIRE(machine_continue(machine) == TL_OK);
		machine_turns(machine, 500 + 17 * i);
		CHECK(!machine->ready);
		INTERRUPT(machine, &report);
		for (unsigned n = 0; n < 6; n++) {
			tl_u64 at = machine_pc(machine, ids[n]);

			/* Copies never show. */
			CHECK(at >= LOOP && at < CODE_END);
		}
	}
}

TEST(every_instruction_is_passed_by_many)
{
	on_every_make(threads_all_over);
}

static void step_from_a_passed_point(struct machine *machine)
{
	struct tl_report report;

	tl_engine_settings(machine->engine)->pass_reported = true;
	BREAK_AT(machine, FUNCTION);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
	REQUIRE(machine_step(machine, machine->main, &report));
	CHECK_EQUAL(report.event.kind, TL_EVENT_STEPPED);
	CHECK_EQUAL(machine_pc(machine, machine->main), FUNCTION_POP);
	REQUIRE(machine_go(machine, &report));
	CHECK_EQUAL(machine_word(machine, DATA), 2);
}

TEST(step_over_a_breakpoint)
{
	on_every_make(step_from_a_passed_point);
}

/* The access, or the arrival at the next instruction, is noticed by points that do not stop: the step is one step. */
static void step_beside_points_that_do_not_stop(struct machine *machine)
{
	struct tl_point_request watch = {.kind = TL_POINT_WRITE, .address = DATA, .size = 8};
	struct tl_point_request next = {.kind = TL_POINT_HARDWARE, .address = WRITER, .size = 1};
	const struct tl_bytecode_list never = {NEVER, 1};
	struct tl_report report;

	watch.conditions = next.conditions = never;
	CHECK_EQUAL(tl_engine_insert_point(machine->engine, machine->process, &watch), TL_OK);
	CHECK_EQUAL(tl_engine_insert_point(machine->engine, machine->process, &next), TL_OK);
	machine_set_pc(machine, machine->main, WRITER);
	for (unsigned i = 0; i < 6; i++) {
		REQUIRE(machine_step(machine, machine->main, &report));
		CHECK_EQUAL(report.event.kind, TL_EVENT_STEPPED);
		CHECK_EQUAL(machine_pc(machine, machine->main), i % 2 == 0 ? WRITER + 8 : WRITER);
	}
}

TEST(a_step_beside_points_that_do_not_stop_is_one_step)
{
	on_every_make(step_beside_points_that_do_not_stop);
}

/* The target is asked once to stop a thread, however often its clients ask for it: it counts that as its contract. */
TEST(a_step_over_a_point_is_asked_to_stop_once)
{
	struct make held = makes[2];
	struct machine machine;
	struct tl_report report;

	REQUIRE(make_machine(&machine, &held));
	NON_STOP(&machine);
	/* The call under the point blocks, so that there is time to ask. */
	machine_set_pc(&machine, machine.main, WAITER);
	CHECK_EQUAL(machine_insert_with(&machine, WAITER + 5, NEVER, NULL), TL_OK);
	REQUIRE(machine_continue(&machine) == TL_OK);
	machine_turns(&machine, 10);
	CHECK_EQUAL(machine_act(&machine, everyone, TL_ACTION_STOP, 0), TL_OK);
	CHECK_EQUAL(machine_act(&machine, everyone, TL_ACTION_STOP, 0), TL_OK);
	tl_engine_interrupt(machine.engine);
	REQUIRE(machine_run(&machine, &report));
	CHECK(!tl_engine_take_report(machine.engine, &report));
	MACHINE_END(&machine);
}

static void signal_upon_a_point(struct machine *machine)
{
	struct tl_report report;

	tl_engine_settings(machine->engine)->pass_reported = true;
	CHECK_EQUAL(machine_insert_with(machine, FUNCTION, NEVER, NULL), TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, LOOP_BACK, DATA_IS(40), NULL), TL_OK);
	for (unsigned i = 0; i < 30; i++) {
		REQUIRE(machine_continue(machine) == TL_OK);
		machine_turns(machine, i);
		HAPPENS(machine, machine->main, TL_SCRIPTED_SIGNAL, 10, 0);
		REQUIRE(machine_run(machine, &report));
		if (report.event.kind == TL_EVENT_TRAP) /* there already; the signal comes with the next */
			GO_UNTIL(machine, &report, TL_EVENT_SIGNAL);
		CHECK_EQUAL(report.event.signal, 10);
		CHECK(machine_pc(machine, machine->main) >= LOOP && machine_pc(machine, machine->main) < CODE_END);
	}
}

TEST(signals_in_the_middle_of_a_pass)
{
	on_every_make(signal_upon_a_point);
}

static void end_upon_a_point(struct machine *machine)
{
	struct tl_thread_id ids[8];
	struct tl_report report;

	for (unsigned i = 0; i < 8; i++)
		REQUIRE(tl_scripted_add_thread(machine->scripted, machine->process, SPIN, &ids[i]) == TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, SPIN, NEVER, NULL), TL_OK);
	machine_set_pc(machine, machine->main, WAITER);
	for (unsigned i = 0; i < 8; i++) {
		REQUIRE(machine_continue(machine) == TL_OK);
		/* Threads end at each point of their way over the breakpoint. */
		for (unsigned n = 0; n < 3 + i; n++)
			(void)tl_scripted_turn(machine->scripted);
		(void)!tl_scripted_do(machine->scripted, ids[i], TL_SCRIPTED_EXIT_THREAD, 0, 0);
		machine_turns(machine, 50);
		INTERRUPT(machine, &report);
	}
}

TEST(threads_end_in_the_middle_of_a_pass)
{
	on_every_make(end_upon_a_point);
}

static void range_step(struct machine *machine)
{
	struct tl_action action = {
		.filter = machine->main, .kind = TL_ACTION_RANGE, .start = FIVE_NOPS, .end = FIVE_NOPS_END};
	struct tl_report report;

	machine_set_pc(machine, machine->main, FIVE_NOPS);
	CHECK_EQUAL(tl_engine_resume(machine->engine, &action, 1), TL_OK);
	RUN_UNTIL(machine, &report, TL_EVENT_STEPPED);
	CHECK_EQUAL(machine_pc(machine, machine->main), FIVE_NOPS_END);
	CHECK_EQUAL(tl_engine_counters(machine->engine)->reports, 1);
}

TEST(range_steps_tell_at_the_end)
{
	on_every_make(range_step);
}

static void range_step_meets_a_point(struct machine *machine)
{
	struct tl_action action = {
		.filter = machine->main, .kind = TL_ACTION_RANGE, .start = FIVE_NOPS, .end = FIVE_NOPS_END};
	struct tl_report report;

	machine_set_pc(machine, machine->main, FIVE_NOPS);
	CHECK_EQUAL(machine_insert_with(machine, FIVE_NOPS + 1, NEVER, NULL), TL_OK);
	BREAK_AT(machine, FIVE_NOPS + 3);
	CHECK_EQUAL(tl_engine_resume(machine->engine, &action, 1), TL_OK);
	REQUIRE(machine_run(machine, &report));
	CHECK_EQUAL(machine_pc(machine, machine->main), FIVE_NOPS + 3);
	CHECK(report.event.kind == TL_EVENT_TRAP || report.event.kind == TL_EVENT_STEPPED);
}

TEST(range_steps_stop_at_breakpoints)
{
	on_every_make(range_step_meets_a_point);
}

static void range_step_interrupted(struct machine *machine)
{
	struct tl_action action = {.filter = machine->main, .kind = TL_ACTION_RANGE, .start = LOOP, .end = CODE_END};
	struct tl_report report;

	CHECK_EQUAL(tl_engine_resume(machine->engine, &action, 1), TL_OK);
	machine_turns(machine, 200);
	CHECK(!machine->ready);
	INTERRUPT(machine, &report);
}

TEST(range_steps_are_interrupted)
{
	on_every_make(range_step_interrupted);
}

static void steps_beside_others(struct machine *machine)
{
	struct tl_thread_id ids[4];
	struct tl_action actions[2];
	struct tl_report report;

	for (unsigned i = 0; i < 4; i++)
		REQUIRE(tl_scripted_add_thread(machine->scripted, machine->process, SPIN, &ids[i]) == TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, SPIN, NEVER, NULL), TL_OK);
	actions[0] = (struct tl_action){.filter = machine->main, .kind = TL_ACTION_STEP};
	actions[1] = (struct tl_action){.filter = everyone, .kind = TL_ACTION_CONTINUE};
	for (unsigned i = 0; i < 18; i++) {
		tl_u64 before = machine_pc(machine, machine->main);

		CHECK_EQUAL(tl_engine_resume(machine->engine, actions, 2), TL_OK);
		RUN_UNTIL(machine, &report, TL_EVENT_STEPPED);
		CHECK_EQUAL(report.event.thread.thread, machine->main.thread);
		CHECK(machine_pc(machine, machine->main) != before);
	}
	CHECK_EQUAL(machine_word(machine, DATA), 2);
}

TEST(steps_while_others_run)
{
	on_every_make(steps_beside_others);
}

MACHINE_TEST(only_the_stepped_thread_moves)
{
	struct tl_thread_id id;
	struct tl_report report;
	struct tl_scripted_thread_info info;

	REQUIRE(machine_threads(machine, SPIN, &id, 1));
	for (unsigned i = 0; i < 10; i++)
		REQUIRE(machine_step(machine, machine->main, &report));
	CHECK(tl_scripted_thread(machine->scripted, id, &info) && info.executed == 0);
}

static void step_a_call(struct machine *machine)
{
	struct tl_report report;

	machine_set_pc(machine, machine->main, CALLER_SYSCALL);
	REQUIRE(machine_step(machine, machine->main, &report));
	CHECK_EQUAL(report.event.kind, TL_EVENT_STEPPED);
	CHECK_EQUAL(machine_pc(machine, machine->main), CALLER_SYSCALL + 2);
}

TEST(system_calls_are_stepped)
{
	on_every_make(step_a_call);
}

static void call_under_a_point(struct machine *machine)
{
	struct tl_report report;

	machine_set_pc(machine, machine->main, CALLER);
	CHECK_EQUAL(machine_insert_with(machine, CALLER_SYSCALL, NEVER, NULL), TL_OK);
	BREAK_AT(machine, CALLER_SYSCALL + 2);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
	CHECK_EQUAL(machine_pc(machine, machine->main), CALLER_SYSCALL + 2);
}

TEST(system_calls_under_breakpoints)
{
	on_every_make(call_under_a_point);
}

static void blocking_call_under_a_point(struct machine *machine)
{
	struct tl_thread_id id;
	struct tl_report report;

	/* One thread blocks in a call whose instruction has a breakpoint; the other must go on all the same. */
	REQUIRE(tl_scripted_add_thread(machine->scripted, machine->process, WAITER, &id) == TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, WAITER + 5, NEVER, NULL), TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, LOOP_BACK, DATA_IS(20), NULL), TL_OK);
	REQUIRE(machine_continue(machine) == TL_OK);
	/* Where the others have to be held for the step, they stay so until the call returns; an interrupt still works.
	 */
	if (!machine_run(machine, &report)) {
		CHECK_EQUAL(tl_engine_counters(machine->engine)->ways[TL_WAY_HELD] > 0, true);
		INTERRUPT(machine, &report);
		return;
	}
	CHECK_EQUAL(machine_pc(machine, machine->main), LOOP_BACK);
}

TEST(blocking_calls_under_breakpoints)
{
	on_every_make(blocking_call_under_a_point);
}

TEST(ways_are_taken_as_the_target_allows)
{
	static const enum tl_way ways[] = {TL_WAY_CARRIED_OUT, TL_WAY_OUT_OF_LINE, TL_WAY_HELD};
	static const tl_u32 without[] = {0, TL_CAN_CARRY_OUT, TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE};

	for (size_t i = 0; i < TL_COUNT(ways); i++) {
		struct tl_scripted_options options = machine_options();
		struct machine machine;
		struct tl_report report;

		options.without = without[i];
		REQUIRE(machine_make(&machine, &options));
		CHECK_EQUAL(machine_insert_with(&machine, FUNCTION, NEVER, NULL), TL_OK);
		CHECK_EQUAL(machine_insert_with(&machine, LOOP_BACK, DATA_IS(3), NULL), TL_OK);
		REQUIRE(machine_go(&machine, &report));
		CHECK_EQUAL(tl_engine_counters(machine.engine)->ways[ways[i]], 5);
		MACHINE_END(&machine);
	}
}

/* A point that the target puts in, taken out and put in again by its client while a thread steps over it. */
TEST(a_point_comes_and_goes_amid_the_step_over_it)
{
	for (unsigned again = 0; again < 2; again++) {
		struct tl_scripted_options options = machine_options();
		struct machine machine;
		struct tl_thread_info info = {0};
		struct tl_report report;

		options.without = TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE;
		options.points_inserted = true;
		REQUIRE(machine_make(&machine, &options));
		CHECK_EQUAL(machine_insert_with(&machine, LOOP_STORE, NEVER, NULL), TL_OK);
		REQUIRE(machine_continue(&machine) == TL_OK);
		for (unsigned turns = 0; turns < 100 && info.state != TL_THREAD_OVER; turns++) {
			(void)tl_scripted_turn(machine.scripted);
			REQUIRE(tl_engine_find_thread(machine.engine, machine.main, &info));
		}
		REQUIRE(info.state == TL_THREAD_OVER);
		UNBREAK_AT(&machine, LOOP_STORE);
		if (again != 0)
			BREAK_AT(&machine, LOOP_STORE);
		if (again != 0) {
			RUN_UNTIL(&machine, &report, TL_EVENT_TRAP);
			CHECK_EQUAL(report.event.address, LOOP_STORE);
		} else {
			machine_turns(&machine, 100);
			CHECK(!machine.ready);
		}
		MACHINE_END(&machine);
	}
}

/* ---- Sequences ---- */

/* A CPU to whom SPIN is inside an exclusive sequence, which has no store, and leaves all but jumps to the machine. */
static bool is_spin(tl_u64 address, const struct tl_memory_access *memory)
{
	(void)memory;
	return address == SPIN;
}

static enum tl_status decode_for_the_machine(const tl_u8 *bytes, tl_size size, struct tl_instruction *instruction_ret)
{
	TL_TRY(tl_cpu_x86_64.decode(bytes, size, instruction_ret));
	instruction_ret->carried_out &= instruction_ret->flow != TL_FLOW_NEXT;
	return TL_OK;
}

static enum tl_status carry_out_no_exclusive(tl_u8 *file, const tl_u8 *bytes, tl_size size,
					     const struct tl_memory_access *memory, struct tl_reservation *reservation)
{
	(void)file;
	(void)bytes;
	(void)size;
	(void)memory;
	(void)reservation;
	return TL_ERROR_INSTRUCTION;
}

/* As a lock is waited for whose owner is held for the waiter's sake; at a breakpoint of either kind. */
TEST(who_is_led_through_a_sequence_without_end_lets_others_run)
{
	static const enum tl_point_kind kinds[] = {TL_POINT_SOFTWARE, TL_POINT_HARDWARE};

	for (unsigned n = 0; n < TL_COUNT(kinds); n++) {
		struct tl_point_request request = {.kind = kinds[n], .address = SPIN, .size = 1};
		struct tl_cpu cpu = tl_cpu_x86_64;
		struct tl_scripted_options options = machine_options();
		struct machine machine;
		tl_u64 before, after;

		cpu.in_sequence = is_spin;
		cpu.decode = decode_for_the_machine;
		cpu.carry_out_exclusive = carry_out_no_exclusive;
		options.cpu = &cpu;
		request.conditions = (struct tl_bytecode_list){NEVER, 1};
		REQUIRE(machine_make(&machine, &options));
		REQUIRE(machine_thread(&machine, SPIN).thread != 0);
		REQUIRE(tl_engine_insert_point(machine.engine, machine.process, &request) == TL_OK);
		REQUIRE(machine_continue(&machine) == TL_OK);
		REQUIRE(machine_let_run(&machine, 1000));
		before = machine_word(&machine, DATA);
		REQUIRE(machine_let_run(&machine, 10000));
		after = machine_word(&machine, DATA);
		CHECK(after > before + 2);
		CHECK(tl_engine_counters(machine.engine)->ways[TL_WAY_SEQUENCE] > 1);
		MACHINE_END(&machine);
	}
}
