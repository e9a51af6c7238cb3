/*
 * The engine when the target's operations and the allocator fail: the n-th of them, for every n, over whole scenarios.
 * However that ends, the engine comes to rest, leaves, and nothing of it stays in the program.
 */
#include "tests/unit/engine_machine.h"

#define DATA_IS(n) CODE(0x24, 0, 0, 0x20, 0, 0x1a, 0x22, (n), 0x13, 0x27)

/*
 * All of this is one thread, where the thread sanitizer has nothing to find, and takes ten times as long under it:
 * there every eighth failure does.
 */
#ifdef __SANITIZE_THREAD__
#define STRIDE 8
#else
#define STRIDE 1
#endif

/* A session as a client has it, in which anything may fail; errors are looked at by nobody. */
static void session(struct machine *machine)
{
	struct tl_thread_id ids[3] = {{0, 0}};
	struct tl_report report;
	struct tl_action actions[2] = {{.filter = machine->main, .kind = TL_ACTION_STEP},
				       {.filter = everyone, .kind = TL_ACTION_CONTINUE}};

	for (unsigned i = 0; i < 3; i++)
		(void)!tl_scripted_add_thread(machine->scripted, machine->process, SPIN, &ids[i]);
	(void)machine_insert_with(machine, SPIN, NEVER, NULL);
	(void)machine_insert_with(machine, LOOP_CALL, NEVER, NULL);
	(void)machine_insert_with(machine, LOOP_BACK, DATA_IS(2), NULL);
	(void)machine_insert(machine, TL_POINT_WRITE, DATA + 0x10, 8);
	(void)machine_go(machine, &report);
	(void)machine_remove(machine, TL_POINT_WRITE, DATA + 0x10, 8);
	(void)machine_insert(machine, TL_POINT_HARDWARE, FUNCTION, 1);
	(void)machine_go(machine, &report);
	if (tl_engine_resume(machine->engine, actions, 2) == TL_OK)
		(void)machine_run(machine, &report);
	(void)!tl_scripted_do(machine->scripted, machine->main, TL_SCRIPTED_SIGNAL, 10, 0);
	(void)machine_go(machine, &report);
	(void)machine_remove(machine, TL_POINT_HARDWARE, FUNCTION, 1);
	(void)machine_remove(machine, TL_POINT_SOFTWARE, LOOP_BACK, 1);
	if (machine_continue(machine) == TL_OK) {
		machine_turns(machine, 10);
		for (unsigned i = 0; i < 3; i++)
			if (tl_scripted_do(machine->scripted, ids[i], TL_SCRIPTED_FORK, SPIN, 0) == TL_OK)
				break;
		machine_turns(machine, 10);
		tl_engine_interrupt(machine->engine);
		(void)machine_run(machine, &report);
	}
}

/*
 * Comes to rest and leaves; true when the program is whole. Memory for copies may stay where nobody was left who could
 * give it back: with the child of a vfork, when another thread of its parent execs.
 */
static bool leaves_whole(struct machine *machine)
{
	struct tl_scripted_process_info info;
	bool good = true;
	tl_u64 process;

	tl_scripted_fail(machine->scripted, 0, TL_OK);
	tl_storage_fail(0);
	if (!machine_pause(machine)) {
		printf("  the engine does not come to rest\n");
		return false;
	}
	while ((process = tl_engine_next_process(machine->engine, 0)) != 0)
		(void)tl_engine_detach(machine->engine, process, 0, 0);
	for (process = 1; process < 16; process++)
		if (tl_scripted_process(machine->scripted, process, &info) && info.alive &&
		    (info.altered != 0 || info.points != 0 || tl_scripted_violations(machine->scripted, NULL) != 0))
			good = machine_pristine(machine, process) && false;
	/* Whoever lives goes on as if nothing had been. */
	machine_turns(machine, 100);
	for (process = 1; process < 16; process++) {
		if (tl_scripted_process(machine->scripted, process, &info) && !info.alive && info.signal == 5) {
			printf("  a stray trap killed process %llu\n", (unsigned long long)process);
			good = false;
		}
	}
	return good;
}

static void fail_operations(tl_u32 without, enum tl_status status)
{
	struct tl_scripted_options options = machine_options();
	tl_u64 count = 1;

	options.without = without;
	for (tl_u64 n = 0; n <= count; n += STRIDE) {
		struct machine machine;

		REQUIRE(machine_make(&machine, &options));
		tl_scripted_fail(machine.scripted, n, status);
		session(&machine);
		if (n == 0)
			count = tl_scripted_operations(machine.scripted);
		if (!leaves_whole(&machine)) {
			printf("  … when operation %llu of %llu failed\n", (unsigned long long)n,
			       (unsigned long long)count);
			CHECK(false);
		}
		machine_free(&machine);
	}
	CHECK(count > 50);
}

TEST(every_operation_fails_once)
{
	fail_operations(0, TL_ERROR_SYSTEM);
}

TEST(every_operation_fails_once_out_of_line)
{
	fail_operations(TL_CAN_CARRY_OUT, TL_ERROR_SYSTEM);
}

TEST(every_operation_fails_once_with_others_held)
{
	fail_operations(TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE, TL_ERROR_SYSTEM);
}

TEST(every_operation_fails_once_without_steps)
{
	fail_operations(TL_CAN_STEP | TL_CAN_CARRY_OUT, TL_ERROR_SYSTEM);
}

TEST(every_allocation_fails_once)
{
	static const tl_u32 makes[] = {0, TL_CAN_CARRY_OUT, TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE, TL_CAN_STEP};

	for (size_t make = 0; make < TL_COUNT(makes); make++) {
		struct tl_scripted_options options = machine_options();
		tl_u64 count = 1;

		options.without = makes[make];
		for (tl_u64 n = 0; n <= count; n += STRIDE) {
			struct machine machine;
			tl_u64 live = tl_storage_live(), before = tl_storage_calls();

			tl_storage_fail(n);
			if (machine_make(&machine, &options)) {
				session(&machine);
				if (n == 0)
					count = tl_storage_calls() - before;
				if (!leaves_whole(&machine)) {
					printf("  … when allocation %llu of %llu failed\n", (unsigned long long)n,
					       (unsigned long long)count);
					CHECK(false);
				}
			}
			tl_storage_fail(0);
			machine_free(&machine);
			CHECK_EQUAL(tl_storage_live(), live);
		}
		CHECK(count > 30);
	}
}

/* A process that may end at any turn, in the middle of anything. */
TEST(process_ends_at_every_turn)
{
	static const tl_u32 makes[] = {0, TL_CAN_CARRY_OUT, TL_CAN_CARRY_OUT | TL_CAN_OUT_OF_LINE, TL_CAN_STEP};

	for (size_t make = 0; make < TL_COUNT(makes); make++) {
		for (tl_u64 turn = 1; turn < 150; turn += STRIDE) {
			struct tl_scripted_options options = machine_options();
			struct tl_scripted_entry script = {.when = TL_SCRIPTED_AFTER_TURNS,
							   .value = turn,
							   .thread = {1, 1},
							   .what = TL_SCRIPTED_KILL_PROCESS,
							   .a = 9};
			struct machine machine;

			options.without = makes[make];
			options.script = &script;
			options.script_count = 1;
			REQUIRE(machine_make(&machine, &options));
			session(&machine);
			CHECK(leaves_whole(&machine));
			machine_free(&machine);
		}
	}
}

/* SEED in the environment runs that one alone. */
static tl_u64 first_seed(void)
{
	const char *text = getenv("SEED");

	return text != NULL ? strtoull(text, NULL, 0) : 1;
}

static tl_u64 last_seed(void)
{
	return getenv("SEED") != NULL ? first_seed() : 300;
}

/* Pseudo-random sessions: orders of threads and happenings that nobody thought of. */
TEST(random_happenings)
{
	for (tl_u64 seed = first_seed(); seed <= last_seed(); seed += STRIDE) {
		struct tl_scripted_options options = machine_options();
		struct tl_scripted_entry script[24];
		struct machine machine;
		struct tl_report report;
		tl_u64 random = seed * 0x9e3779b97f4a7c15u;
		struct tl_thread_id ids[4];

		for (size_t i = 0; i < TL_COUNT(script); i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			script[i] = (struct tl_scripted_entry){
				.when = TL_SCRIPTED_AFTER_TURNS,
				.value = random % 400,
				.thread = {1, 1 + (random >> 16) % 5},
				.what = (enum tl_scripted_what)((random >> 24) % TL_SCRIPTED_WHAT_MAX),
				.a = 0,
			};
			switch (script[i].what) {
			case TL_SCRIPTED_SIGNAL:
				script[i].a = 10;
				break;
			case TL_SCRIPTED_CLONE:
			case TL_SCRIPTED_FORK:
			case TL_SCRIPTED_VFORK:
				script[i].a = SPIN;
				break;
			case TL_SCRIPTED_DELAY_STOPS:
				script[i].a = (random >> 32) % 40;
				break;
			case TL_SCRIPTED_EXIT_PROCESS:
			case TL_SCRIPTED_KILL_PROCESS:
				script[i].what = TL_SCRIPTED_PAUSE; /* too soon an end */
				break;
			case TL_SCRIPTED_EXEC:
			case TL_SCRIPTED_EXIT_THREAD:
			case TL_SCRIPTED_PAUSE:
			case TL_SCRIPTED_WHAT_MAX:
				break;
			}
			/*
			 * On a machine without steps, traps of steps stand in memory that a vfork's child runs in:
			 * known, and not worth holding everyone for.
			 */
			if (script[i].what == TL_SCRIPTED_WHAT_MAX ||
			    (script[i].what == TL_SCRIPTED_VFORK && (seed & 4) != 0))
				script[i].what = TL_SCRIPTED_PAUSE;
		}
		options.seed = seed;
		options.script = script;
		options.script_count = TL_COUNT(script);
		options.without = (seed & 1 ? TL_CAN_CARRY_OUT : 0) | (seed & 2 ? TL_CAN_OUT_OF_LINE : 0) |
				  (seed & 4 ? TL_CAN_STEP : 0);
		REQUIRE(machine_make(&machine, &options));
		tl_engine_settings(machine.engine)->report_forks = (seed & 8) != 0;
		tl_engine_settings(machine.engine)->report_vforks = (seed & 16) != 0;
		tl_engine_settings(machine.engine)->report_execs = (seed & 32) != 0;
		for (unsigned i = 0; i < 4; i++)
			REQUIRE(tl_scripted_add_thread(machine.scripted, 1, i & 1 ? LOOP : SPIN, &ids[i]) == TL_OK);
		(void)machine_insert_with(&machine, SPIN, NEVER, NULL);
		(void)machine_insert_with(&machine, LOOP_CALL, NEVER, NULL);
		(void)machine_insert_with(&machine, FUNCTION, DATA_IS(9), NULL);
		for (unsigned i = 0; i < 12; i++) {
			if (machine_act(&machine, everyone, i % 3 == 2 ? TL_ACTION_STEP : TL_ACTION_CONTINUE, 0) !=
			    TL_OK)
				break;
			machine_turns(&machine, 25);
			tl_engine_interrupt(machine.engine);
			if (!machine_run(&machine, &report)) {
				printf("  seed %llu: no report after an interrupt\n", (unsigned long long)seed);
				CHECK(false);
				break;
			}
		}
		if (!leaves_whole(&machine)) {
			printf("  … with seed %llu\n", (unsigned long long)seed);
			CHECK(false);
		}
		machine_free(&machine);
	}
}
