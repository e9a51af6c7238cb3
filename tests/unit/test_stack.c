/* Stacks of programs that run: PROGRAM is tests/fixtures/debugger/walks.c, STORAGE is storage.c, DEEP is deep.c. */
#include "debugger/modules/thread_storage.h"
#include "debugger/stack/stack.h"
#include "tests/debugger/stopped.h"

static struct tl_stack *open_stack(const struct tl_stack_options *options)
{
	const struct tl_stack_options none = {.skipped = 0};
	struct tl_stack *stack = NULL;

	CHECK(tl_stack_open_with(&stack, session.engine, session_leader(&session), modules,
				 options != NULL ? options : &none, &error) == TL_OK);
	return stack;
}

static bool has_frame(struct tl_stack *stack, tl_u32 level)
{
	const struct tl_stack_frame *frame;

	return stack != NULL && tl_stack_frame(stack, level, &frame, &error) == TL_OK;
}

static const struct tl_stack_frame *frame_at(struct tl_stack *stack, tl_u32 level)
{
	static const struct tl_stack_frame nothing = {.level = TL_U32_MAX};
	const struct tl_stack_frame *frame = NULL;

	return has_frame(stack, level) && tl_stack_frame(stack, level, &frame, &error) == TL_OK ? frame : &nothing;
}

static const char *name_at(struct tl_stack *stack, tl_u32 level)
{
	const struct tl_stack_frame *frame = frame_at(stack, level);

	return frame->name != NULL ? frame->name : "";
}

/* How many frames there are, up to `limit`. */
static tl_u32 count_frames(struct tl_stack *stack, tl_u32 limit)
{
	tl_u32 count = 0;

	while (count < limit && has_frame(stack, count))
		count++;
	return count;
}

static tl_u64 register_at(struct tl_stack *stack, tl_u32 level, const char *name, tl_u64 *memory_ret)
{
	const struct tl_stack_frame *frame = frame_at(stack, level);
	tl_u8 bytes[8] = {0};
	tl_u16 index;

	if (frame->machine == NULL || tl_cpu_find(&tl_cpu_x86_64, name, &index) != TL_OK ||
	    tl_stack_register(stack, frame, index, bytes, sizeof(bytes), memory_ret, &error) != TL_OK)
		return TL_U64_MAX;
	return tl_load_little(bytes, sizeof(bytes));
}

static void write_word(tl_u64 address, tl_u64 value)
{
	tl_u8 bytes[8];
	tl_size done = 0;

	tl_store_little(bytes, value, sizeof(bytes));
	CHECK(tl_engine_write_memory(session.engine, session.process, address, bytes, sizeof(bytes), &done) == TL_OK);
}

TEST(a_stack_ends_at_main_or_goes_on_behind_it)
{
	const struct tl_stack_options further = {.past_main = true};
	struct tl_stack *stack;
	tl_u32 count;

	REQUIRE(launch(PROGRAM) && run_to("last"));
	stack = open_stack(NULL);
	count = count_frames(stack, 100);
	CHECK(count >= 3);
	CHECK(strcmp(name_at(stack, count - 1), "main") == 0);
	CHECK(tl_stack_end(stack) == NULL);
	tl_stack_close(stack);
	stack = open_stack(&further);
	CHECK(count_frames(stack, 100) > count);
	CHECK(strcmp(name_at(stack, count - 1), "main") == 0);
	CHECK(strcmp(name_at(stack, count_frames(stack, 100) - 1), "_start") == 0);
	CHECK(tl_stack_end(stack) == NULL);
	tl_stack_close(stack);
	finish();
}

TEST(registers_are_where_frames_saved_them)
{
	struct tl_stack *stack;
	tl_u64 memory = 1, value;

	REQUIRE(launch(PROGRAM) && run_to("compare"));
	stack = open_stack(NULL);
	value = register_at(stack, 0, "rip", &memory);
	CHECK_EQUAL(value, session.report.event.address);
	CHECK_EQUAL(memory, 0);
	CHECK_EQUAL(register_at(stack, 0, "rdi", &memory), session_register(&session, session_leader(&session), "rdi"));
	/* At its first instruction a function has its return address on top of the stack. */
	value = register_at(stack, 1, "rip", &memory);
	CHECK_EQUAL(memory, register_at(stack, 0, "rsp", &(tl_u64){0}));
	CHECK_EQUAL(value, frame_at(stack, 1)->program_counter);
	CHECK_EQUAL(register_at(stack, 1, "rsp", &memory), register_at(stack, 0, "rsp", &(tl_u64){0}) + 8);
	CHECK_EQUAL(memory, TL_STACK_NOWHERE);
	CHECK_EQUAL(register_at(stack, 1, "rdi", &memory), TL_U64_MAX);
	CHECK(strstr(error.text, "frame 1") != NULL);
	CHECK(register_at(stack, 1, "fs_base", &memory) != TL_U64_MAX);
	CHECK_EQUAL(memory, 0);
	tl_stack_close(stack);
	finish();
}

TEST(a_function_that_calls_itself_is_known_again)
{
	struct tl_stack *stack, *deeper;
	struct tl_stack_frame known[2];

	REQUIRE(launch(DEEP) && run_to("deep"));
	stack = open_stack(NULL);
	for (tl_u32 i = 0; i < TL_COUNT(known); i++)
		known[i] = *frame_at(stack, i);
	tl_stack_close(stack);
	REQUIRE(session_step(&session, session_leader(&session)) && run_to("deep"));
	deeper = open_stack(NULL);
	CHECK(strcmp(name_at(deeper, 1), "deep") == 0);
	CHECK(tl_stack_same(&known[0], frame_at(deeper, 1)));
	CHECK(tl_stack_same(&known[1], frame_at(deeper, 2)));
	CHECK(!tl_stack_same(&known[0], frame_at(deeper, 0)));
	CHECK(!tl_stack_same(&known[0], frame_at(deeper, 2)));
	tl_stack_close(deeper);
	finish();
}

TEST(functions_that_are_inlined_where_one_stops_can_be_hidden)
{
	struct tl_stack_options options = {.skipped = 0};
	const struct tl_stack_frame *shown;
	struct tl_stack *stack;
	tl_u32 beginning = 0, all;
	unsigned steps = 0;

	/* Goes on until several begin at once, which gdb agrees on (tests/debugger/gdb_stacks.py). */
	REQUIRE(launch(PROGRAM) && run_to("inlined"));
	do {
		REQUIRE(session_step(&session, session_leader(&session)));
		stack = open_stack(NULL);
		CHECK(tl_stack_inlined_here(stack, &beginning, &error) == TL_OK);
		all = count_frames(stack, 100);
		if (beginning < 2)
			tl_stack_close(stack);
	} while (beginning < 2 && ++steps < 1000);
	REQUIRE(beginning >= 2);
	options.skipped = beginning;
	shown = frame_at(stack, beginning);
	CHECK(frame_at(stack, 0)->inlined);
	CHECK(frame_at(stack, 0)->machine == shown->machine);
	{
		struct tl_stack *hidden = open_stack(&options);
		const struct tl_stack_frame *frame = frame_at(hidden, 0);

		CHECK_EQUAL(count_frames(hidden, 100), all - beginning);
		CHECK(strcmp(name_at(hidden, 0), name_at(stack, beginning)) == 0);
		CHECK_EQUAL(frame->line, shown->line);
		CHECK(frame->line != 0 && !frame->mid_line);
		CHECK(tl_stack_same(frame, shown));
		tl_stack_close(hidden);
	}
	/* More than there are: the function itself is shown all the same. */
	options.skipped = 100;
	tl_stack_close(stack);
	stack = open_stack(&options);
	CHECK(strcmp(name_at(stack, 0), "inlined") == 0);
	tl_stack_close(stack);
	finish();
}

TEST(a_stack_that_was_overwritten_says_so)
{
	struct tl_stack *stack;
	tl_u64 top;
	tl_u32 count;

	REQUIRE(launch(DEEP) && run_to("bottom"));
	top = session_register(&session, session_leader(&session), "rsp");
	write_word(top, 0x4141414141414141);
	stack = open_stack(NULL);
	count = count_frames(stack, 100);
	CHECK(count >= 1 && count < 4);
	REQUIRE(tl_stack_end(stack) != NULL);
	CHECK(strlen(tl_stack_end(stack)) > 10);
	tl_stack_close(stack);
	/* A stack that cannot be read. */
	CHECK(session_set_register(&session, session_leader(&session), "rsp", 0x10));
	stack = open_stack(NULL);
	CHECK_EQUAL(count_frames(stack, 100), 1);
	CHECK(tl_stack_end(stack) != NULL);
	tl_stack_close(stack);
	finish();
}

static bool take_offset(void *context, const struct tl_elf_name *symbol)
{
	*(tl_u64 *)context = symbol->address;
	return false;
}

/* Where a thread has a variable that a module's symbols know. */
static enum tl_status find_variable(struct tl_stack *stack, const char *module_name, const char *name,
				    tl_u64 *address_ret)
{
	const struct tl_module *module = NULL;
	tl_u64 offset = TL_U64_MAX;

	for (tl_size i = 0; (module = tl_modules_get(modules, i)) != NULL; i++)
		if (strstr(module->binary->path, module_name) != NULL)
			break;
	if (module == NULL ||
	    tl_elf_symbols_find(module->binary->symbols, name, take_offset, &offset, &error) != TL_OK ||
	    offset == TL_U64_MAX)
		return TL_FAIL(&error, TL_ERROR_ARGUMENT, "%s has no %s", module_name, name);
	return tl_stack_thread_storage(stack, module, offset, address_ret, &error);
}

TEST(variables_of_threads_are_where_the_program_says)
{
	static const char *const where[][3] = {{"fixture-storage", "own", "rdi"},
					       {"fixture-storage-library", "library_variable", "rsi"},
					       {"libc.so", "errno", "rdx"}};
	const struct tl_thread_id leader = {0, 0};
	struct tl_thread_info info = {.id = leader};
	struct tl_stack *stack;
	tl_u64 address = 0;

	REQUIRE(launch(STORAGE) && run_to("bottom"));
	stack = open_stack(NULL);
	for (tl_size i = 0; i < TL_COUNT(where); i++) {
		CHECK(find_variable(stack, where[i][0], where[i][1], &address) == TL_OK);
		CHECK_EQUAL(address, session_register(&session, session_leader(&session), where[i][2]));
	}
	tl_stack_close(stack);
	/* The other thread has a block of the program's, and none of the library's yet. */
	while (tl_engine_next_thread(session.engine, info.id, &info) && info.id.thread == session.process) {
	}
	REQUIRE(tl_stack_open(&stack, session.engine, info.id, modules, 0, &error) == TL_OK);
	CHECK(find_variable(stack, "fixture-storage", "own", &address) == TL_OK);
	CHECK(address != session_register(&session, session_leader(&session), "rdi"));
	CHECK_EQUAL(find_variable(stack, "fixture-storage-library", "library_variable", &address), TL_ERROR_REGISTER);
	tl_stack_close(stack);
	finish();
}

TEST(a_stack_gives_everything_back_when_storage_runs_out)
{
	tl_u64 before, failures = 0;

	REQUIRE(launch(PROGRAM) && run_to("compare"));
	{
		/* What is read of debug information is kept by the modules. */
		struct tl_stack *stack = open_stack(NULL);

		(void)count_frames(stack, 100);
		tl_stack_close(stack);
	}
	before = tl_storage_live();
	for (tl_u64 n = 1;; n++) {
		const tl_u64 calls = tl_storage_calls();
		struct tl_stack *stack = NULL;
		const struct tl_stack_frame *frame;
		enum tl_status status;

		tl_storage_fail(n);
		status = tl_stack_open(&stack, session.engine, session_leader(&session), modules, 0, &error);
		for (tl_u32 level = 0; status == TL_OK; level++)
			status = tl_stack_frame(stack, level, &frame, &error);
		tl_storage_fail(0);
		tl_stack_close(stack);
		CHECK(tl_storage_live() <= before);
		CHECK(status == TL_ERROR_NO_MEMORY || status == TL_ERROR_ARGUMENT);
		failures += status == TL_ERROR_NO_MEMORY;
		if (tl_storage_calls() - calls < n)
			break;
	}
	CHECK(failures > 3);
	finish();
}
