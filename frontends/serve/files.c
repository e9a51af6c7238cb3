#include "frontends/serve/files.h"
#include "frontends/serve/maps.h"
#include "frontends/serve/md5.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* So that a client cannot use up the server's descriptors. */
#define OPEN_MAX_PER_CLIENT 256

#define EUNKNOWN_WIRE 9999

/* The longest file that is read through while the client waits: about a second's work. lldb fetches longer ones. */
#define DIGEST_MAX ((off_t)256 << 20)

struct tl_files {
	const struct tl_file_calls *calls;
	struct tl_engine *elsewhere; /* its processes are not this system's; NULL: they are */
	int root;                    /* of the process chosen by setfs; -1: the server's own */
	int open[OPEN_MAX_PER_CLIENT];
	tl_size open_count;
};

struct tl_files *tl_files_create(const struct tl_file_calls *calls)
{
	struct tl_files *files = calloc(1, sizeof(*files));

	if (files == NULL)
		return NULL;
	files->calls = calls;
	files->root = -1;
	return files;
}

void tl_files_set_elsewhere(struct tl_files *files, struct tl_engine *engine)
{
	files->elsewhere = engine;
}

void tl_files_destroy(struct tl_files *files)
{
	if (files == NULL)
		return;
	for (tl_size i = 0; i < files->open_count; i++)
		(void)files->calls->close(files->open[i]);
	if (files->root >= 0)
		(void)files->calls->close(files->root);
	free(files);
}

unsigned tl_files_wire_error(int system)
{
	/* Most have the numbers of Linux; these two are out of line. */
	switch (system) {
	case EPERM:
	case ENOENT:
	case EINTR:
	case EIO:
	case EBADF:
	case EACCES:
	case EFAULT:
	case EBUSY:
	case EEXIST:
	case ENODEV:
	case ENOTDIR:
	case EISDIR:
	case EINVAL:
	case ENFILE:
	case EMFILE:
	case EFBIG:
	case ENOSPC:
	case ESPIPE:
	case EROFS:
		return (unsigned)system;
	case ENOSYS:
		return 88;
	case ENAMETOOLONG:
		return 91;
	default:
		return EUNKNOWN_WIRE;
	}
}

static enum tl_status answer_error(struct tl_writer *reply, int system)
{
	tl_write_text(reply, "F-1,");
	tl_write_hex(reply, tl_files_wire_error(system));
	return TL_OK;
}

static enum tl_status answer_number(struct tl_writer *reply, tl_u64 value)
{
	tl_write_text(reply, "F");
	tl_write_hex(reply, value);
	return TL_OK;
}

/* F COUNT ; DATA, with as many of the bytes as the packet takes. */
static enum tl_status answer_data(struct tl_writer *reply, const tl_u8 *bytes, tl_size size, bool partly)
{
	tl_size room = tl_writer_room(reply), fits = 0, used = 18; /* F, sixteen digits, ; */

	while (fits < size) {
		tl_u8 byte = bytes[fits];

		used += byte == '$' || byte == '#' || byte == '}' || byte == '*' ? 2 : 1;
		if (used > room)
			break;
		fits++;
	}
	if (fits < size && !partly)
		return answer_error(reply, ENAMETOOLONG);
	(void)answer_number(reply, fits);
	tl_write_byte(reply, ';');
	if (!tl_rsp_write_binary(reply, bytes, fits))
		return TL_ERROR_TOO_LONG;
	return TL_OK;
}

/* A hexadecimal file name up to a comma or the end, PATH_MAX with its final zero; false when it is malformed. */
static bool read_path(struct tl_cursor *arguments, char path[PATH_MAX])
{
	struct tl_cursor text = tl_cursor_until(arguments, ',');
	tl_size size = tl_cursor_left(&text) / 2;

	if (tl_cursor_left(&text) % 2 != 0 || size == 0 || size >= PATH_MAX)
		return false;
	tl_cursor_hex_bytes(&text, path, size);
	path[size] = '\0';
	return !text.failed && memchr(path, '\0', size) == NULL;
}

/* One of the descriptors that this client opened; -1 for any other. */
static int read_descriptor(struct tl_files *files, struct tl_cursor *arguments)
{
	tl_u64 value = tl_cursor_hex(arguments);

	if (arguments->failed)
		return -1;
	for (tl_size i = 0; i < files->open_count; i++)
		if ((tl_u64)files->open[i] == value)
			return files->open[i];
	return -1;
}

static bool finished(const struct tl_cursor *arguments)
{
	return !arguments->failed && tl_cursor_done(arguments);
}

static enum tl_status handle_setfs(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				   struct tl_writer *reply)
{
	struct tl_files *files = context;
	tl_u64 process = tl_cursor_hex(arguments);
	int root = -2;

	(void)rsp;
	if (!finished(arguments))
		return answer_error(reply, EINVAL);
	/* A process of elsewhere may bear the number of one that is here. */
	if (process != 0 && files->elsewhere == NULL) {
		root = files->calls->root_of(process);
		if (root == -1)
			return answer_error(reply, errno);
	}
	if (files->root >= 0)
		(void)files->calls->close(files->root);
	files->root = root >= 0 ? root : -1;
	return answer_number(reply, 0);
}

/* The flags of the File-I/O protocol; false for a bit that it does not have. */
static bool read_flags(tl_u64 wire, int *flags_ret)
{
	static const struct {
		tl_u64 wire;
		int flag;
	} bits[] = {{0x8, O_APPEND}, {0x200, O_CREAT}, {0x400, O_TRUNC}, {0x800, O_EXCL}};
	static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
	int flags;

	if ((wire & 3) == 3)
		return false;
	flags = modes[wire & 3];
	wire &= ~(tl_u64)3;
	for (tl_size i = 0; i < TL_COUNT(bits); i++) {
		if ((wire & bits[i].wire) != 0)
			flags |= bits[i].flag;
		wire &= ~bits[i].wire;
	}
	*flags_ret = flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	return wire == 0;
}

static enum tl_status handle_open(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				  struct tl_writer *reply)
{
	struct tl_files *files = context;
	char path[PATH_MAX];
	tl_u64 wire_flags, mode;
	int flags, descriptor;

	(void)rsp;
	if (!read_path(arguments, path))
		return answer_error(reply, EINVAL);
	wire_flags = tl_cursor_hex(arguments);
	tl_cursor_expect(arguments, ',');
	mode = tl_cursor_hex(arguments);
	/* The mode may name the type of a regular file or a directory besides. */
	if (!finished(arguments) || !read_flags(wire_flags, &flags) || (mode & ~(tl_u64)0140777) != 0)
		return answer_error(reply, EINVAL);
	if (files->open_count == OPEN_MAX_PER_CLIENT)
		return answer_error(reply, EMFILE);
	descriptor = files->elsewhere != NULL ? tl_maps_open(files->elsewhere, path) : TL_MAPS_NOT_OURS;
	if (descriptor == TL_MAPS_NOT_OURS)
		descriptor = files->calls->open(files->root, path, flags, (mode_t)(mode & 0777));
	if (descriptor < 0)
		return answer_error(reply, errno);
	files->open[files->open_count++] = descriptor;
	return answer_number(reply, (tl_u64)descriptor);
}

static enum tl_status handle_close(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				   struct tl_writer *reply)
{
	struct tl_files *files = context;
	int descriptor = read_descriptor(files, arguments);

	(void)rsp;
	if (descriptor < 0 || !finished(arguments))
		return answer_error(reply, EBADF);
	for (tl_size i = 0; i < files->open_count; i++)
		if (files->open[i] == descriptor)
			files->open[i] = files->open[--files->open_count];
	/* Linux has closed it even where it reports an error. */
	if (files->calls->close(descriptor) != 0)
		return answer_error(reply, errno);
	return answer_number(reply, 0);
}

static enum tl_status handle_pread(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				   struct tl_writer *reply)
{
	struct tl_files *files = context;
	int descriptor = read_descriptor(files, arguments);
	tl_u64 size, offset;
	enum tl_status status;
	tl_u8 *bytes;
	ssize_t done;

	(void)rsp;
	tl_cursor_expect(arguments, ',');
	size = tl_cursor_hex(arguments);
	tl_cursor_expect(arguments, ',');
	offset = tl_cursor_hex(arguments);
	if (descriptor < 0 || !finished(arguments) || offset > (tl_u64)INT64_MAX)
		return answer_error(reply, descriptor < 0 ? EBADF : EINVAL);
	if (size > tl_writer_room(reply))
		size = tl_writer_room(reply);
	bytes = malloc(size != 0 ? size : 1);
	if (bytes == NULL)
		return TL_ERROR_NO_MEMORY;
	done = files->calls->read(descriptor, bytes, size, (off_t)offset);
	if (done < 0)
		status = answer_error(reply, errno);
	else
		status = answer_data(reply, bytes, (tl_size)done, true);
	free(bytes);
	return status;
}

static enum tl_status handle_pwrite(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				    struct tl_writer *reply)
{
	struct tl_files *files = context;
	int descriptor = read_descriptor(files, arguments);
	tl_u64 offset;
	ssize_t done;

	(void)rsp;
	tl_cursor_expect(arguments, ',');
	offset = tl_cursor_hex(arguments);
	tl_cursor_expect(arguments, ',');
	if (descriptor < 0 || arguments->failed || offset > (tl_u64)INT64_MAX)
		return answer_error(reply, descriptor < 0 ? EBADF : EINVAL);
	/* All that is left is data, its escapes undone by the framing. */
	done = files->calls->write(descriptor, arguments->at, tl_cursor_left(arguments), (off_t)offset);
	return done < 0 ? answer_error(reply, errno) : answer_number(reply, (tl_u64)done);
}

static void store_big(tl_u8 *to, tl_u64 value, tl_size size)
{
	for (tl_size i = size; i-- > 0; value >>= 8)
		to[i] = (tl_u8)value;
}

/* struct stat as the protocol has it: 64 bytes, big-endian ("struct stat" of the manual's File-I/O appendix). */
static void pack_status(tl_u8 wire[64], const struct stat *status)
{
	store_big(wire, status->st_dev, 4);
	store_big(wire + 4, status->st_ino, 4);
	/* The permission bits and the two types that the protocol knows. */
	store_big(wire + 8, status->st_mode & (0777 | S_IFREG | S_IFDIR), 4);
	store_big(wire + 12, status->st_nlink, 4);
	store_big(wire + 16, status->st_uid, 4);
	store_big(wire + 20, status->st_gid, 4);
	store_big(wire + 24, status->st_rdev, 4);
	store_big(wire + 28, (tl_u64)status->st_size, 8);
	store_big(wire + 36, (tl_u64)status->st_blksize, 8);
	store_big(wire + 44, (tl_u64)status->st_blocks, 8);
	store_big(wire + 52, (tl_u64)status->st_atime, 4);
	store_big(wire + 56, (tl_u64)status->st_mtime, 4);
	store_big(wire + 60, (tl_u64)status->st_ctime, 4);
}

static enum tl_status handle_fstat(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				   struct tl_writer *reply)
{
	struct tl_files *files = context;
	int descriptor = read_descriptor(files, arguments);
	struct stat status;
	tl_u8 wire[64];

	(void)rsp;
	if (descriptor < 0 || !finished(arguments))
		return answer_error(reply, EBADF);
	if (files->calls->fstat(descriptor, &status) != 0)
		return answer_error(reply, errno);
	pack_status(wire, &status);
	return answer_data(reply, wire, sizeof(wire), false);
}

static enum tl_status answer_stat(struct tl_files *files, struct tl_cursor *arguments, bool follow,
				  struct tl_writer *reply)
{
	char path[PATH_MAX];
	struct stat status;
	tl_u8 wire[64];

	if (!read_path(arguments, path) || !finished(arguments))
		return answer_error(reply, EINVAL);
	if (files->calls->stat(files->root, path, &status, follow) != 0)
		return answer_error(reply, errno);
	pack_status(wire, &status);
	return answer_data(reply, wire, sizeof(wire), false);
}

static enum tl_status handle_stat(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				  struct tl_writer *reply)
{
	(void)rsp;
	return answer_stat(context, arguments, true, reply);
}

static enum tl_status handle_lstat(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				   struct tl_writer *reply)
{
	(void)rsp;
	return answer_stat(context, arguments, false, reply);
}

static enum tl_status handle_unlink(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				    struct tl_writer *reply)
{
	struct tl_files *files = context;
	char path[PATH_MAX];

	(void)rsp;
	if (!read_path(arguments, path) || !finished(arguments))
		return answer_error(reply, EINVAL);
	if (files->calls->unlink(files->root, path) != 0)
		return answer_error(reply, errno);
	return answer_number(reply, 0);
}

static enum tl_status handle_readlink(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				      struct tl_writer *reply)
{
	struct tl_files *files = context;
	char path[PATH_MAX], link[PATH_MAX];
	ssize_t size;

	(void)rsp;
	if (!read_path(arguments, path) || !finished(arguments))
		return answer_error(reply, EINVAL);
	size = files->calls->readlink(files->root, path, link, sizeof(link));
	if (size < 0)
		return answer_error(reply, errno);
	return answer_data(reply, (const tl_u8 *)link, (tl_size)size, false);
}

/* ---- lldb's own: llvm's lldb/docs/lldb-gdb-remote.txt and what lldb-server 14 answers ---- */

/* The size is what it was when we began: a file that grows is no reason to go on for ever. */
static bool digest(struct tl_files *files, int descriptor, tl_u8 digest_ret[TL_MD5_SIZE])
{
	tl_u8 bytes[16384];
	struct tl_md5 md5 = tl_md5_make();
	struct stat status;
	off_t at = 0;

	if (files->calls->fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > DIGEST_MAX)
		return false;
	while (at < status.st_size) {
		ssize_t done = files->calls->read(descriptor, bytes, sizeof(bytes), at);

		if (done < 0)
			return false;
		if (done == 0)
			break;
		tl_md5_add(&md5, bytes, (tl_size)done);
		at += done;
	}
	tl_md5_finish(&md5, digest_ret);
	return true;
}

/* vFile:MD5:PATH, answered by F, and the two halves of the digest as numbers, or F,x. */
static enum tl_status handle_md5(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				 struct tl_writer *reply)
{
	struct tl_files *files = context;
	tl_u8 bytes[TL_MD5_SIZE];
	char path[PATH_MAX];
	bool known = false;
	int descriptor;

	(void)rsp;
	if (!read_path(arguments, path) || !finished(arguments))
		return TL_ERROR_PACKET;
	descriptor = files->calls->open(files->root, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
	if (descriptor >= 0) {
		known = digest(files, descriptor, bytes);
		(void)files->calls->close(descriptor);
	}
	tl_write_text(reply, known ? "F," : "F,x");
	for (tl_size half = 0; known && half < TL_MD5_SIZE; half += 8)
		for (tl_size i = 8; i-- > 0;)
			tl_write_hex_padded(reply, bytes[half + i], 2);
	return TL_OK;
}

/* vFile:symlink:TARGET,LINK, answered by F ERROR , ERROR in this system's own numbers. */
static enum tl_status handle_symlink(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				     struct tl_writer *reply)
{
	struct tl_files *files = context;
	char target[PATH_MAX], path[PATH_MAX];
	int error = 0;

	(void)rsp;
	if (!read_path(arguments, target) || !read_path(arguments, path) || !finished(arguments))
		error = EINVAL;
	else if (files->calls->symlink(files->root, target, path) != 0)
		error = errno;
	(void)answer_number(reply, (tl_u64)error);
	tl_write_byte(reply, ',');
	tl_write_hex(reply, (tl_u64)error);
	return TL_OK;
}

static bool read_status(struct tl_files *files, struct tl_cursor *arguments, struct stat *status_ret, bool *there_ret)
{
	char path[PATH_MAX];

	if (!read_path(arguments, path) || !finished(arguments))
		return false;
	*there_ret = files->calls->stat(files->root, path, status_ret, true) == 0;
	return true;
}

/* vFile:size:PATH */
static enum tl_status handle_size(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				  struct tl_writer *reply)
{
	struct stat status;
	bool there;

	if (!read_status(context, arguments, &status, &there))
		return TL_ERROR_PACKET;
	if (there)
		return answer_number(reply, (tl_u64)status.st_size);
	tl_rsp_explain(rsp, "there is no such file");
	return TL_ERROR_ARGUMENT;
}

/* vFile:mode:PATH, answered by F and the permissions, or by F-1, and an error in this system's own numbers. */
static enum tl_status handle_mode(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				  struct tl_writer *reply)
{
	struct stat status;
	bool there;

	(void)rsp;
	if (!read_status(context, arguments, &status, &there))
		return TL_ERROR_PACKET;
	if (there)
		return answer_number(reply, status.st_mode & 07777u);
	tl_write_text(reply, "F-1,");
	tl_write_hex(reply, (tl_u64)errno);
	return TL_OK;
}

/* vFile:exists:PATH */
static enum tl_status handle_exists(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				    struct tl_writer *reply)
{
	struct stat status;
	bool there;

	(void)rsp;
	if (!read_status(context, arguments, &status, &there))
		return TL_ERROR_PACKET;
	tl_write_text(reply, there ? "F,1" : "F,0");
	return TL_OK;
}

const struct tl_rsp_row tl_files_rows[] = {
	{"vFile:setfs:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_setfs},
	{"vFile:open:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_open},
	{"vFile:close:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_close},
	{"vFile:pread:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_pread},
	{"vFile:pwrite:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_pwrite},
	{"vFile:fstat:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_fstat},
	{"vFile:stat:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_stat},
	{"vFile:lstat:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_lstat},
	{"vFile:unlink:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_unlink},
	{"vFile:readlink:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_readlink},
	{"vFile:MD5:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_md5},
	{"vFile:symlink:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_symlink},
	{"vFile:size:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_size},
	{"vFile:mode:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_mode},
	{"vFile:exists:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_exists},
	{NULL, 0, 0, false, NULL},
};
