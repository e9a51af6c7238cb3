/* Threads as people name them: "3", "2.1", "1.2-4", "2.*", "*", "$n" (GDB manual, "Threads"). Control thread. */
#ifndef TL_FRONTENDS_CLI_THREAD_IDS_H
#define TL_FRONTENDS_CLI_THREAD_IDS_H

#include "base/error.h"

struct tl_cli;

/* A thread that was named, by its number among all (tl_session_numbered_thread); 0: there is none of that name. */
struct tl_thread_named {
	tl_u32 global, inferior, thread;
};

/* The caller frees `items`. */
struct tl_named_threads {
	struct tl_thread_named *items;
	tl_size count, capacity;
};

/* One thread. Errors say that there is none, or that this is no name of a thread. */
TL_CHECKED enum tl_status tl_thread_id_read(struct tl_cli *cli, const char *text, tl_u32 *global_ret,
					    struct tl_error *error);
/*
 * Takes names of threads from the front of a text as long as it goes on with one, in their order; those that are not
 * there, too. TL_ERROR_ARGUMENT for what begins as a name and is none.
 */
TL_CHECKED enum tl_status tl_thread_ids_take(struct tl_cli *cli, const char **at, struct tl_named_threads *list,
					     struct tl_error *error);
/* All threads, by inferiors and numbers. */
TL_CHECKED enum tl_status tl_thread_ids_all(struct tl_cli *cli, struct tl_named_threads *list, struct tl_error *error);
/* "2.1", or "3" where inferiors go without saying. */
void tl_thread_named_write(struct tl_cli *cli, const struct tl_thread_named *named, char *text_ret, tl_size size);

#endif
