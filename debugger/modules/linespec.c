/* What the words of a place mean in a program: which of them is a file, which a function. */
#include "debugger/modules/linespec.h"

#include "base/storage.h"
#include "debugger/modules/indirect.h"
#include "debugger/modules/linespec_inherited.h"
#include "debugger/modules/linespec_internal.h"

#include <stdlib.h>
#include <string.h>

/* What a place means. Words belong to its text. */
struct meaning {
	struct tl_output file; /* NULL: none was named */
	struct tl_word function, label;
	char *function_here; /* what `function` is of, where no text names it; in storage, or NULL */
	bool qualified;
	bool file_named; /* rather than that of the function in front of a line */
	bool has_line;
	struct tl_word_line line;
	struct tl_functions_found functions;
};

/* So much of a word is shown in an error. */
static int shown(const struct tl_word *word)
{
	return word->size < 100 ? (int)word->size : 100;
}

/* ---- Errors, in gdb's words ---- */

static bool any_symbols(const struct tl_modules *modules)
{
	return tl_modules_get(modules, 0) != NULL;
}

static enum tl_status no_symbols(struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No symbol table is loaded.  Use the \"file\" command.");
}

static enum tl_status no_file(const struct tl_finder *finder, const struct tl_word *file, struct tl_error *error)
{
	if (!any_symbols(finder->modules))
		return no_symbols(error);
	return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No source file named %.*s.", shown(file), file->text);
}

static enum tl_status no_function(const struct tl_finder *finder, const struct meaning *meaning, struct tl_error *error)
{
	const struct tl_word *name = &meaning->function;

	if (!any_symbols(finder->modules))
		return no_symbols(error);
	if (name->size != 0 && name->text[0] == '$')
		return TL_FAIL(error, TL_ERROR_NO_SYMBOL,
			       "Undefined convenience variable or function \"%.*s\" not defined.", shown(name),
			       name->text);
	if (meaning->file.size != 0)
		return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "Function \"%.*s\" not defined in \"%.100s\".", shown(name),
			       name->text, meaning->file.text);
	return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "Function \"%.*s\" not defined.", shown(name), name->text);
}

static enum tl_status no_line(const struct meaning *meaning, tl_i64 line, struct tl_error *error)
{
	if (meaning->file.size != 0)
		return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No line %lld in file \"%.100s\".", (long long)line,
			       meaning->file.text);
	return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No line %lld in the current file.", (long long)line);
}

/* ---- Files and functions ---- */

static bool stop_at_file(void *context, const struct tl_line_table *table)
{
	struct tl_line_query *query = context;

	query->known = tl_line_query_concerns(query, table);
	return !query->known;
}

static enum tl_status file_is_known(const struct tl_finder *finder, const char *file, bool *known_ret,
				    struct tl_error *error)
{
	struct tl_line_query query = tl_line_query_begin(file, 1);
	const struct tl_module *module;

	for (tl_size i = 0; !query.known && (module = tl_modules_get(finder->modules, i)) != NULL; i++)
		if (module->binary->lines != NULL)
			TL_TRY(tl_lines_files(module->binary->lines, stop_at_file, &query, error));
	*known_ret = query.known;
	return TL_OK;
}

/* Takes a word as the file, if it is one. */
static enum tl_status take_file(const struct tl_finder *finder, const struct tl_word *word, struct meaning *meaning,
				bool *known_ret, struct tl_error *error)
{
	tl_output_bytes(&meaning->file, word->text, word->size);
	TL_TRY(tl_output_status(&meaning->file, error));
	*known_ret = false;
	if (word->size != 0)
		TL_TRY(file_is_known(finder, tl_output_string(&meaning->file), known_ret, error));
	if (!*known_ret)
		tl_output_release(&meaning->file);
	meaning->file_named = *known_ret;
	return TL_OK;
}

/* Looks for functions, of the file if there is one. None is no error. */
static enum tl_status take_function(const struct tl_finder *finder, const struct tl_word *word, struct meaning *meaning,
				    struct tl_error *error)
{
	struct tl_function_query query = {
		.modules = finder->modules,
		.near = finder->base->address != 0 ? tl_modules_at(finder->modules, finder->base->address) : NULL,
		.patience = finder->patience,
		.name = *word,
		.qualified = meaning->qualified,
		.file = meaning->file.size != 0 ? meaning->file.text : NULL,
		.declarations = finder->for_lists};

	meaning->function = *word;
	TL_TRY(tl_functions_find(&query, &meaning->functions, error));
	if (meaning->functions.count == 0 && !meaning->qualified)
		TL_TRY(tl_functions_find_inherited(&query, &meaning->functions, error));
	return TL_OK;
}

/* A label of the function where one stands; the function is the only one then. */
static enum tl_status take_label_here(const struct tl_finder *finder, const struct tl_word *word,
				      struct meaning *meaning, bool *found_ret, struct tl_error *error)
{
	const struct tl_module *module = tl_modules_at(finder->modules, finder->base->address);
	struct tl_function_found *items;
	struct tl_entry function;
	tl_u64 address, line;

	*found_ret = false;
	if (finder->base->address == 0 || module == NULL)
		return TL_OK;
	function = tl_function_around(module, finder->base->address, false);
	if (function.tag == 0 || !tl_function_label(&function, word, &address, &line))
		return TL_OK;
	items = tl_allocate(tl_storage(), sizeof(*items));
	if (items == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No memory for a label.");
	items[0] = (struct tl_function_found){
		.module = module, .start = address + module->bias, .has_entry = true, .entry = function};
	meaning->functions = (struct tl_functions_found){items, 1, 1};
	/* So that the place means the same wherever one stands later. */
	meaning->function_here = tl_place_name(module, &function);
	if (meaning->function_here != NULL)
		meaning->function = (struct tl_word){meaning->function_here, strlen(meaning->function_here)};
	meaning->label = *word;
	*found_ret = true;
	return TL_OK;
}

/* ---- Words ---- */

/* "$name": a variable of the session that holds a line. */
static bool take_variable(const struct tl_finder *finder, const struct tl_word *word, struct meaning *meaning)
{
	tl_u64 value;

	if (word->size < 2 || word->text[0] != '$' || finder->base->evaluate == NULL ||
	    finder->base->evaluate(finder->base->context, word->text, word->size, &value, NULL) != TL_OK ||
	    value == 0 || value > TL_U32_MAX)
		return false;
	meaning->has_line = true;
	meaning->line = (struct tl_word_line){.number = (tl_u32)value};
	return true;
}

static enum tl_status take_label(const struct tl_word *word, struct meaning *meaning, struct tl_error *error)
{
	tl_u64 address, line;

	meaning->label = *word;
	for (tl_size i = 0; i < meaning->functions.count; i++)
		if (meaning->functions.items[i].has_entry &&
		    tl_function_label(&meaning->functions.items[i].entry, word, &address, &line))
			return TL_OK;
	return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No label \"%.*s\" defined in function \"%.*s\".", shown(word),
		       word->text, shown(&meaning->function), meaning->function.text);
}

/* A word that stands for all of a place, or for all behind a file: a line, a function, a label of this function. */
static enum tl_status take_word(struct tl_finder *finder, const struct tl_word *word, bool quoted,
				struct meaning *meaning, struct tl_error *error)
{
	bool label;

	meaning->has_line = !quoted && tl_word_line(word, &meaning->line);
	if (meaning->has_line || take_variable(finder, word, meaning))
		return TL_OK;
	TL_TRY(take_function(finder, word, meaning, error));
	if (meaning->functions.count != 0)
		return TL_OK;
	if (finder->for_lists && meaning->file.size == 0)
		TL_TRY(tl_finder_variables(finder, word, error));
	if (finder->places.count != 0)
		return TL_OK;
	TL_TRY(take_label_here(finder, word, meaning, &label, error));
	return label ? TL_OK : no_function(finder, meaning, error);
}

/* The file of the first function, for the line behind it in FUNCTION:LINE. */
static enum tl_status take_file_of_function(struct meaning *meaning, struct tl_error *error)
{
	const struct tl_function_found *function = &meaning->functions.items[0];
	const struct tl_unit *unit;
	char *file = NULL;
	tl_u64 number;

	if (meaning->file.size != 0)
		return TL_OK;
	if (function->has_entry && tl_entry_number(&function->entry, DW_AT_decl_file, &number, &unit))
		file = tl_place_file(function->module, unit, number);
	if (file == NULL)
		return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "Function \"%.*s\" has no lines.", shown(&meaning->function),
			       meaning->function.text);
	tl_output_text(&meaning->file, file);
	tl_release(tl_storage(), file, strlen(file) + 1);
	return tl_output_status(&meaning->file, error);
}

/* What stands behind a function: a line of its file, or a label of it. */
static enum tl_status take_behind(const struct tl_word *word, bool quoted, struct meaning *meaning,
				  struct tl_error *error)
{
	meaning->has_line = !quoted && tl_word_line(word, &meaning->line);
	return meaning->has_line ? take_file_of_function(meaning, error) : take_label(word, meaning, error);
}

static enum tl_status unexpected_line(const struct tl_word *word, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "malformed linespec error: unexpected string, \"%.*s\".", shown(word),
		       word->text);
}

/* A, A:B, A:B:C: A is a file if there is one of that name, else a function. */
static enum tl_status take_parts(struct tl_finder *finder, const struct tl_words *words, struct meaning *meaning,
				 struct tl_error *error)
{
	const struct tl_word *parts = words->parts;
	const bool *quoted = words->quoted;
	tl_size count = words->count;
	bool file = false;

	if (count > 1)
		TL_TRY(take_file(finder, &parts[0], meaning, &file, error));
	if (count > 1 && !file) {
		TL_TRY(take_function(finder, &parts[0], meaning, error));
		if (meaning->functions.count == 0)
			return no_file(finder, &parts[0], error);
	} else {
		parts += file;
		quoted += file;
		count -= file;
		TL_TRY(take_word(finder, &parts[0], quoted[0], meaning, error));
		if (count > 1 && meaning->has_line)
			return unexpected_line(&parts[1], error);
	}
	if (count > 1)
		TL_TRY(take_behind(&parts[1], quoted[1], meaning, error));
	/* Behind a label a line adds nothing. */
	return count > 2 && meaning->has_line ? unexpected_line(&parts[2], error) : TL_OK;
}

static enum tl_status take_explicit(const struct tl_finder *finder, const struct tl_words *words,
				    struct meaning *meaning, struct tl_error *error)
{
	bool file = true, label = true;

	if (words->source.text != NULL)
		TL_TRY(take_file(finder, &words->source, meaning, &file, error));
	if (!file)
		return no_file(finder, &words->source, error);
	if (words->line.text != NULL && !tl_word_line(&words->line, &meaning->line))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "malformed line offset: \"%.*s\"", shown(&words->line),
			       words->line.text);
	if (words->function.text != NULL) {
		TL_TRY(take_function(finder, &words->function, meaning, error));
		if (meaning->functions.count == 0)
			return no_function(finder, meaning, error);
		if (words->label.text != NULL)
			return take_label(&words->label, meaning, error);
		if (words->line.text != NULL)
			TL_TRY(take_file_of_function(meaning, error));
	} else if (words->label.text != NULL) {
		TL_TRY(take_label_here(finder, &words->label, meaning, &label, error));
		if (!label)
			return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No label \"%.*s\" defined in current function.",
				       shown(&words->label), words->label.text);
		return TL_OK;
	}
	meaning->has_line = words->line.text != NULL;
	return TL_OK;
}

/* ---- Lines ---- */

/* Where one stands without a place: in the file of main, so far in front of it as gdb, which lists ten lines then. */
static enum tl_status stand_at_main(const struct tl_finder *finder, struct tl_output *file, tl_u32 *line_ret,
				    struct tl_error *error)
{
	static const char name[] = "main";
	struct tl_function_query query = {.modules = finder->modules,
					  .patience = finder->patience,
					  .name = {name, sizeof(name) - 1},
					  .qualified = true};
	struct tl_functions_found found = {0};
	enum tl_status status = tl_functions_find(&query, &found, error);

	for (tl_size i = 0; status == TL_OK && i < found.count && file->size == 0; i++) {
		struct tl_code_place_found place = {
			.address = tl_modules_behind_prologue(finder->modules, found.items[i].start),
			.module = found.items[i].module};

		tl_place_describe(finder->modules, &place);
		if (place.file != NULL) {
			tl_output_text(file, place.file);
			*line_ret = place.line > 9 ? place.line - 9 : 1;
		}
		tl_place_release(&place);
	}
	tl_functions_release(&found);
	TL_TRY(status);
	if (file->size == 0)
		return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No symbol table is loaded.  Use the \"file\" command.");
	return tl_output_status(file, error);
}

/* The file and the line that are meant; a line below 1 is none. */
static enum tl_status settle_line(const struct tl_finder *finder, struct meaning *meaning, struct tl_output *file,
				  tl_i64 *line_ret, struct tl_error *error)
{
	tl_i64 offset = meaning->line.number;
	tl_u32 stand = finder->base->line;

	/* gdb's lists go on by so much. */
	if (meaning->line.bare)
		offset = meaning->line.sign == '+' ? 5 : 15;
	if (meaning->line.sign == '-')
		offset = -offset;
	if (meaning->file.size != 0) {
		tl_output_text(file, meaning->file.text);
		*line_ret = offset;
		return tl_output_status(file, error);
	}
	if (finder->base->file != NULL)
		tl_output_text(file, finder->base->file);
	else
		TL_TRY(stand_at_main(finder, file, &stand, error));
	*line_ret = meaning->line.sign != 0 ? (tl_i64)stand + offset : offset;
	return tl_output_status(file, error);
}

/* FUNCTION:LINE: of the places of the line, those in the function. */
static enum tl_status keep_in_functions(struct tl_finder *finder, const struct meaning *meaning, tl_i64 line,
					struct tl_error *error)
{
	const struct tl_functions_found *functions = &meaning->functions;
	struct tl_code_places *places = &finder->places;
	tl_size kept = 0;

	for (tl_size i = 0; i < places->count; i++) {
		bool inside = false;

		for (tl_size j = 0; j < functions->count && !inside; j++) {
			char *name = functions->items[j].has_entry
					     ? tl_place_name(functions->items[j].module, &functions->items[j].entry)
					     : NULL;

			inside = name != NULL && places->items[i].name != NULL &&
				 strcmp(name, places->items[i].name) == 0;
			if (name != NULL)
				tl_release(tl_storage(), name, strlen(name) + 1);
		}
		if (inside)
			places->items[kept++] = places->items[i];
		else
			tl_place_release(&places->items[i]);
	}
	places->count = kept;
	if (kept == 0)
		return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No line %lld in function \"%.*s\".", (long long)line,
			       shown(&meaning->function), meaning->function.text);
	return TL_OK;
}

static enum tl_status find_line(struct tl_finder *finder, struct meaning *meaning, struct tl_output *text,
				struct tl_error *error)
{
	struct tl_output file = tl_output_make(TL_OUTPUT_MAX);
	tl_i64 line = 0;
	bool known = false;
	enum tl_status status = settle_line(finder, meaning, &file, &line, error);

	if (status == TL_OK && (line < 1 || line > TL_U32_MAX))
		status = no_line(meaning, line, error);
	if (status == TL_OK && meaning->functions.count != 0)
		tl_output_format(text, "%s%s%.*s:%lld", meaning->file_named ? tl_output_string(&file) : "",
				 meaning->file_named ? ":" : "", (int)meaning->function.size, meaning->function.text,
				 (long long)line);
	else if (status == TL_OK)
		tl_output_format(text, "%s:%lld", tl_output_string(&file), (long long)line);
	if (status == TL_OK && finder->for_lists)
		status = tl_finder_files(finder, tl_output_string(&file), (tl_u32)line, error);
	else if (status == TL_OK)
		status = tl_finder_line(finder, tl_output_string(&file), (tl_u32)line, &known, error);
	if (status == TL_OK && finder->places.count == 0)
		status = no_line(meaning, line, error);
	if (status == TL_OK && meaning->functions.count != 0 && !finder->for_lists)
		status = keep_in_functions(finder, meaning, line, error);
	tl_output_release(&file);
	return status;
}

/* ---- Functions ---- */

static void write_word(struct tl_output *text, const struct tl_word *word)
{
	bool quote = memchr(word->text, ':', word->size) != NULL && memchr(word->text, '"', word->size) == NULL;

	/* A colon that stands alone would end the word. */
	for (tl_size i = 0; quote && i < word->size; i++)
		if (word->text[i] == ':' && i + 1 < word->size && word->text[i + 1] == ':')
			quote = false;
	tl_output_format(text, quote ? "\"%.*s\"" : "%.*s", (int)word->size, word->text);
}

/* A resolver that has chosen is not what is meant, but what it chose. */
static void replace_resolvers(const struct tl_finder *finder, struct tl_functions_found *functions)
{
	for (tl_size i = 0; i < functions->count; i++) {
		struct tl_function_found *function = &functions->items[i];
		const char *name = function->symbol;
		struct tl_elf_name symbol;
		tl_u64 start;

		if (!function->resolver)
			continue;
		if (name == NULL && tl_modules_symbol(finder->modules, function->start, &symbol, &start))
			name = symbol.name;
		if (name == NULL ||
		    !tl_indirect_chosen(finder->modules, function->module, name, function->start, &function->start))
			continue;
		/* It may be in another module, and have debug information or none: what is there is looked up. */
		function->module = tl_modules_at(finder->modules, function->start);
		function->resolver = function->has_entry = false;
		function->symbol = NULL;
	}
}

static enum tl_status find_functions(struct tl_finder *finder, struct meaning *meaning, struct tl_output *text,
				     struct tl_error *error)
{
	if (meaning->qualified)
		tl_output_text(text, "-qualified ");
	if (meaning->file.size != 0)
		tl_output_format(text, "%s:", meaning->file.text);
	if (meaning->function.text != NULL)
		write_word(text, &meaning->function);
	if (meaning->label.text != NULL)
		tl_output_format(text, "%s%.*s", meaning->function.text != NULL ? ":" : "", (int)meaning->label.size,
				 meaning->label.text);
	if (finder->for_lists && meaning->label.text == NULL) {
		TL_TRY(tl_finder_declarations(finder, &meaning->functions, error));
		if (finder->places.count == 0)
			return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No line number known for %.*s.",
				       shown(&meaning->function), meaning->function.text);
		return TL_OK;
	}
	replace_resolvers(finder, &meaning->functions);
	TL_TRY(tl_finder_functions(finder, &meaning->functions, &meaning->label, error));
	if (finder->places.count != 0 || finder->for_lists)
		return TL_OK;
	return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "Function \"%.*s\" has no code that was kept.",
		       shown(&meaning->function), meaning->function.text);
}

/* ---- Addresses ---- */

/* Without anybody who evaluates, an address is a number. */
static enum tl_status read_number(const struct tl_word *word, tl_u64 *address_ret, struct tl_error *error)
{
	char copy[32], *end = copy;
	unsigned long long value = 0;

	if (word->size != 0 && word->size < sizeof(copy) && word->text[0] >= '0' && word->text[0] <= '9') {
		memcpy(copy, word->text, word->size);
		copy[word->size] = '\0';
		value = strtoull(copy, &end, 0);
	}
	if (end == copy || *end != '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "\"%.*s\" is no address.", shown(word), word->text);
	*address_ret = value;
	return TL_OK;
}

static enum tl_status find_address(struct tl_finder *finder, const struct tl_words *words, struct tl_output *text,
				   struct tl_error *error)
{
	const struct tl_linespec_base *base = finder->base;
	const struct tl_word *word = &words->address;
	struct tl_code_place_found *place;
	tl_u64 address = base->address;

	if (words->kind == TL_WORDS_HERE || word->size == 0) {
		if (address == 0)
			return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No default breakpoint address now.");
		tl_output_format(text, "*0x%llx", (unsigned long long)address);
	} else {
		if (base->evaluate != NULL)
			TL_TRY(base->evaluate(base->context, word->text, word->size, &address, error));
		else
			TL_TRY(read_number(word, &address, error));
		tl_output_format(text, "*%.*s", (int)word->size, word->text);
	}
	place = tl_finder_add(finder);
	if (place == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No memory for a place.");
	place->address = address;
	tl_place_describe(finder->modules, place);
	return TL_OK;
}

/* ---- All of it ---- */

static enum tl_status find(struct tl_finder *finder, const struct tl_words *words, struct meaning *meaning,
			   struct tl_output *text, struct tl_error *error)
{
	meaning->qualified = words->qualified;
	switch (words->kind) {
	case TL_WORDS_HERE:
	case TL_WORDS_ADDRESS:
		return find_address(finder, words, text, error);
	case TL_WORDS_PARTS:
		TL_TRY(take_parts(finder, words, meaning, error));
		break;
	case TL_WORDS_EXPLICIT:
		TL_TRY(take_explicit(finder, words, meaning, error));
		break;
	}
	return meaning->has_line ? find_line(finder, meaning, text, error)
				 : find_functions(finder, meaning, text, error);
}

static enum tl_status run(struct tl_finder *finder, const char *text, struct tl_code_places *places_ret,
			  const char **rest_ret, struct tl_error *error)
{
	static const struct tl_linespec_base nowhere = {0};
	struct tl_output understood = tl_output_make(TL_OUTPUT_MAX);
	struct meaning meaning = {.file = tl_output_make(TL_OUTPUT_MAX)};
	struct tl_words words;
	const char *rest;
	enum tl_status status;

	if (finder->base == NULL)
		finder->base = &nowhere;
	TL_TRY(tl_words_read(text, &words, &rest, error));
	status = find(finder, &words, &meaning, &understood, error);
	if (status == TL_OK)
		status = tl_output_status(&understood, error);
	if (status == TL_OK) {
		tl_finder_finish(finder);
		finder->places.text = tl_place_text(tl_output_string(&understood));
		if (finder->places.text == NULL)
			status = TL_FAIL(error, TL_ERROR_NO_MEMORY, "No memory for a place.");
	}
	tl_output_release(&understood);
	tl_output_release(&meaning.file);
	tl_functions_release(&meaning.functions);
	if (meaning.function_here != NULL)
		tl_release(tl_storage(), meaning.function_here, strlen(meaning.function_here) + 1);
	if (status != TL_OK) {
		tl_code_places_release(&finder->places);
		return status;
	}
	*places_ret = finder->places;
	*rest_ret = rest;
	return TL_OK;
}

enum tl_status tl_linespec_find(const struct tl_modules *modules, const struct tl_linespec_base *base,
				const struct tl_patience *patience, const char *text, bool at_entry,
				struct tl_code_places *places_ret, const char **rest_ret, struct tl_error *error)
{
	struct tl_finder finder = {.modules = modules, .base = base, .patience = patience, .at_entry = at_entry};

	return run(&finder, text, places_ret, rest_ret, error);
}

enum tl_status tl_linespec_line(const struct tl_modules *modules, const struct tl_linespec_base *base,
				const struct tl_patience *patience, const char *text, struct tl_code_places *places_ret,
				const char **rest_ret, struct tl_error *error)
{
	struct tl_finder finder = {.modules = modules, .base = base, .patience = patience, .for_lists = true};

	return run(&finder, text, places_ret, rest_ret, error);
}
