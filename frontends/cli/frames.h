/*
 * Frames as people see them, in gdb's words: "#1  0x0000555555555139 in main (argc=1) at x.c:5", and threads' names.
 * Control thread, outside of a turn of the loop.
 */
#ifndef TL_FRONTENDS_CLI_FRAMES_H
#define TL_FRONTENDS_CLI_FRAMES_H

#include "debugger/session/session.h"

struct tl_cli;

enum tl_frame_part {
	TL_FRAME_LEVEL = 1 << 0,     /* "#1  " */
	TL_FRAME_ARGUMENTS = 1 << 1, /* their values, by `set print frame-arguments` */
	TL_FRAME_SOURCE = 1 << 2,    /* the line of source below */
	TL_FRAME_SHARED = 1 << 3     /* "..." for arguments, if there are some: several threads have this frame */
};

/*
 * Prints a frame of the selected thread, with a newline. For values of arguments it is selected meanwhile, and the one
 * that was selected is selected again.
 */
TL_CHECKED enum tl_status tl_frame_print(struct tl_cli *cli, const struct tl_stack_frame *frame, unsigned parts,
					 struct tl_error *error);

/* Prints the frame's line of source, with the address in front where it stands inside of a line. */
void tl_frame_print_source(struct tl_cli *cli, const struct tl_stack_frame *frame);

/* The selected frame: printed with level and source, as `frame` does. */
TL_CHECKED enum tl_status tl_frame_print_selected(struct tl_cli *cli, struct tl_error *error);

/* "Thread 0x7ffff7d8a740 (LWP 123)", or "process 123" before it has a thread pointer. */
void tl_thread_write_name(struct tl_cli *cli, struct tl_thread_id thread, struct tl_output *output);

/* The arguments between a frame's parentheses, by the settings. */
TL_CHECKED enum tl_status tl_frame_write_arguments(struct tl_cli *cli, const struct tl_stack_frame *frame,
						   struct tl_output *output, struct tl_error *error);

/* "c", "c++" or "asm"; NULL: no debug information has the frame's code. */
const char *tl_frame_language(const struct tl_stack_frame *frame);
/* Has any debug information the frame's code? */
bool tl_frame_has_unit(const struct tl_stack_frame *frame);

/* A file's name as the compiler was told it, which is what gdb shows, where it is that of the line at an address. */
void tl_place_write_file(const struct tl_modules *modules, tl_u64 address, const char *file, struct tl_output *output);

/*
 * The value of a variable as `info locals` shows it: "<optimized out>", "<error reading variable x (…)>" or what it is;
 * `name` NULL: as behind the name of an argument.
 */
void tl_value_write(struct tl_cli *cli, const char *name, const struct tl_value *value, const char *failure,
		    struct tl_output *output);

/* "[Switching to thread 2 (Thread 0x7ffff7d8a740 (LWP 123))]", and where it stands. */
TL_CHECKED enum tl_status tl_thread_tell_selected(struct tl_cli *cli, struct tl_error *error);

#endif
