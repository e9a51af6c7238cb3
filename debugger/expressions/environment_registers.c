/* Registers by name, with the parts, roles and types that gdb gives them. */
#include "core/cpu/x86_layout.h"
#include "debugger/expressions/environment_internal.h"
#include "debugger/values/abi_aarch64.h"
#include "symbols/dwarf_constants.h"

#include <string.h>

/* ---- Names ---- */

/* A part of a register, or several registers as one. */
struct part {
	const char *name;
	const char *type;
	tl_u16 count;
	struct tl_register_part parts[TL_REGISTER_PARTS_MAX];
};

/* clang-format off */
#define PART(name, type, index, first, size) {name, type, 1, {{index, first, size}}},
#define PARTS_64(ID, dword, word, byte)                                                                                \
	PART(dword, "int32", TL_X86_64_##ID, 0, 4) PART(word, "int16", TL_X86_64_##ID, 0, 2)                           \
	PART(byte, "int8", TL_X86_64_##ID, 0, 1)
#define WIDE(cpu, n) \
	{"ymm" #n, "vec256", 2, {{cpu##_XMM##n, 0, 16}, {cpu##_YMM##n##H, 0, 16}}},                                    \
	{"zmm" #n, "vec512", 3, {{cpu##_XMM##n, 0, 16}, {cpu##_YMM##n##H, 0, 16}, {cpu##_ZMM##n##H, 0, 32}}},
#define WIDE_64(X, n) WIDE(TL_X86_64, n)
#define WIDE_32(X, n) WIDE(TL_I386, n)

static const struct part parts_x86_64[] = {
	PARTS_64(RAX, "eax", "ax", "al") PARTS_64(RBX, "ebx", "bx", "bl") PARTS_64(RCX, "ecx", "cx", "cl")
	PARTS_64(RDX, "edx", "dx", "dl") PARTS_64(RSI, "esi", "si", "sil") PARTS_64(RDI, "edi", "di", "dil")
	PARTS_64(RBP, "ebp", "bp", "bpl") PARTS_64(R8, "r8d", "r8w", "r8l") PARTS_64(R9, "r9d", "r9w", "r9l")
	PARTS_64(R10, "r10d", "r10w", "r10l") PARTS_64(R11, "r11d", "r11w", "r11l")
	PARTS_64(R12, "r12d", "r12w", "r12l") PARTS_64(R13, "r13d", "r13w", "r13l")
	PARTS_64(R14, "r14d", "r14w", "r14l") PARTS_64(R15, "r15d", "r15w", "r15l")
	PART("esp", "int32", TL_X86_64_RSP, 0, 4) PART("spl", "int8", TL_X86_64_RSP, 0, 1)
	PART("ah", "int8", TL_X86_64_RAX, 1, 1) PART("bh", "int8", TL_X86_64_RBX, 1, 1)
	PART("ch", "int8", TL_X86_64_RCX, 1, 1) PART("dh", "int8", TL_X86_64_RDX, 1, 1)
	TL_X86_TIMES_8(WIDE_64, 0) TL_X86_TIMES_HIGH_8(WIDE_64, 0) TL_X86_TIMES_HIGH_16(WIDE_64, 0)
};

static const struct part parts_i386[] = {
	PART("ax", "int16", TL_I386_EAX, 0, 2) PART("bx", "int16", TL_I386_EBX, 0, 2)
	PART("cx", "int16", TL_I386_ECX, 0, 2) PART("dx", "int16", TL_I386_EDX, 0, 2)
	PART("si", "int16", TL_I386_ESI, 0, 2) PART("di", "int16", TL_I386_EDI, 0, 2)
	PART("bp", "int16", TL_I386_EBP, 0, 2)
	PART("al", "int8", TL_I386_EAX, 0, 1) PART("bl", "int8", TL_I386_EBX, 0, 1)
	PART("cl", "int8", TL_I386_ECX, 0, 1) PART("dl", "int8", TL_I386_EDX, 0, 1)
	PART("ah", "int8", TL_I386_EAX, 1, 1) PART("bh", "int8", TL_I386_EBX, 1, 1)
	PART("ch", "int8", TL_I386_ECX, 1, 1) PART("dh", "int8", TL_I386_EDX, 1, 1)
	TL_X86_TIMES_8(WIDE_32, 0)
};

#define W(n) PART("w" #n, "int32", TL_ABI_AARCH64_X0 + n, 0, 4)
#define Q(n) PART("q" #n, "lane q", TL_ABI_AARCH64_V0 + n, 0, 16)
#define D(n) PART("d" #n, "lane d", TL_ABI_AARCH64_V0 + n, 0, 8)
#define S(n) PART("s" #n, "lane s", TL_ABI_AARCH64_V0 + n, 0, 4)
#define H(n) PART("h" #n, "lane h", TL_ABI_AARCH64_V0 + n, 0, 2)
#define B(n) PART("b" #n, "lane b", TL_ABI_AARCH64_V0 + n, 0, 1)
/* Where there are longer vectors, z0 and so on, these are their lower parts; elsewhere the register itself is found. */
#define V(n) PART("v" #n, "vnv", TL_ABI_AARCH64_V0 + n, 0, 16)
#define EIGHT(X, a, b, c, d, e, f, g, h) X(a) X(b) X(c) X(d) X(e) X(f) X(g) X(h)
#define ALL_32(X)                                                                                                      \
	EIGHT(X, 0, 1, 2, 3, 4, 5, 6, 7) EIGHT(X, 8, 9, 10, 11, 12, 13, 14, 15)                                        \
	EIGHT(X, 16, 17, 18, 19, 20, 21, 22, 23) EIGHT(X, 24, 25, 26, 27, 28, 29, 30, 31)

static const struct part parts_aarch64[] = {
	EIGHT(W, 0, 1, 2, 3, 4, 5, 6, 7) EIGHT(W, 8, 9, 10, 11, 12, 13, 14, 15) EIGHT(W, 16, 17, 18, 19, 20, 21, 22, 23)
	W(24) W(25) W(26) W(27) W(28) W(29) W(30)
	ALL_32(Q) ALL_32(D) ALL_32(S) ALL_32(H) ALL_32(B) ALL_32(V)
};
/* clang-format on */

static const char *const roles[] = {"pc", "sp", "fp", "ps"};

static const struct part *parts_of(const struct tl_cpu *cpu, tl_size *count_ret)
{
	if (tl_abi_is_aarch64(cpu)) {
		*count_ret = TL_COUNT(parts_aarch64);
		return parts_aarch64;
	}
	*count_ret = cpu == &tl_cpu_x86_64 ? TL_COUNT(parts_x86_64) : cpu == &tl_cpu_i386 ? TL_COUNT(parts_i386) : 0;
	return cpu == &tl_cpu_x86_64 ? parts_x86_64 : parts_i386;
}

static bool is_present(const struct tl_environment_store *store, tl_u16 index)
{
	return (store->features >> store->cpu->registers[index].feature & 1) != 0;
}

static bool are_present(const struct tl_environment_store *store, const struct part *part)
{
	return is_present(store, part->parts[part->count - 1].index);
}

const char *tl_environment_register(const struct tl_environment_store *store, tl_size index)
{
	const struct part *parts;
	tl_size count;

	if (store->cpu == NULL)
		return NULL;
	for (tl_u16 i = 0; i < store->cpu->register_count; i++)
		if (is_present(store, i) && index-- == 0)
			return store->cpu->registers[i].name;
	parts = parts_of(store->cpu, &count);
	for (tl_size i = 0; i < count; i++)
		if (are_present(store, &parts[i]) && index-- == 0)
			return parts[i].name;
	return index < TL_COUNT(roles) ? roles[index] : NULL;
}

/* ---- Types ---- */

static const struct {
	const char *id, *name;
	tl_u8 encoding, size;
} numbers[] = {
	{"int8", "int8_t", DW_ATE_signed, 1},
	{"int16", "int16_t", DW_ATE_signed, 2},
	{"int32", "int32_t", DW_ATE_signed, 4},
	{"int64", "int64_t", DW_ATE_signed, 8},
	{"int128", "int128_t", DW_ATE_signed, 16},
	{"uint8", "uint8_t", DW_ATE_unsigned, 1},
	{"uint16", "uint16_t", DW_ATE_unsigned, 2},
	{"uint32", "uint32_t", DW_ATE_unsigned, 4},
	{"uint64", "uint64_t", DW_ATE_unsigned, 8},
	{"uint128", "uint128_t", DW_ATE_unsigned, 16},
	{"bfloat16", "bfloat16", DW_ATE_float, 2},
	{"half", "half", DW_ATE_float, 2},
	{"float", "float", DW_ATE_float, 4},
	{"double", "double", DW_ATE_float, 8},
	/* Ten bytes, of which a long double is made. */
	{"i387_ext", "i387_ext", DW_ATE_float, 16},
};

static enum tl_status number_type(struct tl_types *types, const char *id, const struct tl_type **type_ret,
				  struct tl_error *error)
{
	for (tl_size i = 0; i < TL_COUNT(numbers); i++)
		if (strcmp(numbers[i].id, id) == 0)
			return tl_type_make_base(types, numbers[i].name, numbers[i].encoding, numbers[i].size, type_ret,
						 error);
	return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "A register's type is not known here: %s", id);
}

/* The ways to look at a vector register: the element, and what it is called for 16, 32 and 64 bytes. */
static const struct {
	const char *element, *names[3];
} views[] = {
	{"bfloat16", {"v8_bfloat16", "v16_bfloat16", "v32_bfloat16"}},
	{"half", {"v8_half", "v16_half", "v32_half"}},
	{"float", {"v4_float", "v8_float", "v16_float"}},
	{"double", {"v2_double", "v4_double", "v8_double"}},
	{"int8", {"v16_int8", "v32_int8", "v64_int8"}},
	{"int16", {"v8_int16", "v16_int16", "v32_int16"}},
	{"int32", {"v4_int32", "v8_int32", "v16_int32"}},
	{"int64", {"v2_int64", "v4_int64", "v8_int64"}},
	{"int128", {"uint128", "v2_int128", "v4_int128"}},
};

static enum tl_status vector_type(struct tl_types *types, unsigned wide, const struct tl_type **type_ret,
				  struct tl_error *error)
{
	static const char *const names[] = {"vec128", "vec256", "vec512"};
	struct tl_made_member members[TL_COUNT(views)] = {0};
	const tl_u64 size = (tl_u64)16 << wide;

	for (tl_size i = 0; i < TL_COUNT(views); i++) {
		const struct tl_type *type;

		members[i].member = (struct tl_member){.kind = TL_MEMBER_FIELD, .name = views[i].names[wide]};
		if (wide == 0 && i + 1 == TL_COUNT(views)) {
			TL_TRY(number_type(types, "uint128", &members[i].type, error));
			continue;
		}
		TL_TRY(number_type(types, views[i].element, &type, error));
		TL_TRY(tl_type_make_vector(type, size / type->size, &members[i].type, error));
	}
	return tl_type_make_composite(types, TL_TYPE_UNION, names[wide], size, members, TL_COUNT(members), type_ret,
				      error);
}

struct bit {
	const char *name;
	tl_u32 bit, width;
};

static enum tl_status flags_type(struct tl_types *types, const char *name, const struct bit *bits, tl_size count,
				 const struct tl_type **type_ret, struct tl_error *error)
{
	struct tl_made_member members[20] = {0};

	for (tl_size i = 0; i < count; i++) {
		members[i].member = (struct tl_member){.kind = TL_MEMBER_ENUMERATOR,
						       .name = bits[i].name,
						       .has_value = true,
						       .value = (((tl_i64)1 << bits[i].width) - 1) << bits[i].bit};
		members[i].type = tl_type_void(types);
	}
	return tl_type_make_composite(types, TL_TYPE_ENUM, name, 4, members, count, type_ret, error);
}

static enum tl_status make_eflags(struct tl_types *types, const struct tl_type **type_ret, struct tl_error *error)
{
	static const struct bit bits[] = {{"CF", 0, 1},  {"PF", 2, 1},   {"AF", 4, 1},   {"ZF", 6, 1},
					  {"SF", 7, 1},  {"TF", 8, 1},   {"IF", 9, 1},   {"DF", 10, 1},
					  {"OF", 11, 1}, {"NT", 14, 1},  {"RF", 16, 1},  {"VM", 17, 1},
					  {"AC", 18, 1}, {"VIF", 19, 1}, {"VIP", 20, 1}, {"ID", 21, 1}};

	return flags_type(types, "i386_eflags", bits, TL_COUNT(bits), type_ret, error);
}

static enum tl_status make_mxcsr(struct tl_types *types, const struct tl_type **type_ret, struct tl_error *error)
{
	static const struct bit bits[] = {{"IE", 0, 1},  {"DE", 1, 1},  {"ZE", 2, 1},  {"OE", 3, 1}, {"UE", 4, 1},
					  {"PE", 5, 1},  {"DAZ", 6, 1}, {"IM", 7, 1},  {"DM", 8, 1}, {"ZM", 9, 1},
					  {"OM", 10, 1}, {"UM", 11, 1}, {"PM", 12, 1}, {"FZ", 15, 1}};

	return flags_type(types, "i386_mxcsr", bits, TL_COUNT(bits), type_ret, error);
}

static enum tl_status make_cpsr(struct tl_types *types, const struct tl_type **type_ret, struct tl_error *error)
{
	static const struct bit bits[] = {
		{"SP", 0, 1},  {"EL", 2, 2},   {"nRW", 4, 1},    {"F", 6, 1},     {"I", 7, 1},
		{"A", 8, 1},   {"D", 9, 1},    {"BTYPE", 10, 2}, {"SSBS", 12, 1}, {"IL", 20, 1},
		{"SS", 21, 1}, {"PAN", 22, 1}, {"UAO", 23, 1},   {"DIT", 24, 1},  {"TCO", 25, 1},
		{"V", 28, 1},  {"C", 29, 1},   {"Z", 30, 1},     {"N", 31, 1},
	};

	return flags_type(types, "cpsr_flags", bits, TL_COUNT(bits), type_ret, error);
}

/* The ways to look at a vector register of 64-bit Arm: lanes of so many bytes, as what they may be. */
static const struct lane {
	const char *name, *id;
	tl_u8 size;
	const char *kinds[4], *elements[4];
} lanes[] = {
	{"d", "vnd", 8, {"f", "u", "s"}, {"double", "uint64", "int64"}},
	{"s", "vns", 4, {"f", "u", "s"}, {"float", "uint32", "int32"}},
	{"h", "vnh", 2, {"bf", "f", "u", "s"}, {"bfloat16", "half", "uint16", "int16"}},
	{"b", "vnb", 1, {"u", "s"}, {"uint8", "int8"}},
	{"q", "vnq", 16, {"u", "s"}, {"uint128", "int128"}},
};

/* So many bytes as lanes of one kind; `single`: the one lane that a part of a register is. */
static enum tl_status lane_type(struct tl_types *types, const struct lane *lane, tl_u64 size, bool single,
				const struct tl_type **type_ret, struct tl_error *error)
{
	struct tl_made_member ways[4] = {0};
	tl_size count = 0;

	for (tl_size i = 0; i < TL_COUNT(ways) && lane->kinds[i] != NULL; i++) {
		const struct tl_type *type;

		/* gdb has no bfloat16 in the scalable vectors. */
		if (size > 16 && strcmp(lane->kinds[i], "bf") == 0)
			continue;
		ways[count].member = (struct tl_member){.kind = TL_MEMBER_FIELD, .name = lane->kinds[i]};
		TL_TRY(number_type(types, lane->elements[i], &type, error));
		ways[count].type = type;
		if (!single)
			TL_TRY(tl_type_make_vector(type, size / lane->size, &ways[count].type, error));
		count++;
	}
	return tl_type_make_composite(types, TL_TYPE_UNION, single ? lane->name : lane->id, size, ways, count, type_ret,
				      error);
}

/* "lane d": what d0 is; else all the lanes of a whole register. */
static enum tl_status arm64_vector_type(struct tl_types *types, const char *id, tl_u64 size,
					const struct tl_type **type_ret, struct tl_error *error)
{
	struct tl_made_member members[TL_COUNT(lanes)] = {0};
	tl_size first = 0;

	if (strncmp(id, "lane ", 5) == 0)
		for (tl_size i = 0; i < TL_COUNT(lanes); i++)
			if (strcmp(lanes[i].name, id + 5) == 0)
				return lane_type(types, &lanes[i], lanes[i].size, true, type_ret, error);
	/* In the scalable ones the widest stands first. */
	if (size > 16)
		first = TL_COUNT(lanes) - 1;
	for (tl_size i = 0; i < TL_COUNT(lanes); i++) {
		const struct lane *lane = &lanes[(first + i) % TL_COUNT(lanes)];

		members[i].member = (struct tl_member){.kind = TL_MEMBER_FIELD, .name = lane->name};
		TL_TRY(lane_type(types, lane, size, false, &members[i].type, error));
	}
	return tl_type_make_composite(types, TL_TYPE_UNION, id, size, members, TL_COUNT(members), type_ret, error);
}

static enum tl_status type_of(struct tl_environment_store *store, const char *id, unsigned bits,
			      const struct tl_type **type_ret, struct tl_error *error)
{
	/* Registers have the types of whoever gave a home for them; else they end with the program's. */
	struct tl_types *types = store->at.types != NULL ? store->at.types : store->values.types;

	if (strcmp(id, "int") == 0)
		return tl_type_make_base(types, bits > 32 ? "long" : "int", DW_ATE_signed, bits > 32 ? 8 : 4, type_ret,
					 error);
	if (strcmp(id, "data_ptr") == 0)
		return tl_type_make_pointer(tl_type_void(types), store->address_size, type_ret, error);
	if (strcmp(id, "code_ptr") == 0) {
		/* () says in C++ what (void) says in C. */
		TL_TRY(tl_type_make_function(tl_type_void(types), NULL, 0,
					     store->values.is_cplus ? TL_MADE_PROTOTYPE : TL_MADE_UNKNOWN, type_ret,
					     error));
		return tl_type_make_pointer(*type_ret, store->address_size, type_ret, error);
	}
	if (strcmp(id, "i386_eflags") == 0)
		return make_eflags(types, type_ret, error);
	if (strcmp(id, "i386_mxcsr") == 0)
		return make_mxcsr(types, type_ret, error);
	if (strcmp(id, "vec128") == 0 || strcmp(id, "vec256") == 0 || strcmp(id, "vec512") == 0)
		return vector_type(types, id[3] == '1' ? 0 : id[3] == '2' ? 1 : 2, type_ret, error);
	if (strcmp(id, "cpsr_flags") == 0)
		return make_cpsr(types, type_ret, error);
	if (strcmp(id, "aarch64v") == 0 || strcmp(id, "vnv") == 0 || strcmp(id, "svev") == 0 ||
	    strncmp(id, "lane ", 5) == 0)
		return arm64_vector_type(types, id, bits == 0 ? 16 : bits / 8, type_ret, error);
	if (strcmp(id, "svep") == 0) {
		TL_TRY(number_type(types, "uint8", type_ret, error));
		return tl_type_make_vector(*type_ret, bits / 8, type_ret, error);
	}
	if (strcmp(id, "v2ui128") == 0) {
		TL_TRY(number_type(types, "uint128", type_ret, error));
		return tl_type_make_vector(*type_ret, 2, type_ret, error);
	}
	return number_type(types, id, type_ret, error);
}

/* ---- Looking one up ---- */

/* The index of the register that plays a part: the program counter, the stack pointer, …; false for no such part. */
static bool role_of(const struct tl_cpu *cpu, const char *name, tl_u16 *index_ret)
{
	if (strcmp(name, "pc") == 0)
		*index_ret = cpu->program_counter;
	else if (strcmp(name, "sp") == 0)
		*index_ret = cpu->stack_pointer;
	else if (strcmp(name, "fp") == 0)
		*index_ret = cpu->frame_pointer;
	else if (strcmp(name, "ps") == 0 && (cpu == &tl_cpu_x86_64 || cpu == &tl_cpu_i386))
		*index_ret = cpu == &tl_cpu_x86_64 ? TL_X86_64_EFLAGS : TL_I386_EFLAGS;
	else if (strcmp(name, "ps") == 0 && tl_abi_is_aarch64(cpu))
		*index_ret = TL_ABI_AARCH64_CPSR;
	else
		return false;
	return true;
}

/* On 64-bit Arm by its other name, too, as lr; but v0 is a part of z0. */
static bool is_called(const struct tl_cpu *cpu, tl_u16 index, const char *name)
{
	const struct tl_register *reg = &cpu->registers[index];

	return strcmp(reg->name, name) == 0 || (reg->alternate != NULL && tl_abi_is_aarch64(cpu) &&
						index < TL_ABI_AARCH64_V0 && strcmp(reg->alternate, name) == 0);
}

static bool index_of(const struct tl_environment_store *store, const char *name, tl_u16 *index_ret)
{
	if (role_of(store->cpu, name, index_ret))
		return true;
	for (tl_u16 i = 0; i < store->cpu->register_count; i++)
		if (is_called(store->cpu, i, name) && is_present(store, i)) {
			*index_ret = i;
			return true;
		}
	return false;
}

enum tl_status tl_environment_register_parts(struct tl_environment_store *store, const char *name,
					     struct tl_register_part parts_ret[TL_REGISTER_PARTS_MAX],
					     tl_size *count_ret, const struct tl_type **type_ret,
					     struct tl_error *error)
{
	const struct part *parts;
	tl_size count;
	tl_u16 index;

	*count_ret = 0;
	if (store->cpu == NULL || (store->at.types == NULL && store->values.types == NULL))
		return TL_OK;
	if (index_of(store, name, &index)) {
		const struct tl_register *reg = &store->cpu->registers[index];

		*count_ret = 1;
		parts_ret[0] = (struct tl_register_part){index, 0, (tl_u16)((reg->bits + 7) / 8)};
		return type_of(store, reg->type, reg->bits, type_ret, error);
	}
	parts = parts_of(store->cpu, &count);
	for (tl_size i = 0; i < count; i++) {
		if (strcmp(parts[i].name, name) != 0 || !are_present(store, &parts[i]))
			continue;
		*count_ret = parts[i].count;
		memcpy(parts_ret, parts[i].parts, sizeof(parts[i].parts));
		return type_of(store, parts[i].type, 0, type_ret, error);
	}
	return TL_OK;
}

enum tl_status tl_environment_find_register(struct tl_environment_store *store, const char *name,
					    struct tl_value *value_ret, bool *found_ret, struct tl_error *error)
{
	struct tl_register_part parts[TL_REGISTER_PARTS_MAX];
	const struct tl_type *type;
	tl_size count;

	TL_TRY(tl_environment_register_parts(store, name, parts, &count, &type, error));
	*found_ret = count != 0;
	if (count == 0)
		return TL_OK;
	if (store->frame == NULL)
		return TL_FAIL(error, TL_ERROR_STATE, "No registers.");
	return tl_environment_register_value(store, type, parts, count, value_ret, error);
}
