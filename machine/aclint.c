#include "machine/aclint.h"

#define COMPARE 0x4000
#define TIME 0xbff8

/* When mtime shows `value`, if that is behind `now`; numbers of ticks go around, as mtime does. */
static tl_u64 moment_of(const struct tl_aclint *aclint, tl_u64 value, tl_u64 now)
{
	tl_u64 ticks = value - aclint->offset;

	return ticks <= TL_U64_MAX / TL_ACLINT_TICK && ticks * TL_ACLINT_TICK > now ? ticks * TL_ACLINT_TICK
										    : TL_U64_MAX;
}

tl_u64 tl_aclint_deadline(const struct tl_aclint *aclint, tl_u64 value, tl_u64 now)
{
	tl_u64 reached = moment_of(aclint, value, now), around = moment_of(aclint, 0, now);

	return reached < around ? reached : around;
}

void tl_aclint_update(struct tl_aclint *aclint, tl_u32 hart, tl_u64 now)
{
	tl_line_set(&aclint->timer[hart], tl_aclint_time(aclint, now) >= aclint->compare[hart]);
}

/*
 * The register of 8 bytes in which an access lies, and how many bits into it. Only whole words and double words are
 * accesses that registers know.
 */
static bool place(const struct tl_aclint *aclint, tl_u64 offset, tl_u32 size, tl_u64 *number_ret, tl_u32 *shift_ret)
{
	tl_u64 base = offset >= TIME ? TIME : COMPARE;

	if (size < 4 || offset < COMPARE || offset >= TIME + 8 || (offset & (size - 1)) != 0)
		return false;
	*number_ret = (offset - base) / 8;
	*shift_ret = (tl_u32)(offset & 4) * 8;
	return base == TIME || *number_ret < aclint->harts;
}

static tl_u64 read(void *device, tl_u64 offset, tl_u32 size)
{
	const struct tl_aclint *aclint = device;
	tl_u64 number, value;
	tl_u32 shift;

	if (offset < COMPARE)
		return size == 4 && offset / 4 < aclint->harts && aclint->pending[offset / 4];
	if (!place(aclint, offset, size, &number, &shift))
		return 0;
	value = offset >= TIME ? tl_aclint_time(aclint, aclint->services->now(aclint->services->context))
			       : aclint->compare[number];
	value >>= shift;
	return size == 4 ? (tl_u32)value : value;
}

static tl_u64 merge(tl_u64 old, tl_u64 value, tl_u32 size, tl_u32 shift)
{
	tl_u64 mask = size == 8 ? TL_U64_MAX : (tl_u64)TL_U32_MAX << shift;

	return (old & ~mask) | (value << shift & mask);
}

static void write_time(struct tl_aclint *aclint, tl_u64 offset, tl_u64 value, tl_u32 size)
{
	const struct tl_services *services = aclint->services;
	tl_u64 number, now = services->now(services->context), old = tl_aclint_time(aclint, now);
	tl_u32 shift;

	if (!place(aclint, offset, size, &number, &shift))
		return;
	if (offset >= TIME) {
		aclint->offset += merge(old, value, size, shift) - old;
		for (tl_u32 hart = 0; hart < aclint->harts; hart++)
			tl_aclint_update(aclint, hart, now);
	} else {
		aclint->compare[number] = merge(aclint->compare[number], value, size, shift);
		tl_aclint_update(aclint, (tl_u32)number, now);
	}
	services->attention(services->context);
}

static void write(void *device, tl_u64 offset, tl_u64 value, tl_u32 size)
{
	struct tl_aclint *aclint = device;

	if (offset >= COMPARE) {
		write_time(aclint, offset, value, size);
	} else if (size == 4 && offset / 4 < aclint->harts) {
		aclint->pending[offset / 4] = (value & 1) != 0;
		tl_line_set(&aclint->software[offset / 4], (value & 1) != 0);
	}
}

static void reset(void *device)
{
	struct tl_aclint *aclint = device;

	aclint->offset = 0;
	for (tl_u32 hart = 0; hart < aclint->harts; hart++) {
		aclint->pending[hart] = false;
		aclint->compare[hart] = TL_U64_MAX;
		tl_line_set(&aclint->software[hart], false);
		tl_line_set(&aclint->timer[hart], false);
	}
}

const struct tl_device_operations tl_aclint_operations = {.read = read, .write = write, .reset = reset};
