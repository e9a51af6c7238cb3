#include "core/cpu/x86_debug.h"

/* DR7: bit 10 is always set; each register has a local enable bit, two bits of kind and two of length. */
#define CONTROL_FIXED ((tl_u64)1 << 10)

/* An aligned part of a point's range that one register covers. */
struct piece {
	tl_u64 address;
	tl_u64 size;
};

static tl_u64 enable_bit(unsigned n)
{
	return (tl_u64)1 << (2 * n);
}

static unsigned field_shift(unsigned n)
{
	return 16 + 4 * n;
}

/* The two length bits: 8 bytes have the code that came last. */
static tl_u64 length_code(tl_u64 size)
{
	return size == 8 ? 2 : size - 1;
}

static tl_u64 length_of_code(tl_u64 code)
{
	static const tl_u8 sizes[] = {1, 2, 8, 4};

	return sizes[code & 3];
}

/* The piece that begins at `address`: the largest aligned one that stays inside what is left. */
static struct piece first_piece(tl_u64 address, tl_u64 left, bool wide)
{
	tl_u64 size = wide ? 8 : 4;

	while (size > left || address % size != 0)
		size /= 2;
	return (struct piece){address, size};
}

/* All pieces of a range; 0 when they are more than there are registers. */
static unsigned split(enum tl_x86_debug_kind kind, tl_u64 address, tl_u64 size, bool wide,
		      struct piece pieces[TL_X86_DEBUG_REGISTERS])
{
	unsigned count = 0;

	/* An instruction is known by its first byte, and the length must be that of one. */
	if (kind == TL_X86_DEBUG_EXECUTE) {
		pieces[0] = (struct piece){address, 1};
		return 1;
	}
	while (size != 0) {
		if (count == TL_X86_DEBUG_REGISTERS)
			return 0;
		pieces[count] = first_piece(address, size, wide);
		address += pieces[count].size;
		size -= pieces[count].size;
		count++;
	}
	return count;
}

bool tl_x86_debug_piece(const struct tl_x86_debug_plan *plan, unsigned n, enum tl_x86_debug_kind *kind_ret,
			tl_u64 *address_ret, tl_u64 *size_ret)
{
	tl_u64 field;

	if (n >= TL_X86_DEBUG_REGISTERS || plan->users[n] == 0)
		return false;
	field = plan->control >> field_shift(n) & 0xf;
	*kind_ret = (enum tl_x86_debug_kind)(field & 3);
	*address_ret = plan->address[n];
	*size_ret = length_of_code(field >> 2);
	return true;
}

/* The register that has this very piece; TL_X86_DEBUG_REGISTERS for none. */
static unsigned find_piece(const struct tl_x86_debug_plan *plan, enum tl_x86_debug_kind kind, struct piece piece)
{
	enum tl_x86_debug_kind there;
	tl_u64 address, size;
	unsigned n;

	for (n = 0; n < TL_X86_DEBUG_REGISTERS; n++)
		if (tl_x86_debug_piece(plan, n, &there, &address, &size) && there == kind && address == piece.address &&
		    size == piece.size)
			break;
	return n;
}

static bool take_piece(struct tl_x86_debug_plan *plan, enum tl_x86_debug_kind kind, struct piece piece)
{
	unsigned n = find_piece(plan, kind, piece);

	if (n < TL_X86_DEBUG_REGISTERS) {
		if (plan->users[n] == 0xffff)
			return false;
		plan->users[n]++;
		return true;
	}
	for (n = 0; n < TL_X86_DEBUG_REGISTERS && plan->users[n] != 0; n++)
		;
	if (n == TL_X86_DEBUG_REGISTERS)
		return false;
	plan->users[n] = 1;
	plan->address[n] = piece.address;
	plan->control |=
		CONTROL_FIXED | enable_bit(n) | ((tl_u64)kind | length_code(piece.size) << 2) << field_shift(n);
	return true;
}

static void give_piece(struct tl_x86_debug_plan *plan, unsigned n)
{
	if (--plan->users[n] != 0)
		return;
	plan->address[n] = 0;
	plan->control &= ~(enable_bit(n) | (tl_u64)0xf << field_shift(n));
	/* Nothing armed is nothing at all, so that threads need not be told of it. */
	if (plan->control == CONTROL_FIXED)
		plan->control = 0;
}

enum tl_status tl_x86_debug_add(struct tl_x86_debug_plan *plan, enum tl_x86_debug_kind kind, tl_u64 address,
				tl_u64 size, bool wide)
{
	struct piece pieces[TL_X86_DEBUG_REGISTERS];
	struct tl_x86_debug_plan changed = *plan;
	unsigned count;

	if (size == 0 || address + (size - 1) < address)
		return TL_ERROR_POINT_SIZE;
	count = split(kind, address, size, wide, pieces);
	if (count == 0)
		return TL_ERROR_POINT_FULL;
	for (unsigned i = 0; i < count; i++)
		if (!take_piece(&changed, kind, pieces[i]))
			return TL_ERROR_POINT_FULL;
	*plan = changed;
	return TL_OK;
}

enum tl_status tl_x86_debug_remove(struct tl_x86_debug_plan *plan, enum tl_x86_debug_kind kind, tl_u64 address,
				   tl_u64 size, bool wide)
{
	struct piece pieces[TL_X86_DEBUG_REGISTERS];
	struct tl_x86_debug_plan changed = *plan;
	unsigned count;

	if (size == 0 || address + (size - 1) < address)
		return TL_ERROR_NO_POINT;
	count = split(kind, address, size, wide, pieces);
	for (unsigned i = 0; i < count; i++) {
		unsigned n = find_piece(&changed, kind, pieces[i]);

		if (n == TL_X86_DEBUG_REGISTERS)
			return TL_ERROR_NO_POINT;
		give_piece(&changed, n);
	}
	if (count == 0)
		return TL_ERROR_NO_POINT;
	*plan = changed;
	return TL_OK;
}

tl_u8 tl_x86_debug_hits(const struct tl_x86_debug_plan *plan, tl_u64 dr6)
{
	tl_u8 hits = 0;

	for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++)
		if (plan->users[n] != 0)
			hits |= (tl_u8)(dr6 & 1u << n);
	return hits;
}
