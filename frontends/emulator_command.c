#include "frontends/emulator_command.h"

#include "core/engine/engine.h"
#include "frontends/serve/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	 "The serial port: - for standard input and output, none,\nor a terminal. At the prompt, that of the program.",
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

static enum tl_status read_number(const char *text, tl_u64 least, tl_u64 most, tl_u64 *value_ret, const char **end_ret)
{
	char *end;

	errno = 0;
	*value_ret = strtoull(text, &end, 10);
	*end_ret = end;
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *value_ret >= least && *value_ret <= most
		       ? TL_OK
		       : TL_ERROR_ARGUMENT;
}

/* Bytes, or with K, M or G; plain numbers are MiB, as QEMU has them. */
static enum tl_status read_size(const char *text, tl_u64 *size_ret, struct tl_error *error)
{
	static const struct {
		char letter;
		tl_u8 shift;
	} units[] = {{'\0', 20}, {'K', 10}, {'k', 10}, {'M', 20}, {'m', 20}, {'G', 30}, {'g', 30}};
	const char *end;

	if (read_number(text, 1, (tl_u64)1 << 30, size_ret, &end) == TL_OK) {
		for (tl_size i = 0; i < TL_COUNT(units); i++) {
			if (*end != units[i].letter || (*end != '\0' && end[1] != '\0'))
				continue;
			*size_ret <<= units[i].shift;
			return TL_OK;
		}
	}
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "--memory wants a size, as 512M or 2G, not \"%s\"", text);
}

/* One more of an option that may be given several times. */
static enum tl_status add(const char **values, tl_u32 *count, tl_u32 most, const char *option, const char *value,
			  struct tl_error *error)
{
	if (*count == most)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "%s was given more than %u times", option, most);
	values[(*count)++] = value;
	return TL_OK;
}

static enum tl_status apply(struct tl_emulator_command *command, int option, const char *value, struct tl_error *error)
{
	struct tl_emulator_options *machine = &command->machine;
	const char *end;
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
		return read_size(value, &machine->memory_size, error);
	case OPTION_HARTS:
		if (read_number(value, 1, 8, &number, &end) != TL_OK || *end != '\0')
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "--harts wants a number from 1 to 8, not \"%s\"",
				       value);
		machine->harts = (tl_u32)number;
		break;
	case OPTION_SERIAL:
		command->serial = value;
		break;
	case OPTION_DISK:
		return add(machine->disks, &machine->disk_count, TL_EMULATOR_DISKS, "--disk", value, error);
	case OPTION_NETWORK:
		machine->network = true;
		break;
	case OPTION_FORWARD:
		machine->network = true;
		return add(machine->forwards, &machine->forward_count, TL_EMULATOR_FORWARDS, "--forward", value, error);
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
		command->running = true;
		break;
	}
	return TL_OK;
}

enum tl_status tl_emulator_command_read(char **words, struct tl_emulator_command *command_ret, struct tl_error *error)
{
	struct tl_option_reader reader = {.at = words, .table = table};
	int option;

	*command_ret = (struct tl_emulator_command){.machine = {.input = -1, .output = -1}};
	while ((option = tl_option_next(&reader, error)) > 0)
		TL_TRY(apply(command_ret, option, reader.value, error));
	if (option < 0)
		return TL_ERROR_ARGUMENT;
	if (reader.at[0] != NULL && reader.at[1] != NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "emu wants one program, and \"%s\" is one too many: options stand before it",
			       reader.at[1]);
	command_ret->machine.program = reader.at[0];
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

const struct tl_rsp_row tl_emulator_rows[] = {
	{"qqemu.sstepbits", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_step_bits},
	{"qqemu.sstep", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_step},
	{"Qqemu.sstep:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_set_step},
	{"qqemu.PhyMemMode", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_physical},
	{"Qqemu.PhyMemMode:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_set_physical},
	{NULL, 0, 0, false, NULL},
};
