#include "frontends/kvm_command.h"

#include "frontends/serve/options.h"
#include "targets/kvm/target.h"
#include "targets/kvm/vm.h"

enum { OPTION_CPUS = TL_MACHINE_OPTION_OWN, OPTION_CONSOLE };

static const struct tl_option table[] = {
	{NULL, 0, NULL, "Behind kvm: the virtual machine", 0},
	{"--cpus", TL_VALUE_WORD, "N", "Processors, 1 to 16 (default 1).", OPTION_CPUS},
	{"--console", TL_VALUE_NONE, NULL,
	 "A virtio console (console=hvc0), where the serial port leads: what is\ntyped is its, as soon as the guest "
	 "has "
	 "taken it into use.",
	 OPTION_CONSOLE},
	{NULL, 0, NULL, NULL, 0},
};

void tl_kvm_command_print(FILE *stream)
{
	tl_options_print(table, stream);
}

static enum tl_status apply(void *context, int option, const char *value, struct tl_error *error)
{
	struct tl_kvm_options *machine = context;
	tl_u64 number;

	if (option == OPTION_CONSOLE) {
		machine->console = true;
		return TL_OK;
	}
	if (!tl_machine_number(value, 1, TL_KVM_CPUS_MAX, &number))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "--cpus wants a number from 1 to %d, not \"%s\"",
			       TL_KVM_CPUS_MAX, value);
	machine->cpus = (tl_u32)number;
	return TL_OK;
}

static enum tl_status create(struct tl_loop *loop, const void *options, const struct tl_machine_ends *ends,
			     struct tl_target **target_ret, struct tl_error *error)
{
	struct tl_kvm_options machine = *(const struct tl_kvm_options *)options;

	machine.board.input = ends->input;
	machine.board.output = ends->output;
	machine.board.terminal = ends->terminal;
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
	const struct tl_machine_command command = {.word = "kvm",
						   .table = table,
						   .apply = apply,
						   .context = options_ret,
						   .board = &options_ret->board,
						   .machine = machine_ret};

	*options_ret = (struct tl_kvm_options){0};
	*machine_ret = (struct tl_machine){.kind = &kind, .options = options_ret};
	TL_TRY(tl_machine_read(&command, words, &options_ret->program, error));
	if (options_ret->board.kernel == NULL && options_ret->program == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "kvm wants something to run: --kernel FILE, or a program behind the options");
	if (options_ret->board.kernel != NULL && options_ret->program != NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "a machine runs a kernel (--kernel) or a program, not both");
	return TL_OK;
}
