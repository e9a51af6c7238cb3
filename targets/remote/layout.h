/*
 * Which registers a stub has, and where: its target description against our CPUs. GDB manual, appendix "Target
 * Descriptions". Registers are known by their names, as numbers are each stub's own.
 */
#ifndef TL_TARGETS_REMOTE_LAYOUT_H
#define TL_TARGETS_REMOTE_LAYOUT_H

#include "base/error.h"
#include "core/cpu/cpu.h"

#define REMOTE_KNOWN_WORDS 4 /* a bit for each register of a CPU */
#define REMOTE_REGISTERS_MAX 2048
#define REMOTE_VALUE_MAX 1024 /* bytes of a register */

struct remote_register {
	tl_u32 number; /* in the stub's packets */
	tl_i16 index;  /* in cpu->registers; -1: nothing that we know */
	tl_u16 size;   /* bytes */
	tl_u32 offset; /* in the bytes of a `g` packet */
};

struct remote_layout {
	const struct tl_cpu *cpu; /* NULL: none yet */
	tl_u32 features;          /* those of which every register is there */
	bool linux_abi,
		no_abi; /* the stub says that it has Linux's programs, or none at all; neither: nothing is said */
	struct remote_register *registers; /* by rising number */
	tl_size count, capacity;
	tl_size g_size;
};

/*
 * A description is read file by file: hands over `name` ("target.xml") with a zero byte behind it, which is freed with
 * free(), or fails.
 */
struct remote_files {
	enum tl_status (*read)(void *context, const char *name, tl_u8 **bytes_ret, tl_size *size_ret);
	void *context;
};

/*
 * Reads a description with what it includes. TL_ERROR_UNSUPPORTED with a sentence when the CPU is none of ours, or the
 * program counter is missing; TL_ERROR_MALFORMED.
 */
enum tl_status tl_remote_layout_read(const struct remote_files *files, struct remote_layout *layout_ret,
				     struct tl_error *error);
/* What GDB assumes of a stub that sends none: x86-64, or i386 if `g_size`, the bytes of its `g`, is too little. */
enum tl_status tl_remote_layout_assume(tl_size g_size, struct remote_layout *layout_ret, struct tl_error *error);
void tl_remote_layout_free(struct remote_layout *layout);

/* The register of that number, or that of ours; NULL: there is none. */
const struct remote_register *tl_remote_layout_number(const struct remote_layout *layout, tl_u64 number);
const struct remote_register *tl_remote_layout_index(const struct remote_layout *layout, tl_i32 index);

#endif
