#include "symbols/index.h"

#include "base/storage.h"
#include "symbols/index_internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORKERS_MAX 8
/* Parts of a qualified name, and scopes of an entry. */
#define DEPTH_MAX 64
/* How far a range is looked for that begins before others; units that overlap are the linker's doing. */
#define BACK_MAX 16

/* ============================================================ the block ========================================== */

static tl_u64 align(tl_u64 size)
{
	return (size + 7) & ~(tl_u64)7;
}

/* The offsets of the tables; the last one is the end. Counts have 32 bits and the text is bounded: no overflow. */
static void offsets_of(const struct tl_index_header *header, tl_u64 offsets[7])
{
	offsets[0] = align(sizeof(*header));
	offsets[1] = align(offsets[0] + (((tl_u64)1 << header->bucket_bits) + 1) * sizeof(tl_u32));
	offsets[2] = align(offsets[1] + ((tl_u64)header->name_count + 1) * sizeof(struct tl_index_name));
	offsets[3] = align(offsets[2] + (tl_u64)header->entry_count * sizeof(struct tl_index_entry));
	offsets[4] = align(offsets[3] + (tl_u64)header->scope_count * sizeof(struct tl_index_scope));
	offsets[5] = align(offsets[4] + (tl_u64)header->range_count * sizeof(struct tl_index_range));
	offsets[6] = offsets[5] + header->text_size;
}

tl_u64 tl_index_size(const struct tl_index_header *header)
{
	tl_u64 offsets[7];

	offsets_of(header, offsets);
	return offsets[6];
}

bool tl_index_lay_out(struct tl_index *index)
{
	const struct tl_index_header *header = (const void *)index->block;
	tl_u64 offsets[7];

	if (index->size < sizeof(*header) || header->magic != TL_INDEX_MAGIC || header->version != TL_INDEX_VERSION ||
	    header->size != index->size || header->bucket_bits > 28 || header->text_size == 0 ||
	    header->text_size > TL_U32_MAX || header->scope_count == 0)
		return false;
	offsets_of(header, offsets);
	if (offsets[6] != index->size)
		return false;
	index->header = header;
	index->buckets = (const void *)(index->block + offsets[0]);
	index->names = (const void *)(index->block + offsets[1]);
	index->entries = (const void *)(index->block + offsets[2]);
	index->scopes = (const void *)(index->block + offsets[3]);
	index->ranges = (const void *)(index->block + offsets[4]);
	index->text = (const void *)(index->block + offsets[5]);
	return true;
}

tl_u64 tl_index_unit_bytes(const struct tl_dwarf *dwarf)
{
	tl_u64 bytes = 0;

	for (tl_size i = 0; i < tl_dwarf_unit_count(dwarf); i++)
		bytes += tl_dwarf_unit(dwarf, i)->end - tl_dwarf_unit(dwarf, i)->offset;
	return bytes;
}

/* Text of the block; its last byte is zero, which opening saw to. */
static const char *text_at(const struct tl_index *index, tl_u32 offset)
{
	return offset < index->header->text_size ? index->text + offset : "";
}

/* ============================================================ names ============================================== */

static bool is_word(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
	       byte == '_';
}

/* True where template arguments, the end of a part or the end of all may follow an operator. */
static bool may_follow(const char *at, const char *end)
{
	if (at != end && *at == ' ')
		at++;
	return at == end || *at == '<' || *at == '(' || *at == ':';
}

/*
 * The length of "operator" and what it is of, in a name that begins so; else 0. The longest sign is not always the one:
 * "operator<<int>" may be "<" for int. A conversion ("operator a::b") goes to the end of the name.
 */
static tl_size operator_length(const char *name, tl_size length)
{
	static const char *const signs[] = {
		"<=>", "->*", "<<=", ">>=", "()", "[]", "->", "<<", ">>", "<=", ">=", "==",  "!=", "&&",
		"||",  "++",  "--",  "+=",  "-=", "*=", "/=", "%=", "&=", "|=", "^=", "+",   "-",  "*",
		"/",   "%",   "^",   "&",   "|",  "~",  "!",  "=",  "<",  ">",  ",",  "\"\""};
	const char *at = name + 8, *end = name + length;

	if (length <= 8 || memcmp(name, "operator", 8) != 0 || is_word(*at))
		return 0;
	if (*at == ' ' && end - at > 1 && is_word(at[1]))
		return length;
	for (tl_size i = 0; i < TL_COUNT(signs); i++) {
		tl_size size = strlen(signs[i]);

		if ((tl_size)(end - at) >= size && memcmp(at, signs[i], size) == 0 && may_follow(at + size, end))
			return 8 + size;
	}
	return 0;
}

tl_size tl_index_base_length(const char *name, tl_size length)
{
	tl_size at = operator_length(name, length);

	if (at != 0)
		return at;
	while (at < length && name[at] != '<')
		at++;
	/* A name in angle brackets, as compilers give to what has none, is a whole. */
	return at != 0 ? at : length;
}

tl_u32 tl_index_hash(const char *name, tl_size length)
{
	tl_size base = tl_index_base_length(name, length);
	tl_u64 hash = 0xcbf29ce484222325;

	for (tl_size i = 0; i < base; i++)
		hash = (hash ^ (tl_u8)name[i]) * 0x100000001b3;
	return (tl_u32)((hash ^ hash >> 29) * 0x9e3779b97f4a7c15 >> 32);
}

/* A piece of text. */
struct piece {
	const char *text;
	tl_size length;
};

/* What is sought: its parts, the innermost first. */
struct pattern {
	struct piece parts[DEPTH_MAX];
	unsigned count;
	bool anchored; /* nothing is outside of the outermost part */
};

/* The end of the part of a qualified name that begins here: where "::" stands that is not inside of brackets. */
static const char *part_end(const char *at)
{
	unsigned depth = 0;

	for (at += operator_length(at, strlen(at)); *at != 0; at++) {
		if (*at == '<' || *at == '(')
			depth++;
		else if ((*at == '>' || *at == ')') && depth != 0)
			depth--;
		else if (depth == 0 && at[0] == ':' && at[1] == ':')
			break;
	}
	return at;
}

static bool parse_pattern(struct pattern *pattern, const char *name)
{
	pattern->count = 0;
	pattern->anchored = name[0] == ':' && name[1] == ':';
	if (pattern->anchored)
		name += 2;
	for (;;) {
		const char *end = part_end(name);

		if (end == name || pattern->count == DEPTH_MAX)
			return false;
		/* Shifted, so that the innermost comes first; names have few parts. */
		memmove(pattern->parts + 1, pattern->parts, pattern->count * sizeof(pattern->parts[0]));
		pattern->parts[0] = (struct piece){name, (tl_size)(end - name)};
		pattern->count++;
		if (*end == 0)
			return true;
		name = end + 2;
	}
}

/* Whether a name is the one of a part, which may lack template arguments. */
static bool part_matches(const struct piece *part, const char *name)
{
	tl_size length = strlen(name), base = tl_index_base_length(name, length);

	return (length == part->length || base == part->length) && memcmp(name, part->text, part->length) == 0;
}

static bool scope_matches(const struct tl_index *index, const struct pattern *pattern, tl_u32 scope)
{
	unsigned part = 1;

	for (unsigned depth = 0; scope != 0 && scope < index->header->scope_count && depth < DEPTH_MAX * 2; depth++) {
		const struct tl_index_scope *at = &index->scopes[scope];
		bool matches = part < pattern->count && part_matches(&pattern->parts[part], text_at(index, at->text));

		if (part == pattern->count && !pattern->anchored)
			return true;
		if (!matches && at->transparent == 0)
			return false;
		part += matches;
		if (at->parent >= scope)
			return false;
		scope = at->parent;
	}
	return part == pattern->count;
}

/* ============================================================ finding ============================================ */

/* Reads an entry; false when it is damaged. */
static bool get_entry(const struct tl_index *index, tl_u32 name, tl_u32 number, struct tl_indexed *found)
{
	const struct tl_index_entry *entry = &index->entries[number];
	const struct tl_unit *unit = tl_dwarf_unit(index->dwarf, entry->unit);

	if (unit == NULL || entry->offset >= unit->end - unit->offset)
		return false;
	*found = (struct tl_indexed){.name = text_at(index, index->names[name].text),
				     .kind = entry->kind,
				     .flags = entry->flags,
				     .tag = entry->tag,
				     .scope = entry->scope,
				     .unit = unit,
				     .offset = unit->offset + entry->offset};
	return true;
}

/* The entries of a name: numbers from *first_ret up to what is returned. */
static tl_u32 entries_of(const struct tl_index *index, tl_u32 name, tl_u32 *first_ret)
{
	tl_u32 first = index->names[name].first, end = index->names[name + 1].first;

	if (end > index->header->entry_count)
		end = index->header->entry_count;
	*first_ret = first < end ? first : end;
	return end;
}

static int by_place(const void *a, const void *b)
{
	const struct tl_indexed *x = a, *y = b;

	if (x->unit != y->unit)
		return x->unit < y->unit ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Gathers the entries of a name that fit. */
static bool gather(const struct tl_index *index, tl_u32 name, const struct pattern *pattern, unsigned kinds,
		   struct tl_list *list)
{
	tl_u32 first, end = entries_of(index, name, &first);

	for (tl_u32 i = first; i < end; i++) {
		struct tl_indexed found, *added;

		if ((index->entries[i].kind & kinds) == 0 || !get_entry(index, name, i, &found) ||
		    !scope_matches(index, pattern, found.scope))
			continue;
		added = tl_list_add(list, sizeof(*added));
		if (added == NULL)
			return false;
		*added = found;
	}
	return true;
}

enum tl_status tl_index_find(const struct tl_index *index, const char *name, unsigned kinds,
			     bool (*call)(void *context, const struct tl_indexed *found), void *context,
			     struct tl_error *error)
{
	struct pattern pattern;
	struct tl_list list = {0};
	const struct tl_indexed *found;
	bool good = true;
	tl_u32 hash, i;
	tl_u64 bucket;

	if (!parse_pattern(&pattern, name))
		return TL_OK;
	hash = tl_index_hash(pattern.parts[0].text, pattern.parts[0].length);
	bucket = (tl_u64)hash >> (32 - index->header->bucket_bits);
	for (i = index->buckets[bucket]; good && i < index->buckets[bucket + 1] && i < index->header->name_count; i++)
		if (index->names[i].hash == hash &&
		    part_matches(&pattern.parts[0], text_at(index, index->names[i].text)))
			good = gather(index, i, &pattern, kinds, &list);
	if (good && list.count > 1)
		qsort(list.items, list.count, sizeof(struct tl_indexed), by_place);
	found = list.items;
	for (tl_size n = 0; good && n < list.count && call(context, &found[n]); n++)
		;
	tl_list_free(&list, sizeof(struct tl_indexed));
	return good ? TL_OK : TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for what \"%s\" finds", name);
}

void tl_index_each(const struct tl_index *index, unsigned kinds,
		   bool (*call)(void *context, const struct tl_indexed *found), void *context)
{
	for (tl_u32 name = 0; name < index->header->name_count; name++) {
		tl_u32 first, end = entries_of(index, name, &first);

		for (tl_u32 i = first; i < end; i++) {
			struct tl_indexed found;

			if ((index->entries[i].kind & kinds) != 0 && get_entry(index, name, i, &found) &&
			    !call(context, &found))
				return;
		}
	}
}

tl_size tl_index_scope(const struct tl_index *index, tl_u32 scope, char *text_ret, tl_size size)
{
	tl_u32 chain[DEPTH_MAX * 2];
	unsigned depth = 0;
	tl_size length = 0;

	while (scope != 0 && scope < index->header->scope_count && depth < TL_COUNT(chain)) {
		chain[depth++] = scope;
		if (index->scopes[scope].parent >= scope)
			break;
		scope = index->scopes[scope].parent;
	}
	for (; depth > 0; depth--) {
		const char *parts[] = {text_at(index, index->scopes[chain[depth - 1]].text), depth > 1 ? "::" : ""};

		for (unsigned i = 0; i < TL_COUNT(parts); i++)
			for (const char *at = parts[i]; *at != 0; at++, length++)
				if (length + 1 < size)
					text_ret[length] = *at;
	}
	if (size != 0)
		text_ret[length < size ? length : size - 1] = 0;
	return length;
}

const struct tl_unit *tl_index_unit(const struct tl_index *index, tl_u64 address)
{
	tl_size low = 0, high = index->header->range_count;

	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (index->ranges[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (unsigned back = 0; low > 0 && back < BACK_MAX; back++, low--)
		if (address >= index->ranges[low - 1].start && address < index->ranges[low - 1].end)
			return tl_dwarf_unit(index->dwarf, index->ranges[low - 1].unit);
	return NULL;
}

void tl_index_counts(const struct tl_index *index, tl_size *names_ret, tl_size *entries_ret)
{
	*names_ret = index->header->name_count;
	*entries_ret = index->header->entry_count;
}

/* ============================================================ building =========================================== */

struct thread {
	pthread_t thread;
	struct tl_worker *worker;
	void (*call)(struct tl_worker *worker, void *context);
	void *context;
	bool runs;
};

static void *thread_main(void *argument)
{
	struct thread *thread = argument;

	thread->call(thread->worker, thread->context);
	return NULL;
}

/* Signals are for the threads that wait for them; only what a thread does to itself stays. */
static void hold_signals(sigset_t *before)
{
	sigset_t held;

	(void)sigfillset(&held);
	(void)sigdelset(&held, SIGBUS);
	(void)sigdelset(&held, SIGSEGV);
	(void)sigdelset(&held, SIGILL);
	(void)sigdelset(&held, SIGFPE);
	(void)pthread_sigmask(SIG_SETMASK, &held, before);
}

void tl_builder_run(struct tl_builder *builder, void (*call)(struct tl_worker *worker, void *context), void *context)
{
	struct thread threads[WORKERS_MAX] = {0};
	sigset_t before;

	hold_signals(&before);
	for (unsigned i = 1; i < builder->worker_count; i++) {
		threads[i] = (struct thread){.worker = &builder->workers[i], .call = call, .context = context};
		threads[i].runs = pthread_create(&threads[i].thread, NULL, thread_main, &threads[i]) == 0;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	call(&builder->workers[0], context);
	/* Where there was no thread to be had, its work is done here. */
	for (unsigned i = 1; i < builder->worker_count; i++) {
		if (threads[i].runs)
			(void)pthread_join(threads[i].thread, NULL);
		else
			call(&builder->workers[i], context);
	}
}

static bool is_cancelled(const struct tl_builder *builder)
{
	return builder->options.cancel != NULL && atomic_load_explicit(builder->options.cancel, memory_order_relaxed);
}

static void scan_units(struct tl_worker *worker, void *context)
{
	struct tl_builder *builder = worker->builder;
	tl_size count = tl_dwarf_unit_count(builder->dwarf);
	bool good = true;

	(void)context;
	while (good && !is_cancelled(builder) && !atomic_load_explicit(&builder->failed, memory_order_relaxed)) {
		tl_size unit = atomic_fetch_add(&builder->next, 1);

		if (unit >= count) {
			good = tl_worker_resolve(worker);
			break;
		}
		good = tl_worker_scan(worker, (tl_u32)unit);
		if (builder->options.progress != NULL)
			(void)atomic_fetch_add(builder->options.progress, 1);
	}
	if (!good)
		atomic_store(&builder->failed, true);
}

static unsigned count_workers(const struct tl_builder *builder)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	tl_size wanted = builder->options.threads != 0 ? builder->options.threads
			 : processors > 0              ? (tl_size)processors
						       : 1;
	tl_size useful = tl_dwarf_unit_count(builder->dwarf) / 4 + 1;

	if (wanted > WORKERS_MAX)
		wanted = WORKERS_MAX;
	return (unsigned)(wanted < useful ? wanted : useful);
}

static enum tl_status build(struct tl_builder *builder, struct tl_index *index, struct tl_error *error)
{
	tl_size size = 0;
	enum tl_status status = TL_OK;

	if (tl_dwarf_unit_count(builder->dwarf) >= TL_U32_MAX)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "more than 4 billion units cannot be indexed");
	builder->worker_count = count_workers(builder);
	size = builder->worker_count * sizeof(*builder->workers);
	builder->workers = tl_allocate(tl_storage(), size);
	if (builder->workers == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the index");
	for (unsigned i = 0; i < builder->worker_count; i++) {
		builder->workers[i].builder = builder;
		builder->workers[i].index = i;
	}
	tl_builder_run(builder, scan_units, NULL);
	if (is_cancelled(builder))
		status = TL_FAIL(error, TL_ERROR_CANCELLED, "reading the index was cancelled");
	else if (atomic_load(&builder->failed))
		status = TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the index");
	else
		status = tl_builder_merge(builder, index, error);
	for (unsigned i = 0; i < builder->worker_count; i++)
		tl_worker_free(&builder->workers[i]);
	tl_release(tl_storage(), builder->workers, size);
	return status;
}

enum tl_status tl_index_build(struct tl_index **index_ret, struct tl_dwarf *dwarf,
			      const struct tl_index_options *options, struct tl_error *error)
{
	struct tl_index *index = tl_allocate(tl_storage(), sizeof(*index));
	struct tl_builder builder = {.dwarf = dwarf};
	enum tl_status status;

	if (index == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the index");
	index->dwarf = dwarf;
	builder.passed_max = tl_dwarf_abbreviations_max(dwarf);
	if (options != NULL)
		builder.options = *options;
	status = build(&builder, index, error);
	if (status == TL_OK && !tl_index_lay_out(index))
		status = TL_FAIL(error, TL_ERROR_INTERNAL, "the index does not fit its own sizes");
	if (status != TL_OK) {
		tl_index_close(index);
		return status;
	}
	*index_ret = index;
	return TL_OK;
}

void tl_index_close(struct tl_index *index)
{
	union {
		const tl_u8 *constant;
		void *block;
	} of;

	if (index == NULL)
		return;
	of.constant = index->block;
	if (index->mapping.bytes == NULL)
		tl_release(tl_storage(), of.block, index->size);
	tl_mapping_close(&index->mapping);
	tl_release(tl_storage(), index, sizeof(*index));
}
