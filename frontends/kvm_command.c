#include "frontends/kvm_command.h"

#include "frontends/serve/options.h"
#include "targets/kvm/target.h"
#include "targets/kvm/vm.h"

enum {
	OPTION_KERNEL = 1,
	OPTION_INITRD,
	OPTION_APPEND,
	OPTION_MEMORY,
	OPTION_CPUS,
	OPTION_SERIAL,
	OPTION_CONSOLE,
	OPTION_DISK,
	OPTION_NETWORK,
	OPTION_FORWARD,
	OPTION_RESTRICT,
	OPTION_RUNNING
};

static const struct tl_option table[] = {
	{NULL, 0, NULL, "Behind kvm: the virtual machine", 0},
	{"--cpus", TL_VALUE_WORD, "N", "Processors, 1 to 16 (default 1).", OPTION_CPUS},
	{"--memory", TL_VALUE_WORD, "SIZE", "As 512M or 2G (default 512M).", OPTION_MEMORY},
	{"--kernel", TL_VALUE_WORD, "FILE", "A Linux kernel: bzImage, or vmlinux.", OPTION_KERNEL},
	{"--initrd", TL_VALUE_WORD, "FILE", "Its first file system.", OPTION_INITRD},
	{"--append", TL_VALUE_WORD, "WORDS", "Its command line (console=ttyS0 makes it speak).", OPTION_APPEND},
	{"--serial", TL_VALUE_WORD, "WHERE",
	 "The serial port: - for standard input and output, none,\na terminal, or with --serve a socket (tcp::4000, "
	 "unix:PATH). At the\nprompt, - is the program's terminal.",
	 OPTION_SERIAL},
	{"--console", TL_VALUE_NONE, NULL,
	 "A virtio console (console=hvc0), where the serial port leads: what is\ntyped is its, as soon as the guest "
	 "has "
	 "taken it into use.",
	 OPTION_CONSOLE},
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

void tl_kvm_command_print(FILE *stream)
{
	tl_options_print(table, stream);
}

/* What the words come to. */
struct command {
	struct tl_kvm_options *options;
	struct tl_machine *machine;
};

static enum tl_status apply(const struct command *command, int option, const char *value, struct tl_error *error)
{
	struct tl_kvm_options *options = command->options;
	tl_u64 number;

	switch (option) {
	case OPTION_KERNEL:
		options->kernel = value;
		break;
	case OPTION_INITRD:
		options->initrd = value;
		break;
	case OPTION_APPEND:
		options->command_line = value;
		break;
	case OPTION_MEMORY:
		return tl_machine_size(value, &options->memory_size, error);
	case OPTION_CPUS:
		if (!tl_machine_number(value, 1, TL_KVM_CPUS_MAX, &number))
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "--cpus wants a number from 1 to %d, not \"%s\"",
				       TL_KVM_CPUS_MAX, value);
		options->cpus = (tl_u32)number;
		break;
	case OPTION_SERIAL:
		command->machine->serial = value;
		break;
	case OPTION_CONSOLE:
		options->console = true;
		break;
	case OPTION_DISK:
		return tl_machine_add(options->disks, &options->disk_count, TL_KVM_DISKS, "--disk", value, error);
	case OPTION_NETWORK:
		options->network = true;
		break;
	case OPTION_FORWARD:
		options->network = true;
		return tl_machine_add(options->forwards, &options->forward_count, TL_KVM_FORWARDS, "--forward", value,
				      error);
	case OPTION_RESTRICT:
		options->network = options->restricted = true;
		break;
	default: /* OPTION_RUNNING */
		command->machine->running = true;
		break;
	}
	return TL_OK;
}

static enum tl_status create(struct tl_loop *loop, const void *options, const struct tl_machine_ends *ends,
			     struct tl_target **target_ret, struct tl_error *error)
{
	struct tl_kvm_options machine = *(const struct tl_kvm_options *)options;

	machine.input = ends->input;
	machine.output = ends->output;
	machine.terminal = ends->terminal;
	machine.moves = ends->moves;
	machine.remark = ends->remark;
	machine.context = ends->context;
	return tl_kvm_target_create(loop, &machine, target_ret, error);
}

static const struct tl_machine_kind kind = {.word = "kvm",
					    .create = create,
					    .destroy = tl_kvm_target_destroy,
					    .populate = tl_kvm_target_populate,
					    .program = tl_kvm_target_program};

enum tl_status tl_kvm_command_read(char **words, struct tl_kvm_options *options_ret, struct tl_machine *machine_ret,
				   struct tl_error *error)
{
	const struct command command = {.options = options_ret, .machine = machine_ret};
	struct tl_option_reader reader = {.at = words, .table = table};
	int option;

	*options_ret = (struct tl_kvm_options){.input = -1, .output = -1};
	*machine_ret = (struct tl_machine){.kind = &kind, .options = options_ret};
	while ((option = tl_option_next(&reader, error)) > 0)
		TL_TRY(apply(&command, option, reader.value, error));
	if (option < 0)
		return TL_ERROR_ARGUMENT;
	if (reader.at[0] != NULL && reader.at[1] != NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "kvm wants one program, and \"%s\" is one too many: options stand before it",
			       reader.at[1]);
	options_ret->program = reader.at[0];
	if (options_ret->kernel == NULL && options_ret->program == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "kvm wants something to run: --kernel FILE, or a program behind the options");
	if (options_ret->kernel != NULL && options_ret->program != NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "a machine runs a kernel (--kernel) or a program, not both");
	return TL_OK;
}
