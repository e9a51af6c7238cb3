/*
 * What the kernel and the dynamic linker say of a process: the auxiliary vector, the program's headers as they were
 * loaded, and the linker's list of what it has loaded (SVR4 ABI; struct r_debug and struct link_map of glibc's
 * <link.h>).
 *
 * All of it is the program's own memory, and may be anything, also while the linker changes it: every link is checked,
 * and every walk is bounded. Nothing is kept between calls. Any thread, as far as the memory's callback allows it.
 */
#ifndef TL_DEBUGGER_LINK_MAP_H
#define TL_DEBUGGER_LINK_MAP_H

#include "base/error.h"
#include "core/cpu/cpu.h"
#include "core/types.h"

#define TL_LINK_NAME_MAX 4096

/* The entries of the auxiliary vector that matter here; 0 for those that it has not (<elf.h>, AT_*). */
struct tl_auxiliary {
	tl_u8 word; /* bytes of an address: 4 or 8; 0 when the vector does not say (AT_PHENT) */
	tl_u64 headers, header_count, base, entry, vdso;
};

/* Reads the vector as the kernel has it. `word`: for one that does not say; 0: not known. */
struct tl_auxiliary tl_auxiliary_read(const void *vector, tl_size size, tl_u8 word);

/* One file that the dynamic linker has loaded. */
struct tl_link {
	tl_u64 map;     /* where the linker describes it */
	tl_u64 bias;    /* l_addr: address in memory minus address as linked */
	tl_u64 dynamic; /* l_ld: its dynamic section */
	char *name;     /* l_name; "" for the program */
};

struct tl_link_list {
	tl_u64 stop; /* r_brk: the code that runs after each change; 0: not known */
	bool whole;  /* every link was read; else the list is damaged, or was being changed */
	struct tl_link *links;
	tl_size count, capacity;
};

/*
 * The list whose head (struct r_debug) stands at `head`, with those of other namespaces (dlmopen). An empty, whole one
 * while the linker has not begun it. TL_ERROR_MEMORY: the head cannot be read; TL_ERROR_NO_MEMORY. The caller releases
 * the list, also after an error.
 */
TL_CHECKED enum tl_status tl_link_list_read(struct tl_link_list *list_ret, const struct tl_memory_access *memory,
					    tl_u8 word, tl_u64 head, struct tl_error *error);
void tl_link_list_release(struct tl_link_list *list);

/*
 * The value of DT_DEBUG in the dynamic section at `dynamic`: where the head of the list is, 0 while that is not set.
 * False when there is no such entry, or it cannot be read.
 */
bool tl_link_list_head(const struct tl_memory_access *memory, tl_u8 word, tl_u64 dynamic, tl_u64 *head_ret);

/*
 * Where the dynamic section of a program is whose headers (`count` of them) stand at `headers`, as AT_PHDR says. False:
 * there is none, or they cannot be read.
 */
bool tl_loaded_dynamic(const struct tl_memory_access *memory, tl_u8 word, tl_u64 headers, tl_u64 count,
		       tl_u64 *dynamic_ret);

/* An integer of `word` bytes; a string of less than `size` bytes. False when it cannot be read, or has no end. */
bool tl_read_word(const struct tl_memory_access *memory, tl_u8 word, tl_u64 address, tl_u64 *value_ret);
bool tl_read_text(const struct tl_memory_access *memory, tl_u64 address, char *text_ret, tl_size size);

#endif
