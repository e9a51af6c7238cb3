#include "frontends/serve/maps.h"
#include "frontends/serve/buffer.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* More than any process has by default (vm.max_map_count), gaps included. */
#define REGIONS_MAX 262144

static void write_region(const struct tl_memory_region *region, struct tl_buffer *text)
{
	tl_u64 end = region->start + region->size;

	tl_buffer_format(text, "%08llx-%08llx %c%c%cp 00000000 00:00 0", (unsigned long long)region->start,
			 (unsigned long long)end, region->readable ? 'r' : '-', region->writable ? 'w' : '-',
			 region->executable ? 'x' : '-');
	if (region->name[0] != '\0')
		tl_buffer_format(text, "                           %s", region->name);
	tl_buffer_add(text, "\n");
}

static void write_regions(struct tl_target *target, tl_u64 process, struct tl_buffer *text)
{
	struct tl_memory_region region;
	tl_u64 at = 0;

	for (tl_size n = 0; n < REGIONS_MAX && target->ops->memory_region(target, process, at, &region) == TL_OK; n++) {
		if (region.mapped)
			write_region(&region, text);
		/* Up to the top, or a target that would have us go round. */
		if (region.start + region.size <= at)
			break;
		at = region.start + region.size;
	}
}

static int make_file(const struct tl_buffer *text)
{
	int descriptor = memfd_create("maps", MFD_CLOEXEC);

	if (descriptor < 0)
		return -1;
	for (tl_size done = 0; done < text->size;) {
		ssize_t count = write(descriptor, text->bytes + done, text->size - done);

		if (count < 0) {
			(void)close(descriptor);
			return -1;
		}
		done += (tl_size)count;
	}
	return descriptor;
}

/* "maps", or "task/TID/maps". */
static bool is_maps(struct tl_cursor *path)
{
	if (tl_cursor_accept_text(path, "task/")) {
		(void)tl_cursor_decimal(path);
		tl_cursor_expect(path, '/');
	}
	return !path->failed && tl_cursor_equals(path, "maps");
}

int tl_maps_open(struct tl_engine *engine, const char *path)
{
	struct tl_target *target = tl_engine_target(engine);
	struct tl_cursor rest = tl_cursor_text(path);
	struct tl_process_facts facts;
	struct tl_buffer text = {0};
	tl_u64 process;
	int descriptor;

	if (!tl_cursor_accept_text(&rest, "/proc/"))
		return TL_MAPS_NOT_OURS;
	process = tl_cursor_decimal(&rest);
	tl_cursor_expect(&rest, '/');
	if (rest.failed || tl_engine_facts(engine, process, &facts) != TL_OK)
		return TL_MAPS_NOT_OURS;
	if (!is_maps(&rest) || target->ops->memory_region == NULL) {
		errno = ENOENT;
		return -1;
	}
	write_regions(target, process, &text);
	errno = ENOMEM;
	descriptor = text.failed ? -1 : make_file(&text);
	tl_buffer_free(&text);
	return descriptor;
}
