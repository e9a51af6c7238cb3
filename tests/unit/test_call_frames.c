#include "base/storage.h"
#include "symbols/call_frames.h"

#include "tests/unit/test.h"

#define SECTION_ADDRESS 0x5000
#define CODE 0x1000

/* A section as it grows. */
struct built {
	tl_u8 bytes[4096];
	tl_size size;
	tl_size entry; /* where the open entry's length stands */
};

static struct tl_error error;

static void put(struct built *built, tl_u64 value, tl_size size)
{
	tl_store_little(built->bytes + built->size, value, size);
	built->size += size;
}

static void put_bytes(struct built *built, const void *bytes, tl_size size)
{
	memcpy(built->bytes + built->size, bytes, size);
	built->size += size;
}

static void open_entry(struct built *built)
{
	built->entry = built->size;
	put(built, 0, 4);
}

static void close_entry(struct built *built)
{
	tl_store_little(built->bytes + built->entry, built->size - built->entry - 4, 4);
}

/* A common entry of .eh_frame: 4-byte addresses relative to their place, code in units of 1, data of -8, return 16. */
static tl_size eh_common(struct built *built, const char *augmentation, const void *code, tl_size size)
{
	open_entry(built);
	put(built, 0, 4);
	put(built, 1, 1);
	put_bytes(built, augmentation, strlen(augmentation) + 1);
	put_bytes(built, "\x01\x78\x10", 3);
	if (augmentation[0] == 'z') {
		tl_size at = built->size;

		put(built, 0, 1);
		for (const char *letter = augmentation + 1; *letter != '\0'; letter++)
			if (*letter != 'S')
				put(built, *letter == 'R' ? 0x1b : 0xff, 1);
		built->bytes[at] = (tl_u8)(built->size - at - 1);
	}
	put_bytes(built, code, size);
	close_entry(built);
	return built->entry;
}

static void eh_description(struct built *built, tl_size common, tl_u64 start, tl_u64 size, const void *code,
			   tl_size code_size)
{
	open_entry(built);
	put(built, built->size - common, 4);
	put(built, start - (SECTION_ADDRESS + built->size), 4);
	put(built, size, 4);
	put(built, 0, 1);
	put_bytes(built, code, code_size);
	close_entry(built);
}

static enum tl_status row_of(const struct built *built, bool debug, tl_u16 machine, tl_u64 address,
			     struct tl_frame_row *row)
{
	struct tl_section_bytes bytes = {built->bytes, built->size, SECTION_ADDRESS};
	struct tl_frame_sections sections = {.address_size = 8, .machine = machine};
	struct tl_call_frames *frames;
	tl_u64 live = tl_storage_live();
	enum tl_status status;

	*(debug ? &sections.debug_frame : &sections.eh_frame) = bytes;
	status = tl_call_frames_open_sections(&frames, &sections, &error);
	if (status != TL_OK)
		return status;
	status = tl_call_frames_row(frames, address, row, &error);
	tl_call_frames_close(frames);
	CHECK_EQUAL(tl_storage_live(), live);
	return status;
}

#define CODE_AND_SIZE(code) code, sizeof(code) - 1

/* CFA = r7 + 8, return address at CFA - 8: what gcc begins every function of x86-64 with. */
#define BEGINNING "\x0c\x07\x08\x90\x01"

static void build(struct built *built, const char *code, tl_size size)
{
	tl_size common;

	built->size = 0;
	common = eh_common(built, "zR", CODE_AND_SIZE(BEGINNING));
	eh_description(built, common, CODE, 0x100, code, size);
}

#define BUILD(built, code) build(built, CODE_AND_SIZE(code))

static bool rule_is(const struct tl_frame_row *row, unsigned number, enum tl_rule_kind kind, tl_i64 offset)
{
	if (number >= row->rule_count)
		return kind == TL_RULE_UNSPECIFIED;
	return row->rules[number].kind == kind && (kind == TL_RULE_UNDEFINED || kind == TL_RULE_SAME ||
						   kind == TL_RULE_UNSPECIFIED || row->rules[number].offset == offset);
}

TEST(rows_follow_a_prologue)
{
	/* push rbp; mov rbp, rsp: after 1 byte CFA is r7 + 16 and r6 at CFA - 16, after 3 more CFA is by r6. */
	static const struct {
		tl_u64 address, start, end, cfa_register;
		tl_i64 cfa_offset;
		bool saved;
	} wanted[] = {{CODE, CODE, CODE + 1, 7, 8, false},
		      {CODE + 1, CODE + 1, CODE + 4, 7, 16, true},
		      {CODE + 3, CODE + 1, CODE + 4, 7, 16, true},
		      {CODE + 4, CODE + 4, CODE + 0x100, 6, 16, true},
		      {CODE + 0xff, CODE + 4, CODE + 0x100, 6, 16, true}};
	struct tl_frame_row row;
	struct built built;

	BUILD(&built, "\x41\x0e\x10\x86\x02\x43\x0d\x06");
	for (size_t i = 0; i < TL_COUNT(wanted); i++) {
		REQUIRE(row_of(&built, false, 62, wanted[i].address, &row) == TL_OK);
		CHECK_EQUAL(row.start, wanted[i].start);
		CHECK_EQUAL(row.end, wanted[i].end);
		CHECK(row.cfa.kind == TL_RULE_REGISTER && row.cfa_register == wanted[i].cfa_register &&
		      row.cfa.offset == wanted[i].cfa_offset);
		CHECK(rule_is(&row, 6, wanted[i].saved ? TL_RULE_OFFSET : TL_RULE_UNSPECIFIED, -16));
		CHECK(rule_is(&row, 16, TL_RULE_OFFSET, -8));
		CHECK(row.return_register == 16 && !row.signal_frame && !row.from_debug_frame);
		CHECK(row.function_start == CODE && row.function_end == CODE + 0x100);
	}
	CHECK_EQUAL(row_of(&built, false, 62, CODE + 0x100, &row), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(row_of(&built, false, 62, CODE - 1, &row), TL_ERROR_ARGUMENT);
	CHECK(strstr(error.text, "0xfff") != NULL);
}

TEST(every_instruction_about_a_register)
{
	struct tl_frame_row row;
	struct built built;

	BUILD(&built, "\x05\x01\x03"         /* offset_extended r1, 3 */
		      "\x11\x02\x7f"         /* offset_extended_sf r2, -1 */
		      "\x2f\x03\x02"         /* GNU_negative_offset_extended r3, 2 */
		      "\x14\x04\x02"         /* val_offset r4, 2 */
		      "\x15\x05\x7e"         /* val_offset_sf r5, -2 */
		      "\x07\x08"             /* undefined r8 */
		      "\x08\x09"             /* same_value r9 */
		      "\x09\x0a\x0b"         /* register r10 in r11 */
		      "\x10\x0c\x02\x77\x08" /* expression r12: breg7 8 */
		      "\x16\x0d\x02\x77\x10" /* val_expression r13: breg7 16 */
		      "\x07\x10\x06\x10"     /* undefined r16; restore_extended r16 */
		      "\x8e\x04\xce"         /* offset r14, 4; restore r14 */
		      "\x2e\x20"             /* GNU_args_size */
		      "\x05\x80\x01\x01\x00" /* offset_extended r128, beyond what is kept; nop */
		      "\x13\x7d");           /* def_cfa_offset_sf -3 */
	REQUIRE(row_of(&built, false, 62, CODE, &row) == TL_OK);
	CHECK(rule_is(&row, 0, TL_RULE_UNSPECIFIED, 0));
	CHECK(rule_is(&row, 1, TL_RULE_OFFSET, -24));
	CHECK(rule_is(&row, 2, TL_RULE_OFFSET, 8));
	CHECK(rule_is(&row, 3, TL_RULE_OFFSET, 16));
	CHECK(rule_is(&row, 4, TL_RULE_VALUE_OFFSET, -16));
	CHECK(rule_is(&row, 5, TL_RULE_VALUE_OFFSET, 16));
	CHECK(rule_is(&row, 8, TL_RULE_UNDEFINED, 0));
	CHECK(rule_is(&row, 9, TL_RULE_SAME, 0));
	CHECK(rule_is(&row, 10, TL_RULE_REGISTER, 11));
	CHECK(row.rules[12].kind == TL_RULE_EXPRESSION && row.rules[12].size == 2 && row.rules[12].bytes[1] == 8);
	CHECK(row.rules[13].kind == TL_RULE_VALUE_EXPRESSION && row.rules[13].bytes[1] == 16);
	CHECK(rule_is(&row, 14, TL_RULE_UNSPECIFIED, 0));
	CHECK(rule_is(&row, 16, TL_RULE_OFFSET, -8));
	CHECK(row.cfa_register == 7 && row.cfa.offset == 24);
	CHECK_EQUAL(row.rule_count, 17);
}

TEST(the_canonical_frame_address_in_all_its_forms)
{
	struct tl_frame_row row;
	struct built built;

	BUILD(&built, "\x12\x06\x7e"); /* def_cfa_sf r6, -2 */
	REQUIRE(row_of(&built, false, 62, CODE, &row) == TL_OK);
	CHECK(row.cfa.kind == TL_RULE_REGISTER && row.cfa_register == 6 && row.cfa.offset == 16);
	BUILD(&built, "\x0f\x03\x77\x08\x06"); /* def_cfa_expression: breg7 8; deref */
	REQUIRE(row_of(&built, false, 62, CODE, &row) == TL_OK);
	CHECK(row.cfa.kind == TL_RULE_VALUE_EXPRESSION && row.cfa.size == 3 && row.cfa.bytes[2] == 6);
	BUILD(&built, "\x0f\x03\x77\x08\x06\x0e\x08"); /* an offset makes no sense then */
	CHECK_EQUAL(row_of(&built, false, 62, CODE, &row), TL_ERROR_MALFORMED);
	BUILD(&built, "\x0f\x03\x77\x08\x06\x0d\x06");
	CHECK_EQUAL(row_of(&built, false, 62, CODE, &row), TL_ERROR_MALFORMED);
	BUILD(&built, "\x0f\x03\x77\x08\x06\x0c\x07\x20"); /* but a new register does */
	REQUIRE(row_of(&built, false, 62, CODE, &row) == TL_OK);
	CHECK(row.cfa.kind == TL_RULE_REGISTER && row.cfa_register == 7 && row.cfa.offset == 32);
}

TEST(every_way_to_advance)
{
	struct tl_frame_row row;
	struct built built;

	BUILD(&built, "\x02\x10\x0e\x10\x03\x10\x00\x0e\x18\x04\x10\x00\x00\x00\x0e\x20"
		      "\x1d\x10\x00\x00\x00\x00\x00\x00\x00\x0e\x28");
	for (tl_u64 i = 0; i < 5; i++) {
		REQUIRE(row_of(&built, false, 62, CODE + i * 16, &row) == TL_OK);
		CHECK_EQUAL(row.cfa.offset, 8 + i * 8);
		CHECK_EQUAL(row.start, CODE + i * 16);
		CHECK_EQUAL(row.end, i == 4 ? CODE + 0x100 : CODE + i * 16 + 16);
	}
	BUILD(&built, "\x01\x00\x00\x00\x00\x0e\x10"); /* set_loc, relative to where its operand stands */
	tl_store_little(built.bytes + built.size - 6, CODE + 0x80 - (SECTION_ADDRESS + built.size - 6), 4);
	REQUIRE(row_of(&built, false, 62, CODE + 0x7f, &row) == TL_OK);
	CHECK(row.end == CODE + 0x80 && row.cfa.offset == 8);
	REQUIRE(row_of(&built, false, 62, CODE + 0x80, &row) == TL_OK);
	CHECK(row.start == CODE + 0x80 && row.cfa.offset == 16);
}

TEST(a_state_is_remembered_whole)
{
	struct tl_frame_row row;
	struct built built;

	/* push; remember; epilogue that restores; the way back */
	BUILD(&built, "\x41\x0e\x10\x86\x02\x44\x0a\xc6\x0c\x06\x30\x41\x0b\x44\x0a\x0a\x0b\x0b");
	REQUIRE(row_of(&built, false, 62, CODE + 5, &row) == TL_OK);
	CHECK(row.cfa_register == 6 && row.cfa.offset == 48 && rule_is(&row, 6, TL_RULE_UNSPECIFIED, 0));
	REQUIRE(row_of(&built, false, 62, CODE + 6, &row) == TL_OK);
	CHECK(row.cfa_register == 7 && row.cfa.offset == 16 && rule_is(&row, 6, TL_RULE_OFFSET, -16));
	REQUIRE(row_of(&built, false, 62, CODE + 10, &row) == TL_OK);
	CHECK(row.cfa_register == 7 && row.cfa.offset == 16 && row.end == CODE + 0x100);
	BUILD(&built, "\x0b");
	CHECK_EQUAL(row_of(&built, false, 62, CODE, &row), TL_ERROR_MALFORMED);
	BUILD(&built,
	      "\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a"
	      "\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a");
	CHECK_EQUAL(row_of(&built, false, 62, CODE, &row), TL_ERROR_TOO_LONG);
}

TEST(what_is_not_known_is_said)
{
	struct tl_frame_row row;
	struct built built;

	BUILD(&built, "\x3f");
	CHECK_EQUAL(row_of(&built, false, 62, CODE, &row), TL_ERROR_UNSUPPORTED);
	CHECK(strstr(error.text, "not known") != NULL);
	BUILD(&built, "\x2d"); /* arm64: the return address is signed; nothing on x86-64 */
	CHECK_EQUAL(row_of(&built, false, 62, CODE, &row), TL_ERROR_UNSUPPORTED);
	REQUIRE(row_of(&built, false, 183, CODE, &row) == TL_OK);
	CHECK(row.signed_return);
}

TEST(augmentations)
{
	struct tl_frame_row row;
	struct built built = {.size = 0};
	tl_size common;

	common = eh_common(&built, "zRS", CODE_AND_SIZE(BEGINNING));
	eh_description(&built, common, CODE, 16, "", 0);
	REQUIRE(row_of(&built, false, 62, CODE, &row) == TL_OK);
	CHECK(row.signal_frame && row.cfa.offset == 8);
	built.size = 0;
	common = eh_common(&built, "zPLR", CODE_AND_SIZE(BEGINNING));
	eh_description(&built, common, CODE, 16, "", 0);
	REQUIRE(row_of(&built, false, 62, CODE, &row) == TL_OK);
	CHECK(!row.signal_frame && row.cfa.offset == 8);
	built.size = 0;
	common = eh_common(&built, "zR?", CODE_AND_SIZE(BEGINNING)); /* its size is known, whatever it is */
	eh_description(&built, common, CODE, 16, "", 0);
	REQUIRE(row_of(&built, false, 62, CODE, &row) == TL_OK);
	CHECK_EQUAL(row.cfa.offset, 8);
	built.size = 0;
	common = eh_common(&built, "unheard", CODE_AND_SIZE(BEGINNING));
	eh_description(&built, common, CODE, 16, "", 0);
	CHECK(row_of(&built, false, 62, CODE, &row) != TL_OK);
}

TEST(several_functions_are_found_in_any_order)
{
	struct tl_frame_row row;
	struct built built = {.size = 0};
	tl_size common = eh_common(&built, "zR", CODE_AND_SIZE(BEGINNING));

	for (tl_u64 i = 0; i < 20; i++) {
		tl_u8 code[] = {0x0e, (tl_u8)(16 + (i * 7) % 20)};

		eh_description(&built, common, CODE + (i * 7) % 20 * 32, 24, code, sizeof(code));
		if (i == 10)
			put(&built, 0, 4); /* an empty entry in the middle */
	}
	for (tl_u64 i = 0; i < 20; i++) {
		REQUIRE(row_of(&built, false, 62, CODE + i * 32 + 23, &row) == TL_OK);
		CHECK_EQUAL(row.cfa.offset, 16 + i);
		CHECK_EQUAL(row_of(&built, false, 62, CODE + i * 32 + 24, &row), TL_ERROR_ARGUMENT);
	}
}

/* .debug_frame of version 4 with 64-bit offsets, and of version 1. */
TEST(debug_frame)
{
	struct tl_frame_row row;
	struct built built = {.size = 0};

	put(&built, 0xffffffff, 4);
	put(&built, 23, 8);
	put(&built, TL_U64_MAX, 8);
	put_bytes(&built, "\x04\x00\x08\x00\x04\x78\x10\x0c\x07\x08\x90\x01\x00\x00\x00", 15);
	put(&built, 0xffffffff, 4);
	put(&built, 27, 8);
	put(&built, 0, 8);
	put(&built, CODE, 8);
	put(&built, 0x100, 8);
	put_bytes(&built, "\x41\x0e\x10", 3); /* code alignment 4 */
	REQUIRE(row_of(&built, true, 62, CODE + 3, &row) == TL_OK);
	CHECK(row.from_debug_frame && row.end == CODE + 4 && row.cfa.offset == 8);
	REQUIRE(row_of(&built, true, 62, CODE + 4, &row) == TL_OK);
	CHECK_EQUAL(row.cfa.offset, 16);
	CHECK_EQUAL(row_of(&built, false, 62, CODE + 4, &row), TL_ERROR_ARGUMENT);

	built.size = 0;
	open_entry(&built);
	put(&built, 0xffffffff, 4);
	put_bytes(&built, "\x01\x00\x01\x78\x10\x0c\x07\x08\x90\x01", 10);
	close_entry(&built);
	open_entry(&built);
	put(&built, 0, 4);
	put(&built, CODE, 8);
	put(&built, 0x100, 8);
	close_entry(&built);
	REQUIRE(row_of(&built, true, 62, CODE + 4, &row) == TL_OK);
	CHECK(row.return_register == 16 && row.cfa.offset == 8);
}

/* A whole file's worth, with a table: two functions. */
static void build_with_table(struct built *built, tl_u8 *header, struct tl_frame_sections *sections)
{
	tl_size first;

	BUILD(built, "\x0e\x10");
	first = built->entry;
	eh_description(built, 0, CODE + 0x200, 0x10, CODE_AND_SIZE("\x0e\x18"));
	memcpy(header, "\x01\x1b\x03\x3b", 4);
	tl_store_little(header + 4, 0, 4);
	tl_store_little(header + 8, 2, 4);
	tl_store_little(header + 12, CODE - (tl_u64)0x4000, 4);
	tl_store_little(header + 16, SECTION_ADDRESS + first - 0x4000, 4);
	tl_store_little(header + 20, CODE + 0x200 - (tl_u64)0x4000, 4);
	tl_store_little(header + 24, SECTION_ADDRESS + built->entry - 0x4000, 4);
	*sections = (struct tl_frame_sections){.eh_frame = {built->bytes, built->size, SECTION_ADDRESS},
					       .eh_frame_header = {header, 28, 0x4000},
					       .address_size = 8,
					       .machine = 62};
}

TEST(the_table_is_used_and_not_trusted)
{
	struct tl_frame_sections sections;
	struct tl_call_frames *frames;
	struct tl_frame_row row;
	struct built built;
	tl_u8 header[28];
	tl_u64 calls;

	build_with_table(&built, header, &sections);
	REQUIRE(tl_call_frames_open_sections(&frames, &sections, &error) == TL_OK);
	calls = tl_storage_calls();
	CHECK(tl_call_frames_row(frames, CODE + 1, &row, &error) == TL_OK && row.cfa.offset == 16);
	CHECK(tl_call_frames_row(frames, CODE + 0x20f, &row, &error) == TL_OK && row.cfa.offset == 24);
	CHECK_EQUAL(tl_storage_calls(), calls);
	CHECK_EQUAL(tl_call_frames_row(frames, CODE + 0x210, &row, &error), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_call_frames_row(frames, CODE - 1, &row, &error), TL_ERROR_ARGUMENT);
	/* It now leads out of the section, but the entries are good. */
	tl_store_little(header + 16, 0x7fffffff, 4);
	CHECK(tl_call_frames_row(frames, CODE + 1, &row, &error) == TL_OK && row.cfa.offset == 16);
	CHECK(tl_storage_calls() > calls);
	tl_call_frames_close(frames);
	/* A count that is a lie makes it no table. */
	build_with_table(&built, header, &sections);
	tl_store_little(header + 8, 3, 4);
	REQUIRE(tl_call_frames_open_sections(&frames, &sections, &error) == TL_OK);
	CHECK(tl_call_frames_row(frames, CODE + 1, &row, &error) == TL_OK && row.cfa.offset == 16);
	tl_call_frames_close(frames);
}

TEST(without_memory_there_is_an_error)
{
	struct tl_frame_sections sections = {.address_size = 8};
	struct tl_call_frames *frames;
	struct tl_frame_row row;
	struct built built;

	BUILD(&built, "\x0a\x0b\x0e\x10");
	sections.eh_frame = (struct tl_section_bytes){built.bytes, built.size, SECTION_ADDRESS};
	tl_storage_fail(1);
	CHECK_EQUAL(tl_call_frames_open_sections(&frames, &sections, &error), TL_ERROR_NO_MEMORY);
	REQUIRE(tl_call_frames_open_sections(&frames, &sections, &error) == TL_OK);
	tl_storage_fail(1);
	CHECK_EQUAL(tl_call_frames_row(frames, CODE, &row, &error), TL_ERROR_NO_MEMORY);
	tl_storage_fail(2);
	CHECK_EQUAL(tl_call_frames_row(frames, CODE, &row, &error), TL_ERROR_NO_MEMORY);
	CHECK(tl_call_frames_row(frames, CODE, &row, &error) == TL_OK && row.cfa.offset == 16);
	tl_call_frames_close(frames);
	sections.address_size = 2;
	CHECK_EQUAL(tl_call_frames_open_sections(&frames, &sections, &error), TL_ERROR_ARGUMENT);
}

/* Looks only for crashes, hangs and leaks; a row that comes of it still holds its address. */
static void look_around(const struct built *built)
{
	struct tl_frame_row row;

	for (tl_u64 address = CODE - 1; address < CODE + 0x102; address += 0x31)
		if (row_of(built, false, 62, address, &row) == TL_OK)
			CHECK(row.start <= address && address < row.end);
}

TEST(damage_in_any_byte_is_survived)
{
	static const tl_u8 values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	struct built built;

	BUILD(&built, "\x41\x0e\x10\x86\x02\x44\x0a\xc6\x0c\x06\x30\x10\x0c\x02\x77\x08\x41\x0b");
	for (size_t at = 0; at < built.size; at++) {
		tl_u8 good = built.bytes[at];

		for (size_t i = 0; i < TL_COUNT(values); i++) {
			built.bytes[at] = values[i];
			look_around(&built);
		}
		built.bytes[at] = good;
	}
	while (built.size-- > 0)
		look_around(&built);
}
