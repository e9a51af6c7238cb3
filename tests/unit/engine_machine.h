/*
 * An engine over a scripted machine with a small program, for the engine's tests.
 *
 * The program is a handful of loops at fixed addresses; threads are put to whichever a test needs. A plain machine
 * moves when a test takes turns; one with a crew (machine_make_with_crew) moves by itself, a thread of the host for
 * each of the program's, and the test turns an event loop.
 */
#ifndef TL_TESTS_UNIT_ENGINE_MACHINE_H
#define TL_TESTS_UNIT_ENGINE_MACHINE_H

#include "base/storage.h"
#include "core/engine/engine.h"
#include "targets/scripted/crew.h"
#include "targets/scripted/scripted.h"
#include "tests/unit/test.h"

#include <time.h>

/* Counts in %rdi, stores the count at DATA, and calls FUNCTION, for ever. */
#define LOOP 0x1000u
#define LOOP_STORE 0x1005u
#define LOOP_CALL 0x100du
#define LOOP_BACK 0x1012u
#define LOOP_END 0x1015u
#define FUNCTION 0x1020u /* push, pop, ret */
#define FUNCTION_POP 0x1021u
#define FUNCTION_RETURN 0x1022u
#define OWN_TRAP 0x1030u /* int3; nop; and again */
#define READER 0x1040u   /* loads the word at DATA, for ever */
#define CALLER 0x1050u   /* getpid, for ever */
#define CALLER_SYSCALL 0x1055u
#define QUITTER 0x1060u /* exits its thread with status 5 */
#define FORKER 0x1070u  /* forks, then spins at FORKER_AFTER */
#define FORKER_AFTER 0x1077u
#define WAITER 0x1080u /* pauses, for ever */
#define SPIN 0x1090u   /* nop and jump back */
#define WRITER 0x10a0u /* stores %rdi at DATA, for ever */
#define VFORKER 0x10b0u
#define VFORKER_AFTER 0x10b7u
#define FAULTY 0x10c0u    /* loads from address 0 */
#define FIVE_NOPS 0x10d0u /* nop nop nop nop nop jump back */
#define FIVE_NOPS_END 0x10d5u
#define CODE_END 0x10e0u

#define DATA 0x2000u
#define STACK 0x3000u
#define STACK_TOP 0x3f00u

/* clang-format off */
static const tl_u8 machine_code[CODE_END - LOOP] = {
	[LOOP - LOOP] = 0x48, 0x83, 0xc7, 0x01,					/* add $1, %rdi */
	0x90,									/* nop */
	0x48, 0x89, 0x3c, 0x25, 0x00, 0x20, 0x00, 0x00,				/* mov %rdi, 0x2000 */
	0xe8, 0x0e, 0x00, 0x00, 0x00,						/* call FUNCTION */
	0x90, 0xeb, 0xeb,							/* nop; jmp LOOP */
	[FUNCTION - LOOP] = 0x55, 0x5d, 0xc3,					/* push %rbp; pop %rbp; ret */
	[OWN_TRAP - LOOP] = 0xcc, 0x90, 0xeb, 0xfc,				/* int3; nop; jmp OWN_TRAP */
	[READER - LOOP] = 0x48, 0x8b, 0x04, 0x25, 0x00, 0x20, 0x00, 0x00,	/* mov 0x2000, %rax */
	0xeb, 0xf6,								/* jmp READER */
	[CALLER - LOOP] = 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7,		/* getpid */
	[QUITTER - LOOP] = 0xb8, 60, 0, 0, 0, 0xbf, 5, 0, 0, 0, 0x0f, 0x05,	/* exit(5) */
	[FORKER - LOOP] = 0xb8, 57, 0, 0, 0, 0x0f, 0x05, 0x90, 0xeb, 0xfd,	/* fork; nop; jmp to the nop */
	[WAITER - LOOP] = 0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7,		/* pause */
	[SPIN - LOOP] = 0x90, 0xeb, 0xfd,					/* nop; jmp SPIN */
	[WRITER - LOOP] = 0x48, 0x89, 0x3c, 0x25, 0x00, 0x20, 0x00, 0x00,	/* mov %rdi, 0x2000 */
	0xeb, 0xf6,								/* jmp WRITER */
	[VFORKER - LOOP] = 0xb8, 58, 0, 0, 0, 0x0f, 0x05, 0x90, 0xeb, 0xfd,	/* vfork; nop; jmp to the nop */
	[FAULTY - LOOP] = 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x90,		/* mov 0, %rax */
	[FIVE_NOPS - LOOP] = 0x90, 0x90, 0x90, 0x90, 0x90, 0xeb, 0xf9,		/* five nops; jmp FIVE_NOPS */
};
/* clang-format on */

static const struct tl_scripted_segment machine_segments[] = {
	{LOOP, CODE_END - LOOP, machine_code, sizeof(machine_code), TL_PERMISSION_READ | TL_PERMISSION_EXECUTE, "code"},
	{DATA, 0x100, NULL, 0, TL_PERMISSION_READ | TL_PERMISSION_WRITE, "data"},
	{STACK, 0x1000, NULL, 0, TL_PERMISSION_READ | TL_PERMISSION_WRITE, "[stack]"},
};

static const struct tl_scripted_image machine_image = {
	.segments = machine_segments,
	.segment_count = TL_COUNT(machine_segments),
	.entry = LOOP,
	.stack = STACK_TOP,
};

struct machine {
	struct tl_scripted *scripted;
	struct tl_crew *crew; /* NULL: a plain machine */
	struct tl_loop *loop;
	struct tl_engine *engine;
	tl_u64 process;
	struct tl_thread_id main;
	bool ready;
	unsigned readies;
	char output[4096];
	tl_size output_size;
};

static void machine_ready(void *context)
{
	struct machine *machine = context;

	machine->ready = true;
	machine->readies++;
}

static void machine_output(void *context, const char *text, tl_size size)
{
	struct machine *machine = context;

	if (size >= sizeof(machine->output) - machine->output_size)
		size = sizeof(machine->output) - 1 - machine->output_size;
	memcpy(machine->output + machine->output_size, text, size);
	machine->output_size += size;
}

/* With NOTES in the environment, what the engine does is printed. */
static void machine_note(void *context, const struct tl_note *note)
{
	static const char *const kinds[] = {"event", "state", "resume", "dropped", "point", "over", "report"};

	(void)context;
	if (getenv("NOTES") == NULL || (tl_size)note->kind >= TL_COUNT(kinds))
		return;
	printf("    %-8s %llu.%llu %s from %u to %u at 0x%llx\n", kinds[note->kind],
	       (unsigned long long)note->thread.process, (unsigned long long)note->thread.thread,
	       note->event != NULL ? tl_event_name(note->event->kind) : "", note->from, note->to,
	       (unsigned long long)note->address);
}

static inline struct tl_scripted_options machine_options(void)
{
	return (struct tl_scripted_options){.allocator = *tl_storage(), .cpu = &tl_cpu_x86_64, .image = &machine_image};
}

/* The machine of a crew at rest, to be looked at and meddled with; nothing to do for a plain one. */
static inline void machine_enter(struct machine *machine)
{
	if (machine->crew != NULL)
		(void)tl_crew_enter(machine->crew);
}

static inline void machine_leave(struct machine *machine)
{
	if (machine->crew != NULL)
		tl_crew_leave(machine->crew);
}

/* An engine over `target`, and one process that stands at the image's entry. False when there was no storage. */
static inline bool machine_begin(struct machine *machine, struct tl_target *target)
{
	struct tl_engine_host host = {.allocator = *tl_storage(),
				      .output = machine_output,
				      .ready = machine_ready,
				      .note = machine_note,
				      .context = machine};
	bool good;

	tl_engine_init(machine->engine, target, &host);
	machine_enter(machine);
	good = tl_scripted_start(machine->scripted, &machine->process) == TL_OK;
	machine_leave(machine);
	machine->main = (struct tl_thread_id){machine->process, machine->process};
	return good;
}

/* A machine with one process that stands at `start`. False when there was no storage. */
static inline bool machine_make(struct machine *machine, const struct tl_scripted_options *options)
{
	memset(machine, 0, sizeof(*machine));
	machine->scripted = calloc(1, tl_scripted_size());
	machine->engine = calloc(1, tl_engine_size());
	if (machine->scripted == NULL || machine->engine == NULL)
		abort();
	if (tl_scripted_init(machine->scripted, options) != TL_OK)
		return false;
	return machine_begin(machine, tl_scripted_target(machine->scripted));
}

/* The same with a crew. */
static inline bool machine_make_with_crew(struct machine *machine, const struct tl_scripted_options *options)
{
	struct tl_error error = {0};

	memset(machine, 0, sizeof(*machine));
	machine->engine = calloc(1, tl_engine_size());
	if (machine->engine == NULL)
		abort();
	if (tl_loop_create(&machine->loop, &error) != TL_OK ||
	    tl_crew_create(machine->loop, options, &machine->crew, &error) != TL_OK) {
		printf("  %s\n", error.text);
		return false;
	}
	machine->scripted = tl_crew_enter(machine->crew);
	tl_crew_leave(machine->crew);
	return machine_begin(machine, tl_crew_target(machine->crew));
}

static inline void machine_free(struct machine *machine)
{
	if (machine->engine != NULL && tl_engine_target(machine->engine) != NULL)
		tl_engine_deinit(machine->engine);
	if (machine->crew != NULL) {
		tl_crew_destroy(machine->crew);
	} else if (machine->scripted != NULL) {
		tl_scripted_deinit(machine->scripted);
		free(machine->scripted);
	}
	tl_loop_destroy(machine->loop);
	free(machine->engine);
}

/* ---- Waiting ---- */

#define MACHINE_TURNS_MAX 1000000
#define MACHINE_SECONDS_MAX 20

/* How long a wait goes on: so many turns, or with a crew until that time of the monotonic clock. */
struct machine_patience {
	unsigned turns;
	long long deadline; /* milliseconds */
};

static inline long long machine_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static inline struct machine_patience machine_patience(void)
{
	return (struct machine_patience){MACHINE_TURNS_MAX, machine_clock() + MACHINE_SECONDS_MAX * 1000ll};
}

/* After a wait in vain: who waits for what. */
static inline void machine_explain(struct machine *machine)
{
	static const char *const states[] = {"parked", "waiting", "running", "stopping", "held", "over"};
	struct tl_thread_info info = {.id = {0, 0}};
	unsigned shown = 0;

	printf("  waited in vain:");
	if (machine->crew != NULL)
		printf(" %llu events unheard;", (unsigned long long)tl_crew_unheard(machine->crew));
	machine_enter(machine);
	while (shown++ < 20 && tl_engine_next_thread(machine->engine, info.id, &info)) {
		struct tl_scripted_thread_info there = {.running = false};

		if (!tl_scripted_thread(machine->scripted, info.id, &there)) {
			printf(" %llu.%llu is gone,", (unsigned long long)info.id.process,
			       (unsigned long long)info.id.thread);
			continue;
		}
		printf(" %llu.%llu is %s and %s at 0x%llx%s%s,", (unsigned long long)info.id.process,
		       (unsigned long long)info.id.thread, states[info.state], there.running ? "runs" : "stands",
		       (unsigned long long)there.program_counter, there.stop_asked ? ", asked to stop" : "",
		       there.blocked ? ", blocked" : "");
	}
	machine_leave(machine);
	printf("\n");
}

/* Lets the machine move on. False when it cannot, or patience is at its end. */
static inline bool machine_advance(struct machine *machine, struct machine_patience *patience)
{
	long long left = patience->deadline - machine_clock();
	struct tl_error error = {0};

	if (machine->crew == NULL)
		return patience->turns-- > 0 && tl_scripted_turn(machine->scripted);
	if (left <= 0 || tl_loop_turn(machine->loop, (int)left, &error) != TL_OK) {
		machine_explain(machine);
		return false;
	}
	return true;
}

/* Takes a report if there is one. */
static inline bool machine_take(struct machine *machine, struct tl_report *report)
{
	if (!machine->ready)
		return false;
	machine->ready = false;
	return tl_engine_take_report(machine->engine, report);
}

/* Goes on until a report is ready; false after a great many turns, or when nothing can move any more. */
static inline bool machine_run(struct machine *machine, struct tl_report *report)
{
	struct machine_patience patience = machine_patience();

	for (;;) {
		if (machine_take(machine, report))
			return true;
		if (!machine->ready && !machine_advance(machine, &patience) && !machine->ready)
			return false;
	}
}

/* A plain machine's turns; with a crew, so many turns of the loop at the most, as long as there are events to hear. */
static inline void machine_turns(struct machine *machine, unsigned turns)
{
	struct tl_error error = {0};

	while (turns-- > 0) {
		if (machine->crew == NULL)
			(void)tl_scripted_turn(machine->scripted);
		else if (tl_loop_turn(machine->loop, 0, &error) != TL_OK)
			printf("  %s\n", error.text);
	}
}

/* Lets the program execute so many instructions, all threads together; false when it does not. */
static inline bool machine_let_run(struct machine *machine, tl_u64 turns)
{
	struct machine_patience patience = machine_patience();
	struct tl_error error = {0};
	tl_u64 done, until = 0;

	for (;;) {
		machine_enter(machine);
		done = tl_scripted_turns(machine->scripted);
		machine_leave(machine);
		if (until == 0)
			until = done + turns;
		if (done >= until)
			return true;
		/* Nobody tells of an instruction: with a crew a look now and then has to do. */
		if (machine->crew != NULL && machine_clock() < patience.deadline &&
		    tl_loop_turn(machine->loop, 1, &error) == TL_OK)
			continue;
		if (machine->crew != NULL || !machine_advance(machine, &patience)) {
			machine_explain(machine);
			return false;
		}
	}
}

/* Stops everything quietly and says whether that came about. */
static inline bool machine_pause(struct machine *machine)
{
	struct machine_patience patience = machine_patience();

	tl_engine_pause(machine->engine);
	while (!tl_engine_quiet(machine->engine))
		if (!machine_advance(machine, &patience))
			break;
	return tl_engine_quiet(machine->engine);
}

/* Another thread of the first process, which stands at `start`; its id is {0, 0} when there was no storage. */
static inline struct tl_thread_id machine_thread(struct machine *machine, tl_u64 start)
{
	struct tl_thread_id id = {0, 0};
	enum tl_status status;

	machine_enter(machine);
	status = tl_scripted_add_thread(machine->scripted, machine->process, start, &id);
	machine_leave(machine);
	return status == TL_OK ? id : (struct tl_thread_id){0, 0};
}

/* That many. */
static inline bool machine_threads(struct machine *machine, tl_u64 start, struct tl_thread_id *ids, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		ids[i] = machine_thread(machine, start);
		if (ids[i].thread == 0)
			return false;
	}
	return true;
}

static inline enum tl_status machine_do(struct machine *machine, struct tl_thread_id thread, enum tl_scripted_what what,
					tl_u64 a, tl_u64 b)
{
	enum tl_status status;

	machine_enter(machine);
	status = tl_scripted_do(machine->scripted, thread, what, a, b);
	machine_leave(machine);
	return status;
}

static inline enum tl_status machine_act(struct machine *machine, struct tl_thread_id filter, enum tl_action_kind kind,
					 tl_i32 signal)
{
	struct tl_action action = {.filter = filter, .kind = kind, .signal = signal};

	return tl_engine_resume(machine->engine, &action, 1);
}

static const struct tl_thread_id everyone = {TL_ANY, TL_ANY};

/* Bytecode of the bytes that are given; a condition that is never true. */
#define CODE(...) (&(struct tl_agent_code){(const tl_u8[]){__VA_ARGS__}, sizeof((const tl_u8[]){__VA_ARGS__})})
#define NEVER CODE(0x22, 0, 0x27)

static inline enum tl_status machine_continue(struct machine *machine)
{
	return machine_act(machine, everyone, TL_ACTION_CONTINUE, 0);
}

/* Continues and waits for the report. */
static inline bool machine_go(struct machine *machine, struct tl_report *report)
{
	return machine_continue(machine) == TL_OK && machine_run(machine, report);
}

/* Steps one thread, the others standing, and waits for the report. */
static inline bool machine_step(struct machine *machine, struct tl_thread_id thread, struct tl_report *report)
{
	return machine_act(machine, thread, TL_ACTION_STEP, 0) == TL_OK && machine_run(machine, report);
}

static inline enum tl_status machine_insert(struct machine *machine, enum tl_point_kind kind, tl_u64 address,
					    tl_u64 size)
{
	struct tl_point_request request = {.kind = kind, .address = address, .size = size};

	return tl_engine_insert_point(machine->engine, machine->process, &request);
}

static inline enum tl_status machine_insert_with(struct machine *machine, tl_u64 address,
						 const struct tl_agent_code *condition,
						 const struct tl_agent_code *command)
{
	struct tl_point_request request = {.kind = TL_POINT_SOFTWARE, .address = address, .size = 1};

	if (condition != NULL)
		request.conditions = (struct tl_bytecode_list){condition, 1};
	if (command != NULL)
		request.commands = (struct tl_bytecode_list){command, 1};
	return tl_engine_insert_point(machine->engine, machine->process, &request);
}

static inline enum tl_status machine_remove(struct machine *machine, enum tl_point_kind kind, tl_u64 address,
					    tl_u64 size)
{
	return tl_engine_remove_point(machine->engine, machine->process, kind, address, size);
}

/* The program counter as the engine shows it; all ones when it shows none. */
static inline tl_u64 machine_pc(struct machine *machine, struct tl_thread_id thread)
{
	tl_u8 *file;

	if (tl_engine_registers(machine->engine, thread, 1, &file) != TL_OK)
		return TL_U64_MAX;
	return tl_cpu_get(&tl_cpu_x86_64, file, tl_cpu_x86_64.program_counter);
}

static inline void machine_set_pc(struct machine *machine, struct tl_thread_id thread, tl_u64 address)
{
	tl_u8 *file;

	if (tl_engine_registers(machine->engine, thread, 1, &file) != TL_OK)
		return;
	tl_cpu_set(&tl_cpu_x86_64, file, tl_cpu_x86_64.program_counter, address);
	if (tl_engine_registers_changed(machine->engine, thread, 1) != TL_OK)
		printf("  the registers could not be changed\n");
}

static inline tl_u64 machine_word(struct machine *machine, tl_u64 address)
{
	tl_u8 bytes[8] = {0};

	machine_enter(machine);
	(void)tl_scripted_peek(machine->scripted, machine->process, address, bytes, sizeof(bytes));
	machine_leave(machine);
	return tl_load_little(bytes, sizeof(bytes));
}

/* The process is as if nobody had ever looked at it; says what is not. */
static inline bool machine_pristine(struct machine *machine, tl_u64 process)
{
	struct tl_scripted_process_info info = {.alive = false};
	const char *text = NULL;
	bool good;

	machine_enter(machine);
	good = tl_scripted_violations(machine->scripted, &text) == 0;
	(void)tl_scripted_process(machine->scripted, process, &info);
	machine_leave(machine);
	if (!good)
		printf("  broken contract: %s\n", text);
	if (!info.alive)
		return good;
	if (info.altered != 0 || info.points != 0 || info.borrowed != 0) {
		printf("  process %llu: %zu altered bytes, %zu points, %zu borrowed regions\n",
		       (unsigned long long)process, (size_t)info.altered, (size_t)info.points, (size_t)info.borrowed);
		good = false;
	}
	return good;
}

/* Leaves the process and frees everything, checking that nothing stays behind. */
#define MACHINE_END(machine)                                                                                           \
	do {                                                                                                           \
		CHECK(machine_pause(machine));                                                                         \
		if (tl_engine_next_process((machine)->engine, 0) == (machine)->process)                                \
			CHECK_EQUAL(tl_engine_detach((machine)->engine, (machine)->process, 0, 0), TL_OK);             \
		CHECK(machine_pristine(machine, (machine)->process));                                                  \
		machine_free(machine);                                                                                 \
	} while (0)

/* ---- The words that tests are told in. Each records a failure, or leaves, where it stands. ---- */

/* A test on a fresh plain machine, `machine`, which is let go and looked over at the end, wherever the test leaves. */
#define MACHINE_TEST(test_name)                                                                                        \
	static void test_name##_on(struct machine *machine);                                                           \
	TEST(test_name)                                                                                                \
	{                                                                                                              \
		struct tl_scripted_options options = machine_options();                                                \
		struct machine machine;                                                                                \
                                                                                                                       \
		REQUIRE(machine_make(&machine, &options));                                                             \
		test_name##_on(&machine);                                                                              \
		MACHINE_END(&machine);                                                                                 \
	}                                                                                                              \
	static void test_name##_on(struct machine *machine)

/* A software breakpoint comes, and goes. */
#define BREAK_AT(machine, address) CHECK_EQUAL(machine_insert(machine, TL_POINT_SOFTWARE, address, 1), TL_OK)
#define UNBREAK_AT(machine, address) CHECK_EQUAL(machine_remove(machine, TL_POINT_SOFTWARE, address, 1), TL_OK)

/* Something happens to a thread, now: tl_scripted_do. */
#define HAPPENS(machine, thread, what, a, b) CHECK_EQUAL(machine_do(machine, thread, what, a, b), TL_OK)

#define NON_STOP(machine) CHECK_EQUAL(tl_engine_set_non_stop((machine)->engine, true), TL_OK)

/* Waits for a report, which is to be of that kind; lets everyone go on first. */
#define RUN_UNTIL(machine, report, wanted)                                                                             \
	do {                                                                                                           \
		REQUIRE(machine_run(machine, report));                                                                 \
		CHECK_EQUAL((report)->event.kind, wanted);                                                             \
	} while (0)
#define GO_UNTIL(machine, report, wanted)                                                                              \
	do {                                                                                                           \
		REQUIRE(machine_continue(machine) == TL_OK);                                                           \
		RUN_UNTIL(machine, report, wanted);                                                                    \
	} while (0)

/* ^C, and what it brings when nothing else comes first. */
#define INTERRUPT(machine, report)                                                                                     \
	do {                                                                                                           \
		tl_engine_interrupt((machine)->engine);                                                                \
		RUN_UNTIL(machine, report, TL_EVENT_SIGNAL);                                                           \
		CHECK_EQUAL((report)->event.signal, 2);                                                                \
	} while (0)

#endif
