#include "symbols/cache.h"

#include "base/storage.h"
#include "symbols/index_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ENDING ".index"
#define TEMPORARY ".new"
/* A writer that takes longer than this is dead. */
#define TEMPORARY_SECONDS 3600
/* Files in the folder beyond these are not looked at. */
#define FILES_MAX 65536

/* A name of a file in the folder: the build id in hexadecimal and the ending. */
struct file_name {
	char text[TL_ELF_BUILD_ID_MAX * 2 + sizeof(ENDING)];
};

bool tl_cache_directory(char *path_ret, tl_size size)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int length;

	/* The specification of base directories: a path that is not absolute counts for nothing. */
	if (cache != NULL && cache[0] == '/')
		length = snprintf(path_ret, size, "%s/trapline", cache);
	else if (home != NULL && home[0] == '/')
		length = snprintf(path_ret, size, "%s/.cache/trapline", home);
	else
		return false;
	return length > 0 && (tl_size)length < size;
}

static bool name_file(const struct tl_dwarf *dwarf, struct file_name *name)
{
	tl_size size = 0;
	const tl_u8 *id = tl_image_build_id(tl_dwarf_image(dwarf), &size);
	struct tl_writer writer = tl_writer_make(name->text, sizeof(name->text) - 1);

	tl_write_hex_bytes(&writer, id, size);
	tl_write_text(&writer, ENDING);
	*writer.at = 0;
	return size != 0 && !writer.failed;
}

/* ============================================================ checksums ========================================== */

/* Four sums side by side, as each multiplication waits for the one before; eight bytes at a time. */
struct sums {
	tl_u64 lanes[4];
	unsigned lane;
};

static struct sums begin_sums(tl_u64 start)
{
	return (struct sums){.lanes = {start, 1, 2, 3}};
}

static inline void add_word(struct sums *sums, tl_u64 word)
{
	tl_u64 *lane = &sums->lanes[sums->lane++ & 3];

	*lane = (*lane ^ word) * 0x9e3779b97f4a7c15;
	*lane ^= *lane >> 32;
}

static void add_bytes(struct sums *sums, const tl_u8 *bytes, tl_size size)
{
	for (tl_size at = 0; at < size; at += sizeof(tl_u64)) {
		tl_size left = size - at;
		tl_u64 word = 0;

		memcpy(&word, bytes + at, left < sizeof(word) ? left : sizeof(word));
		add_word(sums, word);
	}
}

static tl_u64 end_sums(const struct sums *sums)
{
	return sums->lanes[0] ^ sums->lanes[1] * 3 ^ sums->lanes[2] * 5 ^ sums->lanes[3] * 7;
}

/* Of a block whose header is this one, but for the checksum itself; the block's size is a part of it. */
static tl_u64 checksum(const struct tl_index_header *header, const tl_u8 *block, tl_size size)
{
	struct tl_index_header summed = *header;
	struct sums sums = begin_sums(size);

	summed.checksum = 0;
	add_bytes(&sums, (const tl_u8 *)&summed, sizeof(summed));
	add_bytes(&sums, block + sizeof(summed), size - sizeof(summed));
	return end_sums(&sums);
}

/* Pages that were summed up are forgotten, this many bytes at a time: a program's debug information may be large. */
#define FORGET_EACH ((tl_size)16 << 20)

static void add_section(struct sums *sums, struct tl_image *image, const struct tl_section_bytes *section)
{
	add_word(sums, section->size);
	for (tl_size at = 0; at < section->size; at += FORGET_EACH) {
		tl_size size = section->size - at < FORGET_EACH ? section->size - at : FORGET_EACH;

		add_bytes(sums, section->bytes + at, size);
		tl_image_forget_pages(image, section->bytes + at, size);
	}
}

/*
 * Of everything that an index is made from: two files of one build id need not have the same in them, as one of them
 * may be damaged. 0: it cannot be read.
 */
static tl_u64 content_of(const struct tl_dwarf *dwarf)
{
	static const enum tl_section made_from[] = {
		TL_SECTION_INFO,     TL_SECTION_TYPES, TL_SECTION_ABBREV,  TL_SECTION_STR,    TL_SECTION_STR_OFFSETS,
		TL_SECTION_LINE_STR, TL_SECTION_ADDR,  TL_SECTION_ARANGES, TL_SECTION_RANGES, TL_SECTION_RNGLISTS};
	struct tl_image *image = tl_dwarf_image(dwarf);
	struct sums sums = begin_sums(0);
	tl_u64 sum;

	for (tl_size i = 0; i < TL_COUNT(made_from); i++) {
		struct tl_section_bytes own, common;

		if (tl_image_section(image, made_from[i], &own, NULL) != TL_OK ||
		    tl_image_common_section(image, made_from[i], &common, NULL) != TL_OK)
			return 0;
		add_section(&sums, image, &own);
		add_section(&sums, image, &common);
	}
	sum = end_sums(&sums);
	return sum != 0 ? sum : 1;
}

/* ============================================================ loading ============================================ */

/* Maps the file if it is a plain one of this user. */
static bool map(struct tl_index *index, int folder, const char *name)
{
	int descriptor = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool good = descriptor >= 0 && tl_mapping_make(&index->mapping, descriptor, name, NULL) == TL_OK &&
		    index->mapping.owner == geteuid();

	index->block = good ? index->mapping.bytes : NULL;
	index->size = good ? index->mapping.size : 0;
	/* When it was used last is what decides which ones go. */
	if (good)
		(void)futimens(descriptor, NULL);
	if (descriptor >= 0)
		(void)close(descriptor);
	return good;
}

/*
 * Whether it was made from what the debug information has in it: surely so in the very files that it was made from, if
 * nobody changed them, and then nothing of them is read; of a copy all has to be.
 */
static bool is_of(const struct tl_index_header *header, const struct tl_dwarf *dwarf)
{
	const tl_u64 identity = tl_image_identity(tl_dwarf_image(dwarf));

	if (identity != 0 && header->identity == identity)
		return true;
	return header->unit_count == tl_dwarf_unit_count(dwarf) && header->unit_bytes == tl_index_unit_bytes(dwarf) &&
	       header->content != 0 && header->content == content_of(dwarf);
}

static bool fits(struct tl_index *index)
{
	return tl_index_lay_out(index) &&
	       index->header->checksum == checksum(index->header, index->block, index->size) &&
	       is_of(index->header, index->dwarf);
}

static enum tl_status load(struct tl_index *index, int folder, const char *name, struct tl_error *error)
{
	if (!map(index, folder, name))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "no index %s is kept", name);
	if (!fits(index)) {
		(void)unlinkat(folder, name, 0);
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "the index %s was damaged, of another version or of another file; it is removed", name);
	}
	return TL_OK;
}

enum tl_status tl_cache_load(struct tl_index **index_ret, struct tl_dwarf *dwarf, const char *directory,
			     struct tl_error *error)
{
	struct tl_index *index;
	struct file_name name;
	enum tl_status status;
	int folder;

	if (!name_file(dwarf, &name))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "a program without build id has no index that is kept");
	folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "there is no folder %s with kept indexes", directory);
	index = tl_allocate(tl_storage(), sizeof(*index));
	if (index == NULL) {
		(void)close(folder);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the index");
	}
	index->dwarf = dwarf;
	status = load(index, folder, name.text, error);
	(void)close(folder);
	if (status != TL_OK) {
		tl_index_close(index);
		return status;
	}
	*index_ret = index;
	return TL_OK;
}

/* ============================================================ the limit ========================================== */

struct kept {
	struct timespec used;
	tl_u64 size;
	char name[sizeof(struct file_name)];
};

static int by_use(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	return x->used.tv_nsec < y->used.tv_nsec ? -1 : x->used.tv_nsec > y->used.tv_nsec;
}

static bool ends_with(const char *text, const char *ending)
{
	tl_size length = strlen(text), size = strlen(ending);

	return length >= size && strcmp(text + length - size, ending) == 0;
}

/* Notes one file of ours; removes what a dead writer left. */
static void note_file(int folder, const char *name, struct tl_list *list, tl_u64 *total)
{
	struct kept *kept;
	struct stat facts;

	if (fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(facts.st_mode))
		return;
	if (ends_with(name, TEMPORARY) && facts.st_mtim.tv_sec + TEMPORARY_SECONDS < time(NULL))
		(void)unlinkat(folder, name, 0);
	if (!ends_with(name, ENDING) || strlen(name) >= sizeof(kept->name))
		return;
	kept = tl_list_add(list, sizeof(*kept));
	if (kept == NULL)
		return;
	kept->used = facts.st_mtim;
	kept->size = (tl_u64)facts.st_size;
	memcpy(kept->name, name, strlen(name) + 1);
	*total += kept->size;
}

/* Removes the files that were not used for longest until the others fit. Other processes may do so at the same time. */
static void keep_limit(const char *directory, int folder, tl_u64 limit)
{
	DIR *stream = opendir(directory);
	struct tl_list list = {0};
	const struct kept *files;
	const struct dirent *entry;
	tl_u64 total = 0;

	for (unsigned i = 0; stream != NULL && i < FILES_MAX && (entry = readdir(stream)) != NULL; i++)
		note_file(folder, entry->d_name, &list, &total);
	if (stream != NULL)
		(void)closedir(stream);
	if (list.count != 0)
		qsort(list.items, list.count, sizeof(struct kept), by_use);
	files = list.items;
	for (tl_size i = 0; i < list.count && total > limit; i++) {
		(void)unlinkat(folder, files[i].name, 0);
		total -= files[i].size;
	}
	tl_list_free(&list, sizeof(struct kept));
}

/* ============================================================ saving ============================================= */

/* Makes a folder and those that it stands in, for this user alone. */
static bool make_folders(const char *directory)
{
	char path[PATH_MAX];
	tl_size length = strlen(directory);

	if (length == 0 || length >= sizeof(path))
		return false;
	memcpy(path, directory, length + 1);
	for (char *at = path + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = 0;
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return false;
		*at = '/';
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static bool write_all(int descriptor, const void *bytes, tl_size size)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t count = write(descriptor, at, size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		at += count;
		size -= (tl_size)count;
	}
	return true;
}

/* Writes beside the file's place and renames. The checksum makes up for what a crash of the machine may lose. */
static enum tl_status write_file(const struct tl_index *index, int folder, const char *name, struct tl_error *error)
{
	static _Atomic unsigned serial;
	struct tl_index_header header = *index->header;
	char temporary[sizeof(struct file_name) + 40];
	int descriptor;
	bool good;

	header.identity = tl_image_identity(tl_dwarf_image(index->dwarf));
	header.content = content_of(index->dwarf);
	header.checksum = checksum(&header, index->block, index->size);
	(void)snprintf(temporary, sizeof(temporary), "%s.%ld.%u" TEMPORARY, name, (long)getpid(),
		       atomic_fetch_add(&serial, 1));
	descriptor = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (descriptor < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot keep the index %s", name);
	good = write_all(descriptor, &header, sizeof(header)) &&
	       write_all(descriptor, index->block + sizeof(header), index->size - sizeof(header));
	good = close(descriptor) == 0 && good;
	if (good && renameat(folder, temporary, folder, name) == 0)
		return TL_OK;
	(void)TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot keep the index %s", name);
	(void)unlinkat(folder, temporary, 0);
	return TL_ERROR_SYSTEM;
}

enum tl_status tl_cache_save(const struct tl_index *index, const char *directory, tl_u64 limit, struct tl_error *error)
{
	struct file_name name;
	enum tl_status status;
	int folder;

	/* What was changed since it was opened may be half of one and half of the other. */
	if (index->size > limit || !name_file(index->dwarf, &name) ||
	    !tl_image_is_current(tl_dwarf_image(index->dwarf)))
		return TL_OK;
	if (!make_folders(directory))
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot make the folder %s for kept indexes", directory);
	folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot open the folder %s for kept indexes", directory);
	status = write_file(index, folder, name.text, error);
	keep_limit(directory, folder, limit);
	(void)close(folder);
	return status;
}
