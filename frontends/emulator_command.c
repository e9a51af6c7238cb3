#include "frontends/emulator_command.h"

#include "core/engine/engine.h"
#include "frontends/serve/options.h"

#include <stdio.h>

enum {
	OPTION_KERNEL = 1,
	OPTION_INITRD,
	OPTION_APPEND,
	OPTION_FIRMWARE,
	OPTION_MEMORY,
	OPTION_HARTS,
	OPTION_SERIAL,
	OPTION_SKIP_IDLE,
	OPTION_INTERPRETER,
	OPTION_NO_HISTORY,
	OPTION_RECORD,
	OPTION_REPLAY,
	OPTION_DISK,
	OPTION_NETWORK,
	OPTION_FORWARD,
	OPTION_RESTRICT,
	OPTION_SEED,
	OPTION_SIGNATURE,
	OPTION_RUNNING
};

static const struct tl_option table[] = {
	{NULL, 0, NULL, "Behind emu: the machine", 0},
	{"--harts", TL_VALUE_WORD, "N", "Processors, 1 to 8 (default 1).", OPTION_HARTS},
	{"--memory", TL_VALUE_WORD, "SIZE", "As 512M or 2G (default 128M).", OPTION_MEMORY},
	{"--kernel", TL_VALUE_WORD, "FILE", "A Linux kernel, or what else firmware goes on to.", OPTION_KERNEL},
	{"--initrd", TL_VALUE_WORD, "FILE", "Its first file system.", OPTION_INITRD},
	{"--append", TL_VALUE_WORD, "WORDS", "Its command line.", OPTION_APPEND},
	{"--firmware", TL_VALUE_WORD, "FILE", "What comes before it (default: Debian's OpenSBI).", OPTION_FIRMWARE},
	{"--serial", TL_VALUE_WORD, "WHERE",
	 "The serial port: - for standard input and output, none,\na terminal, or with --serve a socket (tcp::4000, "
	 "unix:PATH). At the\nprompt, - is the program's terminal.",
	 OPTION_SERIAL},
	{"--disk", TL_VALUE_WORD, "FILE[,write|,readonly]",
	 "A disk (/dev/vda, then vdb, ...): a raw file. What is written stays\nin memory; with ,write it goes into the "
	 "file.",
	 OPTION_DISK},
	{"--network", TL_VALUE_NONE, NULL, "A network card (eth0); the guest's connections are this user's.",
	 OPTION_NETWORK},
	{"--forward", TL_VALUE_WORD, "WHAT", "A port of this machine leads into the guest: tcp::2222-:22.",
	 OPTION_FORWARD},
	{"--restrict", TL_VALUE_NONE, NULL, "The network has forwarded ports, and nothing else.", OPTION_RESTRICT},
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
	{"--running", TL_VALUE_NONE, NULL,
	 "With --serve: the machine sets off at once, and the first client finds it\nrunning and stops it (else it "
	 "stands "
	 "at reset until a client sets it going).",
	 OPTION_RUNNING},
	{NULL, 0, NULL, NULL, 0},
};

void tl_emulator_command_print(FILE *stream)
{
	tl_options_print(table, stream);
}

/* What the words come to. */
struct command {
	struct tl_emulator_options *options;
	struct tl_machine *machine;
};

static enum tl_status apply(const struct command *command, int option, const char *value, struct tl_error *error)
{
	struct tl_emulator_options *machine = command->options;
	tl_u64 number;

	switch (option) {
	case OPTION_KERNEL:
		machine->kernel = value;
		break;
	case OPTION_INITRD:
		machine->initrd = value;
		break;
	case OPTION_APPEND:
		machine->command_line = value;
		break;
	case OPTION_FIRMWARE:
		machine->firmware = value;
		break;
	case OPTION_MEMORY:
		return tl_machine_size(value, &machine->memory_size, error);
	case OPTION_HARTS:
		if (!tl_machine_number(value, 1, 8, &number))
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "--harts wants a number from 1 to 8, not \"%s\"",
				       value);
		machine->harts = (tl_u32)number;
		break;
	case OPTION_SERIAL:
		command->machine->serial = value;
		break;
	case OPTION_DISK:
		return tl_machine_add(machine->disks, &machine->disk_count, TL_EMULATOR_DISKS, "--disk", value, error);
	case OPTION_NETWORK:
		machine->network = true;
		break;
	case OPTION_FORWARD:
		machine->network = true;
		return tl_machine_add(machine->forwards, &machine->forward_count, TL_EMULATOR_FORWARDS, "--forward",
				      value, error);
	case OPTION_RESTRICT:
		machine->network = machine->restricted = true;
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
	case OPTION_NO_HISTORY:
		machine->forgets = true;
		break;
	default: /* OPTION_RUNNING */
		command->machine->running = true;
		break;
	}
	return TL_OK;
}

enum tl_status tl_emulator_command_read(char **words, struct tl_emulator_options *options_ret,
					struct tl_machine *machine_ret, struct tl_error *error)
{
	const struct command command = {.options = options_ret, .machine = machine_ret};
	struct tl_option_reader reader = {.at = words, .table = table};
	int option;

	*options_ret = (struct tl_emulator_options){.input = -1, .output = -1};
	*machine_ret = (struct tl_machine){.kind = &tl_emulator_machine, .options = options_ret};
	while ((option = tl_option_next(&reader, error)) > 0)
		TL_TRY(apply(&command, option, reader.value, error));
	if (option < 0)
		return TL_ERROR_ARGUMENT;
	if (reader.at[0] != NULL && reader.at[1] != NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "emu wants one program, and \"%s\" is one too many: options stand before it",
			       reader.at[1]);
	options_ret->program = reader.at[0];
	return TL_OK;
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

	machine.input = ends->input;
	machine.output = ends->output;
	machine.terminal = ends->terminal;
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
