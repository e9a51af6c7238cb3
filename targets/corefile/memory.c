/*
 * Memory: what the core holds, and behind it the files that were mapped.
 */
#include "targets/corefile/state.h"

#include "base/storage.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More pieces than the kernel lets a process have, or than gdb writes. */
#define SEGMENTS_MAX (4u << 20)

/* ---- The list of segments ---- */

static int by_start(const void *a, const void *b)
{
	tl_u64 first = ((const struct core_segment *)a)->start, second = ((const struct core_segment *)b)->start;

	return first < second ? -1 : first > second;
}

static void sort_segments(struct core_target *core)
{
	struct core_segment *list = core->segments;
	tl_size kept = 0;

	if (core->segment_count == 0)
		return;
	qsort(list, core->segment_count, sizeof(*list), by_start);
	/* Pieces that overlap are damage: the later one counts from where it begins. */
	for (tl_size i = 0; i < core->segment_count; i++) {
		struct core_segment segment = list[i];

		if (i + 1 < core->segment_count && segment.size > list[i + 1].start - segment.start)
			segment.size = list[i + 1].start - segment.start;
		if (segment.filed > segment.size)
			segment.filed = segment.size;
		if (segment.held > segment.filed)
			segment.held = segment.filed;
		if (segment.size != 0)
			list[kept++] = segment;
	}
	core->segment_count = kept;
}

static struct core_segment make_segment(struct core_target *core, const struct tl_elf_segment *from)
{
	struct core_segment segment = {
		.start = from->address,
		.size = from->memory_size > from->file_size ? from->memory_size : from->file_size,
		.offset = from->offset,
		.filed = from->file_size,
		.flags = from->flags,
	};

	/* Nothing reaches over the top of the address space. */
	if (segment.size > TL_U64_MAX - segment.start)
		segment.size = TL_U64_MAX - segment.start;
	segment.held = segment.filed;
	if (segment.offset >= core->size || segment.filed > core->size - segment.offset) {
		core->truncated |= segment.filed != 0;
		segment.held = segment.offset < core->size ? core->size - segment.offset : 0;
	}
	return segment;
}

enum tl_status tl_corefile_read_segments(struct core_target *core, const struct tl_elf *elf, struct tl_error *error)
{
	for (tl_u32 i = 0; i < elf->segment_count; i++) {
		struct tl_elf_segment segment;
		void *list = core->segments;

		TL_TRY(tl_elf_segment(elf, i, &segment, error));
		if (segment.type != PT_LOAD)
			continue;
		if (core->segment_count >= SEGMENTS_MAX)
			return TL_FAIL(error, TL_ERROR_TOO_LONG, "damaged core: more than %u pieces of memory",
				       SEGMENTS_MAX);
		if (!tl_grow(tl_storage(), &list, &core->segment_capacity, core->segment_count,
			     sizeof(*core->segments)))
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for what the core holds");
		core->segments = list;
		core->segments[core->segment_count++] = make_segment(core, &segment);
	}
	sort_segments(core);
	return TL_OK;
}

static int by_mapping_start(const void *a, const void *b)
{
	tl_u64 first = ((const struct core_mapping *)a)->start, second = ((const struct core_mapping *)b)->start;

	return first < second ? -1 : first > second;
}

void tl_corefile_sort_mappings(struct core_target *core)
{
	struct core_mapping *list = core->mappings;
	tl_size kept = 0;

	if (core->mapping_count == 0)
		return;
	qsort(list, core->mapping_count, sizeof(*list), by_mapping_start);
	for (tl_size i = 0; i < core->mapping_count; i++) {
		struct core_mapping mapping = list[i];

		if (i + 1 < core->mapping_count && mapping.size > list[i + 1].start - mapping.start)
			mapping.size = list[i + 1].start - mapping.start;
		if (mapping.size != 0)
			list[kept++] = mapping;
	}
	core->mapping_count = kept;
}

/* ---- Finding ---- */

/*
 * How many rows of a table begin at or below the address: `starts` is where the first row says so, `row` how far it is
 * from one to the next.
 */
static tl_size rows_up_to(const void *starts, tl_size row, tl_size count, tl_u64 address)
{
	tl_size low = 0, high = count;

	while (low < high) {
		tl_size middle = low + (high - low) / 2;
		tl_u64 start;

		memcpy(&start, (const tl_u8 *)starts + middle * row, sizeof(start));
		if (start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static tl_size segments_up_to(const struct core_target *core, tl_u64 address)
{
	return core->segment_count != 0
		       ? rows_up_to(&core->segments->start, sizeof(*core->segments), core->segment_count, address)
		       : 0;
}

static tl_size mappings_up_to(const struct core_target *core, tl_u64 address)
{
	return core->mapping_count != 0
		       ? rows_up_to(&core->mappings->start, sizeof(*core->mappings), core->mapping_count, address)
		       : 0;
}

static const struct core_segment *segment_at(const struct core_target *core, tl_u64 address)
{
	tl_size count = segments_up_to(core, address);
	const struct core_segment *segment = count != 0 ? &core->segments[count - 1] : NULL;

	return segment != NULL && address - segment->start < segment->size ? segment : NULL;
}

static const struct core_mapping *mapping_at(const struct core_target *core, tl_u64 address)
{
	tl_size count = mappings_up_to(core, address);
	const struct core_mapping *mapping = count != 0 ? &core->mappings[count - 1] : NULL;

	return mapping != NULL && address - mapping->start < mapping->size ? mapping : NULL;
}

/* ---- Reading ---- */

/* As many of `size` bytes as there are. */
static tl_size read_some(int descriptor, tl_u64 offset, void *buffer, tl_size size)
{
	tl_size done = 0;

	while (done < size) {
		ssize_t count = offset + done <= INT64_MAX
					? pread(descriptor, (char *)buffer + done, size - done, (off_t)(offset + done))
					: 0;

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			break;
		done += (tl_size)count;
	}
	return done;
}

bool tl_corefile_read_core(const struct core_target *core, tl_u64 offset, void *buffer, tl_size size)
{
	return offset <= core->size && size <= core->size - offset &&
	       read_some(core->descriptor, offset, buffer, size) == size;
}

/* What the core itself holds from the address on, as far as one piece of it goes. */
static tl_size read_held(const struct core_target *core, tl_u64 address, void *buffer, tl_size size)
{
	const struct core_segment *segment = segment_at(core, address);
	tl_u64 at;

	if (segment == NULL || address - segment->start >= segment->held)
		return 0;
	at = address - segment->start;
	if (size > segment->held - at)
		size = (tl_size)(segment->held - at);
	return read_some(core->descriptor, segment->offset + at, buffer, size);
}

/* What a file holds of what was mapped there and the core left out, up to where the core holds something again. */
static tl_size read_file(struct core_target *core, tl_u64 address, void *buffer, tl_size size)
{
	const struct core_segment *segment = segment_at(core, address);
	const struct core_mapping *mapping = mapping_at(core, address);
	tl_size next = segments_up_to(core, address);

	/* What was dumped and is cut off had changed since it was in the file. */
	if (segment != NULL && address - segment->start < segment->filed)
		return 0;
	if (mapping == NULL || !tl_corefile_use(core, mapping->file))
		return 0;
	if (size > mapping->size - (address - mapping->start))
		size = (tl_size)(mapping->size - (address - mapping->start));
	if (next < core->segment_count && size > core->segments[next].start - address)
		size = (tl_size)(core->segments[next].start - address);
	return read_some(core->files[mapping->file].descriptor, mapping->offset + (address - mapping->start), buffer,
			 size);
}

enum tl_status tl_corefile_read_memory(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer,
				       tl_size size, tl_size *done_ret)
{
	struct core_target *core = core_target(target);
	tl_size done = 0, piece;

	*done_ret = 0;
	if (process != core->process)
		return TL_ERROR_GONE;
	while (done < size && address <= TL_U64_MAX - done) {
		piece = read_held(core, address + done, (char *)buffer + done, size - done);
		if (piece == 0)
			piece = read_file(core, address + done, (char *)buffer + done, size - done);
		if (piece == 0)
			break;
		done += piece;
	}
	*done_ret = done;
	return done != 0 || size == 0 ? TL_OK : TL_ERROR_MEMORY;
}

enum tl_status tl_corefile_read_image(void *context, tl_u64 offset, void *buffer, tl_size size)
{
	const struct core_image *image = context;
	tl_size done = 0, piece;

	while (done < size) {
		piece = read_held(image->core, image->base + offset + done, (char *)buffer + done, size - done);
		if (piece == 0)
			return TL_ERROR_TRUNCATED;
		done += piece;
	}
	return TL_OK;
}

/* ---- Regions ---- */

static void name_region(const struct core_target *core, struct tl_memory_region *region)
{
	const struct core_mapping *mapping = mapping_at(core, region->start);
	/* AT_RANDOM's bytes stand on the stack of the first thread. */
	tl_u64 stack = tl_corefile_auxv(core, AT_RANDOM), vdso = tl_corefile_auxv(core, AT_SYSINFO_EHDR);
	const char *name = "";
	tl_size length;

	if (mapping != NULL)
		name = core->files[mapping->file].name;
	else if (stack != 0 && stack - region->start < region->size)
		name = "[stack]";
	else if (vdso != 0 && vdso - region->start < region->size)
		name = "[vdso]";
	length = strnlen(name, sizeof(region->name) - 1);
	memcpy(region->name, name, length);
	region->name[length] = '\0';
}

/* The hole around an address that nothing covers. */
static struct tl_memory_region gap_at(const struct core_target *core, tl_u64 address)
{
	tl_size segment = segments_up_to(core, address), mapping = mappings_up_to(core, address);
	struct tl_memory_region gap = {0};
	tl_u64 end = 0;

	if (segment != 0)
		gap.start = core->segments[segment - 1].start + core->segments[segment - 1].size;
	if (mapping != 0 && core->mappings[mapping - 1].start + core->mappings[mapping - 1].size > gap.start)
		gap.start = core->mappings[mapping - 1].start + core->mappings[mapping - 1].size;
	if (segment < core->segment_count)
		end = core->segments[segment].start;
	if (mapping < core->mapping_count && (end == 0 || core->mappings[mapping].start < end))
		end = core->mappings[mapping].start;
	/* Without anything behind it, it reaches to the top: 0 - start is the size of what is left. */
	gap.size = end - gap.start;
	return gap;
}

enum tl_status tl_corefile_region(struct tl_target *target, tl_u64 process, tl_u64 address,
				  struct tl_memory_region *region_ret)
{
	struct core_target *core = core_target(target);
	const struct core_segment *segment = segment_at(core, address);
	const struct core_mapping *mapping = mapping_at(core, address);
	tl_u32 flags;

	if (process != core->process)
		return TL_ERROR_GONE;
	if (segment == NULL && mapping == NULL) {
		*region_ret = gap_at(core, address);
		return TL_OK;
	}
	flags = segment != NULL ? segment->flags : tl_corefile_file_flags(core, mapping);
	*region_ret = (struct tl_memory_region){
		.start = segment != NULL ? segment->start : mapping->start,
		.size = segment != NULL ? segment->size : mapping->size,
		.mapped = true,
		.readable = (flags & PF_R) != 0,
		.writable = (flags & PF_W) != 0,
		.executable = (flags & PF_X) != 0,
	};
	mapping = mapping_at(core, region_ret->start);
	if (mapping != NULL) {
		region_ret->file = true;
		region_ret->offset = mapping->offset + (region_ret->start - mapping->start);
	}
	name_region(core, region_ret);
	return TL_OK;
}
