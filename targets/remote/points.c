#include "targets/remote/state.h"

#include "base/storage.h"
#include "core/agent/opcodes.h"

#include <stdlib.h>
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

bool tl_remote_has_point(const struct remote_thread *thread, enum tl_point_kind kind, tl_u64 address)
{
	const struct remote_process *process = thread->process;

	return tl_remote_find_point(process, kind, address) != NULL ||
	       (process->vfork_parent != NULL && tl_remote_find_point(process->vfork_parent, kind, address) != NULL);
}

/* What the packet cannot hold is decided here alone. */
static bool fits(const struct remote_target *target, const struct tl_writer *question, const char *text)
{
	return tl_writer_size(question) + strlen(text) <= target->packet_size;
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
	if (insert && point->conditions != NULL && fits(target, &question, point->conditions))
		tl_write_text(&question, point->conditions);
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

/* Conditions that came ahead of their point; the caller owns them. */
static char *take_coming(struct remote_process *process, enum tl_point_kind kind, tl_u64 address)
{
	char *text = NULL;

	if (process->coming.wanted == kind && process->coming.address == address)
		text = process->coming.conditions;
	else
		free(process->coming.conditions);
	process->coming.conditions = NULL;
	return text;
}

/* Takes the conditions over where it puts the point in. */
static enum tl_status insert(struct remote_target *target, struct remote_process *process, struct remote_point *point)
{
	struct remote_point *there;
	void *list;

	TL_TRY(tl_remote_hold(target));
	/* Where reads cannot be told from writes, both are watched, and the engine looks at the instruction. */
	if (point->wire == TL_POINT_READ && !target->points[point->wire])
		point->wire = TL_POINT_ACCESS;
	if (!target->points[point->wire])
		return TL_ERROR_POINT_KIND;
	there = find(process, point->wanted, point->address, point->size);
	if (there != NULL)
		return there->out && !process->lifted ? tl_remote_set_out(target, process, there, false) : TL_OK;
	list = process->points;
	if (!tl_grow(tl_storage(), &list, &process->point_capacity, process->point_count, sizeof(*point)))
		return TL_ERROR_NO_MEMORY;
	process->points = list;
	point->out = process->lifted && point->wanted == TL_POINT_SOFTWARE;
	TL_TRY(put_in(target, process, point));
	process->points[process->point_count++] = *point;
	point->conditions = NULL;
	return TL_OK;
}

enum tl_status tl_remote_insert_point(struct tl_target *base, tl_u64 id, enum tl_point_kind kind, tl_u64 address,
				      tl_u64 size)
{
	struct remote_target *target = tl_remote_self(base);
	struct remote_process *process = tl_remote_find_process(target, id);
	struct remote_point point = {.wanted = kind, .wire = kind, .address = address, .size = size};
	enum tl_status status;

	if (process == NULL)
		return TL_ERROR_NO_PROCESS;
	/* Some stubs take them, and watch nothing, or something else. */
	if (kind >= TL_POINT_WRITE && (size == 0 || address + (size - 1) < address))
		return TL_ERROR_POINT_SIZE;
	point.conditions = take_coming(process, kind, address);
	status = insert(target, process, &point);
	free(point.conditions);
	return status;
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
	free(point->conditions);
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

void tl_remote_forget_points(struct remote_process *process)
{
	for (tl_size i = 0; i < process->point_count; i++)
		free(process->points[i].conditions);
	process->point_count = 0;
	free(process->coming.conditions);
	process->coming.conditions = NULL;
}

/* ---- Conditions ---- */

/* Bytes behind each opcode; one more, so that 0 is no opcode. */
static const tl_u8 lengths[256] = {
#define X(name, opcode, group, operand, taken, put) [opcode] = (operand) + 1,
	TL_AGENT_OPCODE_TABLE(X)
#undef X
};

/*
 * Whether it comes to its end without a limit of steps, which stubs need not have: gdbserver 13 runs round for ever in
 * what jumps back.
 */
static bool ends_by_itself(const struct tl_agent_code *code)
{
	tl_size at = 0;

	while (at < code->size) {
		tl_u8 opcode = code->bytes[at];
		tl_size length = lengths[opcode];

		if (length == 0 || opcode == TL_AGENT_printf || at + length > code->size)
			return false;
		if ((opcode == TL_AGENT_goto || opcode == TL_AGENT_if_goto) &&
		    (tl_size)(code->bytes[at + 1] << 8 | code->bytes[at + 2]) <= at)
			return false;
		at += length;
	}
	return true;
}

/* ";X5,2204000027X…": GDB manual, "Packets" (Z0). NULL: no storage, or none. The caller frees. */
static char *write_conditions(const struct tl_agent_code *conditions, tl_size count)
{
	struct tl_writer writer;
	tl_size room = 2;
	char *text;

	for (tl_size i = 0; i < count; i++) {
		if (!ends_by_itself(&conditions[i]))
			return NULL;
		room += 2 * (tl_size)conditions[i].size + 20;
	}
	text = count != 0 && room < REMOTE_PACKET_MAX ? malloc(room) : NULL;
	if (text == NULL)
		return NULL;
	writer = tl_writer_make(text, room);
	tl_write_byte(&writer, ';');
	for (tl_size i = 0; i < count; i++) {
		tl_write_byte(&writer, 'X');
		tl_write_hex(&writer, conditions[i].size);
		tl_write_byte(&writer, ',');
		tl_write_hex_bytes(&writer, conditions[i].bytes, conditions[i].size);
	}
	tl_write_byte(&writer, '\0');
	return text;
}

void tl_remote_set_conditions(struct tl_target *base, tl_u64 id, enum tl_point_kind kind, tl_u64 address, tl_u64 size,
			      const struct tl_agent_code *conditions, tl_size count)
{
	struct remote_target *target = tl_remote_self(base);
	struct remote_process *process = tl_remote_find_process(target, id);
	struct remote_point *point = process != NULL ? find(process, kind, address, size) : NULL;

	/* Of accesses the engine wants to hear whatever a condition says of their values. */
	if (process == NULL || kind > TL_POINT_HARDWARE)
		return;
	if (point == NULL) {
		free(process->coming.conditions);
		process->coming = (struct remote_point){
			.wanted = kind, .address = address, .conditions = write_conditions(conditions, count)};
		return;
	}
	if (point->conditions == NULL && count == 0)
		return;
	free(point->conditions);
	point->conditions = write_conditions(conditions, count);
	/* The same packet again, with others or without, is what a stub takes for a change. */
	if (!point->out && tl_remote_hold(target) == TL_OK)
		(void)send_point(target, process, point, true);
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
