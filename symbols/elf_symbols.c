#include "symbols/elf_symbols.h"

#include "base/storage.h"
#include "symbols/bytes.h"

#include <elf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* How far the search for an enclosing symbol goes back: labels inside an assembler function are the reason. */
#define BACK_MAX 256
/* Of stubs: more than any linker makes of one library. */
#define STUBS_MAX (1u << 20)

/* One symbol in the order of addresses. */
struct place {
	tl_u64 address;
	tl_u32 index;
	tl_u32 rank; /* of several at one address the highest counts */
};

struct stub {
	tl_u64 address, size;
	char *name; /* ours */
};

struct tl_elf_symbols {
	struct tl_image *image;
	bool wide;
	bool dynamic; /* `table` is .dynsym */
	struct tl_section_bytes table, strings;
	tl_size entry, count; /* bytes of an entry, number of entries in `table` */
	tl_u32 *kept;         /* indexes in `table` of those that are not left out */
	tl_size kept_count;
	struct stub *stubs;
	tl_size stub_count, stub_capacity;
	pthread_mutex_t lock; /* held while one of these is made */
	atomic_bool sorted, hashed;
	struct place *places;
	tl_size place_count, place_capacity;
	/* By name: where a chain begins, then what follows each symbol in its chain; index + 1, 0 for none. */
	tl_u32 *chains;
	tl_size head_count; /* a power of two */
};

static struct tl_elf_name read_entry(const struct tl_elf_symbols *symbols, const struct tl_section_bytes *table,
				     const struct tl_section_bytes *strings, tl_size index)
{
	struct tl_cursor cursor = tl_cursor_make(table->bytes + index * symbols->entry, symbols->entry), text;
	struct tl_elf_name symbol = {.origin = symbols->dynamic ? TL_ELF_DYNSYM : TL_ELF_SYMTAB};
	tl_u32 name = tl_take_u32(&cursor);
	tl_u8 info;

	if (!symbols->wide) {
		symbol.address = tl_take_u32(&cursor);
		symbol.size = tl_take_u32(&cursor);
	}
	info = tl_take_u8(&cursor);
	(void)tl_take_u8(&cursor);
	symbol.section = tl_take_u16(&cursor);
	if (symbols->wide) {
		symbol.address = tl_take_u64(&cursor);
		symbol.size = tl_take_u64(&cursor);
	}
	symbol.type = info & 15;
	symbol.binding = info >> 4;
	text = tl_cursor_make(strings->bytes, strings->size);
	tl_take_skip(&text, name);
	symbol.name = tl_take_text(&text);
	if (symbol.name == NULL)
		symbol.name = "";
	return symbol;
}

tl_size tl_elf_symbols_count(const struct tl_elf_symbols *symbols)
{
	return symbols->kept_count + symbols->stub_count;
}

struct tl_elf_name tl_elf_symbols_get(const struct tl_elf_symbols *symbols, tl_size index)
{
	const struct stub *stub;

	if (index < symbols->kept_count)
		return read_entry(symbols, &symbols->table, &symbols->strings, symbols->kept[index]);
	index -= symbols->kept_count;
	if (index >= symbols->stub_count)
		return (struct tl_elf_name){.name = ""};
	stub = &symbols->stubs[index];
	return (struct tl_elf_name){.name = stub->name,
				    .address = stub->address,
				    .size = stub->size,
				    .type = STT_FUNC,
				    .origin = TL_ELF_PLT};
}

/* ============================================================ stubs ============================================== */

/* Where a stub of x86 jumps through: `jmp *slot`, behind an endbr and a bnd prefix where there are some. */
static bool read_stub(const tl_u8 *bytes, tl_size size, bool wide, tl_u64 address, tl_u64 got, tl_u64 *slot_ret)
{
	tl_size at = 0;
	tl_u32 operand;

	if (size >= 4 && bytes[0] == 0xf3 && bytes[1] == 0x0f && bytes[2] == 0x1e &&
	    (bytes[3] == 0xfa || bytes[3] == 0xfb))
		at = 4;
	if (at < size && bytes[at] == 0xf2)
		at++;
	if (size - at < 6 || bytes[at] != 0xff)
		return false;
	operand = (tl_u32)tl_load_little(bytes + at + 2, 4);
	if (bytes[at + 1] == 0x25)
		*slot_ret = wide ? address + at + 6 + (tl_u64)(tl_i64)(tl_i32)operand : operand;
	else if (bytes[at + 1] == 0xa3 && !wide)
		*slot_ret = (tl_u32)(got + operand);
	else
		return false;
	return true;
}

/* The relocations of one section, as slot and index of a dynamic symbol. */
struct slots {
	struct place *list; /* address: the slot; index: of the symbol */
	tl_size count, capacity;
};

static int by_address(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static enum tl_status read_relocations(struct tl_elf_symbols *symbols, enum tl_section section, bool addends,
				       struct slots *slots, struct tl_error *error)
{
	tl_size word = symbols->wide ? 8 : 4;
	struct tl_section_bytes bytes;
	struct tl_cursor cursor;

	TL_TRY(tl_image_section(symbols->image, section, &bytes, error));
	cursor = tl_cursor_make(bytes.bytes, bytes.size);
	while (tl_cursor_left(&cursor) >= (addends ? 3 : 2) * word && slots->count < STUBS_MAX) {
		tl_u64 slot = tl_take_word(&cursor, word), info = tl_take_word(&cursor, word);
		void *list = slots->list;
		tl_u64 symbol = symbols->wide ? info >> 32 : info >> 8;

		tl_take_skip(&cursor, addends ? word : 0);
		if (symbol == 0)
			continue;
		if (!tl_grow(tl_storage(), &list, &slots->capacity, slots->count, sizeof(*slots->list)))
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the names of stubs");
		slots->list = list;
		slots->list[slots->count++] = (struct place){slot, (tl_u32)symbol, 0};
	}
	return TL_OK;
}

static enum tl_status add_stub(struct tl_elf_symbols *symbols, tl_u64 address, tl_u64 size, const char *name,
			       struct tl_error *error)
{
	tl_size length = strlen(name);
	void *stubs = symbols->stubs;
	char *text;

	if (!tl_grow(tl_storage(), &stubs, &symbols->stub_capacity, symbols->stub_count, sizeof(*symbols->stubs)))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the names of stubs");
	symbols->stubs = stubs;
	text = tl_allocate(tl_storage(), length + sizeof("@plt"));
	if (text == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the names of stubs");
	memcpy(text, name, length + 1);
	memcpy(text + length, "@plt", sizeof("@plt"));
	symbols->stubs[symbols->stub_count++] = (struct stub){address, size, text};
	return TL_OK;
}

/* Names the stubs of one section by the slots that they jump through. */
static enum tl_status name_stubs(struct tl_elf_symbols *symbols, enum tl_section section, const struct slots *slots,
				 tl_u64 got, struct tl_error *error)
{
	struct tl_section_bytes table, strings, stubs;
	bool small;
	tl_size step;

	TL_TRY(tl_image_section(symbols->image, section, &stubs, error));
	TL_TRY(tl_image_section(symbols->image, TL_SECTION_DYNSYM, &table, error));
	TL_TRY(tl_image_section(symbols->image, TL_SECTION_DYNSTR, &strings, error));
	/* Stubs of .plt.got have 8 bytes, unless they begin with an endbr. */
	small = section == TL_SECTION_PLT_GOT && stubs.size >= 1 && stubs.bytes[0] == 0xff;
	step = small ? 8 : 16;
	for (tl_size at = 0; at + step <= stubs.size && symbols->stub_count < STUBS_MAX; at += step) {
		struct place wanted = {0}, *found = NULL;

		if (read_stub(stubs.bytes + at, step, symbols->wide, stubs.address + at, got, &wanted.address) &&
		    slots->count != 0)
			found = bsearch(&wanted, slots->list, slots->count, sizeof(wanted), by_address);
		if (found != NULL && found->index < table.size / symbols->entry)
			TL_TRY(add_stub(symbols, stubs.address + at, step,
					read_entry(symbols, &table, &strings, found->index).name, error));
	}
	return TL_OK;
}

static enum tl_status find_stubs(struct tl_elf_symbols *symbols, struct tl_error *error)
{
	static const enum tl_section sections[] = {TL_SECTION_PLT, TL_SECTION_PLT_SEC, TL_SECTION_PLT_GOT};
	const struct tl_elf *elf = tl_image_elf(symbols->image);
	struct tl_section_bytes got;
	struct slots slots = {0};
	enum tl_status status;

	if (elf->machine != EM_X86_64 && elf->machine != EM_386)
		return TL_OK;
	TL_TRY(tl_image_section(symbols->image, TL_SECTION_GOT_PLT, &got, error));
	status = read_relocations(symbols, TL_SECTION_RELA_PLT, true, &slots, error);
	if (status == TL_OK)
		status = read_relocations(symbols, TL_SECTION_RELA_DYN, true, &slots, error);
	if (status == TL_OK)
		status = read_relocations(symbols, TL_SECTION_REL_PLT, false, &slots, error);
	if (status == TL_OK)
		status = read_relocations(symbols, TL_SECTION_REL_DYN, false, &slots, error);
	if (slots.count != 0)
		qsort(slots.list, slots.count, sizeof(*slots.list), by_address);
	for (tl_size i = 0; status == TL_OK && i < TL_COUNT(sections); i++)
		status = name_stubs(symbols, sections[i], &slots, got.address, error);
	tl_release(tl_storage(), slots.list, slots.capacity * sizeof(*slots.list));
	return status;
}

/* ============================================================ opening ============================================ */

/* Mapping symbols of ARM and RISC-V say what is code; they name nothing. */
static bool is_wanted(const struct tl_elf_symbols *symbols, const struct tl_elf_name *symbol)
{
	tl_u16 machine = tl_image_elf(symbols->image)->machine;

	return symbol->section != SHN_UNDEF && symbol->type != STT_FILE && symbol->type != STT_SECTION &&
	       symbol->name[0] != 0 && (symbol->name[0] != '$' || machine == EM_X86_64 || machine == EM_386);
}

static enum tl_status read_table(struct tl_elf_symbols *symbols, struct tl_error *error)
{
	TL_TRY(tl_image_section(symbols->image, TL_SECTION_SYMTAB, &symbols->table, error));
	TL_TRY(tl_image_section(symbols->image, TL_SECTION_STRTAB, &symbols->strings, error));
	symbols->dynamic = symbols->table.size == 0;
	if (symbols->dynamic) {
		TL_TRY(tl_image_section(symbols->image, TL_SECTION_DYNSYM, &symbols->table, error));
		TL_TRY(tl_image_section(symbols->image, TL_SECTION_DYNSTR, &symbols->strings, error));
	}
	symbols->count = symbols->table.size / symbols->entry;
	if (symbols->count > TL_U32_MAX / 4)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged ELF file: %zu symbols", symbols->count);
	if (symbols->count == 0)
		return TL_OK;
	symbols->kept = tl_allocate(tl_storage(), symbols->count * sizeof(*symbols->kept));
	if (symbols->kept == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for %zu symbols", symbols->count);
	for (tl_size i = 1; i < symbols->count; i++) {
		struct tl_elf_name symbol = read_entry(symbols, &symbols->table, &symbols->strings, i);

		if (is_wanted(symbols, &symbol))
			symbols->kept[symbols->kept_count++] = (tl_u32)i;
	}
	return TL_OK;
}

enum tl_status tl_elf_symbols_open(struct tl_elf_symbols **symbols_ret, struct tl_image *image, struct tl_error *error)
{
	struct tl_elf_symbols *symbols = tl_allocate(tl_storage(), sizeof(*symbols));
	enum tl_status status;

	if (symbols == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for symbols");
	symbols->image = image;
	symbols->wide = tl_image_elf(image)->wide;
	symbols->entry = symbols->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	(void)pthread_mutex_init(&symbols->lock, NULL);
	status = read_table(symbols, error);
	if (status == TL_OK)
		status = find_stubs(symbols, error);
	if (status != TL_OK) {
		tl_elf_symbols_close(symbols);
		return status;
	}
	*symbols_ret = symbols;
	return TL_OK;
}

void tl_elf_symbols_close(struct tl_elf_symbols *symbols)
{
	if (symbols == NULL)
		return;
	for (tl_size i = 0; i < symbols->stub_count; i++)
		tl_release(tl_storage(), symbols->stubs[i].name, strlen(symbols->stubs[i].name) + 1);
	tl_release(tl_storage(), symbols->stubs, symbols->stub_capacity * sizeof(*symbols->stubs));
	tl_release(tl_storage(), symbols->kept, symbols->count * sizeof(*symbols->kept));
	tl_release(tl_storage(), symbols->places, symbols->place_capacity * sizeof(*symbols->places));
	tl_release(tl_storage(), symbols->chains,
		   (symbols->head_count + tl_elf_symbols_count(symbols)) * sizeof(*symbols->chains));
	(void)pthread_mutex_destroy(&symbols->lock);
	tl_release(tl_storage(), symbols, sizeof(*symbols));
}

/* ============================================================ by address ========================================= */

static tl_u32 rank_of(const struct tl_elf_name *symbol)
{
	return (tl_u32)(symbol->size != 0) << 1 | (symbol->binding != STB_LOCAL);
}

/*
 * Of several at one address those whose size is known, of these the ones that all may use, and of these the last by
 * name: which of a function's aliases it is called by is of no matter, but all have to choose the same, as gdb does.
 */
static int by_place(const void *a, const void *b, void *context)
{
	const struct tl_elf_symbols *symbols = context;
	const struct place *x = a, *y = b;
	struct tl_elf_name left, right;
	int order = by_address(a, b);

	if (order != 0)
		return order;
	left = tl_elf_symbols_get(symbols, x->index);
	right = tl_elf_symbols_get(symbols, y->index);
	order = strcmp(left.name, right.name);
	return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static enum tl_status sort(struct tl_elf_symbols *symbols, struct tl_error *error)
{
	tl_size count = tl_elf_symbols_count(symbols), used = 0;
	struct place *places;

	if (count == 0)
		return TL_OK;
	places = tl_allocate(tl_storage(), count * sizeof(*places));
	if (places == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory to sort %zu symbols", count);
	for (tl_size i = 0; i < count; i++) {
		struct tl_elf_name symbol = tl_elf_symbols_get(symbols, i);

		if (symbol.section != SHN_ABS && symbol.section != SHN_COMMON && symbol.type != STT_TLS)
			places[used++] = (struct place){symbol.address, (tl_u32)i, rank_of(&symbol)};
	}
	qsort_r(places, used, sizeof(*places), by_place, symbols);
	symbols->places = places;
	symbols->place_count = used;
	symbols->place_capacity = count;
	return TL_OK;
}

/* Makes something under the lock, once. */
static enum tl_status make(struct tl_elf_symbols *symbols, atomic_bool *made,
			   enum tl_status (*how)(struct tl_elf_symbols *symbols, struct tl_error *error),
			   struct tl_error *error)
{
	enum tl_status status = TL_OK;

	if (atomic_load_explicit(made, memory_order_acquire))
		return TL_OK;
	(void)pthread_mutex_lock(&symbols->lock);
	if (!atomic_load_explicit(made, memory_order_relaxed))
		status = how(symbols, error);
	if (status == TL_OK)
		atomic_store_explicit(made, true, memory_order_release);
	(void)pthread_mutex_unlock(&symbols->lock);
	return status;
}

/* A symbol without size reaches to the end of its section at the most. */
static bool in_section(const struct tl_elf_symbols *symbols, const struct tl_elf_name *symbol, tl_u64 address)
{
	struct tl_elf_section section;

	return tl_elf_section(tl_image_elf(symbols->image), symbol->section, &section, NULL) == TL_OK &&
	       address >= section.address && address - section.address < section.size;
}

enum tl_status tl_elf_symbols_at(struct tl_elf_symbols *symbols, tl_u64 address, struct tl_elf_name *name_ret,
				 struct tl_error *error)
{
	struct tl_elf_name symbol, nearest = {0};
	tl_size low = 0, high;
	bool blocked = false;

	TL_TRY(make(symbols, &symbols->sorted, sort, error));
	high = symbols->place_count;
	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (symbols->places[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (tl_size back = 0; back < BACK_MAX && low > 0; back++, low--) {
		symbol = tl_elf_symbols_get(symbols, symbols->places[low - 1].index);
		if (address - symbol.address < symbol.size) {
			*name_ret = symbol;
			return TL_OK;
		}
		if (symbol.size != 0)
			blocked = true;
		else if (!blocked && nearest.name == NULL)
			nearest = symbol;
	}
	if (nearest.name == NULL || !in_section(symbols, &nearest, address))
		return TL_ERROR_ARGUMENT;
	*name_ret = nearest;
	return TL_OK;
}

/* ============================================================ by name ============================================ */

/* The length of a name without its version. Stubs keep what is behind their '@'. */
static tl_size plain_length(const struct tl_elf_name *symbol)
{
	const char *version = symbol->origin != TL_ELF_PLT && symbol->name[0] != '@' ? strchr(symbol->name, '@') : NULL;

	return version != NULL ? (tl_size)(version - symbol->name) : strlen(symbol->name);
}

static tl_u64 hash_of(const char *text, tl_size length)
{
	tl_u64 hash = 0xcbf29ce484222325;

	for (tl_size i = 0; i < length; i++)
		hash = (hash ^ (tl_u8)text[i]) * 0x100000001b3;
	return hash ^ hash >> 32;
}

static enum tl_status make_chains(struct tl_elf_symbols *symbols, struct tl_error *error)
{
	tl_size count = tl_elf_symbols_count(symbols), heads = 16;
	tl_u32 *chains;

	while (heads < count)
		heads *= 2;
	chains = tl_allocate(tl_storage(), (heads + count) * sizeof(*chains));
	if (chains == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory to sort %zu symbols", count);
	/* From behind, so that a chain has the order of the file. */
	for (tl_size i = count; i-- > 0;) {
		struct tl_elf_name symbol = tl_elf_symbols_get(symbols, i);
		tl_u64 head = hash_of(symbol.name, plain_length(&symbol)) & (heads - 1);

		chains[heads + i] = chains[head];
		chains[head] = (tl_u32)(i + 1);
	}
	symbols->chains = chains;
	symbols->head_count = heads;
	return TL_OK;
}

enum tl_status tl_elf_symbols_find(struct tl_elf_symbols *symbols, const char *name,
				   bool (*call)(void *context, const struct tl_elf_name *symbol), void *context,
				   struct tl_error *error)
{
	const char *version = name[0] != 0 ? strchr(name + 1, '@') : NULL;
	tl_size length = strlen(name);
	/* Stubs are found by their whole name. */
	tl_size plain = version != NULL && strcmp(version, "@plt") != 0 ? (tl_size)(version - name) : length;
	tl_u32 at;

	TL_TRY(make(symbols, &symbols->hashed, make_chains, error));
	at = symbols->chains[hash_of(name, plain) & (symbols->head_count - 1)];
	for (; at != 0; at = symbols->chains[symbols->head_count + at - 1]) {
		struct tl_elf_name symbol = tl_elf_symbols_get(symbols, at - 1);

		if (plain_length(&symbol) != plain || memcmp(symbol.name, name, plain) != 0 ||
		    (plain != length && strcmp(symbol.name, name) != 0))
			continue;
		if (!call(context, &symbol))
			break;
	}
	return TL_OK;
}
