/*
 * Types, scopes, locations and what encloses what, over debug information of any shape. The input's first four bytes
 * say how much of the rest is .debug_abbrev, and how much .debug_str; what is left is .debug_info.
 */
#include "base/storage.h"
#include "symbols/dwarf_constants.h"
#include "symbols/location.h"
#include "symbols/type_text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/symbols/wrap.h"

#include <stdlib.h>

/* No input needs more to show what it does. */
#define ENTRIES_MAX 400
#define INPUT_MAX 16384

struct readers {
	struct tl_image *image;
	struct tl_dwarf *dwarf;
	struct tl_tree *tree;
	struct tl_types *types;
	struct tl_scopes *scopes;
	/* Where variables are looked at: */
	struct tl_entry function;
	tl_u64 address;
};

static struct tl_error error;

/* Whatever fails says why. */
static bool good(enum tl_status status)
{
	if (status != TL_OK && (error.status != status || error.text[0] == 0))
		abort();
	error.status = TL_OK;
	error.text[0] = 0;
	return status == TL_OK;
}

static void read_type(struct readers *readers, const struct tl_entry *entry)
{
	struct tl_output output = tl_output_make(1 << 16);
	const struct tl_type *type, *other;
	const struct tl_member *members;
	const char *name;
	tl_size count;
	tl_u64 size;
	bool known;

	if (good(tl_type_at(readers->types, entry, &type, &error))) {
		(void)good(tl_type_full_name(type, &name, &error));
		(void)good(tl_type_size(type, &size, &known, &error));
		if (good(tl_type_strip(type, &other, &error)) && other->kind == TL_TYPE_TYPEDEF)
			abort();
		if (good(tl_type_members(type, &members, &count, &error)))
			for (tl_size i = 0; i < count && i < 50; i++)
				(void)good(tl_member_type(type, &members[i], &other, &error));
		(void)good(tl_type_write_name(type, &output, &error));
		tl_output_reset(&output);
		(void)good(
			tl_type_write_description(type, entry->offset & 1 ? TL_TYPE_TEXT_OFFSETS : 0, &output, &error));
	}
	tl_output_release(&output);
}

static enum tl_status read_register(void *context, tl_u64 number, void *buffer, tl_size size, struct tl_error *why)
{
	(void)context;
	if (number % 5 == 4)
		return TL_FAIL(why, TL_ERROR_REGISTER, "there is no such register");
	memset(buffer, (int)number, size);
	return TL_OK;
}

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context;
	memset(buffer, (int)address, size);
	return address % 7 != 0 ? TL_OK : TL_ERROR_MEMORY;
}

static enum tl_status frame_address(void *context, tl_u64 *address_ret, struct tl_error *why)
{
	(void)context;
	(void)why;
	*address_ret = 0x7000;
	return TL_OK;
}

/* Every frame is called by one like it, without end. */
static enum tl_status caller(void *context, struct tl_variable_frame *caller_ret, struct tl_error *why)
{
	(void)why;
	*caller_ret = *(const struct tl_variable_frame *)context;
	return TL_OK;
}

static enum tl_status symbol(void *context, const char *name, tl_u64 *address_ret, bool *found_ret,
			     struct tl_error *why)
{
	(void)context;
	(void)why;
	*address_ret = 0x1000;
	*found_ret = name[0] % 2 != 0;
	return TL_OK;
}

static void read_value(struct readers *readers, const struct tl_entry *entry, const struct tl_type *type)
{
	static const struct tl_memory_access memory = {.read = read_memory};
	struct tl_variable_frame frame = {
		.machine = {.memory = &memory, .read_register = read_register, .frame_address = frame_address},
		.types = readers->types,
		.scopes = readers->scopes,
		.function = readers->function,
		.address = readers->address,
		.program_counter = readers->address + 1,
		.caller = caller,
		.symbol = symbol,
	};
	struct tl_location location;
	const struct tl_type *resolved;
	tl_u8 bytes[100];
	tl_u64 missing;

	frame.machine.address_size = 8;
	frame.context = &frame;
	(void)good(tl_type_resolve(&frame, type, &resolved, &error));
	if (!good(tl_variable_location(&frame, entry, &location, &error)))
		return;
	if (location.count == 0)
		abort();
	if (good(tl_location_read(&frame, &location, entry->offset % 9, bytes, sizeof(bytes), &missing, &error)) &&
	    missing > sizeof(bytes) * 8)
		abort();
}

static bool see_variable(void *context, const struct tl_variable *variable)
{
	struct readers *readers = context;
	const struct tl_type *type;

	if (variable->name == NULL)
		abort();
	if (good(tl_type_of(readers->types, &variable->entry, &type, &error)))
		read_value(readers, &variable->entry, type);
	return true;
}

static bool see_parameter(void *context, const struct tl_call_parameter *parameter)
{
	(void)context;
	return parameter->location == NULL || parameter->location_size < INPUT_MAX;
}

static bool see_call(void *context, const struct tl_call_site *site)
{
	(void)context;
	(void)good(tl_call_parameters(site, see_parameter, NULL, &error));
	return true;
}

static bool see_range(void *context, tl_u64 start, tl_u64 end)
{
	struct readers *readers = context;
	struct tl_scope_chain chain = {NULL, 0, 0};

	readers->address = start + (end - start) / 2;
	if (good(tl_scopes_at(readers->scopes, readers->address, &chain, &error)) && chain.count != 0)
		readers->function = chain.scopes[chain.count - 1].entry;
	if (chain.count != 0)
		for (tl_size i = 0; i < chain.count; i++)
			(void)good(tl_scope_variables(&chain.scopes[i], see_variable, readers, &error));
	tl_scope_chain_release(&chain);
	return true;
}

static void read_function(struct readers *readers, const struct tl_entry *entry)
{
	struct tl_output output = tl_output_make(1 << 16);
	const tl_u8 *bytes;
	tl_size size;

	(void)good(tl_entry_ranges(entry, see_range, readers, &error));
	(void)good(tl_scope_write_name(readers->types, entry, true, &output, &error));
	(void)good(tl_scope_frame_base(entry, 0x1000, &bytes, &size, &error));
	(void)good(tl_scope_calls(entry, see_call, NULL, &error));
	tl_output_release(&output);
}

static void read_unit(struct readers *readers, const struct tl_unit *unit)
{
	struct tl_entry entry, parent;
	bool done = false;

	if (!good(tl_entry_top(unit, &entry, &error)))
		return;
	for (unsigned i = 0; i < ENTRIES_MAX && !done; i++) {
		if (entry.tag == DW_TAG_subprogram)
			read_function(readers, &entry);
		else if (entry.tag != 0)
			read_type(readers, &entry);
		if (entry.tag != 0 && good(tl_tree_parent(readers->tree, &entry, &parent, &error)) &&
		    parent.offset >= entry.offset && parent.tag != 0)
			abort();
		if (!good(tl_entry_next(&entry, &entry, &done, &error)))
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static uint8_t file[INPUT_MAX + 4096];
	struct readers readers = {.image = NULL};

	size = size <= INPUT_MAX ? wrap_input(file, bytes, size) : 0;
	if (size == 0)
		return 0;
	if (good(tl_image_open_bytes(&readers.image, "input", file, size, &error)) &&
	    good(tl_dwarf_open(&readers.dwarf, readers.image, &error)) &&
	    good(tl_tree_open(&readers.tree, readers.dwarf, &error)) &&
	    good(tl_types_open(&readers.types, readers.dwarf, readers.tree, &error)) &&
	    good(tl_scopes_open(&readers.scopes, readers.dwarf, &error)))
		for (tl_size i = 0; i < tl_dwarf_unit_count(readers.dwarf) && i < 8; i++)
			read_unit(&readers, tl_dwarf_unit(readers.dwarf, i));
	tl_scopes_close(readers.scopes);
	tl_types_close(readers.types);
	tl_tree_close(readers.tree);
	tl_dwarf_close(readers.dwarf);
	tl_image_close(readers.image);
	if (tl_storage_live() != 0)
		abort();
	return 0;
}
