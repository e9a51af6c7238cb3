#include "symbols/image.h"

#include "base/storage.h"
#include "symbols/bytes.h"
#include "symbols/separate.h"
#include "symbols/unpack.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where a section stands; `ready` says that `bytes` are those to hand out. */
struct slot {
	const struct tl_image_file *file; /* NULL: there is no such section */
	struct tl_elf_section header;
	bool old_compression; /* .zdebug_* */
	atomic_bool ready;
	struct tl_section_bytes bytes;
	bool unpacked; /* `bytes` are storage of ours */
};

enum { SET_OWN, SET_COMMON, SET_MAX };

struct tl_image {
	struct tl_image_file file, debug, common;
	struct slot sections[SET_MAX][TL_SECTION_MAX];
	pthread_mutex_t lock; /* held while a section is unpacked */
	tl_u64 lowest, size;
	tl_u64 code_start, code_end;
	char remark[512];
};

/* ============================================================ files ============================================== */

static enum tl_status read_bytes(void *context, tl_u64 offset, void *buffer, tl_size size)
{
	const struct tl_image_file *file = context;

	if (offset > file->size || size > file->size - offset)
		return TL_ERROR_TRUNCATED;
	memcpy(buffer, file->bytes + offset, size);
	return TL_OK;
}

/* Where the names of sections are (gABI, "ELF Header", e_shstrndx), which base/elf.h has no use for. */
static enum tl_status find_names(struct tl_image_file *file, struct tl_error *error)
{
	tl_size place = file->elf.wide ? __builtin_offsetof(Elf64_Ehdr, e_shstrndx)
				       : __builtin_offsetof(Elf32_Ehdr, e_shstrndx);
	struct tl_elf_section section;
	tl_u32 index = (tl_u32)tl_load_little(file->bytes + place, 2);

	if (file->elf.section_count == 0 || index == SHN_UNDEF)
		return TL_OK;
	if (index == SHN_XINDEX) {
		TL_TRY(tl_elf_section(&file->elf, 0, &section, error));
		index = section.link;
	}
	TL_TRY(tl_elf_section(&file->elf, index, &section, error));
	if (section.offset > file->size || section.size > file->size - section.offset)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged ELF file: names of sections beyond its end");
	file->names = (const char *)file->bytes + section.offset;
	file->names_size = section.size;
	return TL_OK;
}

static enum tl_status open_elf(struct tl_image_file *file, struct tl_error *error)
{
	enum tl_status status = tl_elf_open(&file->elf, read_bytes, file, false, error);

	if (status == TL_OK && file->elf.big_endian)
		status = TL_FAIL(error, TL_ERROR_UNSUPPORTED, "a big-endian ELF file, which is not understood");
	if (status == TL_OK)
		status = find_names(file, error);
	/* What the reader calls truncated is a damaged file to those who open one. */
	if (status == TL_ERROR_TRUNCATED || status == TL_ERROR_ARGUMENT) {
		status = TL_ERROR_MALFORMED;
		if (error != NULL)
			error->status = status;
	}
	return status;
}

static enum tl_status map(struct tl_image_file *file, const char *path, struct tl_error *error)
{
	/* Opening a pipe would wait for its other end. */
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	enum tl_status status;

	if (descriptor < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot open %s", path);
	status = tl_mapping_make(&file->mapping, descriptor, path, error);
	(void)close(descriptor);
	file->bytes = file->mapping.bytes;
	file->size = file->mapping.size;
	return status;
}

void tl_image_file_close(struct tl_image_file *file)
{
	tl_mapping_close(&file->mapping);
	tl_release(tl_storage(), file->path, file->path != NULL ? strlen(file->path) + 1 : 0);
	*file = (struct tl_image_file){0};
}

static enum tl_status name_file(struct tl_image_file *file, const char *path, struct tl_error *error)
{
	file->path = tl_allocate(tl_storage(), strlen(path) + 1);
	if (file->path == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a path");
	memcpy(file->path, path, strlen(path) + 1);
	return TL_OK;
}

enum tl_status tl_image_file_open(struct tl_image_file *file, const char *path, struct tl_error *error)
{
	enum tl_status status;

	*file = (struct tl_image_file){0};
	status = name_file(file, path, error);
	if (status == TL_OK)
		status = map(file, path, error);
	if (status == TL_OK)
		status = open_elf(file, error);
	if (status != TL_OK)
		tl_image_file_close(file);
	return status;
}

const char *tl_image_file_section(const struct tl_image_file *file, tl_u32 index, struct tl_elf_section *header_ret)
{
	const char *name;

	if (tl_elf_section(&file->elf, index, header_ret, NULL) != TL_OK || header_ret->name >= file->names_size)
		return NULL;
	name = file->names + header_ret->name;
	return memchr(name, 0, file->names_size - header_ret->name) != NULL ? name : NULL;
}

struct tl_cursor tl_image_file_content(const struct tl_image_file *file, const struct tl_elf_section *header)
{
	if (header->type == SHT_NOBITS || header->offset > file->size || header->size > file->size - header->offset)
		return tl_cursor_make(NULL, 0);
	return tl_cursor_make(file->bytes + header->offset, header->size);
}

/* ============================================================ sections =========================================== */

static const char *const section_names[TL_SECTION_MAX] = {
#define X(name, elf) [name] = elf,
	TL_SECTION_TABLE(X)
#undef X
};

/* Which section a name means; TL_SECTION_MAX for none. */
static enum tl_section which(const char *name, bool *old_compression_ret)
{
	*old_compression_ret = strncmp(name, ".zdebug_", 8) == 0;
	for (unsigned i = 0; i < TL_SECTION_MAX; i++)
		if (strcmp(section_names[i], name) == 0 ||
		    (*old_compression_ret && strncmp(section_names[i], ".debug_", 7) == 0 &&
		     strcmp(section_names[i] + 7, name + 8) == 0))
			return (enum tl_section)i;
	return TL_SECTION_MAX;
}

/* Notes where the sections of a file are, except those that are known already. */
static void find_sections(struct slot *slots, const struct tl_image_file *file)
{
	for (tl_u32 i = 1; i < file->elf.section_count; i++) {
		struct tl_elf_section header;
		const char *name = tl_image_file_section(file, i, &header);
		bool old_compression;
		enum tl_section section;

		/* Past the end of the file there are no more headers, whatever their number is said to be. */
		if (name == NULL && (tl_u64)i * 40 > file->size)
			return;
		if (name == NULL || name[0] != '.' || header.type == SHT_NOBITS || header.size == 0)
			continue;
		section = which(name, &old_compression);
		if (section == TL_SECTION_MAX || slots[section].file != NULL)
			continue;
		slots[section].file = file;
		slots[section].header = header;
		slots[section].old_compression = old_compression;
	}
}

static enum tl_status fill_slot(struct slot *slot, enum tl_section section, struct tl_error *error)
{
	const struct tl_elf_section *header = &slot->header;
	struct tl_unpacked unpacked = {0};
	enum tl_status status;

	if (header->offset > slot->file->size || header->size > slot->file->size - header->offset)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s: %s lies beyond the end of the file", slot->file->path,
			       section_names[section]);
	slot->bytes = (struct tl_section_bytes){slot->file->bytes + header->offset, header->size, header->address};
	if ((header->flags & SHF_COMPRESSED) == 0 && !slot->old_compression)
		return TL_OK;
	status = tl_unpack(tl_cursor_make(slot->bytes.bytes, slot->bytes.size),
			   slot->old_compression  ? TL_UNPACK_OLD
			   : slot->file->elf.wide ? TL_UNPACK_64
						  : TL_UNPACK_32,
			   &unpacked, error);
	if (status != TL_OK) {
		if (error != NULL) {
			char reason[sizeof(error->text)];

			(void)snprintf(reason, sizeof(reason), "%s", error->text);
			return TL_FAIL(error, status, "%s: %s: %s", slot->file->path, section_names[section], reason);
		}
		return status;
	}
	slot->bytes.bytes = unpacked.bytes;
	slot->bytes.size = unpacked.size;
	slot->unpacked = true;
	return TL_OK;
}

static enum tl_status get_section(struct tl_image *image, unsigned set, enum tl_section section,
				  struct tl_section_bytes *bytes_ret, struct tl_error *error)
{
	struct slot *slot = &image->sections[set][section];
	enum tl_status status = TL_OK;

	if (slot->file == NULL) {
		*bytes_ret = (struct tl_section_bytes){0};
		return TL_OK;
	}
	if (!atomic_load_explicit(&slot->ready, memory_order_acquire)) {
		(void)pthread_mutex_lock(&image->lock);
		if (!atomic_load_explicit(&slot->ready, memory_order_relaxed)) {
			status = fill_slot(slot, section, error);
			if (status == TL_OK)
				atomic_store_explicit(&slot->ready, true, memory_order_release);
		}
		(void)pthread_mutex_unlock(&image->lock);
	}
	if (status == TL_OK)
		*bytes_ret = slot->bytes;
	return status;
}

enum tl_status tl_image_section(struct tl_image *image, enum tl_section section, struct tl_section_bytes *bytes_ret,
				struct tl_error *error)
{
	return get_section(image, SET_OWN, section, bytes_ret, error);
}

enum tl_status tl_image_common_section(struct tl_image *image, enum tl_section section,
				       struct tl_section_bytes *bytes_ret, struct tl_error *error)
{
	return get_section(image, SET_COMMON, section, bytes_ret, error);
}

tl_u64 tl_image_section_size(const struct tl_image *image, enum tl_section section, bool *packed_ret)
{
	const struct slot *slot = &image->sections[SET_OWN][section];

	*packed_ret = slot->file != NULL && ((slot->header.flags & SHF_COMPRESSED) != 0 || slot->old_compression);
	return slot->file != NULL ? slot->header.size : 0;
}

static void forget(const struct tl_image_file *file, const tl_u8 *bytes, tl_size size)
{
	tl_uintptr page = (tl_uintptr)sysconf(_SC_PAGESIZE) - 1;
	tl_uintptr start = (tl_uintptr)bytes, end = start + size, first = (tl_uintptr)file->bytes;

	if (file->mapping.bytes == NULL || start < first || end > first + file->size)
		return;
	/* Mappings begin and end with a page, and neighbours come back when they are touched. */
	start &= ~page;
	end = (end + page) & ~page;
	(void)madvise((void *)start, end - start, MADV_DONTNEED);
}

void tl_image_forget_pages(struct tl_image *image, const tl_u8 *bytes, tl_size size)
{
	forget(&image->file, bytes, size);
	forget(&image->debug, bytes, size);
	forget(&image->common, bytes, size);
}

/* ============================================================ identity =========================================== */

tl_u64 tl_image_identity(const struct tl_image *image)
{
	if (image->file.mapping.bytes == NULL || image->file.mapping.fresh || image->debug.mapping.fresh ||
	    image->common.mapping.fresh)
		return 0;
	return image->file.mapping.identity ^ image->debug.mapping.identity * 3 ^ image->common.mapping.identity * 5;
}

static bool is_current(const struct tl_image_file *file)
{
	return file->mapping.bytes == NULL || tl_file_identity(file->path) == file->mapping.identity;
}

bool tl_image_is_current(const struct tl_image *image)
{
	return is_current(&image->file) && is_current(&image->debug) && is_current(&image->common);
}

/* ============================================================ the image ========================================== */

static void extend(tl_u64 *start, tl_u64 *end, const struct tl_elf_segment *segment)
{
	tl_u64 stop = segment->address + segment->memory_size;

	if (stop < segment->address)
		stop = TL_U64_MAX;
	if (*start > segment->address)
		*start = segment->address;
	if (*end < stop)
		*end = stop;
}

static void find_extents(struct tl_image *image)
{
	tl_u64 lowest = TL_U64_MAX, end = 0;

	image->code_start = TL_U64_MAX;
	for (tl_u32 i = 0; i < image->file.elf.segment_count; i++) {
		struct tl_elf_segment segment;

		if (tl_elf_segment(&image->file.elf, i, &segment, NULL) != TL_OK)
			break;
		if (segment.type != PT_LOAD)
			continue;
		extend(&lowest, &end, &segment);
		if ((segment.flags & PF_X) != 0)
			extend(&image->code_start, &image->code_end, &segment);
	}
	if (image->code_end == 0) {
		image->code_start = 0;
		image->code_end = TL_U64_MAX;
	}
	if (end != 0) {
		image->lowest = lowest;
		image->size = end - lowest;
	}
}

static struct tl_image *make_image(struct tl_error *error)
{
	struct tl_image *image = tl_allocate(tl_storage(), sizeof(*image));

	if (image == NULL)
		(void)TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for an image");
	else
		(void)pthread_mutex_init(&image->lock, NULL);
	return image;
}

/* The files that the image's own file leads to, and where all sections are. */
static void find_rest(struct tl_image *image, const struct tl_image_options *options)
{
	static const struct tl_image_options defaults = {0};

	if (options == NULL)
		options = &defaults;
	if (image->file.mapping.bytes != NULL && !options->alone) {
		tl_separate_debug(&image->file, options, &image->debug, image->remark, sizeof(image->remark));
		tl_separate_common(image->debug.bytes != NULL ? &image->debug : &image->file, options, &image->common,
				   image->remark, sizeof(image->remark));
	}
	if (image->debug.bytes != NULL)
		find_sections(image->sections[SET_OWN], &image->debug);
	find_sections(image->sections[SET_OWN], &image->file);
	if (image->common.bytes != NULL)
		find_sections(image->sections[SET_COMMON], &image->common);
	find_extents(image);
}

enum tl_status tl_image_open(struct tl_image **image_ret, const char *path, const struct tl_image_options *options,
			     struct tl_error *error)
{
	struct tl_image *image = make_image(error);
	enum tl_status status;

	if (image == NULL)
		return TL_ERROR_NO_MEMORY;
	status = tl_image_file_open(&image->file, path, error);
	if (status != TL_OK) {
		tl_image_close(image);
		return status;
	}
	find_rest(image, options);
	*image_ret = image;
	return TL_OK;
}

enum tl_status tl_image_open_bytes(struct tl_image **image_ret, const char *name, const void *bytes, tl_size size,
				   struct tl_error *error)
{
	struct tl_image *image = make_image(error);
	enum tl_status status;

	if (image == NULL)
		return TL_ERROR_NO_MEMORY;
	image->file.bytes = bytes;
	image->file.size = size;
	status = name_file(&image->file, name, error);
	if (status == TL_OK)
		status = open_elf(&image->file, error);
	if (status != TL_OK) {
		tl_image_close(image);
		return status;
	}
	find_rest(image, NULL);
	*image_ret = image;
	return TL_OK;
}

void tl_image_close(struct tl_image *image)
{
	if (image == NULL)
		return;
	for (unsigned set = 0; set < SET_MAX; set++) {
		for (unsigned i = 0; i < TL_SECTION_MAX; i++) {
			struct slot *slot = &image->sections[set][i];

			if (slot->unpacked)
				tl_unpacked_free(&(struct tl_unpacked){slot->bytes.bytes, slot->bytes.size});
		}
	}
	tl_image_file_close(&image->common);
	tl_image_file_close(&image->debug);
	tl_image_file_close(&image->file);
	(void)pthread_mutex_destroy(&image->lock);
	tl_release(tl_storage(), image, sizeof(*image));
}

const char *tl_image_path(const struct tl_image *image)
{
	return image->file.path;
}

const char *tl_image_debug_path(const struct tl_image *image)
{
	return image->debug.path;
}

const char *tl_image_remark(const struct tl_image *image)
{
	return image->remark[0] != 0 ? image->remark : NULL;
}

const char *tl_image_section_name(const struct tl_image *image, tl_u32 index, struct tl_elf_section *header_ret)
{
	return tl_image_file_section(&image->file, index, header_ret);
}

const struct tl_elf *tl_image_elf(const struct tl_image *image)
{
	return &image->file.elf;
}

const tl_u8 *tl_image_build_id(const struct tl_image *image, tl_size *size_ret)
{
	struct tl_cursor id = tl_image_file_build_id(&image->file);

	*size_ret = tl_cursor_left(&id);
	return id.at;
}

void tl_image_extent(const struct tl_image *image, tl_u64 *lowest_ret, tl_u64 *size_ret)
{
	*lowest_ret = image->lowest;
	*size_ret = image->size;
}

void tl_image_code_extent(const struct tl_image *image, tl_u64 *start_ret, tl_u64 *end_ret)
{
	*start_ret = image->code_start;
	*end_ret = image->code_end;
}
