#include "targets/remote/state.h"

#include "base/storage.h"

#include <string.h>

#define ERROR_FULL 28 /* ENOSPC */

static struct remote_point *find(const struct remote_process *process, enum tl_point_kind wanted, tl_u64 address,
				 tl_u64 size)
{
	for (tl_size i = 0; i < process->point_count; i++) {
		struct remote_point *point = &process->points[i];

		if (point->wanted == wanted && point->address == address &&
		    (point->size == size || wanted == TL_POINT_SOFTWARE))
			return point;
	}
	return NULL;
}

/* Whether another entry stands for the same point in the stub, which has it once. */
static bool shared(const struct remote_process *process, const struct remote_point *point)
{
	for (tl_size i = 0; i < process->point_count; i++) {
		const struct remote_point *other = &process->points[i];

		if (other != point && !other->out && other->wire == point->wire && other->address == point->address &&
		    other->size == point->size)
			return true;
	}
	return false;
}

struct remote_point *tl_remote_find_point(const struct remote_process *process, enum tl_point_kind kind, tl_u64 address)
{
	for (tl_size i = 0; i < process->point_count; i++)
		if (process->points[i].wire == kind && process->points[i].address == address && !process->points[i].out)
			return &process->points[i];
	return NULL;
}

/* Z or z. */
static enum tl_status send_point(struct remote_target *target, const struct remote_process *process,
				 const struct remote_point *point, bool insert)
{
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_writer question;
	tl_u64 number;

	TL_TRY(tl_remote_select(target, (struct tl_thread_id){process->id, TL_ANY}));
	question = tl_remote_question(target);
	tl_write_byte(&question, insert ? 'Z' : 'z');
	tl_write_hex(&question, (tl_u64)point->wire);
	tl_write_byte(&question, ',');
	tl_write_hex(&question, point->address);
	tl_write_byte(&question, ',');
	tl_write_hex(&question, point->size);
	TL_TRY(tl_remote_ask(target, &question, insert ? "a point (Z)" : "the removal of a point (z)", &answer));
	if (answer == ANSWER_OK)
		return TL_OK;
	if (answer == ANSWER_UNKNOWN)
		return TL_ERROR_POINT_KIND;
	number = tl_remote_error_number(target);
	if (number == ERROR_FULL)
		return TL_ERROR_POINT_FULL;
	return point->wire == TL_POINT_SOFTWARE ? TL_ERROR_MEMORY : insert ? TL_ERROR_POINT_SIZE : TL_ERROR_NO_POINT;
}

static enum tl_status put_in(struct remote_target *target, const struct remote_process *process,
			     struct remote_point *point)
{
	enum tl_status status;

	if (point->out || shared(process, point))
		return TL_OK;
	status = send_point(target, process, point, true);
	if (status != TL_ERROR_POINT_KIND)
		return status;
	target->points[point->wire] = false;
	if (point->wire != TL_POINT_READ || !target->points[TL_POINT_ACCESS])
		return status;
	point->wire = TL_POINT_ACCESS;
	return put_in(target, process, point);
}

enum tl_status tl_remote_insert_point(struct tl_target *base, tl_u64 id, enum tl_point_kind kind, tl_u64 address,
				      tl_u64 size)
{
	struct remote_target *target = tl_remote_self(base);
	struct remote_process *process = tl_remote_find_process(target, id);
	struct remote_point point = {.wanted = kind, .wire = kind, .address = address, .size = size};
	struct remote_point *there;
	void *list;

	if (process == NULL)
		return TL_ERROR_NO_PROCESS;
	/* Some stubs take them, and watch nothing, or something else. */
	if (kind >= TL_POINT_WRITE && (size == 0 || address + (size - 1) < address))
		return TL_ERROR_POINT_SIZE;
	TL_TRY(tl_remote_hold(target));
	/* Where reads cannot be told from writes, both are watched, and the engine looks at the instruction. */
	if (kind == TL_POINT_READ && !target->points[kind])
		point.wire = TL_POINT_ACCESS;
	if (!target->points[point.wire])
		return TL_ERROR_POINT_KIND;
	there = find(process, kind, address, size);
	if (there != NULL)
		return there->out && !process->lifted ? tl_remote_set_out(target, process, there, false) : TL_OK;
	list = process->points;
	if (!tl_grow(tl_storage(), &list, &process->point_capacity, process->point_count, sizeof(point)))
		return TL_ERROR_NO_MEMORY;
	process->points = list;
	point.out = process->lifted && kind == TL_POINT_SOFTWARE;
	TL_TRY(put_in(target, process, &point));
	process->points[process->point_count++] = point;
	return TL_OK;
}

enum tl_status tl_remote_remove_point(struct tl_target *base, tl_u64 id, enum tl_point_kind kind, tl_u64 address,
				      tl_u64 size)
{
	struct remote_target *target = tl_remote_self(base);
	struct remote_process *process = tl_remote_find_process(target, id);
	struct remote_point *point;
	enum tl_status status = TL_OK;

	if (process == NULL)
		return TL_ERROR_GONE;
	TL_TRY(tl_remote_hold(target));
	point = find(process, kind, address, size);
	if (point == NULL)
		return TL_ERROR_NO_POINT;
	if (!point->out && !shared(process, point))
		status = send_point(target, process, point, false);
	if (status != TL_OK && status != TL_ERROR_NO_POINT && status != TL_ERROR_MEMORY)
		return status;
	*point = process->points[--process->point_count];
	return status;
}

enum tl_status tl_remote_set_out(struct remote_target *target, struct remote_process *process,
				 struct remote_point *point, bool out)
{
	if (point->out == out)
		return TL_OK;
	if (!shared(process, point))
		TL_TRY(send_point(target, process, point, !out));
	point->out = out;
	return TL_OK;
}

void tl_remote_lift(struct remote_target *target, struct remote_process *process, bool lift)
{
	if (process->lifted == lift)
		return;
	process->lifted = lift;
	for (tl_size i = 0; i < process->point_count; i++)
		if (process->points[i].wire == TL_POINT_SOFTWARE)
			(void)tl_remote_set_out(target, process, &process->points[i], lift);
}

/* ---- What was hit ---- */

/* What a point that was put in as `wire` is set to tell. */
static tl_u8 access_of(enum tl_point_kind wire)
{
	return wire == TL_POINT_WRITE ? TL_ACCESS_WRITE : wire == TL_POINT_READ ? TL_ACCESS_READ : TL_ACCESS_BOTH;
}

/*
 * gdbserver says `watch` whatever the point was set to tell, so that word stands for every kind; the others stand for
 * themselves.
 */
static bool can_mean(enum tl_point_kind word, enum tl_point_kind wire)
{
	return wire >= TL_POINT_WRITE && (word == TL_POINT_WRITE || word == wire);
}

static void add_hit(struct tl_event *event, tl_u64 address, tl_u64 size, tl_u8 access)
{
	for (tl_u8 i = 0; i < event->hit_count; i++)
		if (event->hits[i].address == address && event->hits[i].access == access)
			return;
	if (event->hit_count < TL_HITS_MAX)
		event->hits[event->hit_count++] = (struct tl_hit){address, size, access};
}

void tl_remote_hits(const struct remote_process *process, const struct stop_reply *reply, struct tl_event *event)
{
	for (tl_u8 n = 0; n < reply->address_count; n++) {
		bool found = false;

		for (tl_size i = 0; i < process->point_count; i++) {
			const struct remote_point *point = &process->points[i];

			if (!can_mean(reply->watch[n], point->wire) ||
			    !tl_overlap(point->address, point->size, reply->addresses[n], 1))
				continue;
			/* The whole of it: most stubs tell where the point is, and not where the access was. */
			add_hit(event, point->address, point->size, access_of(point->wire));
			found = true;
		}
		if (!found)
			add_hit(event, reply->addresses[n], 1, access_of(reply->watch[n]));
	}
}
