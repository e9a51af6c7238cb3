#include "targets/kvm/capabilities.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 200

static const struct {
	const char *name;
	long number;
	bool needed;
	const char *lost;
} table[TL_KVM_CAPABILITY_COUNT] = {
#define X(name, number, needed, text) [TL_KVM_HAS_##name] = {#number, number, needed, text},
	TL_KVM_CAPABILITY_TABLE(X)
#undef X
};

/* Those that came after the first KVM_SET_GUEST_DEBUG, or that not every KVM has. */
static const struct {
	tl_u32 flag;
	const char *name, *lost;
} flags[] = {
	{KVM_GUESTDBG_SINGLESTEP, "KVM_GUESTDBG_SINGLESTEP", "no steps"},
	{KVM_GUESTDBG_USE_SW_BP, "KVM_GUESTDBG_USE_SW_BP", "no software breakpoints"},
	{KVM_GUESTDBG_USE_HW_BP, "KVM_GUESTDBG_USE_HW_BP", "no hardware breakpoints and watchpoints"},
	{KVM_GUESTDBG_INJECT_DB, "KVM_GUESTDBG_INJECT_DB", "a #DB goes back to the guest another way"},
	{KVM_GUESTDBG_INJECT_BP, "KVM_GUESTDBG_INJECT_BP", "a #BP goes back to the guest another way"},
	{KVM_GUESTDBG_BLOCKIRQ, "KVM_GUESTDBG_BLOCKIRQ", "a step masks interrupts by itself"},
};

/* What was there from the beginning. */
#define FIRST_FLAGS                                                                                                    \
	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_USE_HW_BP |             \
	 KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP)

enum tl_status tl_kvm_lacks(enum tl_kvm_capability capability, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "the host's KVM has no %s: %s", table[capability].name,
		       table[capability].lost);
}

enum tl_status tl_kvm_capabilities_probe(const struct tl_kvm_calls *calls, int descriptor,
					 struct tl_kvm_capabilities *capabilities_ret, struct tl_error *error)
{
	struct tl_kvm_capabilities found;

	for (tl_u32 i = 0; i < TL_KVM_CAPABILITY_COUNT; i++) {
		found.values[i] = 0;
		(void)tl_kvm_call(calls, descriptor, KVM_CHECK_EXTENSION, "KVM_CHECK_EXTENSION",
				  (unsigned long)table[i].number, &found.values[i], NULL);
		if (table[i].needed && found.values[i] <= 0)
			return tl_kvm_lacks((enum tl_kvm_capability)i, error);
	}
	*capabilities_ret = found;
	return TL_OK;
}

tl_u32 tl_kvm_guest_debug_flags(const struct tl_kvm_capabilities *capabilities)
{
	if (!tl_kvm_has(capabilities, TL_KVM_HAS_SET_GUEST_DEBUG))
		return 0;
	return tl_kvm_has(capabilities, TL_KVM_HAS_GUEST_DEBUG_FLAGS)
		       ? (tl_u32)capabilities->values[TL_KVM_HAS_GUEST_DEBUG_FLAGS]
		       : FIRST_FLAGS;
}

void tl_kvm_capabilities_tell(const struct tl_kvm_capabilities *capabilities,
			      void (*say)(void *context, const char *line), void *context)
{
	tl_u32 taken = tl_kvm_guest_debug_flags(capabilities);
	char line[LINE_SIZE];

	for (tl_u32 i = 0; i < TL_KVM_CAPABILITY_COUNT; i++) {
		if (capabilities->values[i] > 0)
			continue;
		snprintf(line, sizeof(line), "the host's KVM has no %s: %s", table[i].name, table[i].lost);
		say(context, line);
	}
	for (tl_size i = 0; taken != 0 && i < TL_COUNT(flags); i++) {
		if ((taken & flags[i].flag) != 0)
			continue;
		snprintf(line, sizeof(line), "the host's KVM has no %s: %s", flags[i].name, flags[i].lost);
		say(context, line);
	}
}

static bool has_word(const char *line, const char *word)
{
	tl_size size = strlen(word);

	for (const char *at = line; (at = strstr(at, word)) != NULL; at += size)
		if (at[-1] == ' ' && (at[size] == ' ' || at[size] == '\n'))
			return true;
	return false;
}

bool tl_kvm_carries_out_itself(const char *cpuinfo)
{
	FILE *file = fopen(cpuinfo, "re");
	bool told = false, direct = false;
	char *line = NULL;
	size_t room = 0;

	if (file == NULL)
		return false;
	while (!told && getline(&line, &room, file) >= 0) {
		told = strncmp(line, "flags\t", 6) == 0;
		direct = told && (has_word(line, "vmx") || has_word(line, "svm"));
	}
	free(line);
	(void)fclose(file);
	return told && !direct;
}
