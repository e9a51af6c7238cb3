/* The virtual machine where there is none: hosts that are not x86-64. */
#include "frontends/kvm_command.h"

void tl_kvm_command_print(FILE *stream)
{
	(void)stream;
}

enum tl_status tl_kvm_command_read(char **words, struct tl_kvm_options *options_ret, struct tl_machine *machine_ret,
				   struct tl_error *error)
{
	(void)words;
	(void)options_ret;
	(void)machine_ret;
	return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "virtual machines under KVM are for x86-64 hosts so far");
}
