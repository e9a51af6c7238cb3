#include "frontends/cli/frames.h"

#include "frontends/cli/addresses.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/code.h"
#include "frontends/cli/listing.h"
#include "frontends/cli/values.h"
#include "symbols/dwarf_constants.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Further parts than those of the header: without the place; always with the address; without the file. */
enum { FRAME_NO_PLACE = 1 << 16, FRAME_ADDRESS = 1 << 17, FRAME_SHORT = 1 << 18 };

/* `set disassemble-next-line` */
enum { NEXT_LINE_OFF, NEXT_LINE_ON };

/* `set print frame-arguments` */
enum { ARGUMENTS_ALL, ARGUMENTS_SCALARS, ARGUMENTS_NONE, ARGUMENTS_PRESENCE };

/* ---- Values ---- */

static void write_failure(const char *name, const char *failure, struct tl_output *output)
{
	if (name != NULL)
		tl_output_format(output, "<error reading variable %s (%s)>", name, failure);
	else
		tl_output_format(output, "<error reading variable: %s>", failure);
}

void tl_value_write(struct tl_cli *cli, const char *name, const struct tl_value *value, const char *failure,
		    struct tl_output *output)
{
	const struct tl_environment *environment;
	struct tl_value loaded;
	struct tl_error error;

	if (value == NULL) {
		write_failure(name, failure != NULL ? failure : "it has no value", output);
		return;
	}
	loaded = *value;
	if (tl_session_environment(cli->session, &environment, NULL, &error) != TL_OK ||
	    tl_value_load(&environment->values, &loaded, &error) != TL_OK ||
	    tl_cli_print_listed(cli, &loaded, 0, output, &error) != TL_OK)
		write_failure(name, error.text, output);
}

void tl_place_write_file(const struct tl_modules *modules, tl_u64 address, const char *file, struct tl_output *output)
{
	struct tl_code_line line;
	char whole[4096], name[4096];
	tl_size size;

	if (tl_modules_line(modules, address, &line)) {
		size = tl_line_table_path(line.table, line.row->file, true, whole, sizeof(whole));
		if (size > 0 && size < sizeof(whole) && strcmp(whole, file) == 0 &&
		    tl_line_table_shown_path(line.table, line.row->file, name, sizeof(name)) < sizeof(name))
			file = name;
	}
	tl_output_text(output, file);
}

/* Structs, unions and arrays are shown as "..." where only scalars are wanted. */
static bool is_scalar(const struct tl_value *value)
{
	const struct tl_type *type;

	if (value == NULL || tl_type_strip(value->type, &type, NULL) != TL_OK)
		return true;
	if ((type->kind == TL_TYPE_REFERENCE || type->kind == TL_TYPE_RVALUE_REFERENCE) &&
	    (tl_type_target(type, &type, NULL) != TL_OK || tl_type_strip(type, &type, NULL) != TL_OK))
		return true;
	return type->kind != TL_TYPE_STRUCT && type->kind != TL_TYPE_CLASS && type->kind != TL_TYPE_UNION &&
	       type->kind != TL_TYPE_ARRAY;
}

struct arguments {
	struct tl_cli *cli;
	struct tl_output *output;
	bool first;
};

static void write_one(struct arguments *arguments, const char *name, const char *suffix, const char *more,
		      const struct tl_value *value, const char *failure)
{
	struct tl_cli *cli = arguments->cli;
	struct tl_output *output = arguments->output;

	if (!arguments->first)
		tl_output_text(output, ", ");
	arguments->first = false;
	tl_output_format(output, "%s%s%s%s=%s", tl_screen_style(&cli->screen, TL_STYLE_VARIABLE), name, suffix,
			 tl_screen_style(&cli->screen, TL_STYLE_PLAIN), more);
	if (cli->settings.frame_arguments == ARGUMENTS_NONE ||
	    (cli->settings.frame_arguments == ARGUMENTS_SCALARS && !is_scalar(value)))
		tl_output_text(output, "...");
	else
		tl_value_write(cli, NULL, value, failure, output);
}

/* "<optimized out>" of what is not known at the entry. */
static void write_lost(struct arguments *arguments, const char *name, const char *suffix)
{
	tl_output_format(arguments->output, "%s%s%s=<optimized out>", arguments->first ? "" : ", ", name, suffix);
	arguments->first = false;
}

static bool is_lost(const struct tl_frame_variable *variable)
{
	return variable->value == NULL || (variable->value->absent != NULL && tl_value_is_absent(variable->value));
}

/* All ways but the default one; false: that one serves. */
static bool write_chosen(struct arguments *arguments, const struct tl_frame_variable *variable, const char *name)
{
	const enum tl_entry_values how = (enum tl_entry_values)arguments->cli->settings.entry_values;
	const bool known = variable->at_entry != NULL;

	switch (how) {
	case TL_ENTRY_VALUES_DEFAULT:
		return false;
	case TL_ENTRY_VALUES_COMPACT:
		if (!known || !is_lost(variable))
			return false;
		break;
	case TL_ENTRY_VALUES_IF_NEEDED:
	case TL_ENTRY_VALUES_NO:
		if (how == TL_ENTRY_VALUES_NO || !known || !is_lost(variable)) {
			write_one(arguments, name, "", "", variable->value, variable->failure);
			return true;
		}
		break;
	case TL_ENTRY_VALUES_PREFERRED:
		if (!known) {
			write_one(arguments, name, "", "", variable->value, variable->failure);
			return true;
		}
		break;
	case TL_ENTRY_VALUES_BOTH:
		write_one(arguments, name, "", "", variable->value, variable->failure);
		break;
	case TL_ENTRY_VALUES_ONLY:
		break;
	}
	if (known)
		write_one(arguments, name, "@entry", "", variable->at_entry, NULL);
	else
		write_lost(arguments, name, "@entry");
	return true;
}

static bool write_argument(void *context, const struct tl_frame_variable *variable)
{
	struct arguments *arguments = context;
	const char *name = variable->name != NULL ? variable->name : "";

	if (write_chosen(arguments, variable, name))
		return true;

	if (variable->at_entry != NULL && variable->unchanged) {
		char more[TL_VARIABLE_NAME_MAX + 16] = "";

		(void)snprintf(more, sizeof(more), "%.*s@entry=", TL_VARIABLE_NAME_MAX, name);
		write_one(arguments, name, "", more, variable->value, variable->failure);
		return true;
	}
	if (variable->value != NULL || variable->failure != NULL)
		write_one(arguments, name, "", "", variable->value, variable->failure);
	if (variable->at_entry != NULL)
		write_one(arguments, name, "@entry", "", variable->at_entry, NULL);
	return true;
}

static bool note_argument(void *context, const struct tl_frame_variable *variable)
{
	(void)variable;
	*(bool *)context = true;
	return false;
}

static enum tl_status write_arguments(struct tl_cli *cli, const struct tl_stack_frame *frame, unsigned parts,
				      struct tl_output *output, struct tl_error *error)
{
	const bool presence = cli->settings.frame_arguments == ARGUMENTS_PRESENCE || (parts & TL_FRAME_SHARED) != 0;
	struct arguments arguments = {cli, output, true};
	tl_u32 level = tl_session_level(cli->session);
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	enum tl_status status = TL_OK;
	const bool raw = cli->settings.raw;
	bool any = false;

	if (frame->level != level)
		TL_TRY(tl_session_select_frame(cli->session, frame->level, error));
	status = tl_session_environment(cli->session, &environment, &store, error);
	cli->settings.raw = raw || cli->settings.raw_arguments;
	if (status == TL_OK && presence)
		status = tl_environment_variables(store, true, note_argument, &any, error);
	else if (status == TL_OK)
		status = tl_environment_variables(store, true, write_argument, &arguments, error);
	cli->settings.raw = raw;
	tl_output_text(output, any ? "..." : "");
	if (frame->level != level)
		TL_TRY(tl_session_select_frame(cli->session, level, error));
	return status;
}

/* ---- Frames ---- */

/* `addressed`: with the address in front where it is inside of a line; behind a place it was said already. */
static void print_source(struct tl_cli *cli, const struct tl_stack_frame *frame, bool addressed)
{
	if (frame->signal || frame->line == 0 || frame->file == NULL) {
		if (cli->settings.next_line_code != NEXT_LINE_OFF)
			tl_code_show_line(cli, frame->program_counter, frame->lookup);
		return;
	}
	tl_listing_stand(cli, frame->file, frame->file_name, frame->line);
	/* The source window has it. */
	if (tl_full_screen_shows(cli, frame->file))
		return;
	if (addressed && frame->mid_line && cli->settings.addresses)
		tl_screen_format(&cli->screen, "%s0x%0*llx%s\t", tl_screen_style(&cli->screen, TL_STYLE_ADDRESS),
				 tl_address_digits(cli), (unsigned long long)frame->program_counter,
				 tl_screen_style(&cli->screen, TL_STYLE_PLAIN));
	tl_listing_line(cli, frame->file, frame->file_name, frame->line);
	if (cli->settings.next_line_code == NEXT_LINE_ON)
		tl_code_show_line(cli, frame->program_counter, frame->lookup);
}

/* By `set print frame-info`, whatever the command wanted; *parts_ret is what is shown then. */
static void choose_parts(struct tl_cli *cli, const struct tl_stack_frame *frame, unsigned parts, unsigned *parts_ret)
{
	const unsigned place = (parts & TL_FRAME_LEVEL) | TL_FRAME_ARGUMENTS | (parts & TL_FRAME_SHARED);

	*parts_ret = parts;
	switch ((enum tl_frame_info)cli->settings.frame_info) {
	case TL_FRAME_INFO_AUTO:
		break;
	case TL_FRAME_INFO_SOURCE:
		/* Where there is no line the place has to do. */
		*parts_ret = frame->line != 0 && !frame->signal ? TL_FRAME_SOURCE | FRAME_NO_PLACE : place;
		break;
	case TL_FRAME_INFO_LOCATION:
		*parts_ret = place;
		break;
	case TL_FRAME_INFO_SOURCE_AND_LOCATION:
		*parts_ret = place | TL_FRAME_SOURCE;
		break;
	case TL_FRAME_INFO_ADDRESS:
		*parts_ret = place | FRAME_ADDRESS;
		break;
	case TL_FRAME_INFO_SHORT:
		*parts_ret = place | FRAME_SHORT;
		break;
	}
}

static void write_place(struct tl_cli *cli, const struct tl_stack_frame *frame, struct tl_output *output)
{
	const char *on = tl_screen_style(&cli->screen, TL_STYLE_FILENAME);
	const char *off = tl_screen_style(&cli->screen, TL_STYLE_PLAIN);

	const char *name = frame->file_name;

	char whole[PATH_MAX];

	if (cli->settings.file_names == 2 && frame->file != NULL)
		name = realpath(frame->file, whole) != NULL ? whole : frame->file;
	else if (cli->settings.file_names == 1 && name != NULL && strrchr(name, '/') != NULL)
		name = strrchr(name, '/') + 1;
	if (frame->line != 0 && name != NULL)
		tl_output_format(output, " at %s%s%s:%u", on, name, off, frame->line);
	else if (frame->module != NULL && !frame->module->program && frame->module->link_map != 0)
		tl_output_format(output, " from %s%s%s", on, frame->module->binary->path, off);
}

enum tl_status tl_frame_print(struct tl_cli *cli, const struct tl_stack_frame *frame, unsigned parts,
			      struct tl_error *error)
{
	struct tl_screen *screen = &cli->screen;
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	struct tl_error why;

	choose_parts(cli, frame, parts, &parts);
	if ((parts & FRAME_NO_PLACE) != 0) {
		print_source(cli, frame, true);
		return TL_OK;
	}
	if ((parts & TL_FRAME_LEVEL) != 0)
		tl_output_format(&output, "#%-2u ", frame->level);
	if (frame->signal) {
		tl_output_text(&output, "<signal handler called>");
	} else {
		if (cli->settings.addresses && (frame->mid_line || frame->line == 0 || (parts & FRAME_ADDRESS) != 0))
			tl_output_format(&output, "%s0x%0*llx%s%s in ", tl_screen_style(screen, TL_STYLE_ADDRESS),
					 tl_address_digits(cli), (unsigned long long)frame->program_counter,
					 tl_screen_style(screen, TL_STYLE_PLAIN),
					 frame->authenticated && !frame->inlined ? " [PAC]" : "");
		tl_output_format(&output, "%s%s%s (", tl_screen_style(screen, TL_STYLE_FUNCTION),
				 frame->name != NULL ? frame->name : "??", tl_screen_style(screen, TL_STYLE_PLAIN));
		if ((parts & TL_FRAME_ARGUMENTS) != 0 && frame->has_function &&
		    write_arguments(cli, frame, parts, &output, &why) != TL_OK)
			tl_output_format(&output, "<error: %s>", why.text);
		tl_output_text(&output, ")");
		if ((parts & FRAME_SHORT) == 0)
			write_place(cli, frame, &output);
	}
	tl_output_text(&output, "\n");
	tl_screen_text(screen, tl_output_string(&output));
	tl_output_release(&output);
	if ((parts & TL_FRAME_SOURCE) != 0)
		print_source(cli, frame, false);
	(void)error;
	return TL_OK;
}

void tl_frame_print_source(struct tl_cli *cli, const struct tl_stack_frame *frame)
{
	if (cli->settings.frame_info != TL_FRAME_INFO_AUTO)
		(void)!tl_frame_print(cli, frame, TL_FRAME_SOURCE, NULL);
	else
		print_source(cli, frame, true);
}

enum tl_status tl_frame_print_selected(struct tl_cli *cli, struct tl_error *error)
{
	const struct tl_stack_frame *frame;

	TL_TRY(tl_session_frame(cli->session, &frame, error));
	return tl_frame_print(cli, frame, TL_FRAME_LEVEL | TL_FRAME_ARGUMENTS | TL_FRAME_SOURCE, error);
}

/* ---- Threads ---- */

void tl_thread_write_name(struct tl_cli *cli, struct tl_thread_id thread, struct tl_output *output)
{
	struct tl_target *target = cli->target;
	tl_u8 bytes[8];
	tl_u64 pointer = 0;
	tl_size done = 0;
	char name[64];

	if (tl_session_name_processor(target, thread, name, sizeof(name))) {
		tl_output_format(output, "%s", name);
		return;
	}
	if (target->ops->read_object != NULL &&
	    target->ops->read_object(target, thread, TL_OBJECT_THREAD_POINTER, 0, bytes, sizeof(bytes), &done) ==
		    TL_OK &&
	    done == sizeof(bytes))
		for (tl_size i = sizeof(bytes); i > 0; i--)
			pointer = pointer << 8 | bytes[i - 1];
	if (pointer != 0)
		tl_output_format(output, "Thread 0x%llx (LWP %llu)", (unsigned long long)pointer,
				 (unsigned long long)thread.thread);
	else if (thread.thread == thread.process)
		tl_output_format(output, "process %llu", (unsigned long long)thread.process);
	else
		tl_output_format(output, "LWP %llu", (unsigned long long)thread.thread);
}

static const char *language_name(tl_u16 language)
{
	switch (language) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
		return "c++";
	case DW_LANG_Mips_Assembler:
		return "asm";
	default:
		return "c";
	}
}

enum tl_status tl_frame_write_arguments(struct tl_cli *cli, const struct tl_stack_frame *frame,
					struct tl_output *output, struct tl_error *error)
{
	return write_arguments(cli, frame, TL_FRAME_ARGUMENTS, output, error);
}

static const struct tl_unit *unit_of(const struct tl_stack_frame *frame)
{
	if (frame->module == NULL || frame->module->binary->index == NULL)
		return NULL;
	return tl_index_unit(frame->module->binary->index, frame->lookup - frame->module->bias);
}

bool tl_frame_has_unit(const struct tl_stack_frame *frame)
{
	return unit_of(frame) != NULL;
}

const char *tl_frame_language(const struct tl_stack_frame *frame)
{
	const struct tl_unit *unit = unit_of(frame);

	/* What the kernel has a handler return to is in no source, though it stands among what is. */
	if (unit == NULL || (frame->signal && frame->line == 0))
		return NULL;
	return language_name(unit->language);
}

enum tl_status tl_thread_tell_selected(struct tl_cli *cli, struct tl_error *error)
{
	struct tl_thread_id thread = tl_session_thread(cli->session);
	struct tl_output name = tl_output_make(512);
	struct tl_thread_info info;
	char label[32];

	tl_thread_write_name(cli, thread, &name);
	tl_session_thread_label(cli->session, thread, label, sizeof(label));
	tl_screen_format(&cli->screen, "[Switching to thread %s (%s)]", label, tl_output_string(&name));
	tl_output_release(&name);
	if (!tl_engine_find_thread(tl_session_engine(cli->session), thread, &info) || !info.stopped) {
		tl_screen_text(&cli->screen, "(running)\n");
		return TL_OK;
	}
	tl_screen_text(&cli->screen, "\n");
	TL_TRY(tl_session_select_frame(cli->session, 0, error));
	return tl_frame_print_selected(cli, error);
}
