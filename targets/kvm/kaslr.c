#include "targets/kvm/kaslr.h"

#include "targets/kvm/registers.h"

#include <string.h>

/* The kernel begins at a multiple of this (CONFIG_PHYSICAL_ALIGN), and is larger. */
#define ALIGNMENT 0x200000ull
#define SIZE_MIN (2 * ALIGNMENT)

#define MSR_GS_BASE 0xc0000101u

/* ---- Where ---- */

static bool mapped(const struct tl_page_tables *tables, tl_page_walk_read *read, void *context, tl_u64 address,
		   tl_u64 *physical_ret)
{
	struct tl_page_walk walk;

	if (tl_page_walk(tables, read, context, address, &walk) != TL_OK)
		return false;
	*physical_ret = walk.physical;
	return true;
}

enum tl_status tl_kaslr_find(const struct tl_page_tables *tables, tl_page_walk_read *read, void *context,
			     tl_u64 address, struct tl_kaslr_place *place_ret)
{
	tl_u64 first = address & ~(ALIGNMENT - 1), end = first + ALIGNMENT, physical, other;

	if (!tl_kaslr_in_kernel(address) || tables->levels < 4 || !mapped(tables, read, context, first, &physical))
		return TL_ERROR_STATE;
	/* Downwards as long as it is one piece. */
	while (first > TL_KASLR_FIRST && mapped(tables, read, context, first - ALIGNMENT, &other) &&
	       other + ALIGNMENT == physical) {
		first -= ALIGNMENT;
		physical = other;
	}
	while (end < TL_KASLR_END && mapped(tables, read, context, end, &other) && other == physical + (end - first))
		end += ALIGNMENT;
	if (end - first < SIZE_MIN)
		return TL_ERROR_STATE;
	*place_ret = (struct tl_kaslr_place){first, physical, end - first};
	return TL_OK;
}

void tl_kaslr_tell(const struct tl_kaslr_place *place, tl_u64 linked, const char *name, struct tl_writer *output)
{
	if (linked == 0)
		linked = TL_KASLR_LINKED;
	tl_write_text(output, "The kernel is at 0x");
	tl_write_hex(output, place->address);
	tl_write_text(output, ", physical 0x");
	tl_write_hex(output, place->physical);
	if (place->address == linked) {
		tl_write_text(output, ": where it was linked. For gdb:\n");
	} else {
		tl_write_text(output, place->address > linked ? ": 0x" : ": -0x");
		tl_write_hex(output, place->address > linked ? place->address - linked : linked - place->address);
		tl_write_text(output, " from where it was linked. For gdb:\n");
	}
	tl_write_text(output, "symbol-file ");
	tl_write_text(output, name != NULL ? name : "vmlinux");
	/* gdb takes the difference as an unsigned number, and wraps. */
	tl_write_text(output, " -o 0x");
	tl_write_hex(output, place->address - linked);
	tl_write_byte(output, '\n');
}

/* ---- When ---- */

static bool has(const struct tl_kvm_calls *calls, int machine, unsigned long capability)
{
	return calls->ioctl(calls->context, machine, KVM_CHECK_EXTENSION, capability) > 0;
}

enum tl_status tl_kaslr_arm(const struct tl_kvm_calls *calls, int machine, struct tl_error *error)
{
	/* A bit that is 0 refuses what the flags say. */
	static const tl_u8 refused[8] = {0};
	struct kvm_msr_filter filter = {.flags = KVM_MSR_FILTER_DEFAULT_ALLOW};
	struct kvm_enable_cap out;

	if (!has(calls, machine, KVM_CAP_X86_USER_SPACE_MSR) || !has(calls, machine, KVM_CAP_X86_MSR_FILTER))
		return TL_FAIL(
			error, TL_ERROR_UNSUPPORTED,
			"the host's KVM has no filter for MSRs (Linux 5.10 has): the machine cannot stop where the "
			"kernel first runs; \"monitor kaslr\" finds it as soon as it does");
	memset(&out, 0, sizeof(out));
	out.cap = KVM_CAP_X86_USER_SPACE_MSR;
	out.args[0] = KVM_MSR_EXIT_REASON_FILTER;
	TL_TRY(TL_KVM_CALL(calls, machine, KVM_ENABLE_CAP, &out, error));
	filter.ranges[0] = (struct kvm_msr_filter_range){
		.flags = KVM_MSR_FILTER_WRITE, .nmsrs = 1, .base = MSR_GS_BASE, .bitmap = (__u8 *)(tl_uintptr)refused};
	return TL_KVM_CALL(calls, machine, KVM_X86_SET_MSR_FILTER, &filter, error);
}

void tl_kaslr_disarm(const struct tl_kvm_calls *calls, int machine)
{
	struct kvm_msr_filter filter = {.flags = KVM_MSR_FILTER_DEFAULT_ALLOW};

	(void)!TL_KVM_CALL(calls, machine, KVM_X86_SET_MSR_FILTER, &filter, NULL);
}

bool tl_kaslr_answer(const struct tl_kvm_calls *calls, int vcpu, struct kvm_run *run)
{
	tl_u64 now = 0;

	if (run->exit_reason == KVM_EXIT_X86_WRMSR) {
		run->msr.error = tl_kvm_msr_set(calls, vcpu, run->msr.index, run->msr.data) != TL_OK;
		return true;
	}
	if (run->exit_reason != KVM_EXIT_X86_RDMSR)
		return false;
	run->msr.error = tl_kvm_msr_get(calls, vcpu, run->msr.index, &now) != TL_OK;
	run->msr.data = now;
	return true;
}
