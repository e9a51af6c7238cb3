/*
 * Files that stood in the process's memory, and whether they are still the ones that stood there: by build id, which
 * the core shows in the first page of each.
 */
#include "targets/corefile/state.h"

#include "base/storage.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum verdict {
	VERDICT_SAME,
	VERDICT_OTHER,
	VERDICT_UNKNOWN /* nothing contradicts it */
};

struct build_id {
	tl_u8 bytes[TL_ELF_BUILD_ID_MAX];
	tl_size size;
};

/* ---- Build ids ---- */

static void write_id(const struct build_id *id, char *text_ret, tl_size size)
{
	struct tl_writer writer = tl_writer_make(text_ret, size - 1);

	if (id->size == 0)
		tl_write_text(&writer, "none");
	tl_write_hex_bytes(&writer, id->bytes, id->size);
	*writer.at = '\0';
}

/* Where the image's ELF header stands in memory; 0 when that is not known. */
static tl_u64 base_of(const struct core_target *core, tl_u32 file)
{
	tl_u64 headers = tl_corefile_auxv(core, AT_PHDR);

	for (tl_size i = 0; i < core->mapping_count; i++)
		if (core->mappings[i].file == file && core->mappings[i].offset == 0)
			return core->mappings[i].start;
	/* The headers that the kernel tells of stand right behind it. */
	if (core->files[file].program && headers != 0)
		return headers - (core->wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr));
	return 0;
}

/* The build id in the core's memory; false when the core does not hold the image's headers. */
static bool core_id(const struct core_target *core, tl_u64 base, struct build_id *id_ret)
{
	struct core_image image = {core, base};
	struct tl_elf elf;

	id_ret->size = 0;
	if (base == 0 || tl_elf_open(&elf, tl_corefile_read_image, &image, true, NULL) != TL_OK)
		return false;
	if (tl_elf_build_id(&elf, id_ret->bytes, &id_ret->size, NULL) == TL_OK)
		return true;
	id_ret->size = 0;
	return true;
}

static bool file_id(int descriptor, struct build_id *id_ret)
{
	struct tl_elf elf;

	id_ret->size = 0;
	if (tl_elf_open(&elf, tl_elf_read_descriptor, &descriptor, false, NULL) != TL_OK)
		return false;
	if (tl_elf_build_id(&elf, id_ret->bytes, &id_ret->size, NULL) != TL_OK)
		id_ret->size = 0;
	return true;
}

/* Without build ids: whether the file's first bytes are those in the core. */
static bool same_headers(const struct core_target *core, tl_u64 base, int descriptor)
{
	struct core_image image = {core, base};
	tl_u8 held[1024], filed[1024];

	return tl_corefile_read_image(&image, 0, held, sizeof(held)) == TL_OK &&
	       tl_elf_read_descriptor(&descriptor, 0, filed, sizeof(filed)) == TL_OK &&
	       tl_same(held, filed, sizeof(held));
}

static enum verdict judge(const struct core_target *core, tl_u32 file, int descriptor, struct build_id *core_ret,
			  struct build_id *file_ret)
{
	tl_u64 base = base_of(core, file);
	bool known = core_id(core, base, core_ret);

	if (!file_id(descriptor, file_ret))
		return VERDICT_OTHER;
	if (!known)
		return VERDICT_UNKNOWN;
	if (core_ret->size != file_ret->size)
		return VERDICT_OTHER;
	if (core_ret->size == 0)
		return same_headers(core, base, descriptor) ? VERDICT_UNKNOWN : VERDICT_OTHER;
	return tl_same(core_ret->bytes, file_ret->bytes, core_ret->size) ? VERDICT_SAME : VERDICT_OTHER;
}

/* ---- Opening ---- */

/* A regular file; the names are the core's, which may name devices as well. -1 with errno. */
static int open_regular(const char *path)
{
	struct stat status;
	int descriptor;

	if (stat(path, &status) != 0)
		return -1;
	if (!S_ISREG(status.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return descriptor;
}

static const char *path_of(const struct core_target *core, tl_u32 file)
{
	return core->files[file].program && core->options.program != NULL ? core->options.program
									  : core->files[file].name;
}

static void tell_other(const struct core_target *core, tl_u32 file, const struct build_id *held,
		       const struct build_id *filed)
{
	char wanted[2 * TL_ELF_BUILD_ID_MAX + 8], found[2 * TL_ELF_BUILD_ID_MAX + 8];

	write_id(held, wanted, sizeof(wanted));
	write_id(filed, found, sizeof(found));
	if (core->files[file].program)
		tl_corefile_remark(
			core,
			"%s is another build than the program that this core is of: %s (build id %s, in the core %s)",
			path_of(core, file),
			core->options.program != NULL ? "names and lines of it will be wrong"
						      : "name the right one behind the core",
			found, wanted);
	else
		tl_corefile_remark(
			core,
			"%s is another build than the one in this core: what the core left out of it cannot be read "
			"(build id %s, in the core %s)",
			path_of(core, file), found, wanted);
}

/* Whether the file may be taken for what stood in memory; says why not. */
static bool accept(struct core_target *core, tl_u32 file, int descriptor)
{
	bool vouched = core->files[file].program && core->options.program != NULL;
	struct build_id held, filed;

	switch (judge(core, file, descriptor, &held, &filed)) {
	case VERDICT_SAME:
		return true;
	case VERDICT_OTHER:
		tell_other(core, file, &held, &filed);
		core->other_program |= core->files[file].program;
		return false;
	case VERDICT_UNKNOWN:
		if (vouched)
			tl_corefile_remark(
				core,
				"whether %s is the program that this core is of cannot be told (no build id): "
				"it is taken for it",
				path_of(core, file));
		else
			tl_corefile_remark(
				core,
				"whether %s is still the file that was in memory cannot be told (no build id): "
				"what the core left out of it cannot be read",
				path_of(core, file));
		return vouched;
	}
	return false;
}

bool tl_corefile_use(struct core_target *core, tl_u32 file)
{
	struct core_file *entry = &core->files[file];
	int descriptor;

	if (entry->state != CORE_FILE_UNTRIED)
		return entry->state == CORE_FILE_USED;
	entry->state = CORE_FILE_REFUSED;
	if (core->options.core_only)
		return false;
	descriptor = open_regular(path_of(core, file));
	if (descriptor < 0) {
		tl_corefile_remark(core, "%s cannot be opened (%s): what the core left out of it cannot be read",
				   path_of(core, file), strerror(errno));
		return false;
	}
	if (!accept(core, file, descriptor)) {
		(void)close(descriptor);
		return false;
	}
	entry->descriptor = descriptor;
	entry->state = CORE_FILE_USED;
	return true;
}

tl_u32 tl_corefile_file_flags(struct core_target *core, const struct core_mapping *mapping)
{
	struct tl_elf_segment segment;
	struct tl_elf elf;

	if (!tl_corefile_use(core, mapping->file) ||
	    tl_elf_open(&elf, tl_elf_read_descriptor, &core->files[mapping->file].descriptor, false, NULL) != TL_OK)
		return PF_R;
	for (tl_u32 i = 0; i < elf.segment_count; i++)
		if (tl_elf_segment(&elf, i, &segment, NULL) == TL_OK && segment.type == PT_LOAD &&
		    tl_overlap(segment.offset, segment.file_size, mapping->offset, mapping->size))
			return segment.flags;
	return PF_R;
}

void tl_corefile_close_files(struct core_target *core)
{
	for (tl_size i = 0; i < core->file_count; i++)
		if (core->files[i].state == CORE_FILE_USED)
			(void)close(core->files[i].descriptor);
}

/* ---- The program ---- */

/* The file in whose mapping the program's headers, or its first instruction, stand. */
static bool find_file(const struct core_target *core, tl_u32 *file_ret)
{
	const tl_u64 places[] = {tl_corefile_auxv(core, AT_PHDR), tl_corefile_auxv(core, AT_ENTRY)};

	for (tl_size n = 0; n < TL_COUNT(places); n++)
		for (tl_size i = 0; places[n] != 0 && i < core->mapping_count; i++)
			if (places[n] - core->mappings[i].start < core->mappings[i].size) {
				*file_ret = core->mappings[i].file;
				return true;
			}
	return false;
}

static bool append(struct core_target *core, const struct core_mapping *mapping)
{
	void *list = core->mappings;

	if (!tl_grow(tl_storage(), &list, &core->mapping_capacity, core->mapping_count, sizeof(*core->mappings)))
		return false;
	core->mappings = list;
	core->mappings[core->mapping_count++] = *mapping;
	return true;
}

/* How far the program was moved from where it is linked; by what the kernel said of its headers. */
static bool find_bias(const struct core_target *core, const struct tl_elf *elf, tl_u64 *bias_ret)
{
	tl_u64 headers = tl_corefile_auxv(core, AT_PHDR);
	struct tl_elf_segment first;

	if (headers == 0 || tl_elf_find_segment(elf, PT_LOAD, &first, NULL) != TL_OK)
		return false;
	*bias_ret = headers - (first.address - first.offset + elf->segment_offset);
	return true;
}

/* A core without a list of files, and a program that was named: what of it cannot have changed. */
static enum tl_status map_program(struct core_target *core, struct tl_error *error)
{
	struct core_file entry = {.name = core->options.program, .descriptor = -1, .program = true};
	int descriptor = open_regular(core->options.program);
	void *files = core->files;
	enum tl_status status = TL_OK;
	struct tl_elf elf;
	tl_u64 bias;

	if (descriptor < 0)
		return TL_OK;
	if (!tl_grow(tl_storage(), &files, &core->file_capacity, core->file_count, sizeof(*core->files)))
		status = TL_ERROR_NO_MEMORY;
	else
		core->files = files;
	if (status == TL_OK && tl_elf_open(&elf, tl_elf_read_descriptor, &descriptor, false, NULL) == TL_OK &&
	    find_bias(core, &elf, &bias)) {
		core->files[core->file_count++] = entry;
		for (tl_u32 i = 0; i < elf.segment_count && status == TL_OK; i++) {
			struct tl_elf_segment segment;

			if (tl_elf_segment(&elf, i, &segment, NULL) != TL_OK || segment.type != PT_LOAD ||
			    (segment.flags & PF_W) != 0 || segment.file_size > TL_U64_MAX - segment.offset)
				continue;
			if (!append(core, &(struct core_mapping){segment.address + bias, segment.file_size,
								 segment.offset, (tl_u32)core->file_count - 1}))
				status = TL_ERROR_NO_MEMORY;
		}
	}
	(void)close(descriptor);
	return status == TL_OK ? TL_OK : TL_FAIL(error, status, "no memory for what the core holds");
}

static enum tl_status check_named(struct core_target *core, struct tl_error *error)
{
	char path[PATH_MAX];

	if (access(core->options.program, R_OK) != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_ARGUMENT, "cannot open the program %s", core->options.program);
	/* Clients ask for it from elsewhere. What has no place in the file system keeps the name that it was given. */
	if (realpath(core->options.program, path) == NULL)
		(void)snprintf(path, sizeof(path), "%s", core->options.program);
	(void)snprintf(core->executable, sizeof(core->executable), "%s", path);
	return TL_OK;
}

enum tl_status tl_corefile_find_program(struct core_target *core, struct tl_error *error)
{
	tl_u32 file = 0;

	if (core->options.program != NULL)
		TL_TRY(check_named(core, error));
	if (find_file(core, &file)) {
		core->files[file].program = true;
	} else {
		if (core->options.program == NULL || core->mapping_count != 0)
			return TL_OK;
		TL_TRY(map_program(core, error));
		if (core->file_count == 0)
			return TL_OK;
		file = (tl_u32)core->file_count - 1;
	}
	if (core->options.program == NULL)
		(void)snprintf(core->executable, sizeof(core->executable), "%s", core->files[file].name);
	/* At once, so that nobody trusts what another build says. */
	(void)tl_corefile_use(core, file);
	return TL_OK;
}
