/*
 * What the files of this folder share.
 */
#ifndef TL_FRONTENDS_SERVE_LLDB_INTERNAL_H
#define TL_FRONTENDS_SERVE_LLDB_INTERNAL_H

#include "frontends/serve/lldb/lldb.h"

/* A handler: see struct tl_rsp_row. */
#define TL_LLDB_HANDLER(name)                                                                                          \
	static enum tl_status name(struct tl_rsp *rsp, struct tl_lldb *lldb, struct tl_cursor *arguments,              \
				   struct tl_writer *reply);                                                           \
	static enum tl_status name##_row(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,               \
					 struct tl_writer *reply)                                                      \
	{                                                                                                              \
		return name(rsp, context, arguments, reply);                                                           \
	}                                                                                                              \
	static enum tl_status name(                                                                                    \
		__attribute__((unused)) struct tl_rsp *rsp, __attribute__((unused)) struct tl_lldb *lldb,              \
		__attribute__((unused)) struct tl_cursor *arguments, __attribute__((unused)) struct tl_writer *reply)

extern const struct tl_rsp_row tl_lldb_feature_rows[];
extern const struct tl_rsp_row tl_lldb_thread_rows[];
extern const struct tl_rsp_row tl_lldb_register_rows[];
extern const struct tl_rsp_row tl_lldb_memory_rows[];
extern const struct tl_rsp_row tl_lldb_host_rows[];
extern const struct tl_rsp_row tl_lldb_launch_rows[];
extern const struct tl_rsp_row tl_lldb_module_rows[];

struct tl_target *tl_lldb_target(const struct tl_lldb *lldb);

/* The process that the client means: the general thread's. False when there is none. */
bool tl_lldb_process(struct tl_rsp *rsp, tl_u64 *process_ret);

/* The thread of an optional ";thread:ID;" at the end of a packet, or the general thread. */
enum tl_status tl_lldb_thread(struct tl_rsp *rsp, struct tl_cursor *arguments, struct tl_thread_id *id_ret);

/*
 * Takes hexadecimal digits up to the end or the next character that is none, as text with a final zero byte: at the
 * least one digit pair, and no zero bytes inside. False when it is malformed or does not fit.
 */
bool tl_lldb_take_hex_text(struct tl_cursor *arguments, char *buffer, tl_size size);

/* The description of the process's CPU, and the client's number of register `index` (-1: the machine lacks it). */
const struct tl_cpu *tl_lldb_cpu(const struct tl_lldb *lldb, tl_u64 process, tl_u32 *features_ret);
int tl_lldb_register_number(const struct tl_cpu *cpu, tl_u32 features, tl_u16 index);

/* "x86_64-pc-linux-gnu" for the process's CPU and system; for process 0 this host's own. */
void tl_lldb_triple(const struct tl_lldb *lldb, tl_u64 process, char *triple, tl_size size);

/* "name:" in front of `text` in hexadecimal and ";" behind. */
void tl_lldb_write_hex_pair(struct tl_writer *reply, const char *name, const char *text);

/* ---- Host processes, from /proc ---- */

struct tl_lldb_process {
	tl_u64 process, parent;
	tl_u64 user, group, effective_user, effective_group;
	char path[512]; /* of the program, "" when it may not be known */
};

bool tl_lldb_read_process(const struct tl_lldb *lldb, tl_u64 process, struct tl_lldb_process *process_ret);
/* The process with the least number above `after`, 0 at the end. */
tl_u64 tl_lldb_next_process(const struct tl_lldb *lldb, tl_u64 after);
/* Whether a process is the one that a name means: the path of the program, or the last part of it. */
bool tl_lldb_process_named(const struct tl_lldb *lldb, tl_u64 process, const char *name);

/* Ends a search by name, if one is under way. */
void tl_lldb_end_search(struct tl_lldb *lldb);

/* Gives back what was allocated in processes that stand still, and forgets the rest. */
void tl_lldb_release_blocks(struct tl_lldb *lldb);

/* Forgets copies of registers. */
void tl_lldb_forget_registers(struct tl_lldb *lldb);

#endif
