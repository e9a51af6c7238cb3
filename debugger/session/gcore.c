#include "debugger/session/gcore.h"

#include "base/storage.h"
#include "debugger/session/gcore_internal.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_SIZE ((tl_size)4096)
#define REGIONS_MAX ((tl_size)4 << 20)

/* ---- The file ---- */

static void write_at(struct gcore *core, const void *bytes, tl_size size, tl_u64 offset)
{
	const tl_u8 *at = bytes;

	while (size > 0 && core->system == 0) {
		ssize_t count = pwrite(core->descriptor, at, size, (off_t)offset);

		if (count <= 0) {
			core->system = count == 0 ? EIO : errno == EINTR ? 0 : errno;
			continue;
		}
		at += count;
		offset += (tl_u64)count;
		size -= (tl_size)count;
	}
}

void tl_gcore_flush(struct gcore *core)
{
	write_at(core, core->buffer, core->pending, core->at);
	core->at += core->pending;
	core->pending = 0;
}

void tl_gcore_put(struct gcore *core, const void *bytes, tl_size size)
{
	const tl_u8 *at = bytes;

	while (size > 0) {
		tl_size room = GCORE_BUFFER - core->pending, piece = size < room ? size : room;

		memcpy(core->buffer + core->pending, at, piece);
		core->pending += piece;
		at += piece;
		size -= piece;
		if (core->pending == GCORE_BUFFER)
			tl_gcore_flush(core);
	}
}

static enum tl_status check_written(const struct gcore *core, const char *path, struct tl_error *error)
{
	if (core->system == 0)
		return TL_OK;
	errno = core->system;
	return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot write %s", path);
}

/* ---- Which memory ---- */

static bool reads_elf(const struct gcore *core, tl_u64 address)
{
	tl_u8 magic[SELFMAG];
	tl_size done = 0;

	return tl_engine_read_memory(core->engine, core->process, address, magic, sizeof(magic), &done) == TL_OK &&
	       done == sizeof(magic) && memcmp(magic, ELFMAG, SELFMAG) == 0;
}

/* A file that nobody can open any more, as a memfd or a shared mapping without one. */
static bool is_nameless(const struct tl_memory_region *region, const char *name)
{
	tl_size length = strlen(name);

	return !region->file || (length >= 10 && strcmp(name + length - 10, " (deleted)") == 0);
}

/* How much of a region is written, by the rules of the kernel's own dump (core(5), "Controlling which mappings …"). */
static tl_u64 written_size(const struct gcore *core, const struct tl_memory_region *region, const char *name)
{
	tl_u32 memory = core->options.memory;
	bool whole;

	if (strcmp(name, "[vdso]") == 0)
		return region->size;
	if (region->left_out || strcmp(name, "[vvar]") == 0 || strcmp(name, "[vsyscall]") == 0)
		return 0;
	if (region->shared)
		whole = (memory & (is_nameless(region, name) ? TL_GCORE_SHARED : TL_GCORE_SHARED_FILES)) != 0;
	else
		whole = (region->own && (memory & TL_GCORE_PRIVATE) != 0) ||
			(region->file && (memory & TL_GCORE_PRIVATE_FILES) != 0);
	if (whole)
		return region->size;
	if (region->file && region->offset == 0 && region->readable && (memory & TL_GCORE_HEADERS) != 0 &&
	    reads_elf(core, region->start))
		return region->size < PAGE_SIZE ? region->size : PAGE_SIZE;
	return 0;
}

static bool add_name(struct gcore *core, const char *name)
{
	tl_size length = strlen(name) + 1, wanted = core->names_size + length;
	char *names;

	if (wanted > core->names_capacity) {
		wanted = 2 * wanted + 1024;
		names = tl_storage()->resize(tl_storage()->context, core->names, core->names_capacity, wanted);
		if (names == NULL)
			return false;
		core->names = names;
		core->names_capacity = wanted;
	}
	memcpy(core->names + core->names_size, name, length);
	core->names_size += length;
	return true;
}

static bool take_region(void *context, const struct tl_memory_region *from, const char *name)
{
	struct gcore *core = context;
	struct gcore_region region = {
		.start = from->start,
		.size = from->size,
		.offset = from->offset,
		.flags = (from->readable ? (tl_u32)PF_R : 0) | (from->writable ? (tl_u32)PF_W : 0) |
			 (from->executable ? (tl_u32)PF_X : 0),
		.file = from->file,
		.sparse = !from->file && !from->shared && from->own &&
			  tl_engine_target(core->engine)->ops->used_pages != NULL,
		.name = core->names_size,
	};
	void *regions = core->regions;

	if (from->size == 0 || strcmp(name, "[vsyscall]") == 0)
		return true;
	core->failed =
		core->region_count >= REGIONS_MAX || (region.file && !add_name(core, name)) ||
		!tl_grow(tl_storage(), &regions, &core->region_capacity, core->region_count, sizeof(*core->regions));
	if (core->failed)
		return false;
	region.filed = written_size(core, from, name);
	core->total += region.filed;
	core->regions = regions;
	core->regions[core->region_count++] = region;
	return true;
}

/* Of a target that says less: all that may be written to may have been, and what may not is taken from its file. */
static enum tl_status ask_regions(struct gcore *core, struct tl_target *target)
{
	struct tl_memory_region region;
	tl_u64 at = 0;

	for (tl_size n = 0; n < 2 * REGIONS_MAX; n++) {
		TL_TRY(target->ops->memory_region(target, core->process, at, &region));
		region.own = region.writable || region.name[0] != '/';
		if (region.mapped && !take_region(core, &region, region.name))
			break;
		if (region.start + region.size <= at)
			break;
		at = region.start + region.size;
	}
	return TL_OK;
}

static enum tl_status find_regions(struct gcore *core, struct tl_error *error)
{
	struct tl_target *target = tl_engine_target(core->engine);
	enum tl_status status;

	if (target->ops->regions != NULL)
		status = target->ops->regions(target, core->process, take_region, core);
	else if (target->ops->memory_region != NULL)
		status = ask_regions(core, target);
	else
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "the target does not say which memory there is: no core can be made");
	if (core->failed)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a list of %zu regions", core->region_count);
	if (status != TL_OK)
		return TL_FAIL(error, status, "cannot tell which memory there is: %s", tl_status_text(status));
	return TL_OK;
}

/* ---- Memory ---- */

static bool is_zero(const tl_u8 *page, tl_size size)
{
	return page[0] == 0 && memcmp(page, page + 1, size - 1) == 0;
}

/* Writes the pages that are not all zeroes; the others are holes. */
static void write_pages(struct gcore *core, tl_size size, tl_u64 place)
{
	tl_size start = 0, at = 0;

	while (at < size) {
		tl_size page = size - at < PAGE_SIZE ? size - at : PAGE_SIZE;

		if (is_zero(core->buffer + at, page)) {
			write_at(core, core->buffer + start, at - start, place + start);
			start = at + page;
		}
		at += page;
	}
	write_at(core, core->buffer + start, at - start, place + start);
}

static enum tl_status tell(struct gcore *core, tl_u64 size, struct tl_error *error)
{
	core->done += size;
	if (core->options.progress != NULL && !core->options.progress(core->options.context, core->done, core->total))
		return TL_FAIL(error, TL_ERROR_CANCELLED, "cancelled: no core was written");
	return TL_OK;
}

/* Writes [at, end) of a region. */
static enum tl_status write_range(struct gcore *core, const struct gcore_region *region, tl_u64 at, tl_u64 end,
				  struct tl_error *error)
{
	while (at < end && core->system == 0) {
		tl_size size = end - at < GCORE_BUFFER ? (tl_size)(end - at) : GCORE_BUFFER, done = 0;

		if (tl_engine_read_memory(core->engine, core->process, region->start + at, core->buffer, size, &done) !=
		    TL_OK)
			done = 0;
		write_pages(core, done, region->place + at);
		/* A page that cannot be read is a hole, as in the kernel's cores. */
		if (done < size)
			done = done - done % PAGE_SIZE + PAGE_SIZE;
		done = done < size ? done : size;
		at += done;
		TL_TRY(tell(core, done, error));
	}
	return TL_OK;
}

static enum tl_status write_region(struct gcore *core, const struct gcore_region *region, struct tl_error *error)
{
	struct tl_target *target = tl_engine_target(core->engine);
	tl_u64 at = 0, end = region->start + region->filed;

	/* Programs reserve terabytes and use little of them: reading all would make the kernel map all. */
	while (region->sparse && at < region->filed && core->system == 0) {
		tl_u64 used = 0, used_end = 0;

		if (target->ops->used_pages(target, core->process, region->start + at, end, &used, &used_end) !=
			    TL_OK ||
		    used < region->start + at || used_end < used || used_end > end || used_end <= region->start + at)
			break;
		TL_TRY(tell(core, used - region->start - at, error));
		TL_TRY(write_range(core, region, used - region->start, used_end - region->start, error));
		at = used_end - region->start;
	}
	return at < region->filed ? write_range(core, region, at, region->filed, error) : TL_OK;
}

static tl_u64 round_up(tl_u64 value)
{
	return (value + PAGE_SIZE - 1) & ~(tl_u64)(PAGE_SIZE - 1);
}

static enum tl_status write_memory(struct gcore *core, struct tl_error *error)
{
	tl_u64 place = round_up(core->notes_start + core->notes_size);

	for (tl_size i = 0; i < core->region_count; i++) {
		core->regions[i].place = place;
		place += round_up(core->regions[i].filed);
		if (place > INT64_MAX)
			return TL_FAIL(error, TL_ERROR_TOO_LONG, "the process has more memory than a file can hold");
	}
	for (tl_size i = 0; i < core->region_count && core->system == 0; i++)
		TL_TRY(write_region(core, &core->regions[i], error));
	if (core->system == 0 && ftruncate(core->descriptor, (off_t)place) != 0)
		core->system = errno;
	return TL_OK;
}

/* ---- Headers ---- */

static tl_size header_size(const struct gcore *core)
{
	return core->wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
}

static tl_size program_header_size(const struct gcore *core)
{
	return core->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
}

/* More program headers than their count has bits for: it then stands in section header 0 (gABI, e_phnum). */
static bool is_extended(const struct gcore *core)
{
	return core->region_count + 1 >= PN_XNUM;
}

static tl_u64 headers_size(const struct gcore *core)
{
	tl_u64 size = header_size(core) + (core->region_count + 1) * (tl_u64)program_header_size(core);

	if (is_extended(core))
		size += core->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	return size;
}

static void put_program_header(struct gcore *core, tl_u32 type, const struct gcore_region *region)
{
	Elf64_Phdr wide = {.p_type = type,
			   .p_flags = region->flags,
			   .p_offset = region->place,
			   .p_vaddr = region->start,
			   .p_filesz = region->filed,
			   .p_memsz = region->size,
			   .p_align = type == PT_LOAD ? PAGE_SIZE : 4};
	Elf32_Phdr narrow = {.p_type = type,
			     .p_flags = region->flags,
			     .p_offset = (Elf32_Off)region->place,
			     .p_vaddr = (Elf32_Addr)region->start,
			     .p_filesz = (Elf32_Word)region->filed,
			     .p_memsz = (Elf32_Word)region->size,
			     .p_align = type == PT_LOAD ? PAGE_SIZE : 4};

	if (core->wide)
		tl_gcore_put(core, &wide, sizeof(wide));
	else
		tl_gcore_put(core, &narrow, sizeof(narrow));
}

static void put_identity(struct gcore *core)
{
	bool extended = is_extended(core);
	tl_u64 sections = header_size(core) + (core->region_count + 1) * (tl_u64)program_header_size(core);
	Elf64_Half count = extended ? PN_XNUM : (Elf64_Half)(core->region_count + 1);
	Elf64_Ehdr wide = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			   .e_type = ET_CORE,
			   .e_machine = core->arm64 ? EM_AARCH64 : EM_X86_64,
			   .e_version = EV_CURRENT,
			   .e_phoff = sizeof(wide),
			   .e_shoff = extended ? sections : 0,
			   .e_ehsize = sizeof(wide),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = count,
			   .e_shentsize = extended ? sizeof(Elf64_Shdr) : 0,
			   .e_shnum = extended};
	Elf32_Ehdr narrow = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
			     .e_type = ET_CORE,
			     .e_machine = EM_386,
			     .e_version = EV_CURRENT,
			     .e_phoff = sizeof(narrow),
			     .e_shoff = extended ? (Elf32_Off)sections : 0,
			     .e_ehsize = sizeof(narrow),
			     .e_phentsize = sizeof(Elf32_Phdr),
			     .e_phnum = count,
			     .e_shentsize = extended ? sizeof(Elf32_Shdr) : 0,
			     .e_shnum = extended};

	if (core->wide)
		tl_gcore_put(core, &wide, sizeof(wide));
	else
		tl_gcore_put(core, &narrow, sizeof(narrow));
}

static void write_headers(struct gcore *core)
{
	struct gcore_region notes = {.place = core->notes_start, .filed = core->notes_size};
	Elf64_Shdr wide = {.sh_info = (Elf64_Word)(core->region_count + 1), .sh_size = 1};
	Elf32_Shdr narrow = {.sh_info = (Elf32_Word)(core->region_count + 1), .sh_size = 1};

	core->at = 0;
	put_identity(core);
	put_program_header(core, PT_NOTE, &notes);
	for (tl_size i = 0; i < core->region_count; i++)
		put_program_header(core, PT_LOAD, &core->regions[i]);
	if (is_extended(core) && core->wide)
		tl_gcore_put(core, &wide, sizeof(wide));
	else if (is_extended(core))
		tl_gcore_put(core, &narrow, sizeof(narrow));
	tl_gcore_flush(core);
}

/* ---- From beginning to end ---- */

static enum tl_status write_all(struct gcore *core, struct tl_error *error)
{
	TL_TRY(find_regions(core, error));
	/* The headers come last: until then nobody can take it for a core. */
	core->at = core->notes_start = headers_size(core);
	TL_TRY(tl_gcore_write_notes(core, error));
	tl_gcore_flush(core);
	core->notes_size = core->at - core->notes_start;
	/* A 32-bit core's places have 32 bits. */
	if (!core->wide &&
	    core->notes_start + core->notes_size + core->total + (tl_u64)core->region_count * PAGE_SIZE > TL_U32_MAX)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "a 32-bit core cannot hold %llu bytes of memory",
			       (unsigned long long)core->total);
	TL_TRY(write_memory(core, error));
	write_headers(core);
	return TL_OK;
}

/* Where the file really is to be: a link is followed, and what is no regular file is not replaced. */
static enum tl_status find_place(const char *path, char place_ret[PATH_MAX], struct tl_error *error)
{
	struct stat status;

	if (stat(path, &status) == 0) {
		if (!S_ISREG(status.st_mode))
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "%s is there, and is no regular file: name another",
				       path);
		if (realpath(path, place_ret) != NULL)
			return TL_OK;
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot find %s", path);
	}
	if (snprintf(place_ret, PATH_MAX, "%s", path) >= PATH_MAX)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "the name of the core is longer than a path may be");
	return TL_OK;
}

/* Beside its place, and moved there when it is whole. */
static enum tl_status write_file(struct gcore *core, const char *path, struct tl_error *error)
{
	char place[PATH_MAX], beside[PATH_MAX];
	enum tl_status status;

	TL_TRY(find_place(path, place, error));
	if (snprintf(beside, sizeof(beside), "%s.XXXXXX", place) >= (int)sizeof(beside))
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "the name of the core is longer than a path may be");
	core->descriptor = mkostemp(beside, O_CLOEXEC);
	if (core->descriptor < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot write %s", path);
	status = write_all(core, error);
	if (status == TL_OK)
		status = check_written(core, path, error);
	/* Some file systems tell of a full disk at the close only. */
	if (close(core->descriptor) != 0 && status == TL_OK)
		status = TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot write %s", path);
	if (status == TL_OK && rename(beside, place) != 0)
		status = TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot name the core %s", path);
	if (status != TL_OK)
		(void)unlink(beside);
	return status;
}

/* The thread that was asked for, else the one that stopped last, else the eldest. */
static enum tl_status find_first(struct gcore *core, struct tl_error *error)
{
	struct tl_thread_id wanted = core->options.first;
	struct tl_thread_info info;

	if (wanted.thread == 0)
		wanted = tl_engine_last_told(core->engine);
	if (wanted.process == core->process && tl_engine_find_thread(core->engine, wanted, &info)) {
		core->first = wanted;
		return TL_OK;
	}
	if (!tl_engine_stopped_thread(core->engine, core->process, &core->first))
		return TL_FAIL(error, TL_ERROR_NO_PROCESS, "there is no process %llu that stands",
			       (unsigned long long)core->process);
	return TL_OK;
}

static enum tl_status prepare(struct gcore *core, struct tl_error *error)
{
	if (!tl_engine_process_quiet(core->engine, core->process))
		return TL_FAIL(error, TL_ERROR_RUNNING, "the process is running: stop it first (interrupt)");
	TL_TRY(find_first(core, error));
	if (tl_engine_facts(core->engine, core->process, &core->facts) != TL_OK)
		return TL_FAIL(error, TL_ERROR_NO_PROCESS, "there is no process %llu",
			       (unsigned long long)core->process);
	core->arm64 = strcmp(core->facts.cpu->name, tl_cpu_aarch64.name) == 0;
	if (core->facts.cpu != &tl_cpu_x86_64 && core->facts.cpu != &tl_cpu_i386 && !core->arm64)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "cores of %s cannot be written: of x86-64, i386 and aarch64 alone",
			       core->facts.cpu->name);
	core->wide = core->facts.cpu != &tl_cpu_i386;
	core->layout = core->arm64 ? tl_core_layout_arm64() : tl_core_layout(core->wide);
	core->buffer = tl_allocate(tl_storage(), GCORE_BUFFER);
	if (core->buffer == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory to write a core");
	return TL_OK;
}

enum tl_status tl_gcore_write(struct tl_engine *engine, tl_u64 process, const char *path,
			      const struct tl_gcore_options *options, struct tl_error *error)
{
	struct gcore core = {.engine = engine, .process = process, .descriptor = -1};
	enum tl_status status;

	if (options != NULL)
		core.options = *options;
	if (core.options.memory == 0)
		core.options.memory = TL_GCORE_DEFAULT;
	status = prepare(&core, error);
	if (status == TL_OK)
		status = write_file(&core, path, error);
	tl_release(tl_storage(), core.regions, core.region_capacity * sizeof(*core.regions));
	tl_release(tl_storage(), core.names, core.names_capacity);
	tl_release(tl_storage(), core.buffer, GCORE_BUFFER);
	return status;
}
