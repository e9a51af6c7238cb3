/*
 * Says what debugger/expressions/environment makes of a program at many places, for a script that compares it with gdb:
 *
 *     look-around PROGRAM PLACES EXPRESSIONS     runs the program, without environment and at fixed addresses, to each
 *                                                of the addresses in the file PLACES, once
 *
 * For each stop a line "stop ADDRESS"; for each of the innermost frames "frame LEVEL NAME", "line ARGUMENTS" as a
 * frame's line shows them, "arg NAME = VALUE", "local NAME = VALUE", and "= EXPRESSION = VALUE", or "error: …".
 */
#define HARNESS_NAME "look-around"
#include "debugger/expressions/environment.h"
#include "tests/debugger/stopped.h"

#define FRAMES_MAX 4
#define EXPRESSIONS_MAX 512

static struct tl_variables *variables;
static struct tl_types *types;
static struct tl_arena arena;
static char *expressions[EXPRESSIONS_MAX];
static tl_size expression_count;
static unsigned long compiled; /* expressions that ran as bytecode */

/* ---- What is said of a frame ---- */

struct saying {
	struct tl_environment environment;
	struct tl_code_environment code;
	struct tl_environment_store *store;
	struct tl_print_options options;
	struct tl_output line;
};

static void print_value(struct saying *saying, const struct tl_value *value, bool listed)
{
	struct tl_output output = tl_output_make((tl_size)1 << 20);

	saying->options.listed = listed;
	if (tl_print_value(&saying->environment.values, &saying->options, value, &output, &error) == TL_OK)
		printf("%s", tl_output_string(&output));
	else
		printf("error: %s", error.text);
	tl_output_release(&output);
}

static bool print_variable(void *context, const struct tl_frame_variable *variable)
{
	struct saying *saying = context;

	printf("%s %s = ", variable->parameter ? "arg" : "local", variable->name);
	if (variable->value != NULL)
		print_value(saying, variable->value, true);
	else
		printf("<error: %s>", variable->failure);
	printf("\n");
	return true;
}

/* As gdb shows the arguments in a frame's line, with `print entry-values default`. */
static bool print_argument(void *context, const struct tl_frame_variable *variable)
{
	struct saying *saying = context;

	printf("%s%s=", saying->line.size != 0 ? ", " : "", variable->name);
	tl_output_text(&saying->line, "x");
	if (variable->unchanged)
		printf("%s@entry=", variable->name);
	if (variable->value != NULL)
		print_value(saying, variable->value, true);
	else
		printf("<error: %s>", variable->failure);
	if (variable->at_entry != NULL && !variable->unchanged) {
		printf(", %s@entry=", variable->name);
		print_value(saying, variable->at_entry, true);
	}
	return true;
}

static bool is_type(void *context, const char *name, tl_size size)
{
	const struct tl_environment *environment = context;
	const char *copy = tl_arena_copy(&arena, name, size);
	const struct tl_type *type = NULL;
	struct tl_value value;
	bool found = false;

	/* A name that is both is a variable, as C has it for an inner one. */
	if (copy == NULL ||
	    (environment->find_name(environment->context, NULL, copy, &value, &found, NULL) == TL_OK && found))
		return false;
	return environment->find_type(environment->context, copy, TL_TAG_NONE, &type, NULL) == TL_OK && type != NULL;
}

static enum tl_status evaluate(struct saying *saying, const char *text, struct tl_value *value_ret)
{
	struct tl_names names = {.is_type = is_type, .is_template = is_type, .context = &saying->environment};
	struct tl_expression *expression;
	enum tl_status status;

	TL_TRY(tl_expression_read(&expression, text, strlen(text), &names, &error));
	status = tl_evaluate(&saying->environment, expression, value_ret, &error);
	tl_expression_free(expression);
	return status;
}

/* ---- Bytecode ---- */

static enum tl_status read_for_code(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context;
	return read_memory(NULL, address, buffer, size);
}

static enum tl_status register_for_code(void *context, tl_u16 number, tl_u64 *value_ret)
{
	const struct tl_process_facts *facts = context;
	tl_u8 *file;
	tl_u16 index = 0;

	TL_TRY(tl_cpu_present(facts->cpu, facts->features, number, &index));
	TL_TRY(tl_engine_registers(session.engine, session.report.event.thread, 3, &file));
	*value_ret = tl_cpu_get(facts->cpu, file, index);
	return TL_OK;
}

/*
 * Whether an expression comes to the same when the target runs it beside the program; true also for what cannot be
 * compiled, or is no number.
 */
static bool code_agrees(struct saying *saying, const char *text, const struct tl_value *value)
{
	struct tl_names names = {.is_type = is_type, .is_template = is_type, .context = &saying->environment};
	struct tl_process_facts facts = {0};
	struct tl_agent_environment machine = {
		.read_memory = read_for_code, .read_register = register_for_code, .context = &facts, .address_size = 8};
	tl_u8 bytes[TL_AGENT_CODE_MAX];
	struct tl_agent_code code = {.bytes = bytes};
	struct tl_expression *expression;
	enum tl_status status;
	tl_i128 number;
	tl_u64 result;
	tl_size size = 0;

	if (tl_engine_facts(session.engine, session.process, &facts) != TL_OK ||
	    tl_value_integer(&saying->environment.values, value, &number, NULL) != TL_OK ||
	    tl_expression_read(&expression, text, strlen(text), &names, &error) != TL_OK)
		return true;
	status = tl_compile(&saying->code, expression, bytes, sizeof(bytes), &size, &error);
	tl_expression_free(expression);
	if (status != TL_OK)
		return true;
	compiled++;
	code.size = (tl_u16)size;
	return tl_agent_verify(&code, NULL) == TL_OK && tl_agent_run(&code, &machine, &result, NULL) == TL_OK &&
	       result == (tl_u64)number;
}

static void print_expressions(struct saying *saying, bool innermost)
{
	for (tl_size i = 0; i < expression_count; i++) {
		struct tl_value value;

		printf("= %s = ", expressions[i]);
		if (evaluate(saying, expressions[i], &value) != TL_OK)
			printf("error: %s", error.text);
		else if (innermost && !code_agrees(saying, expressions[i], &value))
			printf("as bytecode it comes to something else");
		else
			print_value(saying, &value, false);
		printf("\n");
	}
}

/* What a function called returns_… leaves, where it is about to return. */
static void print_returned(struct saying *saying, const struct tl_stack_frame *frame)
{
	const struct tl_type *type;
	struct tl_value value;
	tl_u8 instruction = 0;
	bool known = false;

	if (frame->name == NULL || strncmp(frame->name, "returns_", 8) != 0 ||
	    read_memory(NULL, frame->program_counter, &instruction, 1) != TL_OK ||
	    (instruction != 0xc3 && instruction != 0xc2))
		return;
	printf("returned ");
	if (tl_type_at(frame->module->binary->types, &frame->chain->scopes[frame->last].entry, &type, &error) !=
		    TL_OK ||
	    tl_type_target(type, &type, &error) != TL_OK ||
	    tl_environment_returned(saying->store, type, 0, &value, &known, &error) != TL_OK)
		printf("error: %s", error.text);
	else if (!known)
		printf("nothing");
	else
		print_value(saying, &value, false);
	printf("\n");
}

static bool print_frame(struct tl_stack *stack, tl_u32 level, const struct tl_stack_frame *frame)
{
	struct saying saying = {.line = tl_output_make(1024)};
	struct tl_surroundings surroundings = {
		.engine = session.engine,
		.modules = modules,
		.stack = stack,
		.level = level,
		.variables = variables,
		.types = types,
		.arena = &arena,
	};

	if (tl_environment_open(&saying.store, &surroundings, &saying.environment, &saying.code, &error) != TL_OK)
		return fail("no environment");
	tl_environment_symbols(saying.store, &saying.options);
	printf("frame %u %s\nline ", level, frame->name != NULL ? frame->name : "??");
	if (tl_environment_variables(saying.store, true, print_argument, &saying, &error) != TL_OK)
		printf("error: %s", error.text);
	printf("\n");
	if (tl_environment_variables(saying.store, true, print_variable, &saying, &error) != TL_OK ||
	    tl_environment_variables(saying.store, false, print_variable, &saying, &error) != TL_OK)
		printf("local ? error: %s\n", error.text);
	print_expressions(&saying, level == 0);
	if (level == 0)
		print_returned(&saying, frame);
	tl_environment_close(saying.store);
	tl_output_release(&saying.line);
	tl_arena_clear(&arena);
	return true;
}

static bool print_stop(void)
{
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;
	bool good = true;

	if (tl_stack_open(&stack, session.engine, session.report.event.thread, modules, 0, &error) != TL_OK)
		return fail("no stack");
	printf("stop 0x%llx\n", (unsigned long long)session.report.event.address);
	for (tl_u32 level = 0; good && level < FRAMES_MAX && tl_stack_frame(stack, level, &frame, &error) == TL_OK;
	     level++)
		good = print_frame(stack, level, frame);
	tl_stack_close(stack);
	return good;
}

/* ---- The whole ---- */

static bool read_expressions(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256];

	if (file == NULL)
		return fail(path);
	while (fgets(line, sizeof(line), file) != NULL && expression_count < EXPRESSIONS_MAX) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '#' && line[0] != '\0')
			expressions[expression_count++] = strdup(line);
	}
	(void)fclose(file);
	return true;
}

static bool look_around(const char *path)
{
	if (!run_to("main") || !insert_all(path))
		return false;
	while (session_continue(&session, 0)) {
		const struct tl_event *event = &session.report.event;

		if (event->kind == TL_EVENT_PROCESS_EXITED)
			return true;
		if (event->kind != TL_EVENT_TRAP || !print_stop() ||
		    tl_engine_remove_point(session.engine, session.process, TL_POINT_SOFTWARE, event->address, 1) !=
			    TL_OK)
			break;
	}
	return fail("the program stopped for something else");
}

int main(int count, char **arguments)
{
	bool done;

	if (count != 4) {
		fprintf(stderr, "usage: look-around PROGRAM PLACES EXPRESSIONS\n");
		return 2;
	}
	if (tl_variables_open(&variables, &error) != TL_OK || tl_types_open(&types, NULL, NULL, &error) != TL_OK)
		return fail("cannot begin") ? 0 : 1;
	done = read_expressions(arguments[3]) && launch(arguments[1]) && look_around(arguments[2]);
	printf("compiled %lu\n", compiled);
	tl_variables_close(variables);
	finish();
	tl_types_close(types);
	for (tl_size i = 0; i < expression_count; i++)
		free(expressions[i]);
	return done ? 0 : 1;
}
