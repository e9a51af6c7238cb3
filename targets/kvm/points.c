#include "targets/kvm/points.h"

#include "base/storage.h"

/* The guest looks at the same byte meanwhile. */
static tl_u8 get_byte(const tl_u8 *byte)
{
	return __atomic_load_n(byte, __ATOMIC_RELAXED);
}

static void set_byte(tl_u8 *byte, tl_u8 value)
{
	__atomic_store_n(byte, value, __ATOMIC_SEQ_CST);
}

static tl_u8 *byte_at(const struct tl_kvm_points *points, tl_u64 physical)
{
	return physical == TL_KVM_NOWHERE ? NULL : tl_kvm_memory_at(points->memory, physical, 1);
}

/* Another point on the same byte, which is planted there. */
static struct tl_kvm_point *find_planted(const struct tl_kvm_points *points, tl_u64 physical,
					 const struct tl_kvm_point *except)
{
	for (tl_size i = 0; i < points->count; i++) {
		struct tl_kvm_point *point = &points->points[i];

		if (point != except && point->planted && point->physical == physical)
			return point;
	}
	return NULL;
}

static void plant(const struct tl_kvm_points *points, struct tl_kvm_point *point)
{
	const struct tl_kvm_point *other = find_planted(points, point->physical, point);
	tl_u8 *byte = byte_at(points, point->physical);

	if (byte == NULL)
		return;
	point->original = other != NULL ? other->original : get_byte(byte);
	point->planted = true;
	set_byte(byte, TL_KVM_TRAP);
}

/* What the guest has written over it since is the guest's. */
static void unplant(const struct tl_kvm_points *points, struct tl_kvm_point *point)
{
	tl_u8 *byte = byte_at(points, point->physical);

	if (point->planted && byte != NULL && find_planted(points, point->physical, point) == NULL &&
	    get_byte(byte) == TL_KVM_TRAP)
		set_byte(byte, point->original);
	point->planted = false;
}

void tl_kvm_points_end(struct tl_kvm_points *points)
{
	for (tl_size i = 0; i < points->count; i++)
		tl_conditions_drop(points->points[i].conditions);
	tl_release(tl_storage(), points->points, points->capacity * sizeof(*points->points));
	points->points = NULL;
	points->count = points->capacity = 0;
}

enum tl_status tl_kvm_points_insert(struct tl_kvm_points *points, tl_u64 address, tl_u64 physical, tl_u64 space)
{
	void *grown = points->points;

	if (tl_kvm_points_find(points, address) != NULL)
		return TL_OK;
	if (physical != TL_KVM_NOWHERE && byte_at(points, physical) == NULL)
		return TL_ERROR_MEMORY;
	if (!tl_grow(tl_storage(), &grown, &points->capacity, points->count, sizeof(*points->points)))
		return TL_ERROR_NO_MEMORY;
	points->points = grown;
	points->points[points->count] = (struct tl_kvm_point){.address = address, .physical = physical, .space = space};
	plant(points, &points->points[points->count++]);
	return TL_OK;
}

enum tl_status tl_kvm_points_remove(struct tl_kvm_points *points, tl_u64 address)
{
	struct tl_kvm_point *point = tl_kvm_points_find(points, address);

	if (point == NULL)
		return TL_ERROR_NO_POINT;
	unplant(points, point);
	tl_conditions_drop(point->conditions);
	*point = points->points[--points->count];
	return TL_OK;
}

void tl_kvm_points_clear(struct tl_kvm_points *points)
{
	while (points->count > 0)
		(void)tl_kvm_points_remove(points, points->points[points->count - 1].address);
}

struct tl_kvm_point *tl_kvm_points_find(const struct tl_kvm_points *points, tl_u64 address)
{
	for (tl_size i = 0; i < points->count; i++)
		if (points->points[i].address == address)
			return &points->points[i];
	return NULL;
}

bool tl_kvm_points_planted(const struct tl_kvm_points *points, tl_u64 physical)
{
	return find_planted(points, physical, NULL) != NULL;
}

void tl_kvm_points_lift(struct tl_kvm_points *points, tl_u64 physical)
{
	const struct tl_kvm_point *point = find_planted(points, physical, NULL);
	tl_u8 *byte = byte_at(points, physical);

	if (point != NULL && byte != NULL && get_byte(byte) == TL_KVM_TRAP)
		set_byte(byte, point->original);
}

void tl_kvm_points_lower(struct tl_kvm_points *points, tl_u64 physical)
{
	tl_u8 *byte = byte_at(points, physical), below;

	if (byte == NULL || find_planted(points, physical, NULL) == NULL)
		return;
	below = get_byte(byte);
	for (tl_size i = 0; i < points->count; i++)
		if (points->points[i].planted && points->points[i].physical == physical)
			points->points[i].original = below;
	set_byte(byte, TL_KVM_TRAP);
}

tl_size tl_kvm_points_look(struct tl_kvm_points *points,
			   bool (*find)(void *context, const struct tl_kvm_point *point, tl_u64 *physical_ret),
			   void *context)
{
	tl_size mended = 0;

	for (tl_size i = 0; i < points->count; i++) {
		struct tl_kvm_point *point = &points->points[i];
		const tl_u8 *byte = byte_at(points, point->physical);
		tl_u64 physical = point->physical;

		if (find != NULL && find(context, point, &physical) && physical != point->physical) {
			if (physical == TL_KVM_NOWHERE && get_byte(byte) == TL_KVM_TRAP)
				continue;
			if (physical != TL_KVM_NOWHERE && byte_at(points, physical) == NULL)
				continue;
			unplant(points, point);
			point->physical = physical;
			plant(points, point);
			mended++;
		} else if (point->planted && byte != NULL && get_byte(byte) != TL_KVM_TRAP) {
			tl_kvm_points_lower(points, point->physical);
			mended++;
		}
	}
	return mended;
}

bool tl_kvm_points_read(const struct tl_kvm_points *points, tl_u64 physical, void *buffer, tl_size size)
{
	const tl_u8 *bytes = tl_kvm_memory_at(points->memory, physical, size);
	tl_u8 *to = buffer;

	if (bytes == NULL)
		return false;
	tl_copy(to, bytes, size);
	for (tl_size i = 0; i < points->count; i++) {
		const struct tl_kvm_point *point = &points->points[i];
		tl_u64 offset = point->physical - physical;

		if (point->planted && offset < size && to[offset] == TL_KVM_TRAP)
			to[offset] = point->original;
	}
	return true;
}

bool tl_kvm_points_write(struct tl_kvm_points *points, tl_u64 physical, const void *buffer, tl_size size)
{
	tl_u8 *bytes = tl_kvm_memory_at(points->memory, physical, size);
	const tl_u8 *from = buffer;

	if (bytes == NULL)
		return false;
	tl_copy(bytes, from, size);
	/* An int3 is away for as long as this takes: vCPUs are outside the guest, or the client takes the risk. */
	for (tl_size i = 0; i < points->count; i++) {
		struct tl_kvm_point *point = &points->points[i];
		tl_u64 offset = point->physical - physical;

		if (!point->planted || offset >= size)
			continue;
		point->original = from[offset];
		set_byte(&bytes[offset], TL_KVM_TRAP);
	}
	return true;
}
