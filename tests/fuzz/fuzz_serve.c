/*
 * The server's own packets against the scripted target: lldb's, vFile, the documents of qXfer, launching and attaching.
 * An input is packets, one a line, as in fuzz_requests.c: an empty line lets the machine run for some turns, and a line
 * of the byte 3 is ^C. Files are a few blocks of storage, and the processes of the machine those of
 * tests/fuzz/processes.
 *
 * Whatever comes: no crash, nothing kept, every frame sent well formed, no file left open.
 */
#include "base/storage.h"
#include "frontends/serve/server.h"
#include "frontends/serve/symbols.h"
#include "tests/fuzz/fuzz.h"
#include "tests/rsp/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS 24
#define PACKETS_MAX 200
#define PROCESSES_MAX 16

static FILE *real_errors;

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(real_errors, "not so: %s\n", what);
	abort();
}

/* ---- Files ---- */

#define FILES 4
#define FILE_MAX 8192
#define FIRST_DESCRIPTOR 1000
#define DESCRIPTORS 300
#define ROOT 2000

/* /a is the program that runs the fuzzer, or its front: an ELF file; /b is empty, /c and /d are not there at first. */
static struct {
	bool there;
	size_t size;
	tl_u8 bytes[FILE_MAX];
} disk[FILES];

static signed char open_files[DESCRIPTORS]; /* the file, -1: closed */
static unsigned roots;

static void fresh_disk(void)
{
	static tl_u8 elf[FILE_MAX];
	static size_t elf_size;

	if (elf_size == 0) {
		FILE *file = fopen("/proc/self/exe", "re");

		elf_size = file != NULL ? fread(elf, 1, sizeof(elf), file) : 1;
		if (file != NULL)
			fclose(file);
	}
	memset(disk, 0, sizeof(disk));
	memset(open_files, -1, sizeof(open_files));
	roots = 0;
	disk[0].there = disk[1].there = true;
	disk[0].size = elf_size;
	memcpy(disk[0].bytes, elf, elf_size);
}

/* The file of that name; -1 and ENOENT for any other than /a to /d. */
static int file_of(const char *path)
{
	if (path[0] == '/' && path[1] >= 'a' && path[1] < 'a' + FILES && path[2] == '\0')
		return path[1] - 'a';
	errno = path[0] == '\0' ? ENOENT : path[0] == '/' ? EACCES : ENOTDIR;
	return -1;
}

static int there(const char *path)
{
	int file = file_of(path);

	if (file >= 0 && !disk[file].there) {
		errno = ENOENT;
		return -1;
	}
	return file;
}

static int fake_open(int root, const char *path, int flags, mode_t mode)
{
	int file = (flags & O_CREAT) != 0 ? file_of(path) : there(path), descriptor = 0;

	(void)mode;
	require(root == -1 || root == ROOT, "a root is ours");
	while (descriptor < DESCRIPTORS && open_files[descriptor] >= 0)
		descriptor++;
	if (file < 0 || descriptor == DESCRIPTORS) {
		errno = file < 0 ? errno : EMFILE;
		return -1;
	}
	disk[file].there = true;
	if ((flags & O_TRUNC) != 0)
		disk[file].size = 0;
	open_files[descriptor] = (signed char)file;
	return FIRST_DESCRIPTOR + descriptor;
}

static int fake_close(int descriptor)
{
	if (descriptor == ROOT) {
		require(roots-- > 0, "a root is closed once");
		return 0;
	}
	require(descriptor >= FIRST_DESCRIPTOR && descriptor < FIRST_DESCRIPTOR + DESCRIPTORS &&
			open_files[descriptor - FIRST_DESCRIPTOR] >= 0,
		"what is closed was open");
	open_files[descriptor - FIRST_DESCRIPTOR] = -1;
	return 0;
}

static int opened(int descriptor)
{
	require(descriptor >= FIRST_DESCRIPTOR && descriptor < FIRST_DESCRIPTOR + DESCRIPTORS &&
			open_files[descriptor - FIRST_DESCRIPTOR] >= 0,
		"what is used is open");
	return open_files[descriptor - FIRST_DESCRIPTOR];
}

static ssize_t fake_read(int descriptor, void *buffer, size_t size, off_t offset)
{
	int file = opened(descriptor);
	size_t left = (size_t)offset < disk[file].size ? disk[file].size - (size_t)offset : 0;

	require(offset >= 0, "an offset is not negative");
	size = size < left ? size : left;
	memcpy(buffer, disk[file].bytes + (left != 0 ? offset : 0), size);
	return (ssize_t)size;
}

static ssize_t fake_write(int descriptor, const void *buffer, size_t size, off_t offset)
{
	int file = opened(descriptor);

	require(offset >= 0, "an offset is not negative");
	if (offset > FILE_MAX || size > FILE_MAX - (size_t)offset) {
		errno = ENOSPC;
		return -1;
	}
	memcpy(disk[file].bytes + offset, buffer, size);
	if (disk[file].size < (size_t)offset + size)
		disk[file].size = (size_t)offset + size;
	return (ssize_t)size;
}

static int status_of(int file, struct stat *status)
{
	*status = (struct stat){.st_mode = S_IFREG | 0644, .st_nlink = 1};
	status->st_size = file >= 0 ? (off_t)disk[file].size : 0;
	return file >= 0 ? 0 : -1;
}

static int fake_fstat(int descriptor, struct stat *status)
{
	return status_of(opened(descriptor), status);
}

static int fake_stat(int root, const char *path, struct stat *status, bool follow)
{
	(void)root, (void)follow;
	return status_of(there(path), status);
}

static int fake_unlink(int root, const char *path)
{
	int file = there(path);

	(void)root;
	if (file < 0)
		return -1;
	disk[file].there = false;
	return 0;
}

static ssize_t fake_readlink(int root, const char *path, char *buffer, size_t size)
{
	int file = there(path);

	(void)root;
	if (file < 0)
		return -1;
	size = size < disk[file].size ? size : disk[file].size;
	memcpy(buffer, disk[file].bytes, size);
	return (ssize_t)size;
}

static int fake_symlink(int root, const char *target, const char *path)
{
	int file = file_of(path);
	size_t size = strlen(target);

	(void)root;
	if (file < 0 || disk[file].there || size > FILE_MAX) {
		errno = file < 0 ? errno : EEXIST;
		return -1;
	}
	disk[file].there = true;
	disk[file].size = size;
	memcpy(disk[file].bytes, target, size);
	return 0;
}

static int fake_root_of(tl_u64 process)
{
	if (process % 3 == 0) {
		errno = ENOENT;
		return -1;
	}
	if (process % 3 == 1)
		return -2;
	roots++;
	return ROOT;
}

static const struct tl_file_calls calls = {
	.open = fake_open,
	.close = fake_close,
	.read = fake_read,
	.write = fake_write,
	.fstat = fake_fstat,
	.stat = fake_stat,
	.unlink = fake_unlink,
	.readlink = fake_readlink,
	.symlink = fake_symlink,
	.root_of = fake_root_of,
};

/* ---- A server, but for its doors ---- */

static enum tl_status fake_tables(const char *type, struct tl_buffer *document)
{
	if (type[0] == '!')
		return TL_ERROR_ARGUMENT;
	for (tl_size i = 0; i < 64 * strlen(type); i++)
		tl_buffer_add_xml(document, type);
	return TL_OK;
}

struct run {
	struct rsp_session client;
	struct tl_server server;
	struct tl_rsp_table tables[4 + TL_LLDB_TABLES];
};

static void open_run(struct run *run)
{
	static const struct tl_serve_options options = {.address = "-", .multi = true};
	struct rsp_session_setup setup = {.threads = 1, .tables = run->tables, .table_count = TL_COUNT(run->tables)};
	struct tl_server *server = &run->server;
	struct tl_lldb_host host;

	*server = (struct tl_server){.options = &options};
	require(tl_loop_create(&server->loop, NULL) == TL_OK, "there is a loop");
	server->session.files = tl_files_create(&calls);
	require(tl_launch_settings_init(&server->session.launch, &options) == TL_OK, "there are settings");
	run->tables[0] = (struct tl_rsp_table){tl_launch_rows, server};
	run->tables[1] = (struct tl_rsp_table){tl_objects_rows, &server->session.documents};
	run->tables[2] = (struct tl_rsp_table){tl_symbols_rows, server};
	run->tables[3] = (struct tl_rsp_table){tl_files_rows, server->session.files};
	tl_lldb_tables(&server->lldb, run->tables + 4);
	rsp_session_open(&run->client, &setup);
	server->engine = run->client.engine;
	server->target = tl_engine_target(server->engine);
	server->session.rsp = run->client.rsp;
	server->session.documents = (struct tl_documents){.engine = server->engine, .osdata = fake_tables};
	/* The C library's own library has no part in this. */
	require(tl_symbols_set_path(server, "") == TL_OK, "there is a path");
	host = tl_launch_lldb_host(server);
	host.files = &calls;
	host.proc = PROCESSES;
	tl_lldb_init(&server->lldb, server->engine, &host);
	tl_lldb_begin(&server->lldb, run->client.rsp);
}

static void free_words(char **words)
{
	for (char **word = words; word != NULL && *word != NULL; word++)
		free(*word);
	free(words);
}

static void close_run(struct run *run)
{
	struct tl_server *server = &run->server;

	tl_lldb_end(&server->lldb);
	tl_symbols_forget_all(server);
	rsp_session_close(&run->client);
	tl_files_destroy(server->session.files);
	tl_launch_settings_deinit(&server->session.launch);
	tl_buffer_free(&server->session.documents.document);
	free_words(server->program);
	free(server->threads_db_path);
	tl_release(tl_storage(), server->processes, server->process_capacity * sizeof(*server->processes));
	tl_loop_destroy(server->loop);
	for (unsigned i = 0; i < DESCRIPTORS; i++)
		require(open_files[i] < 0, "no file is left open");
	require(roots == 0, "no root is left open");
}

static tl_size count_processes(const struct run *run)
{
	tl_size count = 0;

	for (tl_u64 id = 0; (id = tl_engine_next_process(run->server.engine, id)) != 0;)
		count++;
	return count;
}

static void one_line(struct run *run, const uint8_t *line, size_t size)
{
	static const tl_u8 interrupt = 3;
	struct tl_error error;

	if (size == 0)
		rsp_session_turn(&run->client, TURNS);
	else if (size == 1 && line[0] == interrupt)
		rsp_session_bytes(&run->client, &interrupt, 1);
	else
		rsp_session_send(&run->client, line, size);
	require(tl_loop_turn(run->server.loop, 0, &error) == TL_OK, "the loop turns");
	tl_launch_poll(&run->server);
	while (rsp_session_take(&run->client))
		require(run->client.packet_size <= RSP_SESSION_PACKET + 8, "a packet is no longer than announced");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct run run;
	tl_u64 live;
	size_t at = 0;

	/* What the server says to whoever started it is not to be seen here. */
	if (real_errors == NULL) {
		real_errors = stderr;
		stderr = fopen("/dev/null", "we");
	}
	live = tl_storage_live();
	fresh_disk();
	open_run(&run);
	for (unsigned n = 0; at < size && n < PACKETS_MAX && count_processes(&run) < PROCESSES_MAX; n++) {
		const uint8_t *newline = memchr(bytes + at, '\n', size - at);
		size_t length = newline != NULL ? (size_t)(newline - bytes) - at : size - at;

		one_line(&run, bytes + at, length);
		at += length + 1;
	}
	require(run.client.bad == 0 && !run.client.overflow, "every frame is well formed");
	close_run(&run);
	require(tl_storage_live() == live, "all storage is given back");
	return 0;
}
