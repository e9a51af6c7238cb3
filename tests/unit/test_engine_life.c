/* The engine: processes that begin, fork, exec and end, and what is left behind when it leaves them. */
#include "tests/unit/engine_machine.h"

/* printf("n=%d\n", word at DATA) */
#define PRINT CODE(0x24, 0, 0, 0x20, 0, 0x1a, 0x22, 0, 0x22, 0, 0x34, 1, 0, 6, 'n', '=', '%', 'd', '\n', 0, 0x27)
/* An error: memory that is not there. */
#define IN_ERROR CODE(0x22, 8, 0x1a, 0x27)

static tl_u8 raw_byte(struct machine *machine, tl_u64 process, tl_u64 address)
{
	tl_u8 byte = 0;

	(void)tl_scripted_peek(machine->scripted, process, address, &byte, 1);
	return byte;
}

/* Detaches from every process, checking each. */
static void leave_all(struct machine *machine)
{
	tl_u64 process;

	CHECK(machine_pause(machine));
	while ((process = tl_engine_next_process(machine->engine, 0)) != 0) {
		CHECK_EQUAL(tl_engine_detach(machine->engine, process, 0, 0), TL_OK);
		CHECK(machine_pristine(machine, process));
	}
}

TEST(detach_restores_and_lets_go)
{
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_report report;
	struct tl_scripted_process_info info;

	REQUIRE(machine_make(&machine, &options));
	BREAK_AT(&machine, FUNCTION);
	CHECK_EQUAL(machine_insert(&machine, TL_POINT_WRITE, DATA, 8), TL_OK);
	REQUIRE(machine_go(&machine, &report));
	CHECK_EQUAL(tl_engine_detach(machine.engine, machine.process, 0, 0), TL_OK);
	CHECK(machine_pristine(&machine, machine.process));
	CHECK_EQUAL(tl_engine_next_process(machine.engine, 0), 0);
	machine_turns(&machine, 100);
	CHECK(tl_scripted_process(machine.scripted, machine.process, &info) && info.alive && !info.traced);
	CHECK(machine_word(&machine, DATA) > 5);
	machine_free(&machine);
}

TEST(detach_stores_written_registers)
{
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	tl_u16 rdi;
	tl_u8 *file;

	REQUIRE(machine_make(&machine, &options));
	REQUIRE(tl_cpu_find(&tl_cpu_x86_64, "rdi", &rdi) == TL_OK);
	REQUIRE(tl_engine_registers(machine.engine, machine.main, 1, &file) == TL_OK);
	tl_cpu_set(&tl_cpu_x86_64, file, rdi, 1000);
	CHECK_EQUAL(tl_engine_registers_changed(machine.engine, machine.main, 1), TL_OK);
	CHECK_EQUAL(tl_engine_detach(machine.engine, machine.process, 0, 0), TL_OK);
	machine_turns(&machine, 5);
	CHECK_EQUAL(machine_word(&machine, DATA), 1001);
	machine_free(&machine);
}

TEST(detach_with_a_thread_upon_its_hit)
{
	/* The hit of a thread that nobody was told of: its program counter must stand at the instruction. */
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_thread_id ids[5];
	struct tl_report report;
	struct tl_scripted_thread_info info;

	REQUIRE(machine_make(&machine, &options));
	REQUIRE(machine_threads(&machine, SPIN, ids, 5));
	BREAK_AT(&machine, SPIN);
	REQUIRE(machine_go(&machine, &report));
	CHECK_EQUAL(tl_engine_detach(machine.engine, machine.process, 0, 0), TL_OK);
	for (unsigned i = 0; i < 5; i++)
		CHECK(tl_scripted_thread(machine.scripted, ids[i], &info) && info.program_counter == SPIN);
	CHECK(machine_pristine(&machine, machine.process));
	machine_free(&machine);
}

TEST(detach_with_a_signal)
{
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_report report;
	struct tl_scripted_process_info info;

	REQUIRE(machine_make(&machine, &options));
	HAPPENS(&machine, machine.main, TL_SCRIPTED_SIGNAL, 12, 0);
	REQUIRE(machine_go(&machine, &report));
	CHECK_EQUAL(tl_engine_detach(machine.engine, machine.process, machine.main.thread, 12), TL_OK);
	machine_turns(&machine, 5);
	CHECK(tl_scripted_process(machine.scripted, machine.process, &info) && !info.alive && info.signal == 12);
	machine_free(&machine);
}

TEST(detach_amid_copies)
{
	/* Threads are caught in the middle of copies; areas are given back, and everyone goes on in the original. */
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_thread_id ids[8];
	struct tl_scripted_thread_info info;

	options.without = TL_CAN_CARRY_OUT;
	for (unsigned turns = 1; turns < 60; turns++) {
		REQUIRE(machine_make(&machine, &options));
		REQUIRE(machine_threads(&machine, LOOP, ids, 8));
		CHECK_EQUAL(machine_insert_with(&machine, LOOP_CALL, NEVER, NULL), TL_OK);
		CHECK_EQUAL(machine_insert_with(&machine, FUNCTION, NEVER, NULL), TL_OK);
		REQUIRE(machine_continue(&machine) == TL_OK);
		machine_turns(&machine, turns);
		leave_all(&machine);
		for (unsigned i = 0; i < 8; i++) {
			CHECK(tl_scripted_thread(machine.scripted, ids[i], &info));
			CHECK(info.program_counter >= LOOP && info.program_counter < CODE_END);
		}
		machine_turns(&machine, 200);
		for (unsigned i = 0; i < 8; i++)
			CHECK(tl_scripted_thread(machine.scripted, ids[i], &info) && info.executed > 0);
		machine_free(&machine);
	}
}

MACHINE_TEST(kill_ends_the_process)
{
	struct tl_report report;
	struct tl_scripted_process_info info;

	BREAK_AT(machine, FUNCTION);
	REQUIRE(machine_go(machine, &report));
	CHECK_EQUAL(tl_engine_kill(machine->engine, machine->process), TL_OK);
	CHECK(tl_scripted_process(machine->scripted, machine->process, &info) && !info.alive);
	CHECK_EQUAL(tl_engine_kill(machine->engine, machine->process), TL_ERROR_NO_PROCESS);
	CHECK_EQUAL(tl_engine_detach(machine->engine, machine->process, 0, 0), TL_ERROR_NO_PROCESS);
}

MACHINE_TEST(attach_stops_all_and_tells_once)
{
	struct tl_target *target;
	struct tl_thread_id ids[3];
	struct tl_report report;
	const char *detail = NULL;
	tl_u64 process;

	target = tl_scripted_target(machine->scripted);
	CHECK_EQUAL(tl_engine_kill(machine->engine, machine->process), TL_OK);
	REQUIRE(tl_scripted_start_free(machine->scripted, &process) == TL_OK);
	for (unsigned i = 0; i < 3; i++)
		REQUIRE(tl_scripted_add_thread(machine->scripted, process, SPIN, &ids[i]) == TL_OK);
	machine_turns(machine, 30);
	CHECK_EQUAL(target->ops->attach(target, process, &detail), TL_OK);
	REQUIRE(machine_run(machine, &report));
	CHECK_EQUAL(report.event.thread.process, process);
	CHECK_EQUAL(report.event.kind, TL_EVENT_PAUSED);
	CHECK(tl_engine_quiet(machine->engine));
	machine->process = process;
	machine->main = (struct tl_thread_id){process, process};
	BREAK_AT(machine, FUNCTION);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
}

MACHINE_TEST(fork_without_interest_frees_the_child)
{
	struct tl_scripted_process_info info;
	struct tl_report report;

	machine_set_pc(machine, machine->main, FORKER);
	BREAK_AT(machine, FUNCTION);
	CHECK_EQUAL(machine_insert_with(machine, FORKER_AFTER, NEVER, NULL), TL_OK);
	CHECK_EQUAL(machine_continue(machine), TL_OK);
	machine_turns(machine, 60);
	CHECK(!machine->ready);
	CHECK(tl_scripted_process(machine->scripted, 2, &info) && info.alive && !info.traced);
	CHECK_EQUAL(info.altered, 0);
	CHECK_EQUAL(tl_engine_next_process(machine->engine, machine->process), 0);
	/* The parent's are in place. */
	CHECK_EQUAL(raw_byte(machine, machine->process, FUNCTION), 0xcc);
	tl_engine_interrupt(machine->engine);
	REQUIRE(machine_run(machine, &report));
}

TEST(fork_is_told_and_points_are_copied)
{
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_thread_id child;
	struct tl_report report;

	REQUIRE(machine_make(&machine, &options));
	tl_engine_settings(machine.engine)->report_forks = true;
	machine_set_pc(&machine, machine.main, FORKER);
	BREAK_AT(&machine, FORKER_AFTER);
	GO_UNTIL(&machine, &report, TL_EVENT_FORK);
	child = report.event.child;
	CHECK_EQUAL(raw_byte(&machine, child.process, FORKER_AFTER), 0xcc);
	CHECK_EQUAL(tl_engine_next_process(machine.engine, machine.process), child.process);
	/* The child stops at the point as well. */
	CHECK_EQUAL(machine_act(&machine, (struct tl_thread_id){child.process, TL_ANY}, TL_ACTION_CONTINUE, 0), TL_OK);
	RUN_UNTIL(&machine, &report, TL_EVENT_TRAP);
	CHECK_EQUAL(report.event.thread.process, child.process);
	CHECK_EQUAL(machine_pc(&machine, child), FORKER_AFTER);
	/* Removing the parent's leaves the child's. */
	UNBREAK_AT(&machine, FORKER_AFTER);
	CHECK_EQUAL(raw_byte(&machine, machine.process, FORKER_AFTER), 0x90);
	CHECK_EQUAL(raw_byte(&machine, child.process, FORKER_AFTER), 0xcc);
	leave_all(&machine);
	CHECK_EQUAL(raw_byte(&machine, child.process, FORKER_AFTER), 0x90);
	machine_free(&machine);
}

MACHINE_TEST(fork_child_may_be_detached_first)
{
	struct tl_thread_id child;
	struct tl_report report;

	tl_engine_settings(machine->engine)->report_forks = true;
	machine_set_pc(machine, machine->main, FORKER);
	BREAK_AT(machine, FORKER_AFTER);
	REQUIRE(machine_go(machine, &report));
	child = report.event.child;
	CHECK_EQUAL(tl_engine_detach(machine->engine, child.process, 0, 0), TL_OK);
	CHECK_EQUAL(raw_byte(machine, child.process, FORKER_AFTER), 0x90);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
	CHECK_EQUAL(report.event.thread.process, machine->process);
}

static void check_vfork(bool told)
{
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_thread_id child;
	struct tl_report report;

	REQUIRE(machine_make(&machine, &options));
	tl_engine_settings(machine.engine)->report_vforks = told;
	machine_set_pc(&machine, machine.main, VFORKER);
	BREAK_AT(&machine, FUNCTION);
	REQUIRE(machine_continue(&machine) == TL_OK);
	if (told) {
		RUN_UNTIL(&machine, &report, TL_EVENT_VFORK);
		child = report.event.child;
		CHECK_EQUAL(tl_engine_detach(machine.engine, child.process, 0, 0), TL_OK);
		REQUIRE(machine_continue(&machine) == TL_OK);
	} else {
		machine_turns(&machine, 20);
		child = (struct tl_thread_id){2, 2};
	}
	/* The child runs free in the shared memory: no trap may be in it. */
	CHECK_EQUAL(raw_byte(&machine, machine.process, FUNCTION), 0x55);
	machine_turns(&machine, 20);
	HAPPENS(&machine, child, TL_SCRIPTED_EXIT_PROCESS, 0, 0);
	if (told) {
		RUN_UNTIL(&machine, &report, TL_EVENT_VFORK_DONE);
	} else {
		machine_turns(&machine, 20);
		CHECK(!machine.ready);
	}
	CHECK_EQUAL(raw_byte(&machine, machine.process, FUNCTION), 0xcc);
	MACHINE_END(&machine);
}

TEST(vfork_lifts_points_until_done)
{
	check_vfork(false);
}

TEST(vfork_is_told)
{
	check_vfork(true);
}

TEST(vfork_child_followed_to_exec)
{
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_thread_id child;
	struct tl_report report;

	REQUIRE(machine_make(&machine, &options));
	tl_engine_settings(machine.engine)->report_vforks = true;
	tl_engine_settings(machine.engine)->report_execs = true;
	machine_set_pc(&machine, machine.main, VFORKER);
	BREAK_AT(&machine, VFORKER_AFTER);
	GO_UNTIL(&machine, &report, TL_EVENT_VFORK);
	child = report.event.child;
	/* It hits the shared point. */
	CHECK_EQUAL(machine_act(&machine, child, TL_ACTION_CONTINUE, 0), TL_OK);
	RUN_UNTIL(&machine, &report, TL_EVENT_TRAP);
	CHECK_EQUAL(report.event.thread.process, child.process);
	/* It execs, and has a memory of its own, without points. */
	tl_engine_settings(machine.engine)->pass_reported = true;
	machine_set_pc(&machine, child, SPIN);
	CHECK_EQUAL(machine_continue(&machine), TL_OK);
	machine_turns(&machine, 4);
	HAPPENS(&machine, child, TL_SCRIPTED_EXEC, 0, 0);
	RUN_UNTIL(&machine, &report, TL_EVENT_EXEC);
	CHECK_EQUAL(raw_byte(&machine, child.process, VFORKER_AFTER), 0x90);
	CHECK_EQUAL(raw_byte(&machine, machine.process, VFORKER_AFTER), 0xcc);
	leave_all(&machine);
	machine_free(&machine);
}

MACHINE_TEST(exec_leaves_one_thread_and_no_points)
{
	struct tl_thread_id ids[4];
	struct tl_report report;
	struct tl_point_info point;
	struct tl_thread_info info;

	tl_engine_settings(machine->engine)->report_execs = true;
	REQUIRE(machine_threads(machine, SPIN, ids, 4));
	BREAK_AT(machine, FUNCTION);
	CHECK_EQUAL(machine_insert(machine, TL_POINT_WRITE, DATA + 0x80, 8), TL_OK);
	REQUIRE(machine_continue(machine) == TL_OK);
	machine_turns(machine, 3);
	/* By a thread that is not the first: it takes the first one's number. */
	HAPPENS(machine, ids[2], TL_SCRIPTED_EXEC, 0, 0);
	RUN_UNTIL(machine, &report, TL_EVENT_EXEC);
	CHECK_EQUAL(report.event.thread.thread, machine->main.thread);
	CHECK(tl_engine_next_thread(machine->engine, (struct tl_thread_id){0, 0}, &info));
	CHECK(!tl_engine_next_thread(machine->engine, info.id, &info));
	CHECK(!tl_engine_point(machine->engine, 0, &point));
	CHECK_EQUAL(machine_pc(machine, machine->main), LOOP);
	BREAK_AT(machine, FUNCTION);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
	CHECK_EQUAL(machine_word(machine, DATA), 1);
}

TEST(exec_by_the_only_thread_that_was_resumed)
{
	/* It takes the number of the first, which stood: the exec is told all the same, or (1) the program runs on. */
	for (unsigned untold = 0; untold < 2; untold++) {
		struct tl_scripted_options options = machine_options();
		struct machine machine;
		struct tl_thread_id other;
		struct tl_report report;

		REQUIRE(machine_make(&machine, &options));
		tl_engine_settings(machine.engine)->report_execs = untold == 0;
		REQUIRE(machine_threads(&machine, SPIN, &other, 1));
		REQUIRE(machine_step(&machine, machine.main, &report));
		CHECK_EQUAL(machine_act(&machine, other, TL_ACTION_CONTINUE, 0), TL_OK);
		HAPPENS(&machine, other, TL_SCRIPTED_EXEC, 0, 0);
		if (untold == 0) {
			RUN_UNTIL(&machine, &report, TL_EVENT_EXEC);
			CHECK_EQUAL(report.event.thread.thread, machine.main.thread);
		} else {
			machine_turns(&machine, 50);
			CHECK(!machine.ready);
			CHECK(machine_word(&machine, DATA) > 2);
			INTERRUPT(&machine, &report);
		}
		MACHINE_END(&machine);
	}
}

MACHINE_TEST(exec_while_parking)
{
	struct tl_thread_id ids[2];
	struct tl_report report;

	REQUIRE(machine_threads(machine, SPIN, ids, 2));
	HAPPENS(machine, ids[0], TL_SCRIPTED_DELAY_STOPS, 100, 0);
	REQUIRE(machine_continue(machine) == TL_OK);
	tl_engine_interrupt(machine->engine);
	machine_turns(machine, 2);
	HAPPENS(machine, ids[0], TL_SCRIPTED_EXEC, 0, 0);
	REQUIRE(machine_run(machine, &report));
	CHECK(tl_engine_quiet(machine->engine));
}

TEST(exec_by_the_thread_that_steps_over_a_point)
{
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_thread_id ids[3];
	struct tl_report report;

	options.without = TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE;
	for (unsigned turns = 1; turns < 40; turns++) {
		REQUIRE(machine_make(&machine, &options));
		REQUIRE(machine_threads(&machine, SPIN, ids, 3));
		CHECK_EQUAL(machine_insert_with(&machine, SPIN, NEVER, NULL), TL_OK);
		machine_set_pc(&machine, machine.main, SPIN);
		REQUIRE(machine_continue(&machine) == TL_OK);
		machine_turns(&machine, turns);
		for (unsigned i = 0; i < 3; i++)
			if (tl_scripted_do(machine.scripted, ids[i], TL_SCRIPTED_EXEC, 0, 0) == TL_OK)
				break;
		machine_turns(&machine, 20);
		INTERRUPT(&machine, &report);
		MACHINE_END(&machine);
	}
}

/* ---- Left to itself ---- */

static enum tl_status insert_command(struct machine *machine, tl_u64 address, const struct tl_agent_code *command,
				     bool persist)
{
	struct tl_point_request request = {
		.kind = TL_POINT_SOFTWARE, .address = address, .size = 1, .commands = {command, 1}, .persist = persist};

	return tl_engine_insert_point(machine->engine, machine->process, &request);
}

/* Attends to the process again and waits for the report that it owes. */
static bool attend(struct machine *machine, struct tl_report *report)
{
	return tl_engine_attend(machine->engine, machine->process) == TL_OK && machine_run(machine, report);
}

MACHINE_TEST(a_process_left_to_itself_keeps_what_persists)
{
	struct tl_thread_info info;
	struct tl_thread_id id;
	struct tl_report report;
	tl_size printed;

	CHECK(!tl_engine_persists(machine->engine, machine->process));
	CHECK_EQUAL(insert_command(machine, FUNCTION_POP, PRINT, false), TL_OK);
	CHECK(!tl_engine_persists(machine->engine, machine->process));
	CHECK_EQUAL(insert_command(machine, FUNCTION, PRINT, true), TL_OK);
	BREAK_AT(machine, LOOP_CALL);
	CHECK_EQUAL(machine_insert(machine, TL_POINT_WRITE, DATA, 8), TL_OK);
	CHECK(tl_engine_persists(machine->engine, machine->process));
	REQUIRE(machine_go(machine, &report));
	CHECK_EQUAL(tl_engine_unattend(machine->engine, 9, 0, 0), TL_ERROR_NO_PROCESS);
	CHECK_EQUAL(tl_engine_attend(machine->engine, machine->process), TL_ERROR_NO_PROCESS);
	REQUIRE(tl_engine_unattend(machine->engine, machine->process, 0, 0) == TL_OK);
	CHECK_EQUAL(tl_engine_unattend(machine->engine, machine->process, 0, 0), TL_ERROR_NO_PROCESS);
	CHECK_EQUAL(raw_byte(machine, machine->process, FUNCTION), 0xcc);
	CHECK_EQUAL(raw_byte(machine, machine->process, FUNCTION_POP), 0x5d);
	CHECK_EQUAL(raw_byte(machine, machine->process, LOOP_CALL), 0xe8);
	/* Nobody sees it, and nobody waits for it. */
	CHECK_EQUAL(tl_engine_next_process(machine->engine, 0), 0);
	CHECK_EQUAL(tl_engine_next_unattended(machine->engine, 0), machine->process);
	CHECK(!tl_engine_next_thread(machine->engine, (struct tl_thread_id){0, 0}, &info));
	CHECK(!tl_engine_find_thread(machine->engine, machine->main, &info));
	CHECK(!tl_engine_stopped_thread(machine->engine, TL_ANY, &id));
	CHECK(tl_engine_quiet(machine->engine));
	CHECK_EQUAL(machine_continue(machine), TL_ERROR_NO_THREAD);
	machine_turns(machine, 100);
	CHECK(machine->output_size > 10);
	/* A new client: its settings go, and what persists stays. */
	tl_engine_reset_client(machine->engine);
	tl_engine_pause(machine->engine);
	printed = machine->output_size;
	machine_turns(machine, 100);
	CHECK(machine->output_size > printed);
	REQUIRE(attend(machine, &report));
	CHECK_EQUAL(report.event.kind, TL_EVENT_PAUSED);
	CHECK_EQUAL(report.event.thread.thread, machine->main.thread);
	CHECK_EQUAL(tl_engine_next_process(machine->engine, 0), machine->process);
	CHECK(tl_engine_persists(machine->engine, machine->process));
	UNBREAK_AT(machine, FUNCTION);
}

TEST(what_comes_to_a_process_left_to_itself_is_the_programs)
{
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_scripted_process_info info;
	struct tl_thread_id forker;
	struct tl_report report;

	REQUIRE(machine_make(&machine, &options));
	tl_engine_settings(machine.engine)->report_forks = true;
	tl_engine_settings(machine.engine)->report_threads = true;
	CHECK_EQUAL(insert_command(&machine, FUNCTION, IN_ERROR, true), TL_OK);
	CHECK_EQUAL(insert_command(&machine, FORKER_AFTER, PRINT, true), TL_OK);
	REQUIRE(machine_threads(&machine, FORKER, &forker, 1));
	REQUIRE(tl_engine_unattend(machine.engine, machine.process, 0, 0) == TL_OK);
	machine_turns(&machine, 200);
	/* The child of its fork has run on without a trap, and commands in error stop nobody. */
	CHECK(tl_scripted_process(machine.scripted, 3, &info) && info.alive && !info.traced && info.altered == 0);
	CHECK(machine_word(&machine, DATA) > 5);
	HAPPENS(&machine, machine.main, TL_SCRIPTED_CLONE, SPIN, 0);
	machine_turns(&machine, 20);
	CHECK(!machine.ready);
	HAPPENS(&machine, machine.main, TL_SCRIPTED_SIGNAL, 12, 0);
	machine_turns(&machine, 20);
	CHECK(tl_scripted_process(machine.scripted, machine.process, &info) && !info.alive && info.signal == 12);
	CHECK_EQUAL(tl_engine_next_unattended(machine.engine, 0), 0);
	CHECK(!tl_engine_take_report(machine.engine, &report));
	CHECK(!machine.ready);
	machine_free(&machine);
}

TEST(a_signal_at_hand_goes_along_with_a_process_left_to_itself)
{
	/* Told to the client (0), or not told yet (1). */
	for (unsigned untold = 0; untold < 2; untold++) {
		struct tl_scripted_options options = machine_options();
		struct tl_scripted_process_info info;
		struct machine machine;
		struct tl_thread_id other;
		struct tl_report report;

		REQUIRE(machine_make(&machine, &options));
		CHECK_EQUAL(insert_command(&machine, FUNCTION, PRINT, true), TL_OK);
		REQUIRE(machine_threads(&machine, SPIN, &other, 1));
		HAPPENS(&machine, machine.main, TL_SCRIPTED_SIGNAL, 12, 0);
		if (untold == 0)
			REQUIRE(machine_go(&machine, &report));
		else
			REQUIRE(machine_continue(&machine) == TL_OK && machine_pause(&machine));
		CHECK_EQUAL(tl_engine_unattend(machine.engine, machine.process, untold ? 0 : machine.main.thread,
					       untold ? 0 : 12),
			    TL_OK);
		machine_turns(&machine, 20);
		CHECK(tl_scripted_process(machine.scripted, machine.process, &info) && !info.alive &&
		      info.signal == 12);
		machine_free(&machine);
	}
}

TEST(one_process_stops_and_goes_while_another_is_left_to_itself)
{
	for (unsigned non_stop = 0; non_stop < 2; non_stop++) {
		struct tl_scripted_options options = machine_options();
		struct machine machine;
		struct tl_thread_id child;
		struct tl_report report;
		tl_size printed;

		options.without = TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE;
		REQUIRE(machine_make(&machine, &options));
		tl_engine_settings(machine.engine)->report_forks = true;
		tl_engine_settings(machine.engine)->non_stop = non_stop != 0;
		CHECK_EQUAL(insert_command(&machine, FUNCTION, PRINT, true), TL_OK);
		CHECK_EQUAL(machine_continue(&machine), TL_OK);
		HAPPENS(&machine, machine.main, TL_SCRIPTED_FORK, 0, 0);
		REQUIRE(machine_run(&machine, &report) && report.event.kind == TL_EVENT_FORK);
		child = report.event.child;
		REQUIRE(tl_engine_unattend(machine.engine, machine.process, 0, 0) == TL_OK);
		/* The child steps and is interrupted, as often as one likes; the parent goes on at its own pace. */
		for (unsigned i = 0; i < 20; i++) {
			printed = machine.output_size;
			REQUIRE(machine_step(&machine, child, &report));
			CHECK_EQUAL(report.event.kind, TL_EVENT_STEPPED);
			CHECK_EQUAL(machine_continue(&machine), TL_OK);
			machine_turns(&machine, 30 + i);
			tl_engine_interrupt(machine.engine);
			REQUIRE(machine_run(&machine, &report));
			CHECK_EQUAL(report.event.thread.process, child.process);
			CHECK_EQUAL(report.event.signal, 2);
			machine_turns(&machine, 60);
			CHECK(machine.output_size > printed || machine.output_size > 4000);
		}
		CHECK_EQUAL(tl_engine_next_process(machine.engine, child.process), 0);
		REQUIRE(attend(&machine, &report));
		CHECK_EQUAL(report.event.thread.process, machine.process);
		leave_all(&machine);
		machine_free(&machine);
	}
}

TEST(an_untold_child_is_left_with_its_parent)
{
	/* Let go (0), ended (1), or left to itself (2). */
	for (unsigned way = 0; way < 3; way++) {
		struct tl_scripted_options options = machine_options();
		struct tl_scripted_process_info info;
		struct machine machine;
		struct tl_thread_id forker;
		struct tl_report report;

		REQUIRE(machine_make(&machine, &options));
		tl_engine_settings(machine.engine)->report_forks = true;
		CHECK_EQUAL(insert_command(&machine, FUNCTION, PRINT, true), TL_OK);
		BREAK_AT(&machine, SPIN);
		REQUIRE(machine_threads(&machine, LOOP, &forker, 1));
		machine_set_pc(&machine, machine.main, SPIN);
		CHECK_EQUAL(machine_continue(&machine), TL_OK);
		/* It forks as it is being stopped for the other's hit. */
		CHECK(tl_scripted_turn_of(machine.scripted, machine.main));
		HAPPENS(&machine, forker, TL_SCRIPTED_FORK, 0, 0);
		RUN_UNTIL(&machine, &report, TL_EVENT_TRAP);
		CHECK_EQUAL(tl_engine_next_process(machine.engine, machine.process), 3);
		if (way == 0)
			CHECK_EQUAL(tl_engine_detach(machine.engine, machine.process, 0, 0), TL_OK);
		else if (way == 1)
			CHECK_EQUAL(tl_engine_kill(machine.engine, machine.process), TL_OK);
		else
			CHECK_EQUAL(tl_engine_unattend(machine.engine, machine.process, 0, 0), TL_OK);
		CHECK_EQUAL(tl_engine_next_process(machine.engine, 0), 0);
		CHECK(tl_scripted_process(machine.scripted, 3, &info) && info.alive == (way != 1));
		CHECK(!info.alive || (!info.traced && info.altered == 0));
		if (way == 2)
			REQUIRE(attend(&machine, &report));
		leave_all(&machine);
		machine_free(&machine);
	}
}

MACHINE_TEST(a_pause_of_one_process_leaves_the_others_alone)
{
	struct tl_action range = {.kind = TL_ACTION_RANGE, .start = LOOP, .end = LOOP_CALL};
	struct tl_thread_id child;
	struct tl_report report;

	tl_engine_settings(machine->engine)->report_forks = true;
	tl_engine_settings(machine->engine)->non_stop = true;
	CHECK_EQUAL(machine_continue(machine), TL_OK);
	HAPPENS(machine, machine->main, TL_SCRIPTED_FORK, 0, 0);
	REQUIRE(machine_run(machine, &report) && report.event.kind == TL_EVENT_FORK);
	child = report.event.child;
	machine_set_pc(machine, machine->main, LOOP);
	range.filter = machine->main;
	CHECK_EQUAL(tl_engine_resume(machine->engine, &range, 1), TL_OK);
	CHECK_EQUAL(machine_act(machine, child, TL_ACTION_CONTINUE, 0), TL_OK);
	machine->ready = false;
	tl_engine_pause_process(machine->engine, child.process);
	CHECK(!tl_engine_process_quiet(machine->engine, child.process));
	tl_engine_pause_process(machine->engine, 77);
	CHECK(tl_engine_process_quiet(machine->engine, 77));
	for (unsigned turns = 0; turns < 10 && !tl_engine_process_quiet(machine->engine, child.process); turns++)
		(void)tl_scripted_turn_of(machine->scripted, child);
	CHECK(tl_engine_process_quiet(machine->engine, child.process));
	/* Whoever waits for it hears of it. */
	CHECK(machine->ready);
	CHECK(!tl_engine_quiet(machine->engine));
	CHECK_EQUAL(tl_engine_detach(machine->engine, child.process, 0, 0), TL_OK);
	RUN_UNTIL(machine, &report, TL_EVENT_STEPPED);
	CHECK_EQUAL(report.event.thread.process, machine->process);
	CHECK_EQUAL(machine_pc(machine, machine->main), LOOP_CALL);
}

TEST(a_process_that_ends_leaves_no_step_trap_to_whom_it_shares_its_memory_with)
{
	struct tl_scripted_options options = machine_options();
	struct tl_action step = {.kind = TL_ACTION_STEP};
	struct machine machine;
	struct tl_thread_id other;
	struct tl_report report;

	options.without = TL_CAN_STEP;
	REQUIRE(machine_make(&machine, &options));
	tl_engine_settings(machine.engine)->report_vforks = true;
	tl_engine_settings(machine.engine)->non_stop = true;
	REQUIRE(machine_threads(&machine, LOOP, &other, 1));
	CHECK_EQUAL(machine_act(&machine, machine.main, TL_ACTION_CONTINUE, 0), TL_OK);
	HAPPENS(&machine, machine.main, TL_SCRIPTED_VFORK, 0, 0);
	REQUIRE(machine_run(&machine, &report) && report.event.kind == TL_EVENT_VFORK);
	step.filter = other;
	CHECK_EQUAL(tl_engine_resume(machine.engine, &step, 1), TL_OK);
	CHECK_EQUAL(raw_byte(&machine, machine.process, LOOP + 4), 0xcc);
	HAPPENS(&machine, other, TL_SCRIPTED_KILL_PROCESS, 9, 0);
	REQUIRE(machine_run(&machine, &report) && report.event.kind == TL_EVENT_PROCESS_KILLED);
	leave_all(&machine);
	machine_free(&machine);
}
