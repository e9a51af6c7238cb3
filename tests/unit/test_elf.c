/*
 * The files here are written by the test, in both classes and both byte orders, and then damaged in every byte. The
 * test's own executable serves as the one file that somebody else wrote.
 */
#include "base/elf.h"
#include "base/storage.h"
#include "core/cursor.h"
#include "tests/unit/test.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <unistd.h>

struct image {
	tl_u8 bytes[2048];
	size_t size;
	bool wide, big;
};

static struct tl_error error;

static enum tl_status read_image(void *context, tl_u64 offset, void *buffer, tl_size size)
{
	const struct image *image = context;

	if (offset > image->size || size > image->size - offset)
		return TL_ERROR_TRUNCATED;
	memcpy(buffer, image->bytes + offset, size);
	return TL_OK;
}

static void put(struct image *image, tl_u64 value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		image->bytes[image->size + (image->big ? size - 1 - i : i)] = (tl_u8)(value >> (8 * i));
	image->size += size;
}

static void put_word(struct image *image, tl_u64 value)
{
	put(image, value, image->wide ? 8 : 4);
}

static void put_segment(struct image *image, tl_u32 type, tl_u64 offset, tl_u64 address, tl_u64 size)
{
	put(image, type, 4);
	if (image->wide)
		put(image, 5, 4);
	put_word(image, offset);
	put_word(image, address);
	put_word(image, address);
	put_word(image, size);
	put_word(image, size);
	if (!image->wide)
		put(image, 5, 4);
	put_word(image, 4);
}

static void put_section(struct image *image, tl_u32 type, tl_u64 offset, tl_u64 size, tl_u32 link)
{
	put(image, 0, 4);
	put(image, type, 4);
	put_word(image, 0);
	put_word(image, 0);
	put_word(image, offset);
	put_word(image, size);
	put(image, link, 4);
	put(image, 0, 4);
	put_word(image, 0);
	put_word(image, 0);
}

static void put_symbol(struct image *image, tl_u32 name, tl_u8 info, tl_u16 section, tl_u64 value)
{
	put(image, name, 4);
	if (!image->wide) {
		put(image, value, 4);
		put(image, 16, 4);
	}
	put(image, info, 1);
	put(image, 0, 1);
	put(image, section, 2);
	if (image->wide) {
		put(image, value, 8);
		put(image, 16, 8);
	}
}

#define BASE 0x10000u
#define STRINGS "\0main\0local\0undefined\0both"

/* Header, 4 segments, 4 sections, then: notes, dynamic entries, path, symbols, strings. */
static void build(struct image *image, bool wide, bool big)
{
	size_t header = wide ? 64 : 52, segment = wide ? 56 : 32, section = wide ? 64 : 40, symbol = wide ? 24 : 16;
	size_t sections = header + 4 * segment, notes = sections + 4 * section, dynamic = notes + 44;
	size_t path = dynamic + (wide ? 48 : 24), symbols = path + 8, strings = symbols + 6 * symbol;

	memset(image, 0, sizeof(*image));
	image->wide = wide;
	image->big = big;
	memcpy(image->bytes, "\177ELF", 4);
	image->bytes[EI_CLASS] = wide ? ELFCLASS64 : ELFCLASS32;
	image->bytes[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
	image->size = EI_NIDENT;
	put(image, ET_DYN, 2);
	put(image, EM_RISCV, 2);
	put(image, 1, 4);
	put_word(image, 0x10234);
	put_word(image, header);
	put_word(image, sections);
	put(image, 0x55, 4);
	put(image, header, 2);
	put(image, segment, 2);
	put(image, 4, 2);
	put(image, section, 2);
	put(image, 4, 2);
	put(image, 0, 2);
	put_segment(image, PT_LOAD, 0, BASE, 2048);
	put_segment(image, PT_NOTE, notes, BASE + notes, 44);
	put_segment(image, PT_DYNAMIC, dynamic, BASE + dynamic, path - dynamic);
	put_segment(image, PT_INTERP, path, BASE + path, 8);
	put_section(image, SHT_NULL, 0, 0, 0);
	put_section(image, SHT_SYMTAB, symbols, 5 * symbol, 3);
	put_section(image, SHT_DYNSYM, symbols + 5 * symbol, symbol, 3);
	put_section(image, SHT_STRTAB, strings, sizeof(STRINGS), 0);
	/* A note of another kind, whose content needs padding, and the build id. */
	put(image, 4, 4);
	put(image, 3, 4);
	put(image, 9, 4);
	memcpy(image->bytes + image->size, "GNU\0abc\0", 8);
	image->size += 8;
	put(image, 4, 4);
	put(image, 6, 4);
	put(image, NT_GNU_BUILD_ID, 4);
	memcpy(image->bytes + image->size, "GNU\0\1\2\3\4\5\6\0\0", 12);
	image->size += 12;
	put_word(image, DT_STRTAB);
	put_word(image, 0x777);
	put_word(image, DT_DEBUG);
	put_word(image, 0x12345678);
	put_word(image, DT_NULL);
	put_word(image, 0);
	memcpy(image->bytes + image->size, "/lib/ld", 8);
	image->size += 8;
	put_symbol(image, 0, 0, 0, 0);
	put_symbol(image, 6, STT_OBJECT, 1, 0x100);                  /* local */
	put_symbol(image, 22, STT_FUNC, 1, 0x200);                   /* both, the local one */
	put_symbol(image, 12, STB_GLOBAL << 4, SHN_UNDEF, 0);        /* undefined */
	put_symbol(image, 22, STB_GLOBAL << 4 | STT_FUNC, 1, 0x300); /* both, the global one */
	put_symbol(image, 1, STB_WEAK << 4 | STT_FUNC, 2, 0x400);    /* main, in .dynsym alone */
	memcpy(image->bytes + image->size, STRINGS, sizeof(STRINGS));
	image->size += sizeof(STRINGS);
}

static void check_all(struct image *image, bool in_memory)
{
	struct tl_elf elf;
	struct tl_elf_segment segment;
	struct tl_elf_symbol symbol;
	tl_u8 id[TL_ELF_BUILD_ID_MAX];
	tl_size size = 0;
	tl_u64 value = 0, address = 0;
	char path[8];

	REQUIRE(tl_elf_open(&elf, read_image, image, in_memory, &error) == TL_OK);
	CHECK(elf.wide == image->wide && elf.big_endian == image->big);
	CHECK(elf.type == ET_DYN && elf.machine == EM_RISCV && elf.entry == 0x10234 && elf.flags == 0x55);
	CHECK(elf.segment_count == 4 && elf.section_count == (in_memory ? 0 : 4));
	CHECK(tl_elf_segment(&elf, 0, &segment, &error) == TL_OK && segment.type == PT_LOAD && segment.flags == 5 &&
	      segment.address == BASE && segment.memory_size == 2048 && segment.alignment == 4);
	CHECK_EQUAL(tl_elf_segment(&elf, 4, &segment, &error), TL_ERROR_ARGUMENT);
	CHECK(tl_elf_dynamic(&elf, DT_DEBUG, &value, &address, &error) == TL_OK && value == 0x12345678);
	CHECK(tl_load_little(image->bytes + (address - BASE), 1) == (image->big ? (image->wide ? 0 : 0x12) : 0x78));
	CHECK_EQUAL(tl_elf_dynamic(&elf, DT_SYMTAB, &value, NULL, &error), TL_ERROR_ARGUMENT);
	CHECK(tl_elf_build_id(&elf, id, &size, &error) == TL_OK && size == 6 && memcmp(id, "\1\2\3\4\5\6", 6) == 0);
	CHECK(tl_elf_interpreter(&elf, path, sizeof(path), &error) == TL_OK);
	CHECK_TEXT(path, "/lib/ld");
	CHECK_EQUAL(tl_elf_interpreter(&elf, path, sizeof(path) - 1, &error), TL_ERROR_MALFORMED);
	if (in_memory)
		return;
	CHECK(tl_elf_symbol(&elf, "local", &symbol, &error) == TL_OK && symbol.value == 0x100 &&
	      symbol.type == STT_OBJECT && symbol.binding == STB_LOCAL && symbol.size == 16);
	CHECK(tl_elf_symbol(&elf, "both", &symbol, &error) == TL_OK && symbol.value == 0x300);
	CHECK(tl_elf_symbol(&elf, "main", &symbol, &error) == TL_OK && symbol.value == 0x400 && symbol.section == 2);
	CHECK_EQUAL(tl_elf_symbol(&elf, "undefined", &symbol, &error), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_elf_symbol(&elf, "mai", &symbol, &error), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_elf_symbol(&elf, "both2", &symbol, &error), TL_ERROR_ARGUMENT);
	CHECK(strstr(error.text, "\"both2\"") != NULL);
}

TEST(both_classes_and_both_byte_orders)
{
	for (int i = 0; i < 4; i++) {
		struct image image;

		build(&image, i & 1, i & 2);
		check_all(&image, false);
		check_all(&image, true);
	}
}

/* Reads everything there is to read and looks only for crashes, hangs and leaks. */
static void read_all(struct image *image)
{
	tl_u64 live = tl_storage_live(), value;
	struct tl_elf elf;
	struct tl_elf_symbol symbol;
	struct tl_elf_section section;
	tl_u8 id[TL_ELF_BUILD_ID_MAX];
	tl_size size;
	char path[16];

	for (int in_memory = 0; in_memory < 2; in_memory++) {
		if (tl_elf_open(&elf, read_image, image, in_memory, &error) != TL_OK) {
			CHECK(error.text[0] != '\0');
			continue;
		}
		if (tl_elf_build_id(&elf, id, &size, &error) == TL_OK)
			CHECK(size <= sizeof(id));
		if (tl_elf_interpreter(&elf, path, sizeof(path), &error) == TL_OK)
			CHECK(strlen(path) < sizeof(path));
		(void)!tl_elf_dynamic(&elf, DT_DEBUG, &value, NULL, &error);
		(void)!tl_elf_symbol(&elf, "main", &symbol, &error);
		(void)!tl_elf_symbol(&elf, "", &symbol, &error);
		(void)!tl_elf_section(&elf, TL_U32_MAX, &section, &error);
	}
	CHECK_EQUAL(tl_storage_live(), live);
}

TEST(damage_in_any_byte_is_survived)
{
	static const tl_u8 values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

	for (int i = 0; i < 4; i++) {
		struct image image;

		build(&image, i & 1, i & 2);
		for (size_t at = 0; at < image.size; at++) {
			tl_u8 good = image.bytes[at];

			for (size_t j = 0; j < TL_COUNT(values); j++) {
				image.bytes[at] = values[j];
				read_all(&image);
			}
			image.bytes[at] = good;
		}
	}
}

TEST(a_file_may_end_anywhere)
{
	for (int i = 0; i < 4; i++) {
		struct image image;

		build(&image, i & 1, i & 2);
		while (image.size-- > 0)
			read_all(&image);
	}
}

TEST(random_damage_is_survived)
{
	tl_u64 random = 88172645463325252u;

	for (int i = 0; i < 20000; i++) {
		struct image image;

		build(&image, i & 1, i & 2);
		for (int j = 0; j < 8; j++) {
			/* xorshift (Marsaglia 2003) */
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			image.bytes[(random >> 8) % image.size] = (tl_u8)random;
		}
		read_all(&image);
	}
}

TEST(what_is_no_elf_file_is_told)
{
	struct image image = {.size = 100, .bytes = "#!/bin/sh\n"};
	struct tl_elf elf;

	CHECK_EQUAL(tl_elf_open(&elf, read_image, &image, false, &error), TL_ERROR_MALFORMED);
	CHECK_TEXT(error.text, "not an ELF file");
	image.size = 3;
	CHECK_EQUAL(tl_elf_open(&elf, read_image, &image, false, &error), TL_ERROR_TRUNCATED);
}

/* Section 0 holds the counts that are too large for the header. */
TEST(counts_beyond_sixteen_bits)
{
	struct image image;
	struct tl_elf elf;

	build(&image, true, false);
	tl_store_little(image.bytes + offsetof(Elf64_Ehdr, e_phnum), PN_XNUM, 2);
	tl_store_little(image.bytes + offsetof(Elf64_Ehdr, e_shnum), 0, 2);
	tl_store_little(image.bytes + 64 + 4 * 56 + offsetof(Elf64_Shdr, sh_info), 4, 4);
	tl_store_little(image.bytes + 64 + 4 * 56 + offsetof(Elf64_Shdr, sh_size), 4, 8);
	REQUIRE(tl_elf_open(&elf, read_image, &image, false, &error) == TL_OK);
	CHECK(elf.segment_count == 4 && elf.section_count == 4);
	check_all(&image, false);
}

TEST(a_size_that_is_a_lie_costs_no_storage)
{
	struct image image;
	struct tl_elf elf;
	struct tl_elf_symbol symbol;
	tl_u64 calls;

	build(&image, true, false);
	tl_store_little(image.bytes + 64 + 4 * 56 + 3 * 64 + offsetof(Elf64_Shdr, sh_size), 400 << 20, 8);
	REQUIRE(tl_elf_open(&elf, read_image, &image, false, &error) == TL_OK);
	calls = tl_storage_calls();
	CHECK_EQUAL(tl_elf_symbol(&elf, "main", &symbol, &error), TL_ERROR_TRUNCATED);
	CHECK_EQUAL(tl_storage_calls(), calls);
}

TEST(without_memory_there_is_an_error)
{
	struct image image;
	struct tl_elf elf;
	struct tl_elf_symbol symbol;

	build(&image, true, false);
	REQUIRE(tl_elf_open(&elf, read_image, &image, false, &error) == TL_OK);
	tl_storage_fail(1);
	CHECK_EQUAL(tl_elf_symbol(&elf, "main", &symbol, &error), TL_ERROR_NO_MEMORY);
}

__attribute__((noinline, used)) static int a_function_of_this_program(void)
{
	return 1;
}

static enum tl_status read_own_memory(void *context, tl_u64 offset, void *buffer, tl_size size)
{
	memcpy(buffer, (const char *)context + offset, size);
	return TL_OK;
}

/* The header of this program, which stands in the same page as its program headers. */
static void *own_header(void)
{
	return (void *)(getauxval(AT_PHDR) & ~(unsigned long)4095);
}

TEST(this_very_program)
{
	int descriptor = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct tl_elf elf, memory;
	struct tl_elf_symbol main_symbol, symbol;
	tl_u8 id[2][TL_ELF_BUILD_ID_MAX];
	tl_size size[2] = {0, 0};
	tl_u64 value = 0, address = 0;
	char path[256];

	REQUIRE(descriptor >= 0);
	REQUIRE(tl_elf_open(&elf, tl_elf_read_descriptor, &descriptor, false, &error) == TL_OK);
	REQUIRE(tl_elf_open(&memory, read_own_memory, own_header(), true, &error) == TL_OK);
	CHECK_EQUAL(elf.entry, memory.entry);
	REQUIRE(tl_elf_symbol(&elf, "a_function_of_this_program", &symbol, &error) == TL_OK);
	REQUIRE(tl_elf_symbol(&elf, "main", &main_symbol, &error) == TL_OK);
	CHECK_EQUAL(symbol.value - main_symbol.value, (uintptr_t)a_function_of_this_program - (uintptr_t)main);
	CHECK_EQUAL(symbol.type, STT_FUNC);
	if (tl_elf_build_id(&elf, id[0], &size[0], &error) == TL_OK)
		CHECK(tl_elf_build_id(&memory, id[1], &size[1], &error) == TL_OK && size[0] == size[1] &&
		      memcmp(id[0], id[1], size[0]) == 0);
	CHECK(tl_elf_interpreter(&memory, path, sizeof(path), &error) == TL_OK && access(path, R_OK) == 0);
	REQUIRE(tl_elf_dynamic(&memory, DT_DEBUG, &value, &address, &error) == TL_OK);
	CHECK(((const struct r_debug *)(uintptr_t)value)->r_map->l_ld == _DYNAMIC);
	CHECK(tl_elf_dynamic(&elf, DT_DEBUG, &value, NULL, &error) == TL_OK && value == 0);
	close(descriptor);
}
