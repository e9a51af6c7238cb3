#include "symbols/dwarf_expression.h"
#include "symbols/dwarf_operations.h"

#include "tests/unit/test.h"

static struct tl_error error;

/* The world of the tests: memory byte a is (a * 7) & 0xff at [0x1000, 0x1100), register n is 0x1111 * n. */
static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	tl_u8 *to = buffer;

	(void)context;
	for (tl_size i = 0; i < size; i++) {
		if (address + i < 0x1000 || address + i >= 0x1100)
			return TL_ERROR_MEMORY;
		to[i] = (tl_u8)((address + i) * 7);
	}
	return TL_OK;
}

static enum tl_status read_register(void *context, tl_u64 number, void *buffer, tl_size size, struct tl_error *why)
{
	static const double seventeen = 2.5;

	(void)context;
	if (number == 99)
		return TL_FAIL(why, TL_ERROR_REGISTER, "register 99 is not known");
	if (number == 17)
		memcpy(buffer, &seventeen, size < 8 ? size : 8);
	else
		tl_store_little(buffer, 0x1111 * number, size < 8 ? size : 8);
	return TL_OK;
}

static enum tl_status frame_base(void *context, tl_u64 *address_ret, struct tl_error *why)
{
	(void)context, (void)why;
	*address_ret = 0x7000;
	return TL_OK;
}

static enum tl_status frame_address(void *context, tl_u64 *address_ret, struct tl_error *why)
{
	(void)context, (void)why;
	*address_ret = 0x7010;
	return TL_OK;
}

static enum tl_status object_address(void *context, tl_u64 *address_ret, struct tl_error *why)
{
	(void)context, (void)why;
	*address_ret = 0x8000;
	return TL_OK;
}

static enum tl_status thread_local(void *context, tl_u64 offset, tl_u64 *address_ret, struct tl_error *why) {
	(void)context, (void)why; *address_ret = 0x9000 + offset; return TL_OK;
}

static enum tl_status entry_value(void *context, const tl_u8 *bytes, tl_size size, struct tl_dwarf_value *value_ret,
				  struct tl_error *why)
{
	(void)context;
	if (size != 1 || bytes[0] != DW_OP_reg0 + 5)
		return TL_FAIL(why, TL_ERROR_REGISTER, "not known at the entry");
	*value_ret = tl_dwarf_value_make(tl_dwarf_generic(8), 0x55);
	return TL_OK;
}

static enum tl_status other_value(void *context, tl_u64 offset, struct tl_dwarf_value *value_ret, struct tl_error *why)
{
	(void)context, (void)why;
	*value_ret = tl_dwarf_value_make(tl_dwarf_generic(8), offset + 1);
	return TL_OK;
}

static enum tl_status indexed_address(void *context, tl_u64 index, tl_u64 *address_ret, struct tl_error *why)
{
	(void)context;
	if (index > 3)
		return TL_FAIL(why, TL_ERROR_MALFORMED, "no such index");
	*address_ret = 0x4000 + index;
	return TL_OK;
}

/* Types: 1 int, 2 unsigned int, 3 double, 4 long, 5 float, 6 __int128, 7 complex, 8 unsigned char, 9 nothing, 10 and 11
 * long double. */
static enum tl_status base_type(void *context, tl_u64 offset, struct tl_dwarf_type *type_ret, struct tl_error *why)
{
	static const struct tl_dwarf_type types[] = {{0, 0, 8}, {1, 5, 4}, {2, 7, 4},   {3, 4, 8},
						     {4, 5, 8}, {5, 4, 4}, {6, 5, 16},  {7, 3, 16},
						     {8, 8, 1}, {9, 5, 0}, {10, 4, 16}, {11, 4, 12}};

	(void)context;
	if (offset >= TL_COUNT(types))
		return TL_FAIL(why, TL_ERROR_MALFORMED, "no such type");
	*type_ret = types[offset];
	return TL_OK;
}

/* Entries: at 1 `lit7`, at 2 a call of itself, at 3 nothing, at 4 `reg3`. */
static enum tl_status expression(void *context, enum tl_expression_reference reference, tl_u64 offset,
				 const tl_u8 **bytes_ret, tl_size *size_ret, struct tl_error *why)
{
	static const tl_u8 seven[] = {DW_OP_lit0 + 7}, itself[] = {DW_OP_call2, 2, 0}, third[] = {DW_OP_reg0 + 3};

	(void)context, (void)reference;
	if (offset == 0 || offset > 4)
		return TL_FAIL(why, TL_ERROR_MALFORMED, "no such entry");
	*bytes_ret = offset == 1 ? seven : offset == 2 ? itself : third;
	*size_ret = offset == 2 ? sizeof(itself) : offset == 3 ? 0 : 1;
	return TL_OK;
}

static const struct tl_memory_access memory = {read_memory, NULL, NULL};
static struct tl_expression_context whole = {
	.address_size = 8,
	.offset_size = 4,
	.version = 5,
	.bias = 0x100000,
	.memory = &memory,
	.read_register = read_register,
	.frame_base = frame_base,
	.frame_address = frame_address,
	.object_address = object_address,
	.thread_local = thread_local,
	.entry_value = entry_value,
	.parameter = other_value,
	.variable = other_value,
	.indexed_address = indexed_address,
	.base_type = base_type,
	.expression = expression,
};

static enum tl_status number_of(const char *text, tl_u64 *number_ret)
{
	tl_u8 bytes[64];
	tl_size size = 0;

	for (const char *at = text; *at != '\0';) {
		char *end;

		bytes[size++] = (tl_u8)strtoul(at, &end, 16);
		at = end;
	}
	return tl_expression_number(&whole, bytes, size, NULL, number_ret, &error);
}

struct numbered {
	const char *code; /* bytes in hexadecimal */
	tl_u64 number;
};

static void check_numbers(const struct numbered *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		tl_u64 number = 0;
		enum tl_status status = number_of(cases[i].code, &number);

		if (status != TL_OK || number != cases[i].number) {
			printf("  %s: \"%s\" yields 0x%llx (%s), wanted 0x%llx\n", test_current, cases[i].code,
			       (unsigned long long)number, status != TL_OK ? error.text : "no error",
			       (unsigned long long)cases[i].number);
			test_failures++;
		}
	}
}

#define CHECK_NUMBERS(...)                                                                                             \
	do {                                                                                                           \
		static const struct numbered cases[] = {__VA_ARGS__};                                                  \
		check_numbers(cases, TL_COUNT(cases));                                                                 \
	} while (0)

TEST(constants)
{
	CHECK_NUMBERS({"08 ff", 0xff}, {"09 ff", TL_U64_MAX}, {"0a fe ff", 0xfffe}, {"0b fe ff", (tl_u64)-2},
		      {"0c 01 00 00 80", 0x80000001}, {"0d 01 00 00 80", 0xffffffff80000001},
		      {"0e 01 02 03 04 05 06 07 88", 0x8807060504030201}, {"0f ff ff ff ff ff ff ff ff", TL_U64_MAX},
		      {"10 80 7f", 0x3f80}, {"11 80 7f", (tl_u64)-128}, {"30", 0}, {"4f", 31},
		      {"03 10 00 00 00 00 00 00 00", 0x100010});
}

TEST(the_stack)
{
	CHECK_NUMBERS({"31 32 12 22 22", 5} /* 1 2 dup + + */, {"31 32 13", 1} /* drop */,
		      {"31 32 14 1c", 1} /* over: 1 2 1; 2 - 1 */, {"35 36 37 15 02", 5} /* pick 2 */,
		      {"39 32 16 1c", (tl_u64)-7} /* swap: 2 - 9 */, {"31 32 33 17", 2} /* rot: 3 1 2 */,
		      {"31 32 33 17 13", 1}, {"31 32 33 17 13 13", 3});
}

TEST(arithmetic_of_the_generic_type)
{
	CHECK_NUMBERS({"11 7b 19", 5} /* abs -5 */, {"3c 3a 1a", 8} /* 12 & 10 */,
		      {"11 79 32 1b", (tl_u64)-3} /* -7 / 2, signed */, {"35 38 1c", (tl_u64)-3},
		      {"11 7f 3a 1d", TL_U64_MAX % 10} /* mod is unsigned */, {"36 37 1e", 42}, {"31 1f", TL_U64_MAX},
		      {"30 20", TL_U64_MAX}, {"3c 33 21", 15}, {"31 23 80 01", 129}, {"31 34 24", 16},
		      {"11 70 34 25", 0x0fffffffffffffff}, {"11 70 32 26", (tl_u64)-4}, {"31 08 40 24", 0},
		      {"11 7f 08 40 25", 0}, {"11 7f 08 7f 26", TL_U64_MAX}, {"3c 3a 27", 6},
		      {"11 7f 31 2d", 1} /* -1 < 1: comparisons are signed */, {"31 31 2a", 1}, {"31 32 2b", 0},
		      {"31 31 2c", 1}, {"31 32 29", 0}, {"31 32 2e", 1}, {"11 7f 31 2a", 0}, {"31 30 2b", 1},
		      {"0e 00 00 00 00 00 00 00 80 11 7f 1b", 0x8000000000000000} /* no trap */);
	CHECK_EQUAL(number_of("31 30 1b", &(tl_u64){0}), TL_ERROR_DIVIDE);
	CHECK_EQUAL(number_of("31 30 1d", &(tl_u64){0}), TL_ERROR_DIVIDE);
}

TEST(jumps)
{
	/* 10 down to 0, summed: lit0 lit10; loop: dup rot plus swap lit1 minus dup bra loop; drop */
	CHECK_NUMBERS({"30 3a 12 17 22 16 31 1c 12 28 f6 ff 13", 55}, {"2f 01 00 08 35", 5} /* into an operand: lit5 */,
		      {"31 2f 00 00", 1}, {"35 31 28 01 00 1f", 5}, {"35 30 28 01 00 1f", (tl_u64)-5});
}

TEST(registers_and_memory)
{
	CHECK_NUMBERS({"75 10", 0x5555 + 16}, {"92 06 78", 0x6666 - 8}, {"55", 0x5555}, {"90 06", 0x6666},
		      {"0a 00 10 06", 0x312a231c150e0700}, {"0a 00 10 94 02", 0x0700}, {"91 78", 0x7000 - 8},
		      {"9c", 0x7010}, {"97", 0x8000}, {"38 9b", 0x9008}, {"38 e0", 0x9008}, {"a3 01 55", 0x55},
		      {"f3 01 55", 0x55}, {"fa 07 00 00 00", 8}, {"fd 09 00 00 00", 10}, {"a1 02", 0x104002},
		      {"a2 02", 0x4002}, {"fb 01", 0x104001}, {"fc 01", 0x4001}, {"98 01 00", 7}, {"99 01 00 00 00", 7},
		      {"9a 01 00 00 00", 7}, {"98 04 00", 0x3333}, {"35 9a 03 00 00 00", 5}, {"96 35 f0", 5});
	CHECK_EQUAL(number_of("30 06", &(tl_u64){0}), TL_ERROR_MEMORY);
	CHECK(strstr(error.text, "8 bytes of memory at 0x0") != NULL);
	CHECK_EQUAL(number_of("90 63", &(tl_u64){0}), TL_ERROR_REGISTER);
	CHECK_TEXT(error.text, "register 99 is not known");
	CHECK_EQUAL(number_of("a3 01 56", &(tl_u64){0}), TL_ERROR_REGISTER);
}

TEST(types)
{
	CHECK_NUMBERS(
		/* register 17 as a double, 2.5, times const_type double 2.0, converted to int */
		{"a5 11 03 a4 03 08 00 00 00 00 00 00 00 40 1e a8 01 9f", 5},
		/* -1 as int is less than 1; as unsigned int it is not */
		{"09 ff a8 01 31 a8 01 2d", 1}, {"09 ff a8 02 31 a8 02 2d", 0},
		/* int: -8 >> 1 keeps its sign with either shift; unsigned int does not */
		{"09 f8 a8 01 31 25 a8 04", (tl_u64)-4}, {"09 f8 a8 02 31 25", 0x7ffffffc},
		{"09 f8 a8 02 31 26 a8 01 a8 04", (tl_u64)-4},
		/* int overflows at 32 bits; -1 to long is -1, unsigned -1 is not */
		{"0c ff ff ff 7f a8 01 31 a8 01 22 a8 04", 0xffffffff80000000}, {"09 ff a8 01 a8 04", TL_U64_MAX},
		{"09 ff a8 02 a8 04", 0xffffffff},
		/* bits of 1.0f; float to double to int; (unsigned char)0x1ff */
		{"a4 05 04 00 00 80 3f a9 02", 0x3f800000}, {"a4 05 04 00 00 80 3f a8 03 a8 01", 1},
		{"0a ff 01 a8 08", 0xff},
		/* 128 bits: (1 << 100) >> 98, and to double and back */
		{"31 a8 06 08 64 24 08 62 25 a8 04", 4}, {"31 a8 06 08 46 24 a8 03 a8 06 08 44 25 a8 04", 4},
		/* memory as int; a signed byte of it in a long; generic again */
		{"0a 00 10 a6 04 01", 0x150e0700}, {"0a 21 10 a6 01 08 a8 00", 0xe7},
		/* signed division, remainder, and the trap that must not be */
		{"09 f9 a8 01 32 a8 01 1d a8 04", (tl_u64)-1}, {"09 f9 a8 01 32 a8 01 1b a8 04", (tl_u64)-3},
		{"0c 00 00 00 80 a8 01 09 ff a8 01 1d", 0},
		/* -2.5 negated, and its absolute value; comparisons with 2.5 */
		{"a5 11 03 1f a8 01 a8 04", (tl_u64)-2}, {"a5 11 03 1f 19 a5 11 03 29", 1},
		{"a5 11 03 a5 11 03 1f 2b", 1}, {"a5 11 03 a5 11 03 1c a8 01", 0}, {"a5 11 03 a5 11 03 1b a8 01", 1},
		{"a5 11 03 a5 11 03 22 a8 01", 5},
		/* 3 times 2.5 in the 12 bytes that a long double has in 32-bit programs */
		{"33 a8 01 a8 0b a5 11 03 a8 0b 1e a8 01", 7},
		/* GNU's numbers */
		{"f5 11 03 f4 03 08 00 00 00 00 00 00 00 40 1e f7 01", 5}, {"0a 00 10 f6 04 01 f9 02", 0x150e0700},
		/* the generic type goes with integers of its size */
		{"31 a8 04 32 22", 3});
	CHECK_EQUAL(number_of("31 a8 01 32 22", &(tl_u64){0}), TL_ERROR_MALFORMED);
	CHECK_EQUAL(number_of("a5 11 03 31 22", &(tl_u64){0}), TL_ERROR_MALFORMED);
	CHECK_EQUAL(number_of("a5 11 03 20", &(tl_u64){0}), TL_ERROR_UNSUPPORTED);
	CHECK_EQUAL(number_of("a5 11 03 31 24", &(tl_u64){0}), TL_ERROR_UNSUPPORTED);
	CHECK_EQUAL(number_of("a5 11 03 12 1d", &(tl_u64){0}), TL_ERROR_UNSUPPORTED);
	CHECK_EQUAL(number_of("31 a8 07", &(tl_u64){0}), TL_ERROR_UNSUPPORTED);
	CHECK_EQUAL(number_of("31 a9 01", &(tl_u64){0}), TL_ERROR_MALFORMED);
	CHECK_EQUAL(number_of("a4 01 02 00 00", &(tl_u64){0}), TL_ERROR_MALFORMED);
	CHECK_EQUAL(number_of("31 a8 09", &(tl_u64){0}), TL_ERROR_UNSUPPORTED);
	CHECK_EQUAL(number_of("31 a8 0c", &(tl_u64){0}), TL_ERROR_MALFORMED);
	CHECK_EQUAL(number_of("0a 00 10 a6 08 01", &(tl_u64){0}), TL_ERROR_MALFORMED);
}

TEST(no_number_and_out_of_range_floats_do_no_harm)
{
	CHECK_NUMBERS(/* infinity and not-a-number to int */
		      {"a4 03 08 00 00 00 00 00 00 f0 7f a8 01", 0}, {"a4 03 08 00 00 00 00 00 00 f8 7f a8 01", 0},
		      {"a4 03 08 00 00 00 00 00 00 f8 7f 12 29", 0}, {"a4 03 08 00 00 00 00 00 00 f8 7f 12 2e", 1},
		      {"a4 03 08 00 00 00 00 00 00 f8 7f 12 2d", 0}, {"a4 03 08 00 00 00 00 00 00 f8 7f 12 2a", 0});
}

TEST(addresses_of_four_bytes)
{
	whole.address_size = 4;
	CHECK_NUMBERS({"09 ff", 0xffffffff}, {"09 ff 31 22", 0}, {"75 10", 0x5565}, {"0a 00 10 06", 0x150e0700},
		      {"03 10 00 00 00", 0x100010}, {"09 ff 31 2d", 1}, {"31 31 29 31 22", 2});
	whole.address_size = 8;
}

static enum tl_status location_of(const char *bytes, size_t size, struct tl_location *location)
{
	return tl_expression_location(&whole, (const tl_u8 *)bytes, size, NULL, location, &error);
}

#define LOCATION(text, location) location_of(text, sizeof(text) - 1, location)

TEST(places)
{
	struct tl_location location;
	struct tl_place *place = &location.places[0];

	REQUIRE(LOCATION("", &location) == TL_OK);
	CHECK(location.count == 1 && place->kind == TL_PLACE_NONE && place->bit_size == 0);
	REQUIRE(LOCATION("\x91\x10", &location) == TL_OK);
	CHECK(location.count == 1 && place->kind == TL_PLACE_MEMORY && place->address == 0x7010);
	REQUIRE(LOCATION("\x55", &location) == TL_OK);
	CHECK(location.count == 1 && place->kind == TL_PLACE_REGISTER && place->number == 5);
	REQUIRE(LOCATION("\x90\x43", &location) == TL_OK);
	CHECK(place->kind == TL_PLACE_REGISTER && place->number == 67);
	REQUIRE(LOCATION("\x35\x9f", &location) == TL_OK);
	CHECK(place->kind == TL_PLACE_VALUE && tl_dwarf_value_number(&place->value) == 5);
	REQUIRE(LOCATION("\x9e\x03xyz", &location) == TL_OK);
	CHECK(place->kind == TL_PLACE_BYTES && place->size == 3 && memcmp(place->bytes, "xyz", 3) == 0);
	REQUIRE(LOCATION("\xa0\x01\x02\x00\x00\x7c", &location) == TL_OK);
	CHECK(place->kind == TL_PLACE_POINTER && place->entry == 0x201 && place->offset == -4);
	REQUIRE(LOCATION("\xf2\x01\x02\x00\x00\x04", &location) == TL_OK);
	CHECK(place->kind == TL_PLACE_POINTER && place->entry == 0x201 && place->offset == 4);
}

TEST(pieces)
{
	struct tl_location location;

	/* reg3 piece 4; piece 2: optimised out; fbreg 8 piece 8; lit5 stack_value piece 1; reg4 bit_piece 3, 5 */
	REQUIRE(LOCATION("\x53\x93\x04\x93\x02\x91\x08\x93\x08\x35\x9f\x93\x01\x54\x9d\x03\x05", &location) == TL_OK);
	REQUIRE(location.count == 5);
	CHECK(location.places[0].kind == TL_PLACE_REGISTER && location.places[0].bit_size == 32);
	CHECK(location.places[1].kind == TL_PLACE_NONE && location.places[1].bit_size == 16);
	CHECK(location.places[2].kind == TL_PLACE_MEMORY && location.places[2].address == 0x7008 &&
	      location.places[2].bit_size == 64);
	CHECK(location.places[3].kind == TL_PLACE_VALUE && location.places[3].bit_size == 8);
	CHECK(location.places[4].kind == TL_PLACE_REGISTER && location.places[4].number == 4 &&
	      location.places[4].bit_size == 3 && location.places[4].bit_offset == 5);
	CHECK_EQUAL(LOCATION("\x53\x93\x04\x54", &location), TL_ERROR_MALFORMED);
	CHECK_EQUAL(LOCATION("\x53\x93\x00", &location), TL_ERROR_MALFORMED);
	CHECK_EQUAL(number_of("53 93 04", &(tl_u64){0}), TL_ERROR_MALFORMED);
}

TEST(there_are_bounds)
{
	tl_u8 many[4 * TL_PLACES_MAX];
	struct tl_location location;

	memset(many, DW_OP_lit0, sizeof(many));
	CHECK_EQUAL(location_of((char *)many, sizeof(many), &location), TL_ERROR_TOO_LONG);
	for (size_t i = 0; i < sizeof(many); i += 2) {
		many[i] = DW_OP_piece;
		many[i + 1] = 1;
	}
	CHECK_EQUAL(location_of((char *)many, sizeof(many), &location), TL_ERROR_TOO_LONG);
	CHECK_EQUAL(LOCATION("\x2f\xfd\xff", &location), TL_ERROR_BYTECODE_STEPS);
	CHECK_EQUAL(LOCATION("\x98\x02\x00", &location), TL_ERROR_TOO_LONG);
	CHECK_EQUAL(LOCATION("\x2f\xfc\xff", &location), TL_ERROR_MALFORMED);
	CHECK_EQUAL(LOCATION("\x2f\x01\x00", &location), TL_ERROR_MALFORMED);
	CHECK_EQUAL(LOCATION("\x22", &location), TL_ERROR_MALFORMED);
	CHECK_EQUAL(LOCATION("\x53\x31", &location), TL_ERROR_MALFORMED);
	CHECK_EQUAL(LOCATION("\x0c\x01", &location), TL_ERROR_MALFORMED);
	CHECK_EQUAL(LOCATION("\x31\x94\x00", &location), TL_ERROR_MALFORMED);
	CHECK_EQUAL(LOCATION("\x18", &location), TL_ERROR_UNSUPPORTED);
	CHECK_EQUAL(LOCATION("\x02", &location), TL_ERROR_UNSUPPORTED);
}

/* Whatever callbacks are missing, it is said what was wanted. */
TEST(without_callbacks)
{
	static const char *const codes[] = {"\x75",     "\x55",         "\x31\x06",    "\x91",         "\x9c",
					    "\x97",     "\x31\x9b",     "\xa3\x01U",   "\xfa\1\1\1\1", "\xfd\1\1\1\1",
					    "\xa1\x01", "\x31\xa8\x01", "\x98\x01\x01"};
	static const size_t sizes[] = {2, 1, 2, 2, 1, 1, 2, 3, 5, 5, 2, 3, 3};
	struct tl_expression_context nothing = {.address_size = 8, .offset_size = 4, .version = 5};
	tl_u64 number;

	for (size_t i = 0; i < TL_COUNT(codes); i++) {
		enum tl_status status =
			tl_expression_number(&nothing, (const tl_u8 *)codes[i], sizes[i], NULL, &number, &error);

		/* A register is a place, but has no number then. */
		CHECK_EQUAL(status, i == 1 ? TL_ERROR_MALFORMED : TL_ERROR_UNSUPPORTED);
	}
	number = 0;
	CHECK(tl_expression_number(&nothing, (const tl_u8 *)"\x23\x08", 2, &(tl_u64){0x100}, &number, &error) == TL_OK);
	CHECK_EQUAL(number, 0x108);
	nothing.address_size = 3;
	CHECK_EQUAL(tl_expression_number(&nothing, NULL, 0, NULL, &number, &error), TL_ERROR_ARGUMENT);
}

TEST(operations_have_names)
{
	CHECK_TEXT(tl_dwarf_operation_name(DW_OP_call_frame_cfa), "call_frame_cfa");
	CHECK_TEXT(tl_dwarf_operation_name(DW_OP_GNU_entry_value), "GNU_entry_value");
	CHECK_TEXT(tl_dwarf_operation_name(DW_OP_breg0 + 7), "breg");
	CHECK_TEXT(tl_dwarf_operation_name(0x01), "?");
}
