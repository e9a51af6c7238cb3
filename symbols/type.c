#include "symbols/type.h"

#include "base/storage.h"
#include "core/cursor.h"
#include "symbols/dwarf_constants.h"
#include "symbols/type_store.h"

#define LIMIT_DEFAULT ((tl_size)256 << 20)
#define CHUNK_SIZE ((tl_size)32 << 10)
#define DIMENSIONS_MAX 32

/* Types lie in chunks, so that there is little to free and nothing moves. */
struct tl_type_chunk {
	struct tl_type_chunk *next;
	tl_size size, used;
	_Alignas(16) tl_u8 bytes[];
};

/* What one pass over an entry's attributes finds. */
struct facts {
	const char *name, *linkage;
	struct tl_attribute size, type;
	tl_u8 encoding;
	bool declaration, vector, prototyped, scoped;
};

enum tl_status tl_types_open(struct tl_types **types_ret, struct tl_dwarf *dwarf, struct tl_tree *tree,
			     struct tl_error *error)
{
	struct tl_types *types = tl_allocate(tl_storage(), sizeof(*types));

	if (types == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for types");
	types->dwarf = dwarf;
	types->tree = tree;
	types->limit = LIMIT_DEFAULT;
	types->empty.type = (struct tl_type){.types = types, .kind = TL_TYPE_VOID, .name = "void"};
	pthread_mutex_init(&types->lock, NULL);
	*types_ret = types;
	return TL_OK;
}

void tl_types_set_quads(struct tl_types *types, bool quads)
{
	types->quads = quads;
}

bool tl_types_have_quads(const struct tl_types *types)
{
	return types->quads;
}

void tl_types_forget(struct tl_types *types)
{
	while (types->chunks != NULL) {
		struct tl_type_chunk *chunk = types->chunks;

		types->chunks = chunk->next;
		tl_release(tl_storage(), chunk, sizeof(*chunk) + chunk->size);
	}
	tl_release(tl_storage(), types->slots, types->slot_count * sizeof(struct tl_type_record *));
	types->slots = NULL;
	types->slot_count = types->count = types->storage = 0;
}

void tl_types_close(struct tl_types *types)
{
	if (types == NULL)
		return;
	tl_types_forget(types);
	pthread_mutex_destroy(&types->lock);
	tl_release(tl_storage(), types, sizeof(*types));
}

void tl_types_set_lookup(struct tl_types *types, tl_type_lookup *lookup, void *context)
{
	types->lookup = lookup;
	types->lookup_context = context;
}

tl_size tl_types_storage(struct tl_types *types)
{
	tl_size storage;

	pthread_mutex_lock(&types->lock);
	storage = types->storage;
	pthread_mutex_unlock(&types->lock);
	return storage;
}

void tl_types_set_limit(struct tl_types *types, tl_size bytes)
{
	pthread_mutex_lock(&types->lock);
	types->limit = bytes;
	pthread_mutex_unlock(&types->lock);
}

struct tl_tree *tl_types_tree(struct tl_types *types)
{
	return types->tree;
}

static enum tl_status over_limit(const struct tl_types *types, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_NO_MEMORY, "the types that were looked at take their limit of %zu KiB",
		       types->limit >> 10);
}

static struct tl_type_chunk *new_chunk(struct tl_types *types, tl_size size)
{
	tl_size total = size > CHUNK_SIZE ? size : CHUNK_SIZE;
	struct tl_type_chunk *chunk;

	if (total > types->limit || types->storage > types->limit - total)
		return NULL;
	chunk = tl_allocate(tl_storage(), sizeof(*chunk) + total);
	if (chunk == NULL)
		return NULL;
	chunk->size = total;
	chunk->next = types->chunks;
	types->chunks = chunk;
	types->storage += total;
	return chunk;
}

enum tl_status tl_types_allocate_locked(struct tl_types *types, tl_size size, void *block_ret, struct tl_error *error)
{
	struct tl_type_chunk *chunk = types->chunks;
	void *block;

	if (size > types->limit)
		return over_limit(types, error);
	size = (size + 15) & ~(tl_size)15;
	if (chunk == NULL || chunk->size - chunk->used < size)
		chunk = new_chunk(types, size);
	if (chunk == NULL)
		return over_limit(types, error);
	block = chunk->bytes + chunk->used;
	chunk->used += size;
	tl_copy(block_ret, &block, sizeof(block));
	return TL_OK;
}

static tl_size slot_of(tl_size slot_count, const tl_u64 key[2])
{
	return (tl_size)(((key[0] ^ key[1] * 0xc2b2ae3d27d4eb4f) * 0x9e3779b97f4a7c15) >> 32) & (slot_count - 1);
}

static enum tl_status widen(struct tl_types *types, struct tl_error *error)
{
	const tl_size slot_count = types->slot_count != 0 ? types->slot_count * 2 : 256;
	struct tl_type_record **slots = tl_allocate(tl_storage(), slot_count * sizeof(struct tl_type_record *));

	if (slots == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a table of types");
	for (tl_size i = 0; i < types->slot_count; i++) {
		struct tl_type_record *next;

		for (struct tl_type_record *record = types->slots[i]; record != NULL; record = next) {
			tl_size slot = slot_of(slot_count, record->key);

			next = record->next;
			record->next = slots[slot];
			slots[slot] = record;
		}
	}
	tl_release(tl_storage(), types->slots, types->slot_count * sizeof(struct tl_type_record *));
	types->slots = slots;
	types->slot_count = slot_count;
	return TL_OK;
}

struct tl_type_record *tl_types_find_locked(const struct tl_types *types, const tl_u64 key[2])
{
	struct tl_type_record *record;

	if (types->slot_count == 0)
		return NULL;
	record = types->slots[slot_of(types->slot_count, key)];
	while (record != NULL && (record->key[0] != key[0] || record->key[1] != key[1]))
		record = record->next;
	return record;
}

enum tl_status tl_types_publish_locked(struct tl_types *types, struct tl_type_record *record, struct tl_error *error)
{
	tl_size slot;

	if (types->count >= types->slot_count)
		TL_TRY(widen(types, error));
	slot = slot_of(types->slot_count, record->key);
	record->next = types->slots[slot];
	types->slots[slot] = record;
	types->count++;
	return TL_OK;
}

bool tl_type_is_alias(enum tl_type_kind kind)
{
	return kind == TL_TYPE_TYPEDEF || kind == TL_TYPE_CONST || kind == TL_TYPE_VOLATILE ||
	       kind == TL_TYPE_RESTRICT || kind == TL_TYPE_ATOMIC;
}

static const struct {
	tl_u16 tag;
	tl_u8 kind;
} kinds[] = {
	{DW_TAG_base_type, TL_TYPE_BASE},
	{DW_TAG_pointer_type, TL_TYPE_POINTER},
	{DW_TAG_reference_type, TL_TYPE_REFERENCE},
	{DW_TAG_rvalue_reference_type, TL_TYPE_RVALUE_REFERENCE},
	{DW_TAG_ptr_to_member_type, TL_TYPE_MEMBER_POINTER},
	{DW_TAG_array_type, TL_TYPE_ARRAY},
	{DW_TAG_structure_type, TL_TYPE_STRUCT},
	{DW_TAG_interface_type, TL_TYPE_CLASS},
	{DW_TAG_class_type, TL_TYPE_CLASS},
	{DW_TAG_union_type, TL_TYPE_UNION},
	{DW_TAG_enumeration_type, TL_TYPE_ENUM},
	{DW_TAG_typedef, TL_TYPE_TYPEDEF},
	{DW_TAG_template_alias, TL_TYPE_TYPEDEF},
	{DW_TAG_const_type, TL_TYPE_CONST},
	{DW_TAG_volatile_type, TL_TYPE_VOLATILE},
	{DW_TAG_restrict_type, TL_TYPE_RESTRICT},
	{DW_TAG_atomic_type, TL_TYPE_ATOMIC},
	{DW_TAG_subroutine_type, TL_TYPE_FUNCTION},
	{DW_TAG_subprogram, TL_TYPE_FUNCTION},
	{DW_TAG_inlined_subroutine, TL_TYPE_FUNCTION},
	{DW_TAG_unspecified_type, TL_TYPE_UNSPECIFIED},
	{DW_TAG_subrange_type, TL_TYPE_TYPEDEF},
};

static bool kind_of(tl_u16 tag, enum tl_type_kind *kind_ret)
{
	for (tl_size i = 0; i < TL_COUNT(kinds); i++) {
		if (kinds[i].tag == tag) {
			*kind_ret = (enum tl_type_kind)kinds[i].kind;
			return true;
		}
	}
	return false;
}

static bool collect(void *context, const struct tl_attribute *attribute)
{
	struct facts *facts = context;

	switch (attribute->name) {
	case DW_AT_name:
		facts->name = attribute->kind == TL_CLASS_STRING ? attribute->text : NULL;
		break;
	case DW_AT_linkage_name:
	case DW_AT_MIPS_linkage_name:
		facts->linkage = attribute->kind == TL_CLASS_STRING ? attribute->text : NULL;
		break;
	case DW_AT_byte_size:
		facts->size = *attribute;
		break;
	case DW_AT_type:
		facts->type = *attribute;
		break;
	case DW_AT_encoding:
		facts->encoding = (tl_u8)attribute->number;
		break;
	case DW_AT_declaration:
		facts->declaration = attribute->number != 0;
		break;
	case DW_AT_GNU_vector:
		facts->vector = attribute->number != 0;
		break;
	case DW_AT_prototyped:
		facts->prototyped = attribute->number != 0;
		break;
	case DW_AT_enum_class:
		facts->scoped = attribute->number != 0;
		break;
	default:
		break;
	}
	return true;
}

bool tl_type_constant(const struct tl_attribute *attribute, bool is_signed, tl_i64 *value_ret)
{
	unsigned shift = 0;

	if (attribute->kind != TL_CLASS_UNSIGNED && attribute->kind != TL_CLASS_SIGNED)
		return false;
	if (attribute->kind == TL_CLASS_UNSIGNED && is_signed) {
		if (attribute->form == DW_FORM_data1)
			shift = 56;
		else if (attribute->form == DW_FORM_data2)
			shift = 48;
		else if (attribute->form == DW_FORM_data4)
			shift = 32;
	}
	*value_ret = (tl_i64)(attribute->number << shift) >> shift;
	return true;
}

static tl_i64 first_index(const struct tl_unit *unit)
{
	switch (unit->language) {
	case DW_LANG_Ada83:
	case DW_LANG_Ada95:
	case DW_LANG_Cobol74:
	case DW_LANG_Cobol85:
	case DW_LANG_Fortran77:
	case DW_LANG_Fortran90:
	case DW_LANG_Fortran95:
	case DW_LANG_Fortran03:
	case DW_LANG_Fortran08:
	case DW_LANG_Julia:
	case DW_LANG_Modula2:
	case DW_LANG_Pascal83:
	case DW_LANG_PLI:
		return 1;
	default:
		return 0;
	}
}

static enum tl_status read_bound(const struct tl_entry *range, struct tl_bound *bound_ret, struct tl_error *error)
{
	struct tl_bound bound = {.lower = first_index(range->unit), .range = *range};
	struct tl_attribute attribute;
	tl_i64 value = 0;

	TL_TRY(tl_entry_attribute(range, DW_AT_lower_bound, &attribute, error));
	if (tl_type_constant(&attribute, true, &value))
		bound.lower = value;
	TL_TRY(tl_entry_attribute(range, DW_AT_count, &bound.attribute, error));
	if (tl_type_constant(&bound.attribute, false, &value)) {
		bound.kind = TL_BOUND_CONSTANT;
		bound.count = (tl_u64)value;
	} else if (bound.attribute.kind == TL_CLASS_NONE) {
		TL_TRY(tl_entry_attribute(range, DW_AT_upper_bound, &bound.attribute, error));
		/* -1 is how an array of none is written, in any form. */
		if (tl_type_constant(&bound.attribute, false, &value)) {
			bound.kind = TL_BOUND_CONSTANT;
			bound.count = (tl_u64)value - (tl_u64)bound.lower + 1;
			if (value < bound.lower || (value == TL_U32_MAX && bound.attribute.form == DW_FORM_data4))
				bound.count = 0;
		}
	}
	if (bound.kind == TL_BOUND_NONE && bound.attribute.kind != TL_CLASS_NONE)
		bound.kind = TL_BOUND_EXPRESSION;
	*bound_ret = bound;
	return TL_OK;
}

/* The bounds of an array, outermost first; one of kind TL_BOUND_NONE where nothing is said. */
static enum tl_status read_bounds(const struct tl_entry *array, struct tl_bound bounds_ret[DIMENSIONS_MAX],
				  tl_size *count_ret, struct tl_error *error)
{
	struct tl_entry child;
	tl_size count = 0;

	TL_TRY(tl_entry_child(array, &child, error));
	while (child.tag != 0) {
		if (child.tag == DW_TAG_subrange_type) {
			if (count == DIMENSIONS_MAX)
				return TL_FAIL(error, TL_ERROR_MALFORMED,
					       "entry 0x%llx is an array of more than %d dimensions",
					       (unsigned long long)array->offset, DIMENSIONS_MAX);
			TL_TRY(read_bound(&child, &bounds_ret[count], error));
			count++;
		}
		TL_TRY(tl_entry_sibling(&child, &child, error));
	}
	if (count == 0)
		bounds_ret[count++] = (struct tl_bound){.kind = TL_BOUND_NONE};
	*count_ret = count;
	return TL_OK;
}

/* An array of several dimensions becomes one array for each, of which only the outermost is found by its entry. */
static enum tl_status read_array(struct tl_types *types, struct tl_type_record *outermost, struct tl_error *error)
{
	struct tl_bound *bounds;
	struct tl_type_record *inner = NULL;
	tl_size count = 0;
	enum tl_status status;

	bounds = tl_allocate(tl_storage(), DIMENSIONS_MAX * sizeof(*bounds));
	if (bounds == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for an array's bounds");
	status = read_bounds(&outermost->type.entry, bounds, &count, error);
	while (status == TL_OK && count-- > 0) {
		struct tl_type_record *record = outermost;

		if (count > 0)
			status = tl_types_allocate_locked(types, sizeof(*record), &record, error);
		if (status != TL_OK)
			break;
		record->type = outermost->type;
		record->bound = bounds[count];
		record->target = inner != NULL ? &inner->type : NULL;
		inner = record;
	}
	tl_release(tl_storage(), bounds, DIMENSIONS_MAX * sizeof(*bounds));
	return status;
}

/* Signed or not: as the type under it, or else as its enumerators are written. */
static enum tl_status enumeration_sign(const struct tl_entry *entry, const struct facts *facts, tl_u8 *encoding_ret,
				       struct tl_error *error)
{
	struct tl_attribute attribute = facts->type;
	struct tl_entry at = *entry;

	*encoding_ret = DW_ATE_unsigned;
	for (int i = 0; attribute.kind != TL_CLASS_NONE; i++) {
		struct tl_attribute encoding;

		if (i == TL_TYPE_CHAIN_MAX)
			return TL_FAIL(error, TL_ERROR_MALFORMED, "entry 0x%llx: the type under it leads in a circle",
				       (unsigned long long)entry->offset);
		TL_TRY(tl_entry_follow(&attribute, &at, error));
		TL_TRY(tl_entry_attribute(&at, DW_AT_encoding, &encoding, error));
		if (encoding.kind != TL_CLASS_NONE) {
			if (encoding.number == DW_ATE_signed || encoding.number == DW_ATE_signed_char)
				*encoding_ret = DW_ATE_signed;
			return TL_OK;
		}
		TL_TRY(tl_entry_attribute(&at, DW_AT_type, &attribute, error));
	}
	TL_TRY(tl_entry_child(entry, &at, error));
	while (at.tag != 0) {
		TL_TRY(tl_entry_attribute(&at, DW_AT_const_value, &attribute, error));
		if (attribute.kind == TL_CLASS_SIGNED && (tl_i64)attribute.number < 0)
			*encoding_ret = DW_ATE_signed;
		TL_TRY(tl_entry_sibling(&at, &at, error));
	}
	return TL_OK;
}

/*
 * A struct without a name that a typedef names is called by that in C++, and g++ says so in a mangled name: "7point_t".
 * NULL for other ones.
 */
static const char *simple_linkage_name(const char *mangled)
{
	tl_size length = 0;

	while (*mangled >= '0' && *mangled <= '9' && length < 65536)
		length = length * 10 + (tl_size)(*mangled++ - '0');
	return length != 0 && tl_text_length(mangled) == length ? mangled : NULL;
}

/* How big it is, as far as the entry itself and the ABI say. */
static void set_size(struct tl_type *type, const struct facts *facts)
{
	switch (type->kind) {
	case TL_TYPE_POINTER:
	case TL_TYPE_REFERENCE:
	case TL_TYPE_RVALUE_REFERENCE:
		type->size = type->entry.unit->address_size;
		type->has_size = true;
		break;
	case TL_TYPE_TYPEDEF:
	case TL_TYPE_CONST:
	case TL_TYPE_VOLATILE:
	case TL_TYPE_RESTRICT:
	case TL_TYPE_ATOMIC:
	case TL_TYPE_ARRAY:
	case TL_TYPE_VOID:
	case TL_TYPE_FUNCTION:
	case TL_TYPE_MAX:
		return;
	case TL_TYPE_BASE:
	case TL_TYPE_MEMBER_POINTER:
	case TL_TYPE_STRUCT:
	case TL_TYPE_CLASS:
	case TL_TYPE_UNION:
	case TL_TYPE_ENUM:
	case TL_TYPE_UNSPECIFIED:
		break;
	}
	if (facts->size.kind == TL_CLASS_UNSIGNED || facts->size.kind == TL_CLASS_SIGNED) {
		type->size = facts->size.number;
		type->has_size = true;
	}
}

static enum tl_status read_type(struct tl_types *types, const struct tl_entry *entry, struct tl_type_record *record,
				struct tl_error *error)
{
	struct tl_type *type = &record->type;
	struct facts facts = {.name = NULL};

	*type = (struct tl_type){.types = types, .entry = *entry};
	if (!kind_of(entry->tag, &type->kind))
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "entry 0x%llx is a DW_TAG_%s, which is no type that is known",
			       (unsigned long long)entry->offset, tl_dwarf_tag_name(entry->tag));
	TL_TRY(tl_entry_attributes(entry, collect, &facts, error));
	if (facts.name == NULL) {
		struct tl_attribute name;

		TL_TRY(tl_entry_inherited(entry, DW_AT_name, &name, error));
		facts.name = name.kind == TL_CLASS_STRING ? name.text : NULL;
	}
	if (facts.name == NULL && facts.linkage != NULL)
		facts.name = simple_linkage_name(facts.linkage);
	type->name = facts.name;
	type->encoding = facts.encoding;
	type->declaration = facts.declaration;
	type->has_scopes = tl_tree_has_scopes(entry->unit);
	type->vector = facts.vector;
	type->prototyped = facts.prototyped;
	type->scoped = facts.scoped;
	set_size(type, &facts);
	if (type->kind == TL_TYPE_ENUM)
		TL_TRY(enumeration_sign(entry, &facts, &type->encoding, error));
	if (type->kind == TL_TYPE_ARRAY)
		TL_TRY(read_array(types, record, error));
	return TL_OK;
}

static bool is_declared_apart(tl_u16 tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_enumeration_type || tag == DW_TAG_interface_type;
}

/*
 * Where a type stands itself: a copy of a function, inlined or not, has the type of the function that it is a copy of,
 * with all parameters; a type with a unit of its own stands there.
 */
static enum tl_status original(const struct tl_entry *entry, struct tl_entry *original_ret, struct tl_error *error)
{
	struct tl_entry at = *entry;

	for (int i = 0; i < TL_TYPE_CHAIN_MAX; i++) {
		const bool function = at.tag == DW_TAG_subprogram || at.tag == DW_TAG_inlined_subroutine;
		struct tl_attribute origin = {.kind = TL_CLASS_NONE};

		if (function)
			TL_TRY(tl_entry_attribute(&at, DW_AT_abstract_origin, &origin, error));
		else if (is_declared_apart(at.tag))
			TL_TRY(tl_entry_attribute(&at, DW_AT_signature, &origin, error));
		if (origin.kind == TL_CLASS_NONE) {
			*original_ret = at;
			return TL_OK;
		}
		TL_TRY(tl_entry_follow(&origin, &at, error));
	}
	return TL_FAIL(error, TL_ERROR_MALFORMED, "entry 0x%llx: its origins lead in a circle",
		       (unsigned long long)entry->offset);
}

static enum tl_status at_locked(struct tl_types *types, const struct tl_entry *entry, const struct tl_type **type_ret,
				struct tl_error *error)
{
	struct tl_entry at;
	struct tl_type_record *record;
	tl_u64 key[2];

	TL_TRY(original(entry, &at, error));
	/* Offsets are of the section that the unit stands in; made types have an odd second key. */
	key[0] = at.offset;
	key[1] = (tl_u64)at.unit->section << 2 | (tl_u64)at.unit->common << 1;
	record = tl_types_find_locked(types, key);
	if (record == NULL) {
		TL_TRY(tl_types_allocate_locked(types, sizeof(*record), &record, error));
		TL_TRY(read_type(types, &at, record, error));
		tl_copy(record->key, key, sizeof(key));
		TL_TRY(tl_types_publish_locked(types, record, error));
	}
	*type_ret = &record->type;
	return TL_OK;
}

enum tl_status tl_type_at(struct tl_types *types, const struct tl_entry *entry, const struct tl_type **type_ret,
			  struct tl_error *error)
{
	enum tl_status status;

	pthread_mutex_lock(&types->lock);
	status = at_locked(types, entry, type_ret, error);
	pthread_mutex_unlock(&types->lock);
	return status;
}

/* The type that attribute `name` of the entry refers to; void without one. */
static enum tl_status referred(struct tl_types *types, const struct tl_entry *entry, tl_u16 name,
			       const struct tl_type **type_ret, struct tl_error *error)
{
	struct tl_attribute attribute;
	struct tl_entry target;

	TL_TRY(tl_entry_inherited(entry, name, &attribute, error));
	if (attribute.kind == TL_CLASS_NONE) {
		*type_ret = tl_type_void(types);
		return TL_OK;
	}
	TL_TRY(tl_entry_follow(&attribute, &target, error));
	return at_locked(types, &target, type_ret, error);
}

static enum tl_status of_locked(struct tl_types *types, const struct tl_entry *entry, const struct tl_type **type_ret,
				struct tl_error *error)
{
	return referred(types, entry, DW_AT_type, type_ret, error);
}

enum tl_status tl_type_of(struct tl_types *types, const struct tl_entry *entry, const struct tl_type **type_ret,
			  struct tl_error *error)
{
	enum tl_status status;

	pthread_mutex_lock(&types->lock);
	status = of_locked(types, entry, type_ret, error);
	pthread_mutex_unlock(&types->lock);
	return status;
}

static bool has_target(enum tl_type_kind kind)
{
	switch (kind) {
	case TL_TYPE_POINTER:
	case TL_TYPE_REFERENCE:
	case TL_TYPE_RVALUE_REFERENCE:
	case TL_TYPE_MEMBER_POINTER:
	case TL_TYPE_ARRAY:
	case TL_TYPE_ENUM:
	case TL_TYPE_TYPEDEF:
	case TL_TYPE_CONST:
	case TL_TYPE_VOLATILE:
	case TL_TYPE_RESTRICT:
	case TL_TYPE_ATOMIC:
	case TL_TYPE_FUNCTION:
		return true;
	case TL_TYPE_VOID:
	case TL_TYPE_BASE:
	case TL_TYPE_STRUCT:
	case TL_TYPE_CLASS:
	case TL_TYPE_UNION:
	case TL_TYPE_UNSPECIFIED:
	case TL_TYPE_MAX:
		break;
	}
	return false;
}

static enum tl_status target_locked(const struct tl_type *type, const struct tl_type **target_ret,
				    struct tl_error *error)
{
	struct tl_type_record *record = tl_type_record(type);

	if (!has_target(type->kind))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the type `%s` leads to no other",
			       type->name != NULL ? type->name : "(unnamed)");
	if (record->target == NULL)
		TL_TRY(of_locked(type->types, &type->entry, &record->target, error));
	*target_ret = record->target;
	return TL_OK;
}

enum tl_status tl_type_target(const struct tl_type *type, const struct tl_type **target_ret, struct tl_error *error)
{
	enum tl_status status;

	pthread_mutex_lock(&type->types->lock);
	status = target_locked(type, target_ret, error);
	pthread_mutex_unlock(&type->types->lock);
	return status;
}

enum tl_status tl_type_container(const struct tl_type *type, const struct tl_type **class_ret, struct tl_error *error)
{
	struct tl_type_record *record = tl_type_record(type);
	enum tl_status status = TL_OK;

	if (type->kind != TL_TYPE_MEMBER_POINTER)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the type is no pointer to member");
	pthread_mutex_lock(&type->types->lock);
	if (record->container == NULL)
		status = referred(type->types, &type->entry, DW_AT_containing_type, &record->container, error);
	if (status == TL_OK)
		*class_ret = record->container;
	pthread_mutex_unlock(&type->types->lock);
	return status;
}

enum tl_status tl_type_strip(const struct tl_type *type, const struct tl_type **stripped_ret, struct tl_error *error)
{
	const struct tl_type *at = type;

	for (int i = 0; i < TL_TYPE_CHAIN_MAX; i++) {
		if (!tl_type_is_alias(at->kind))
			return tl_type_complete(at, stripped_ret, error);
		TL_TRY(tl_type_target(at, &at, error));
	}
	return TL_FAIL(error, TL_ERROR_MALFORMED, "type `%s` leads back to itself",
		       type->name != NULL ? type->name : "");
}

enum tl_status tl_type_complete(const struct tl_type *type, const struct tl_type **complete_ret, struct tl_error *error)
{
	struct tl_types *types = type->types;
	struct tl_entry definition;
	const char *name = NULL;
	bool found = false;

	if (type->declaration && types->lookup != NULL) {
		TL_TRY(tl_type_full_name(type, &name, error));
		if (name != NULL)
			TL_TRY(types->lookup(types->lookup_context, name, type->entry.tag, type->entry.unit,
					     &definition, &found, error));
	}
	if (found)
		return tl_type_at(types, &definition, complete_ret, error);
	*complete_ret = type;
	return TL_OK;
}

/* Pointers to members are as big as the Itanium C++ ABI makes them (2.3): an offset, or an address and an adjustment.
 */
static enum tl_status member_pointer_size(const struct tl_type *type, tl_u64 *size_ret, struct tl_error *error)
{
	const struct tl_type *target;

	TL_TRY(tl_type_target(type, &target, error));
	TL_TRY(tl_type_strip(target, &target, error));
	*size_ret = (tl_u64)type->entry.unit->address_size * (target->kind == TL_TYPE_FUNCTION ? 2 : 1);
	return TL_OK;
}

/* Whether the size of a type is that of another. */
static bool sized_by_target(const struct tl_type *type)
{
	return !type->has_size &&
	       (tl_type_is_alias(type->kind) || (type->kind == TL_TYPE_ENUM && !type->declaration) ||
		(type->kind == TL_TYPE_ARRAY && tl_type_record(type)->bound.kind == TL_BOUND_CONSTANT));
}

enum tl_status tl_type_size(const struct tl_type *type, tl_u64 *size_ret, bool *known_ret, struct tl_error *error)
{
	tl_u64 factor = 1, size = 0;

	for (int i = 0; sized_by_target(type); i++) {
		if (i == TL_TYPE_CHAIN_MAX)
			return TL_FAIL(error, TL_ERROR_MALFORMED, "type `%s` leads back to itself",
				       type->name != NULL ? type->name : "(unnamed)");
		if (type->kind == TL_TYPE_ARRAY &&
		    __builtin_mul_overflow(factor, tl_type_record(type)->bound.count, &factor))
			return TL_FAIL(error, TL_ERROR_MALFORMED, "the array at entry 0x%llx is bigger than all memory",
				       (unsigned long long)type->entry.offset);
		TL_TRY(tl_type_target(type, &type, error));
	}
	TL_TRY(tl_type_complete(type, &type, error));
	size = type->size;
	if (type->kind == TL_TYPE_MEMBER_POINTER && !type->has_size)
		TL_TRY(member_pointer_size(type, &size, error));
	if (__builtin_mul_overflow(factor, size, &size))
		return TL_FAIL(error, TL_ERROR_MALFORMED, "an array of `%s` is bigger than all memory",
			       type->name != NULL ? type->name : "(unnamed)");
	*known_ret = type->has_size || type->kind == TL_TYPE_MEMBER_POINTER;
	*size_ret = size;
	return TL_OK;
}

enum tl_status tl_type_bound(const struct tl_type *type, const struct tl_bound **bound_ret, struct tl_error *error)
{
	if (type->kind != TL_TYPE_ARRAY)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the type is no array");
	*bound_ret = &tl_type_record(type)->bound;
	return TL_OK;
}

const struct tl_type *tl_type_void(struct tl_types *types)
{
	return &types->empty.type;
}
