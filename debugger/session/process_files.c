#include "debugger/session/process_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Regions that are asked for one by one: a target that goes in circles ends here. */
#define REGIONS_MAX 1000000u

bool tl_process_is_here(struct tl_session *session)
{
	return strcmp(tl_engine_target(tl_session_engine(session))->ops->name, "process") == 0;
}

static enum tl_status path_of(struct tl_session *session, tl_u64 process, const char *name, char path_ret[PATH_MAX],
			      struct tl_error *error)
{
	(void)snprintf(path_ret, PATH_MAX, "/proc/%llu/%s", (unsigned long long)process, name);
	return tl_process_is_here(session)
		       ? TL_OK
		       : TL_FAIL(error, TL_ERROR_UNSUPPORTED, "unable to open /proc file '%s'", path_ret);
}

enum tl_status tl_process_read(struct tl_session *session, tl_u64 process, const char *name, struct tl_output *output,
			       struct tl_error *error)
{
	char path[PATH_MAX], buffer[4096];
	ssize_t done;
	int file;

	TL_TRY(path_of(session, process, name, path, error));
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return TL_FAIL(error, TL_ERROR_SYSTEM, "unable to open /proc file '%s'", path);
	while ((done = read(file, buffer, sizeof(buffer))) > 0)
		tl_output_bytes(output, buffer, (tl_size)done);
	(void)close(file);
	return tl_output_status(output, error);
}

enum tl_status tl_process_link(struct tl_session *session, tl_u64 process, const char *name, struct tl_output *output,
			       struct tl_error *error)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t size;

	TL_TRY(path_of(session, process, name, path, error));
	size = readlink(path, target, sizeof(target));
	if (size < 0)
		return TL_FAIL(error, TL_ERROR_SYSTEM, "unable to read link '%s'", path);
	tl_output_bytes(output, target, (tl_size)size);
	return tl_output_status(output, error);
}

static int by_number(const struct dirent **left, const struct dirent **right)
{
	return atoi((*left)->d_name) - atoi((*right)->d_name);
}

static int is_number(const struct dirent *entry)
{
	return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

enum tl_status tl_process_descriptors(struct tl_session *session, tl_u64 process,
				      bool (*call)(void *context, int descriptor, const char *path), void *context,
				      struct tl_error *error)
{
	struct dirent **entries;
	char path[PATH_MAX];
	bool more = true;
	int count;

	TL_TRY(path_of(session, process, "fd", path, error));
	count = scandir(path, &entries, is_number, by_number);
	if (count < 0)
		return TL_FAIL(error, TL_ERROR_SYSTEM, "unable to open /proc file '%s'", path);
	for (int i = 0; i < count; i++) {
		struct tl_output target = tl_output_make(PATH_MAX);
		char name[NAME_MAX + 4];

		(void)snprintf(name, sizeof(name), "fd/%s", entries[i]->d_name);
		if (more && tl_process_link(session, process, name, &target, NULL) == TL_OK)
			more = call(context, atoi(entries[i]->d_name), tl_output_string(&target));
		tl_output_release(&target);
		free(entries[i]);
	}
	free(entries);
	return TL_OK;
}

enum tl_status tl_process_object(struct tl_session *session, enum tl_object object, struct tl_output *output,
				 struct tl_error *error)
{
	struct tl_target *target = tl_engine_target(tl_session_engine(session));
	enum tl_status status = TL_ERROR_UNSUPPORTED;
	char buffer[4096];
	tl_size done = 1;

	while (target->ops->read_object != NULL && done != 0) {
		status = target->ops->read_object(target, tl_session_thread(session), object, output->size, buffer,
						  sizeof(buffer), &done);
		if (status != TL_OK)
			break;
		tl_output_bytes(output, buffer, done);
		TL_TRY(tl_output_status(output, error));
	}
	return status == TL_OK ? TL_OK : TL_FAIL(error, status, "The target does not tell.");
}

static enum tl_status one_by_one(struct tl_target *target, tl_u64 process,
				 bool (*call)(void *context, const struct tl_memory_region *region, const char *name),
				 void *context)
{
	struct tl_memory_region region;
	tl_u64 address = 0;

	for (unsigned i = 0; i < REGIONS_MAX; i++) {
		TL_TRY(target->ops->memory_region(target, process, address, &region));
		if (region.mapped && !call(context, &region, region.name))
			return TL_OK;
		if (region.size == 0 || region.start + region.size <= address)
			return TL_OK;
		address = region.start + region.size;
	}
	return TL_OK;
}

enum tl_status tl_process_regions(struct tl_session *session, tl_u64 process,
				  bool (*call)(void *context, const struct tl_memory_region *region, const char *name),
				  void *context, struct tl_error *error)
{
	struct tl_target *target = tl_engine_target(tl_session_engine(session));
	enum tl_status status = TL_ERROR_UNSUPPORTED;

	if (target->ops->regions != NULL)
		status = target->ops->regions(target, process, call, context);
	else if (target->ops->memory_region != NULL)
		status = one_by_one(target, process, call, context);
	return status == TL_OK ? TL_OK : TL_FAIL(error, status, "The target does not tell what memory is mapped.");
}
