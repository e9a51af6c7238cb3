/* Opening, memory, and what an expression asks that is neither a name nor a type. */
#include "debugger/expressions/environment_internal.h"

#include "base/storage.h"
#include "debugger/expressions/siginfo.h"
#include "debugger/modules/function_name.h"
#include "debugger/values/abi.h"
#include "debugger/values/abi_aarch64.h"
#include "symbols/demangle.h"
#include "symbols/dwarf_constants.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

/* ---- Memory ---- */

/* As the selected thread sees it. */
static void look_through(const struct tl_environment_store *store)
{
	if (store->at.stack != NULL)
		tl_engine_look_through(store->at.engine, tl_stack_thread(store->at.stack));
}

enum tl_status tl_environment_read(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *error)
{
	struct tl_environment_store *store = context;
	tl_size done = 0;

	if (store->at.engine == NULL || store->process == 0)
		return tl_modules_read(store->at.modules, address, buffer, size, error);
	look_through(store);
	if (tl_engine_read_memory(store->at.engine, store->process, address, buffer, (tl_size)size, &done) == TL_OK &&
	    done == size)
		return TL_OK;
	return TL_FAIL(error, TL_ERROR_MEMORY, "Cannot access memory at address 0x%llx",
		       (unsigned long long)(address + (done < size ? done : 0)));
}

enum tl_status tl_environment_write(void *context, tl_u64 address, const void *bytes, tl_u64 size,
				    struct tl_error *error)
{
	struct tl_environment_store *store = context;
	tl_size done = 0;

	if (store->at.engine == NULL || store->process == 0)
		return TL_FAIL(error, TL_ERROR_STATE,
			       "There is no process whose memory could be written; `run` starts one.");
	look_through(store);
	if (tl_engine_write_memory(store->at.engine, store->process, address, bytes, (tl_size)size, &done) != TL_OK ||
	    done != size)
		return TL_FAIL(error, TL_ERROR_MEMORY, "Cannot access memory at address 0x%llx",
			       (unsigned long long)(address + (done < size ? done : 0)));
	if (store->at.changed != NULL)
		store->at.changed(store->at.context);
	return TL_OK;
}

static enum tl_status read_bare(void *context, tl_u64 address, void *buffer, tl_size size)
{
	return tl_environment_read(context, address, buffer, size, NULL);
}

/* ---- What an expression asks ---- */

/* It is stored where it came from: the store itself stands for that place. */
static enum tl_status find_siginfo(struct tl_environment_store *store, struct tl_value *value_ret,
				   struct tl_error *error)
{
	const struct tl_type *type;
	tl_u8 *bytes = tl_arena_allocate(store->at.arena, TL_SIGINFO_SIZE);

	if (bytes == NULL)
		return tl_environment_no_storage(error);
	TL_TRY(tl_siginfo_type(store->values.types, store->address_size, &type, error));
	TL_TRY(store->at.siginfo(store->at.context, false, 0, bytes, TL_SIGINFO_SIZE, error));
	*value_ret = (struct tl_value){
		.type = type, .place = TL_VALUE_ELSEWHERE, .where = store, .bytes = bytes, .size = TL_SIGINFO_SIZE};
	return TL_OK;
}

static enum tl_status find_variable(void *context, const char *name, struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_environment_store *store = context;
	bool found = false;
	tl_i64 number;

	TL_TRY(tl_environment_find_register(store, name, value_ret, &found, error));
	if (found)
		return TL_OK;
	if (store->at.special != NULL && store->at.special(store->at.context, name, &number)) {
		const struct tl_type *type;

		TL_TRY(tl_value_integer_type(&store->values, 4, true, &type, error));
		return tl_value_make_integer(&store->values, type, number, value_ret, error);
	}
	if (strcmp(name, "_exception") == 0 && store->at.exception != NULL)
		return store->at.exception(store->at.context, value_ret, error);
	if (strcmp(name, "_siginfo") == 0 && store->at.siginfo != NULL && store->process != 0)
		return find_siginfo(store, value_ret, error);
	if (store->at.variables == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "There are no variables here: $%s", name);
	tl_variables_get(store->at.variables, &store->values, name, value_ret);
	return TL_OK;
}

static enum tl_status set_variable(void *context, const char *name, const struct tl_value *value,
				   struct tl_error *error)
{
	struct tl_environment_store *store = context;

	if (store->at.variables == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "There are no variables here: $%s", name);
	return tl_variables_set(store->at.variables, &store->values, name, value, error);
}

static enum tl_status find_history(void *context, bool absolute, tl_u64 number, struct tl_value *value_ret,
				   struct tl_error *error)
{
	struct tl_environment_store *store = context;

	if (store->at.variables == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "There is no value history here.");
	return tl_variables_recall(store->at.variables, &store->values, absolute, number, value_ret, error);
}

static enum tl_status internal(void *context, const char *name, const struct tl_value *arguments, tl_size count,
			       struct tl_value *value_ret, bool *known_ret, struct tl_error *error)
{
	struct tl_environment_store *store = context;

	*known_ret = false;
	return store->at.internal != NULL
		       ? store->at.internal(store->at.context, name, arguments, count, value_ret, known_ret, error)
		       : TL_OK;
}

static enum tl_status call(void *context, const struct tl_value *function, const struct tl_value *arguments,
			   tl_size count, const struct tl_type *result, struct tl_value *value_ret,
			   struct tl_error *error)
{
	struct tl_environment_store *store = context;

	if (store->at.call == NULL)
		return TL_FAIL(error, TL_ERROR_STATE,
			       "You can't do that without a process to debug: functions cannot be called here.");
	return store->at.call(store->at.context, function, arguments, count, result, value_ret, error);
}

/* ---- Opening ---- */

const struct tl_module *tl_environment_module_of(const struct tl_environment_store *store, const struct tl_unit *unit)
{
	const struct tl_module *module;

	if (store->module != NULL && store->module->binary->dwarf == unit->dwarf)
		return store->module;
	for (tl_size i = 0; (module = tl_modules_get(store->at.modules, i)) != NULL; i++)
		if (module->binary->dwarf == unit->dwarf)
			return module;
	return NULL;
}

/* The CPU that runs, or that the program was made for. */
static void find_cpu(struct tl_environment_store *store)
{
	struct tl_process_facts facts;

	store->address_size = 8;
	if (store->at.engine != NULL && store->process != 0 &&
	    tl_engine_facts(store->at.engine, store->process, &facts) == TL_OK) {
		store->cpu = facts.cpu;
		store->features = facts.features;
	} else if (store->module != NULL) {
		const struct tl_elf *elf = tl_image_elf(store->module->binary->image);

		store->cpu = elf->machine == 62    ? &tl_cpu_x86_64
			     : elf->machine == 3   ? &tl_cpu_i386
			     : elf->machine == 183 ? &tl_cpu_aarch64
			     : elf->machine == 243 ? &tl_cpu_riscv64
						   : NULL;
		store->address_size = elf->wide ? 8 : 4;
		store->features = store->cpu != NULL ? store->cpu->base_features : 0;
	}
	if (store->cpu != NULL)
		store->address_size = store->cpu->address_size;
}

/* What code is around the place, and what of it is seen: of an inlined function nothing further out. */
static enum tl_status find_scopes(struct tl_environment_store *store, struct tl_error *error)
{
	const struct tl_scope_chain *chain = &store->own_chain;
	tl_size first = 0, last;

	if (store->frame != NULL) {
		if (!store->frame->has_function || store->frame->chain == NULL)
			return TL_OK;
		chain = store->frame->chain;
		first = store->frame->first;
		last = store->frame->last;
	} else {
		if (store->at.address == 0 || store->module == NULL)
			return TL_OK;
		TL_TRY(tl_scopes_at(store->module->binary->scopes, store->at.address - store->module->bias,
				    &store->own_chain, error));
		for (last = 0; last < chain->count && chain->scopes[last].kind == TL_SCOPE_BLOCK; last++)
			;
	}
	if (last >= chain->count || first > last)
		return TL_OK;
	store->scopes = &chain->scopes[first];
	store->scope_count = last - first + 1;
	store->unit = chain->scopes[last].entry.unit;
	return TL_OK;
}

/* The module and the frame that names are looked up from. */
static enum tl_status find_frame(struct tl_environment_store *store, struct tl_error *error)
{
	if (store->at.stack != NULL) {
		store->process = tl_stack_thread(store->at.stack).process;
		TL_TRY(tl_stack_frame(store->at.stack, store->at.level, &store->frame, error));
		store->module = store->frame->module;
	} else if (store->at.address != 0) {
		store->module = tl_modules_at(store->at.modules, store->at.address);
	}
	if (store->module == NULL)
		store->module = tl_modules_get(store->at.modules, 0);
	find_cpu(store);
	if (store->frame != NULL)
		return tl_stack_variables(store->at.stack, store->frame, &store->variables, error);
	if (store->module != NULL)
		return tl_environment_static_frame(store, store->module, &store->variables, error);
	return TL_OK;
}

/*
 * Nowhere in a program its language is that of its first unit which was compiled: whose main is linked first. Units are
 * known before any index is.
 */
static bool is_cplus_program(const struct tl_module *program)
{
	const struct tl_dwarf *dwarf = program != NULL && program->binary->has_debug ? program->binary->dwarf : NULL;

	for (tl_size i = 0; dwarf != NULL && i < tl_dwarf_unit_count(dwarf); i++) {
		const struct tl_unit *unit = tl_dwarf_unit(dwarf, i);

		if (unit->tag == DW_TAG_compile_unit && unit->language != 0 && unit->language != DW_LANG_Mips_Assembler)
			return tl_tree_has_scopes(unit);
	}
	return false;
}

/* Types of results are those of the module with debug information that is nearest. */
static void choose_types(struct tl_environment_store *store)
{
	const struct tl_module *program = tl_modules_get(store->at.modules, 0);

	store->values.types = store->at.types;
	if (store->module != NULL && store->module->binary->has_debug)
		store->values.types = store->module->binary->types;
	else if (program != NULL && program->binary->has_debug)
		store->values.types = program->binary->types;
	store->values.is_cplus = store->unit != NULL ? tl_tree_has_scopes(store->unit)
						     : store->frame == NULL && is_cplus_program(program);
	if (store->at.language != TL_LANGUAGE_AUTO)
		store->values.is_cplus = store->at.language == TL_LANGUAGE_CPLUS;
}

static enum tl_status prepare(struct tl_environment_store *store, struct tl_error *error)
{
	store->memory = (struct tl_memory_access){.read = read_bare, .context = store};
	TL_TRY(find_frame(store, error));
	store->values = (struct tl_value_context){
		.arena = store->at.arena,
		.address_size = store->address_size,
		.size_limit = store->at.value_size_max,
		.read = tl_environment_read,
		.write = tl_environment_write,
		.store = tl_environment_store_value,
		.static_member = tl_environment_static_member,
		.moving_base = tl_environment_moving_base,
		.pointed = tl_environment_pointed,
		.complete = tl_environment_complete,
		.table_class = tl_environment_table_class,
		.context = store,
	};
	TL_TRY(find_scopes(store, error));
	choose_types(store);
	return TL_OK;
}

enum tl_status tl_environment_open(struct tl_environment_store **store_ret, const struct tl_surroundings *surroundings,
				   struct tl_environment *environment_ret, struct tl_code_environment *code_ret,
				   struct tl_error *error)
{
	struct tl_environment_store *store = tl_allocate(tl_storage(), sizeof(*store));
	enum tl_status status;

	if (store == NULL)
		return tl_environment_no_storage(error);
	store->at = *surroundings;
	status = prepare(store, error);
	if (status != TL_OK) {
		tl_environment_close(store);
		return status;
	}
	*environment_ret = (struct tl_environment){
		.values = store->values,
		.find_name = tl_environment_find_name,
		.find_functions = tl_environment_find_functions,
		.find_method = tl_environment_find_method,
		.find_type = tl_environment_find_type,
		.find_variable = find_variable,
		.set_variable = set_variable,
		.find_history = find_history,
		.call = call,
		.internal = internal,
		.context = store,
	};
	*code_ret = (struct tl_code_environment){
		.environment = environment_ret,
		.find_place = tl_environment_find_place,
		.find_register = tl_environment_find_register_place,
		.context = store,
	};
	*store_ret = store;
	return TL_OK;
}

void tl_environment_close(struct tl_environment_store *store)
{
	if (store == NULL)
		return;
	tl_scope_chain_release(&store->own_chain);
	tl_release(tl_storage(), store, sizeof(*store));
}

/* ---- Symbols behind addresses ---- */

/*
 * The name of a function as debug information has it, where the linker has another one: main of C++, whose parameters
 * are not in it, and what link-time optimisation renamed ("add.lto_priv.0").
 */
static bool write_debug_name(const struct tl_environment_store *store, const struct tl_elf_name *symbol, tl_u64 start,
			     struct tl_output *output)
{
	const struct tl_module *module = tl_modules_at(store->at.modules, start);
	struct tl_scope_chain chain = {NULL, 0, 0};
	struct tl_attribute linkage = {.kind = TL_CLASS_NONE};
	const struct tl_scope *function;
	bool written = false;

	if (symbol->type != STT_FUNC || module == NULL || !module->binary->has_debug)
		return false;
	if (tl_scopes_at(module->binary->scopes, start - module->bias, &chain, NULL) == TL_OK && chain.count != 0) {
		function = &chain.scopes[chain.count - 1];
		if (function->start == start - module->bias && tl_tree_has_scopes(function->entry.unit))
			written =
				tl_function_write_name(module->binary->types, &function->entry, output, NULL) == TL_OK;
		else if (function->start == start - module->bias && function->name != NULL) {
			/* The name that the compiler gave the linker, if it is another one: that is what frames show.
			 */
			if (tl_entry_inherited(&function->entry, DW_AT_linkage_name, &linkage, NULL) != TL_OK)
				linkage.kind = TL_CLASS_NONE;
			tl_output_text(output, linkage.kind == TL_CLASS_STRING ? linkage.text : function->name);
			written = true;
		}
	}
	tl_scope_chain_release(&chain);
	return written;
}

static bool symbol_at(void *context, tl_u64 address, char *name_ret, tl_size size, tl_u64 *offset_ret)
{
	struct tl_environment_store *store = context;
	struct tl_output output = tl_output_make(TL_DEMANGLE_TEXT_MAX);
	struct tl_elf_name symbol;
	tl_u64 start;

	if (!tl_modules_symbol(store->at.modules, address, &symbol, &start) ||
	    !tl_modules_symbol_names(store->at.modules, address, &symbol))
		return false;
	if ((!tl_demangle_is_mangled(symbol.name) ||
	     tl_demangle(symbol.name, TL_DEMANGLE_WHOLE, &output, NULL) != TL_OK) &&
	    !write_debug_name(store, &symbol, start, &output))
		tl_output_text(&output, symbol.name);
	snprintf(name_ret, size, "%s", tl_output_string(&output));
	tl_output_release(&output);
	*offset_ret = address - start;
	return true;
}

void tl_environment_symbols(struct tl_environment_store *store, struct tl_print_options *options)
{
	options->symbol = symbol_at;
	options->context = store;
}

/* ---- Results ---- */

enum tl_status tl_environment_returned(struct tl_environment_store *store, const struct tl_type *type, tl_u64 address,
				       struct tl_value *value_ret, bool *known_ret, struct tl_error *error)
{
	struct tl_abi_place place;
	enum tl_status status;
	tl_u8 *file;

	if (store->at.stack == NULL || store->cpu == NULL)
		return TL_FAIL(error, TL_ERROR_STATE, "No registers.");
	status = tl_engine_registers(store->at.engine, tl_stack_thread(store->at.stack),
				     ((tl_u32)1 << store->cpu->bank_count) - 1, &file);
	if (status != TL_OK)
		return TL_FAIL(error, status, "The thread's registers cannot be read: %s.", tl_status_text(status));
	TL_TRY(tl_abi_result_place(store->cpu, type, &place, error));
	if (place.kind != TL_ABI_MEMORY || !tl_abi_is_aarch64(store->cpu))
		return tl_abi_result(&store->values, store->cpu, file, type, value_ret, known_ret, error);
	/* What is left in x8 says nothing (AAPCS64, 6.9). */
	*known_ret = address != 0;
	if (address == 0)
		return TL_OK;
	TL_TRY(tl_value_at(&store->values, type, address, value_ret, error));
	return tl_value_load(&store->values, value_ret, error);
}
