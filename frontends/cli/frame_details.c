#include "frontends/cli/frame_details.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/frame_base.h"
#include "frontends/cli/frames.h"

#include <string.h>

struct details {
	struct tl_cli *cli;
	const struct tl_cpu *cpu;
	struct tl_stack *whole;              /* goes on behind main */
	const struct tl_stack_frame *at;     /* the frame, in the whole stack */
	const struct tl_stack_frame *next;   /* the one outside of it; NULL: none */
	const struct tl_stack_frame *caller; /* outside of the machine's frame; NULL: not known */
	bool shown_caller;                   /* people see one */
	bool selected;                       /* nobody asked for another */
};

static unsigned long long number(tl_u64 value)
{
	return value;
}

static const struct tl_stack_frame *frame_at(struct tl_stack *stack, tl_u32 level)
{
	const struct tl_stack_frame *frame;

	return tl_stack_frame(stack, level, &frame, NULL) == TL_OK ? frame : NULL;
}

static const struct tl_stack_frame *find_caller(const struct details *details)
{
	const struct tl_stack_frame *frame = details->at;

	while (frame != NULL && (frame->inlined || frame->tail_called))
		frame = frame_at(details->whole, frame->level + 1);
	return frame != NULL ? frame_at(details->whole, frame->level + 1) : NULL;
}

static void print_place(const struct details *details)
{
	struct tl_elf_name symbol;
	tl_u64 start;
	struct tl_screen *screen = &details->cli->screen;
	const struct tl_stack_frame *at = details->at;
	const char *counter = details->cpu->registers[details->cpu->program_counter].name;

	if (details->selected)
		tl_screen_format(screen, "Stack level %u, frame", at->level);
	else
		tl_screen_text(screen, "Stack frame");
	tl_screen_format(screen, " at 0x%llx:\n", number(at->frame_address));
	tl_screen_format(screen, " %s = 0x%llx", counter, number(at->program_counter));
	if (at->name != NULL)
		tl_screen_format(screen, " in %s", at->name);
	else if (at->signal &&
		 tl_modules_symbol(tl_session_modules(details->cli->session), at->program_counter, &symbol, &start))
		tl_screen_format(screen, " in %s", symbol.name);
	if (at->line != 0 && at->file_name != NULL)
		tl_screen_format(screen, " (%s:%u)", at->file_name, at->line);
	if (details->caller != NULL)
		tl_screen_format(screen, "; saved %s = 0x%llx\n", counter, number(details->caller->program_counter));
	else
		tl_screen_format(screen, "; saved %s = <not saved>\n", counter);
}

static void print_neighbours(const struct details *details)
{
	struct tl_screen *screen = &details->cli->screen;
	const struct tl_stack_frame *at = details->at,
				    *inner = at->level != 0 ? frame_at(details->whole, at->level - 1) : NULL;
	const char *reason = tl_stack_end(details->whole);

	if (at->tail_called)
		tl_screen_text(screen, " tail call frame");
	else if (at->inlined)
		tl_screen_format(screen, " inlined into frame %u", at->level + 1);
	else if (details->shown_caller)
		tl_screen_format(screen, " called by frame at 0x%llx", number(details->next->frame_address));
	else if (details->next == NULL)
		tl_screen_format(screen, " Outermost frame: %s\n", reason != NULL ? reason : "outermost");
	if (inner != NULL && details->shown_caller)
		tl_screen_text(screen, ",");
	if (inner != NULL)
		tl_screen_format(screen, " caller of frame at 0x%llx", number(inner->frame_address));
	if (inner != NULL || details->shown_caller)
		tl_screen_text(screen, "\n");
	if (at->guessed)
		tl_screen_text(screen,
			       " found by a guess: no information for unwinding covers the frame inside of it\n");
}

static bool read_register(const struct details *details, const struct tl_stack_frame *frame, tl_u16 index,
			  tl_u64 *value_ret, tl_u64 *memory_ret)
{
	tl_u8 bytes[8] = {0};
	const tl_size size = details->cpu->registers[index].bits / 8u;

	if (size > sizeof(bytes) ||
	    tl_stack_register(details->whole, frame, index, bytes, size, memory_ret, NULL) != TL_OK)
		return false;
	*value_ret = tl_load_little(bytes, sizeof(bytes));
	return true;
}

static void print_lists(const struct details *details, const struct tl_stack_frame *shown)
{
	struct tl_screen *screen = &details->cli->screen;
	struct tl_output arguments = tl_output_make(TL_OUTPUT_MAX);
	tl_u64 base;

	if (!tl_frame_base(details->whole, tl_session_modules(details->cli->session), details->at, &base)) {
		tl_screen_text(screen, " Arglist at unknown address.\n Locals at unknown address,");
		return;
	}
	if (shown->has_function && tl_frame_write_arguments(details->cli, shown, &arguments, NULL) != TL_OK)
		tl_output_text(&arguments, "...");
	tl_screen_format(screen, " Arglist at 0x%llx, args: %s\n Locals at 0x%llx,", number(base),
			 tl_output_string(&arguments), number(base));
	tl_output_release(&arguments);
}

/* ---- Saved registers ---- */

/* Did a function that this one called save the register, and not this one? An inlined one shares what is saved. */
static bool is_saved_inside(const struct details *details, tl_u16 index, tl_u64 memory)
{
	tl_u64 value, inside;

	return !details->at->inlined && read_register(details, details->at, index, &value, &inside) && inside == memory;
}

static void print_saved(const struct details *details)
{
	struct tl_screen *screen = &details->cli->screen;
	const struct tl_cpu *cpu = details->cpu;
	tl_u64 value, memory;
	bool any = false, ended = false;

	/* A function that ended in a jump left nothing on the stack. */
	if (details->at->tail_called) {
		tl_screen_format(screen, " Previous frame's sp in %s\n\n", cpu->registers[cpu->stack_pointer].name);
		return;
	}
	if (details->next != NULL && read_register(details, details->next, cpu->stack_pointer, &value, &memory)) {
		/* A function that ended in a jump left no return address behind. */
		if (memory == TL_STACK_NOWHERE)
			tl_screen_format(screen, " Previous frame's sp is 0x%llx\n",
					 number(details->next->tail_called ? details->at->frame_address : value));
		else if (memory != 0)
			tl_screen_format(screen, " Previous frame's sp at 0x%llx\n", number(memory));
		else
			tl_screen_format(screen, " Previous frame's sp in %s\n",
					 cpu->registers[cpu->stack_pointer].name);
		ended = true;
	}
	for (tl_u16 i = 0; i < cpu->register_count && details->next != NULL; i++) {
		if (i == cpu->stack_pointer || cpu->registers[i].bank != TL_BANK_GENERAL ||
		    cpu->registers[i].dwarf < 0 || !read_register(details, details->next, i, &value, &memory) ||
		    memory == 0 || memory == TL_STACK_NOWHERE || is_saved_inside(details, i, memory))
			continue;
		tl_screen_format(screen, "%s %s at 0x%llx", any ? "," : " Saved registers:\n ", cpu->registers[i].name,
				 number(memory));
		any = true;
	}
	if (any || !ended)
		tl_screen_text(screen, "\n");
}

static void print_all(struct details *details, const struct tl_stack_frame *shown)
{
	const char *language = tl_frame_language(shown);

	details->next = frame_at(details->whole, details->at->level + 1);
	details->caller = find_caller(details);
	print_place(details);
	print_neighbours(details);
	if (language != NULL)
		tl_screen_format(&details->cli->screen, " source language %s.\n", language);
	print_lists(details, shown);
	print_saved(details);
}

enum tl_status tl_frame_print_details(struct tl_cli *cli, const tl_u32 *level, struct tl_error *error)
{
	struct details details = {.cli = cli, .selected = level == NULL};
	const struct tl_stack_frame *shown, *outer;
	struct tl_stack *stack;
	enum tl_status status;

	TL_TRY(tl_session_stack(cli->session, &stack, error));
	if (level == NULL)
		TL_TRY(tl_session_frame(cli->session, &shown, error));
	else if (tl_stack_frame(stack, *level, &shown, NULL) != TL_OK)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "No frame at level %u.", *level);
	details.cpu = tl_stack_cpu(stack);
	details.shown_caller = tl_stack_frame(stack, shown->level + 1, &outer, NULL) == TL_OK;
	TL_TRY(tl_session_stack_past_main(cli->session, &details.whole, error));
	status = tl_stack_frame(details.whole, shown->level, &details.at, error);
	if (status == TL_OK)
		print_all(&details, shown);
	tl_stack_close(details.whole);
	return status;
}
