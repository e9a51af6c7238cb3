#include "symbols/lines.h"

#include "base/storage.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* A table that some unit has: several may share one. */
struct slot {
	tl_u64 offset;
	const char *directory, *name;
	struct tl_line_table *table; /* NULL until it is asked for; under the lock */
};

struct tl_lines {
	struct tl_dwarf *dwarf;
	struct tl_line_sections sections;
	pthread_mutex_t lock;
	atomic_bool read;   /* the sections and slots are there */
	struct slot *slots; /* in the order of offsets */
	tl_size count, capacity;
};

static int by_offset(const void *a, const void *b)
{
	const struct slot *left = a, *right = b;

	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* One slot for each table. Units of types share the table of the unit that they were taken out of. */
static enum tl_status make_slots(struct tl_lines *lines, struct tl_dwarf *dwarf)
{
	tl_size kept = 0;

	for (tl_size i = 0; i < tl_dwarf_unit_count(dwarf); i++) {
		const struct tl_unit *unit = tl_dwarf_unit(dwarf, i);
		void *slots = lines->slots;

		/* Those of the common file would be in its own .debug_line: dwz leaves none there. */
		if (!unit->has_lines || unit->common)
			continue;
		if (!tl_grow(tl_storage(), &slots, &lines->capacity, lines->count, sizeof(*lines->slots)))
			return TL_ERROR_NO_MEMORY;
		lines->slots = slots;
		lines->slots[lines->count++] = (struct slot){unit->lines, unit->directory, unit->name, NULL};
	}
	if (lines->count != 0)
		qsort(lines->slots, lines->count, sizeof(*lines->slots), by_offset);
	for (tl_size i = 0; i < lines->count; i++) {
		if (kept == 0 || lines->slots[kept - 1].offset != lines->slots[i].offset)
			lines->slots[kept++] = lines->slots[i];
		else if (lines->slots[kept - 1].directory == NULL)
			lines->slots[kept - 1].directory = lines->slots[i].directory;
	}
	lines->count = kept;
	return TL_OK;
}

/* Where the file has code: what the linker dropped has addresses outside of it. */
static void find_code(struct tl_image *image, struct tl_line_sections *sections)
{
	const struct tl_elf *elf = tl_image_elf(image);
	struct tl_elf_segment segment;

	for (tl_u32 i = 0; i < elf->segment_count; i++) {
		tl_u64 end;

		if (tl_elf_segment(elf, i, &segment, NULL) != TL_OK || segment.type != 1 || (segment.flags & 1) == 0)
			continue;
		end = segment.address + segment.memory_size;
		if (sections->code_end == 0 || segment.address < sections->code_start)
			sections->code_start = segment.address;
		if (end > sections->code_end)
			sections->code_end = end;
	}
}

static enum tl_status read_sections(struct tl_image *image, struct tl_line_sections *sections, struct tl_error *error)
{
	TL_TRY(tl_image_section(image, TL_SECTION_LINE, &sections->line, error));
	TL_TRY(tl_image_section(image, TL_SECTION_LINE_STR, &sections->line_str, error));
	TL_TRY(tl_image_section(image, TL_SECTION_STR, &sections->str, error));
	TL_TRY(tl_image_common_section(image, TL_SECTION_STR, &sections->common_str, error));
	find_code(image, sections);
	return TL_OK;
}

/* Finds the tables. The lock is held, or nobody else has them. */
static enum tl_status read_all(struct tl_lines *lines, struct tl_error *error)
{
	enum tl_status status = read_sections(tl_dwarf_image(lines->dwarf), &lines->sections, error);

	if (status == TL_OK && make_slots(lines, lines->dwarf) != TL_OK)
		status = TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for line tables");
	if (status != TL_OK)
		lines->count = 0;
	if (status != TL_ERROR_NO_MEMORY)
		atomic_store_explicit(&lines->read, true, memory_order_release);
	return status;
}

/* The same at the first call, if that was put off: what cannot be read is then as if it were not there. */
static enum tl_status ready(struct tl_lines *lines, struct tl_error *error)
{
	enum tl_status status = TL_OK;

	if (atomic_load_explicit(&lines->read, memory_order_acquire))
		return TL_OK;
	pthread_mutex_lock(&lines->lock);
	if (!atomic_load_explicit(&lines->read, memory_order_relaxed))
		status = read_all(lines, error);
	pthread_mutex_unlock(&lines->lock);
	return status == TL_ERROR_NO_MEMORY ? status : TL_OK;
}

enum tl_status tl_lines_open(struct tl_lines **lines_ret, struct tl_dwarf *dwarf, struct tl_error *error)
{
	struct tl_lines *lines = tl_allocate(tl_storage(), sizeof(*lines));
	enum tl_status status = TL_OK;

	if (lines == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for line tables");
	lines->dwarf = dwarf;
	pthread_mutex_init(&lines->lock, NULL);
	if (tl_dwarf_is_read(dwarf))
		status = read_all(lines, error);
	if (status != TL_OK) {
		tl_lines_close(lines);
		return status;
	}
	*lines_ret = lines;
	return TL_OK;
}

void tl_lines_close(struct tl_lines *lines)
{
	if (lines == NULL)
		return;
	for (tl_size i = 0; i < lines->count; i++)
		tl_line_table_close(lines->slots[i].table);
	tl_release(tl_storage(), lines->slots, lines->capacity * sizeof(*lines->slots));
	pthread_mutex_destroy(&lines->lock);
	tl_release(tl_storage(), lines, sizeof(*lines));
}

static struct tl_line_table *kept_table(struct tl_lines *lines, const struct slot *slot)
{
	struct tl_line_table *table;

	pthread_mutex_lock(&lines->lock);
	table = slot->table;
	pthread_mutex_unlock(&lines->lock);
	return table;
}

/* The table of a slot. Two threads may read it at once; the first one's is kept. */
static enum tl_status get_table(struct tl_lines *lines, struct slot *slot, const struct tl_line_table **table_ret,
				struct tl_error *error)
{
	struct tl_line_table *table = kept_table(lines, slot), *other;

	if (table == NULL) {
		TL_TRY(tl_line_table_read(&table, &lines->sections, slot->offset, slot->directory, true, error));
		table->unit_name = slot->name;
		pthread_mutex_lock(&lines->lock);
		other = slot->table;
		if (other == NULL)
			slot->table = table;
		pthread_mutex_unlock(&lines->lock);
		if (other != NULL) {
			tl_line_table_close(table);
			table = other;
		}
	}
	*table_ret = table;
	return TL_OK;
}

static enum tl_status find_slot(struct tl_lines *lines, const struct tl_unit *unit, struct slot **slot_ret,
				struct tl_error *error)
{
	struct slot wanted = {.offset = unit->lines}, *slot = NULL;

	TL_TRY(ready(lines, error));
	if (unit->has_lines && !unit->common && lines->count != 0)
		slot = bsearch(&wanted, lines->slots, lines->count, sizeof(*lines->slots), by_offset);
	if (slot == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the unit has no line table");
	*slot_ret = slot;
	return TL_OK;
}

enum tl_status tl_lines_of(struct tl_lines *lines, const struct tl_unit *unit, const struct tl_line_table **table_ret,
			   struct tl_error *error)
{
	struct slot *slot;

	TL_TRY(find_slot(lines, unit, &slot, error));
	return get_table(lines, slot, table_ret, error);
}

/* A table with its files at the least: the kept one, or one that the caller must close. */
static enum tl_status get_files(struct tl_lines *lines, const struct slot *slot, struct tl_line_table **read_ret,
				const struct tl_line_table **table_ret, struct tl_error *error)
{
	*read_ret = NULL;
	*table_ret = kept_table(lines, slot);
	if (*table_ret != NULL)
		return TL_OK;
	TL_TRY(tl_line_table_read(read_ret, &lines->sections, slot->offset, slot->directory, false, error));
	*table_ret = *read_ret;
	return TL_OK;
}

enum tl_status tl_lines_query(struct tl_lines *lines, struct tl_line_query *query, struct tl_error *error)
{
	TL_TRY(ready(lines, error));
	for (tl_size i = 0; i < lines->count; i++) {
		const struct tl_line_table *table;
		struct tl_line_table *read;
		enum tl_status status = get_files(lines, &lines->slots[i], &read, &table, error);
		bool concerns = status == TL_OK && tl_line_query_concerns(query, table);

		tl_line_table_close(read);
		if (concerns)
			status = get_table(lines, &lines->slots[i], &table, error);
		if (concerns && status == TL_OK)
			status = tl_line_query_add(query, table, error);
		if (status == TL_ERROR_NO_MEMORY)
			return status;
	}
	return TL_OK;
}

enum tl_status tl_lines_files(struct tl_lines *lines, bool (*call)(void *context, const struct tl_line_table *table),
			      void *context, struct tl_error *error)
{
	TL_TRY(ready(lines, error));
	for (tl_size i = 0; i < lines->count; i++) {
		const struct tl_line_table *table;
		struct tl_line_table *read;
		enum tl_status status = get_files(lines, &lines->slots[i], &read, &table, error);
		bool more = true;

		if (status == TL_OK)
			more = call(context, table);
		tl_line_table_close(read);
		if (status == TL_ERROR_NO_MEMORY)
			return status;
		if (!more)
			return TL_OK;
	}
	return TL_OK;
}

enum tl_status tl_lines_files_of(struct tl_lines *lines, const struct tl_unit *unit,
				 bool (*call)(void *context, const struct tl_line_table *table), void *context,
				 struct tl_error *error)
{
	const struct tl_line_table *table;
	struct tl_line_table *read;
	struct slot *slot;

	TL_TRY(find_slot(lines, unit, &slot, error));
	TL_TRY(get_files(lines, slot, &read, &table, error));
	(void)call(context, table);
	tl_line_table_close(read);
	return TL_OK;
}
