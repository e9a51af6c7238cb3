/*
 * How long the index of a program takes: `bench-index PROGRAM [FUNCTION [THREADS [FOLDER]]]` prints one line a phase.
 * With a folder the index is kept there, and taken from there the next time. Not installed; bench/run.py has nothing to
 * do with it.
 */
#include "base/storage.h"
#include "symbols/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void phase(const char *name, double *since)
{
	struct rusage usage;
	double at = now();

	(void)getrusage(RUSAGE_SELF, &usage);
	printf("%-10s %8.1f ms   user %.0f ms system %.0f ms   peak %ld MB\n", name, (at - *since) * 1e3,
	       (double)usage.ru_utime.tv_sec * 1e3 + (double)usage.ru_utime.tv_usec / 1e3,
	       (double)usage.ru_stime.tv_sec * 1e3 + (double)usage.ru_stime.tv_usec / 1e3, usage.ru_maxrss / 1024);
	*since = now();
}

static bool print(void *context, const struct tl_indexed *found)
{
	unsigned *count = context;
	char scope[256];

	(void)tl_index_scope(found->unit != NULL ? (const struct tl_index *)((void **)context)[1] : NULL, found->scope,
			     scope, sizeof(scope));
	if ((*count)++ < 8)
		printf("  %s%s%s: %s at 0x%llx of %s, kind %u, flags %u\n", scope, scope[0] != 0 ? "::" : "",
		       found->name, tl_dwarf_tag_name(found->tag), (unsigned long long)found->offset,
		       found->unit->name != NULL ? found->unit->name : "?", found->kind, found->flags);
	return true;
}

static int complain(const struct tl_error *error)
{
	fprintf(stderr, "bench-index: %s\n", error->text);
	return 1;
}

int main(int count, char **arguments)
{
	struct tl_index_options options = {.threads = count > 3 ? (unsigned)strtoul(arguments[3], NULL, 10) : 0};
	struct tl_image *image = NULL;
	struct tl_dwarf *dwarf = NULL;
	struct tl_index *index = NULL;
	struct tl_error error;
	tl_size names, entries;
	void *context[2] = {NULL, NULL};
	double start = now(), since = start;

	if (count < 2) {
		fprintf(stderr, "bench-index PROGRAM [FUNCTION [THREADS [FOLDER]]]\n");
		return 1;
	}
	if (tl_image_open(&image, arguments[1], NULL, &error) != TL_OK)
		return complain(&error);
	phase("image", &since);
	if (tl_dwarf_open(&dwarf, image, &error) != TL_OK)
		return complain(&error);
	phase("units", &since);
	if (count > 4 && tl_cache_load(&index, dwarf, arguments[4], NULL) == TL_OK) {
		phase("load", &since);
	} else {
		if (tl_index_build(&index, dwarf, &options, &error) != TL_OK)
			return complain(&error);
		phase("index", &since);
		if (count > 4 && tl_cache_save(index, arguments[4], TL_CACHE_LIMIT, &error) != TL_OK)
			return complain(&error);
		if (count > 4)
			phase("save", &since);
	}
	if (count > 2) {
		context[1] = index;
		if (tl_index_find(index, arguments[2], TL_INDEX_ALL, print, context, &error) != TL_OK)
			return complain(&error);
		phase("find", &since);
	}
	tl_index_counts(index, &names, &entries);
	printf("%zu units, %zu names, %zu entries, %.1f MB; %.1f ms in all\n", tl_dwarf_unit_count(dwarf), names,
	       entries, (double)tl_storage_live() / 1e6, (now() - start) * 1e3);
	tl_index_close(index);
	tl_dwarf_close(dwarf);
	tl_image_close(image);
	return 0;
}
