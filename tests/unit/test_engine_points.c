/* The engine: breakpoints and watchpoints, their conditions and commands, and what of them shows in memory. */
#include "tests/unit/engine_machine.h"

/* The word at DATA equals `n`. */
#define DATA_IS(n) CODE(0x24, 0, 0, 0x20, 0, 0x1a, 0x22, (n), 0x13, 0x27)
#define ALWAYS CODE(0x22, 1, 0x27)
/* Reads where nothing is mapped. */
#define IN_ERROR CODE(0x22, 8, 0x1a, 0x27)
/* printf("n=%d\n", word at DATA) */
#define PRINT CODE(0x24, 0, 0, 0x20, 0, 0x1a, 0x22, 0, 0x22, 0, 0x34, 1, 0, 6, 'n', '=', '%', 'd', '\n', 0, 0x27)

MACHINE_TEST(breakpoint_stops_each_round)
{
	struct tl_report report;

	BREAK_AT(machine, FUNCTION);
	tl_engine_settings(machine->engine)->pass_reported = true;
	for (unsigned round = 1; round <= 3; round++) {
		GO_UNTIL(machine, &report, TL_EVENT_TRAP);
		CHECK_EQUAL(report.point, TL_POINT_SOFTWARE);
		CHECK_EQUAL(machine_pc(machine, machine->main), FUNCTION);
		CHECK_EQUAL(machine_word(machine, DATA), round);
	}
}

MACHINE_TEST(resumed_upon_a_reported_breakpoint_hits_again)
{
	struct tl_report report;

	BREAK_AT(machine, FUNCTION);
	REQUIRE(machine_go(machine, &report));
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
	CHECK_EQUAL(machine_word(machine, DATA), 1);
}

MACHINE_TEST(memory_hides_traps)
{
	tl_u8 bytes[64], raw;
	tl_size done;

	BREAK_AT(machine, LOOP);
	BREAK_AT(machine, FUNCTION);
	CHECK_EQUAL(tl_scripted_peek(machine->scripted, machine->process, FUNCTION, &raw, 1), TL_OK);
	CHECK_EQUAL(raw, 0xcc);
	CHECK_EQUAL(tl_engine_read_memory(machine->engine, machine->process, LOOP, bytes, sizeof(bytes), &done), TL_OK);
	CHECK_EQUAL(done, sizeof(bytes));
	CHECK(memcmp(bytes, machine_code, sizeof(bytes)) == 0);
}

MACHINE_TEST(writes_go_under_traps)
{
	tl_u8 bytes[4] = {0x90, 0x90, 0x90, 0x90}, seen[4], raw[4];
	tl_size done;

	BREAK_AT(machine, SPIN + 1);
	CHECK_EQUAL(tl_engine_write_memory(machine->engine, machine->process, SPIN, bytes, 4, &done), TL_OK);
	CHECK_EQUAL(done, 4);
	CHECK_EQUAL(tl_engine_read_memory(machine->engine, machine->process, SPIN, seen, 4, &done), TL_OK);
	CHECK(memcmp(seen, bytes, 4) == 0);
	CHECK_EQUAL(tl_scripted_peek(machine->scripted, machine->process, SPIN, raw, 4), TL_OK);
	CHECK_EQUAL(raw[1], 0xcc);
	UNBREAK_AT(machine, SPIN + 1);
	CHECK_EQUAL(tl_scripted_peek(machine->scripted, machine->process, SPIN, raw, 4), TL_OK);
	CHECK(memcmp(raw, bytes, 4) == 0);
	CHECK_EQUAL(
		tl_engine_write_memory(machine->engine, machine->process, SPIN, machine_code + (SPIN - LOOP), 4, &done),
		TL_OK);
}

MACHINE_TEST(inserting_again_replaces)
{
	struct tl_report report;
	struct tl_point_info info;

	CHECK_EQUAL(machine_insert_with(machine, FUNCTION, NEVER, NULL), TL_OK);
	BREAK_AT(machine, FUNCTION);
	CHECK(tl_engine_point(machine->engine, 0, &info) && info.conditions == 0);
	CHECK(!tl_engine_point(machine->engine, 1, &info));
	REQUIRE(machine_go(machine, &report));
	CHECK_EQUAL(machine_word(machine, DATA), 1);
	UNBREAK_AT(machine, FUNCTION);
	CHECK_EQUAL(machine_remove(machine, TL_POINT_SOFTWARE, FUNCTION, 1), TL_ERROR_NO_POINT);
}

MACHINE_TEST(inserting_again_plants_what_the_program_has_mapped_over)
{
	struct tl_report report;
	tl_u8 original = 0x55;
	tl_size done = 0;

	BREAK_AT(machine, FUNCTION);
	CHECK_EQUAL(tl_scripted_target(machine->scripted)
			    ->ops->write_memory(tl_scripted_target(machine->scripted), machine->process, FUNCTION,
						&original, 1, &done),
		    TL_OK);
	BREAK_AT(machine, FUNCTION);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
	CHECK_EQUAL(machine_pc(machine, machine->main), FUNCTION);
}

MACHINE_TEST(point_where_nothing_is_mapped)
{
	struct tl_point_info info;

	CHECK(machine_insert(machine, TL_POINT_SOFTWARE, 8, 1) != TL_OK);
	CHECK(!tl_engine_point(machine->engine, 0, &info));
}

MACHINE_TEST(condition_true_stops)
{
	struct tl_report report;

	CHECK_EQUAL(machine_insert_with(machine, FUNCTION, DATA_IS(7), NULL), TL_OK);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
	CHECK_EQUAL(report.condition_error, TL_OK);
	CHECK_EQUAL(machine_word(machine, DATA), 7);
	CHECK_EQUAL(tl_engine_counters(machine->engine)->conditions_false, 6);
	CHECK_EQUAL(tl_engine_counters(machine->engine)->conditions_true, 1);
}

MACHINE_TEST(condition_in_error_stops_and_says_so)
{
	struct tl_report report;

	CHECK_EQUAL(machine_insert_with(machine, FUNCTION, IN_ERROR, NULL), TL_OK);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
	CHECK_EQUAL(report.condition_error, TL_ERROR_MEMORY);
}

MACHINE_TEST(bad_bytecode_is_refused)
{
	struct tl_point_info info;

	CHECK(machine_insert_with(machine, FUNCTION, CODE(0xff), NULL) != TL_OK);
	CHECK(machine_insert_with(machine, FUNCTION, CODE(0x02, 0x27), NULL) != TL_OK);
	CHECK(!tl_engine_point(machine->engine, 0, &info));
	CHECK_EQUAL(machine_insert_with(machine, FUNCTION, ALWAYS, NULL), TL_OK);
	/* A bad replacement leaves the good one. */
	CHECK(machine_insert_with(machine, FUNCTION, CODE(0xff), NULL) != TL_OK);
	CHECK(tl_engine_point(machine->engine, 0, &info) && info.conditions == 1);
}

MACHINE_TEST(commands_print_and_go_on)
{
	struct tl_report report;

	CHECK_EQUAL(machine_insert_with(machine, FUNCTION, NULL, PRINT), TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, LOOP_BACK, DATA_IS(3), NULL), TL_OK);
	REQUIRE(machine_go(machine, &report));
	CHECK_EQUAL(machine_pc(machine, machine->main), LOOP_BACK);
	CHECK_TEXT(machine->output, "n=1\nn=2\nn=3\n");
	CHECK_EQUAL(tl_engine_counters(machine->engine)->commands, 3);
}

MACHINE_TEST(commands_with_a_condition)
{
	struct tl_report report;

	CHECK_EQUAL(machine_insert_with(machine, FUNCTION, DATA_IS(2), PRINT), TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, LOOP_BACK, DATA_IS(4), NULL), TL_OK);
	REQUIRE(machine_go(machine, &report));
	CHECK_EQUAL(machine_pc(machine, machine->main), LOOP_BACK);
	CHECK_TEXT(machine->output, "n=2\n");
}

MACHINE_TEST(own_trap_is_a_signal)
{
	struct tl_report report;

	machine_set_pc(machine, machine->main, OWN_TRAP);
	GO_UNTIL(machine, &report, TL_EVENT_SIGNAL);
	CHECK_EQUAL(report.event.signal, 5);
	CHECK_EQUAL(machine_pc(machine, machine->main), OWN_TRAP + 1);
	/* It goes on behind it, and comes by again. */
	REQUIRE(machine_go(machine, &report));
	CHECK_EQUAL(report.event.signal, 5);
}

MACHINE_TEST(breakpoint_upon_the_programs_own_trap)
{
	struct tl_report report;

	machine_set_pc(machine, machine->main, OWN_TRAP + 1);
	BREAK_AT(machine, OWN_TRAP);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
	CHECK_EQUAL(machine_pc(machine, machine->main), OWN_TRAP);
	UNBREAK_AT(machine, OWN_TRAP);
	GO_UNTIL(machine, &report, TL_EVENT_SIGNAL);
	CHECK_EQUAL(report.event.signal, 5);
}

MACHINE_TEST(false_condition_upon_the_programs_own_trap)
{
	struct tl_report report;

	machine_set_pc(machine, machine->main, OWN_TRAP);
	CHECK_EQUAL(machine_insert_with(machine, OWN_TRAP, NEVER, NULL), TL_OK);
	BREAK_AT(machine, OWN_TRAP + 2);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
	CHECK_EQUAL(machine_pc(machine, machine->main), OWN_TRAP + 2);
}

MACHINE_TEST(hardware_breakpoint)
{
	struct tl_report report;

	tl_engine_settings(machine->engine)->pass_reported = true;
	CHECK_EQUAL(machine_insert(machine, TL_POINT_HARDWARE, FUNCTION, 1), TL_OK);
	for (unsigned round = 1; round <= 3; round++) {
		GO_UNTIL(machine, &report, TL_EVENT_HARDWARE_BREAKPOINT);
		CHECK_EQUAL(report.point, TL_POINT_HARDWARE);
		CHECK_EQUAL(machine_word(machine, DATA), round);
	}
}

MACHINE_TEST(hardware_and_software_at_one_address)
{
	struct tl_report report;

	tl_engine_settings(machine->engine)->pass_reported = true;
	CHECK_EQUAL(machine_insert(machine, TL_POINT_HARDWARE, FUNCTION, 1), TL_OK);
	BREAK_AT(machine, FUNCTION);
	for (unsigned round = 1; round <= 3; round++) {
		REQUIRE(machine_go(machine, &report));
		CHECK_EQUAL(tl_event_class(report.event.kind), TL_EVENT_CLASS_LEVEL);
		CHECK_EQUAL(machine_pc(machine, machine->main), FUNCTION);
		if (machine_word(machine, DATA) != round) /* the other of the two tells of the same visit */
			round--;
		if (tl_engine_counters(machine->engine)->reports > 10)
			break;
	}
	CHECK(tl_engine_counters(machine->engine)->reports <= 6);
	CHECK_EQUAL(machine_remove(machine, TL_POINT_HARDWARE, FUNCTION, 1), TL_OK);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
}

MACHINE_TEST(write_watch_tells_where)
{
	struct tl_report report;

	CHECK_EQUAL(machine_insert(machine, TL_POINT_WRITE, DATA + 2, 2), TL_OK);
	GO_UNTIL(machine, &report, TL_EVENT_WATCHPOINT);
	CHECK_EQUAL(report.point, TL_POINT_WRITE);
	CHECK_EQUAL(report.hit_count, 1);
	CHECK_EQUAL(report.hit_addresses[0], DATA + 2);
	CHECK_EQUAL(machine_pc(machine, machine->main), LOOP_CALL);
}

static void check_read_watch(bool exact)
{
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_report report;

	options.exact_hits = exact;
	REQUIRE(machine_make(&machine, &options));
	CHECK_EQUAL(machine_insert(&machine, TL_POINT_READ, DATA, 8), TL_OK);
	CHECK_EQUAL(machine_insert_with(&machine, LOOP_BACK, DATA_IS(3), NULL), TL_OK);
	/* Three rounds of stores, and no stop but the breakpoint. */
	GO_UNTIL(&machine, &report, TL_EVENT_TRAP);
	machine_set_pc(&machine, machine.main, READER);
	GO_UNTIL(&machine, &report, TL_EVENT_WATCHPOINT);
	CHECK_EQUAL(report.point, TL_POINT_READ);
	CHECK_EQUAL(machine_pc(&machine, machine.main), READER + 8);
	MACHINE_END(&machine);
}

TEST(read_watch_is_filtered_by_decoding)
{
	check_read_watch(false);
}

TEST(read_watch_of_a_machine_that_knows)
{
	check_read_watch(true);
}

MACHINE_TEST(access_watch_sees_both)
{
	struct tl_report report;

	CHECK_EQUAL(machine_insert(machine, TL_POINT_ACCESS, DATA, 4), TL_OK);
	GO_UNTIL(machine, &report, TL_EVENT_WATCHPOINT);
	CHECK_EQUAL(report.point, TL_POINT_ACCESS);
	machine_set_pc(machine, machine->main, READER);
	GO_UNTIL(machine, &report, TL_EVENT_WATCHPOINT);
}

/* gdb on riscv64, say: it takes its watchpoints out, and steps once before it looks. */
TEST(the_step_past_a_watchpoint_is_done_before_it_is_asked_for)
{
	struct tl_scripted_options options = machine_options();
	struct tl_cpu cpu = *options.cpu;
	struct machine machine;
	struct tl_report report;

	cpu.gdb_steps_past_watchpoints = true;
	options.cpu = &cpu;
	REQUIRE(machine_make(&machine, &options));
	tl_engine_settings(machine.engine)->steps_past_watchpoints = true;
	for (int round = 0; round < 3; round++) {
		CHECK_EQUAL(machine_insert(&machine, TL_POINT_WRITE, DATA, 8), TL_OK);
		GO_UNTIL(&machine, &report, TL_EVENT_WATCHPOINT);
		CHECK_EQUAL(machine_pc(&machine, machine.main), LOOP_CALL);
		CHECK_EQUAL(machine_remove(&machine, TL_POINT_WRITE, DATA, 8), TL_OK);
		REQUIRE(machine_step(&machine, machine.main, &report));
		CHECK_EQUAL(report.event.kind, TL_EVENT_STEPPED);
		CHECK_EQUAL(machine_pc(&machine, machine.main), LOOP_CALL);
		/* And no other. */
		REQUIRE(machine_step(&machine, machine.main, &report));
		CHECK(machine_pc(&machine, machine.main) != LOOP_CALL);
	}
	/* Whoever leaves it in, or is another client, means a step. */
	CHECK_EQUAL(machine_insert(&machine, TL_POINT_WRITE, DATA, 8), TL_OK);
	GO_UNTIL(&machine, &report, TL_EVENT_WATCHPOINT);
	REQUIRE(machine_step(&machine, machine.main, &report));
	CHECK(machine_pc(&machine, machine.main) != LOOP_CALL);
	tl_engine_settings(machine.engine)->steps_past_watchpoints = false;
	GO_UNTIL(&machine, &report, TL_EVENT_WATCHPOINT);
	CHECK_EQUAL(machine_remove(&machine, TL_POINT_WRITE, DATA, 8), TL_OK);
	REQUIRE(machine_step(&machine, machine.main, &report));
	CHECK(machine_pc(&machine, machine.main) != LOOP_CALL);
	MACHINE_END(&machine);
}

MACHINE_TEST(watch_during_a_step)
{
	struct tl_report report;

	CHECK_EQUAL(machine_insert(machine, TL_POINT_WRITE, DATA, 8), TL_OK);
	machine_set_pc(machine, machine->main, LOOP_STORE);
	REQUIRE(machine_step(machine, machine->main, &report));
	CHECK_EQUAL(report.event.kind, TL_EVENT_WATCHPOINT);
	CHECK(report.event.stepped);
}

MACHINE_TEST(filtered_watch_during_a_step_is_a_step)
{
	struct tl_report report;

	CHECK_EQUAL(machine_insert(machine, TL_POINT_READ, DATA, 8), TL_OK);
	machine_set_pc(machine, machine->main, LOOP_STORE);
	REQUIRE(machine_step(machine, machine->main, &report));
	CHECK_EQUAL(report.event.kind, TL_EVENT_STEPPED);
	CHECK_EQUAL(machine_pc(machine, machine->main), LOOP_CALL);
}

MACHINE_TEST(watch_over_a_carried_out_instruction)
{
	/* A breakpoint on an instruction that the engine carries out itself must not hide its access from a watchpoint.
	 */
	struct tl_report report;

	CHECK_EQUAL(machine_insert(machine, TL_POINT_WRITE, DATA, 8), TL_OK);
	CHECK_EQUAL(machine_insert_with(machine, LOOP_STORE, NEVER, NULL), TL_OK);
	BREAK_AT(machine, FUNCTION);
	GO_UNTIL(machine, &report, TL_EVENT_WATCHPOINT);
	CHECK_EQUAL(machine_pc(machine, machine->main), LOOP_CALL);
}

MACHINE_TEST(hardware_points_run_out)
{
	struct tl_report report;

	for (unsigned i = 0; i < 4; i++)
		CHECK_EQUAL(machine_insert(machine, TL_POINT_WRITE, DATA + 8 * i, 8), TL_OK);
	CHECK_EQUAL(machine_insert(machine, TL_POINT_WRITE, DATA + 0x40, 8), TL_ERROR_POINT_FULL);
	CHECK_EQUAL(machine_insert(machine, TL_POINT_HARDWARE, FUNCTION, 1), TL_ERROR_POINT_FULL);
	GO_UNTIL(machine, &report, TL_EVENT_WATCHPOINT);
	CHECK_EQUAL(machine_remove(machine, TL_POINT_WRITE, DATA, 8), TL_OK);
	CHECK_EQUAL(machine_insert(machine, TL_POINT_HARDWARE, FUNCTION, 1), TL_OK);
}

MACHINE_TEST(reset_takes_everything_away)
{
	struct tl_point_info info;

	BREAK_AT(machine, FUNCTION);
	CHECK_EQUAL(machine_insert(machine, TL_POINT_HARDWARE, LOOP, 1), TL_OK);
	CHECK_EQUAL(machine_insert(machine, TL_POINT_ACCESS, DATA, 8), TL_OK);
	tl_engine_settings(machine->engine)->catch_syscalls = true;
	tl_engine_reset_client(machine->engine);
	CHECK(!tl_engine_point(machine->engine, 0, &info));
	CHECK(!tl_engine_settings(machine->engine)->catch_syscalls);
	CHECK(machine_pristine(machine, machine->process));
}
