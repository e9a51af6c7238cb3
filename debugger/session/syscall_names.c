#include "debugger/session/syscall_names.h"

#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tl_u32 architecture(const struct tl_cpu *cpu)
{
	static const struct {
		const char *name;
		tl_u32 architecture;
	} known[] = {{"x86_64", SCMP_ARCH_X86_64}, {"i386", SCMP_ARCH_X86}, {"aarch64", SCMP_ARCH_AARCH64}};

	for (tl_size i = 0; i < TL_COUNT(known); i++)
		if (strcmp(known[i].name, cpu->name) == 0)
			return known[i].architecture;
	return SCMP_ARCH_NATIVE;
}

bool tl_syscall_name(const struct tl_cpu *cpu, tl_u64 number, char *name_ret, tl_size size)
{
	char *name = number < 65536 ? seccomp_syscall_resolve_num_arch(architecture(cpu), (int)number) : NULL;

	if (name == NULL)
		return false;
	snprintf(name_ret, size, "%s", name);
	free(name);
	return true;
}

bool tl_syscall_number(const struct tl_cpu *cpu, const char *name, tl_u64 *number_ret)
{
	char *end;
	unsigned long digits = strtoul(name, &end, 10);
	int number;

	if (*name != '\0' && *end == '\0') {
		*number_ret = digits;
		return true;
	}
	number = seccomp_syscall_resolve_name_arch(architecture(cpu), name);
	*number_ret = (tl_u64)number;
	return number >= 0;
}
