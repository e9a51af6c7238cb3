#include "targets/kvm/page_walk.h"

#include "core/cpu/x86_system.h"

#define PRESENT ((tl_u64)1 << 0)
#define WRITABLE ((tl_u64)1 << 1)
#define USER ((tl_u64)1 << 2)
#define ACCESSED ((tl_u64)1 << 5)
#define DIRTY ((tl_u64)1 << 6)
#define LARGE ((tl_u64)1 << 7)
#define GLOBAL ((tl_u64)1 << 8)
#define NO_EXECUTE ((tl_u64)1 << 63)

/* Bits 51 to 12 of a 64-bit entry are an address. */
#define ADDRESS ((tl_u64)0x000ffffffffff000)

struct tl_page_tables tl_page_tables_of(const struct kvm_sregs *system)
{
	struct tl_page_tables tables = {.cr3 = system->cr3,
					.big = (system->cr4 & TL_X86_CR4_PSE) != 0,
					.no_execute = (system->efer & TL_X86_EFER_NXE) != 0};

	if ((system->cr0 & TL_X86_CR0_PG) == 0)
		return tables;
	if ((system->efer & TL_X86_EFER_LMA) != 0)
		tables.levels = (system->cr4 & TL_X86_CR4_LA57) != 0 ? 5 : 4;
	else
		tables.levels = (system->cr4 & TL_X86_CR4_PAE) != 0 ? 3 : 2;
	return tables;
}

/* How far above bit 0 the index of a level begins. */
static unsigned shift_of(const struct tl_page_tables *tables, unsigned level)
{
	return 12 + (level - 1) * (tables->levels == 2 ? 10 : 9);
}

/* How many bytes an entry of a level stands for. */
static tl_u64 reach(const struct tl_page_tables *tables, unsigned level)
{
	return (tl_u64)1 << shift_of(tables, level);
}

static bool addressable(const struct tl_page_tables *tables, tl_u64 linear)
{
	unsigned unused;

	if (tables->levels < 4)
		return linear >> 32 == 0;
	/* Canonical: all bits from the highest that is translated on are the same. */
	unused = 64 - (shift_of(tables, tables->levels) + 9);
	return (tl_u64)((tl_i64)(linear << unused) >> unused) == linear;
}

static tl_u64 root_of(const struct tl_page_tables *tables)
{
	if (tables->levels == 3)
		return tables->cr3 & 0xffffffe0;
	return tables->levels == 2 ? tables->cr3 & 0xfffff000 : tables->cr3 & ADDRESS;
}

static bool read_entry(const struct tl_page_tables *tables, tl_page_walk_read *read, void *context, tl_u64 table,
		       tl_u64 linear, struct tl_page_entry *entry)
{
	tl_size size = tables->levels == 2 ? 4 : 8;
	tl_u64 mask = tables->levels == 2 ? 0x3ff : tables->levels == 3 && entry->level == 3 ? 3 : 0x1ff;
	tl_u8 bytes[8];

	entry->address = table + (linear >> shift_of(tables, entry->level) & mask) * size;
	if (!read(context, entry->address, bytes, size))
		return false;
	entry->value = tl_load_little(bytes, size);
	return true;
}

static bool is_large(const struct tl_page_tables *tables, const struct tl_page_entry *entry)
{
	if (entry->level == 1 || (entry->value & LARGE) == 0)
		return false;
	if (tables->levels == 2)
		return tables->big;
	/* Bit 7 of the four roots of PAE, and of levels 4 and 5, is reserved. */
	return entry->level == 2 || (entry->level == 3 && tables->levels > 3);
}

/* The page's first byte, from the entry that ends the walk. */
static tl_u64 frame_of(const struct tl_page_tables *tables, const struct tl_page_entry *entry)
{
	tl_u64 value = entry->value;

	if (tables->levels != 2)
		return value & ADDRESS & ~(reach(tables, entry->level) - 1);
	if (entry->level == 1)
		return value & 0xfffff000;
	/* PSE-36: bits 20 to 13 are bits 39 to 32 of the address. */
	return (value & 0xffc00000) | (value >> 13 & 0xff) << 32;
}

static void allow(const struct tl_page_tables *tables, const struct tl_page_entry *entry, struct tl_page_walk *walk)
{
	/* The four roots of PAE have no such bits. */
	if (tables->levels == 3 && entry->level == 3)
		return;
	walk->writable = walk->writable && (entry->value & WRITABLE) != 0;
	walk->user = walk->user && (entry->value & USER) != 0;
	if (tables->levels != 2 && tables->no_execute)
		walk->executable = walk->executable && (entry->value & NO_EXECUTE) == 0;
}

static void finish(const struct tl_page_tables *tables, tl_u64 linear, const struct tl_page_entry *last,
		   struct tl_page_walk *walk)
{
	walk->size = reach(tables, last->level);
	walk->physical = frame_of(tables, last) + (linear & (walk->size - 1));
	walk->global = (last->value & GLOBAL) != 0;
	walk->accessed = (last->value & ACCESSED) != 0;
	walk->dirty = (last->value & DIRTY) != 0;
}

enum tl_status tl_page_walk(const struct tl_page_tables *tables, tl_page_walk_read *read, void *context, tl_u64 linear,
			    struct tl_page_walk *walk_ret)
{
	tl_u64 table = root_of(tables);

	*walk_ret = (struct tl_page_walk){.writable = true, .user = true, .executable = true};
	if (!addressable(tables, linear) && tables->levels != 0)
		return TL_ERROR_MEMORY;
	if (tables->levels == 0) {
		walk_ret->physical = (tl_u32)linear;
		return linear >> 32 == 0 ? TL_OK : TL_ERROR_MEMORY;
	}
	for (unsigned level = tables->levels; level > 0; level--) {
		struct tl_page_entry entry = {.level = (tl_u8)level};

		if (!read_entry(tables, read, context, table, linear, &entry))
			return TL_ERROR_MEMORY;
		walk_ret->entries[walk_ret->count++] = entry;
		if ((entry.value & PRESENT) == 0)
			return TL_ERROR_MEMORY;
		allow(tables, &entry, walk_ret);
		if (level == 1 || is_large(tables, &entry)) {
			finish(tables, linear, &entry, walk_ret);
			return TL_OK;
		}
		table = tables->levels == 2 ? entry.value & 0xfffff000 : entry.value & ADDRESS;
	}
	return TL_ERROR_MEMORY;
}

bool tl_page_walk_allows(const struct tl_page_walk *walk, bool write, bool execute, bool user)
{
	return (!write || walk->writable) && (!execute || walk->executable) && (!user || walk->user);
}

/* ---- In words ---- */

static const char *level_name(const struct tl_page_tables *tables, unsigned level)
{
	static const char *const names[] = {"", "pte", "pmd", "pud", "p4d", "pgd"};

	/* The topmost one is the directory, as Linux has it. */
	return level == tables->levels ? "pgd" : names[level];
}

static void tell_flag(struct tl_writer *output, bool set, const char *text)
{
	if (set)
		tl_write_text(output, text);
}

static void tell_entry(const struct tl_page_tables *tables, const struct tl_page_entry *entry, struct tl_writer *output)
{
	tl_u64 value = entry->value;

	tl_write_text(output, "  ");
	tl_write_text(output, level_name(tables, entry->level));
	tl_write_text(output, " at 0x");
	tl_write_hex(output, entry->address);
	tl_write_text(output, ": 0x");
	tl_write_hex(output, value);
	if ((value & PRESENT) == 0) {
		tl_write_text(output, " not present\n");
		return;
	}
	tell_flag(output, (value & WRITABLE) != 0, " writable");
	tell_flag(output, (value & USER) != 0, " user");
	tell_flag(output, tables->levels != 2 && tables->no_execute && (value & NO_EXECUTE) != 0, " no-execute");
	tell_flag(output, (value & ACCESSED) != 0, " accessed");
	if (entry->level == 1 || is_large(tables, entry)) {
		tell_flag(output, (value & DIRTY) != 0, " dirty");
		tell_flag(output, (value & GLOBAL) != 0, " global");
		tell_flag(output, entry->level != 1, " large");
	}
	tl_write_byte(output, '\n');
}

static void tell_size(struct tl_writer *output, tl_u64 size)
{
	static const char *const units[] = {" KiB", " MiB", " GiB", " TiB"};
	unsigned unit = 0;

	for (size >>= 10; size >= 1024 && unit < 3; unit++)
		size >>= 10;
	tl_write_decimal(output, size);
	tl_write_text(output, units[unit]);
}

void tl_page_walk_tell(const struct tl_page_tables *tables, tl_u64 linear, enum tl_status status,
		       const struct tl_page_walk *walk, struct tl_writer *output)
{
	for (tl_u8 i = 0; i < walk->count; i++)
		tell_entry(tables, &walk->entries[i], output);
	tl_write_text(output, "0x");
	tl_write_hex(output, linear);
	if (status != TL_OK) {
		tl_write_text(output,
			      addressable(tables, linear) ? " is not mapped\n" : " is no address in this mode\n");
		return;
	}
	tl_write_text(output, " is at physical 0x");
	tl_write_hex(output, walk->physical);
	if (tables->levels == 0) {
		tl_write_text(output, " (paging is off)\n");
		return;
	}
	tl_write_text(output, ", in a page of ");
	tell_size(output, walk->size);
	tell_flag(output, walk->writable, ", writable");
	tell_flag(output, walk->executable, ", executable");
	tl_write_text(output, walk->user ? ", for user and kernel\n" : ", for the kernel\n");
}

/* ---- What is mapped ---- */

/* The first address behind what the failed walk at `linear` looked at; 0: behind all addresses. */
static tl_u64 behind_hole(const struct tl_page_tables *tables, tl_u64 linear, const struct tl_page_walk *walk)
{
	unsigned level = walk->count == 0 ? tables->levels : walk->entries[walk->count - 1].level;
	tl_u64 size = reach(tables, level), next = (linear & ~(size - 1)) + size;

	/* From the lower half of addresses to the upper one. */
	if (tables->levels >= 4 && next != 0 && !addressable(tables, next))
		next = ~((tl_u64)0) << (shift_of(tables, tables->levels) + 8);
	return next;
}

static bool same_rights(const struct tl_page_walk *one, const struct tl_page_walk *other)
{
	return one->writable == other->writable && one->user == other->user && one->executable == other->executable;
}

bool tl_page_walk_next(const struct tl_page_tables *tables, tl_page_walk_read *read, void *context, tl_u64 linear,
		       tl_u64 end, tl_size *budget, tl_u64 *start_ret, tl_u64 *size_ret, struct tl_page_walk *walk_ret)
{
	struct tl_page_walk walk;
	tl_u64 at = linear, start = 0;
	bool found = false;

	if (tables->levels == 0)
		return false;
	while (at<end && * budget> 0) {
		bool mapped = tl_page_walk(tables, read, context, at, &walk) == TL_OK;
		tl_u64 next = mapped ? (at & ~(walk.size - 1)) + walk.size : behind_hole(tables, at, &walk);

		--*budget;
		if (found && (!mapped || !same_rights(&walk, walk_ret)))
			break;
		if (mapped && !found) {
			found = true;
			start = at;
			*walk_ret = walk;
		}
		at = next <= at ? end : next;
	}
	*start_ret = found ? start : at;
	*size_ret = found ? (at < end ? at : end) - start : 0;
	return found;
}
