#include "symbols/separate.h"

#include "base/storage.h"
#include "symbols/bytes.h"

#include <elf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define DEBUG_DIRECTORIES "/usr/lib/debug"
/* Directories beyond these are not looked into; a bound for a string that somebody made by mistake. */
#define DIRECTORIES_MAX 32

/* What a search looks for, and what it has to say. */
struct search {
	const struct tl_image_file *file;
	const struct tl_image_options *options;
	struct tl_cursor id; /* the wanted file's build id; empty when it is not known */
	bool has_crc;
	tl_u32 crc; /* its checksum, where there is no build id */
	struct tl_image_file *found;
	char *remark;
	tl_size remark_size;
};

/* ============================================================ notes and links ==================================== */

static struct tl_cursor find_note(struct tl_cursor notes)
{
	while (!tl_cursor_done(&notes)) {
		tl_u32 name_size = tl_take_u32(&notes), size = tl_take_u32(&notes), type = tl_take_u32(&notes);
		struct tl_cursor name = tl_cursor_take(&notes, name_size), content;

		tl_take_skip(&notes, -name_size & 3);
		content = tl_cursor_take(&notes, size);
		if (content.failed)
			break;
		if (type == NT_GNU_BUILD_ID && tl_cursor_left(&name) == 4 && memcmp(name.at, "GNU", 4) == 0 &&
		    size != 0 && size <= TL_ELF_BUILD_ID_MAX)
			return content;
		if ((-size & 3) > tl_cursor_left(&notes))
			break;
		tl_take_skip(&notes, -size & 3);
	}
	return tl_cursor_make(NULL, 0);
}

struct tl_cursor tl_image_file_build_id(const struct tl_image_file *file)
{
	struct tl_cursor id = tl_cursor_make(NULL, 0);

	for (tl_u32 i = 0; i < file->elf.segment_count && tl_cursor_done(&id); i++) {
		struct tl_elf_segment segment;

		if (tl_elf_segment(&file->elf, i, &segment, NULL) != TL_OK)
			break;
		if (segment.type == PT_NOTE && segment.offset <= file->size &&
		    segment.file_size <= file->size - segment.offset)
			id = find_note(tl_cursor_make(file->bytes + segment.offset, segment.file_size));
	}
	/* Object files have no segments, and those of debug files may lead nowhere. */
	for (tl_u32 i = 1; i < file->elf.section_count && tl_cursor_done(&id); i++) {
		struct tl_elf_section header;

		if (tl_elf_section(&file->elf, i, &header, NULL) != TL_OK)
			break;
		if (header.type == SHT_NOTE)
			id = find_note(tl_image_file_content(file, &header));
	}
	return id;
}

static struct tl_cursor find_section(const struct tl_image_file *file, const char *wanted)
{
	for (tl_u32 i = 1; i < file->elf.section_count; i++) {
		struct tl_elf_section header;
		const char *name;

		if (tl_elf_section(&file->elf, i, &header, NULL) != TL_OK)
			break;
		name = tl_image_file_section(file, i, &header);
		if (name != NULL && strcmp(name, wanted) == 0)
			return tl_image_file_content(file, &header);
	}
	return tl_cursor_make(NULL, 0);
}

static bool has_debug_information(const struct tl_image_file *file)
{
	struct tl_cursor plain = find_section(file, ".debug_info"), packed = find_section(file, ".zdebug_info");

	return !tl_cursor_done(&plain) || !tl_cursor_done(&packed);
}

/* ============================================================ candidates ========================================= */

static void say(const struct search *search, const char *path, const char *why)
{
	(void)snprintf(search->remark, search->remark_size, "%s is not used: %s", path, why);
}

static tl_u32 checksum(const struct tl_image_file *file)
{
	uLong crc = crc32(0, NULL, 0);

	for (tl_size at = 0; at < file->size;) {
		uInt part = file->size - at < (1u << 30) ? (uInt)(file->size - at) : 1u << 30;

		crc = crc32(crc, file->bytes + at, part);
		at += part;
	}
	return (tl_u32)crc;
}

/* Takes the file at `path` if it is the one that is wanted. */
static bool try(const struct search *search, const char *path)
{
	struct tl_cursor id;
	struct tl_error error;

	if (tl_image_file_open(search->found, path, &error) != TL_OK) {
		if (error.system == 0)
			say(search, path, error.text);
		return false;
	}
	id = tl_image_file_build_id(search->found);
	if (search->found->mapping.device == search->file->mapping.device &&
	    search->found->mapping.inode == search->file->mapping.inode) {
		/* A link that leads back to the file itself is nothing to talk about. */
	} else if (!tl_cursor_done(&search->id) && !tl_cursor_done(&id)) {
		if (tl_cursor_left(&id) == tl_cursor_left(&search->id) &&
		    memcmp(id.at, search->id.at, tl_cursor_left(&id)) == 0)
			return true;
		say(search, path, "it belongs to another build (the build ids differ)");
	} else if (!search->has_crc) {
		say(search, path, "it has no build id that would show that it belongs to this build");
	} else if (checksum(search->found) == search->crc) {
		return true;
	} else {
		say(search, path, "it belongs to another build (the checksums differ)");
	}
	tl_image_file_close(search->found);
	return false;
}

/* Tries ROOT DIRECTORY MIDDLE NAME for each of the directories. */
static bool try_directories(const struct search *search, const char *middle, const char *name)
{
	const char *directories =
		search->options->debug_directories != NULL ? search->options->debug_directories : DEBUG_DIRECTORIES;
	struct tl_cursor rest = tl_cursor_text(directories);
	char path[PATH_MAX];

	for (unsigned i = 0; i < DIRECTORIES_MAX && !tl_cursor_done(&rest); i++) {
		struct tl_cursor directory = tl_cursor_until(&rest, ':');
		int length;

		if (tl_cursor_done(&directory))
			continue;
		length = snprintf(path, sizeof(path), "%s%.*s%s%s",
				  search->options->root != NULL ? search->options->root : "",
				  (int)tl_cursor_left(&directory), (const char *)directory.at, middle, name);
		if (length > 0 && length < (int)sizeof(path) && try(search, path))
			return true;
	}
	return false;
}

static bool try_build_id(const struct search *search)
{
	char name[TL_ELF_BUILD_ID_MAX * 2 + sizeof("xx/.debug")];
	struct tl_writer writer = tl_writer_make(name, sizeof(name) - 1);

	if (tl_cursor_left(&search->id) < 2)
		return false;
	tl_write_hex_bytes(&writer, search->id.at, 1);
	tl_write_byte(&writer, '/');
	tl_write_hex_bytes(&writer, search->id.at + 1, tl_cursor_left(&search->id) - 1);
	tl_write_text(&writer, ".debug");
	*writer.at = 0;
	return try_directories(search, "/.build-id/", name);
}

/* The directory of a path with all links resolved, and a slash at its end. */
static bool directory_of(const char *path, char *directory, tl_size size)
{
	char *real = realpath(path, NULL), *slash;
	bool fits = false;

	slash = real != NULL ? strrchr(real, '/') : NULL;
	if (slash != NULL) {
		slash[1] = 0;
		fits = strlen(real) < size;
		if (fits)
			memcpy(directory, real, strlen(real) + 1);
	}
	free(real);
	return fits;
}

static bool try_beside(const struct search *search, const char *directory, const char *middle, const char *name)
{
	char path[PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s%s%s", directory, middle, name);

	return length > 0 && length < (int)sizeof(path) && try(search, path);
}

static void try_link(struct search *search)
{
	struct tl_cursor link = find_section(search->file, ".gnu_debuglink");
	const tl_u8 *start = link.at;
	const char *name = tl_take_text(&link), *inside;
	char directory[PATH_MAX];
	tl_size root;

	if (name == NULL || name[0] == 0 || strchr(name, '/') != NULL)
		return;
	tl_take_skip(&link, -(tl_size)(link.at - start) & 3);
	search->crc = tl_take_u32(&link);
	search->has_crc = !link.failed;
	if (link.failed || !directory_of(search->file->path, directory, sizeof(directory)))
		return;
	if (try_beside(search, directory, "", name) || try_beside(search, directory, ".debug/", name))
		return;
	/* Below the root, the directory is the one that the other system knows. */
	root = search->options->root != NULL ? strlen(search->options->root) : 0;
	inside = directory;
	if (root != 0 && strncmp(directory, search->options->root, root) == 0 && directory[root] == '/')
		inside += root;
	(void)try_directories(search, inside, name);
}

void tl_separate_debug(const struct tl_image_file *file, const struct tl_image_options *options,
		       struct tl_image_file *debug_ret, char *remark, tl_size remark_size)
{
	struct search search = {.file = file,
				.options = options,
				.id = tl_image_file_build_id(file),
				.found = debug_ret,
				.remark = remark,
				.remark_size = remark_size};

	if (has_debug_information(file) || try_build_id(&search))
		return;
	try_link(&search);
}

void tl_separate_common(const struct tl_image_file *file, const struct tl_image_options *options,
			struct tl_image_file *common_ret, char *remark, tl_size remark_size)
{
	struct search search = {
		.file = file, .options = options, .found = common_ret, .remark = remark, .remark_size = remark_size};
	struct tl_cursor link = find_section(file, ".gnu_debugaltlink");
	const char *name = tl_take_text(&link);
	char directory[PATH_MAX];

	if (name == NULL)
		return;
	search.id = link;
	if (name[0] != '/' && !directory_of(file->path, directory, sizeof(directory)))
		return;
	if (try_beside(&search,
		       name[0] == '/' && options->root != NULL ? options->root
		       : name[0] == '/'                        ? ""
							       : directory,
		       "", name) ||
	    try_build_id(&search))
		return;
	if (remark[0] == 0)
		(void)snprintf(remark, remark_size,
			       "%s needs %s, which is not there: entries that stand in it are not known", file->path,
			       name);
}
