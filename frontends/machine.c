#include "frontends/machine.h"

#include "frontends/serve/options.h"

#include <errno.h>
#include <stdlib.h>

enum {
	OPTION_MEMORY = 1,
	OPTION_KERNEL,
	OPTION_INITRD,
	OPTION_APPEND,
	OPTION_SERIAL,
	OPTION_DISK,
	OPTION_NETWORK,
	OPTION_FORWARD,
	OPTION_RESTRICT,
	OPTION_RUNNING
};

static const struct tl_option board_table[] = {
	{NULL, 0, NULL, "Behind emu and kvm: what every machine has", 0},
	{"--memory", TL_VALUE_WORD, "SIZE", "As 512M or 2G (default: emu 128M, kvm 512M).", OPTION_MEMORY},
	{"--kernel", TL_VALUE_WORD, "FILE",
	 "A Linux kernel: for emu also what else firmware goes on to, for kvm\nbzImage or vmlinux.", OPTION_KERNEL},
	{"--initrd", TL_VALUE_WORD, "FILE", "Its first file system.", OPTION_INITRD},
	{"--append", TL_VALUE_WORD, "WORDS", "Its command line (console=ttyS0 makes it speak).", OPTION_APPEND},
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
	{"--running", TL_VALUE_NONE, NULL,
	 "With --serve: the machine sets off at once, and the first client finds it\nrunning and stops it (else it "
	 "stands at reset until a client sets it going).",
	 OPTION_RUNNING},
	{NULL, 0, NULL, NULL, 0},
};

static bool read_number(const char *text, tl_u64 least, tl_u64 most, tl_u64 *value_ret, const char **end_ret)
{
	char *end;

	errno = 0;
	*value_ret = strtoull(text, &end, 10);
	*end_ret = end;
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *value_ret >= least && *value_ret <= most;
}

bool tl_machine_number(const char *text, tl_u64 least, tl_u64 most, tl_u64 *value_ret)
{
	const char *end;

	return read_number(text, least, most, value_ret, &end) && *end == '\0';
}

/* Bytes with K, M or G behind them; plain numbers are MiB, as QEMU has them. */
static enum tl_status read_size(const char *text, tl_u64 *size_ret, struct tl_error *error)
{
	static const struct {
		char letter;
		tl_u8 shift;
	} units[] = {{'\0', 20}, {'K', 10}, {'k', 10}, {'M', 20}, {'m', 20}, {'G', 30}, {'g', 30}};
	const char *end;

	if (read_number(text, 1, (tl_u64)1 << 30, size_ret, &end)) {
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

static enum tl_status apply(const struct tl_machine_command *command, int option, const char *value,
			    struct tl_error *error)
{
	struct tl_board_options *board = command->board;

	switch (option) {
	case OPTION_MEMORY:
		return read_size(value, &board->memory_size, error);
	case OPTION_KERNEL:
		board->kernel = value;
		break;
	case OPTION_INITRD:
		board->initrd = value;
		break;
	case OPTION_APPEND:
		board->command_line = value;
		break;
	case OPTION_SERIAL:
		command->machine->serial = value;
		break;
	case OPTION_DISK:
		return add(board->disks, &board->disk_count, TL_BOARD_DISKS, "--disk", value, error);
	case OPTION_NETWORK:
		board->network = true;
		break;
	case OPTION_FORWARD:
		board->network = true;
		return add(board->forwards, &board->forward_count, TL_BOARD_FORWARDS, "--forward", value, error);
	case OPTION_RESTRICT:
		board->network = board->restricted = true;
		break;
	default: /* OPTION_RUNNING */
		command->machine->running = true;
		break;
	}
	return TL_OK;
}

enum tl_status tl_machine_read(const struct tl_machine_command *command, char **words, const char **program_ret,
			       struct tl_error *error)
{
	struct tl_option_reader reader = {.at = words, .table = command->table, .more = board_table};
	int option;

	command->board->input = command->board->output = -1;
	while ((option = tl_option_next(&reader, error)) > 0)
		TL_TRY(option >= TL_MACHINE_OPTION_OWN ? command->apply(command->context, option, reader.value, error)
						       : apply(command, option, reader.value, error));
	if (option < 0)
		return TL_ERROR_ARGUMENT;
	if (reader.at[0] != NULL && reader.at[1] != NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "%s wants one program, and \"%s\" is one too many: options stand before it",
			       command->word, reader.at[1]);
	*program_ret = reader.at[0];
	return TL_OK;
}

void tl_machine_print(FILE *stream)
{
	tl_options_print(board_table, stream);
}
