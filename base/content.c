#include "base/content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static enum tl_status read_open(struct tl_content *content, int descriptor, struct tl_error *error)
{
	struct stat about;

	if (fstat(descriptor, &about) != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_MALFORMED, "%s cannot be read", content->path);
	if (!S_ISREG(about.st_mode))
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s is no file%s", content->path,
			       S_ISDIR(about.st_mode) ? ": it is a directory" : "");
	if (about.st_size == 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s is empty: it was not made, or not copied", content->path);
	if ((tl_u64)about.st_size > TL_CONTENT_MAX)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s is too large to be loaded: it has more than %llu GiB",
			       content->path, (unsigned long long)(TL_CONTENT_MAX >> 30));
	content->bytes = malloc((size_t)about.st_size);
	if (content->bytes == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no room for %s", content->path);
	while (content->size < (tl_u64)about.st_size) {
		ssize_t got = read(descriptor, content->bytes + content->size, (size_t)about.st_size - content->size);

		if (got <= 0 && !(got < 0 && errno == EINTR))
			return got == 0 ? TL_FAIL(error, TL_ERROR_TRUNCATED, "%s became shorter while it was read",
						  content->path)
					: TL_FAIL_ERRNO(error, TL_ERROR_MALFORMED, "%s cannot be read", content->path);
		if (got > 0)
			content->size += (tl_u64)got;
	}
	return TL_OK;
}

enum tl_status tl_content_read(struct tl_content *content_ret, const char *path, struct tl_error *error)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum tl_status status;

	*content_ret = (struct tl_content){.path = path};
	if (descriptor < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_ARGUMENT, "%s cannot be opened", path);
	status = read_open(content_ret, descriptor, error);
	(void)close(descriptor);
	if (status != TL_OK)
		tl_content_free(content_ret);
	return status;
}

void tl_content_free(struct tl_content *content)
{
	free(content->bytes);
	content->bytes = NULL;
	content->size = 0;
}

bool tl_content_is_elf(const struct tl_content *content)
{
	return content->size >= 4 && tl_same(content->bytes, "\177ELF", 4);
}

enum tl_status tl_content_read_elf(void *context, tl_u64 offset, void *buffer, tl_size size)
{
	const struct tl_content *content = context;

	if (offset > content->size || size > content->size - offset)
		return TL_ERROR_TRUNCATED;
	tl_copy(buffer, content->bytes + offset, size);
	return TL_OK;
}
