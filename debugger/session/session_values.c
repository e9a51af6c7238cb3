/* Expressions in the selected frame: what names mean there, what a text says, and its value. */
#include "debugger/session/session_internal.h"

#include "debugger/expressions/formatted.h"
#include "debugger/session/exceptions.h"

#include <string.h>

static enum tl_status call_function(void *context, const struct tl_value *function, const struct tl_value *arguments,
				    tl_size count, const struct tl_type *result, struct tl_value *value_ret,
				    struct tl_error *error)
{
	return tl_session_call(context, function, arguments, count, result, value_ret, error);
}

static enum tl_status exception_value(void *context, struct tl_value *value_ret, struct tl_error *error)
{
	return tl_session_exception_value(context, value_ret, error);
}

static enum tl_status call_internal(void *context, const char *name, const struct tl_value *arguments, tl_size count,
				    struct tl_value *value_ret, bool *known_ret, struct tl_error *error)
{
	return tl_session_convenience(context, name, arguments, count, value_ret, known_ret, error);
}

static enum tl_status move_siginfo(void *context, bool write, tl_u64 offset, tl_u8 *bytes, tl_size size,
				   struct tl_error *error)
{
	return tl_session_siginfo(context, write, offset, bytes, size, error);
}

/* A register or the stack may be another now; the frames are unwound anew when they are asked for. */
static void memory_changed(void *context)
{
	struct tl_session *session = context;

	/* Not now: the environment that asks is in use. Values and frames that are held stay what they were. */
	session->stopped_at = tl_session_program_counter(session, session->selected);
}

/* What depends on what is selected, and is set by nobody (GDB manual, "Inferiors" and "Threads"). */
static bool special_variable(void *context, const char *name, tl_i64 *number_ret)
{
	struct tl_session *session = context;
	struct tl_thread_numbers numbers = {0};

	/* Whose words these are: what scripts ask for before they use them. */
	if (strcmp(name, "_gdb_major") == 0 || strcmp(name, "_gdb_minor") == 0) {
		*number_ret = name[6] == 'a' ? 13 : 1;
		return true;
	}
	if (strcmp(name, "_inferior") == 0) {
		*number_ret = session->current->number;
		return true;
	}
	if (strcmp(name, "_thread") != 0 && strcmp(name, "_gthread") != 0)
		return false;
	if (session->selected.process != 0)
		numbers = tl_session_thread_numbers(session, session->selected);
	*number_ret = name[1] == 't' ? numbers.thread : numbers.global;
	return true;
}

enum tl_status tl_session_environment(struct tl_session *session, const struct tl_environment **environment_ret,
				      struct tl_environment_store **store_ret, struct tl_error *error)
{
	struct tl_surroundings surroundings = {
		.engine = session->selected.process != 0 ? session->engine : NULL,
		.modules = tl_session_modules(session),
		.level = session->level,
		.variables = session->variables,
		.types = session->types,
		.arena = &session->arena,
		.patience = session->patience,
		.call = call_function,
		.changed = memory_changed,
		.exception = exception_value,
		.special = special_variable,
		.language = session->settings.language,
		.value_size_max = session->settings.value_size_max,
		.internal = call_internal,
		.siginfo = move_siginfo,
		.context = session,
	};
	struct tl_error none;

	if (session->store == NULL) {
		if (session->selected.process == 0 || tl_session_stack(session, &surroundings.stack, &none) != TL_OK)
			surroundings.stack = NULL;
		TL_TRY(tl_environment_open(&session->store, &surroundings, &session->environment, &session->code,
					   error));
	}
	*environment_ret = &session->environment;
	if (store_ret != NULL)
		*store_ret = session->store;
	return TL_OK;
}

/* Who is asked what names are while an expression is read. */
struct reader {
	const struct tl_environment *environment;
	struct tl_arena *arena;
};

static bool is_value(const struct reader *reader, const char *name)
{
	const struct tl_environment *environment = reader->environment;
	struct tl_value value;
	struct tl_error error;
	bool found = false;

	return environment->find_name != NULL &&
	       environment->find_name(environment->context, NULL, name, &value, &found, &error) == TL_OK && found;
}

/* Is a name a type? A variable of that name hides it, as in C. */
static bool is_type(void *context, const char *name, tl_size size)
{
	const struct reader *reader = context;
	const struct tl_environment *environment = reader->environment;
	const char *copy = tl_arena_copy(reader->arena, name, size);
	const struct tl_type *type = NULL;
	struct tl_error error;

	if (copy == NULL || environment->find_type == NULL || is_value(reader, copy))
		return false;
	return environment->find_type(environment->context, copy, TL_TAG_NONE, &type, &error) == TL_OK && type != NULL;
}

/* "max<int>(3)": a name with template arguments is a function or a type, and no comparison. */
static bool is_template(void *context, const char *name, tl_size size)
{
	const struct reader *reader = context;
	const char *copy = tl_arena_copy(reader->arena, name, size);

	return copy != NULL && (is_value(reader, copy) || is_type(context, name, size));
}

enum tl_status tl_session_read(struct tl_session *session, const struct tl_environment *environment, const char *text,
			       tl_size size, struct tl_expression **expression_ret, struct tl_error *error)
{
	struct reader reader = {.environment = environment, .arena = &session->arena};
	struct tl_names names = {.is_type = is_type,
				 .is_template = is_template,
				 .is_cplus = environment->values.is_cplus,
				 .context = &reader};

	return tl_expression_read(expression_ret, text, size, &names, error);
}

enum tl_status tl_session_parse(struct tl_session *session, const char *text, tl_size size,
				struct tl_expression **expression_ret, struct tl_error *error)
{
	const struct tl_environment *environment;

	TL_TRY(tl_session_environment(session, &environment, NULL, error));
	return tl_session_read(session, environment, text, size, expression_ret, error);
}

enum tl_status tl_session_evaluate(struct tl_session *session, const char *text, tl_size size,
				   struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_expression *expression;
	enum tl_status status;

	TL_TRY(tl_session_environment(session, &environment, NULL, error));
	TL_TRY(tl_session_parse(session, text, size, &expression, error));
	status = tl_evaluate(environment, expression, value_ret, error);
	tl_expression_free(expression);
	return status;
}

enum tl_status tl_session_address(struct tl_session *session, const char *text, tl_size size, tl_u64 *address_ret,
				  struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_value value;
	tl_i128 number;

	TL_TRY(tl_session_evaluate(session, text, size, &value, error));
	TL_TRY(tl_session_environment(session, &environment, NULL, error));
	TL_TRY(tl_value_decay(&environment->values, &value, error));
	TL_TRY(tl_value_integer(&environment->values, &value, &number, error));
	*address_ret = (tl_u64)number;
	return TL_OK;
}

static enum tl_status evaluate_text(void *context, const char *text, tl_size size, struct tl_value *value_ret,
				    struct tl_error *error)
{
	return tl_session_evaluate(context, text, size, value_ret, error);
}

enum tl_status tl_session_format(struct tl_session *session, const char *text, struct tl_output *output,
				 struct tl_error *error)
{
	const struct tl_environment *environment;

	TL_TRY(tl_session_environment(session, &environment, NULL, error));
	return tl_formatted(&environment->values, text, evaluate_text, session, output, error);
}
