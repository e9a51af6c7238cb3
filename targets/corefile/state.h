/*
 * What is remembered of a core dump, shared by the files of this folder.
 */
#ifndef TL_TARGETS_COREFILE_STATE_H
#define TL_TARGETS_COREFILE_STATE_H

#include "base/core_notes.h"
#include "base/elf.h"
#include "core/cpu/x86_xsave.h"
#include "core/engine/engine.h"
#include "targets/corefile/corefile.h"

/* The content of a note, in the core's file; size 0: there is none. */
struct core_part {
	tl_u64 offset;
	tl_u32 size;
};

struct core_thread {
	tl_u64 id;
	tl_size place; /* in the order of the core */
	tl_i32 signal;
	struct core_part registers; /* of NT_PRSTATUS */
	struct core_part floating;  /* NT_FPREGSET */
	struct core_part extended;  /* NT_X86_XSTATE */
	struct core_part legacy;    /* NT_PRXFPREG, FXSAVE's format of a 32-bit program */
	struct core_part siginfo;   /* NT_SIGINFO */
	struct core_part segments;  /* NT_386_TLS: struct user_desc */
	/* arm64: */
	struct core_part vectors;     /* NT_ARM_SVE */
	struct core_part pointer;     /* NT_ARM_TLS */
	struct core_part masks;       /* NT_ARM_PAC_MASK */
	struct core_part tag_control; /* NT_ARM_TAGGED_ADDR_CTRL */
};

/* A piece of memory, by rising address; none overlap. */
struct core_segment {
	tl_u64 start, size;
	tl_u64 offset, filed; /* where its first bytes stand in the core, and how many of them */
	tl_u64 held;          /* of these, how many the core really has: fewer where it is cut off */
	tl_u32 flags;         /* as in struct tl_elf_segment */
};

/* A piece of a file in memory (NT_FILE), by rising address; none overlap. */
struct core_mapping {
	tl_u64 start, size, offset;
	tl_u32 file;
};

enum core_file_state { CORE_FILE_UNTRIED, CORE_FILE_USED, CORE_FILE_REFUSED };

struct core_file {
	const char *name;
	enum core_file_state state;
	int descriptor; /* when USED */
	bool program;
};

struct core_target {
	struct tl_target target;
	struct tl_corefile_options options;
	int descriptor;
	tl_u64 size; /* of the core's file when it was opened */
	bool wide, arm64, truncated, other_program;
	tl_u64 process;
	char name[TL_CORE_NAME_SIZE + 1];
	char command[TL_CORE_ARGUMENTS_SIZE + 1];

	struct core_thread *threads; /* by rising id */
	tl_size thread_count, thread_capacity;
	tl_size *order; /* threads in the order of the core */
	struct core_segment *segments;
	tl_size segment_count, segment_capacity;
	struct core_mapping *mappings;
	tl_size mapping_count, mapping_capacity;
	struct core_file *files;
	tl_size file_count, file_capacity;
	tl_u8 *names; /* the content of NT_FILE, which the files' names stand in */
	tl_size names_size;
	struct core_part auxv;
	struct core_part layout_note; /* NT_X86_XSAVE_LAYOUT */

	const struct tl_cpu *cpu;
	tl_u32 features;
	struct tl_x86_xsave layout;
	char executable[4096]; /* path of the program, "" when it is not known */
};

static inline const struct tl_core_layout *core_layout(const struct core_target *core)
{
	return core->arm64 ? tl_core_layout_arm64() : tl_core_layout(core->wide);
}

static inline struct core_target *core_target(struct tl_target *target)
{
	return TL_CONTAINER(target, struct core_target, target);
}

void tl_corefile_remark(const struct core_target *core, const char *format, ...) TL_PRINTF(2, 3);

/* Exactly `size` bytes of the core's file; false when they are not there. */
bool tl_corefile_read_core(const struct core_target *core, tl_u64 offset, void *buffer, tl_size size);

/* An entry of the auxiliary vector; 0 when it is not there. */
tl_u64 tl_corefile_auxv(const struct core_target *core, tl_u64 type);

/* notes.c: takes in all PT_NOTE segments. */
enum tl_status tl_corefile_read_notes(struct core_target *core, const struct tl_elf *elf, struct tl_error *error);

/* memory.c: takes in all PT_LOAD segments. */
enum tl_status tl_corefile_read_segments(struct core_target *core, const struct tl_elf *elf, struct tl_error *error);
/* Puts the mappings in order. */
void tl_corefile_sort_mappings(struct core_target *core);
enum tl_status tl_corefile_read_memory(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer,
				       tl_size size, tl_size *done_ret);
enum tl_status tl_corefile_region(struct tl_target *target, tl_u64 process, tl_u64 address,
				  struct tl_memory_region *region_ret);
/* A tl_elf_read of what the core itself holds of an image; the context is a struct core_image. */
struct core_image {
	const struct core_target *core;
	tl_u64 base;
};
enum tl_status tl_corefile_read_image(void *context, tl_u64 offset, void *buffer, tl_size size);

/* files.c: finds the program among the files and looks whether it is the right one. */
enum tl_status tl_corefile_find_program(struct core_target *core, struct tl_error *error);
/* Opens and checks a file on its first use; false when nothing may be taken from it. */
bool tl_corefile_use(struct core_target *core, tl_u32 file);
/* What may be done with a mapping that the core says no more of than that it is there: what its file asks for. */
tl_u32 tl_corefile_file_flags(struct core_target *core, const struct core_mapping *mapping);
void tl_corefile_close_files(struct core_target *core);

/* registers.c: which registers there are, for `cpu` and `features` */
void tl_corefile_find_features(struct core_target *core);
/* The same, and a bank's registers, of arm64 (registers_arm64.c). */
void tl_corefile_arm64_find_features(struct core_target *core);
enum tl_status tl_corefile_arm64_fetch(const struct core_target *core, const struct core_thread *thread, tl_u8 bank,
				       tl_u8 *file);
enum tl_status tl_corefile_describe(struct tl_target *target, tl_u64 process, struct tl_process_facts *facts_ret);
enum tl_status tl_corefile_fetch(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank, tl_u8 *file);
/* Where a thread's local storage hangs; false when the core does not say. */
bool tl_corefile_thread_pointer(const struct core_target *core, const struct core_thread *thread, tl_u64 *value_ret);

/* corefile.c: NULL when there is none. */
const struct core_thread *tl_corefile_thread(const struct core_target *core, struct tl_thread_id id);

#endif
