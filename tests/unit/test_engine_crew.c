/*
 * The engine over a machine whose threads run by themselves, each in a thread of the host, and whose events come
 * through the mailbox of the loop: the races that no script of turns can have. Nothing here depends on who comes first;
 * each test goes several rounds, as rounds differ. The thread sanitizer reads along in its build.
 */
#include "tests/unit/engine_machine.h"

#define CROWD 24

/* A machine with CROWD threads at `start` and its first one at SPIN; `without` as in its options. */
static bool make_crowd(struct machine *machine, struct tl_thread_id ids[CROWD], tl_u64 start, tl_u32 without)
{
	struct tl_scripted_options options = machine_options();

	options.without = without;
	options.seed = 1;
	if (!machine_make_with_crew(machine, &options))
		return false;
	machine_set_pc(machine, machine->main, SPIN);
	for (unsigned i = 0; i < CROWD; i++) {
		ids[i] = machine_thread(machine, start);
		if (ids[i].thread == 0)
			return false;
	}
	return true;
}

/* The ways over a point that an engine may have to take. */
static const tl_u32 makes[] = {0, TL_CAN_CARRY_OUT, TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE,
			       TL_CAN_CARRY_OUT | TL_CAN_STEP};

/* Whether all threads that the engine knows stand in truth. */
static bool all_stand(struct machine *machine)
{
	struct tl_thread_info info = {.id = {0, 0}};
	bool good = true;

	machine_enter(machine);
	while (tl_engine_next_thread(machine->engine, info.id, &info)) {
		struct tl_scripted_thread_info truth = {.running = true};

		good = good && info.stopped && tl_scripted_thread(machine->scripted, info.id, &truth) && !truth.running;
	}
	machine_leave(machine);
	return good;
}

TEST(many_hit_one_point)
{
	for (size_t make = 0; make < TL_COUNT(makes); make++) {
		struct tl_thread_id ids[CROWD];
		struct tl_report report;
		struct machine machine;

		REQUIRE(make_crowd(&machine, ids, SPIN, makes[make]));
		tl_engine_settings(machine.engine)->pass_reported = true;
		BREAK_AT(&machine, SPIN);
		for (unsigned round = 0; round < 20; round++) {
			unsigned before = machine.readies;

			GO_UNTIL(&machine, &report, TL_EVENT_TRAP);
			CHECK_EQUAL(machine_pc(&machine, report.event.thread), SPIN);
			CHECK_EQUAL(machine.readies, before + 1);
			CHECK(all_stand(&machine));
			CHECK_EQUAL(tl_crew_unheard(machine.crew), 0);
			CHECK(!tl_engine_take_report(machine.engine, &report));
		}
		MACHINE_END(&machine);
	}
}

TEST(threads_end_while_their_stop_is_asked)
{
	for (unsigned round = 0; round < 20; round++) {
		struct tl_scripted_process_info info = {.alive = false};
		struct tl_thread_id ids[CROWD];
		struct tl_report report;
		struct machine machine;

		REQUIRE(make_crowd(&machine, ids, QUITTER, 0));
		REQUIRE(machine_continue(&machine) == TL_OK);
		REQUIRE(machine_let_run(&machine, round * 4));
		INTERRUPT(&machine, &report);
		CHECK(all_stand(&machine));
		machine_enter(&machine);
		CHECK(tl_scripted_process(machine.scripted, machine.process, &info) && info.alive);
		machine_leave(&machine);
		for (unsigned i = 0; i < CROWD; i++) {
			struct tl_thread_info known;

			CHECK(!tl_engine_find_thread(machine.engine, ids[i], &known) || info.threads > 1);
		}
		MACHINE_END(&machine);
	}
}

/* Those that wait with a hit of a point that is taken out, and those whose hits are on the way, run on as if nothing
 * had been: no report of them, and no trap of ours for the program. */
TEST(a_point_is_removed_while_hits_wait)
{
	for (size_t make = 0; make < TL_COUNT(makes); make++) {
		struct tl_thread_id ids[CROWD];
		struct tl_report report;
		struct machine machine;

		REQUIRE(make_crowd(&machine, ids, SPIN, makes[make]));
		for (unsigned round = 0; round < 8; round++) {
			BREAK_AT(&machine, SPIN);
			GO_UNTIL(&machine, &report, TL_EVENT_TRAP);
			UNBREAK_AT(&machine, SPIN);
			REQUIRE(machine_continue(&machine) == TL_OK);
			REQUIRE(machine_let_run(&machine, 200));
			INTERRUPT(&machine, &report);
			for (unsigned i = 0; i < CROWD; i++)
				CHECK(machine_pc(&machine, ids[i]) == SPIN || machine_pc(&machine, ids[i]) == SPIN + 1);
		}
		MACHINE_END(&machine);
	}
}

/* In non-stop the point goes while some run towards it, some have hit it and some have been told of. */
TEST(a_point_is_removed_while_others_run_to_it)
{
	for (unsigned round = 0; round < 10; round++) {
		struct tl_thread_id ids[CROWD];
		struct tl_report report;
		struct machine machine;
		unsigned told = 0;

		REQUIRE(make_crowd(&machine, ids, SPIN, 0));
		NON_STOP(&machine);
		BREAK_AT(&machine, SPIN);
		REQUIRE(machine_continue(&machine) == TL_OK);
		for (; told < round; told++) {
			REQUIRE(machine_run(&machine, &report));
			machine.ready = true; /* there may be more */
			CHECK_EQUAL(report.event.kind, TL_EVENT_TRAP);
		}
		UNBREAK_AT(&machine, SPIN);
		machine_turns(&machine, round);
		REQUIRE(machine_act(&machine, everyone, TL_ACTION_STOP, 0) == TL_OK);
		for (; told < CROWD + 1; told++) {
			REQUIRE(machine_run(&machine, &report));
			machine.ready = true;
			CHECK_EQUAL(report.event.kind, TL_EVENT_PAUSED);
		}
		CHECK(all_stand(&machine));
		MACHINE_END(&machine);
	}
}

TEST(interrupt_amid_false_conditions)
{
	for (size_t make = 0; make < TL_COUNT(makes); make++) {
		struct tl_thread_id ids[CROWD];
		struct tl_report report;
		struct machine machine;

		REQUIRE(make_crowd(&machine, ids, SPIN, makes[make]));
		CHECK_EQUAL(machine_insert_with(&machine, SPIN, NEVER, NULL), TL_OK);
		for (unsigned round = 0; round < 6; round++) {
			tl_u64 before = tl_engine_counters(machine.engine)->conditions_false;

			REQUIRE(machine_continue(&machine) == TL_OK);
			REQUIRE(machine_let_run(&machine, 300));
			INTERRUPT(&machine, &report);
			CHECK(tl_engine_counters(machine.engine)->conditions_false > before);
			CHECK(all_stand(&machine));
		}
		MACHINE_END(&machine);
	}
}

TEST(detach_while_all_run_and_hit)
{
	for (size_t make = 0; make < TL_COUNT(makes); make++) {
		struct tl_scripted_process_info info = {.alive = false};
		struct tl_thread_id ids[CROWD];
		struct machine machine;

		REQUIRE(make_crowd(&machine, ids, SPIN, makes[make]));
		CHECK_EQUAL(machine_insert_with(&machine, SPIN, NEVER, NULL), TL_OK);
		CHECK_EQUAL(machine_insert(&machine, TL_POINT_HARDWARE, LOOP, 1), TL_OK);
		REQUIRE(machine_continue(&machine) == TL_OK);
		REQUIRE(machine_let_run(&machine, 300));
		REQUIRE(machine_pause(&machine));
		CHECK_EQUAL(tl_engine_detach(machine.engine, machine.process, 0, 0), TL_OK);
		/* All go on, and no trap of ours ends the program. */
		REQUIRE(machine_let_run(&machine, 2000));
		machine_enter(&machine);
		CHECK(tl_scripted_process(machine.scripted, machine.process, &info));
		machine_leave(&machine);
		CHECK(info.alive && !info.traced);
		CHECK_EQUAL(info.threads, CROWD + 1);
		CHECK_EQUAL(tl_crew_unheard(machine.crew), 0);
		MACHINE_END(&machine);
	}
}

TEST(attach_to_threads_that_run)
{
	for (unsigned round = 0; round < 10; round++) {
		struct tl_scripted_options options = machine_options();
		struct tl_thread_id id;
		struct tl_report report;
		struct machine machine;
		const char *detail = "";
		tl_u64 process = 0;
		enum tl_status status = TL_OK;

		REQUIRE(machine_make_with_crew(&machine, &options));
		CHECK_EQUAL(tl_engine_detach(machine.engine, machine.process, 0, 0), TL_OK);
		machine_enter(&machine);
		status = tl_scripted_start_free(machine.scripted, &process);
		for (unsigned i = 0; i < CROWD && status == TL_OK; i++)
			status = tl_scripted_add_thread(machine.scripted, process, i % 2 == 0 ? SPIN : WAITER, &id);
		machine_leave(&machine);
		CHECK_EQUAL(status, TL_OK);
		REQUIRE(machine_let_run(&machine, round * 20));
		CHECK_EQUAL(tl_engine_target(machine.engine)
				    ->ops->attach(tl_engine_target(machine.engine), process, &detail),
			    TL_OK);
		REQUIRE(machine_run(&machine, &report));
		CHECK_EQUAL(report.event.thread.process, process);
		CHECK(all_stand(&machine));
		CHECK_EQUAL(tl_engine_detach(machine.engine, process, 0, 0), TL_OK);
		CHECK(machine_pristine(&machine, process));
		MACHINE_END(&machine);
	}
}

/* Threads that make threads, which end, while everyone hits a point with a false condition and is stopped at times. */
TEST(births_and_ends_amid_hits)
{
	for (size_t make = 0; make < TL_COUNT(makes); make++) {
		struct tl_thread_id ids[CROWD];
		struct tl_report report;
		struct machine machine;

		REQUIRE(make_crowd(&machine, ids, SPIN, makes[make]));
		CHECK_EQUAL(machine_insert_with(&machine, SPIN, NEVER, NULL), TL_OK);
		for (unsigned round = 0; round < 8; round++) {
			REQUIRE(machine_continue(&machine) == TL_OK);
			for (unsigned i = 0; i < CROWD; i++) {
				/* One that stands at this moment makes none. */
				(void)machine_do(&machine, ids[i], TL_SCRIPTED_CLONE, i % 3 == 0 ? SPIN : QUITTER, 0);
				if (i % 8 == round)
					(void)machine_do(&machine, ids[i], TL_SCRIPTED_EXIT_THREAD, 0, 0);
				machine_turns(&machine, 1);
			}
			INTERRUPT(&machine, &report);
			CHECK(all_stand(&machine));
		}
		MACHINE_END(&machine);
	}
}

/* One thread runs another program while the events of the others are on their way. */
TEST(exec_while_events_of_others_are_on_the_way)
{
	for (size_t make = 0; make < TL_COUNT(makes); make++) {
		for (unsigned round = 0; round < 8; round++) {
			struct tl_thread_id ids[CROWD];
			struct tl_report report;
			struct machine machine;

			REQUIRE(make_crowd(&machine, ids, SPIN, makes[make]));
			tl_engine_settings(machine.engine)->report_execs = true;
			CHECK_EQUAL(machine_insert_with(&machine, SPIN, NEVER, NULL), TL_OK);
			REQUIRE(machine_continue(&machine) == TL_OK);
			REQUIRE(machine_let_run(&machine, 20 * round));
			while (machine_do(&machine, ids[round], TL_SCRIPTED_EXEC, 0, 0) != TL_OK)
				REQUIRE(machine_let_run(&machine, 1));
			RUN_UNTIL(&machine, &report, TL_EVENT_EXEC);
			CHECK_EQUAL(report.event.thread.thread, machine.main.thread);
			CHECK_EQUAL(machine_pc(&machine, machine.main), LOOP);
			CHECK(all_stand(&machine));
			MACHINE_END(&machine);
		}
	}
}

/* The process ends, or is ended, with events on their way. */
TEST(the_process_ends_amid_hits)
{
	for (unsigned round = 0; round < 16; round++) {
		struct tl_thread_id ids[CROWD];
		struct tl_report report;
		struct machine machine;

		REQUIRE(make_crowd(&machine, ids, SPIN, makes[round % TL_COUNT(makes)]));
		CHECK_EQUAL(machine_insert_with(&machine, SPIN, NEVER, NULL), TL_OK);
		REQUIRE(machine_continue(&machine) == TL_OK);
		REQUIRE(machine_let_run(&machine, 25 * round));
		CHECK_EQUAL(machine_do(&machine, ids[round], TL_SCRIPTED_KILL_PROCESS, 9, round & 1), TL_OK);
		if (round % 4 == 3)
			tl_engine_interrupt(machine.engine);
		RUN_UNTIL(&machine, &report, TL_EVENT_PROCESS_KILLED);
		CHECK_EQUAL(report.event.signal, 9);
		CHECK_EQUAL(tl_engine_next_process(machine.engine, 0), 0);
		MACHINE_END(&machine);
	}
}

TEST(the_client_kills_amid_hits)
{
	for (unsigned round = 0; round < 16; round++) {
		struct tl_thread_id ids[CROWD];
		struct machine machine;

		REQUIRE(make_crowd(&machine, ids, SPIN, makes[round % TL_COUNT(makes)]));
		CHECK_EQUAL(machine_insert_with(&machine, SPIN, NEVER, NULL), TL_OK);
		REQUIRE(machine_continue(&machine) == TL_OK);
		REQUIRE(machine_let_run(&machine, 25 * round));
		CHECK_EQUAL(tl_engine_kill(machine.engine, machine.process), TL_OK);
		CHECK_EQUAL(tl_engine_next_process(machine.engine, 0), 0);
		/* What was on its way is heard, and concerns nobody. */
		while (tl_crew_unheard(machine.crew) != 0)
			machine_turns(&machine, 1);
		MACHINE_END(&machine);
	}
}

/* A thread steps while all others run into a point that it stands on. */
TEST(steps_amid_hits)
{
	for (size_t make = 0; make < TL_COUNT(makes); make++) {
		struct tl_thread_id ids[CROWD];
		struct tl_report report;
		struct machine machine;

		REQUIRE(make_crowd(&machine, ids, SPIN, makes[make]));
		CHECK_EQUAL(machine_insert_with(&machine, SPIN, NEVER, NULL), TL_OK);
		CHECK_EQUAL(machine_insert_with(&machine, SPIN + 1, NEVER, NULL), TL_OK);
		for (unsigned round = 0; round < 12; round++) {
			struct tl_action actions[2] = {{.filter = ids[0], .kind = TL_ACTION_STEP},
						       {.filter = everyone, .kind = TL_ACTION_CONTINUE}};
			tl_u64 before = machine_pc(&machine, ids[0]);

			REQUIRE(tl_engine_resume(machine.engine, actions, 2) == TL_OK);
			RUN_UNTIL(&machine, &report, TL_EVENT_STEPPED);
			CHECK_EQUAL(report.event.thread.thread, ids[0].thread);
			CHECK_EQUAL(machine_pc(&machine, ids[0]), before == SPIN ? SPIN + 1 : SPIN);
		}
		MACHINE_END(&machine);
	}
}
