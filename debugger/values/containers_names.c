/* The names of types as people write them. */
#include "debugger/values/containers_internal.h"
#include "symbols/output.h"

#include <string.h>

#define NESTING_MAX 16

/* Templates whose last arguments have defaults, which are templates of the names behind. */
static const struct {
	const char *name;
	unsigned kept;
	const char *defaults[3];
} templates[] = {
	{"unique_ptr", 1, {"default_delete"}},
	{"deque", 1, {"allocator"}},
	{"forward_list", 1, {"allocator"}},
	{"list", 1, {"allocator"}},
	{"vector", 1, {"allocator"}},
	{"map", 2, {"less", "allocator"}},
	{"multimap", 2, {"less", "allocator"}},
	{"set", 1, {"less", "allocator"}},
	{"multiset", 1, {"less", "allocator"}},
	{"unordered_map", 2, {"hash", "equal_to", "allocator"}},
	{"unordered_multimap", 2, {"hash", "equal_to", "allocator"}},
	{"unordered_set", 1, {"hash", "equal_to", "allocator"}},
	{"unordered_multiset", 1, {"hash", "equal_to", "allocator"}},
};

static const struct {
	const char *character, *name;
} strings[] = {
	{"char", "string"},        {"wchar_t", "wstring"},    {"char8_t", "u8string"},
	{"char16_t", "u16string"}, {"char32_t", "u32string"},
};

/* Behind "std::", and "__cxx11::" if it is there. NULL: it is of another namespace. */
static const char *behind_std(const char *name)
{
	if (strncmp(name, "std::", 5) != 0)
		return NULL;
	name += 5;
	return strncmp(name, "__cxx11::", 9) == 0 ? name + 9 : name;
}

static bool is_of_template(const char *full, const char *wanted)
{
	const char *name = behind_std(full);
	const tl_size length = strlen(wanted);

	return name != NULL && strncmp(name, wanted, length) == 0 && name[length] == '<';
}

/* Whether an argument of the template is of a template of that name. */
static enum tl_status argument_is(const struct tl_type *type, tl_size index, const char *wanted, bool *is_ret,
				  struct tl_error *error)
{
	const struct tl_type *argument;
	const char *full = NULL;

	*is_ret = false;
	TL_TRY(tl_container_argument(type, index, &argument, error));
	if (argument == NULL)
		return TL_OK;
	TL_TRY(tl_type_full_name(argument, &full, error));
	*is_ret = full != NULL && is_of_template(full, wanted);
	return TL_OK;
}

static enum tl_status write(const struct tl_value_context *context, const struct tl_type *type, unsigned nesting,
			    struct tl_output *output, struct tl_error *error);

/* std::string and its kin, with the traits and the allocator that they have by themselves. */
static enum tl_status write_string(const struct tl_type *type, const char *full, struct tl_output *output,
				   bool *written_ret, struct tl_error *error)
{
	const bool view = is_of_template(full, "basic_string_view");
	const struct tl_type *character;
	bool traits, allocator = true;

	*written_ret = false;
	if (!view && !is_of_template(full, "basic_string"))
		return TL_OK;
	TL_TRY(tl_container_argument(type, 0, &character, error));
	TL_TRY(argument_is(type, 1, "char_traits", &traits, error));
	if (!view)
		TL_TRY(argument_is(type, 2, "allocator", &allocator, error));
	for (tl_size i = 0;
	     traits && allocator && character != NULL && character->name != NULL && i < TL_COUNT(strings); i++)
		if (strcmp(character->name, strings[i].character) == 0) {
			tl_output_format(output, "std::%s%s", strings[i].name, view ? "_view" : "");
			*written_ret = true;
		}
	return TL_OK;
}

static enum tl_status write_template(const struct tl_value_context *context, const struct tl_type *type,
				     const char *full, unsigned nesting, struct tl_output *output, bool *written_ret,
				     struct tl_error *error)
{
	const struct tl_type *argument;
	tl_size i = 0;
	bool usual = true;

	*written_ret = false;
	while (i < TL_COUNT(templates) && !is_of_template(full, templates[i].name))
		i++;
	if (i == TL_COUNT(templates))
		return TL_OK;
	for (unsigned j = 0; j < 3 && templates[i].defaults[j] != NULL && usual; j++)
		TL_TRY(argument_is(type, templates[i].kept + j, templates[i].defaults[j], &usual, error));
	if (!usual)
		return TL_OK;
	tl_output_format(output, "std::%s<", templates[i].name);
	for (unsigned j = 0; j < templates[i].kept; j++) {
		TL_TRY(tl_container_argument(type, j, &argument, error));
		tl_output_text(output, j != 0 ? ", " : "");
		if (argument != NULL)
			TL_TRY(write(context, argument, nesting + 1, output, error));
	}
	tl_output_text(output, ">");
	*written_ret = true;
	return TL_OK;
}

static enum tl_status write(const struct tl_value_context *context, const struct tl_type *type, unsigned nesting,
			    struct tl_output *output, struct tl_error *error)
{
	const char *full = NULL;
	bool written = false;

	if (nesting < NESTING_MAX && (type->kind == TL_TYPE_STRUCT || type->kind == TL_TYPE_CLASS)) {
		TL_TRY(tl_type_full_name(type, &full, error));
		if (full != NULL)
			TL_TRY(write_string(type, full, output, &written, error));
		if (full != NULL && !written)
			TL_TRY(write_template(context, type, full, nesting, output, &written, error));
	}
	if (!written)
		tl_output_text(output, tl_value_type_name(context, type));
	return TL_OK;
}

const char *tl_container_short_name(const struct tl_value_context *context, const struct tl_type *type)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	const char *name = NULL;

	if (write(context, type, 0, &output, NULL) == TL_OK && tl_output_status(&output, NULL) == TL_OK)
		name = tl_arena_copy(context->arena, tl_output_string(&output), output.size);
	tl_output_release(&output);
	return name != NULL ? name : "?";
}
