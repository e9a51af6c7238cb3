#include "frontends/serve/libraries.h"

#include <elf.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

/* More libraries, or namespaces, than any process has: where the walk ends when the list is a ring. */
#define LIBRARIES_MAX 65536
#define NAMESPACES_MAX 64

#define AUXV_MAX 4096
#define PROGRAM_HEADERS_MAX 256
#define DYNAMIC_MAX 1024

/* The process whose memory is read, and how wide its words are. */
struct space {
	struct tl_engine *engine;
	struct tl_thread_id thread;
	tl_size word;
};

static bool read_bytes(const struct space *space, tl_u64 address, void *bytes, tl_size size)
{
	tl_size done = 0;

	return tl_engine_read_memory(space->engine, space->thread.process, address, bytes, size, &done) == TL_OK &&
	       done == size;
}

static bool read_word(const struct space *space, tl_u64 address, tl_u64 *value_ret)
{
	tl_u8 bytes[8];

	if (!read_bytes(space, address, bytes, space->word))
		return false;
	*value_ret = tl_load_little(bytes, space->word);
	return true;
}

/* One entry of the auxiliary vector; 0 when it has none of that type. */
static enum tl_status read_auxv(const struct space *space, tl_u64 type, tl_u64 *value_ret)
{
	struct tl_target *target = tl_engine_target(space->engine);
	tl_u8 vector[AUXV_MAX];
	tl_size size = 0;

	*value_ret = 0;
	if (target->ops->read_object == NULL)
		return TL_ERROR_UNSUPPORTED;
	TL_TRY(target->ops->read_object(target, space->thread, TL_OBJECT_AUXV, 0, vector, sizeof(vector), &size));
	for (tl_size at = 0; at + 2 * space->word <= size; at += 2 * space->word) {
		tl_u64 found = tl_load_little(vector + at, space->word);

		if (found == AT_NULL)
			break;
		if (found == type)
			*value_ret = tl_load_little(vector + at + space->word, space->word);
	}
	return TL_OK;
}

/* Where the program's headers say its dynamic section is, moved by as much as the headers themselves were. */
static bool find_dynamic(const struct space *space, tl_u64 headers, tl_u64 count, tl_u64 *dynamic_ret)
{
	tl_size size = space->word == 8 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	tl_u64 moved = 0, dynamic = 0;
	bool found = false;

	if (count > PROGRAM_HEADERS_MAX)
		return false;
	for (tl_u64 i = 0; i < count; i++) {
		tl_u8 bytes[sizeof(Elf64_Phdr)];
		tl_u64 type, address;

		if (!read_bytes(space, headers + i * size, bytes, size))
			return false;
		type = tl_load_little(bytes, 4);
		address = space->word == 8 ? tl_load_little(bytes + offsetof(Elf64_Phdr, p_vaddr), 8)
					   : tl_load_little(bytes + offsetof(Elf32_Phdr, p_vaddr), 4);
		if (type == PT_PHDR)
			moved = headers - address;
		if (type == PT_DYNAMIC) {
			dynamic = address;
			found = true;
		}
	}
	*dynamic_ret = dynamic + moved;
	if (space->word == 4)
		*dynamic_ret &= 0xffffffffu;
	return found;
}

static struct space make_space(struct tl_engine *engine, struct tl_thread_id thread)
{
	struct space space = {engine, thread, 8};
	struct tl_process_facts facts;

	if (tl_engine_facts(engine, thread.process, &facts) == TL_OK)
		space.word = facts.cpu->address_size;
	return space;
}

enum tl_status tl_libraries_find(struct tl_engine *engine, struct tl_thread_id thread, tl_u64 *debug_ret)
{
	struct space space = make_space(engine, thread);
	tl_u64 headers, count, dynamic;

	TL_TRY(read_auxv(&space, AT_PHDR, &headers));
	TL_TRY(read_auxv(&space, AT_PHNUM, &count));
	if (headers == 0 || !find_dynamic(&space, headers, count, &dynamic))
		return TL_ERROR_UNSUPPORTED;
	for (tl_size i = 0; i < DYNAMIC_MAX; i++) {
		tl_u64 tag, value, at = dynamic + i * 2 * space.word;

		if (!read_word(&space, at, &tag) || !read_word(&space, at + space.word, &value))
			return TL_ERROR_MEMORY;
		if (tag == DT_NULL)
			break;
		if (tag == DT_DEBUG) {
			*debug_ret = value;
			return TL_OK;
		}
	}
	return TL_ERROR_UNSUPPORTED;
}

static void read_text(const struct space *space, tl_u64 address, char *text, tl_size size)
{
	tl_size done = 0;

	if (tl_engine_read_memory(space->engine, space->thread.process, address, text, size - 1, &done) != TL_OK)
		done = 0;
	text[done] = '\0';
}

/* Adds one namespace's libraries from the link map at `map` on. */
static void write_list(const struct space *space, tl_u64 name_space, tl_u64 map, tl_u64 previous,
		       struct tl_buffer *document)
{
	for (tl_size i = 0; map != 0 && i < LIBRARIES_MAX; i++) {
		/* l_addr, l_name, l_ld, l_next, l_prev */
		tl_u8 bytes[5 * 8];
		tl_u64 fields[5];
		char name[PATH_MAX];

		if (!read_bytes(space, map, bytes, 5 * space->word))
			return;
		for (tl_size n = 0; n < TL_COUNT(fields); n++)
			fields[n] = tl_load_little(bytes + n * space->word, space->word);
		/* A list that is being changed under us: what is certain so far stands. */
		if (fields[4] != previous)
			return;
		read_text(space, fields[1], name, sizeof(name));
		/* The program itself and the vDSO have no name. */
		if (name[0] != '\0') {
			tl_buffer_add(document, "<library name=\"");
			tl_buffer_add_xml(document, name);
			tl_buffer_format(document,
					 "\" lm=\"0x%llx\" l_addr=\"0x%llx\" l_ld=\"0x%llx\" lmid=\"0x%llx\"/>",
					 (unsigned long long)map, (unsigned long long)fields[0],
					 (unsigned long long)fields[2], (unsigned long long)name_space);
		}
		previous = map;
		map = fields[3];
	}
}

/* Adds every namespace: r_debug of the program, and those that r_next of version 2 leads to. */
static void write_all(const struct space *space, tl_u64 debug, struct tl_buffer *document)
{
	tl_u64 main_map = 0, map, previous, version;
	tl_u64 first = debug;

	for (tl_size i = 0; debug != 0 && i < NAMESPACES_MAX; i++) {
		tl_u8 bytes[4];

		if (!read_bytes(space, debug, bytes, sizeof(bytes)))
			break;
		version = tl_load_little(bytes, 4);
		if (version < 1 || !read_word(space, debug + space->word, &map))
			break;
		previous = 0;
		if (debug == first) {
			main_map = map;
			if (main_map != 0)
				tl_buffer_format(document, " main-lm=\"0x%llx\">", (unsigned long long)main_map);
			else
				tl_buffer_add(document, ">");
			previous = main_map;
			if (main_map != 0 && !read_word(space, main_map + 3 * space->word, &map))
				return;
		}
		write_list(space, debug, map, previous, document);
		if (version < 2 || !read_word(space, debug + 5 * space->word, &debug))
			return;
	}
	if (document->size != 0 && document->bytes[document->size - 1] != '>')
		tl_buffer_add(document, ">");
}

enum tl_status tl_libraries_write(struct tl_engine *engine, struct tl_thread_id thread,
				  const struct tl_libraries_part *part, struct tl_buffer *document)
{
	struct space space = make_space(engine, thread);
	tl_u64 debug = 0;

	if (part->start == 0)
		TL_TRY(tl_libraries_find(engine, thread, &debug));
	tl_buffer_add(document, "<library-list-svr4 version=\"1.0\"");
	if (part->start != 0) {
		tl_buffer_add(document, ">");
		write_list(&space, part->name_space, part->start, part->previous, document);
	} else {
		write_all(&space, debug, document);
	}
	tl_buffer_add(document, "</library-list-svr4>");
	return document->failed ? TL_ERROR_NO_MEMORY : TL_OK;
}

bool tl_libraries_read_annex(struct tl_cursor annex, struct tl_libraries_part *part_ret)
{
	*part_ret = (struct tl_libraries_part){0};
	while (!tl_cursor_done(&annex)) {
		struct tl_cursor item = tl_cursor_until(&annex, ';');
		struct tl_cursor name = tl_cursor_until(&item, '=');
		tl_u64 *value = NULL;

		if (tl_cursor_equals(&name, "start"))
			value = &part_ret->start;
		else if (tl_cursor_equals(&name, "prev"))
			value = &part_ret->previous;
		else if (tl_cursor_equals(&name, "lmid"))
			value = &part_ret->name_space;
		if (value == NULL)
			continue;
		*value = tl_cursor_hex(&item);
		if (item.failed || !tl_cursor_done(&item))
			return false;
	}
	return true;
}
