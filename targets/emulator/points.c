#include "targets/emulator/points.h"

#include "targets/emulator/paging.h"

void tl_points_init(struct tl_emulator_points *points_ret, const struct tl_allocator *allocator)
{
	*points_ret = (struct tl_emulator_points){.allocator = allocator};
}

static void end_list(const struct tl_emulator_points *points, struct tl_point_list *list)
{
	tl_release(points->allocator, list->points, list->capacity * sizeof(list->points[0]));
	*list = (struct tl_point_list){0};
}

void tl_points_end(struct tl_emulator_points *points)
{
	end_list(points, &points->breakpoints);
	end_list(points, &points->physical_breakpoints);
	end_list(points, &points->watchpoints);
	end_list(points, &points->physical_watchpoints);
	tl_fill(points->filter, 0, sizeof(points->filter));
}

/* The list that a point belongs into. */
static struct tl_point_list *list_of(struct tl_emulator_points *points, const struct tl_emulator_point *point)
{
	bool physical = point->space == TL_POINT_SPACE_PHYSICAL;

	if (point->size == 0)
		return physical ? &points->physical_breakpoints : &points->breakpoints;
	return physical ? &points->physical_watchpoints : &points->watchpoints;
}

/* The first point at or above an address. */
static tl_size first_from(const struct tl_point_list *list, tl_u64 address)
{
	tl_size low = 0, high = list->count;

	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (list->points[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool same(const struct tl_emulator_point *a, const struct tl_emulator_point *b)
{
	return a->address == b->address && a->size == b->size && a->space == b->space && a->access == b->access &&
	       a->label == b->label && (a->space != TL_POINT_SPACE_OF_SATP || a->satp == b->satp);
}

struct tl_emulator_point *tl_points_lookup(struct tl_emulator_points *points, const struct tl_emulator_point *point)
{
	struct tl_point_list *list = list_of(points, point);

	for (tl_size i = first_from(list, point->address); i < list->count && list->points[i].address == point->address;
	     i++)
		if (same(&list->points[i], point))
			return &list->points[i];
	return NULL;
}

static void set_filter(struct tl_emulator_points *points, tl_u64 address)
{
	tl_u64 bit = address >> 1 & (TL_POINTS_FILTER_BITS - 1);

	points->filter[bit >> 6] |= (tl_u64)1 << (bit & 63);
}

enum tl_status tl_points_add(struct tl_emulator_points *points, const struct tl_emulator_point *point)
{
	struct tl_point_list *list = list_of(points, point);
	tl_size at = first_from(list, point->address);

	if (point->size != 0 && (point->access == 0 || point->address + (point->size - 1) < point->address))
		return TL_ERROR_ARGUMENT;
	if (tl_points_lookup(points, point) != NULL)
		return TL_ERROR_STATE;
	if (!tl_grow(points->allocator, (void **)&list->points, &list->capacity, list->count, sizeof(list->points[0])))
		return TL_ERROR_NO_MEMORY;
	tl_move(&list->points[at + 1], &list->points[at], (list->count - at) * sizeof(list->points[0]));
	list->points[at] = *point;
	list->count++;
	if (point->size > list->largest)
		list->largest = point->size;
	if (list == &points->breakpoints)
		set_filter(points, point->address);
	return TL_OK;
}

enum tl_status tl_points_remove(struct tl_emulator_points *points, const struct tl_emulator_point *point)
{
	struct tl_point_list *list = list_of(points, point);
	struct tl_emulator_point *found = tl_points_lookup(points, point);

	if (found == NULL)
		return TL_ERROR_NO_POINT;
	list->count--;
	tl_move(found, found + 1, (tl_size)(&list->points[list->count] - found) * sizeof(*found));
	if (list->count == 0)
		list->largest = 0;
	if (list != &points->breakpoints)
		return TL_OK;
	tl_fill(points->filter, 0, sizeof(points->filter));
	for (tl_size i = 0; i < list->count; i++)
		set_filter(points, list->points[i].address);
	return TL_OK;
}

/* Whether a point of virtual addresses is one in the address space that the hart has now. */
static bool in_force(const struct tl_hart *hart, const struct tl_emulator_point *point, bool fetch)
{
	if (point->space != TL_POINT_SPACE_OF_SATP)
		return true;
	return tl_paging_is_on(hart, fetch ? TL_MEMORY_FETCH : TL_MEMORY_LOAD) && hart->satp == point->satp;
}

static bool decides(struct tl_hart *hart, const struct tl_emulator_point *point)
{
	const struct tl_emulator_points *points = hart->points;

	return points->decide == NULL || points->decide(points->decide_context, hart, point);
}

/* Whether a breakpoint of the list is at an address, in force, and decides to halt. All of one address are asked. */
static bool any_at(const struct tl_point_list *list, struct tl_hart *hart, tl_u64 address)
{
	bool found = false;

	for (tl_size i = first_from(list, address); i < list->count && list->points[i].address == address; i++)
		if (in_force(hart, &list->points[i], true) && decides(hart, &list->points[i]))
			found = true;
	return found;
}

/* Where the instruction at a virtual address is in memory; TL_U64_MAX when it is nowhere. */
static tl_u64 physical_of(const struct tl_hart *hart, tl_u64 address)
{
	tl_u64 physical = address;

	if (tl_paging_is_on(hart, TL_MEMORY_FETCH) && !tl_paging_look(hart, address, &physical))
		return TL_U64_MAX;
	return physical;
}

bool tl_points_at(const struct tl_emulator_points *points, const struct tl_hart *hart, tl_u64 address)
{
	const struct tl_point_list *list;
	tl_size at;

	if (points == NULL)
		return false;
	list = &points->breakpoints;
	at = first_from(list, address);
	if (at < list->count && list->points[at].address == address)
		return true;
	list = &points->physical_breakpoints;
	if (list->count == 0)
		return false;
	address = physical_of(hart, address);
	at = first_from(list, address);
	return at < list->count && list->points[at].address == address;
}

const struct tl_emulator_point *tl_points_breakpoints(const struct tl_emulator_points *points, tl_u64 address,
						      tl_size *count_ret)
{
	const struct tl_point_list *list = &points->breakpoints;
	tl_size first = first_from(list, address), end = first;

	while (end < list->count && list->points[end].address == address)
		end++;
	*count_ret = points->physical_breakpoints.count == 0 ? end - first : 0;
	return *count_ret != 0 ? list->points + first : NULL;
}

/* Whether the hart was told to go past this place; it is then told no longer, unless its exception is still to come. */
static bool passes(struct tl_hart *hart, bool exception)
{
	if (hart->pass != hart->pc || hart->pass_stack != hart->x[2] || (exception && !hart->pass_caught))
		return false;
	if (exception || !hart->pass_caught)
		hart->pass = TL_PASS_NONE;
	return true;
}

bool tl_points_halt(struct tl_hart *hart)
{
	const struct tl_emulator_points *points = hart->points;
	bool virtual, physical;

	if (points->muted || !tl_points_at(points, hart, hart->pc) || passes(hart, false))
		return false;
	virtual = any_at(&points->breakpoints, hart, hart->pc);
	physical = points->physical_breakpoints.count != 0 &&
		   any_at(&points->physical_breakpoints, hart, physical_of(hart, hart->pc));
	if (virtual || physical)
		hart->halt = TL_HALT_BREAKPOINT;
	return virtual || physical;
}

bool tl_points_catch(struct tl_hart *hart, const struct tl_exception *exception)
{
	if (hart->points == NULL || hart->points->muted || (hart->points->caught >> (exception->cause & 63) & 1) == 0 ||
	    passes(hart, true))
		return false;
	hart->halt = TL_HALT_EXCEPTION;
	hart->halt_exception = *exception;
	return true;
}

/*
 * Walks the watchpoints of a list that meet [first, last]: those that begin at most `largest` below it. *at is where
 * the walk is, list->count at its beginning.
 */
static const struct tl_emulator_point *next_meeting(const struct tl_point_list *list, tl_u64 first, tl_u64 last,
						    tl_size *at)
{
	while (*at > 0) {
		const struct tl_emulator_point *point = &list->points[--*at];

		if (point->address > last)
			continue;
		if (point->address < first && first - point->address >= list->largest)
			break;
		if (point->address + (point->size - 1) >= first)
			return point;
	}
	return NULL;
}

/* Where a walk begins: behind the last point that begins at or below `last`. */
static tl_size walk_from(const struct tl_point_list *list, tl_u64 last)
{
	return last == TL_U64_MAX ? list->count : first_from(list, last + 1);
}

static tl_u8 access_in(const struct tl_point_list *list, tl_u64 page)
{
	tl_u64 last = page + (TL_PAGE_SIZE - 1);
	tl_size at = walk_from(list, last);
	const struct tl_emulator_point *point;
	tl_u8 access = 0;

	while (access != (TL_POINT_READS | TL_POINT_WRITES) && (point = next_meeting(list, page, last, &at)) != NULL)
		access |= point->access;
	return access;
}

tl_u8 tl_points_on_page(const struct tl_hart *hart, tl_u64 page, tl_u64 frame)
{
	if (!tl_points_watching(hart))
		return 0;
	return access_in(&hart->points->watchpoints, page) | access_in(&hart->points->physical_watchpoints, frame);
}

/* Accesses that reach into the page from the one in front of it are asked about in any case. */
static void map_list(const struct tl_point_list *list, tl_u64 page, tl_u8 *map)
{
	tl_u64 end = page + (TL_PAGE_SIZE - 1);
	tl_size at = walk_from(list, end);
	const struct tl_emulator_point *point;

	while ((point = next_meeting(list, page, end, &at)) != NULL) {
		tl_u64 last = point->address + (point->size - 1);
		tl_u64 first = point->address < page || point->address - page < 7 ? 0 : point->address - page - 7;

		last = last < end ? last - page : TL_PAGE_SIZE - 1;
		for (tl_u64 i = first / 8; i <= last / 8; i++)
			map[i] |= point->access;
	}
}

void tl_points_map(const struct tl_hart *hart, tl_u64 page, tl_u64 frame, tl_u8 map_ret[TL_PAGE_SIZE / 8])
{
	tl_fill(map_ret, 0, TL_PAGE_SIZE / 8);
	if (!tl_points_watching(hart))
		return;
	map_list(&hart->points->watchpoints, page, map_ret);
	map_list(&hart->points->physical_watchpoints, frame, map_ret);
}

static void note(struct tl_hart *hart, const struct tl_emulator_point *point, const struct tl_done_access *access)
{
	struct tl_watch_hit *hit;

	if (hart->watch_hit_count == TL_WATCH_HITS_MAX || !decides(hart, point))
		return;
	hit = &hart->watch_hits[hart->watch_hit_count++];
	*hit = (struct tl_watch_hit){.point_address = point->address,
				     .point_size = point->size,
				     .address = access->address,
				     .size = access->size,
				     .label = point->label,
				     .write = access->access == TL_POINT_WRITES,
				     .old_known = access->access == TL_POINT_WRITES && !access->device,
				     .old = access->old,
				     .value = access->value};
	hart->halt = TL_HALT_WATCHPOINT;
}

/* A range of physical addresses that the access went to. */
static void look_physical(struct tl_hart *hart, const struct tl_done_access *access, tl_u64 physical, tl_u64 size)
{
	const struct tl_point_list *list = &hart->points->physical_watchpoints;
	tl_u64 last = physical + (size - 1);
	tl_size at = walk_from(list, last);
	const struct tl_emulator_point *point;

	while ((point = next_meeting(list, physical, last, &at)) != NULL)
		if ((point->access & access->access) != 0)
			note(hart, point, access);
}

/* Virtual ranges may lie on both sides of the end of the address space. */
static void look_virtual(struct tl_hart *hart, const struct tl_done_access *access, tl_u64 first, tl_u64 size)
{
	const struct tl_point_list *list = &hart->points->watchpoints;
	tl_u64 last = first + (size - 1);
	tl_size at = walk_from(list, last);
	const struct tl_emulator_point *point;

	while ((point = next_meeting(list, first, last, &at)) != NULL)
		if ((point->access & access->access) != 0 && in_force(hart, point, false))
			note(hart, point, access);
}

void tl_points_accessed(struct tl_hart *hart, const struct tl_done_access *access)
{
	tl_u64 to_end = 0 - access->address;

	if (!tl_points_watching(hart) || hart->points->muted)
		return;
	if (to_end != 0 && to_end < access->size) {
		look_virtual(hart, access, access->address, to_end);
		look_virtual(hart, access, 0, access->size - to_end);
	} else {
		look_virtual(hart, access, access->address, access->size);
	}
	look_physical(hart, access, access->physical, access->low_size);
	if (access->low_size != access->size)
		look_physical(hart, access, access->high_physical, access->size - access->low_size);
}
