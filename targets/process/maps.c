#include "targets/process/maps.h"

#include "core/cursor.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static bool open_file(struct maps *maps, const struct tl_process_calls *calls, pid_t process, const char *name)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)process, name);
	maps->calls = calls;
	maps->start = maps->end = 0;
	maps->descriptor = calls->open(path, O_RDONLY);
	return maps->descriptor >= 0;
}

bool tl_process_maps_open(struct maps *maps, const struct tl_process_calls *calls, pid_t process)
{
	return open_file(maps, calls, process, "maps");
}

void tl_process_maps_close(struct maps *maps)
{
	(void)maps->calls->close(maps->descriptor);
}

/* The next line without its newline; empty at the end. One that is longer than the buffer is cut. */
static struct tl_cursor next_line(struct maps *maps)
{
	for (;;) {
		char *line = maps->buffer + maps->start;
		tl_size left = maps->end - maps->start;
		char *newline = memchr(line, '\n', left);
		ssize_t got;

		if (newline != NULL) {
			maps->start += (tl_size)(newline - line) + 1;
			return tl_cursor_make(line, (tl_size)(newline - line));
		}
		memmove(maps->buffer, line, left);
		maps->start = 0;
		maps->end = left;
		if (left == sizeof(maps->buffer)) {
			maps->end = 0;
			return tl_cursor_make(maps->buffer, left);
		}
		got = maps->calls->read(maps->descriptor, maps->buffer + left, sizeof(maps->buffer) - left);
		if (got <= 0) {
			maps->end = 0;
			return tl_cursor_make(maps->buffer, left);
		}
		maps->end += (tl_size)got;
	}
}

/*
 * "00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/dbus-daemon" (proc_pid_maps(5)). name_ret gets the last
 * word, which is in the line.
 */
static bool parse_region(struct tl_cursor line, struct tl_memory_region *region_ret, struct tl_cursor *name_ret)
{
	tl_size length;
	tl_u64 end;

	*region_ret = (struct tl_memory_region){.mapped = true};
	region_ret->start = tl_cursor_hex(&line);
	tl_cursor_expect(&line, '-');
	end = tl_cursor_hex(&line);
	tl_cursor_expect(&line, ' ');
	region_ret->size = end - region_ret->start;
	region_ret->readable = tl_cursor_byte(&line) == 'r';
	region_ret->writable = tl_cursor_byte(&line) == 'w';
	region_ret->executable = tl_cursor_byte(&line) == 'x';
	region_ret->shared = tl_cursor_byte(&line) == 's';
	tl_cursor_expect(&line, ' ');
	region_ret->offset = tl_cursor_hex(&line);
	tl_cursor_expect(&line, ' ');
	(void)tl_cursor_until(&line, ' ');
	region_ret->file = tl_cursor_decimal(&line) != 0;
	while (tl_cursor_accept(&line, ' '))
		;
	*name_ret = line;
	length = tl_cursor_left(&line);
	if (length > sizeof(region_ret->name) - 1)
		length = sizeof(region_ret->name) - 1;
	memcpy(region_ret->name, line.at, length);
	return !line.failed;
}

bool tl_process_maps_next(struct maps *maps, struct tl_memory_region *region_ret)
{
	struct tl_cursor line = next_line(maps), name;

	return !tl_cursor_done(&line) && parse_region(line, region_ret, &name);
}

/* ---- With what smaps says besides ---- */

/* A line of what is said of a region: "Anonymous:            8 kB", "VmFlags: rd wr mr mw me ac". */
static void take_detail(struct tl_cursor line, struct tl_memory_region *region)
{
	struct tl_cursor key = tl_cursor_until(&line, ':');

	while (tl_cursor_accept(&line, ' '))
		;
	if (tl_cursor_equals(&key, "Anonymous") || tl_cursor_equals(&key, "Swap")) {
		region->own |= !region->shared && tl_cursor_decimal(&line) != 0;
	} else if (tl_cursor_equals(&key, "VmFlags")) {
		while (!tl_cursor_done(&line)) {
			struct tl_cursor flag = tl_cursor_until(&line, ' ');

			/* MADV_DONTDUMP; memory of a device. */
			region->left_out |= tl_cursor_equals(&flag, "dd") || tl_cursor_equals(&flag, "io");
		}
	}
}

static bool begins_region(const struct tl_cursor *line)
{
	int first = tl_cursor_peek(line);

	/* Its digits are lower-case, and the words of details begin with capitals. */
	return tl_hex_digit((tl_u8)first) >= 0 && !(first >= 'A' && first <= 'F');
}

bool tl_process_maps_each(const struct tl_process_calls *calls, pid_t process,
			  bool (*call)(void *context, const struct tl_memory_region *region, const char *name),
			  void *context)
{
	struct tl_memory_region region;
	struct maps maps;
	bool more = true, has = false;
	char name[PATH_MAX + 16]; /* " (deleted)" may follow the path */

	if (!open_file(&maps, calls, process, "smaps"))
		return false;
	while (more) {
		struct tl_cursor line = next_line(&maps), path;

		if (!tl_cursor_done(&line) && !begins_region(&line)) {
			if (has)
				take_detail(line, &region);
			continue;
		}
		more = !has || call(context, &region, name);
		has = more && !tl_cursor_done(&line) && parse_region(line, &region, &path);
		more = has;
		if (has) {
			tl_size length = tl_cursor_left(&path);

			if (length > sizeof(name) - 1)
				length = sizeof(name) - 1;
			memcpy(name, path.at, length);
			name[length] = '\0';
		}
	}
	tl_process_maps_close(&maps);
	return true;
}
