#include "targets/process/maps.h"

#include "core/cursor.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

bool tl_process_maps_open(struct maps *maps, const struct tl_process_calls *calls, pid_t process)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)process);
	maps->calls = calls;
	maps->start = maps->end = 0;
	maps->descriptor = calls->open(path, O_RDONLY);
	return maps->descriptor >= 0;
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

/* "00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/dbus-daemon" (proc_pid_maps(5)). */
bool tl_process_maps_next(struct maps *maps, struct tl_memory_region *region_ret)
{
	struct tl_cursor line = next_line(maps), word;
	tl_size length;
	tl_u64 end;

	if (tl_cursor_done(&line))
		return false;
	*region_ret = (struct tl_memory_region){.mapped = true};
	region_ret->start = tl_cursor_hex(&line);
	tl_cursor_expect(&line, '-');
	end = tl_cursor_hex(&line);
	tl_cursor_expect(&line, ' ');
	region_ret->size = end - region_ret->start;
	region_ret->readable = tl_cursor_byte(&line) == 'r';
	region_ret->writable = tl_cursor_byte(&line) == 'w';
	region_ret->executable = tl_cursor_byte(&line) == 'x';
	(void)tl_cursor_until(&line, ' ');
	for (int field = 0; field < 3; field++)
		(void)tl_cursor_until(&line, ' ');
	while (tl_cursor_accept(&line, ' '))
		;
	word = line;
	length = tl_cursor_left(&word);
	if (length > sizeof(region_ret->name) - 1)
		length = sizeof(region_ret->name) - 1;
	memcpy(region_ret->name, word.at, length);
	return !line.failed;
}
