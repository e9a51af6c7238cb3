/*
 * Threads as people see them: which numbers there are, and what each is called. Control thread, outside of a turn of
 * the loop.
 */
#ifndef TL_FRONTENDS_CLI_THREADS_H
#define TL_FRONTENDS_CLI_THREADS_H

#include "debugger/session/session.h"

struct tl_cli;

/* Numbers of threads among all (tl_session_numbered_thread). */
struct tl_thread_list {
	tl_u32 *items;
	tl_size count, capacity;
};

/* All threads there are, by inferiors and numbers; the caller releases them. TL_ERROR_NO_MEMORY. */
TL_CHECKED enum tl_status tl_threads_all(struct tl_cli *cli, struct tl_thread_list *numbers_ret,
					 struct tl_error *error);
/* Those of a list that a person gave ("1 3-5 $n 2.*") that are there, in its order. The caller releases them. */
TL_CHECKED enum tl_status tl_threads_listed(struct tl_cli *cli, const char *list, struct tl_thread_list *numbers_ret,
					    struct tl_error *error);
/* One more number. TL_ERROR_NO_MEMORY. */
TL_CHECKED enum tl_status tl_thread_list_add(struct tl_thread_list *numbers, tl_u32 number, struct tl_error *error);
void tl_thread_list_release(struct tl_thread_list *numbers);
/* As they may be typed in a list: "2-345 347-999", "1.2 2.1-3". They must be in order. */
void tl_thread_list_write(struct tl_cli *cli, const struct tl_thread_list *numbers, struct tl_output *output);

#define TL_THREAD_NAME_MAX 64

/* What a person called a thread, NULL: nothing; what it calls itself, and of the two the first: "" for no name. */
const char *tl_thread_given_name(struct tl_cli *cli, struct tl_thread_id thread);
void tl_thread_own_name(struct tl_cli *cli, struct tl_thread_id thread, char name_ret[TL_THREAD_NAME_MAX]);
void tl_thread_read_name(struct tl_cli *cli, struct tl_thread_id thread, char name_ret[TL_THREAD_NAME_MAX]);
/* Calls a thread something, or, with "", what it calls itself again. TL_ERROR_NO_MEMORY. */
TL_CHECKED enum tl_status tl_thread_call(struct tl_cli *cli, struct tl_thread_id thread, const char *name,
					 struct tl_error *error);
/* Forgets the names that a person gave. */
void tl_thread_names_forget(struct tl_cli *cli);

/* 'Thread 0x7ffff7d8a740 (LWP 123) "name"' */
void tl_thread_write_target_id(struct tl_cli *cli, struct tl_thread_id thread, struct tl_output *output);

#endif
