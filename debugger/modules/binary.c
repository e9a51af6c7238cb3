/*
 * Indexes are made by one thread of the store, one after the other: each is made by several threads anyway
 * (tl_index_build). What it made waits in a list under the lock until the control thread comes by; the mailbox only
 * wakes that up, so that a message which could not be posted costs time and nothing else.
 */
#include "debugger/modules/binary.h"

#include "base/storage.h"
#include "symbols/cache.h"
#include "symbols/type_index.h"

#include <elf.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TURN_MILLISECONDS 100
#define PATH_SIZE 4096
/* Bytes of .debug_info that are gone through while somebody waits: a few milliseconds. */
#define UNITS_SIZE_MAX ((tl_u64)16 << 20)
#define PACKED_SIZE_MAX ((tl_u64)64 << 10)

/* How far the index of a binary is. */
enum stage {
	STAGE_NONE,   /* nobody has asked for it */
	STAGE_QUEUED, /* it is the thread's: waiting, being made, or made and not fetched */
	STAGE_READY   /* nothing more will come */
};

struct identity {
	tl_u64 device, inode, size;
	tl_i64 seconds, nanoseconds;
};

struct binary {
	struct tl_binary open; /* what others see; first, so that one is the other */
	struct tl_binaries *store;
	struct binary *next;
	struct identity identity;
	void *bytes; /* of an image in memory; NULL for files */
	tl_size size;
	enum stage stage;
	bool failed;
	char failure[sizeof(((struct tl_error *)NULL)->text)];
	char remark[sizeof(((struct tl_error *)NULL)->text)];
	/* For any thread: the index once it is there, and how many units were read. */
	_Atomic(struct tl_index *) shared;
	_Atomic tl_size done;
	/* Under the store's lock: what the thread made, or why it did not. */
	struct binary *following; /* in the queue, then among those made */
	struct tl_index *made;
	struct tl_error why;
};

struct tl_binaries {
	struct tl_loop *loop;
	struct tl_mailbox *mailbox;
	struct tl_binaries_options options;
	char *debug_directories, *root; /* ours, for `options` */
	char *sysroot;                  /* NULL: none */
	char cache[PATH_SIZE];          /* "": none is kept */
	struct binary *first;
	/* What stands in for parts that cannot be read. */
	struct tl_image *blank;
	struct tl_dwarf *no_dwarf;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_t thread;
	bool has_thread;
	_Atomic tl_u32 cancel; /* the thread is to end */
	struct binary *queue, *made;
};

static struct binary *of(const struct tl_binary *binary)
{
	return (struct binary *)(tl_uintptr)binary;
}

/* For what may fail and do no harm by it. */
static void ignore(enum tl_status status)
{
	(void)status;
}

/* ============================================================ the thread ========================================= */

/* The index, kept or made now. *kept_ret: it came from the folder. */
static enum tl_status make_index(struct binary *binary, struct tl_index **index_ret, bool *kept_ret,
				 struct tl_error *error)
{
	struct tl_binaries *store = binary->store;
	struct tl_index_options options = {
		.threads = store->options.threads, .cancel = &store->cancel, .progress = &binary->done};

	*kept_ret = store->cache[0] != 0 && tl_cache_load(index_ret, binary->open.dwarf, store->cache, NULL) == TL_OK;
	return *kept_ret ? TL_OK : tl_index_build(index_ret, binary->open.dwarf, &options, error);
}

static bool ignore_symbol(void *context, const struct tl_elf_name *symbol)
{
	(void)context;
	(void)symbol;
	return false;
}

/* What may be done when nobody waits: the index is kept, and the tables of symbols are sorted. */
static void do_rest(struct binary *binary, struct tl_index *index, bool keep)
{
	struct tl_binaries *store = binary->store;
	struct tl_elf_name symbol;

	if (keep && store->cache[0] != 0)
		ignore(tl_cache_save(index, store->cache, store->options.cache_limit, NULL));
	if (atomic_load(&store->cancel))
		return;
	ignore(tl_elf_symbols_find(binary->open.symbols, "main", ignore_symbol, NULL, NULL));
	ignore(tl_elf_symbols_at(binary->open.symbols, 0, &symbol, NULL));
}

/* One binary that was taken off the queue. The lock is held before and after. */
static void serve(struct binary *binary)
{
	struct tl_binaries *store = binary->store;
	struct tl_index *index = NULL;
	struct tl_error why = {.status = TL_OK};
	bool kept = false;
	char wake = 0;

	(void)pthread_mutex_unlock(&store->lock);
	ignore(make_index(binary, &index, &kept, &why));
	(void)pthread_mutex_lock(&store->lock);
	binary->made = index;
	binary->why = why;
	binary->following = store->made;
	store->made = binary;
	(void)pthread_mutex_unlock(&store->lock);
	ignore(tl_mailbox_post(store->mailbox, &wake));
	if (index != NULL)
		do_rest(binary, index, !kept);
	(void)pthread_mutex_lock(&store->lock);
}

static void *thread_main(void *context)
{
	struct tl_binaries *store = context;

	(void)pthread_mutex_lock(&store->lock);
	while (!atomic_load(&store->cancel)) {
		struct binary *binary = store->queue;

		if (binary == NULL) {
			(void)pthread_cond_wait(&store->work, &store->lock);
			continue;
		}
		store->queue = binary->following;
		serve(binary);
	}
	(void)pthread_mutex_unlock(&store->lock);
	return NULL;
}

/* Signals are for the control thread; only what a thread does to itself stays. */
static bool start_thread(struct tl_binaries *store)
{
	sigset_t held, before;

	if (store->has_thread)
		return true;
	(void)sigfillset(&held);
	(void)sigdelset(&held, SIGBUS);
	(void)sigdelset(&held, SIGSEGV);
	(void)sigdelset(&held, SIGILL);
	(void)sigdelset(&held, SIGFPE);
	(void)pthread_sigmask(SIG_SETMASK, &held, &before);
	store->has_thread = pthread_create(&store->thread, NULL, thread_main, store) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return store->has_thread;
}

/* ============================================================ fetching =========================================== */

static void fail(struct binary *binary, const char *why)
{
	binary->failed = true;
	(void)snprintf(binary->failure, sizeof(binary->failure), "the names in %.200s cannot be found: %.80s",
		       binary->open.path, why);
}

/* Hands out what the thread made since. */
static void fetch(struct tl_binaries *store)
{
	struct binary *binary;

	(void)pthread_mutex_lock(&store->lock);
	binary = store->made;
	store->made = NULL;
	(void)pthread_mutex_unlock(&store->lock);
	for (; binary != NULL; binary = binary->following) {
		binary->stage = STAGE_READY;
		binary->open.index = binary->made;
		if (binary->made == NULL)
			fail(binary, binary->why.text);
		atomic_store(&binary->shared, binary->made);
	}
}

static void woken(void *context, struct tl_source *source)
{
	struct tl_binaries *store = context;
	char wake;

	(void)source;
	while (tl_mailbox_take(store->mailbox, &wake))
		;
	fetch(store);
}

/* ============================================================ the store ========================================== */

/* An ELF file with nothing in it. */
static const Elf64_Ehdr blank_file = {
	.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
	.e_type = ET_DYN,
	.e_version = EV_CURRENT,
	.e_ehsize = sizeof(Elf64_Ehdr),
};

static char *copy_text(const char *text)
{
	char *copy = text != NULL ? tl_allocate(tl_storage(), strlen(text) + 1) : NULL;

	if (copy != NULL)
		memcpy(copy, text, strlen(text) + 1);
	return copy;
}

static void release_text(char *text)
{
	tl_release(tl_storage(), text, text != NULL ? strlen(text) + 1 : 0);
}

static enum tl_status take_options(struct tl_binaries *store, const struct tl_binaries_options *options,
				   struct tl_error *error)
{
	const char *cache = options->cache;

	store->options = *options;
	store->debug_directories = copy_text(options->image.debug_directories);
	store->root = copy_text(options->image.root);
	if ((options->image.debug_directories != NULL && store->debug_directories == NULL) ||
	    (options->image.root != NULL && store->root == NULL))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the options of symbols");
	store->options.image.debug_directories = store->debug_directories;
	store->options.image.root = store->root;
	store->options.cache = NULL;
	if (store->options.cache_limit == 0)
		store->options.cache_limit = TL_CACHE_LIMIT;
	if (options->no_cache)
		return TL_OK;
	if (cache == NULL) {
		if (!tl_cache_directory(store->cache, sizeof(store->cache)))
			store->cache[0] = 0;
		return TL_OK;
	}
	if (strlen(cache) >= sizeof(store->cache))
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "the path of the folder for kept indexes is too long");
	memcpy(store->cache, cache, strlen(cache) + 1);
	return TL_OK;
}

enum tl_status tl_binaries_open(struct tl_binaries **binaries_ret, struct tl_loop *loop,
				const struct tl_binaries_options *options, struct tl_error *error)
{
	static const struct tl_binaries_options defaults = {.no_cache = false};
	struct tl_binaries *store = tl_allocate(tl_storage(), sizeof(*store));
	enum tl_status status;

	if (store == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the store of binaries");
	store->loop = loop;
	(void)pthread_mutex_init(&store->lock, NULL);
	(void)pthread_cond_init(&store->work, NULL);
	status = take_options(store, options != NULL ? options : &defaults, error);
	if (status == TL_OK)
		status = tl_mailbox_create(loop, "indexes", 1, woken, store, &store->mailbox, error);
	if (status == TL_OK)
		status = tl_image_open_bytes(&store->blank, "nothing", &blank_file, sizeof(blank_file), error);
	if (status == TL_OK)
		status = tl_dwarf_open(&store->no_dwarf, store->blank, error);
	if (status != TL_OK) {
		tl_binaries_close(store);
		return status;
	}
	*binaries_ret = store;
	return TL_OK;
}

static void close_binary(struct binary *binary)
{
	struct tl_binary *open = &binary->open;

	tl_index_close(atomic_load(&binary->shared));
	tl_elf_symbols_close(open->symbols);
	tl_call_frames_close(open->frames);
	tl_lines_close(open->lines);
	tl_scopes_close(open->scopes);
	tl_types_close(open->types);
	tl_tree_close(open->tree);
	if (open->dwarf != binary->store->no_dwarf)
		tl_dwarf_close(open->dwarf);
	tl_image_close(open->image);
	tl_release(tl_storage(), binary->bytes, binary->size);
	tl_release(tl_storage(), binary, sizeof(*binary));
}

void tl_binaries_close(struct tl_binaries *store)
{
	if (store == NULL)
		return;
	(void)pthread_mutex_lock(&store->lock);
	atomic_store(&store->cancel, 1);
	(void)pthread_cond_signal(&store->work);
	(void)pthread_mutex_unlock(&store->lock);
	if (store->has_thread)
		(void)pthread_join(store->thread, NULL);
	fetch(store);
	while (store->first != NULL) {
		struct binary *binary = store->first;

		store->first = binary->next;
		close_binary(binary);
	}
	tl_dwarf_close(store->no_dwarf);
	tl_image_close(store->blank);
	tl_mailbox_destroy(store->mailbox);
	release_text(store->debug_directories);
	release_text(store->root);
	free(store->sysroot);
	(void)pthread_cond_destroy(&store->work);
	(void)pthread_mutex_destroy(&store->lock);
	tl_release(tl_storage(), store, sizeof(*store));
}

/* ============================================================ opening ============================================ */

/* A tl_type_lookup: as long as there is no index nothing is found, and declarations stay what they are. */
static enum tl_status complete(void *context, const char *name, tl_u16 tag, const struct tl_unit *near,
			       struct tl_entry *entry_ret, bool *found_ret, struct tl_error *error)
{
	struct binary *binary = context;
	struct tl_index *index = atomic_load(&binary->shared);

	*found_ret = false;
	return index != NULL ? tl_type_find_in_index(index, name, tag, near, entry_ret, found_ret, error) : TL_OK;
}

/* Which unit has an address, by the index. */
static bool find_unit(void *context, tl_u64 address, const struct tl_unit **unit_ret)
{
	struct binary *binary = context;
	struct tl_index *index = atomic_load(&binary->shared);

	if (index == NULL)
		return false;
	*unit_ret = tl_index_unit(index, address);
	return true;
}

/* Whether to go on without a part that could not be opened; notes the first reason. */
static bool do_without(struct binary *binary, enum tl_status status, const struct tl_error *why)
{
	if (status == TL_OK || status == TL_ERROR_NO_MEMORY)
		return false;
	if (binary->remark[0] == 0)
		memcpy(binary->remark, why->text, sizeof(binary->remark));
	return true;
}

/*
 * Whether reading its units takes longer than anybody should wait who may not need them: they are packed, or many. Of
 * all others it is known at once whether they can be read.
 */
static bool is_costly(const struct tl_image *image)
{
	bool packed;
	tl_u64 size = tl_image_section_size(image, TL_SECTION_INFO, &packed);

	return size > (packed ? PACKED_SIZE_MAX : UNITS_SIZE_MAX);
}

/* Where a long double is IEEE 754's, of 128 bits: System V psABIs of 64-bit Arm and RISC-V. */
static bool has_quads(const struct tl_image *image)
{
	tl_u16 machine = tl_image_elf(image)->machine;

	return machine == EM_AARCH64 || machine == EM_RISCV;
}

/* What is read of the file's debug information. */
static enum tl_status open_dwarf(struct binary *binary, struct tl_error *error)
{
	struct tl_binary *open = &binary->open;
	struct tl_dwarf *none = binary->store->no_dwarf;
	bool lazily = is_costly(open->image);
	enum tl_status status = lazily ? tl_dwarf_open_lazily(&open->dwarf, open->image, error)
				       : tl_dwarf_open(&open->dwarf, open->image, error);

	if (do_without(binary, status, error)) {
		open->dwarf = none;
		status = TL_OK;
	}
	TL_TRY(status);
	status = tl_lines_open(&open->lines, open->dwarf, error);
	if (do_without(binary, status, error))
		status = tl_lines_open(&open->lines, none, error);
	TL_TRY(status);
	TL_TRY(tl_tree_open(&open->tree, open->dwarf, error));
	TL_TRY(tl_types_open(&open->types, open->dwarf, open->tree, error));
	TL_TRY(tl_scopes_open(&open->scopes, open->dwarf, error));
	tl_types_set_lookup(open->types, complete, binary);
	tl_types_set_quads(open->types, has_quads(open->image));
	tl_scopes_set_units(open->scopes, find_unit, binary);
	open->has_debug = lazily || tl_dwarf_unit_count(open->dwarf) != 0;
	return TL_OK;
}

/* All but the image, which is there. */
static enum tl_status open_parts(struct binary *binary, struct tl_error *error)
{
	struct tl_binary *open = &binary->open;
	struct tl_image *blank = binary->store->blank;
	struct tl_error why = {.status = TL_OK};
	enum tl_status status = open_dwarf(binary, &why);

	if (status == TL_OK) {
		status = tl_call_frames_open(&open->frames, open->image, &why);
		if (do_without(binary, status, &why))
			status = tl_call_frames_open(&open->frames, blank, &why);
	}
	if (status == TL_OK) {
		status = tl_elf_symbols_open(&open->symbols, open->image, &why);
		if (do_without(binary, status, &why))
			status = tl_elf_symbols_open(&open->symbols, blank, &why);
	}
	if (status != TL_OK && error != NULL)
		*error = why;
	if (!open->has_debug)
		binary->stage = STAGE_READY;
	return status;
}

/* Puts an image into the store, or closes it. */
static enum tl_status admit(struct tl_binaries *store, struct binary *binary, struct tl_binary **binary_ret,
			    struct tl_error *error)
{
	enum tl_status status;

	binary->store = store;
	binary->open.path = tl_image_path(binary->open.image);
	status = open_parts(binary, error);
	if (status != TL_OK) {
		close_binary(binary);
		return status;
	}
	binary->next = store->first;
	store->first = binary;
	*binary_ret = &binary->open;
	return TL_OK;
}

static struct binary *allocate_binary(struct tl_binaries *store, struct tl_error *error)
{
	struct binary *binary = tl_allocate(tl_storage(), sizeof(*binary));

	if (binary == NULL)
		(void)TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a binary");
	else
		binary->store = store;
	return binary;
}

static bool is_same(const struct identity *left, const struct identity *right)
{
	return left->device == right->device && left->inode == right->inode && left->size == right->size &&
	       left->seconds == right->seconds && left->nanoseconds == right->nanoseconds;
}

/* Programs may take themselves away, and go on: such a file is the one that was read. */
static bool is_meant(const struct binary *binary, const char *path, const struct identity *identity, bool there)
{
	if (binary->bytes != NULL)
		return false;
	return there ? is_same(&binary->identity, identity) : strcmp(binary->open.path, path) == 0;
}

enum tl_status tl_binaries_get(struct tl_binaries *binaries, const char *path, struct tl_binary **binary_ret,
			       struct tl_error *error)
{
	struct identity identity = {0};
	struct binary *binary;
	enum tl_status status;
	struct stat facts;
	bool there = stat(path, &facts) == 0;

	if (there)
		identity = (struct identity){facts.st_dev, facts.st_ino, (tl_u64)facts.st_size, facts.st_mtim.tv_sec,
					     facts.st_mtim.tv_nsec};
	for (binary = binaries->first; binary != NULL; binary = binary->next) {
		if (!is_meant(binary, path, &identity, there))
			continue;
		*binary_ret = &binary->open;
		return TL_OK;
	}
	binary = allocate_binary(binaries, error);
	if (binary == NULL)
		return TL_ERROR_NO_MEMORY;
	binary->identity = identity;
	status = tl_image_open(&binary->open.image, path, &binaries->options.image, error);
	if (status != TL_OK) {
		close_binary(binary);
		return status;
	}
	return admit(binaries, binary, binary_ret, error);
}

enum tl_status tl_binaries_set_sysroot(struct tl_binaries *binaries, const char *path, struct tl_error *error)
{
	char *copy = path != NULL && path[0] != '\0' ? strdup(path) : NULL;

	if (path != NULL && path[0] != '\0' && copy == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the name of a folder");
	free(binaries->sysroot);
	binaries->sysroot = copy;
	return TL_OK;
}

enum tl_status tl_binaries_get_library(struct tl_binaries *binaries, const char *path, struct tl_binary **binary_ret,
				       struct tl_error *error)
{
	char below[PATH_SIZE];

	if (binaries->sysroot == NULL || path[0] != '/')
		return tl_binaries_get(binaries, path, binary_ret, error);
	if (snprintf(below, sizeof(below), "%s%s", binaries->sysroot, path) >= (int)sizeof(below))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the name of a library below \"%.200s\" is too long",
			       binaries->sysroot);
	return tl_binaries_get(binaries, below, binary_ret, error);
}

enum tl_status tl_binaries_get_bytes(struct tl_binaries *binaries, const char *name, const void *bytes, tl_size size,
				     struct tl_binary **binary_ret, struct tl_error *error)
{
	struct binary *binary;
	enum tl_status status;

	if (size == 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s is empty", name);
	for (binary = binaries->first; binary != NULL; binary = binary->next) {
		if (binary->bytes == NULL || binary->size != size || strcmp(binary->open.path, name) != 0 ||
		    memcmp(binary->bytes, bytes, size) != 0)
			continue;
		*binary_ret = &binary->open;
		return TL_OK;
	}
	binary = allocate_binary(binaries, error);
	if (binary == NULL)
		return TL_ERROR_NO_MEMORY;
	binary->size = size;
	binary->bytes = tl_allocate(tl_storage(), size);
	status = binary->bytes != NULL ? TL_OK : TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for %s", name);
	if (status == TL_OK) {
		memcpy(binary->bytes, bytes, size);
		status = tl_image_open_bytes(&binary->open.image, name, binary->bytes, size, error);
	}
	if (status != TL_OK) {
		close_binary(binary);
		return status;
	}
	return admit(binaries, binary, binary_ret, error);
}

const char *tl_binary_remark(const struct tl_binary *binary)
{
	const char *remark = of(binary)->remark;

	if (remark[0] != 0)
		return remark;
	remark = tl_image_remark(binary->image);
	return remark != NULL ? remark : tl_dwarf_remark(binary->dwarf);
}

/* ============================================================ the index ========================================== */

/* Puts one that is not yet being made into the queue, at its front or its end. */
static void queue(struct binary *binary, bool front)
{
	struct tl_binaries *store = binary->store;
	struct binary **link = &store->queue;

	(void)pthread_mutex_lock(&store->lock);
	while (!front && *link != NULL)
		link = &(*link)->following;
	binary->following = *link;
	*link = binary;
	(void)pthread_cond_signal(&store->work);
	(void)pthread_mutex_unlock(&store->lock);
}

/* Takes one out of the queue that still is in it. */
static bool unqueue(struct binary *binary)
{
	struct tl_binaries *store = binary->store;
	struct binary **link = &store->queue;
	bool found;

	(void)pthread_mutex_lock(&store->lock);
	while (*link != NULL && *link != binary)
		link = &(*link)->following;
	found = *link != NULL;
	if (found)
		*link = binary->following;
	(void)pthread_mutex_unlock(&store->lock);
	return found;
}

void tl_binary_want(struct tl_binary *wanted)
{
	struct binary *binary = of(wanted);

	if (binary->stage != STAGE_NONE)
		return;
	if (!start_thread(binary->store)) {
		binary->stage = STAGE_READY;
		fail(binary, "no thread can be started for it");
		return;
	}
	binary->stage = STAGE_QUEUED;
	queue(binary, false);
}

bool tl_binary_ready(const struct tl_binary *binary)
{
	return of(binary)->stage == STAGE_READY;
}

void tl_binary_progress(const struct tl_binary *binary, tl_size *done_ret, tl_size *total_ret)
{
	*total_ret = tl_dwarf_is_read(binary->dwarf) ? tl_dwarf_unit_count(binary->dwarf) : 0;
	*done_ret = tl_binary_ready(binary) ? *total_ret : atomic_load(&of(binary)->done);
}

enum tl_status tl_binary_wait(struct tl_binary *wanted, bool (*waiting)(void *context), void *context,
			      struct tl_error *error)
{
	struct binary *binary = of(wanted);

	tl_binary_want(wanted);
	/* Whoever waits goes first. */
	if (binary->stage == STAGE_QUEUED && unqueue(binary))
		queue(binary, true);
	fetch(binary->store);
	while (binary->stage != STAGE_READY) {
		TL_TRY(tl_loop_turn(binary->store->loop, TURN_MILLISECONDS, error));
		fetch(binary->store);
		if (binary->stage != STAGE_READY && waiting != NULL && !waiting(context))
			return TL_FAIL(error, TL_ERROR_CANCELLED, "the names in %s are still being read", wanted->path);
	}
	if (binary->failed)
		return TL_FAIL(error, binary->why.status != TL_OK ? binary->why.status : TL_ERROR_SYSTEM, "%s",
			       binary->failure);
	return TL_OK;
}

const char *tl_binary_failure(const struct tl_binary *binary)
{
	return of(binary)->failed ? of(binary)->failure : NULL;
}
