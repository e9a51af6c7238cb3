/*
 * Says what symbols/ reads of a program, for scripts that compare it with what gdb says:
 *
 *     describe types FILE              every named type, function and variable: a gdb command, and its answer
 *     describe scopes FILE             what is in scope at addresses of every function: name, size, and where it has a
 *                                      location; as info scope
 */
#include "symbols/dwarf_constants.h"
#include "symbols/image.h"
#include "symbols/scope.h"
#include "symbols/type_text.h"

#include <stdio.h>
#include <string.h>

static struct tl_image *image;
static struct tl_dwarf *dwarf;
static struct tl_tree *tree;
static struct tl_types *types;
static struct tl_scopes *scopes;
static struct tl_error error;

static int fail(void)
{
	fprintf(stderr, "describe: %s\n", error.text);
	return 1;
}

/* The kinds of answers, by the gdb command that gives the same. */
static int answer_description(const char *command, const char *name, const struct tl_type *type, unsigned flags)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	int failed = 0;

	if (tl_type_write_description(type, flags, &output, &error) != TL_OK)
		failed = fail();
	else
		printf("== %s%s\n%s", command, name, tl_output_string(&output));
	tl_output_release(&output);
	return failed;
}

static int answer_name(const char *name, const struct tl_type *type)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	int failed = 0;

	if (tl_type_write_name(type, &output, &error) != TL_OK)
		failed = fail();
	else
		printf("== whatis %s\ntype = %s\n", name, tl_output_string(&output));
	tl_output_release(&output);
	return failed;
}

static int describe_struct(const struct tl_type *type, const char *name, const char *keyword)
{
	char command[32];
	int failed;

	snprintf(command, sizeof(command), "ptype/ro %s ", keyword);
	failed = answer_description(command, name, type, TL_TYPE_TEXT_OFFSETS);
	snprintf(command, sizeof(command), "ptype/r %s ", keyword);
	return failed | answer_description(command, name, type, 0);
}

static int describe_typedef(const struct tl_type *type, const char *name)
{
	const struct tl_type *target;

	if (tl_type_target(type, &target, &error) != TL_OK)
		return fail();
	return answer_description("ptype/r ", name, type, 0) | answer_name(name, target);
}

/* A function or a variable that has a name and is no declaration. */
static int describe_object(const struct tl_entry *entry, bool function)
{
	struct tl_output name = tl_output_make(TL_OUTPUT_MAX);
	struct tl_attribute text, declaration;
	const struct tl_type *type;
	enum tl_status status;
	int failed = 0;

	if (tl_entry_attribute(entry, DW_AT_name, &text, &error) != TL_OK ||
	    tl_entry_attribute(entry, DW_AT_declaration, &declaration, &error) != TL_OK)
		return fail();
	if (text.kind != TL_CLASS_STRING || declaration.kind != TL_CLASS_NONE || tl_tree_has_scopes(entry->unit))
		return 0;
	status = function ? tl_type_at(types, entry, &type, &error) : tl_type_of(types, entry, &type, &error);
	failed = status != TL_OK ? fail() : answer_name(text.text, type);
	tl_output_release(&name);
	return failed;
}

static int each_entry(const struct tl_unit *unit, int (*call)(const struct tl_entry *entry))
{
	struct tl_entry entry;
	int failed = 0;
	bool done = false;

	if (tl_entry_top(unit, &entry, &error) != TL_OK)
		return fail();
	while (!done) {
		if (entry.tag != 0)
			failed |= call(&entry);
		if (tl_entry_next(&entry, &entry, &done, &error) != TL_OK)
			return fail();
	}
	return failed;
}

static int type_entry(const struct tl_entry *entry)
{
	const struct tl_type *type;
	struct tl_entry parent;
	const char *name;

	switch (entry->tag) {
	case DW_TAG_subprogram:
		return describe_object(entry, true);
	case DW_TAG_variable:
		if (tl_tree_parent(tree, entry, &parent, &error) != TL_OK)
			return fail();
		return parent.tag == DW_TAG_compile_unit ? describe_object(entry, false) : 0;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_typedef:
		break;
	default:
		return 0;
	}
	if (tl_type_at(types, entry, &type, &error) != TL_OK || tl_type_full_name(type, &name, &error) != TL_OK)
		return fail();
	if (name == NULL || type->declaration)
		return 0;
	if (type->kind == TL_TYPE_TYPEDEF)
		return describe_typedef(type, name);
	if (type->kind == TL_TYPE_ENUM)
		return answer_description("ptype/r enum ", name, type, 0);
	return describe_struct(type, name,
			       type->kind == TL_TYPE_UNION   ? "union"
			       : type->kind == TL_TYPE_CLASS ? "class"
							     : "struct");
}

static bool print_range(void *context, tl_u64 start, tl_u64 end, const tl_u8 *bytes, tl_size size)
{
	(void)context;
	(void)bytes;
	(void)size;
	if (end == TL_U64_MAX)
		printf(" everywhere");
	else
		printf(" 0x%llx-0x%llx", (unsigned long long)start, (unsigned long long)end);
	return true;
}

static bool print_variable(void *context, const struct tl_variable *variable)
{
	struct tl_attribute location, value;
	const struct tl_type *type;
	tl_u64 size = 0;
	bool known = false;
	int *failed = context;

	if (tl_type_of(types, &variable->entry, &type, &error) != TL_OK ||
	    tl_type_size(type, &size, &known, &error) != TL_OK ||
	    tl_entry_inherited(&variable->entry, DW_AT_location, &location, &error) != TL_OK ||
	    tl_entry_inherited(&variable->entry, DW_AT_const_value, &value, &error) != TL_OK) {
		*failed |= fail();
		return true;
	}
	printf("%s ", variable->name);
	if (known)
		printf("%llu", (unsigned long long)size);
	else
		printf("?");
	if (value.kind != TL_CLASS_NONE)
		printf(" constant");
	else if (location.kind != TL_CLASS_NONE && tl_entry_locations(&location, print_range, NULL, &error) != TL_OK)
		*failed |= fail();
	if (variable->external)
		printf(" external");
	printf("\n");
	return true;
}

static bool print_enumerators(void *context, const struct tl_entry *entry)
{
	const struct tl_member *members;
	const struct tl_type *type;
	tl_size count = 0;
	int *failed = context;

	if (entry->tag != DW_TAG_enumeration_type)
		return true;
	if (tl_type_at(types, entry, &type, &error) != TL_OK ||
	    tl_type_members(type, &members, &count, &error) != TL_OK)
		*failed |= fail();
	for (tl_size i = 0; i < count; i++)
		printf("%s %llu constant\n", members[i].name, (unsigned long long)type->size);
	return true;
}

/* What is in scope at an address; a line between each function and that which it was inlined in. */
static int describe_address(tl_u64 address)
{
	struct tl_scope_chain chain = {NULL, 0, 0};
	int failed = 0;

	if (tl_scopes_at(scopes, address, &chain, &error) != TL_OK)
		return fail();
	printf("== info scope *0x%llx\n", (unsigned long long)address);
	for (tl_size i = 0; i < chain.count; i++) {
		if (tl_scope_variables(&chain.scopes[i], print_variable, &failed, &error) != TL_OK ||
		    tl_scope_types(&chain.scopes[i], print_enumerators, &failed, &error) != TL_OK)
			failed |= fail();
		if (chain.scopes[i].kind == TL_SCOPE_INLINED)
			printf("inlined in\n");
	}
	tl_scope_chain_release(&chain);
	return failed;
}

static bool describe_range(void *context, tl_u64 start, tl_u64 end)
{
	int *failed = context;

	*failed |= describe_address(start) | describe_address(end - 1);
	return true;
}

static int scope_entry(const struct tl_entry *entry)
{
	int failed = 0;

	if (entry->tag != DW_TAG_subprogram && entry->tag != DW_TAG_lexical_block &&
	    entry->tag != DW_TAG_inlined_subroutine)
		return 0;
	if (tl_entry_ranges(entry, describe_range, &failed, &error) != TL_OK)
		return fail();
	return failed;
}

static int describe(const char *what)
{
	int failed = 0;

	for (tl_size i = 0; i < tl_dwarf_unit_count(dwarf); i++)
		if (strcmp(what, "types") == 0)
			failed |= each_entry(tl_dwarf_unit(dwarf, i), type_entry);
		else
			failed |= each_entry(tl_dwarf_unit(dwarf, i), scope_entry);
	return failed;
}

int main(int count, char **arguments)
{
	int failed;

	if (count != 3) {
		fprintf(stderr, "usage: describe types|scopes FILE\n");
		return 2;
	}
	if (tl_image_open(&image, arguments[2], NULL, &error) != TL_OK ||
	    tl_dwarf_open(&dwarf, image, &error) != TL_OK || tl_tree_open(&tree, dwarf, &error) != TL_OK ||
	    tl_types_open(&types, dwarf, tree, &error) != TL_OK || tl_scopes_open(&scopes, dwarf, &error) != TL_OK)
		return fail();
	failed = describe(arguments[1]);
	fprintf(stderr, "%zu KiB of types\n", tl_types_storage(types) >> 10);
	tl_scopes_close(scopes);
	tl_types_close(types);
	tl_tree_close(tree);
	tl_dwarf_close(dwarf);
	tl_image_close(image);
	return failed;
}
