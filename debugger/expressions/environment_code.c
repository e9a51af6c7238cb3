/* Where names are whenever code at a place runs, before it does: for conditions that a target decides. */
#include "debugger/expressions/environment_internal.h"
#include "symbols/bytes.h"
#include "symbols/dwarf_constants.h"
#include "symbols/dwarf_operations.h"

/* GDB's number of a register: those that this machine has not are not counted. */
static tl_u16 number_of(const struct tl_environment_store *store, tl_u16 index)
{
	tl_u16 number = 0;

	for (tl_u16 i = 0; i < index; i++)
		number += (store->features >> store->cpu->registers[i].feature & 1) != 0;
	return number;
}

static bool register_of(const struct tl_environment_store *store, tl_u64 dwarf, tl_u16 *number_ret)
{
	for (tl_u16 i = 0; store->cpu != NULL && i < store->cpu->register_count; i++)
		if (store->cpu->registers[i].dwarf >= 0 && (tl_u64)store->cpu->registers[i].dwarf == dwarf) {
			*number_ret = number_of(store, i);
			return true;
		}
	return false;
}

/* The expression of a location that holds at an address. */
struct holding {
	tl_u64 address;
	const tl_u8 *bytes;
	tl_size size;
};

static bool take_holding(void *context, tl_u64 start, tl_u64 end, const tl_u8 *bytes, tl_size size)
{
	struct holding *holding = context;

	if (holding->address < start || (holding->address >= end && end != TL_U64_MAX))
		return true;
	holding->bytes = bytes;
	holding->size = size;
	return false;
}

/* DW_OP_breg0 and its kin: a register and an offset. False for anything else, or if more follows. */
static bool is_relative(struct tl_cursor *cursor, tl_u8 operation, tl_u64 *dwarf_ret, tl_u64 *offset_ret)
{
	if (operation == DW_OP_bregx)
		*dwarf_ret = tl_take_unsigned(cursor);
	else if (operation >= DW_OP_breg0 && operation <= DW_OP_breg0 + 31)
		*dwarf_ret = operation - DW_OP_breg0;
	else
		return false;
	*offset_ret = (tl_u64)tl_take_signed(cursor);
	return !cursor->failed && tl_cursor_done(cursor);
}

/* The canonical frame address at the place, as a register and an offset. */
static bool frame_address(const struct tl_environment_store *store, tl_u64 address, tl_u64 *dwarf_ret,
			  tl_u64 *offset_ret)
{
	struct tl_frame_row row;

	if (tl_call_frames_row(store->module->binary->frames, address, &row, NULL) != TL_OK ||
	    row.cfa.kind != TL_RULE_REGISTER)
		return false;
	*dwarf_ret = row.cfa_register;
	*offset_ret = (tl_u64)row.cfa.offset;
	return true;
}

static bool frame_base(const struct tl_environment_store *store, tl_u64 address, tl_u64 *dwarf_ret, tl_u64 *offset_ret)
{
	const struct tl_scope *function = &store->scopes[store->scope_count - 1];
	struct tl_cursor cursor;
	const tl_u8 *bytes;
	tl_u8 operation;
	tl_size size;

	/* Of an inlined function it is that of the one around it, which is not among the scopes that are seen. */
	if (store->frame != NULL && store->frame->chain->count != 0)
		function = &store->frame->chain->scopes[store->frame->chain->count - 1];
	else if (store->own_chain.count != 0)
		function = &store->own_chain.scopes[store->own_chain.count - 1];
	if (tl_scope_frame_base(&function->entry, address, &bytes, &size, NULL) != TL_OK || size == 0)
		return false;
	cursor = tl_cursor_make(bytes, size);
	operation = tl_take_u8(&cursor);
	if (operation == DW_OP_call_frame_cfa && tl_cursor_done(&cursor))
		return frame_address(store, address, dwarf_ret, offset_ret);
	if (operation >= DW_OP_reg0 && operation <= DW_OP_reg0 + 31 && tl_cursor_done(&cursor)) {
		*dwarf_ret = operation - DW_OP_reg0;
		*offset_ret = 0;
		return true;
	}
	return is_relative(&cursor, operation, dwarf_ret, offset_ret);
}

/* Fills in a place that an expression of one operation says; it stays TL_CODE_NOWHERE for others. */
static void place_of(const struct tl_environment_store *store, const struct holding *holding,
		     struct tl_code_place *place)
{
	struct tl_cursor cursor = tl_cursor_make(holding->bytes, holding->size);
	tl_u8 operation = tl_take_u8(&cursor);
	tl_u64 dwarf, offset, more;

	if (operation >= DW_OP_reg0 && operation <= DW_OP_reg0 + 31) {
		if (tl_cursor_done(&cursor) && register_of(store, operation - DW_OP_reg0, &place->reg))
			place->kind = TL_CODE_REGISTER;
		return;
	}
	if (operation == DW_OP_fbreg) {
		more = (tl_u64)tl_take_signed(&cursor);
		if (cursor.failed || !tl_cursor_done(&cursor) || !frame_base(store, holding->address, &dwarf, &offset))
			return;
		offset += more;
	} else if (!is_relative(&cursor, operation, &dwarf, &offset)) {
		return;
	}
	if (!register_of(store, dwarf, &place->reg))
		return;
	place->kind = TL_CODE_RELATIVE;
	place->number = offset;
}

/* Which address names are looked up for, without bias; false where registers there are not those of the code. */
static bool address_of(const struct tl_environment_store *store, tl_u64 *address_ret)
{
	if (store->module == NULL)
		return false;
	if (store->frame == NULL) {
		*address_ret = store->at.address - store->module->bias;
		return store->at.address != 0;
	}
	*address_ret = store->frame->lookup - store->module->bias;
	return store->frame->machine != NULL && store->at.level == 0;
}

static enum tl_status find_local_place(struct tl_environment_store *store, const struct tl_variable *variable,
				       struct tl_code_place *place_ret, struct tl_error *error)
{
	struct holding holding = {.bytes = NULL};
	struct tl_attribute attribute;

	TL_TRY(tl_type_of(store->variables.types, &variable->entry, &place_ret->type, error));
	TL_TRY(tl_entry_inherited(&variable->entry, DW_AT_const_value, &attribute, error));
	if (attribute.kind == TL_CLASS_UNSIGNED || attribute.kind == TL_CLASS_SIGNED) {
		place_ret->kind = TL_CODE_CONSTANT;
		place_ret->number = attribute.number;
		return TL_OK;
	}
	TL_TRY(tl_entry_inherited(&variable->entry, DW_AT_location, &attribute, error));
	if (attribute.kind == TL_CLASS_NONE || !address_of(store, &holding.address))
		return TL_OK;
	TL_TRY(tl_entry_locations(&attribute, take_holding, &holding, error));
	if (holding.bytes != NULL && holding.size != 0)
		place_of(store, &holding, place_ret);
	return TL_OK;
}

enum tl_status tl_environment_find_place(void *context, const char *file, const char *name,
					 struct tl_code_place *place_ret, bool *found_ret, struct tl_error *error)
{
	struct tl_environment_store *store = context;
	struct tl_code_place place = {.kind = TL_CODE_NOWHERE};
	struct tl_variable variable;
	struct tl_value value;
	bool local = false;
	tl_i128 number;

	if (file == NULL)
		TL_TRY(tl_environment_find_local(store, name, &variable, &local, error));
	if (local && !variable.external) {
		*found_ret = true;
		TL_TRY(find_local_place(store, &variable, &place, error));
		/* A static variable is as good as a global one. */
		if (place.kind != TL_CODE_NOWHERE) {
			*place_ret = place;
			return TL_OK;
		}
	}
	TL_TRY(tl_environment_find_name(store, file, name, &value, found_ret, error));
	if (!*found_ret)
		return TL_OK;
	place = (struct tl_code_place){.kind = TL_CODE_NOWHERE, .type = value.type};
	/* What is in the memory of a frame is there for this activation only. */
	if (value.place == TL_VALUE_IN_MEMORY && tl_modules_at(store->at.modules, value.address) != NULL) {
		place.kind = TL_CODE_MEMORY;
		place.number = value.address;
	} else if (!local && value.place == TL_VALUE_NOWHERE && !tl_value_is_absent(&value) &&
		   tl_value_integer(&store->values, &value, &number, NULL) == TL_OK) {
		place.kind = TL_CODE_CONSTANT;
		place.number = (tl_u64)number;
	}
	*place_ret = place;
	return TL_OK;
}

enum tl_status tl_environment_find_register_place(void *context, const char *name, struct tl_code_place *place_ret,
						  bool *found_ret, struct tl_error *error)
{
	struct tl_environment_store *store = context;
	struct tl_register_part parts[TL_REGISTER_PARTS_MAX];
	const struct tl_type *type;
	tl_size count;

	TL_TRY(tl_environment_register_parts(store, name, parts, &count, &type, error));
	*found_ret = count != 0;
	if (count == 0)
		return TL_OK;
	*place_ret = (struct tl_code_place){.kind = TL_CODE_NOWHERE, .type = type};
	if (count == 1 && parts[0].first_byte == 0 && parts[0].size <= 8 &&
	    (store->frame == NULL || store->at.level == 0)) {
		place_ret->kind = TL_CODE_REGISTER;
		place_ret->reg = number_of(store, parts[0].index);
	}
	return TL_OK;
}
