/* A session over the scripted target: several processes side by side. */
#include "test.h"

#include "base/loop.h"
#include "base/storage.h"
#include "core/cpu/cpu.h"
#include "debugger/session/session_internal.h"
#include "targets/scripted/scripted.h"

#include <elf.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT 0x400000
#define DATA 0x600000
#define STACK 0x7f0000

static const tl_u8 text[] = {0xeb, 0xfe}; /* jmp . */
static const tl_u8 data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static const struct tl_scripted_segment segments[] = {
	{.start = TEXT,
	 .size = 4096,
	 .bytes = text,
	 .filled = sizeof(text),
	 .permissions = TL_PERMISSION_READ | TL_PERMISSION_EXECUTE},
	{.start = DATA,
	 .size = 4096,
	 .bytes = data,
	 .filled = sizeof(data),
	 .permissions = TL_PERMISSION_READ | TL_PERMISSION_WRITE},
	{.start = STACK, .size = 4096, .permissions = TL_PERMISSION_READ | TL_PERMISSION_WRITE},
};
static const struct tl_scripted_image image = {
	.segments = segments, .segment_count = TL_COUNT(segments), .entry = TEXT, .stack = STACK + 4096};

static struct tl_loop *loop;
static struct tl_scripted *machine;
static struct tl_session *session;
static struct tl_error error;
static tl_u64 processes[2];

/* Two processes of one program, both standing, the first selected. */
static void open_two(void)
{
	const struct tl_scripted_options options = {.allocator = *tl_storage(), .cpu = &tl_cpu_x86_64, .image = &image};
	struct tl_session_options session_options = {0};

	session = NULL;
	machine = aligned_alloc(16, (tl_scripted_size() + 15) / 16 * 16);
	REQUIRE(machine != NULL && tl_scripted_init(machine, &options) == TL_OK);
	REQUIRE(tl_loop_create(&loop, &error) == TL_OK);
	session_options.loop = loop;
	session_options.target = tl_scripted_target(machine);
	REQUIRE(tl_session_open(&session, &session_options, &error) == TL_OK);
	REQUIRE(tl_scripted_start(machine, &processes[0]) == TL_OK);
	REQUIRE(tl_scripted_start(machine, &processes[1]) == TL_OK);
	REQUIRE(tl_session_adopt(session, NULL, true, &error) == TL_OK);
}

static void close_all(void)
{
	tl_session_close(session);
	tl_loop_destroy(loop);
	tl_scripted_deinit(machine);
	free(machine);
}

TEST(memory_of_a_process_is_read_whichever_process_is_selected)
{
	static const tl_u8 other[4] = {9, 9, 9, 9};
	tl_u8 bytes[4] = {0};
	tl_size done;

	open_two();
	REQUIRE(session != NULL);
	CHECK_EQUAL(tl_session_thread(session).process, processes[0]);
	REQUIRE(tl_engine_write_memory(tl_session_engine(session), processes[1], DATA, other, sizeof(other), &done) ==
		TL_OK);
	for (int selected = 0; selected < 2; selected++) {
		const struct tl_thread_id thread = {processes[selected], processes[selected]};

		REQUIRE(tl_session_select_thread(session, thread, &error) == TL_OK);
		for (int i = 0; i < 2; i++) {
			const struct tl_debugged *debugged = tl_session_debugged(session, processes[i]);

			REQUIRE(debugged != NULL);
			CHECK(tl_modules_read(debugged->modules, DATA, bytes, sizeof(bytes), &error) == TL_OK);
			CHECK(memcmp(bytes, i == 0 ? data : other, sizeof(bytes)) == 0);
		}
	}
	close_all();
}

TEST(memory_of_a_process_is_read_after_another_has_gone)
{
	tl_u8 bytes[4] = {0};

	open_two();
	REQUIRE(session != NULL);
	CHECK(tl_session_kill(session, &error) == TL_OK);
	CHECK(tl_session_debugged(session, processes[0]) == NULL);
	REQUIRE(tl_session_debugged(session, processes[1]) != NULL);
	CHECK(tl_modules_read(tl_session_debugged(session, processes[1])->modules, DATA, bytes, sizeof(bytes),
			      &error) == TL_OK);
	CHECK(memcmp(bytes, data, sizeof(bytes)) == 0);
	close_all();
}

/* ---- Some of them run ---- */

/* While it is false no thread does anything, not even stop. */
static bool moves;
static struct tl_source *mover;

static void move(void *context, struct tl_source *source)
{
	(void)context;
	if (moves)
		(void)tl_scripted_turn(machine);
	tl_source_trigger(source);
}

static void set_moving(void)
{
	REQUIRE(tl_loop_add_deferred(loop, "machine", move, NULL, &mover, &error) == TL_OK);
	tl_source_trigger(mover);
	moves = true;
}

static bool runs(tl_u64 process)
{
	struct tl_scripted_thread_info info;

	return tl_scripted_thread(machine, (struct tl_thread_id){process, process}, &info) && info.running;
}

/* The second of two runs, the first is selected and stands. */
static void open_two_of_which_one_runs(void)
{
	const struct tl_plan plan = {.kind = TL_PLAN_CONTINUE};

	open_two();
	REQUIRE(session != NULL);
	set_moving();
	REQUIRE(tl_session_select_inferior(session, 2, &error) == TL_OK);
	REQUIRE(tl_session_resume(session, &plan, &error) == TL_OK);
	REQUIRE(tl_session_select_inferior(session, 1, &error) == TL_OK);
	CHECK(!runs(processes[0]));
	CHECK(runs(processes[1]));
}

static bool for_a_while(void *context)
{
	int *left = context;

	return --*left > 0;
}

TEST(an_interrupt_is_answered_when_a_quiet_signal_comes_first)
{
	const struct tl_plan plan = {.kind = TL_PLAN_CONTINUE};
	int left = 20;
	const struct tl_patience patience = {for_a_while, &left};
	struct tl_stop stop = {0};
	struct tl_thread_id thread;

	open_two();
	REQUIRE(session != NULL);
	thread = (struct tl_thread_id){processes[0], processes[0]};
	set_moving();
	REQUIRE(tl_session_resume(session, &plan, &error) == TL_OK);
	for (int turn = 0; turn < 5; turn++)
		REQUIRE(tl_loop_turn(loop, 10, &error) == TL_OK);
	/* A window changes its size just as ^C is typed. */
	moves = false;
	REQUIRE(tl_scripted_do(machine, thread, TL_SCRIPTED_SIGNAL, 28, 0) == TL_OK);
	REQUIRE(tl_scripted_do(machine, thread, TL_SCRIPTED_DELAY_STOPS, 3, 0) == TL_OK);
	tl_session_interrupt(session);
	moves = true;
	CHECK(tl_session_wait(session, &patience, &stop, &error) == TL_OK);
	CHECK_EQUAL(stop.kind, TL_STOP_INTERRUPTED);
	close_all();
}

TEST(others_run_on_when_an_attach_beside_them_fails)
{
	tl_u32 number = 0;

	open_two_of_which_one_runs();
	REQUIRE(tl_session_add_inferior(session, false, &number, &error) == TL_OK);
	REQUIRE(tl_session_select_inferior(session, number, &error) == TL_OK);
	CHECK(tl_session_attach(session, 4711, &error) == TL_ERROR_NO_PROCESS);
	CHECK(runs(processes[1]));
	CHECK(tl_session_any_running(session));
	close_all();
}

static enum tl_status fail_to_launch(struct tl_target *target, const struct tl_launch *options, tl_u64 *process_ret,
				     const char **detail_ret)
{
	(void)target;
	(void)options;
	(void)process_ret;
	*detail_ret = "no";
	return TL_ERROR_LAUNCH;
}

TEST(others_run_on_when_a_launch_beside_them_fails)
{
	const struct tl_launch launch = {0};
	struct tl_target *target;
	struct tl_target_ops ops;
	tl_u32 number = 0;

	open_two_of_which_one_runs();
	target = tl_scripted_target(machine);
	ops = *target->ops;
	ops.launch = fail_to_launch;
	target->ops = &ops;
	REQUIRE(tl_session_add_inferior(session, false, &number, &error) == TL_OK);
	REQUIRE(tl_session_select_inferior(session, number, &error) == TL_OK);
	CHECK(tl_session_launch(session, &launch, &error) == TL_ERROR_LAUNCH);
	CHECK_TEXT(error.text, "no");
	CHECK(runs(processes[1]));
	close_all();
}

TEST(others_run_on_when_a_resume_beside_them_fails)
{
	/* A place that nobody can put a trap at. */
	struct tl_code_place_found place = {.address = 0x10};
	struct tl_code_places places = {.items = &place, .count = 1};
	const struct tl_plan plan = {.kind = TL_PLAN_ADVANCE, .places = &places};

	open_two_of_which_one_runs();
	CHECK(tl_session_resume(session, &plan, &error) != TL_OK);
	CHECK(!runs(processes[0]));
	CHECK(runs(processes[1]));
	close_all();
}

TEST(an_end_that_nobody_was_told_of_is_told_when_another_process_was_left)
{
	struct tl_stop stop = {0};

	open_two();
	REQUIRE(session != NULL);
	set_moving();
	/* Somebody else kills the second while both stand. */
	REQUIRE(tl_scripted_do(machine, (struct tl_thread_id){processes[1], processes[1]}, TL_SCRIPTED_KILL_PROCESS, 9,
			       0) == TL_OK);
	CHECK(tl_session_kill(session, &error) == TL_OK);
	REQUIRE(tl_session_wait(session, NULL, &stop, &error) == TL_OK);
	CHECK_EQUAL(stop.kind, TL_STOP_KILLED);
	CHECK_EQUAL(stop.signal, 9);
	CHECK_EQUAL(stop.inferior, 2);
	CHECK(tl_session_debugged(session, processes[1]) == NULL);
	close_all();
}

TEST(what_was_killed_by_somebody_else_can_be_killed)
{
	open_two();
	REQUIRE(session != NULL);
	REQUIRE(tl_scripted_do(machine, (struct tl_thread_id){processes[0], processes[0]}, TL_SCRIPTED_KILL_PROCESS, 9,
			       0) == TL_OK);
	CHECK(tl_session_kill(session, &error) == TL_OK);
	CHECK(tl_session_debugged(session, processes[0]) == NULL);
	close_all();
}

#define MANY 100

TEST(any_number_of_inferiors_runs_at_once)
{
	const struct tl_plan plan = {.kind = TL_PLAN_CONTINUE};
	tl_u64 many[MANY];

	open_two();
	REQUIRE(session != NULL);
	for (int i = 0; i < MANY; i++)
		REQUIRE(tl_scripted_start(machine, &many[i]) == TL_OK);
	REQUIRE(tl_session_adopt(session, NULL, true, &error) == TL_OK);
	REQUIRE(tl_session_take(session, &(struct tl_stop){0}));
	tl_session_settings(session)->run_all = true;
	REQUIRE(tl_session_resume(session, &plan, &error) == TL_OK);
	set_moving();
	for (int i = 0; i < MANY; i++)
		CHECK(runs(many[i]));
	close_all();
}

/* ---- Calls ---- */

/* One process, of a program whose file says where it begins, and nothing else. */
static void open_program(void)
{
	const Elf64_Ehdr header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
				   .e_type = ET_EXEC,
				   .e_machine = EM_X86_64,
				   .e_version = EV_CURRENT,
				   .e_entry = TEXT + 0x20,
				   .e_phoff = sizeof(header),
				   .e_ehsize = sizeof(header),
				   .e_phentsize = sizeof(Elf64_Phdr),
				   .e_phnum = 1};
	const Elf64_Phdr segment = {.p_type = PT_LOAD,
				    .p_flags = PF_R | PF_X,
				    .p_vaddr = TEXT,
				    .p_filesz = sizeof(header) + sizeof(segment),
				    .p_memsz = 4096,
				    .p_align = 4096};
	char path[] = "/tmp/trapline-session-XXXXXX";
	int file = mkstemp(path);

	open_two();
	REQUIRE(session != NULL && file >= 0);
	REQUIRE(write(file, &header, sizeof(header)) == sizeof(header));
	REQUIRE(write(file, &segment, sizeof(segment)) == sizeof(segment));
	CHECK(tl_session_set_symbols(session, path, 0, &error) == TL_OK);
	(void)close(file);
	(void)unlink(path);
}

static bool never(void *context)
{
	(void)context;
	return false;
}

TEST(a_called_function_that_does_not_stop_is_not_waited_for_for_ever)
{
	static const char text_of_call[] = "((int (*)(void))0x400000)()";
	const struct tl_patience patience = {never, NULL};
	struct tl_stop stop = {0};
	struct tl_value value;

	open_program();
	set_moving();
	moves = false;
	tl_session_set_patience(session, &patience);
	CHECK(tl_session_evaluate(session, text_of_call, strlen(text_of_call), &value, &error) == TL_ERROR_TIMEOUT);
	CHECK(tl_session_any_running(session));
	/* Its stop is told when it comes. */
	moves = true;
	REQUIRE(tl_session_wait(session, NULL, &stop, &error) == TL_OK);
	CHECK_EQUAL(stop.kind, TL_STOP_INTERRUPTED);
	close_all();
}

TEST(a_target_without_a_past_is_not_gone_back_in)
{
	const struct tl_plan plan = {.kind = TL_PLAN_STEP_INSTRUCTION, .signal = -1, .back = true};
	const struct tl_plan forward = {.kind = TL_PLAN_STEP_INSTRUCTION, .signal = -1};
	struct tl_stop stop;

	open_two();
	REQUIRE(session != NULL);
	CHECK_EQUAL(tl_session_resume(session, &plan, &error), TL_ERROR_UNSUPPORTED);
	CHECK(strstr(error.text, "scripted") != NULL && strstr(error.text, "past") != NULL);
	CHECK(!tl_session_running(session));
	REQUIRE(tl_session_resume(session, &forward, &error) == TL_OK);
	while (!tl_session_take(session, &stop) && tl_scripted_turn(machine))
		(void)!tl_loop_turn(loop, 0, &error);
	CHECK_EQUAL(stop.kind, TL_STOP_STEPPED);
	close_all();
}
