#include "debugger/modules/memory_search.h"

#include "base/storage.h"

#include <string.h>

/* How much is read at once; and the smallest part that can be readable by itself. */
#define CHUNK ((tl_size)1 << 20)
#define PAGE 4096u

/*
 * Reads as much as there is, up to `size`: all, or, where that cannot be, whole pages from the front. Returns how much.
 */
static tl_u64 read_front(const struct tl_modules *modules, tl_u64 address, tl_u8 *buffer, tl_u64 size,
			 struct tl_error *error)
{
	tl_u64 done = 0;

	if (tl_modules_read(modules, address, buffer, size, error) == TL_OK)
		return size;
	while (done < size) {
		tl_u64 part = PAGE - ((address + done) & (PAGE - 1));

		if (part > size - done)
			part = size - done;
		if (tl_modules_read(modules, address + done, buffer + done, part, error) != TL_OK)
			break;
		done += part;
	}
	return done;
}

enum tl_status tl_memory_search(const struct tl_modules *modules, tl_u64 start, tl_u64 size, const void *bytes,
				tl_size count, const struct tl_patience *patience,
				bool (*call)(void *context, tl_u64 address), void *context, struct tl_error *error)
{
	tl_u64 room = CHUNK + count;
	tl_u8 *buffer = tl_allocate(tl_storage(), room);
	enum tl_status status = TL_OK;
	bool more = buffer != NULL;

	if (buffer == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory to search in");
	while (more && status == TL_OK && count != 0 && size >= count) {
		tl_u64 wanted = size < room ? size : room, got = read_front(modules, start, buffer, wanted, error);
		const tl_u8 *at = buffer, *end = buffer + got;

		while (more && (at = memmem(at, (tl_size)(end - at), bytes, count)) != NULL) {
			more = call(context, start + (tl_u64)(at - buffer));
			at++;
		}
		if (got < wanted) {
			status = TL_FAIL(error, TL_ERROR_MEMORY,
					 "Unable to access %llu bytes of target memory at 0x%llx, halting search.",
					 (unsigned long long)(wanted - got), (unsigned long long)(start + got));
		} else if (patience != NULL && patience->waiting != NULL && !patience->waiting(patience->context)) {
			status = TL_FAIL(error, TL_ERROR_CANCELLED, "Quit");
		}
		/* The end of this part may be the front of a pattern. */
		got -= count - 1;
		start += got;
		size -= got;
	}
	tl_release(tl_storage(), buffer, room);
	return status;
}
