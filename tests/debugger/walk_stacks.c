/*
 * Says what debugger/stack makes of a program's stack at many places, for a script that compares it with gdb:
 *
 *     walk-stacks PROGRAM PLACES       runs the program, without environment and at fixed addresses, to each of the
 *                                      addresses in the file PLACES, once
 *     walk-stacks --deep PROGRAM N     runs it to its function `bottom`, and walks N frames, against the clock
 *
 * For each stop a line "stop ADDRESS BEGINNING", BEGINNING being how many inlined functions begin there; for each frame
 * "KIND PC NAME|FILE|LINE|MIDDLE", a line of registers, and "= NAME RESULT" for each variable (variable_text.h); and
 * how the stack ends.
 */
#define HARNESS_NAME "walk-stacks"
#include "debugger/stack/stack.h"
#include "tests/debugger/stopped.h"
#include "tests/symbols/variable_text.h"

#include <inttypes.h>

#define FRAMES_MAX 64
#define VARIABLES_MAX 8 /* the variables of so many frames are told */

static void print_registers(struct tl_stack *stack, const struct tl_stack_frame *frame)
{
	static const char *const names[] = {"rbx", "rbp", "rsp", "r12", "r13", "r14", "r15", "rip"};

	printf("registers");
	for (tl_size i = 0; i < TL_COUNT(names); i++) {
		tl_u8 bytes[8];
		tl_u64 memory;
		tl_u16 index = 0;

		if (tl_cpu_find(&tl_cpu_x86_64, names[i], &index) != TL_OK ||
		    tl_stack_register(stack, frame, index, bytes, sizeof(bytes), &memory, &error) != TL_OK)
			printf(" %s=?", names[i]);
		else if (tl_load_little(bytes, 8) == session.process)
			printf(" %s=process", names[i]);
		else
			printf(" %s=0x%" PRIx64, names[i], (uint64_t)tl_load_little(bytes, 8));
	}
	printf(" cfa=0x%llx\n", (unsigned long long)frame->frame_address);
}

static void print_frame(struct tl_stack *stack, const struct tl_stack_frame *frame)
{
	const char kind = frame->signal ? 'S' : frame->inlined ? 'I' : frame->tail_called ? 'T' : 'N';

	printf("%c 0x%llx %s|%s|%u|%d\n", kind, (unsigned long long)frame->program_counter,
	       frame->name != NULL ? frame->name : "??", frame->file_name != NULL ? frame->file_name : "", frame->line,
	       frame->mid_line);
	print_registers(stack, frame);
}

static bool print_indented(void *context, const struct tl_variable *variable)
{
	printf("= ");
	return print_variable(context, variable);
}

static void print_variables(struct tl_stack *stack, const struct tl_stack_frame *frame)
{
	struct tl_variable_frame variables;

	if (!frame->has_function || tl_stack_variables(stack, frame, &variables, &error) != TL_OK)
		return;
	for (tl_size i = frame->first; i <= frame->last; i++)
		if (tl_scope_variables(&frame->chain->scopes[i], print_indented, &variables, &error) != TL_OK)
			printf("= ? lost %s\n", error.text);
}

static bool print_stack(void)
{
	const struct tl_stack_options options = {.places = places};
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;
	tl_u32 beginning = 0, level = 0;

	if (tl_stack_open_with(&stack, session.engine, session.report.event.thread, modules, &options, &error) !=
		    TL_OK ||
	    tl_stack_inlined_here(stack, &beginning, &error) != TL_OK)
		return fail("no stack");
	printf("stop 0x%llx %u\n", (unsigned long long)session.report.event.address, beginning);
	while (level < FRAMES_MAX && tl_stack_frame(stack, level, &frame, &error) == TL_OK) {
		print_frame(stack, frame);
		if (level < VARIABLES_MAX)
			print_variables(stack, frame);
		level++;
	}
	printf("end %s\n", tl_stack_end(stack) != NULL ? tl_stack_end(stack) : "");
	tl_stack_close(stack);
	return true;
}

static bool walk_places(const char *path)
{
	int signal = 0;

	if (!run_to("main") || !insert_all(path))
		return false;
	while (session_continue(&session, signal)) {
		const struct tl_event *event = &session.report.event;

		signal = 0;
		if (event->kind == TL_EVENT_PROCESS_EXITED)
			return true;
		if (event->kind == TL_EVENT_SIGNAL)
			signal = event->signal;
		else if (event->kind != TL_EVENT_TRAP || !print_stack() ||
			 tl_engine_remove_point(session.engine, session.process, TL_POINT_SOFTWARE, event->address,
						1) != TL_OK)
			break;
	}
	return fail("the program stopped for something else");
}

/* How long it takes to see the innermost frames of a thread, with places that are kept from one stop to the next. */
static bool walk_often(struct tl_places *kept)
{
	const struct tl_stack_options options = {.places = kept};
	const struct tl_stack_frame *frame;
	struct timespec from, to;
	struct tl_stack *stack;

	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	for (unsigned i = 0; i < 1000; i++) {
		if (tl_stack_open_with(&stack, session.engine, session.report.event.thread, modules, &options,
				       &error) != TL_OK ||
		    tl_stack_frame(stack, 4, &frame, &error) != TL_OK)
			return fail("no stack");
		tl_stack_close(stack);
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	printf("5 frames in %.1f us, places %s\n",
	       (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6,
	       kept != NULL ? "kept" : "not kept");
	return true;
}

/* How long a deep stack takes, and how much room. */
static bool walk_deep(tl_u32 count)
{
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;
	struct timespec from, to;
	tl_u64 before = 0;
	tl_u32 level = 0;

	if (!run_to("bottom"))
		return false;
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	if (tl_stack_open(&stack, session.engine, session.report.event.thread, modules, 0, &error) != TL_OK)
		return fail("no stack");
	while (level < count && tl_stack_frame(stack, level, &frame, &error) == TL_OK)
		/* What is read of the program's debug information is not the stack's. */
		if (++level == count / 2)
			before = tl_storage_live();
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%u frames in %.1f ms, %.0f bytes a frame\n", level,
	       (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6,
	       (double)(tl_storage_live() - before) / ((double)count / 2));
	tl_stack_close(stack);
	return level == count && walk_often(NULL) && walk_often(places);
}

int main(int count, char **arguments)
{
	bool deep = count == 4 && strcmp(arguments[1], "--deep") == 0, done;

	if (count != 3 && !deep) {
		fprintf(stderr, "usage: walk-stacks PROGRAM PLACES | walk-stacks --deep PROGRAM FRAMES\n");
		return 2;
	}
	done = launch(arguments[1 + deep]) &&
	       (deep ? walk_deep((tl_u32)strtoul(arguments[3], NULL, 10)) : walk_places(arguments[2]));
	finish();
	return done ? 0 : 1;
}
