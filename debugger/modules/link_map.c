#include "debugger/modules/link_map.h"

#include "base/storage.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>

/* More than any process has: where a walk ends when the list is a ring. */
#define LINKS_MAX 16384
#define NAMESPACES_MAX 64
#define HEADERS_MAX 512
#define DYNAMIC_MAX 4096
/* What is read of a string at once; never over the end of such a piece of memory, behind which there may be none. */
#define PIECE 256

/* ============================================================ memory ============================================= */

static bool read_bytes(const struct tl_memory_access *memory, tl_u64 address, void *bytes, tl_size size)
{
	return address <= TL_U64_MAX - size && memory->read(memory->context, address, bytes, size) == TL_OK;
}

bool tl_read_word(const struct tl_memory_access *memory, tl_u8 word, tl_u64 address, tl_u64 *value_ret)
{
	tl_u8 bytes[8];

	if (!read_bytes(memory, address, bytes, word))
		return false;
	*value_ret = tl_load_little(bytes, word);
	return true;
}

bool tl_read_text(const struct tl_memory_access *memory, tl_u64 address, char *text_ret, tl_size size)
{
	tl_size done = 0;

	while (done < size) {
		tl_size piece = PIECE - (address + done) % PIECE;

		if (piece > size - done)
			piece = size - done;
		if (!read_bytes(memory, address + done, text_ret + done, piece))
			return false;
		if (memchr(text_ret + done, 0, piece) != NULL)
			return true;
		done += piece;
	}
	return false;
}

/* ============================================================ the auxiliary vector =============================== */

static struct tl_auxiliary read_vector(const tl_u8 *vector, tl_size size, tl_u8 word, tl_u64 *header_size_ret)
{
	struct tl_auxiliary auxiliary = {.word = 0};

	*header_size_ret = 0;
	for (tl_size at = 0; word != 0 && size - at >= 2 * (tl_size)word; at += 2 * (tl_size)word) {
		tl_u64 type = tl_load_little(vector + at, word), value = tl_load_little(vector + at + word, word);

		if (type == AT_NULL)
			break;
		if (type == AT_PHDR)
			auxiliary.headers = value;
		else if (type == AT_PHNUM)
			auxiliary.header_count = value;
		else if (type == AT_PHENT)
			*header_size_ret = value;
		else if (type == AT_BASE)
			auxiliary.base = value;
		else if (type == AT_ENTRY)
			auxiliary.entry = value;
		else if (type == AT_SYSINFO_EHDR)
			auxiliary.vdso = value;
	}
	return auxiliary;
}

struct tl_auxiliary tl_auxiliary_read(const void *vector, tl_size size, tl_u8 word)
{
	struct tl_auxiliary wide, narrow;
	tl_u64 wide_size, narrow_size;

	/* Read by the wrong width, the size of a program header is never the right one. */
	wide = read_vector(vector, size, 8, &wide_size);
	narrow = read_vector(vector, size, 4, &narrow_size);
	wide.word = wide_size == sizeof(Elf64_Phdr) ? 8 : 0;
	narrow.word = narrow_size == sizeof(Elf32_Phdr) ? 4 : 0;
	if (wide.word != 0 || (narrow.word == 0 && word == 8))
		return wide;
	if (narrow.word != 0 || word == 4)
		return narrow;
	return (struct tl_auxiliary){.word = 0};
}

/* ============================================================ the dynamic section ================================ */

bool tl_loaded_dynamic(const struct tl_memory_access *memory, tl_u8 word, tl_u64 headers, tl_u64 count,
		       tl_u64 *dynamic_ret)
{
	tl_size size = word == 8 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	tl_size place = word == 8 ? offsetof(Elf64_Phdr, p_vaddr) : offsetof(Elf32_Phdr, p_vaddr);
	tl_u64 moved = 0, dynamic = 0;
	bool found = false;

	for (tl_u64 i = 0; i < count && i < HEADERS_MAX; i++) {
		tl_u8 bytes[sizeof(Elf64_Phdr)];
		tl_u64 type, address;

		if (!read_bytes(memory, headers + i * size, bytes, size))
			return false;
		type = tl_load_little(bytes, 4);
		address = tl_load_little(bytes + place, word);
		/* How far the program was moved is how far its headers were. */
		if (type == PT_PHDR)
			moved = headers - address;
		if (type == PT_DYNAMIC) {
			dynamic = address;
			found = true;
		}
	}
	dynamic += moved;
	*dynamic_ret = word == 4 ? dynamic & TL_U32_MAX : dynamic;
	return found;
}

bool tl_link_list_head(const struct tl_memory_access *memory, tl_u8 word, tl_u64 dynamic, tl_u64 *head_ret)
{
	for (tl_u64 i = 0; i < DYNAMIC_MAX; i++) {
		tl_u64 at = dynamic + i * 2 * word, tag, value;

		if (!tl_read_word(memory, word, at, &tag) || tag == DT_NULL ||
		    !tl_read_word(memory, word, at + word, &value))
			return false;
		if (tag == DT_DEBUG) {
			*head_ret = value;
			return true;
		}
	}
	return false;
}

/* ============================================================ the list =========================================== */

static enum tl_status add(struct tl_link_list *list, const struct tl_link *link, const char *name,
			  struct tl_error *error)
{
	tl_size length = strlen(name);
	void *links = list->links;
	char *copy;

	if (!tl_grow(tl_storage(), &links, &list->capacity, list->count, sizeof(*list->links)))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the list of libraries");
	list->links = links;
	copy = tl_allocate(tl_storage(), length + 1);
	if (copy == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the list of libraries");
	memcpy(copy, name, length + 1);
	list->links[list->count] = *link;
	list->links[list->count++].name = copy;
	return TL_OK;
}

/* One namespace from its first link on. */
static enum tl_status read_links(struct tl_link_list *list, const struct tl_memory_access *memory, tl_u8 word,
				 tl_u64 map, struct tl_error *error)
{
	char name[TL_LINK_NAME_MAX];
	tl_u64 previous = 0;

	for (tl_size steps = 0; map != 0; steps++) {
		/* l_addr, l_name, l_ld, l_next, l_prev */
		tl_u8 bytes[5 * 8];
		tl_u64 fields[5];
		struct tl_link link;

		if (steps == LINKS_MAX || list->count >= LINKS_MAX ||
		    !read_bytes(memory, map, bytes, 5 * (tl_size)word)) {
			list->whole = false;
			return TL_OK;
		}
		for (unsigned i = 0; i < TL_COUNT(fields); i++)
			fields[i] = tl_load_little(bytes + i * word, word);
		/* A ring, or a list that is being changed: what was read up to here stands. */
		if (fields[4] != previous) {
			list->whole = false;
			return TL_OK;
		}
		link = (struct tl_link){.map = map, .bias = fields[0], .dynamic = fields[2]};
		if (tl_read_text(memory, fields[1], name, sizeof(name)))
			TL_TRY(add(list, &link, name, error));
		else
			list->whole = false;
		previous = map;
		map = fields[3];
	}
	return TL_OK;
}

enum tl_status tl_link_list_read(struct tl_link_list *list_ret, const struct tl_memory_access *memory, tl_u8 word,
				 tl_u64 head, struct tl_error *error)
{
	*list_ret = (struct tl_link_list){.whole = true};
	for (unsigned i = 0; head != 0 && i < NAMESPACES_MAX; i++) {
		/* r_version (an int), r_map, r_brk, r_state, r_ldbase, and from version 2 on r_next. */
		tl_u64 version, map, stop;

		if (!tl_read_word(memory, 4, head, &version) || !tl_read_word(memory, word, head + word, &map) ||
		    !tl_read_word(memory, word, head + 2 * (tl_u64)word, &stop)) {
			list_ret->whole = false;
			return i != 0 ? TL_OK
				      : TL_FAIL(error, TL_ERROR_MEMORY,
						"cannot read the dynamic linker's list at 0x%llx",
						(unsigned long long)head);
		}
		if (version == 0)
			return TL_OK;
		if (i == 0)
			list_ret->stop = stop;
		TL_TRY(read_links(list_ret, memory, word, map, error));
		if (version < 2)
			return TL_OK;
		if (!tl_read_word(memory, word, head + 5 * (tl_u64)word, &head)) {
			list_ret->whole = false;
			return TL_OK;
		}
	}
	return TL_OK;
}

void tl_link_list_release(struct tl_link_list *list)
{
	for (tl_size i = 0; i < list->count; i++)
		tl_release(tl_storage(), list->links[i].name, strlen(list->links[i].name) + 1);
	tl_release(tl_storage(), list->links, list->capacity * sizeof(*list->links));
	*list = (struct tl_link_list){.stop = 0};
}
