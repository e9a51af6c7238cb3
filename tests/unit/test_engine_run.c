/* The engine: running and stopping, who is told and when, signals, system calls, threads that come and go, non-stop. */
#include "tests/unit/engine_machine.h"

static bool all_parked(struct machine *machine)
{
	struct tl_thread_id after = {0, 0};
	struct tl_thread_info info;
	struct tl_scripted_thread_info truth;

	while (tl_engine_next_thread(machine->engine, after, &info)) {
		if (!info.stopped || !tl_scripted_thread(machine->scripted, info.id, &truth) || truth.running)
			return false;
		after = info.id;
	}
	return true;
}

MACHINE_TEST(one_report_for_one_resume)
{
	struct tl_thread_id ids[5];
	struct tl_report report;

	REQUIRE(machine_threads(machine, SPIN, ids, 5));
	machine_set_pc(machine, machine->main, SPIN);
	BREAK_AT(machine, SPIN);
	for (unsigned i = 0; i < 20; i++) {
		unsigned before = machine->readies;

		REQUIRE(machine_continue(machine) == TL_OK);
		CHECK_EQUAL(machine_continue(machine), TL_ERROR_RUNNING);
		REQUIRE(machine_run(machine, &report));
		CHECK_EQUAL(machine->readies, before + 1);
		CHECK(all_parked(machine));
		CHECK(!tl_engine_take_report(machine->engine, &report));
		CHECK(!tl_engine_running(machine->engine));
		CHECK_EQUAL(report.event.kind, TL_EVENT_TRAP);
		CHECK_EQUAL(machine_pc(machine, report.event.thread), SPIN);
	}
}

MACHINE_TEST(everyone_gets_a_turn)
{
	struct tl_thread_id ids[9];
	struct tl_report report;
	unsigned told[32] = {0};

	tl_engine_settings(machine->engine)->pass_reported = true;
	REQUIRE(machine_threads(machine, SPIN, ids, 9));
	machine_set_pc(machine, machine->main, SPIN);
	BREAK_AT(machine, SPIN);
	for (unsigned i = 0; i < 100; i++) {
		REQUIRE(machine_go(machine, &report));
		told[report.event.thread.thread % 32]++;
	}
	for (unsigned i = 0; i < 9; i++) {
		CHECK(told[ids[i].thread % 32] >= 5);
		CHECK(told[ids[i].thread % 32] <= 20);
	}
}

MACHINE_TEST(level_events_are_forgotten_with_their_point)
{
	struct tl_thread_id ids[6];
	struct tl_report report;

	REQUIRE(machine_threads(machine, SPIN, ids, 6));
	/* They come to their hits before they are stopped. */
	for (unsigned i = 0; i < 6; i++)
		HAPPENS(machine, ids[i], TL_SCRIPTED_DELAY_STOPS, 100, 0);
	BREAK_AT(machine, SPIN);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
	UNBREAK_AT(machine, SPIN);
	BREAK_AT(machine, FUNCTION);
	for (unsigned i = 0; i < 6; i++)
		CHECK(machine_pc(machine, ids[i]) == SPIN || machine_pc(machine, ids[i]) == SPIN + 1);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
	CHECK_EQUAL(report.event.thread.thread, machine->main.thread);
	CHECK_EQUAL(machine_pc(machine, machine->main), FUNCTION);
	CHECK(tl_engine_counters(machine->engine)->stale > 0);
}

MACHINE_TEST(edge_events_are_kept)
{
	struct tl_thread_id ids[3];
	struct tl_report report;
	bool seen[64] = {false};

	REQUIRE(machine_threads(machine, SPIN, ids, 3));
	machine_set_pc(machine, machine->main, SPIN);
	for (unsigned i = 0; i < 3; i++)
		HAPPENS(machine, ids[i], TL_SCRIPTED_SIGNAL, 10 + i, 0);
	for (unsigned i = 0; i < 3; i++) {
		GO_UNTIL(machine, &report, TL_EVENT_SIGNAL);
		seen[report.event.signal & 63] = true;
	}
	CHECK(seen[10] && seen[11] && seen[12]);
}

MACHINE_TEST(stepping_thread_is_told_first)
{
	struct tl_thread_id ids[4];
	struct tl_report report;

	REQUIRE(machine_threads(machine, SPIN, ids, 4));
	BREAK_AT(machine, SPIN + 1);
	for (unsigned i = 0; i < 4; i++)
		HAPPENS(machine, ids[i], TL_SCRIPTED_DELAY_STOPS, 10, 0);
	struct tl_action actions[] = {{.filter = ids[2], .kind = TL_ACTION_STEP},
				      {.filter = everyone, .kind = TL_ACTION_CONTINUE}};
	machine_set_pc(machine, ids[2], FIVE_NOPS);
	CHECK_EQUAL(tl_engine_resume(machine->engine, actions, 2), TL_OK);
	RUN_UNTIL(machine, &report, TL_EVENT_STEPPED);
	CHECK_EQUAL(report.event.thread.thread, ids[2].thread);
}

MACHINE_TEST(interrupt_is_signal_2)
{
	struct tl_thread_id ids[4];
	struct tl_report report;

	REQUIRE(machine_threads(machine, SPIN, ids, 4));
	tl_engine_interrupt(machine->engine); /* nothing runs */
	CHECK(!tl_engine_take_report(machine->engine, &report));
	REQUIRE(machine_continue(machine) == TL_OK);
	machine_turns(machine, 50);
	tl_engine_interrupt(machine->engine);
	INTERRUPT(machine, &report);
	CHECK(report.event.thread.thread != 0);
	CHECK(all_parked(machine));
	CHECK(!machine->ready);
}

MACHINE_TEST(an_interrupt_is_told_of_a_thread_that_was_resumed)
{
	struct tl_thread_id ids[3];
	struct tl_report report;

	REQUIRE(machine_threads(machine, SPIN, ids, 3));
	REQUIRE(machine_act(machine, ids[1], TL_ACTION_CONTINUE, 0) == TL_OK);
	machine_turns(machine, 5);
	INTERRUPT(machine, &report);
	CHECK_EQUAL(report.event.thread.thread, ids[1].thread);
}

MACHINE_TEST(interrupt_while_blocked)
{
	struct tl_report report;

	machine_set_pc(machine, machine->main, WAITER);
	REQUIRE(machine_continue(machine) == TL_OK);
	machine_turns(machine, 10);
	CHECK(!tl_scripted_turn(machine->scripted));
	INTERRUPT(machine, &report);
}

TEST(interrupt_amid_false_conditions)
{
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_thread_id ids[20];
	struct tl_report report;

	options.without = TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE;
	REQUIRE(machine_make(&machine, &options));
	REQUIRE(machine_threads(&machine, SPIN, ids, 20));
	CHECK_EQUAL(machine_insert_with(&machine, SPIN, NEVER, NULL), TL_OK);
	for (unsigned i = 0; i < 20; i++) {
		REQUIRE(machine_continue(&machine) == TL_OK);
		machine_turns(&machine, 137 + 31 * i);
		CHECK(!machine.ready);
		INTERRUPT(&machine, &report);
		CHECK(all_parked(&machine));
	}
	MACHINE_END(&machine);
}

MACHINE_TEST(signals_are_reported_and_delivered)
{
	struct tl_report report;

	HAPPENS(machine, machine->main, TL_SCRIPTED_SIGNAL, 10, 0);
	GO_UNTIL(machine, &report, TL_EVENT_SIGNAL);
	CHECK_EQUAL(report.event.signal, 10);
	/* Withheld: the program lives. */
	BREAK_AT(machine, FUNCTION);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
	/* Delivered: its default action. */
	CHECK_EQUAL(machine_act(machine, everyone, TL_ACTION_CONTINUE, 10), TL_OK);
	RUN_UNTIL(machine, &report, TL_EVENT_PROCESS_KILLED);
	CHECK_EQUAL(report.event.signal, 10);
	CHECK_EQUAL(report.event.thread.process, machine->process);
	CHECK_EQUAL(tl_engine_next_process(machine->engine, 0), 0);
}

MACHINE_TEST(passed_signals_make_no_report)
{
	struct tl_report report;

	tl_engine_settings(machine->engine)->pass_signals[0] = (tl_u64)1 << 17;
	BREAK_AT(machine, FUNCTION);
	HAPPENS(machine, machine->main, TL_SCRIPTED_SIGNAL, 17, 0);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
}

/* It was asked for an end, and came to a signal that is passed: that goes to the program, and the end is told. */
static void interrupt_meets_passed_signal(struct machine *machine)
{
	struct tl_report report;

	tl_engine_settings(machine->engine)->pass_signals[0] = (tl_u64)1 << 10;
	REQUIRE(machine_continue(machine) == TL_OK);
	HAPPENS(machine, machine->main, TL_SCRIPTED_DELAY_STOPS, 10, 0);
	tl_engine_interrupt(machine->engine);
	HAPPENS(machine, machine->main, TL_SCRIPTED_SIGNAL, 10, 0);
	RUN_UNTIL(machine, &report, TL_EVENT_SIGNAL);
	CHECK_EQUAL(report.event.signal, 2);
	CHECK(report.asked);
	GO_UNTIL(machine, &report, TL_EVENT_PROCESS_KILLED);
	CHECK_EQUAL(report.event.signal, 10);
}

MACHINE_TEST(an_interrupt_outlives_a_passed_signal)
{
	interrupt_meets_passed_signal(machine);
}

MACHINE_TEST(a_non_stop_interrupt_outlives_a_passed_signal)
{
	NON_STOP(machine);
	interrupt_meets_passed_signal(machine);
}

MACHINE_TEST(a_passed_fault_upon_a_breakpoint_is_told)
{
	struct tl_report report;

	tl_engine_settings(machine->engine)->pass_signals[0] = (tl_u64)1 << 11;
	BREAK_AT(machine, DATA);
	machine_set_pc(machine, machine->main, DATA);
	GO_UNTIL(machine, &report, TL_EVENT_SIGNAL);
	CHECK_EQUAL(report.event.signal, 11);
	CHECK_EQUAL(machine_pc(machine, machine->main), DATA);
}

MACHINE_TEST(faults_are_signals)
{
	struct tl_report report;

	machine_set_pc(machine, machine->main, FAULTY);
	GO_UNTIL(machine, &report, TL_EVENT_SIGNAL);
	CHECK_EQUAL(report.event.signal, 11);
	CHECK(report.event.fault);
	CHECK_EQUAL(machine_pc(machine, machine->main), FAULTY);
}

MACHINE_TEST(fault_of_an_instruction_under_a_breakpoint)
{
	/* The engine cannot carry it out: the machine must raise the fault, at the original address. */
	struct tl_report report;

	CHECK_EQUAL(machine_insert_with(machine, FAULTY, NEVER, NULL), TL_OK);
	machine_set_pc(machine, machine->main, FAULTY);
	GO_UNTIL(machine, &report, TL_EVENT_SIGNAL);
	CHECK_EQUAL(report.event.signal, 11);
	CHECK_EQUAL(machine_pc(machine, machine->main), FAULTY);
}

MACHINE_TEST(syscalls_are_caught)
{
	struct tl_report report;
	struct tl_engine_settings *settings;

	settings = tl_engine_settings(machine->engine);
	machine_set_pc(machine, machine->main, CALLER);
	settings->catch_syscalls = true;
	settings->syscalls[0] = (tl_u64)1 << 39;
	GO_UNTIL(machine, &report, TL_EVENT_SYSCALL_ENTRY);
	CHECK_EQUAL(report.event.number, 39);
	GO_UNTIL(machine, &report, TL_EVENT_SYSCALL_RETURN);
	CHECK_EQUAL(report.event.number, 39);
	settings->syscalls[0] = 2;
	BREAK_AT(machine, CALLER);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
}

MACHINE_TEST(new_threads_run_on_unseen)
{
	struct tl_thread_info info;

	REQUIRE(machine_continue(machine) == TL_OK);
	HAPPENS(machine, machine->main, TL_SCRIPTED_CLONE, SPIN, STACK_TOP - 0x800);
	CHECK(tl_engine_next_thread(machine->engine, machine->main, &info));
	CHECK_EQUAL(info.state, TL_THREAD_RUNNING);
	CHECK(!machine->ready);
}

MACHINE_TEST(new_threads_while_parking_join_parked)
{
	struct tl_thread_id id;
	struct tl_report report;

	REQUIRE(machine_threads(machine, SPIN, &id, 1));
	HAPPENS(machine, machine->main, TL_SCRIPTED_DELAY_STOPS, 20, 0);
	REQUIRE(machine_continue(machine) == TL_OK);
	tl_engine_interrupt(machine->engine);
	CHECK(tl_scripted_turn_of(machine->scripted, id));
	HAPPENS(machine, machine->main, TL_SCRIPTED_CLONE, SPIN, STACK_TOP - 0x800);
	REQUIRE(machine_run(machine, &report));
	CHECK(all_parked(machine));
}

MACHINE_TEST(thread_births_and_ends_are_told_on_request)
{
	struct tl_report report;
	struct tl_thread_id born;

	tl_engine_settings(machine->engine)->report_threads = true;
	REQUIRE(machine_continue(machine) == TL_OK);
	HAPPENS(machine, machine->main, TL_SCRIPTED_CLONE, QUITTER, STACK_TOP - 0x800);
	RUN_UNTIL(machine, &report, TL_EVENT_THREAD_CREATED);
	born = report.event.thread;
	GO_UNTIL(machine, &report, TL_EVENT_THREAD_EXITED);
	CHECK_EQUAL(report.event.thread.thread, born.thread);
	CHECK_EQUAL(report.event.code, 5);
}

MACHINE_TEST(threads_are_listed_by_age_whoever_has_left)
{
	struct tl_thread_id ids[4];
	struct tl_thread_info info = {0};

	REQUIRE(machine_threads(machine, SPIN, ids, 4));
	REQUIRE(machine_continue(machine) == TL_OK);
	HAPPENS(machine, ids[1], TL_SCRIPTED_EXIT_THREAD, 0, 0);
	HAPPENS(machine, ids[3], TL_SCRIPTED_EXIT_THREAD, 0, 0);
	CHECK(tl_engine_next_thread(machine->engine, info.id, &info) && info.id.thread == machine->main.thread);
	CHECK(tl_engine_next_thread(machine->engine, info.id, &info) && info.id.thread == ids[0].thread);
	CHECK(tl_engine_next_thread(machine->engine, info.id, &info) && info.id.thread == ids[2].thread);
	CHECK(!tl_engine_next_thread(machine->engine, info.id, &info));
	CHECK(!tl_engine_next_thread(machine->engine, ids[1], &info));
}

TEST(a_clone_is_told_by_the_thread_that_made_it)
{
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_thread_info info;
	struct tl_report report;
	struct tl_thread_id child;

	REQUIRE(machine_make(&machine, &options));
	CHECK_EQUAL(tl_engine_thread_options(machine.engine), TL_THREAD_REPORT_CLONE | TL_THREAD_REPORT_EXIT);
	CHECK_EQUAL(tl_engine_set_thread_options(machine.engine, everyone, 4), TL_ERROR_UNSUPPORTED);
	CHECK_EQUAL(tl_engine_set_thread_options(machine.engine, machine.main, TL_THREAD_REPORT_CLONE), TL_OK);
	tl_engine_settings(machine.engine)->report_threads = true;
	REQUIRE(machine_continue(&machine) == TL_OK);
	HAPPENS(&machine, machine.main, TL_SCRIPTED_CLONE, QUITTER, STACK_TOP - 0x800);
	RUN_UNTIL(&machine, &report, TL_EVENT_CLONE);
	CHECK_EQUAL(report.event.thread.thread, machine.main.thread);
	child = report.event.child;
	CHECK(tl_engine_find_thread(machine.engine, child, &info) && info.state == TL_THREAD_PARKED);
	CHECK_EQUAL(machine_pc(&machine, child), QUITTER);
	/* It alone is let run; it has no options, and its end is told as the settings say. */
	CHECK_EQUAL(machine_act(&machine, child, TL_ACTION_STEP, 0), TL_OK);
	REQUIRE(machine_run(&machine, &report));
	CHECK_EQUAL(report.event.thread.thread, child.thread);
	GO_UNTIL(&machine, &report, TL_EVENT_THREAD_EXITED);
	/* Without the option the child tells of itself, and of nothing without the setting. */
	CHECK_EQUAL(tl_engine_set_thread_options(machine.engine, everyone, 0), TL_OK);
	REQUIRE(machine_continue(&machine) == TL_OK);
	HAPPENS(&machine, machine.main, TL_SCRIPTED_CLONE, QUITTER, STACK_TOP - 0x800);
	RUN_UNTIL(&machine, &report, TL_EVENT_THREAD_CREATED);
	MACHINE_END(&machine);
}

MACHINE_TEST(a_clone_is_told_once_the_stops_of_others_are_in)
{
	struct tl_report report;
	struct tl_thread_id id;

	tl_engine_settings(machine->engine)->non_stop = true;
	REQUIRE(machine_threads(machine, SPIN, &id, 1));
	CHECK_EQUAL(tl_engine_set_thread_options(machine->engine, machine->main, TL_THREAD_REPORT_CLONE), TL_OK);
	REQUIRE(machine_continue(machine) == TL_OK);
	/* An option that was taken back while the thread runs: nothing is told, and both run on. */
	CHECK_EQUAL(tl_engine_set_thread_options(machine->engine, everyone, 0), TL_OK);
	HAPPENS(machine, machine->main, TL_SCRIPTED_CLONE, SPIN, STACK_TOP - 0x800);
	machine_turns(machine, 20);
	CHECK(!tl_engine_take_report(machine->engine, &report));
	CHECK_EQUAL(machine_act(machine, everyone, TL_ACTION_STOP, 0), TL_OK);
	for (unsigned i = 0; i < 3; i++)
		CHECK(machine_run(machine, &report) && report.event.kind == TL_EVENT_PAUSED);
	/* In force again: the others run while two stand, of which one is told. */
	CHECK_EQUAL(tl_engine_set_thread_options(machine->engine, everyone, TL_THREAD_REPORT_CLONE), TL_OK);
	REQUIRE(machine_continue(machine) == TL_OK);
	HAPPENS(machine, id, TL_SCRIPTED_CLONE, SPIN, STACK_TOP - 0x900);
	RUN_UNTIL(machine, &report, TL_EVENT_CLONE);
	CHECK_EQUAL(report.event.thread.thread, id.thread);
	CHECK(tl_engine_running(machine->engine));
	machine_turns(machine, 20);
	CHECK_EQUAL(machine_pc(machine, report.event.child), SPIN);
	CHECK(!tl_engine_take_report(machine->engine, &report));
}

MACHINE_TEST(the_end_of_one_thread_is_told_on_request)
{
	struct tl_report report;
	struct tl_thread_id ids[2];

	REQUIRE(machine_threads(machine, QUITTER, ids, 2));
	CHECK_EQUAL(tl_engine_set_thread_options(machine->engine, ids[1], TL_THREAD_REPORT_EXIT), TL_OK);
	GO_UNTIL(machine, &report, TL_EVENT_THREAD_EXITED);
	CHECK_EQUAL(report.event.thread.thread, ids[1].thread);
	CHECK_EQUAL(report.event.code, 5);
}

MACHINE_TEST(exit_of_the_only_running_thread)
{
	struct tl_thread_id id;
	struct tl_report report;

	tl_engine_settings(machine->engine)->report_no_resumed = true;
	REQUIRE(machine_threads(machine, QUITTER, &id, 1));
	CHECK_EQUAL(machine_act(machine, id, TL_ACTION_CONTINUE, 0), TL_OK);
	REQUIRE(machine_run(machine, &report));
	CHECK(report.no_resumed);
	/* The client goes on with who is left. */
	BREAK_AT(machine, FUNCTION);
	GO_UNTIL(machine, &report, TL_EVENT_TRAP);
}

MACHINE_TEST(exits_while_parking)
{
	struct tl_thread_id ids[4];
	struct tl_report report;

	REQUIRE(machine_threads(machine, SPIN, ids, 4));
	for (unsigned i = 0; i < 4; i++)
		HAPPENS(machine, ids[i], TL_SCRIPTED_DELAY_STOPS, 1000, 0);
	REQUIRE(machine_continue(machine) == TL_OK);
	tl_engine_interrupt(machine->engine);
	for (unsigned i = 0; i < 4; i++)
		HAPPENS(machine, ids[i], TL_SCRIPTED_EXIT_THREAD, 0, 0);
	REQUIRE(machine_run(machine, &report));
	CHECK_EQUAL(report.event.signal, 2);
	CHECK_EQUAL(report.event.thread.thread, machine->main.thread);
}

static void check_process_end(bool quiet, bool parking)
{
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_thread_id ids[4];
	struct tl_report report;

	REQUIRE(machine_make(&machine, &options));
	REQUIRE(machine_threads(&machine, SPIN, ids, 4));
	BREAK_AT(&machine, FUNCTION);
	REQUIRE(machine_continue(&machine) == TL_OK);
	if (parking)
		tl_engine_interrupt(machine.engine);
	HAPPENS(&machine, ids[1], TL_SCRIPTED_EXIT_PROCESS, 3, quiet);
	RUN_UNTIL(&machine, &report, TL_EVENT_PROCESS_EXITED);
	CHECK_EQUAL(report.event.code, 3);
	CHECK_EQUAL(report.event.thread.process, machine.process);
	CHECK_EQUAL(machine_continue(&machine), TL_ERROR_NO_THREAD);
	CHECK(!tl_engine_running(machine.engine));
	MACHINE_END(&machine);
}

TEST(process_ends)
{
	check_process_end(false, false);
}

TEST(process_ends_without_ends_of_threads)
{
	check_process_end(true, false);
}

TEST(process_ends_while_parking)
{
	check_process_end(false, true);
}

MACHINE_TEST(process_killed_while_stopped)
{
	struct tl_thread_id ids[2];
	struct tl_report report;

	REQUIRE(machine_threads(machine, SPIN, ids, 2));
	BREAK_AT(machine, FUNCTION);
	REQUIRE(machine_go(machine, &report));
	HAPPENS(machine, machine->main, TL_SCRIPTED_KILL_PROCESS, 9, 0);
	/* The end is told at the next resume. */
	CHECK(machine_continue(machine) == TL_OK);
	RUN_UNTIL(machine, &report, TL_EVENT_PROCESS_KILLED);
	CHECK_EQUAL(report.event.signal, 9);
}

MACHINE_TEST(spurious_pauses_are_unseen)
{
	struct tl_report report;

	BREAK_AT(machine, FUNCTION);
	REQUIRE(machine_continue(machine) == TL_OK);
	for (unsigned i = 0; i < 3; i++) {
		HAPPENS(machine, machine->main, TL_SCRIPTED_PAUSE, 0, 0);
		CHECK(!machine->ready);
	}
	RUN_UNTIL(machine, &report, TL_EVENT_TRAP);
	CHECK_EQUAL(machine_word(machine, DATA), 1);
}

MACHINE_TEST(stray_events_are_dropped)
{
	struct tl_report report;
	struct tl_event event = {.kind = TL_EVENT_SIGNAL, .thread = {77, 78}, .signal = 9};

	for (int kind = TL_EVENT_NONE; kind < TL_EVENT_MAX; kind++) {
		event.kind = (enum tl_event_kind)kind;
		tl_engine_post(machine->engine, &event);
	}
	CHECK(!machine->ready);
	/* And of a thread that stands: it has nothing to say. */
	event.thread = machine->main;
	event.kind = TL_EVENT_STEPPED;
	tl_engine_post(machine->engine, &event);
	CHECK(!tl_engine_take_report(machine->engine, &report));
}

/* ---- Non-stop ---- */

MACHINE_TEST(non_stop_stops_one)
{
	struct tl_thread_id ids[3];
	struct tl_thread_info info;
	struct tl_report report;

	REQUIRE(machine_threads(machine, SPIN, ids, 3));
	NON_STOP(machine);
	BREAK_AT(machine, FUNCTION);
	REQUIRE(machine_go(machine, &report));
	CHECK_EQUAL(report.event.thread.thread, machine->main.thread);
	for (unsigned i = 0; i < 3; i++)
		CHECK(tl_engine_find_thread(machine->engine, ids[i], &info) && !info.stopped);
	/* One of the others on request: signal 0. */
	CHECK_EQUAL(machine_act(machine, ids[1], TL_ACTION_STOP, 0), TL_OK);
	REQUIRE(machine_run(machine, &report));
	CHECK_EQUAL(report.event.thread.thread, ids[1].thread);
	CHECK_EQUAL(report.event.kind, TL_EVENT_PAUSED);
	CHECK(tl_engine_find_thread(machine->engine, ids[0], &info) && !info.stopped);
	/* It stands: a stop of it changes nothing. */
	CHECK_EQUAL(machine_act(machine, ids[1], TL_ACTION_STOP, 0), TL_OK);
	machine_turns(machine, 100);
	CHECK(!machine->ready);
	CHECK_EQUAL(machine_act(machine, ids[1], TL_ACTION_CONTINUE, 0), TL_OK);
	CHECK(tl_engine_find_thread(machine->engine, ids[1], &info) && !info.stopped);
}

MACHINE_TEST(non_stop_reports_each)
{
	struct tl_thread_id ids[7];
	struct tl_report report;
	bool told[32] = {false};

	REQUIRE(machine_threads(machine, SPIN, ids, 7));
	NON_STOP(machine);
	REQUIRE(machine_continue(machine) == TL_OK);
	machine_turns(machine, 40);
	CHECK_EQUAL(machine_act(machine, everyone, TL_ACTION_STOP, 0), TL_OK);
	for (unsigned i = 0; i < 8; i++) {
		REQUIRE(machine_run(machine, &report));
		CHECK(!told[report.event.thread.thread % 32]);
		told[report.event.thread.thread % 32] = true;
	}
	CHECK(tl_engine_quiet(machine->engine));
	CHECK(!tl_engine_take_report(machine->engine, &report));
}

MACHINE_TEST(non_stop_interrupt_stops_one)
{
	struct tl_thread_id id;
	struct tl_report report;

	REQUIRE(machine_threads(machine, SPIN, &id, 1));
	NON_STOP(machine);
	REQUIRE(machine_continue(machine) == TL_OK);
	INTERRUPT(machine, &report);
	CHECK(!tl_engine_quiet(machine->engine));
}

MACHINE_TEST(non_stop_no_resumed)
{
	struct tl_thread_id id;
	struct tl_report report;

	REQUIRE(machine_threads(machine, QUITTER, &id, 1));
	NON_STOP(machine);
	tl_engine_settings(machine->engine)->report_no_resumed = true;
	CHECK_EQUAL(machine_act(machine, id, TL_ACTION_CONTINUE, 0), TL_OK);
	REQUIRE(machine_run(machine, &report));
	CHECK(report.no_resumed);
}

MACHINE_TEST(non_stop_forgets_hits_of_removed_points)
{
	struct tl_thread_id ids[4];
	struct tl_report report;
	unsigned told = 0;

	REQUIRE(machine_threads(machine, SPIN, ids, 4));
	machine_set_pc(machine, machine->main, WAITER);
	NON_STOP(machine);
	BREAK_AT(machine, SPIN);
	REQUIRE(machine_continue(machine) == TL_OK);
	machine_turns(machine, 100);
	REQUIRE(tl_engine_take_report(machine->engine, &report));
	UNBREAK_AT(machine, SPIN);
	machine->ready = true;
	while (tl_engine_take_report(machine->engine, &report))
		told++;
	CHECK_EQUAL(told, 0);
	machine_turns(machine, 50);
	CHECK(!tl_engine_take_report(machine->engine, &report));
}

/* To the client these threads run: what was forgotten it never heard of. */
static void stop_those_whose_hits_are_forgotten(bool by_interrupt)
{
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_thread_id ids[4];
	struct tl_report report;
	unsigned told = 0;

	REQUIRE(machine_make(&machine, &options));
	REQUIRE(machine_threads(&machine, SPIN, ids, 4));
	machine_set_pc(&machine, machine.main, SPIN);
	NON_STOP(&machine);
	BREAK_AT(&machine, SPIN);
	REQUIRE(machine_continue(&machine) == TL_OK);
	machine_turns(&machine, 100);
	if (by_interrupt)
		tl_engine_interrupt(machine.engine);
	else
		CHECK_EQUAL(machine_act(&machine, everyone, TL_ACTION_STOP, 0), TL_OK);
	UNBREAK_AT(&machine, SPIN);
	for (; told < (by_interrupt ? 1 : 5); told++) {
		REQUIRE(machine_run(&machine, &report));
		machine.ready = true;
		CHECK_EQUAL(report.event.kind, by_interrupt ? TL_EVENT_SIGNAL : TL_EVENT_PAUSED);
	}
	machine_turns(&machine, 50);
	CHECK(!tl_engine_take_report(machine.engine, &report));
	CHECK(tl_engine_quiet(machine.engine) != by_interrupt);
	MACHINE_END(&machine);
}

TEST(non_stop_stops_those_whose_hits_are_forgotten)
{
	stop_those_whose_hits_are_forgotten(false);
}

TEST(non_stop_interrupts_one_whose_hit_is_forgotten)
{
	stop_those_whose_hits_are_forgotten(true);
}

MACHINE_TEST(non_stop_tells_at_once_what_all_stop_kept)
{
	struct tl_thread_id other;
	struct tl_report report;

	REQUIRE(machine_threads(machine, LOOP, &other, 1));
	BREAK_AT(machine, LOOP_STORE);
	/* It comes to its own hit before it takes notice. */
	HAPPENS(machine, other, TL_SCRIPTED_DELAY_STOPS, 5, 0);
	REQUIRE(machine_go(machine, &report));
	CHECK(!machine->ready);
	NON_STOP(machine);
	REQUIRE(machine->ready && tl_engine_take_report(machine->engine, &report));
	CHECK_EQUAL(report.event.kind, TL_EVENT_TRAP);
	CHECK_EQUAL(report.event.thread.thread, other.thread);
}

/* The hit met no condition; it happens again, and meets the one that is there now. */
TEST(a_hit_that_waits_meets_a_condition_that_is_given_then)
{
	for (unsigned non_stop = 0; non_stop < 2; non_stop++) {
		struct tl_scripted_options options = machine_options();
		struct machine machine;
		struct tl_thread_id ids[4];
		struct tl_report report;

		REQUIRE(machine_make(&machine, &options));
		REQUIRE(machine_threads(&machine, SPIN, ids, 4));
		machine_set_pc(&machine, machine.main, SPIN);
		CHECK_EQUAL(tl_engine_set_non_stop(machine.engine, non_stop != 0), TL_OK);
		for (unsigned i = 0; i < 4; i++)
			CHECK_EQUAL(machine_do(&machine, ids[i], TL_SCRIPTED_DELAY_STOPS, 50, 0), TL_OK);
		BREAK_AT(&machine, SPIN);
		REQUIRE(machine_continue(&machine) == TL_OK);
		machine_turns(&machine, 20); /* all come to their hits */
		RUN_UNTIL(&machine, &report, TL_EVENT_TRAP);
		CHECK_EQUAL(machine_insert_with(&machine, SPIN, NEVER, NULL), TL_OK);
		REQUIRE(machine_continue(&machine) == TL_OK);
		machine_turns(&machine, 50);
		machine.ready = true;
		CHECK(!tl_engine_take_report(machine.engine, &report));
		INTERRUPT(&machine, &report);
		MACHINE_END(&machine);
	}
}

MACHINE_TEST(back_to_all_stop_parks_everyone)
{
	struct tl_thread_id ids[4];

	REQUIRE(machine_threads(machine, SPIN, ids, 4));
	NON_STOP(machine);
	REQUIRE(machine_continue(machine) == TL_OK);
	machine_turns(machine, 40);
	CHECK_EQUAL(tl_engine_set_non_stop(machine->engine, false), TL_OK);
	for (unsigned i = 0; i < 1000 && !tl_engine_quiet(machine->engine); i++)
		machine_turns(machine, 1);
	CHECK(all_parked(machine));
}

MACHINE_TEST(registers_of_a_running_thread_are_refused)
{
	tl_u8 *file;

	NON_STOP(machine);
	REQUIRE(machine_continue(machine) == TL_OK);
	CHECK_EQUAL(tl_engine_registers(machine->engine, machine->main, 1, &file), TL_ERROR_RUNNING);
	CHECK_EQUAL(tl_engine_registers(machine->engine, (struct tl_thread_id){9, 9}, 1, &file), TL_ERROR_NO_THREAD);
	CHECK_EQUAL(tl_engine_detach(machine->engine, machine->process, 0, 0), TL_ERROR_RUNNING);
}

/* ---- Many ---- */

static void check_thousand(tl_u32 without)
{
	static struct tl_thread_id ids[1000];
	struct tl_scripted_options options = machine_options();
	struct machine machine;
	struct tl_report report;

	options.without = without;
	REQUIRE(machine_make(&machine, &options));
	REQUIRE(machine_threads(&machine, SPIN, ids, 1000));
	BREAK_AT(&machine, SPIN);
	for (unsigned i = 0; i < 10; i++) {
		GO_UNTIL(&machine, &report, TL_EVENT_TRAP);
		CHECK_EQUAL(machine_pc(&machine, report.event.thread), SPIN);
	}
	UNBREAK_AT(&machine, SPIN);
	CHECK_EQUAL(machine_insert_with(&machine, SPIN + 1, NEVER, NULL), TL_OK);
	REQUIRE(machine_continue(&machine) == TL_OK);
	machine_turns(&machine, 20000);
	CHECK(!machine.ready);
	INTERRUPT(&machine, &report);
	UNBREAK_AT(&machine, SPIN + 1);
	for (unsigned i = 0; i < 1000; i++)
		CHECK(machine_pc(&machine, ids[i]) == SPIN || machine_pc(&machine, ids[i]) == SPIN + 1);
	MACHINE_END(&machine);
}

TEST(thousand_threads_one_breakpoint)
{
	check_thousand(0);
}

TEST(thousand_threads_with_others_held)
{
	check_thousand(TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE);
}
