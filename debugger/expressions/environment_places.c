/* Values where they are: in memory, in registers, in pieces, nowhere; and how they are stored there again. */
#include "debugger/expressions/environment_internal.h"
#include "debugger/expressions/siginfo.h"
#include "symbols/dwarf_constants.h"

#include <string.h>

/* What a value that is not in memory leads back to (struct tl_value's `where`). Lives in the arena. */
struct where {
	struct tl_variable_frame frame; /* whose registers and memory the places mean */
	tl_u16 count;
	struct tl_place places[];
};

/* No register is wider. */
#define REGISTER_SIZE 64

static void *allocate(struct tl_environment_store *store, tl_size size)
{
	return tl_arena_allocate(store->at.arena, size);
}

/* ---- Frames that are none ---- */

static enum tl_status in_thread(void *context, tl_u64 offset, tl_u64 *address_ret, struct tl_error *error)
{
	const struct tl_static_frame *own = context;

	if (own->store->at.stack == NULL)
		return TL_FAIL(error, TL_ERROR_STATE,
			       "Cannot access a variable of threads: no thread is selected, or it runs.");
	return tl_stack_thread_storage(own->store->at.stack, own->module, offset, address_ret, error);
}

static enum tl_status symbol(void *context, const char *name, tl_u64 *address_ret, bool *found_ret,
			     struct tl_error *error)
{
	const struct tl_static_frame *own = context;

	(void)error;
	*found_ret = tl_modules_symbol_address(own->store->at.modules, own->module, name, address_ret);
	return TL_OK;
}

enum tl_status tl_environment_static_frame(struct tl_environment_store *store, const struct tl_module *module,
					   struct tl_variable_frame *frame_ret, struct tl_error *error)
{
	struct tl_static_frame *own = allocate(store, sizeof(*own));

	if (own == NULL)
		return tl_environment_no_storage(error);
	*own = (struct tl_static_frame){store, module};
	*frame_ret = (struct tl_variable_frame){
		.machine = {.context = own,
			    .address_size = store->address_size,
			    .offset_size = 4,
			    .version = 5,
			    .bias = module->bias,
			    .memory = &store->memory,
			    .thread_local = in_thread},
		.types = module->binary->types,
		.scopes = module->binary->scopes,
		.symbol = symbol,
		.context = own,
	};
	return TL_OK;
}

/* ---- Values ---- */

/* As large as a value may be. */
static tl_u64 limit_of(const struct tl_environment_store *store)
{
	return store->values.size_limit != 0 ? store->values.size_limit : (tl_u64)16 << 20;
}

/* A value with bytes of its own, all of them marked. */
static enum tl_status marked(struct tl_environment_store *store, const struct tl_type *type, tl_u64 size,
			     enum tl_absence mark, struct tl_value *value_ret, struct tl_error *error)
{
	const tl_u64 limit = limit_of(store);
	tl_u8 *bytes;

	if (size > limit)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "The value is %llu bytes, more than the limit of %llu.",
			       (unsigned long long)size, (unsigned long long)limit);
	bytes = allocate(store, (tl_size)size * 2 + 1);
	if (bytes == NULL)
		return tl_environment_no_storage(error);
	memset(bytes + size, mark, (tl_size)size);
	*value_ret = (struct tl_value){
		.type = type,
		.place = TL_VALUE_ELSEWHERE,
		.bytes = bytes,
		.absent = bytes + size,
		.size = size,
	};
	return TL_OK;
}

enum tl_status tl_environment_absent(struct tl_environment_store *store, const struct tl_type *type,
				     struct tl_value *value_ret, struct tl_error *error)
{
	tl_u64 size;
	bool known;

	TL_TRY(tl_type_size(type, &size, &known, error));
	/* What has no size is as good as one byte, so that it is said to be missing; and so is what has too large a
	 * one, as an array has whose bound is garbage before it begins to live. */
	return marked(store, type, known && size != 0 && size <= limit_of(store) ? size : 1, TL_ABSENT_OPTIMISED,
		      value_ret, error);
}

static struct where *make_where(struct tl_environment_store *store, const struct tl_variable_frame *frame,
				const struct tl_place *places, tl_u16 count)
{
	struct where *where = allocate(store, sizeof(*where) + count * sizeof(*places));

	if (where == NULL)
		return NULL;
	where->frame = *frame;
	where->count = count;
	memcpy(where->places, places, count * sizeof(*places));
	return where;
}

static bool can_be_stored(const struct tl_location *location)
{
	for (tl_u16 i = 0; i < location->count; i++)
		if (location->places[i].kind == TL_PLACE_MEMORY || location->places[i].kind == TL_PLACE_REGISTER)
			return true;
	return false;
}

/* Is a bit of the object in a piece that is somewhere? */
static bool has_bit(const struct tl_location *location, tl_u64 bit)
{
	tl_u64 at = 0;

	for (tl_u16 i = 0; i < location->count; i++) {
		const struct tl_place *place = &location->places[i];

		if (place->bit_size == 0 || bit - at < place->bit_size)
			return place->kind != TL_PLACE_NONE;
		at += place->bit_size;
	}
	return false;
}

/* How a byte is marked of which some bits are there: a gap that is not at one of its ends counts for all of it. */
static tl_u8 mark_of_bits(const struct tl_location *location, tl_u64 byte)
{
	unsigned low = 1, other = 1;
	const bool first = has_bit(location, byte * 8);

	while (low < 8 && has_bit(location, byte * 8 + low) == first)
		low++;
	while (low + other < 8 && has_bit(location, byte * 8 + low + other) != first)
		other++;
	if (low + other != 8)
		return TL_ABSENT_OPTIMISED;
	return (tl_u8)((first ? TL_ABSENT_ABOVE : TL_ABSENT_BELOW) | low);
}

/* Reads bytes of a location; *absence_ret says whether they are there. Of a single one some bits may be. */
static enum tl_status read_part(const struct tl_variable_frame *frame, const struct tl_location *location,
				tl_u64 offset, tl_u8 *bytes, tl_size size, tl_u8 *absence_ret, struct tl_error *error)
{
	tl_u64 missing = 0;
	enum tl_status status = tl_location_read(frame, location, offset, bytes, size, &missing, error);

	*absence_ret = missing == 0                                  ? TL_ABSENT_NOT
		       : size == 1 && missing < 8 && status == TL_OK ? mark_of_bits(location, offset)
								     : TL_ABSENT_OPTIMISED;
	if (status == TL_ERROR_REGISTER)
		*absence_ret = TL_ABSENT_OPTIMISED;
	else if (status == TL_ERROR_UNSUPPORTED)
		*absence_ret = TL_ABSENT_POINTER;
	else
		return status;
	memset(bytes, 0, size);
	return TL_OK;
}

static enum tl_status read_pieces(const struct tl_variable_frame *frame, const struct tl_location *location,
				  struct tl_value *value, struct tl_error *error)
{
	tl_u8 *bytes = (tl_u8 *)(tl_uintptr)value->bytes, *absent = (tl_u8 *)(tl_uintptr)value->absent;
	tl_u8 absence;

	if (location->count == 1 && location->places[0].bit_size == 0) {
		TL_TRY(read_part(frame, location, 0, bytes, (tl_size)value->size, &absence, error));
		memset(absent, absence, (tl_size)value->size);
		return TL_OK;
	}
	for (tl_u64 i = 0; i < value->size; i++) {
		TL_TRY(read_part(frame, location, i, &bytes[i], 1, &absence, error));
		absent[i] = absence;
	}
	return TL_OK;
}

static bool is_x87(const struct tl_environment_store *store, const struct tl_place *place)
{
	if (place->kind != TL_PLACE_REGISTER || place->bit_size != 0 || place->bit_offset != 0 || store->cpu == NULL)
		return false;
	for (const struct tl_register *at = store->cpu->registers; at->name != NULL; at++)
		if (at->dwarf >= 0 && (tl_u64)at->dwarf == place->number)
			return at->bits == 80;
	return false;
}

/* What stands in a register of the x87 is a long double, whatever the variable's type. *done_ret: it was such. */
static enum tl_status converted(struct tl_environment_store *store, const struct tl_variable_frame *frame,
				const struct tl_type *type, const struct tl_place *place, struct tl_value *value_ret,
				bool *done_ret, struct tl_error *error)
{
	const struct tl_type *stripped;
	long double number = 0;
	enum tl_status status;
	bool is_signed;

	*done_ret = false;
	TL_TRY(tl_type_strip(type, &stripped, error));
	if (stripped->kind != TL_TYPE_BASE || tl_type_arithmetic(stripped, &is_signed) != TL_ARITHMETIC_REAL ||
	    stripped->size > 8 || frame->machine.read_register == NULL || !is_x87(store, place))
		return TL_OK;
	*done_ret = true;
	status = frame->machine.read_register(frame->machine.context, place->number, &number, 10, error);
	if (status == TL_ERROR_REGISTER)
		return tl_environment_absent(store, type, value_ret, error);
	TL_TRY(status);
	return tl_value_make_real(&store->values, type, number, value_ret, error);
}

enum tl_status tl_environment_value_at(struct tl_environment_store *store, const struct tl_variable_frame *frame,
				       const struct tl_type *type, const struct tl_location *location,
				       struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_place *first = &location->places[0];
	bool known, done = false;
	tl_u64 size;

	TL_TRY(tl_type_size(type, &size, &known, error));
	/* A piece may be the beginning alone: what stands behind it is something else. */
	if (location->count == 1 && first->kind == TL_PLACE_MEMORY && first->bit_offset == 0 &&
	    (first->bit_size == 0 || (known && first->bit_size / 8 >= size)))
		return tl_value_at(&store->values, type, first->address, value_ret, error);
	if (location->count == 1 && first->kind == TL_PLACE_NONE)
		return tl_environment_absent(store, type, value_ret, error);
	if (location->count == 1)
		TL_TRY(converted(store, frame, type, first, value_ret, &done, error));
	if (done)
		return TL_OK;
	if (!known)
		return tl_environment_absent(store, type, value_ret, error);
	TL_TRY(marked(store, type, size, TL_ABSENT_NOT, value_ret, error));
	TL_TRY(read_pieces(frame, location, value_ret, error));
	/* A pointer that was optimised out leads somewhere all the same. */
	if (!can_be_stored(location) && first->kind != TL_PLACE_POINTER) {
		value_ret->place = TL_VALUE_NOWHERE;
		return TL_OK;
	}
	value_ret->where = make_where(store, frame, location->places, location->count);
	return value_ret->where != NULL ? TL_OK : tl_environment_no_storage(error);
}

enum tl_status tl_environment_value_of(struct tl_environment_store *store, const struct tl_variable_frame *frame,
				       const struct tl_entry *entry, struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_location location;
	const struct tl_type *type;
	enum tl_status status;

	TL_TRY(tl_type_of(frame->types, entry, &type, error));
	TL_TRY(tl_type_resolve(frame, type, &type, error));
	status = tl_variable_location(frame, entry, &location, error);
	/* A register, or a value at the function's entry, that is not known any more. */
	if (status == TL_ERROR_REGISTER)
		return tl_environment_absent(store, type, value_ret, error);
	TL_TRY(status);
	return tl_environment_value_at(store, frame, type, &location, value_ret, error);
}

enum tl_status tl_environment_at_entry(struct tl_environment_store *store, const struct tl_entry *parameter,
				       struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_location location;
	const struct tl_type *type;

	TL_TRY(tl_type_of(store->variables.types, parameter, &type, error));
	if (store->frame == NULL || store->frame->inlined)
		return tl_environment_absent(store, type, value_ret, error);
	TL_TRY(tl_variable_at_entry(&store->variables, parameter, &location, error));
	return tl_environment_value_at(store, &store->variables, type, &location, value_ret, error);
}

enum tl_status tl_environment_register_value(struct tl_environment_store *store, const struct tl_type *type,
					     const struct tl_register_part *parts, tl_size count,
					     struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_variable_frame nobody = {.types = NULL};
	struct tl_place places[TL_REGISTER_PARTS_MAX];
	tl_u8 whole[REGISTER_SIZE], *to;
	tl_u64 size, memory, done = 0;
	bool known;

	TL_TRY(tl_type_size(type, &size, &known, error));
	TL_TRY(marked(store, type, size, TL_ABSENT_NOT, value_ret, error));
	to = (tl_u8 *)(tl_uintptr)value_ret->bytes;
	for (tl_size i = 0; i < count && i < TL_REGISTER_PARTS_MAX; i++) {
		const struct tl_register_part *part = &parts[i];
		const tl_size end = (tl_size)part->first_byte + part->size;
		enum tl_status status =
			tl_stack_register(store->at.stack, store->frame, part->index, whole, end, &memory, error);

		if (status == TL_ERROR_REGISTER)
			return tl_environment_absent(store, type, value_ret, error);
		TL_TRY(status);
		memcpy(to + done, whole + part->first_byte, part->size);
		/* By the index rather than the DWARF number, which some have not: `frame` has no types then. */
		places[i] = (struct tl_place){.kind = TL_PLACE_REGISTER,
					      .bit_size = (tl_u64)part->size * 8,
					      .bit_offset = (tl_u64)part->first_byte * 8,
					      .number = part->index};
		done += part->size;
	}
	value_ret->absent = NULL;
	value_ret->where = make_where(store, &nobody, places, (tl_u16)count);
	return value_ret->where != NULL ? TL_OK : tl_environment_no_storage(error);
}

/* ---- Storing ---- */

/* Copies bits; both counted from the least significant bit of the first byte. */
static void copy_bits(tl_u8 *to, tl_u64 to_bit, const tl_u8 *from, tl_u64 from_bit, tl_u64 count)
{
	for (tl_u64 i = 0; i < count; i++) {
		const tl_u64 source = from_bit + i, target = to_bit + i;
		const unsigned bit = from[source / 8] >> source % 8 & 1;

		to[target / 8] = (tl_u8)((to[target / 8] & ~(1u << target % 8)) | bit << target % 8);
	}
}

static enum tl_status store_register(struct tl_environment_store *store, tl_u16 index, tl_u64 to_bit,
				     const tl_u8 *bytes, tl_u64 from_bit, tl_u64 count, struct tl_error *error)
{
	const struct tl_register *reg = &store->cpu->registers[index];
	struct tl_thread_id thread = tl_stack_thread(store->at.stack);
	tl_u8 whole[REGISTER_SIZE] = {0}, *file;
	tl_size size = (reg->bits + 7u) / 8;
	enum tl_status status;
	tl_u64 memory;

	if (to_bit + count > reg->bits)
		return TL_FAIL(error, TL_ERROR_REGISTER, "Register %s has %u bits only.", reg->name, reg->bits);
	TL_TRY(tl_stack_register(store->at.stack, store->frame, index, whole, size, &memory, error));
	copy_bits(whole, to_bit, bytes, from_bit, count);
	if (memory == TL_STACK_NOWHERE)
		return TL_FAIL(error, TL_ERROR_REGISTER,
			       "What %s is in this frame was worked out: it stands nowhere and cannot be set.",
			       reg->name);
	if (memory != 0)
		return tl_environment_write(store, memory, whole, size, error);
	status = tl_engine_registers(store->at.engine, thread, (tl_u32)1 << reg->bank, &file);
	if (status == TL_OK) {
		memcpy(file + reg->offset, whole, size);
		status = tl_engine_registers_changed(store->at.engine, thread, (tl_u32)1 << reg->bank);
	}
	if (status != TL_OK)
		return TL_FAIL(error, status, "Register %s cannot be written: %s.", reg->name, tl_status_text(status));
	if (store->at.changed != NULL)
		store->at.changed(store->at.context);
	return TL_OK;
}

static enum tl_status store_memory(struct tl_environment_store *store, tl_u64 address, tl_u64 to_bit,
				   const tl_u8 *bytes, tl_u64 from_bit, tl_u64 count, struct tl_error *error)
{
	const tl_u64 size = (to_bit % 8 + count + 7) / 8;
	tl_u8 *whole = allocate(store, (tl_size)size);

	if (whole == NULL)
		return tl_environment_no_storage(error);
	address += to_bit / 8;
	TL_TRY(tl_environment_read(store, address, whole, size, error));
	copy_bits(whole, to_bit % 8, bytes, from_bit, count);
	return tl_environment_write(store, address, whole, size, error);
}

static enum tl_status register_index(const struct tl_environment_store *store, const struct where *where,
				     const struct tl_place *place, tl_u16 *index_ret, struct tl_error *error)
{
	*index_ret = (tl_u16)place->number;
	if (where->frame.types == NULL)
		return TL_OK;
	for (tl_u16 i = 0; store->cpu != NULL && i < store->cpu->register_count; i++)
		if (store->cpu->registers[i].dwarf >= 0 && (tl_u64)store->cpu->registers[i].dwarf == place->number) {
			*index_ret = i;
			return TL_OK;
		}
	return TL_FAIL(error, TL_ERROR_REGISTER, "There is no register with DWARF's number %llu.",
		       (unsigned long long)place->number);
}

/* Stores `count` bits, from `from_bit` of the bytes on, at bit `first` of a place. */
static enum tl_status store_place(struct tl_environment_store *store, const struct where *where,
				  const struct tl_place *place, tl_u64 first, const tl_u8 *bytes, tl_u64 from_bit,
				  tl_u64 count, struct tl_error *error)
{
	tl_u16 index;

	switch (place->kind) {
	case TL_PLACE_MEMORY:
		return store_memory(store, place->address, place->bit_offset + first, bytes, from_bit, count, error);
	case TL_PLACE_REGISTER:
		TL_TRY(register_index(store, where, place, &index, error));
		return store_register(store, index, place->bit_offset + first, bytes, from_bit, count, error);
	case TL_PLACE_NONE:
	case TL_PLACE_VALUE:
	case TL_PLACE_BYTES:
	case TL_PLACE_POINTER:
		break;
	}
	return TL_FAIL(error, TL_ERROR_ARGUMENT,
		       "The compiler keeps this value nowhere: it is a constant here, or was optimized out.");
}

enum tl_status tl_environment_store_value(void *context, const void *where_of, tl_u64 bit_offset, tl_u64 bit_size,
					  const tl_u8 *bytes, struct tl_error *error)
{
	struct tl_environment_store *store = context;
	const struct where *where = where_of;
	tl_u64 at = 0, done = 0;

	/* $_siginfo has no bit-fields. */
	if (where_of == context && store->at.siginfo != NULL) {
		tl_u8 copy[TL_SIGINFO_SIZE];

		if (bit_offset % 8 != 0 || bit_size % 8 != 0 || bit_size / 8 > sizeof(copy))
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "That is no part of $_siginfo.");
		memcpy(copy, bytes, bit_size / 8);
		return store->at.siginfo(store->at.context, true, bit_offset / 8, copy, (tl_size)(bit_size / 8), error);
	}
	if (store->at.stack == NULL || store->cpu == NULL)
		return TL_FAIL(error, TL_ERROR_STATE, "No registers.");
	for (tl_u16 i = 0; i < where->count && done < bit_size; i++) {
		const struct tl_place *place = &where->places[i];
		tl_u64 end = place->bit_size != 0 ? at + place->bit_size : TL_U64_MAX;
		tl_u64 from = bit_offset + done, count = bit_size - done;

		if (from < end) {
			count = count < end - from ? count : end - from;
			TL_TRY(store_place(store, where, place, from - at, bytes, done, count, error));
			done += count;
		}
		at = end;
	}
	/* Of a long double only ten bytes say something, and a register has no more. */
	return done == bit_size || (where->frame.types == NULL && done != 0)
		       ? TL_OK
		       : TL_FAIL(error, TL_ERROR_ARGUMENT, "The value has bits that stand nowhere.");
}

/* ---- Pointers that were optimised out ---- */

enum tl_status tl_environment_pointed(void *context, const struct tl_value *pointer, const struct tl_type *target,
				      struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_environment_store *store = context;
	const struct where *where = pointer->where;
	const struct tl_place *place;
	struct tl_entry entry;
	struct tl_value whole;
	tl_u64 size, offset;
	bool known;

	/* Of several pieces none is looked for here: a pointer is one. */
	if (where == NULL || where->count != 1 || where->places[0].kind != TL_PLACE_POINTER)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "value has been optimized out");
	place = &where->places[0];
	offset = (tl_u64)place->offset;
	TL_TRY(tl_location_target(&where->frame, place, &entry, error));
	TL_TRY(tl_environment_value_of(store, &where->frame, &entry, &whole, error));
	if (whole.place == TL_VALUE_IN_MEMORY)
		return tl_value_at(&store->values, target, whole.address + offset, value_ret, error);
	TL_TRY(tl_type_size(target, &size, &known, error));
	if (!known || offset > whole.size || size > whole.size - offset)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "The pointer leads outside of a variable that the compiler did not keep in memory.");
	*value_ret = whole;
	value_ret->type = target;
	value_ret->size = size;
	value_ret->bytes += offset;
	value_ret->absent = whole.absent != NULL ? whole.absent + offset : NULL;
	value_ret->where_offset += offset;
	return TL_OK;
}

/* ---- Members whose place is not in the type ---- */

enum tl_status tl_environment_moving_base(void *context, const struct tl_value *object, const struct tl_member *member,
					  tl_u64 *address_ret, struct tl_error *error)
{
	struct tl_environment_store *store = context;
	const struct tl_module *module = tl_environment_module_of(store, member->entry.unit);
	struct tl_variable_frame frame;
	struct tl_attribute location;
	bool known = false;

	if (module == NULL)
		return TL_FAIL(error, TL_ERROR_STATE, "The module that has this type is not there any more.");
	TL_TRY(tl_environment_static_frame(store, module, &frame, error));
	TL_TRY(tl_entry_attribute(&member->entry, DW_AT_data_member_location, &location, error));
	TL_TRY(tl_attribute_evaluate(&frame, &location, &object->address, address_ret, &known, error));
	return known ? TL_OK
		     : TL_FAIL(error, TL_ERROR_UNSUPPORTED, "The debug information does not say where the base is.");
}

/* A static member's definition stands elsewhere: the linker's symbol leads there, or its name with the class. */
static enum tl_status find_definition(struct tl_environment_store *store, const struct tl_module *module,
				      const struct tl_member *member, struct tl_variable_frame *frame,
				      struct tl_nearest *definition_ret, tl_u64 *address_ret, struct tl_error *error)
{
	struct tl_attribute linkage;
	struct tl_output name;
	enum tl_status status;

	*address_ret = 0;
	*definition_ret = (struct tl_nearest){.module = NULL};
	TL_TRY(tl_entry_attribute(&member->entry, DW_AT_linkage_name, &linkage, error));
	if (linkage.kind == TL_CLASS_STRING &&
	    tl_modules_symbol_address(store->at.modules, module, linkage.text, address_ret))
		return TL_OK;
	name = tl_output_make(4096);
	status = tl_scope_write_name(frame->types, &member->entry, false, &name, error);
	if (status == TL_OK)
		status = tl_environment_nearest(store, NULL, tl_output_string(&name), TL_INDEX_VARIABLE, NULL, NULL,
						definition_ret, error);
	tl_output_release(&name);
	return status;
}

enum tl_status tl_environment_static_member(void *context, const struct tl_member *member, struct tl_value *value_ret,
					    struct tl_error *error)
{
	struct tl_environment_store *store = context;
	const struct tl_module *module = tl_environment_module_of(store, member->entry.unit);
	struct tl_variable_frame frame;
	struct tl_nearest definition;
	const struct tl_type *type;
	tl_u64 address;

	if (module == NULL)
		return TL_FAIL(error, TL_ERROR_STATE, "The module that has this type is not there any more.");
	TL_TRY(tl_environment_static_frame(store, module, &frame, error));
	TL_TRY(tl_type_of(frame.types, &member->entry, &type, error));
	if (member->has_value)
		return tl_value_make_integer(&store->values, type, member->value, value_ret, error);
	TL_TRY(find_definition(store, module, member, &frame, &definition, &address, error));
	if (address != 0)
		return tl_value_at(&store->values, type, address, value_ret, error);
	/* A constant that is no integer stands with its declaration. */
	if (definition.module == NULL &&
	    tl_environment_value_of(store, &frame, &member->entry, value_ret, NULL) == TL_OK)
		return TL_OK;
	if (definition.module == NULL)
		return tl_environment_absent(store, type, value_ret, error);
	TL_TRY(tl_environment_static_frame(store, definition.module, &frame, error));
	return tl_environment_value_of(store, &frame, &definition.entry, value_ret, error);
}
