#include "core/cpu/arm64_debug.h"

/* DBGBCR and DBGWCR: enabled, for EL0 only, kind of access, and the bytes that are selected. */
#define ENABLED 1u
#define FOR_PROGRAMS (2u << 1)
#define KIND_SHIFT 3
#define BYTES_SHIFT 5
#define BYTES_MASK 0xffu

/* How far below what is watched FAR may lie: the widest block of `dc zva` and of vectors there is. */
#define FAR_REACH 2048

/* Of an address the upper byte is the program's own (top byte ignore), the rest is sign-extended from bit 55. */
static tl_u64 untagged(tl_u64 address)
{
	return (tl_u64)((tl_i64)(address << 8) >> 8);
}

static tl_u32 control_of(enum tl_arm64_debug_kind kind, tl_u32 bytes)
{
	return ENABLED | FOR_PROGRAMS | (tl_u32)kind << KIND_SHIFT | bytes << BYTES_SHIFT;
}

tl_u32 tl_arm64_debug_break_control(void)
{
	return control_of(TL_ARM64_DEBUG_EXECUTE, 0xf);
}

/* The word at `word` with those of its bytes that are in [address, address + size). */
static struct tl_arm64_debug_register piece_of(enum tl_arm64_debug_kind kind, tl_u64 word, tl_u64 address, tl_u64 size)
{
	tl_u32 bytes = 0;

	for (unsigned i = 0; i < 8; i++)
		if (word + i - address < size)
			bytes |= 1u << i;
	return (struct tl_arm64_debug_register){.address = word, .control = control_of(kind, bytes)};
}

/* How many pieces a range has; 0 when they are more than there can be registers. */
static unsigned pieces(tl_u64 address, tl_u64 size)
{
	tl_u64 words = ((address + (size - 1)) >> 3) - (address >> 3) + 1;

	return words <= TL_ARM64_DEBUG_REGISTERS ? (unsigned)words : 0;
}

static bool take(struct tl_arm64_debug_register *registers, tl_u8 count, struct tl_arm64_debug_register piece)
{
	struct tl_arm64_debug_register *vacant = NULL;

	for (tl_u8 i = 0; i < count; i++) {
		struct tl_arm64_debug_register *there = &registers[i];

		if (there->users != 0 && there->address == piece.address && there->control == piece.control) {
			if (there->users == 0xffff)
				return false;
			there->users++;
			return true;
		}
		if (there->users == 0 && vacant == NULL)
			vacant = there;
	}
	if (vacant == NULL)
		return false;
	*vacant = piece;
	vacant->users = 1;
	return true;
}

static bool give(struct tl_arm64_debug_register *registers, tl_u8 count, struct tl_arm64_debug_register piece)
{
	for (tl_u8 i = 0; i < count; i++) {
		struct tl_arm64_debug_register *there = &registers[i];

		if (there->users == 0 || there->address != piece.address || there->control != piece.control)
			continue;
		if (--there->users == 0)
			*there = (struct tl_arm64_debug_register){0};
		return true;
	}
	return false;
}

enum tl_status tl_arm64_debug_add(struct tl_arm64_debug_plan *plan, enum tl_arm64_debug_kind kind, tl_u64 address,
				  tl_u64 size)
{
	struct tl_arm64_debug_register before[TL_ARM64_DEBUG_REGISTERS];
	unsigned count;

	address = untagged(address);
	if (kind == TL_ARM64_DEBUG_EXECUTE) {
		struct tl_arm64_debug_register piece = {.address = address, .control = tl_arm64_debug_break_control()};

		if ((address & 3) != 0)
			return TL_ERROR_ARGUMENT;
		return take(plan->breaks, plan->break_count, piece) ? TL_OK : TL_ERROR_POINT_FULL;
	}
	if (size == 0 || address + (size - 1) < address)
		return TL_ERROR_POINT_SIZE;
	count = pieces(address, size);
	if (count == 0)
		return TL_ERROR_POINT_FULL;
	tl_copy(before, plan->watches, sizeof(before));
	for (unsigned i = 0; i < count; i++) {
		tl_u64 word = (address & ~(tl_u64)7) + 8 * (tl_u64)i;

		if (take(plan->watches, plan->watch_count, piece_of(kind, word, address, size)))
			continue;
		tl_copy(plan->watches, before, sizeof(before));
		return TL_ERROR_POINT_FULL;
	}
	return TL_OK;
}

enum tl_status tl_arm64_debug_remove(struct tl_arm64_debug_plan *plan, enum tl_arm64_debug_kind kind, tl_u64 address,
				     tl_u64 size)
{
	struct tl_arm64_debug_register before[TL_ARM64_DEBUG_REGISTERS];
	unsigned count;

	address = untagged(address);
	if (kind == TL_ARM64_DEBUG_EXECUTE) {
		struct tl_arm64_debug_register piece = {.address = address, .control = tl_arm64_debug_break_control()};

		return give(plan->breaks, plan->break_count, piece) ? TL_OK : TL_ERROR_NO_POINT;
	}
	if (size == 0 || address + (size - 1) < address)
		return TL_ERROR_NO_POINT;
	count = pieces(address, size);
	if (count == 0)
		return TL_ERROR_NO_POINT;
	tl_copy(before, plan->watches, sizeof(before));
	for (unsigned i = 0; i < count; i++) {
		tl_u64 word = (address & ~(tl_u64)7) + 8 * (tl_u64)i;

		if (give(plan->watches, plan->watch_count, piece_of(kind, word, address, size)))
			continue;
		tl_copy(plan->watches, before, sizeof(before));
		return TL_ERROR_NO_POINT;
	}
	return TL_OK;
}

bool tl_arm64_debug_piece(const struct tl_arm64_debug_register *watch, enum tl_arm64_debug_kind *kind_ret,
			  tl_u64 *address_ret, tl_u64 *size_ret)
{
	tl_u32 bytes = watch->control >> BYTES_SHIFT & BYTES_MASK;
	unsigned first = 0, size = 0;

	if ((watch->control & ENABLED) == 0 || bytes == 0)
		return false;
	while ((bytes >> first & 1) == 0)
		first++;
	while ((bytes >> (first + size) & 1) != 0)
		size++;
	*kind_ret = (enum tl_arm64_debug_kind)(watch->control >> KIND_SHIFT & 3);
	*address_ret = watch->address + first;
	*size_ret = size;
	return true;
}

static tl_u64 distance(tl_u64 far, tl_u64 address, tl_u64 size)
{
	if (far < address)
		return address - far;
	return far - address < size ? 0 : far - address - size + 1;
}

static bool touches(tl_u64 one, tl_u64 one_size, tl_u64 other, tl_u64 other_size)
{
	return one - other < other_size || other - one < one_size;
}

tl_u16 tl_arm64_debug_hits(const struct tl_arm64_debug_plan *plan, tl_u64 far, tl_u64 size, bool exact,
			   enum tl_access access)
{
	tl_u64 nearest = FAR_REACH;
	tl_u16 hits = 0;

	far = untagged(far);
	for (unsigned n = 0; n < TL_ARM64_DEBUG_REGISTERS; n++) {
		enum tl_arm64_debug_kind kind;
		tl_u64 address, length, away;

		if (!tl_arm64_debug_piece(&plan->watches[n], &kind, &address, &length) ||
		    (access != TL_ACCESS_NONE && ((tl_u32)kind & (tl_u32)access) == 0))
			continue;
		if (exact) {
			hits |= touches(far, size, address, length) ? (tl_u16)(1u << n) : 0;
			continue;
		}
		away = distance(far, address, length);
		if (away < nearest)
			hits = 0;
		if (away <= nearest && away < FAR_REACH) {
			nearest = away;
			hits |= (tl_u16)(1u << n);
		}
	}
	return hits;
}
