/*
 * Functions of the debugger's own that look at the stack, at settings, or at how values are printed (GDB manual,
 * "Convenience Funs"), and what the kernel tells of a signal.
 */
#include "debugger/session/session_internal.h"

#include "debugger/values/print.h"
#include "debugger/values/program_string.h"
#include "symbols/dwarf_constants.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

struct asked {
	struct tl_session *session;
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	const struct tl_value *arguments;
	tl_size count;
	struct tl_error *error;
};

static enum tl_status make_number(const struct asked *asked, tl_i64 number, struct tl_value *value_ret)
{
	const struct tl_value_context *values = &asked->environment->values;
	const struct tl_type *type;

	TL_TRY(tl_value_integer_type(values, number == (int)number ? 4 : 8, true, &type, asked->error));
	return tl_value_make_integer(values, type, number, value_ret, asked->error);
}

static enum tl_status make_text(const struct asked *asked, const char *text, struct tl_value *value_ret)
{
	const struct tl_value_context *values = &asked->environment->values;
	const struct tl_type *type;
	tl_size size = strlen(text) + 1;

	TL_TRY(tl_type_make_base(values->types, "char", DW_ATE_signed_char, 1, &type, asked->error));
	TL_TRY(tl_type_make_array(type, size, &type, asked->error));
	return tl_value_make_bytes(values, type, text, size, value_ret, asked->error);
}

/* ---- Who called ---- */

struct wanted {
	const char *name;
	regex_t pattern;
	bool is_pattern;
};

static bool is_wanted(const struct wanted *wanted, const struct tl_stack_frame *frame)
{
	if (frame->name == NULL)
		return false;
	return wanted->is_pattern ? regexec(&wanted->pattern, frame->name, 0, NULL, 0) == 0
				  : strcmp(wanted->name, frame->name) == 0;
}

/* The frame so far out of the selected one, or any up to there. */
static enum tl_status look_out(const struct asked *asked, const struct wanted *wanted, tl_i64 far, bool any,
			       bool *found_ret)
{
	const tl_u32 level = tl_session_level(asked->session);
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;

	*found_ret = false;
	TL_TRY(tl_session_stack(asked->session, &stack, asked->error));
	for (tl_i64 i = any ? 0 : far; i <= far && !*found_ret; i++) {
		if (i > TL_U32_MAX - level || tl_stack_frame(stack, level + (tl_u32)i, &frame, NULL) != TL_OK)
			break;
		*found_ret = is_wanted(wanted, frame);
	}
	return TL_OK;
}

static enum tl_status read_pattern(const struct asked *asked, const char *text, struct wanted *wanted)
{
	char anchored[1024];

	/* As gdb does, from the name's beginning on. */
	if ((tl_size)snprintf(anchored, sizeof(anchored), "^(%s)", text) >= sizeof(anchored) ||
	    regcomp(&wanted->pattern, anchored, REG_EXTENDED | REG_NOSUB) != 0)
		return TL_FAIL(asked->error, TL_ERROR_ARGUMENT, "\"%s\" is no regular expression.", text);
	wanted->is_pattern = true;
	return TL_OK;
}

static enum tl_status callers(const struct asked *asked, bool pattern, bool any, struct tl_value *value_ret)
{
	const struct tl_value_context *values = &asked->environment->values;
	struct wanted wanted = {.name = NULL};
	tl_i128 far = 1;
	bool found = false;
	enum tl_status status;
	char *name;

	TL_TRY(tl_program_string(values, &asked->arguments[0], &name, asked->error));
	if (asked->count > 1)
		TL_TRY(tl_value_integer(values, &asked->arguments[1], &far, asked->error));
	if (far < 0 || far > TL_U32_MAX)
		return TL_FAIL(asked->error, TL_ERROR_ARGUMENT, "nframes must be >= 0");
	wanted.name = name;
	if (pattern)
		TL_TRY(read_pattern(asked, name, &wanted));
	status = look_out(asked, &wanted, (tl_i64)far, any, &found);
	if (wanted.is_pattern)
		regfree(&wanted.pattern);
	TL_TRY(status);
	return make_number(asked, found, value_ret);
}

static enum tl_status caller_is(const struct asked *asked, struct tl_value *value_ret)
{
	return callers(asked, false, false, value_ret);
}

static enum tl_status caller_matches(const struct asked *asked, struct tl_value *value_ret)
{
	return callers(asked, true, false, value_ret);
}

static enum tl_status any_caller_is(const struct asked *asked, struct tl_value *value_ret)
{
	return callers(asked, false, true, value_ret);
}

static enum tl_status any_caller_matches(const struct asked *asked, struct tl_value *value_ret)
{
	return callers(asked, true, true, value_ret);
}

/* ---- Values and settings as text ---- */

static enum tl_status as_string(const struct asked *asked, struct tl_value *value_ret)
{
	struct tl_print_options options = {.listed = true};
	struct tl_output text = tl_output_make(TL_PROGRAM_STRING_MAX);
	enum tl_status status;

	tl_environment_symbols(asked->store, &options);
	status = tl_print_value(&asked->environment->values, &options, &asked->arguments[0], &text, asked->error);
	if (status == TL_OK)
		status = make_text(asked, tl_output_string(&text), value_ret);
	tl_output_release(&text);
	return status;
}

static enum tl_status setting(const struct asked *asked, bool as_text, struct tl_value *value_ret)
{
	const struct tl_session_options *options = &asked->session->options;
	struct tl_output text = tl_output_make(TL_PROGRAM_STRING_MAX);
	bool is_number = false;
	enum tl_status status;
	tl_i64 number = 0;
	char *name;

	TL_TRY(tl_program_string(&asked->environment->values, &asked->arguments[0], &name, asked->error));
	if (options->setting == NULL)
		return TL_FAIL(asked->error, TL_ERROR_UNSUPPORTED, "There are no settings here.");
	status = options->setting(options->context, name, &number, &is_number, &text, asked->error);
	if (status == TL_OK)
		status = is_number && !as_text ? make_number(asked, number, value_ret)
					       : make_text(asked, tl_output_string(&text), value_ret);
	tl_output_release(&text);
	return status;
}

static enum tl_status setting_value(const struct asked *asked, struct tl_value *value_ret)
{
	return setting(asked, false, value_ret);
}

static enum tl_status setting_text(const struct asked *asked, struct tl_value *value_ret)
{
	return setting(asked, true, value_ret);
}

/* ---- All of them ---- */

enum tl_status tl_session_convenience(struct tl_session *session, const char *name, const struct tl_value *arguments,
				      tl_size count, struct tl_value *value_ret, bool *known_ret,
				      struct tl_error *error)
{
	static const struct {
		const char *name;
		tl_size least, most;
		enum tl_status (*call)(const struct asked *asked, struct tl_value *value_ret);
	} functions[] = {
		{"_any_caller_is", 1, 2, any_caller_is},   {"_any_caller_matches", 1, 2, any_caller_matches},
		{"_as_string", 1, 1, as_string},           {"_caller_is", 1, 2, caller_is},
		{"_caller_matches", 1, 2, caller_matches}, {"_gdb_setting", 1, 1, setting_value},
		{"_gdb_setting_str", 1, 1, setting_text},
	};
	struct asked asked = {.session = session, .arguments = arguments, .count = count, .error = error};
	tl_size row = 0;

	while (row < TL_COUNT(functions) && strcmp(functions[row].name, name) != 0)
		row++;
	*known_ret = row < TL_COUNT(functions);
	if (!*known_ret || value_ret == NULL)
		return TL_OK;
	if (count < functions[row].least || count > functions[row].most)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "You must provide %s to $%s.",
			       functions[row].most > 1 ? "one or two arguments" : "one argument", name);
	TL_TRY(tl_session_environment(session, &asked.environment, &asked.store, error));
	return functions[row].call(&asked, value_ret);
}

/* ---- $_siginfo ---- */

enum tl_status tl_session_siginfo(struct tl_session *session, bool write, tl_u64 offset, tl_u8 *bytes, tl_size size,
				  struct tl_error *error)
{
	struct tl_target *target = session->target;
	tl_size done = 0;
	enum tl_status status = TL_ERROR_UNSUPPORTED;

	if (session->selected.process == 0)
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "No thread is selected: there is no signal.");
	if (!write && target->ops->read_object != NULL)
		status = target->ops->read_object(target, session->selected, TL_OBJECT_SIGINFO, offset, bytes, size,
						  &done);
	else if (write && target->ops->write_object != NULL)
		status = target->ops->write_object(target, session->selected, TL_OBJECT_SIGINFO, offset, bytes, size,
						   &done);
	if (status == TL_OK && done == size)
		return TL_OK;
	return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
		       write ? "Unable to write siginfo: this target does not take it."
			     : "Unable to read siginfo: this target does not tell it.");
}
