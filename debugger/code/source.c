#include "debugger/code/source.h"

#include "base/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_PATH "$cdir:$cwd"
#define FILES_MAX 64
/* Of a line no more is searched: what is longer was not written by a person. */
#define SEARCHED_MAX 65536
#define EXPRESSION_MAX 1024

struct rule {
	char *from, *to;
};

/* A file as it was asked for, and what was found. */
struct kept {
	char *asked, *directory; /* the latter NULL: not known */
	char *path, *bytes;
	tl_u32 *starts;
	tl_size start_capacity;
	struct tl_source_file source;
	dev_t device;
	ino_t inode;
	tl_u64 used; /* when it was asked for last, on the store's own clock */
};

struct tl_sources {
	char *path;
	struct rule *rules;
	tl_size rule_count, rule_capacity;
	struct kept *files; /* FILES_MAX of them, the free ones without `asked` */
	tl_u64 clock;
};

static char *copy_bytes(const char *bytes, tl_size size)
{
	char *copy = tl_allocate(tl_storage(), size + 1);

	if (copy != NULL)
		memcpy(copy, bytes, size);
	return copy;
}

static char *copy_text(const char *text)
{
	return copy_bytes(text, strlen(text));
}

static void release_text(char *text)
{
	if (text != NULL)
		tl_release(tl_storage(), text, strlen(text) + 1);
}

/* ---- The store ---- */

static void drop(struct kept *file)
{
	release_text(file->asked);
	release_text(file->directory);
	release_text(file->path);
	tl_release(tl_storage(), file->bytes, file->source.size + 1);
	tl_release(tl_storage(), file->starts, file->start_capacity * sizeof(*file->starts));
	*file = (struct kept){0};
}

static void forget(struct tl_sources *sources)
{
	for (tl_size i = 0; i < FILES_MAX; i++)
		drop(&sources->files[i]);
}

static void remove_rule(struct tl_sources *sources, tl_size index)
{
	release_text(sources->rules[index].from);
	release_text(sources->rules[index].to);
	sources->rule_count--;
	memmove(&sources->rules[index], &sources->rules[index + 1],
		(sources->rule_count - index) * sizeof(*sources->rules));
}

enum tl_status tl_sources_open(struct tl_sources **sources_ret, struct tl_error *error)
{
	struct tl_sources *sources = tl_allocate(tl_storage(), sizeof(*sources));

	if (sources != NULL) {
		sources->files = tl_allocate(tl_storage(), FILES_MAX * sizeof(*sources->files));
		sources->path = copy_text(FIRST_PATH);
		if (sources->files != NULL && sources->path != NULL) {
			*sources_ret = sources;
			return TL_OK;
		}
	}
	tl_sources_close(sources);
	return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No memory for source files.");
}

void tl_sources_close(struct tl_sources *sources)
{
	if (sources == NULL)
		return;
	if (sources->files != NULL)
		forget(sources);
	tl_release(tl_storage(), sources->files, FILES_MAX * sizeof(*sources->files));
	while (sources->rule_count != 0)
		remove_rule(sources, sources->rule_count - 1);
	tl_release(tl_storage(), sources->rules, sources->rule_capacity * sizeof(*sources->rules));
	release_text(sources->path);
	tl_release(tl_storage(), sources, sizeof(*sources));
}

/* ---- Where to look ---- */

const char *tl_sources_path(const struct tl_sources *sources)
{
	return sources->path;
}

static enum tl_status set_path(struct tl_sources *sources, const char *path, struct tl_error *error)
{
	char *copy = copy_text(path);

	if (copy == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No memory for the list of folders.");
	release_text(sources->path);
	sources->path = copy;
	forget(sources);
	return TL_OK;
}

enum tl_status tl_sources_reset(struct tl_sources *sources, struct tl_error *error)
{
	return set_path(sources, FIRST_PATH, error);
}

/* The next folder of a list, behind colons (and blanks, if a person typed it); its size is 0 at the end. */
static const char *next_folder(const char *list, bool blanks, tl_size *size_ret)
{
	const char *separators = blanks ? ": \t\n" : ":";

	list += strspn(list, separators);
	*size_ret = strcspn(list, separators);
	return list;
}

static bool lists(const char *list, const char *folder, tl_size size)
{
	tl_size other;

	for (list = next_folder(list, false, &other); other != 0; list = next_folder(list + other, false, &other))
		if (other == size && memcmp(list, folder, size) == 0)
			return true;
	return false;
}

/* Writes a folder as it goes into the list: absolute, without slashes at its end. */
static void write_folder(struct tl_output *output, const char *folder, tl_size size)
{
	char current[PATH_MAX];
	const char *home = getenv("HOME");

	while (size > 1 && folder[size - 1] == '/')
		size--;
	if (folder[0] == '~' && home != NULL && (size == 1 || folder[1] == '/')) {
		tl_output_text(output, home);
		folder++;
		size--;
	} else if (folder[0] != '/' && folder[0] != '$' && getcwd(current, sizeof(current)) != NULL) {
		tl_output_text(output, current);
		if (size == 1 && folder[0] == '.')
			return;
		if (output->size == 0 || output->text[output->size - 1] != '/')
			tl_output_text(output, "/");
	}
	tl_output_bytes(output, folder, size);
}

static void append_folder(struct tl_output *list, const char *folder, tl_size size)
{
	if (size == 0 || lists(tl_output_string(list), folder, size))
		return;
	if (list->size != 0)
		tl_output_text(list, ":");
	tl_output_bytes(list, folder, size);
}

enum tl_status tl_sources_add(struct tl_sources *sources, const char *folders, struct tl_error *error)
{
	struct tl_output list = tl_output_make(1 << 20), folder = tl_output_make(PATH_MAX);
	const char *next;
	tl_size size;
	enum tl_status status;

	for (next = next_folder(folders, true, &size); size != 0; next = next_folder(next + size, true, &size)) {
		tl_output_reset(&folder);
		write_folder(&folder, next, size);
		if (folder.status != TL_OK)
			break;
		append_folder(&list, tl_output_string(&folder), folder.size);
	}
	for (next = next_folder(sources->path, false, &size); size != 0; next = next_folder(next + size, false, &size))
		append_folder(&list, next, size);
	status = tl_output_status(&folder, error);
	if (status == TL_OK)
		status = tl_output_status(&list, error);
	if (status == TL_OK)
		status = set_path(sources, tl_output_string(&list), error);
	tl_output_release(&folder);
	tl_output_release(&list);
	return status;
}

/* The size of a path without slashes at its end. */
static tl_size trimmed(const char *path)
{
	tl_size size = strlen(path);

	while (size > 1 && path[size - 1] == '/')
		size--;
	return size;
}

/* The number of rules when there is none of that beginning. */
static tl_size find_rule(const struct tl_sources *sources, const char *from)
{
	tl_size size = trimmed(from), i;

	for (i = 0; i < sources->rule_count; i++)
		if (strlen(sources->rules[i].from) == size && memcmp(sources->rules[i].from, from, size) == 0)
			break;
	return i;
}

enum tl_status tl_sources_substitute(struct tl_sources *sources, const char *from, const char *to,
				     struct tl_error *error)
{
	struct rule rule;
	void *rules = sources->rules;
	tl_size old = find_rule(sources, from);

	if (from[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "First argument must be at least one character long.");
	rule = (struct rule){copy_bytes(from, trimmed(from)), copy_bytes(to, trimmed(to))};
	if (rule.from == NULL || rule.to == NULL ||
	    !tl_grow(tl_storage(), &rules, &sources->rule_capacity, sources->rule_count, sizeof(rule))) {
		release_text(rule.from);
		release_text(rule.to);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No memory for a rule.");
	}
	sources->rules = rules;
	sources->rules[sources->rule_count++] = rule;
	if (old + 1 < sources->rule_count)
		remove_rule(sources, old);
	forget(sources);
	return TL_OK;
}

enum tl_status tl_sources_unsubstitute(struct tl_sources *sources, const char *from, struct tl_error *error)
{
	tl_size index = from != NULL ? find_rule(sources, from) : 0;

	if (from != NULL && index == sources->rule_count)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "No substitution rule defined for `%.200s'", from);
	while (index < sources->rule_count) {
		remove_rule(sources, index);
		if (from != NULL)
			break;
	}
	forget(sources);
	return TL_OK;
}

bool tl_sources_rule(const struct tl_sources *sources, tl_size index, const char **from_ret, const char **to_ret)
{
	if (index >= sources->rule_count)
		return false;
	*from_ret = sources->rules[index].from;
	*to_ret = sources->rules[index].to;
	return true;
}

/* ---- Finding a file ---- */

/* Is `from` the path, or a folder at its beginning? */
static bool begins(const char *path, const char *from, tl_size *size_ret)
{
	tl_size size = strlen(from);

	if (strncmp(path, from, size) != 0)
		return false;
	*size_ret = size;
	return path[size] == '\0' || path[size] == '/' || from[size - 1] == '/';
}

/* Writes a path as the rules have it. */
static void rewrite(const struct tl_sources *sources, const char *path, struct tl_output *output)
{
	tl_output_reset(output);
	for (tl_size i = 0; i < sources->rule_count; i++) {
		tl_size size;

		if (!begins(path, sources->rules[i].from, &size))
			continue;
		tl_output_text(output, sources->rules[i].to);
		path += size;
		if (output->size != 0 && output->text[output->size - 1] != '/' && path[0] != '/' && path[0] != '\0')
			tl_output_text(output, "/");
		break;
	}
	tl_output_text(output, path);
}

/* What is looked for, and what came of it so far. */
struct search {
	const struct tl_sources *sources;
	const char *directory;  /* of the compilation, by the rules; NULL: not known */
	struct tl_output *path; /* of what was opened */
	int descriptor;         /* below 0: nothing yet */
	struct stat facts;
	int reason; /* errno of the first attempt that failed in an uncommon way */
};

/* Opens what is at search->path if it is a regular file. */
static bool try_path(struct search *search)
{
	int descriptor, reason = 0;

	if (search->path->status != TL_OK)
		return false;
	/* A pipe would keep us waiting for somebody to write into it. */
	descriptor = open(tl_output_string(search->path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (descriptor < 0 || fstat(descriptor, &search->facts) != 0)
		reason = errno;
	else if (!S_ISREG(search->facts.st_mode))
		reason = S_ISDIR(search->facts.st_mode) ? EISDIR : EINVAL;
	if (reason == 0) {
		search->descriptor = descriptor;
		return true;
	}
	if (descriptor >= 0)
		close(descriptor);
	if (search->reason == 0 && reason != ENOENT && reason != ENOTDIR)
		search->reason = reason;
	return false;
}

/* Tries a name in a folder of the list. */
static bool try_folder(struct search *search, const char *folder, tl_size size, const char *name)
{
	char current[PATH_MAX];

	tl_output_reset(search->path);
	if (size == 5 && memcmp(folder, "$cdir", 5) == 0) {
		if (search->directory == NULL)
			return false;
		tl_output_text(search->path, search->directory);
	} else if (size == 4 && memcmp(folder, "$cwd", 4) == 0) {
		if (getcwd(current, sizeof(current)) == NULL)
			return false;
		tl_output_text(search->path, current);
	} else {
		tl_output_bytes(search->path, folder, size);
	}
	tl_output_text(search->path, "/");
	tl_output_text(search->path, name + strspn(name, "/"));
	return try_path(search);
}

static bool try_folders(struct search *search, const char *name)
{
	const char *list = search->sources->path;
	tl_size size;

	for (list = next_folder(list, false, &size); size != 0; list = next_folder(list + size, false, &size))
		if (try_folder(search, list, size, name))
			return true;
	return false;
}

/* A path that leads up from where the compiler worked, as #line has it, tells where that was: the file may be there. */
static bool try_where_compiled(struct search *search, const char *name, const char *base)
{
	const char *up = strstr(name, "/../");

	return search->directory == NULL && name[0] == '/' && up != NULL &&
	       try_folder(search, name, (tl_size)(up - name), base);
}

/* `name` is by the rules. */
static bool find(struct search *search, const char *name)
{
	const char *base = strrchr(name, '/');
	tl_size size;

	if (name[0] == '/') {
		tl_output_text(search->path, name);
		if (try_path(search))
			return true;
	}
	if (try_folders(search, name))
		return true;
	if (name[0] == '/' && search->directory != NULL && search->directory[0] != '\0' &&
	    begins(name, search->directory, &size) && try_folders(search, name + size))
		return true;
	return base != NULL && base[1] != '\0' &&
	       (try_folders(search, base + 1) || try_where_compiled(search, name, base + 1));
}

/* ---- Reading a file ---- */

static bool index_lines(struct kept *file)
{
	struct tl_source_file *source = &file->source;
	const char *at = file->bytes, *end = file->bytes + source->size;

	for (tl_size count = 0;; count++) {
		void *starts = file->starts;

		if (!tl_grow(tl_storage(), &starts, &file->start_capacity, count, sizeof(*file->starts)))
			return false;
		file->starts = starts;
		file->starts[count] = (tl_u32)(at - file->bytes);
		source->line_count = (tl_u32)count;
		if (at == end)
			return true;
		at = memchr(at, '\n', (tl_size)(end - at));
		at = at != NULL ? at + 1 : end;
	}
}

/* Reads at most what the file had when it was looked at; it may have become shorter meanwhile. */
static enum tl_status read_bytes(struct kept *file, int descriptor, tl_size size, struct tl_error *error)
{
	tl_size done = 0;

	while (done < size) {
		ssize_t got = read(descriptor, file->bytes + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return TL_FAIL(error, TL_ERROR_SYSTEM, "%.200s: %s.", file->asked, strerror(errno));
		if (got == 0)
			break;
		done += (tl_size)got;
	}
	/* The rest is given back, so that the storage is as long as the source. */
	if (done < size) {
		char *less = tl_storage()->resize(tl_storage()->context, file->bytes, size + 1, done + 1);

		if (less == NULL)
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No memory for %.200s.", file->asked);
		file->bytes = less;
		file->source.size = done;
	}
	file->bytes[done] = '\0';
	return TL_OK;
}

static tl_i64 nanoseconds(const struct timespec *time)
{
	return (tl_i64)time->tv_sec * 1000000000 + time->tv_nsec;
}

static enum tl_status read_file(struct kept *file, const struct search *search, struct tl_error *error)
{
	char real[PATH_MAX];
	const char *path = tl_output_string(search->path);

	if (search->facts.st_size > (off_t)TL_SOURCE_SIZE_MAX)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "%.200s has more than %u MiB, which is too much for a source.",
			       path, (unsigned)(TL_SOURCE_SIZE_MAX >> 20));
	file->path = copy_text(realpath(path, real) != NULL ? real : path);
	file->bytes = tl_allocate(tl_storage(), (tl_size)search->facts.st_size + 1);
	if (file->bytes != NULL)
		file->source.size = (tl_size)search->facts.st_size;
	if (file->path == NULL || file->bytes == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No memory for %.200s.", path);
	TL_TRY(read_bytes(file, search->descriptor, file->source.size, error));
	if (!index_lines(file))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No memory for the lines of %.200s.", path);
	file->device = search->facts.st_dev;
	file->inode = search->facts.st_ino;
	file->source.path = file->path;
	file->source.bytes = file->bytes;
	file->source.starts = file->starts;
	file->source.modified = nanoseconds(&search->facts.st_mtim);
	return TL_OK;
}

static bool same_text(const char *left, const char *right)
{
	return left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;
}

/* What was kept of a file, if it is as it was. */
static struct kept *recall(struct tl_sources *sources, const char *path, const char *directory)
{
	for (tl_size i = 0; i < FILES_MAX; i++) {
		struct kept *file = &sources->files[i];
		struct stat now;

		if (file->asked == NULL || strcmp(file->asked, path) != 0 || !same_text(file->directory, directory))
			continue;
		if (stat(file->path, &now) == 0 && now.st_dev == file->device && now.st_ino == file->inode &&
		    now.st_size == (off_t)file->source.size && nanoseconds(&now.st_mtim) == file->source.modified)
			return file;
		drop(file);
		return NULL;
	}
	return NULL;
}

/* Drops those that were not asked for in the longest time until there is room for another one of `size` bytes. */
static struct kept *make_room(struct tl_sources *sources, tl_size size)
{
	for (;;) {
		struct kept *room = NULL, *oldest = NULL;
		tl_size total = size;

		for (tl_size i = 0; i < FILES_MAX; i++) {
			struct kept *file = &sources->files[i];

			total += file->source.size;
			if (file->asked == NULL)
				room = file;
			else if (oldest == NULL || file->used < oldest->used)
				oldest = file;
		}
		if (oldest == NULL || (room != NULL && total <= TL_SOURCE_SIZE_MAX))
			return room;
		drop(oldest);
	}
}

static enum tl_status find_and_read(struct tl_sources *sources, struct search *search, const char *name,
				    struct kept *file, struct tl_error *error)
{
	struct kept *room;
	enum tl_status status;

	if (name[0] == '\0' || !find(search, name))
		return TL_FAIL(error, TL_ERROR_SYSTEM, "%.250s: %s.", file->asked,
			       strerror(search->reason != 0 ? search->reason : ENOENT));
	status = read_file(file, search, error);
	close(search->descriptor);
	TL_TRY(status);
	room = make_room(sources, file->source.size);
	*room = *file;
	*file = (struct kept){0};
	room->used = ++sources->clock;
	return TL_OK;
}

enum tl_status tl_sources_find(struct tl_sources *sources, const char *path, const char *directory,
			       const struct tl_source_file **source_ret, struct tl_error *error)
{
	struct tl_output name = tl_output_make(PATH_MAX), folder = tl_output_make(PATH_MAX),
			 opened = tl_output_make(PATH_MAX);
	struct search search = {.sources = sources, .path = &opened, .descriptor = -1};
	struct kept *known = recall(sources, path, directory), file = {0};
	enum tl_status status = TL_OK;

	if (known == NULL) {
		rewrite(sources, path, &name);
		if (directory != NULL) {
			rewrite(sources, directory, &folder);
			search.directory = tl_output_string(&folder);
			file.directory = copy_text(directory);
		}
		file.asked = copy_text(path);
		if (file.asked == NULL || (directory != NULL && file.directory == NULL))
			status = TL_FAIL(error, TL_ERROR_NO_MEMORY, "No memory for a source file.");
		else if (name.status != TL_OK || folder.status != TL_OK)
			status = TL_FAIL(error, TL_ERROR_TOO_LONG, "%.200s: File name too long.", path);
		else
			status = find_and_read(sources, &search, tl_output_string(&name), &file, error);
		drop(&file);
		known = status == TL_OK ? recall(sources, path, directory) : NULL;
	}
	tl_output_release(&name);
	tl_output_release(&folder);
	tl_output_release(&opened);
	TL_TRY(status);
	if (known == NULL)
		return TL_FAIL(error, TL_ERROR_SYSTEM, "%.200s changes while it is read: try again.", path);
	known->used = ++sources->clock;
	*source_ret = &known->source;
	return TL_OK;
}

/* ---- Lines ---- */

bool tl_source_file_line(const struct tl_source_file *source, tl_u32 line, const char **bytes_ret, tl_size *size_ret)
{
	const char *start, *end;

	if (line == 0 || line > source->line_count)
		return false;
	start = source->bytes + source->starts[line - 1];
	end = source->bytes + source->starts[line];
	if (end > start && end[-1] == '\n')
		end--;
	if (end > start && end[-1] == '\r')
		end--;
	*bytes_ret = start;
	*size_ret = (tl_size)(end - start);
	return true;
}

void tl_source_file_write(struct tl_output *output, const char *bytes, tl_size size)
{
	tl_size plain = 0; /* bytes before the next that cannot be written as they are */

	for (tl_size i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		char shown[2] = {'^', (char)(byte ^ 0x40)};

		if ((byte >= 0x20 || byte == '\t') && byte != 0x7f)
			continue;
		tl_output_bytes(output, bytes + plain, i - plain);
		tl_output_bytes(output, shown, sizeof(shown));
		plain = i + 1;
	}
	tl_output_bytes(output, bytes + plain, size - plain);
}

bool tl_source_file_newer(const struct tl_source_file *source, const char *program)
{
	struct stat facts;

	return stat(program, &facts) == 0 && source->modified > nanoseconds(&facts.st_mtim);
}

/* Is there a back-reference in a basic regular expression? */
static bool refers_back(const char *expression)
{
	for (const char *at = expression; *at != '\0'; at++) {
		if (*at != '\\')
			continue;
		at++;
		if (*at >= '1' && *at <= '9')
			return true;
		if (*at == '\0')
			break;
	}
	return false;
}

static bool line_matches(const struct tl_source_file *source, const regex_t *compiled, tl_u32 line)
{
	const char *bytes;
	tl_size size;
	regmatch_t match = {0};

	if (!tl_source_file_line(source, line, &bytes, &size))
		return false;
	match.rm_eo = (regoff_t)(size < SEARCHED_MAX ? size : SEARCHED_MAX);
	return regexec(compiled, bytes, 1, &match, REG_STARTEND) == 0;
}

enum tl_status tl_source_file_search(const struct tl_source_file *source, const char *expression, tl_u32 line,
				     bool backwards, tl_u32 *line_ret, struct tl_error *error)
{
	regex_t compiled;
	char why[128];
	int failure;

	if (strlen(expression) > EXPRESSION_MAX || refers_back(expression))
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "A regular expression to search for may not be long, and not refer back (\\1).");
	failure = regcomp(&compiled, expression, 0);
	if (failure != 0) {
		(void)regerror(failure, &compiled, why, sizeof(why));
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "%s in regular expression `%.100s'.", why, expression);
	}
	if (backwards && line > source->line_count)
		line = source->line_count;
	while (line > 0 && line <= source->line_count && !line_matches(source, &compiled, line))
		line += backwards ? (tl_u32)-1 : 1;
	*line_ret = line <= source->line_count ? line : 0;
	regfree(&compiled);
	return TL_OK;
}
