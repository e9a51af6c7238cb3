/* The core target, over a file that holds the input: opened, asked for everything, and closed. */
#include "base/storage.h"
#include "core/cpu/x86_layout.h"
#include "core/engine/engine.h"
#include "targets/corefile/corefile.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void ask_thread(struct tl_target *target, struct tl_thread_id id)
{
	tl_u8 file[TL_X86_FILE_SIZE], bytes[512];
	tl_size size = 0;

	(void)target->ops->fetch_registers(target, id, TL_BANK_GENERAL, file);
	(void)target->ops->fetch_registers(target, id, TL_X86_BANK_EXTENDED, file);
	for (int object = 0; object < TL_OBJECT_MAX; object++)
		if (target->ops->read_object(target, id, (enum tl_object)object, 3, bytes, sizeof(bytes), &size) ==
			    TL_OK &&
		    size > sizeof(bytes))
			abort();
}

static void ask_memory(struct tl_target *target, tl_u64 process)
{
	struct tl_memory_region region;
	tl_u8 bytes[256];
	tl_size size = 0;
	tl_u64 at = 0;

	for (int n = 0; n < 64; n++) {
		if (target->ops->memory_region(target, process, at, &region) != TL_OK)
			abort();
		/* It holds the address, and moves on. */
		if (at - region.start >= region.size && region.start + region.size != 0)
			abort();
		(void)target->ops->read_memory(target, process, at, bytes, sizeof(bytes), &size);
		at = region.start + region.size;
		(void)target->ops->read_memory(target, process, at - 8, bytes, sizeof(bytes), &size);
		if (size > sizeof(bytes))
			abort();
		if (at == 0)
			break;
	}
}

static void ask(struct tl_target *target)
{
	struct tl_engine_host host = {.allocator = *tl_storage()};
	struct tl_engine *engine = aligned_alloc(16, (tl_engine_size() + 15) / 16 * 16);
	struct tl_corefile_facts facts;
	struct tl_thread_info info = {.id = {0, 0}};
	struct tl_report report;

	if (engine == NULL)
		abort();
	tl_engine_init(engine, target, &host);
	tl_corefile_facts(target, &facts);
	if (tl_corefile_populate(target, NULL) != TL_OK || !tl_engine_quiet(engine) ||
	    !tl_engine_take_report(engine, &report))
		abort();
	while (tl_engine_next_thread(engine, info.id, &info))
		ask_thread(target, info.id);
	ask_memory(target, facts.process);
	tl_engine_deinit(engine);
	free(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct tl_corefile_options options = {.core_only = true};
	int descriptor = memfd_create("core", MFD_CLOEXEC);
	struct tl_target *target;
	char path[64];

	if (descriptor < 0 || write(descriptor, bytes, size) != (ssize_t)size)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
	if (tl_corefile_open(path, &options, &target, NULL) == TL_OK) {
		ask(target);
		tl_corefile_close(target);
	}
	(void)close(descriptor);
	if (tl_storage_live() != 0)
		abort();
	return 0;
}
