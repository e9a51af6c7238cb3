#include "symbols/mapping.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Files that are guarded; a process has a few hundred libraries. Those beyond are mapped without a guard. */
#define GUARDED_MAX 4096

/* What the handler knows of the mappings. A slot is free while its start is 0, and belongs to a mapping from then on.
 */
static struct {
	atomic_uintptr_t start, end;
} guarded[GUARDED_MAX];

static struct sigaction before;
static pthread_once_t once = PTHREAD_ONCE_INIT;

bool tl_mapping_fault(const void *address)
{
	tl_uintptr page = (tl_uintptr)sysconf(_SC_PAGESIZE), at = (tl_uintptr)address;

	for (unsigned i = 0; i < GUARDED_MAX; i++) {
		tl_uintptr start = atomic_load(&guarded[i].start), end = atomic_load(&guarded[i].end);

		if (start == 0 || at < start || at >= end)
			continue;
		/* What is behind the end of the file is all of the rest. */
		at &= ~(page - 1);
		return mmap((void *)at, end - at, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
		       MAP_FAILED;
	}
	return false;
}

static void on_fault(int signal, siginfo_t *facts, void *context)
{
	int saved = errno;

	(void)context;
	/* Whoever was there before gets the fault when the instruction is tried again. */
	if (facts->si_code <= 0 || !tl_mapping_fault(facts->si_addr))
		(void)sigaction(signal, &before, NULL);
	errno = saved;
}

static void install(void)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGBUS, &action, &before);
}

static void guard(tl_uintptr start, tl_uintptr end)
{
	(void)pthread_once(&once, install);
	for (unsigned i = 0; i < GUARDED_MAX; i++) {
		tl_uintptr none = 0;

		if (!atomic_compare_exchange_strong(&guarded[i].start, &none, start))
			continue;
		atomic_store(&guarded[i].end, end);
		return;
	}
}

static void unguard(tl_uintptr start)
{
	for (unsigned i = 0; i < GUARDED_MAX; i++) {
		if (atomic_load(&guarded[i].start) != start)
			continue;
		atomic_store(&guarded[i].end, 0);
		atomic_store(&guarded[i].start, 0);
		return;
	}
}

static tl_u64 identity_of(const struct stat *facts)
{
	const tl_u64 words[] = {facts->st_dev, facts->st_ino, (tl_u64)facts->st_size, (tl_u64)facts->st_ctim.tv_sec,
				(tl_u64)facts->st_ctim.tv_nsec};
	tl_u64 sum = 1;

	for (tl_size i = 0; i < TL_COUNT(words); i++) {
		sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15;
		sum ^= sum >> 32;
	}
	return sum != 0 ? sum : 1;
}

/* Clocks of file systems tick some milliseconds, or a second. */
#define FRESH_SECONDS 2

static bool is_fresh(const struct stat *facts)
{
	struct timespec now = {0};

	return clock_gettime(CLOCK_REALTIME, &now) != 0 || facts->st_ctim.tv_sec + FRESH_SECONDS > now.tv_sec;
}

tl_u64 tl_file_identity(const char *path)
{
	struct stat facts;

	return stat(path, &facts) == 0 ? identity_of(&facts) : 0;
}

enum tl_status tl_mapping_make(struct tl_mapping *mapping_ret, int descriptor, const char *path, struct tl_error *error)
{
	tl_uintptr page = (tl_uintptr)sysconf(_SC_PAGESIZE);
	struct stat facts;
	void *bytes;

	if (fstat(descriptor, &facts) != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot map %s", path);
	if (!S_ISREG(facts.st_mode) || facts.st_size <= 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s is no file with content", path);
	bytes = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
	if (bytes == MAP_FAILED)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot map %s", path);
	*mapping_ret = (struct tl_mapping){.bytes = bytes,
					   .size = (tl_size)facts.st_size,
					   .device = facts.st_dev,
					   .inode = facts.st_ino,
					   .owner = facts.st_uid,
					   .identity = identity_of(&facts),
					   .fresh = is_fresh(&facts)};
	guard((tl_uintptr)bytes, ((tl_uintptr)bytes + mapping_ret->size + page - 1) & ~(page - 1));
	return TL_OK;
}

void tl_mapping_close(struct tl_mapping *mapping)
{
	union {
		const tl_u8 *constant;
		void *bytes;
	} of = {mapping->bytes};

	if (mapping->bytes != NULL) {
		unguard((tl_uintptr)mapping->bytes);
		(void)munmap(of.bytes, mapping->size);
	}
	*mapping = (struct tl_mapping){0};
}
