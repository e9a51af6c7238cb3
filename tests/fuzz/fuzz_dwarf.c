/* Images, debug information, the index and ELF symbols, of a file that is the input; or a kept index that is. */
#include "base/storage.h"
#include "symbols/elf_symbols.h"
#include "symbols/index_internal.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Small inputs can claim much; what is looked at of each kind is bounded, so that one input takes no long time. */
#define ENTRIES_MAX 4000u
#define CALLS_MAX 200u

static bool range(void *context, tl_u64 start, tl_u64 end)
{
	unsigned *left = context;

	if (start >= end)
		abort();
	return (*left)-- != 1;
}

static bool location(void *context, tl_u64 start, tl_u64 end, const tl_u8 *bytes, tl_size size)
{
	unsigned *left = context;
	unsigned sum = 0;

	for (tl_size i = 0; i < size; i++)
		sum += bytes[i];
	if (start >= end || sum == 1u << 31)
		abort();
	return (*left)-- != 1;
}

static bool attribute(void *context, const struct tl_attribute *value)
{
	unsigned left = CALLS_MAX;
	struct tl_entry entry;

	(void)context;
	if (value->kind == TL_CLASS_STRING && value->text != NULL && strlen(value->text) == (size_t)-2)
		abort();
	if ((value->kind == TL_CLASS_REFERENCE || value->kind == TL_CLASS_SIGNATURE) &&
	    tl_entry_follow(value, &entry, NULL) == TL_OK &&
	    (entry.offset < entry.unit->first_entry || entry.offset >= entry.unit->end))
		abort();
	if (value->name == DW_AT_location || value->name == DW_AT_frame_base)
		(void)!tl_entry_locations(value, location, &left, NULL);
	return true;
}

static void walk(const struct tl_unit *unit, unsigned *left)
{
	struct tl_attribute name;
	struct tl_entry entry, other;
	bool done = false;

	if (tl_entry_top(unit, &entry, NULL) != TL_OK)
		return;
	while (!done && *left > 0) {
		unsigned ranges = CALLS_MAX;

		--*left;
		(void)!tl_entry_attributes(&entry, attribute, NULL, NULL);
		(void)!tl_entry_inherited(&entry, DW_AT_name, &name, NULL);
		(void)!tl_entry_ranges(&entry, range, &ranges, NULL);
		(void)!tl_entry_child(&entry, &other, NULL);
		if (tl_entry_sibling(&entry, &other, NULL) == TL_OK && other.tag != 0 && other.offset <= entry.offset)
			abort();
		if (tl_entry_next(&entry, &entry, &done, NULL) != TL_OK)
			break;
	}
}

static bool indexed(void *context, const struct tl_indexed *found)
{
	const struct tl_index *index = *(const struct tl_index **)context;
	char scope[64];

	(void)tl_index_scope(index, found->scope, scope, sizeof(scope));
	if (memchr(scope, 0, sizeof(scope)) == NULL || found->unit == NULL || found->offset >= found->unit->end)
		abort();
	return true;
}

static void search(const struct tl_index *index, const char *name)
{
	(void)!tl_index_find(index, name, TL_INDEX_ALL, indexed, &index, NULL);
}

static void use_index(const struct tl_index *index)
{
	tl_index_each(index, TL_INDEX_ALL, indexed, &index);
	search(index, "main");
	search(index, "a::b");
	search(index, "f<int>");
	search(index, "::s::f");
	(void)tl_index_unit(index, 0x1000);
	(void)tl_index_unit(index, 0x401000);
}

static bool one_symbol(void *context, const struct tl_elf_name *symbol)
{
	(void)context;
	return symbol->name != NULL;
}

static void use_symbols(struct tl_image *image)
{
	struct tl_elf_symbols *symbols = NULL;
	struct tl_elf_name symbol;

	if (tl_elf_symbols_open(&symbols, image, NULL) != TL_OK)
		return;
	(void)!tl_elf_symbols_find(symbols, "main", one_symbol, NULL, NULL);
	(void)!tl_elf_symbols_find(symbols, "puts@plt", one_symbol, NULL, NULL);
	for (tl_size i = 0; i < tl_elf_symbols_count(symbols) && i < CALLS_MAX; i++) {
		symbol = tl_elf_symbols_get(symbols, i);
		(void)!tl_elf_symbols_at(symbols, symbol.address + symbol.size / 2, &symbol, NULL);
	}
	tl_elf_symbols_close(symbols);
}

static void use_image(struct tl_image *image)
{
	struct tl_index_options options = {.threads = 1};
	struct tl_dwarf *dwarf = NULL;
	struct tl_index *index = NULL;
	unsigned left = ENTRIES_MAX;

	use_symbols(image);
	if (tl_dwarf_open(&dwarf, image, NULL) != TL_OK)
		return;
	for (tl_size i = 0; i < tl_dwarf_unit_count(dwarf); i++)
		walk(tl_dwarf_unit(dwarf, i), &left);
	if (tl_index_build(&index, dwarf, &options, NULL) == TL_OK)
		use_index(index);
	tl_index_close(index);
	tl_dwarf_close(dwarf);
}

/* An index from a file whose checksum is right, but whose content need not be. */
static void use_block(struct tl_dwarf *dwarf, const uint8_t *bytes, size_t size)
{
	tl_u8 *copy = malloc(size);
	struct tl_index index = {.dwarf = dwarf, .block = copy, .size = size};

	if (copy == NULL)
		return;
	memcpy(copy, bytes, size);
	if (tl_index_lay_out(&index) && copy[size - 1] == 0)
		use_index(&index);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct tl_image *image = NULL;
	tl_u64 magic = TL_INDEX_MAGIC;

	if (size >= sizeof(magic) && memcmp(bytes, &magic, sizeof(magic)) == 0) {
		/* The program that is being fuzzed has units enough that entries can lead to. */
		static struct tl_image *own;
		static struct tl_dwarf *dwarf;
		static const struct tl_image_options alone = {.alone = true};
		tl_u64 before;

		if (dwarf == NULL && tl_image_open(&own, "/proc/self/exe", &alone, NULL) == TL_OK &&
		    tl_dwarf_open(&dwarf, own, NULL) != TL_OK)
			abort();
		before = tl_storage_live();
		use_block(dwarf, bytes, size);
		if (tl_storage_live() != before)
			abort();
		return 0;
	}
	{
		tl_u64 before = tl_storage_live();

		if (tl_image_open_bytes(&image, "input", bytes, size, NULL) == TL_OK)
			use_image(image);
		tl_image_close(image);
		if (tl_storage_live() != before)
			abort();
	}
	return 0;
}
