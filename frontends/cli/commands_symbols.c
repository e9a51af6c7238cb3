/* What a name stands for, in words: where it is kept, what a scope declares, tables of virtual functions. */
#include "frontends/cli/addresses.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/values.h"
#include "frontends/cli/words.h"

#include "debugger/values/classes.h"
#include "symbols/location_text.h"
#include "symbols/type_text.h"

#include <elf.h>
#include <string.h>

/* Bases of an object, and functions in a table: no class has more that makes sense. */
#define TABLES_MAX 64
#define SLOTS_MAX 4096

static const struct tl_cpu *cpu_of(const struct tl_module *module)
{
	switch (tl_image_elf(module->binary->image)->machine) {
	case EM_386:
		return &tl_cpu_i386;
	case EM_AARCH64:
		return &tl_cpu_aarch64;
	case EM_RISCV:
		return &tl_cpu_riscv64;
	default:
		return &tl_cpu_x86_64;
	}
}

static const char *register_name(void *context, tl_u64 number)
{
	const struct tl_cpu *cpu = context;

	for (tl_u16 i = 0; i < cpu->register_count; i++)
		if (cpu->registers[i].dwarf >= 0 && (tl_u64)cpu->registers[i].dwarf == number)
			return cpu->registers[i].name;
	return NULL;
}

/* How a variable of a module is described, seen from an address of it. */
static struct tl_location_text text_for(const struct tl_module *module, const struct tl_entry *function, tl_u64 address,
					bool scope)
{
	union {
		const struct tl_cpu *from;
		void *to;
	} cpu = {cpu_of(module)};

	return (struct tl_location_text){.register_name = register_name,
					 .context = cpu.to,
					 .bias = module->bias,
					 .module = module->binary->path,
					 .function = function,
					 .address = address - module->bias,
					 .scope = scope};
}

/* ---- info scope ---- */

struct scope_list {
	struct tl_cli *cli;
	const struct tl_module *module;
	const struct tl_entry *function;
	const char *words;
	tl_u64 address;
	tl_size count;
};

static bool show_variable(void *context, const struct tl_variable *variable)
{
	struct scope_list *list = context;
	struct tl_location_text text = text_for(list->module, list->function, list->address, true);
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	const struct tl_type *type;
	struct tl_error error;
	tl_u64 size = 0;
	bool known = false;

	if (variable->name == NULL || variable->name[0] == '\0')
		return true;
	if (list->count++ == 0)
		tl_screen_format(&list->cli->screen, "Scope for %s:\n", list->words);
	if (tl_location_write(&text, &variable->entry, &output, &error) != TL_OK)
		tl_output_format(&output, "<error: %s>", error.text);
	tl_screen_format(&list->cli->screen, "Symbol %s is %s", variable->name, tl_output_string(&output));
	if (strcmp(tl_output_string(&output), "optimized out") != 0 &&
	    tl_type_of(list->module->binary->types, &variable->entry, &type, &error) == TL_OK &&
	    tl_type_size(type, &size, &known, &error) == TL_OK)
		tl_screen_format(&list->cli->screen, ", length %llu", (unsigned long long)(known ? size : 0));
	tl_screen_text(&list->cli->screen, ".\n");
	tl_output_release(&output);
	return !tl_cli_cancelled(list->cli);
}

/* The variables of the blocks around an address, up to the function that they are in. */
static enum tl_status show_scopes(struct scope_list *list, struct tl_error *error)
{
	struct tl_scope_chain chain = {.scopes = NULL};
	enum tl_status status =
		tl_scopes_at(list->module->binary->scopes, list->address - list->module->bias, &chain, error);
	bool ended = false;

	if (status == TL_OK && chain.count != 0)
		list->function = &chain.scopes[chain.count - 1].entry;
	for (tl_size i = 0; status == TL_OK && i < chain.count && !ended; i++) {
		status = tl_scope_variables(&chain.scopes[i], show_variable, list, error);
		ended = chain.scopes[i].kind != TL_SCOPE_BLOCK;
	}
	tl_scope_chain_release(&chain);
	return status;
}

static enum tl_status info_scope(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				 struct tl_error *error)
{
	struct scope_list list = {.cli = cli, .words = words};
	struct tl_code_places places = {.items = NULL};
	struct tl_linespec_base base;
	const char *rest;
	enum tl_status status;

	(void)line;
	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "requires an argument (function, line or *addr) to define a scope");
	TL_TRY(tl_session_base(cli->session, &base, error));
	status = tl_linespec_find(tl_session_modules(cli->session), &base, tl_session_patience(cli->session), words,
				  false, &places, &rest, error);
	if (status == TL_OK && places.count != 0) {
		list.address = places.items[0].address;
		list.module = tl_modules_at(tl_session_modules(cli->session), list.address);
		if (list.module != NULL && list.module->binary->scopes != NULL)
			status = show_scopes(&list, error);
	}
	tl_code_places_release(&places);
	if (status == TL_OK && list.count == 0)
		tl_screen_format(&cli->screen, "Scope for %s contains no locals or arguments.\n", words);
	return status;
}

static enum tl_status run_info_scope(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, info_scope, error);
}

/* ---- info address ---- */

static enum tl_status write_function(const struct tl_described *described, struct tl_output *output,
				     struct tl_error *error)
{
	unsigned long long address;
	tl_u64 start = 0;

	if (described->entry.unit != NULL && tl_entry_start(&described->entry, &start)) {
		address = start + described->module->bias;
		tl_output_format(output, "a function at address 0x%llx", address);
	} else {
		tl_output_text(output, "optimized out");
	}
	return tl_output_status(output, error);
}

static enum tl_status write_parameters(const struct tl_described *described, struct tl_output *name,
				       struct tl_error *error)
{
	const struct tl_type *type;

	TL_TRY(tl_type_at(described->module->binary->types, &described->entry, &type, error));
	return tl_type_write_plain_parameters(type, name, error);
}

/* What only a symbol table knows. */
static enum tl_status show_bare(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	tl_u64 address;

	if (!tl_modules_symbol_address(tl_session_modules(cli->session), NULL, words, &address))
		return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No symbol \"%s\" in current context.", words);
	tl_screen_format(&cli->screen, "Symbol \"%s\" is at %s0x%llx%s in a file compiled without debugging.\n", words,
			 tl_screen_style(&cli->screen, TL_STYLE_ADDRESS), (unsigned long long)address,
			 tl_screen_style(&cli->screen, TL_STYLE_PLAIN));
	return TL_OK;
}

static enum tl_status show_described(struct tl_cli *cli, const char *words, const struct tl_described *described,
				     struct tl_error *error)
{
	struct tl_location_text text =
		text_for(described->module, described->around.unit != NULL ? &described->around : NULL,
			 described->address, false);
	struct tl_output name = tl_output_make(TL_OUTPUT_MAX), output = tl_output_make(TL_OUTPUT_MAX);
	enum tl_status status = TL_OK;

	if (described->function) {
		status = tl_scope_write_name(described->module->binary->types, &described->entry, true, &name, error);
		/* In C++ all functions have parameters in their names, those that cannot be overloaded, too. */
		if (status == TL_OK && tl_tree_has_scopes(described->entry.unit) &&
		    strchr(tl_output_string(&name), '(') == NULL)
			status = write_parameters(described, &name, error);
		if (status == TL_OK)
			status = write_function(described, &output, error);
	} else if (described->enumerator) {
		tl_output_text(&output, "constant");
	} else {
		status = tl_location_write(&text, &described->entry, &output, error);
	}
	if (status == TL_OK)
		tl_screen_format(&cli->screen, "Symbol \"%s\" is %s.\n",
				 name.size != 0 ? tl_output_string(&name) : words, tl_output_string(&output));
	tl_output_release(&name);
	tl_output_release(&output);
	return status;
}

static enum tl_status info_address(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				   struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_described described = {.module = NULL};

	(void)line;
	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument required.");
	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	TL_TRY(tl_environment_describe(store, words, &described, error));
	if (described.module == NULL)
		return show_bare(cli, words, error);
	return show_described(cli, words, &described, error);
}

static enum tl_status run_info_address(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, info_address, error);
}

/* ---- info vtbl ---- */

/* A part of an object that has a table of its own, or shares that of a part at the same address. */
struct part {
	const struct tl_type *type; /* the outermost class there */
	tl_u64 address;
	tl_i64 last; /* the highest slot that its classes have; -1: none */
};

struct parts {
	const struct tl_value_context *values;
	struct part items[TABLES_MAX];
	tl_size count;
	struct tl_error *error;
};

static struct part *part_at(struct parts *parts, const struct tl_type *type, tl_u64 address)
{
	for (tl_size i = 0; i < parts->count; i++)
		if (parts->items[i].address == address)
			return &parts->items[i];
	if (parts->count == TABLES_MAX)
		return NULL;
	parts->items[parts->count] = (struct part){type, address, -1};
	return &parts->items[parts->count++];
}

static enum tl_status add_parts(struct parts *parts, const struct tl_value *object, unsigned depth)
{
	const struct tl_type *type;
	const struct tl_member *members;
	struct part *part;
	tl_size count;

	if (depth > TABLES_MAX)
		return TL_OK;
	TL_TRY(tl_value_strip(parts->values, object->type, &type, parts->error));
	TL_TRY(tl_type_members(type, &members, &count, parts->error));
	part = part_at(parts, object->type, object->address);
	for (tl_size i = 0; i < count && part != NULL; i++) {
		tl_u64 slot = 0;
		bool known = false;

		if (members[i].kind != TL_MEMBER_FUNCTION || !members[i].is_virtual)
			continue;
		TL_TRY(tl_class_slot(&members[i], &slot, &known, parts->error));
		if (known && slot < SLOTS_MAX && (tl_i64)slot > part->last)
			part->last = (tl_i64)slot;
	}
	for (tl_size i = 0; i < count; i++) {
		struct tl_value base;

		if (members[i].kind != TL_MEMBER_BASE)
			continue;
		TL_TRY(tl_value_field(parts->values, object, type, &members[i], &base, parts->error));
		TL_TRY(add_parts(parts, &base, depth + 1));
	}
	return TL_OK;
}

static tl_u64 read_word(const struct tl_value_context *values, tl_u64 address, bool *good)
{
	tl_u8 bytes[8] = {0};
	tl_u64 word = 0;

	*good = values->read != NULL &&
		values->read(values->context, address, bytes, values->address_size, NULL) == TL_OK;
	for (tl_size i = sizeof(bytes); i > 0; i--)
		word = word << 8 | bytes[i - 1];
	return word;
}

static void show_table(struct tl_cli *cli, const struct tl_value_context *values, const struct part *part)
{
	struct tl_screen *screen = &cli->screen;
	bool good;
	tl_u64 table = read_word(values, part->address, &good);

	tl_screen_format(screen, "vtable for '%s' @ 0x%llx (subobject @ 0x%llx):\n",
			 tl_value_type_name(values, part->type), (unsigned long long)table,
			 (unsigned long long)part->address);
	for (tl_i64 slot = 0; slot <= part->last && !tl_cli_cancelled(cli); slot++) {
		const tl_u64 place = table + (tl_u64)slot * values->address_size;
		tl_u64 function = read_word(values, place, &good);

		tl_screen_format(screen, "[%lld]: ", (long long)slot);
		if (good)
			tl_address_show(cli, function);
		else
			tl_screen_format(screen, "<error: Cannot access memory at address 0x%llx>",
					 (unsigned long long)place);
		tl_screen_text(screen, "\n");
	}
}

/* By their addresses; there are few. */
static void sort_parts(struct parts *parts)
{
	for (tl_size i = 1; i < parts->count; i++) {
		const struct part moved = parts->items[i];
		tl_size at = i;

		for (; at > 0 && parts->items[at - 1].address > moved.address; at--)
			parts->items[at] = parts->items[at - 1];
		parts->items[at] = moved;
	}
}

/* The object that a value is, or leads to. False: it is none of a class. */
static enum tl_status object_of(struct tl_cli *cli, const struct tl_value_context *values, struct tl_value *value,
				bool *is_object_ret, struct tl_error *error)
{
	const struct tl_type *type;
	bool known;

	TL_TRY(tl_value_unreference(values, value, error));
	TL_TRY(tl_value_strip(values, value->type, &type, error));
	if (type->kind == TL_TYPE_POINTER) {
		TL_TRY(tl_value_follow(values, value, value, error));
		TL_TRY(tl_value_strip(values, value->type, &type, error));
	}
	*is_object_ret =
		(type->kind == TL_TYPE_STRUCT || type->kind == TL_TYPE_CLASS) && value->place == TL_VALUE_IN_MEMORY;
	if (*is_object_ret && cli->settings.object)
		TL_TRY(tl_class_real(values, value, value, &known, error));
	return TL_OK;
}

static enum tl_status info_vtbl(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				struct tl_error *error)
{
	const struct tl_environment *environment;
	struct parts parts = {.error = error};
	struct tl_value value;
	bool is_object, any = false;

	(void)line;
	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument required (expression to compute).");
	TL_TRY(tl_cli_evaluate(cli, words, strlen(words), &value, error));
	TL_TRY(tl_session_environment(cli->session, &environment, NULL, error));
	parts.values = &environment->values;
	TL_TRY(object_of(cli, parts.values, &value, &is_object, error));
	if (is_object)
		TL_TRY(add_parts(&parts, &value, 0));
	sort_parts(&parts);
	for (tl_size i = 0; i < parts.count; i++) {
		if (parts.items[i].last < 0)
			continue;
		tl_screen_text(&cli->screen, any ? "\n" : "");
		show_table(cli, parts.values, &parts.items[i]);
		any = true;
	}
	if (!any)
		tl_screen_text(&cli->screen, "This object does not have a virtual function table\n");
	return TL_OK;
}

static enum tl_status run_info_vtbl(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, info_vtbl, error);
}

/* Nothing but what stands behind `info`. */
const struct tl_command tl_commands_symbols[] = {
	{0},
};

const struct tl_command tl_commands_symbols_info[] = {
	{.name = "address",
	 .arguments = "NAME",
	 .summary = "Describe where symbol NAME is stored",
	 .details =
		 "In a register, at an address, at an offset: as the compiler said it, for any value of the program\n"
		 "counter at which it differs.\nExample: info address counter",
	 .run = run_info_address,
	 .complete = tl_complete_expressions},
	{.name = "scope",
	 .arguments = "PLACE",
	 .summary = "List the variables local to a scope",
	 .details = "Those of the blocks around a function's body, a line or an *ADDRESS, and where each is stored.\n"
		    "Example: info scope list.c:12",
	 .run = run_info_scope,
	 .complete = tl_complete_places},
	{.name = "vtbl",
	 .arguments = "EXPRESSION",
	 .summary = "Show the virtual function table for a C++ object",
	 .details = "Of the object that the expression is, or points to, and of each of its bases that has its own.\n"
		    "Example: info vtbl *shape",
	 .run = run_info_vtbl,
	 .complete = tl_complete_expressions},
	{0},
};
