#include "frontends/emulator_command.h"

#include "core/engine/engine.h"
#include "frontends/serve/options.h"

#include <stdio.h>

enum {
	OPTION_FIRMWARE = TL_MACHINE_OPTION_OWN,
	OPTION_HARTS,
	OPTION_SKIP_IDLE,
	OPTION_INTERPRETER,
	OPTION_NO_HISTORY,
	OPTION_RECORD,
	OPTION_REPLAY,
	OPTION_SEED,
	OPTION_SIGNATURE
};

static const struct tl_option table[] = {
	{NULL, 0, NULL, "Behind emu: the machine", 0},
	{"--harts", TL_VALUE_WORD, "N", "Processors, 1 to 8 (default 1).", OPTION_HARTS},
	{"--firmware", TL_VALUE_WORD, "FILE", "What comes before it (default: Debian's OpenSBI).", OPTION_FIRMWARE},
	{"--seed", TL_VALUE_WORD, "HEX", "What the guest's random bytes are made of (default: chance).", OPTION_SEED},
	{"--skip-idle", TL_VALUE_NONE, NULL, "While all harts wait, the clock jumps to what comes next.",
	 OPTION_SKIP_IDLE},
	{"--interpreter", TL_VALUE_NONE, NULL, "Instructions are interpreted rather than translated.",
	 OPTION_INTERPRETER},
	{"--signature", TL_VALUE_WORD, "FILE", "A test program's results go there (riscv-arch-test).",
	 OPTION_SIGNATURE},
	{"--no-history", TL_VALUE_NONE, NULL, "Nothing of the past is kept: no way back.", OPTION_NO_HISTORY},
	{"--record", TL_VALUE_WORD, "FILE", "The run goes into a file as it happens, to be repeated.", OPTION_RECORD},
	{"--replay", TL_VALUE_WORD, "FILE", "The machine and the run of a recording, bit for bit.", OPTION_REPLAY},
	{NULL, 0, NULL, NULL, 0},
};

void tl_emulator_command_print(FILE *stream)
{
	tl_options_print(table, stream);
}

static enum tl_status apply(void *context, int option, const char *value, struct tl_error *error)
{
	struct tl_emulator_options *machine = context;
	tl_u64 number;

	switch (option) {
	case OPTION_FIRMWARE:
		machine->firmware = value;
		break;
	case OPTION_HARTS:
		if (!tl_machine_number(value, 1, 8, &number))
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "--harts wants a number from 1 to 8, not \"%s\"",
				       value);
		machine->harts = (tl_u32)number;
		break;
	case OPTION_SEED:
		machine->seed = value;
		break;
	case OPTION_SIGNATURE:
		machine->signature = value;
		break;
	case OPTION_SKIP_IDLE:
		machine->skip_idle = true;
		break;
	case OPTION_INTERPRETER:
		machine->interpret = true;
		break;
	case OPTION_RECORD:
		machine->record = value;
		break;
	case OPTION_REPLAY:
		machine->replay = value;
		break;
	default: /* OPTION_NO_HISTORY */
		machine->forgets = true;
		break;
	}
	return TL_OK;
}

enum tl_status tl_emulator_command_read(char **words, struct tl_emulator_options *options_ret,
					struct tl_machine *machine_ret, struct tl_error *error)
{
	const struct tl_machine_command command = {.word = "emu",
						   .table = table,
						   .apply = apply,
						   .context = options_ret,
						   .board = &options_ret->board,
						   .machine = machine_ret};

	*options_ret = (struct tl_emulator_options){0};
	*machine_ret = (struct tl_machine){.kind = &tl_emulator_machine, .options = options_ret};
	return tl_machine_read(&command, words, &options_ret->program, error);
}

/* ---- QEMU's packets ---- */

/* Has the target carry out a monitor command, and answers with what that says, without its newline. */
static enum tl_status ask(void *context, const char *command, struct tl_writer *reply)
{
	struct tl_target *target = context;
	tl_u8 text[256];
	struct tl_writer output = tl_writer_make(text, sizeof(text));
	tl_size size;

	TL_TRY(target->ops->monitor(target, command, &output));
	size = tl_writer_size(&output);
	if (reply != NULL)
		tl_write_bytes(reply, text, size - (size != 0));
	return TL_OK;
}

static enum tl_status handle_step_bits(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				       struct tl_writer *reply)
{
	(void)rsp;
	(void)context;
	(void)arguments;
	tl_write_text(reply, "ENABLE=1,NOIRQ=2");
	return TL_OK;
}

static enum tl_status handle_step(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				  struct tl_writer *reply)
{
	(void)rsp;
	(void)arguments;
	return ask(context, "sstep", reply);
}

static enum tl_status handle_set_step(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				      struct tl_writer *reply)
{
	char command[32];
	tl_u64 flags = tl_cursor_hex(arguments);

	(void)rsp;
	(void)reply;
	if (arguments->failed || !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	snprintf(command, sizeof(command), "sstep 0x%llx", (unsigned long long)flags);
	return ask(context, command, NULL);
}

static enum tl_status handle_physical(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				      struct tl_writer *reply)
{
	(void)rsp;
	(void)arguments;
	return ask(context, "phys", reply);
}

static enum tl_status handle_set_physical(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					  struct tl_writer *reply)
{
	tl_u64 on = tl_cursor_hex(arguments);

	(void)rsp;
	(void)reply;
	if (arguments->failed || !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	return ask(context, on != 0 ? "phys 1" : "phys 0", NULL);
}

static const struct tl_rsp_row rows[] = {
	{"qqemu.sstepbits", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_step_bits},
	{"qqemu.sstep", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_step},
	{"Qqemu.sstep:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_set_step},
	{"qqemu.PhyMemMode", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_physical},
	{"Qqemu.PhyMemMode:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_set_physical},
	{NULL, 0, 0, false, NULL},
};

/* ---- The kind ---- */

static enum tl_status create(struct tl_loop *loop, const void *options, const struct tl_machine_ends *ends,
			     struct tl_target **target_ret, struct tl_error *error)
{
	struct tl_emulator_options machine = *(const struct tl_emulator_options *)options;

	machine.board.input = ends->input;
	machine.board.output = ends->output;
	machine.board.terminal = ends->terminal;
	machine.remark = ends->remark;
	machine.context = ends->context;
	return tl_emulator_target_create(loop, &machine, target_ret, error);
}

const struct tl_machine_kind tl_emulator_machine = {.word = "emulator",
						    .create = create,
						    .destroy = tl_emulator_target_destroy,
						    .populate = tl_emulator_target_populate,
						    .program = tl_emulator_target_program,
						    .rows = rows};
