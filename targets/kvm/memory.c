#include "targets/kvm/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static tl_u64 lower_size(const struct tl_kvm_memory *memory)
{
	return memory->size < TL_KVM_MEMORY_GAP ? memory->size : TL_KVM_MEMORY_GAP;
}

tl_u8 *tl_kvm_memory_at(const struct tl_kvm_memory *memory, tl_u64 address, tl_u64 size)
{
	tl_u64 lower = lower_size(memory), offset;

	if (address < lower)
		return size <= lower - address ? memory->bytes + address : NULL;
	if (address < TL_KVM_MEMORY_HIGH)
		return NULL;
	offset = address - TL_KVM_MEMORY_HIGH;
	return offset < memory->size - lower && size <= memory->size - lower - offset ? memory->bytes + lower + offset
										      : NULL;
}

/* Tells KVM of a piece; `size` 0 takes it away. */
static enum tl_status set_slot(const struct tl_kvm_memory *memory, const struct tl_kvm_piece *piece, tl_u64 size,
			       struct tl_error *error)
{
	struct kvm_userspace_memory_region region = {
		.slot = piece->slot,
		.flags = piece->access == TL_KVM_ACCESS_READ && size != 0 ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = piece->start,
		.memory_size = size,
		.userspace_addr = (tl_u64)(unsigned long)tl_kvm_memory_at(memory, piece->start, piece->size)};

	return TL_KVM_CALL(memory->calls, memory->machine, KVM_SET_USER_MEMORY_REGION, &region, error);
}

static enum tl_status show(const struct tl_kvm_memory *memory, const struct tl_kvm_piece *piece, struct tl_error *error)
{
	return piece->access != TL_KVM_ACCESS_NOTHING ? set_slot(memory, piece, piece->size, error) : TL_OK;
}

static enum tl_status hide(const struct tl_kvm_memory *memory, const struct tl_kvm_piece *piece, struct tl_error *error)
{
	return piece->access != TL_KVM_ACCESS_NOTHING ? set_slot(memory, piece, 0, error) : TL_OK;
}

static enum tl_status show_all(struct tl_kvm_memory *memory, struct tl_error *error)
{
	tl_u64 lower = lower_size(memory);

	memory->pieces[0] = (struct tl_kvm_piece){.start = 0, .size = lower, .slot = 0};
	memory->count = 1;
	if (memory->size > lower) {
		memory->pieces[1] =
			(struct tl_kvm_piece){.start = TL_KVM_MEMORY_HIGH, .size = memory->size - lower, .slot = 1};
		memory->count = 2;
	}
	for (tl_u32 i = 0; i < memory->count; i++)
		TL_TRY(show(memory, &memory->pieces[i], error));
	return TL_OK;
}

enum tl_status tl_kvm_memory_open(struct tl_kvm_memory *memory_ret, const struct tl_kvm_calls *calls, int machine,
				  const struct tl_kvm_capabilities *capabilities, tl_u64 size, struct tl_error *error)
{
	int slots = capabilities->values[TL_KVM_HAS_MEMORY_SLOTS];
	struct tl_kvm_memory memory = {.calls = calls, .machine = machine, .size = size};
	enum tl_status status;

	if (size == 0 || size % TL_KVM_PAGE != 0 || size > TL_KVM_MEMORY_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "a machine's memory is in whole pages of %u bytes, up to 1T",
			       TL_KVM_PAGE);
	memory.read_only = tl_kvm_has(capabilities, TL_KVM_HAS_READONLY_MEM);
	memory.limit = slots > 2 && slots < TL_KVM_PIECES_MAX ? (tl_u32)slots : TL_KVM_PIECES_MAX;
	memory.bytes = calls->map(calls->context, size, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	if (memory.bytes == NULL)
		return TL_FAIL_ERRNO(error, TL_ERROR_NO_MEMORY,
				     "the host has no %llu MiB for the machine's memory: give it less with --memory",
				     (unsigned long long)(size >> 20));
	status = show_all(&memory, error);
	if (status != TL_OK) {
		(void)calls->unmap(calls->context, memory.bytes, size);
		return status;
	}
	*memory_ret = memory;
	return TL_OK;
}

void tl_kvm_memory_close(struct tl_kvm_memory *memory)
{
	if (memory->bytes != NULL)
		(void)memory->calls->unmap(memory->calls->context, memory->bytes, memory->size);
	*memory = (struct tl_kvm_memory){0};
}

static bool contains(const struct tl_kvm_piece *piece, tl_u64 address)
{
	return address >= piece->start && address - piece->start < piece->size;
}

bool tl_kvm_memory_access(const struct tl_kvm_memory *memory, tl_u64 address, enum tl_kvm_access *access_ret)
{
	for (tl_u32 i = 0; i < memory->count; i++) {
		if (!contains(&memory->pieces[i], address))
			continue;
		*access_ret = memory->pieces[i].access;
		return true;
	}
	return false;
}

/* ---- Other pieces ---- */

/* Pieces as they are to be, while they are put together. */
struct plan {
	struct tl_kvm_piece pieces[TL_KVM_PIECES_MAX];
	tl_u32 count, limit;
	bool full;
};

/* Neighbours with the same access become one piece; the two parts of memory do not touch. */
static void add(struct plan *plan, tl_u64 start, tl_u64 end, enum tl_kvm_access access)
{
	struct tl_kvm_piece *last = plan->count != 0 ? &plan->pieces[plan->count - 1] : NULL;

	if (start == end)
		return;
	if (last != NULL && last->start + last->size == start && last->access == access) {
		last->size += end - start;
		return;
	}
	if (plan->count == plan->limit) {
		plan->full = true;
		return;
	}
	plan->pieces[plan->count++] = (struct tl_kvm_piece){.start = start, .size = end - start, .access = access};
}

static void cut(const struct tl_kvm_memory *memory, tl_u64 from, tl_u64 to, enum tl_kvm_access access,
		struct plan *plan)
{
	plan->count = 0;
	plan->full = false;
	plan->limit = memory->limit;
	for (tl_u32 i = 0; i < memory->count; i++) {
		const struct tl_kvm_piece *piece = &memory->pieces[i];
		tl_u64 start = piece->start, end = piece->start + piece->size;
		tl_u64 first = from < start ? start : from < end ? from : end;
		tl_u64 last = to < first ? first : to < end ? to : end;

		add(plan, start, first, piece->access);
		add(plan, first, last, access);
		add(plan, last, end, piece->access);
	}
}

static bool is_same(const struct tl_kvm_piece *one, const struct tl_kvm_piece *other)
{
	return one->start == other->start && one->size == other->size && one->access == other->access;
}

static const struct tl_kvm_piece *find(const struct tl_kvm_piece *pieces, tl_u32 count,
				       const struct tl_kvm_piece *piece)
{
	for (tl_u32 i = 0; i < count; i++)
		if (is_same(&pieces[i], piece))
			return &pieces[i];
	return NULL;
}

/* What stays keeps its number; the others get those that are free. */
static void number(const struct tl_kvm_memory *memory, struct plan *plan)
{
	bool taken[TL_KVM_PIECES_MAX] = {false};
	tl_u32 next = 0;

	for (tl_u32 i = 0; i < plan->count; i++) {
		const struct tl_kvm_piece *old = find(memory->pieces, memory->count, &plan->pieces[i]);

		plan->pieces[i].slot = old != NULL ? old->slot : TL_KVM_PIECES_MAX;
		if (old != NULL)
			taken[old->slot] = true;
	}
	for (tl_u32 i = 0; i < plan->count; i++) {
		if (plan->pieces[i].slot != TL_KVM_PIECES_MAX)
			continue;
		while (taken[next])
			next++;
		plan->pieces[i].slot = next;
		taken[next] = true;
	}
}

/* Takes away what is not in `to`, then shows what was not in `from`. */
static enum tl_status change(const struct tl_kvm_memory *memory, const struct tl_kvm_piece *from, tl_u32 from_count,
			     const struct tl_kvm_piece *to, tl_u32 to_count, struct tl_error *error)
{
	for (tl_u32 i = 0; i < from_count; i++)
		if (find(to, to_count, &from[i]) == NULL)
			TL_TRY(hide(memory, &from[i], error));
	for (tl_u32 i = 0; i < to_count; i++)
		if (find(from, from_count, &to[i]) == NULL)
			TL_TRY(show(memory, &to[i], error));
	return TL_OK;
}

/* After a failure in the middle: everything goes, and what was is shown again. */
static void restore(const struct tl_kvm_memory *memory, const struct plan *plan)
{
	for (tl_u32 i = 0; i < plan->count; i++)
		if (find(memory->pieces, memory->count, &plan->pieces[i]) == NULL)
			(void)!hide(memory, &plan->pieces[i], NULL);
	for (tl_u32 i = 0; i < memory->count; i++)
		if (find(plan->pieces, plan->count, &memory->pieces[i]) == NULL)
			(void)!show(memory, &memory->pieces[i], NULL);
}

enum tl_status tl_kvm_memory_set_access(struct tl_kvm_memory *memory, tl_u64 address, tl_u64 size,
					enum tl_kvm_access access, struct tl_error *error)
{
	struct plan plan;
	enum tl_status status;

	if (size == 0 || address % TL_KVM_PAGE != 0 || size % TL_KVM_PAGE != 0 ||
	    tl_kvm_memory_at(memory, address, size) == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "0x%llx and %llu bytes on are not whole pages of memory",
			       (unsigned long long)address, (unsigned long long)size);
	if (access == TL_KVM_ACCESS_READ && !memory->read_only)
		return tl_kvm_lacks(TL_KVM_HAS_READONLY_MEM, error);
	cut(memory, address, address + size, access, &plan);
	if (plan.full)
		return TL_FAIL(error, TL_ERROR_POINT_FULL,
			       "no more than %u pieces of memory can differ: remove a watchpoint", memory->limit);
	number(memory, &plan);
	status = change(memory, memory->pieces, memory->count, plan.pieces, plan.count, error);
	if (status != TL_OK) {
		restore(memory, &plan);
		return status;
	}
	memcpy(memory->pieces, plan.pieces, plan.count * sizeof(plan.pieces[0]));
	memory->count = plan.count;
	return TL_OK;
}
