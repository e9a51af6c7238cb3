/* Page tables of every kind, laid out by hand as the manual draws them. */
#include "core/cpu/x86_system.h"
#include "targets/kvm/page_walk.h"
#include "tests/unit/test.h"

#define P 1u
#define W 2u
#define U 4u
#define A 0x20u
#define D 0x40u
#define LARGE 0x80u
#define G 0x100u
#define NX (1ULL << 63)

static tl_u8 physical[0x10000];

static bool read_physical(void *context, tl_u64 address, void *buffer, tl_size size)
{
	int *reads = context;

	if (reads != NULL)
		(*reads)++;
	if (address > sizeof(physical) || size > sizeof(physical) - address)
		return false;
	memcpy(buffer, physical + address, size);
	return true;
}

static void entry(tl_u64 address, tl_u64 value, tl_size size)
{
	tl_store_little(physical + address, value, size);
}

static struct tl_page_walk walk;

static enum tl_status look(const struct tl_page_tables *tables, tl_u64 linear)
{
	return tl_page_walk(tables, read_physical, NULL, linear, &walk);
}

static struct tl_page_tables tables_of(tl_u64 cr0, tl_u64 cr4, tl_u64 efer, tl_u64 cr3)
{
	struct kvm_sregs system;

	memset(&system, 0, sizeof(system));
	system.cr0 = cr0;
	system.cr4 = cr4;
	system.efer = efer;
	system.cr3 = cr3;
	memset(physical, 0, sizeof(physical));
	return tl_page_tables_of(&system);
}

TEST(without_paging_addresses_are_what_they_are)
{
	struct tl_page_tables tables = tables_of(TL_X86_CR0_PE, 0, 0, 0);

	CHECK_EQUAL(tables.levels, 0);
	CHECK_EQUAL(look(&tables, 0xfedcba98), TL_OK);
	CHECK_EQUAL(walk.physical, 0xfedcba98);
	CHECK_EQUAL(look(&tables, 0x100000000), TL_ERROR_MEMORY);
}

TEST(tables_of_32_bits)
{
	struct tl_page_tables tables = tables_of(TL_X86_CR0_PG, TL_X86_CR4_PSE, 0, 0x1018);

	CHECK_EQUAL(tables.levels, 2);
	/* 0xc0123456: directory 0x300, table 0x123 */
	entry(0x1000 + 0x300 * 4, 0x2000 | P | W | U, 4);
	entry(0x2000 + 0x123 * 4, 0x7000 | P | U | A, 4);
	CHECK_EQUAL(look(&tables, 0xc0123456), TL_OK);
	CHECK_EQUAL(walk.physical, 0x7456);
	CHECK_EQUAL(walk.size, 0x1000);
	CHECK(!walk.writable && walk.user && walk.executable && walk.accessed && !walk.dirty);
	CHECK_EQUAL(walk.count, 2);
	CHECK_EQUAL(walk.entries[0].address, 0x1c00);
	CHECK_EQUAL(walk.entries[1].level, 1);
	CHECK(tl_page_walk_allows(&walk, false, true, true) && !tl_page_walk_allows(&walk, true, false, false));
	CHECK_EQUAL(look(&tables, 0xc0124000), TL_ERROR_MEMORY);
	CHECK_EQUAL(walk.count, 2);
	/* 4 MiB, above 4 GiB by PSE-36 */
	entry(0x1000 + 4, 0x00c00000 | 0x5 << 13 | LARGE | P | W, 4);
	CHECK_EQUAL(look(&tables, 0x00712345), TL_OK);
	CHECK_EQUAL(walk.physical, 0x500f12345);
	CHECK_EQUAL(walk.size, 0x400000);
	CHECK(walk.writable && !walk.user);
	/* Without PSE bit 7 is nothing. */
	tables.big = false;
	entry(0x1000 + 4, 0x2000 | LARGE | P | W, 4);
	entry(0x2000 + 0x312 * 4, 0x9000 | P, 4);
	CHECK_EQUAL(look(&tables, 0x00712345), TL_OK);
	CHECK_EQUAL(walk.physical, 0x9345);
	CHECK_EQUAL(look(&tables, 0x100000000), TL_ERROR_MEMORY);
}

TEST(tables_of_pae)
{
	struct tl_page_tables tables =
		tables_of(TL_X86_CR0_PG, TL_X86_CR4_PAE | TL_X86_CR4_PSE, TL_X86_EFER_NXE, 0x1020);

	CHECK_EQUAL(tables.levels, 3);
	/* Roots lie at any multiple of 32, and have no permissions. */
	entry(0x1020 + 3 * 8, 0x2000 | P, 8);
	entry(0x2000 + 0x55 * 8, 0x3000 | P | W | U, 8);
	entry(0x3000 + 0x1 * 8, 0x8000 | P | W | NX, 8);
	CHECK_EQUAL(look(&tables, 0xc0000000 + 0x55 * 0x200000 + 0x1abc), TL_OK);
	CHECK_EQUAL(walk.physical, 0x8abc);
	CHECK(walk.writable && !walk.user && !walk.executable);
	entry(0x2000 + 0x56 * 8, 0x40000000 | LARGE | P | W | U | G | D, 8);
	CHECK_EQUAL(look(&tables, 0xc0000000 + 0x56 * 0x200000 + 0x12345), TL_OK);
	CHECK_EQUAL(walk.physical, 0x40012345);
	CHECK_EQUAL(walk.size, 0x200000);
	CHECK(walk.user && walk.global && walk.dirty);
	CHECK_EQUAL(look(&tables, 0x1000), TL_ERROR_MEMORY);
}

#define LONG_CR0 (TL_X86_CR0_PG | TL_X86_CR0_PE)

TEST(tables_of_4_levels)
{
	struct tl_page_tables tables =
		tables_of(LONG_CR0, TL_X86_CR4_PAE, TL_X86_EFER_LMA | TL_X86_EFER_NXE, 0x1000 | 0x18 | 1ULL << 63);
	tl_u64 linear = 0xffffffff81234567;

	CHECK_EQUAL(tables.levels, 4);
	entry(0x1000 + 511 * 8, 0x2000 | P | W, 8);
	entry(0x2000 + 510 * 8, 0x3000 | P | W, 8);
	entry(0x3000 + 9 * 8, 0x2000000 | LARGE | P | W | G, 8); /* 2 MiB */
	CHECK_EQUAL(look(&tables, linear), TL_OK);
	CHECK_EQUAL(walk.physical, 0x2034567);
	CHECK_EQUAL(walk.size, 0x200000);
	CHECK(!walk.user && walk.global && walk.executable);
	entry(0x3000 + 9 * 8, 0x4000 | P | W, 8); /* 4 KiB, its bits above 51 are no address */
	entry(0x4000 + 0x34 * 8, 0xb000 | P | NX | 0x7ff0000000000000, 8);
	CHECK_EQUAL(look(&tables, linear), TL_OK);
	CHECK_EQUAL(walk.physical, 0xb567);
	CHECK(!walk.writable && !walk.executable);
	CHECK_EQUAL(walk.count, 4);
	entry(0x2000 + 510 * 8, 0x80000000 | LARGE | P | W | U, 8); /* 1 GiB */
	CHECK_EQUAL(look(&tables, linear), TL_OK);
	CHECK_EQUAL(walk.physical, 0x80000000 + 0x1234567);
	CHECK_EQUAL(walk.size, 1 << 30);
	CHECK_EQUAL(look(&tables, 0x0000800000000000), TL_ERROR_MEMORY);
	CHECK_EQUAL(walk.count, 0);
	/* Without NXE bit 63 is nothing. */
	tables.no_execute = false;
	entry(0x2000 + 510 * 8, 0x80000000 | LARGE | P | NX, 8);
	CHECK_EQUAL(look(&tables, linear), TL_OK);
	CHECK(walk.executable);
}

TEST(tables_of_5_levels)
{
	struct tl_page_tables tables = tables_of(LONG_CR0, TL_X86_CR4_PAE | TL_X86_CR4_LA57, TL_X86_EFER_LMA, 0x1000);
	tl_u64 linear = 0x0034567812345678;

	CHECK_EQUAL(tables.levels, 5);
	entry(0x1000 + (linear >> 48 & 511) * 8, 0x2000 | P | W | U, 8);
	entry(0x2000 + (linear >> 39 & 511) * 8, 0x3000 | P | W | U, 8);
	entry(0x3000 + (linear >> 30 & 511) * 8, 0x4000 | P | W | U, 8);
	entry(0x4000 + (linear >> 21 & 511) * 8, 0x5000 | P | W | U, 8);
	entry(0x5000 + (linear >> 12 & 511) * 8, 0xa000 | P | W | U, 8);
	CHECK_EQUAL(look(&tables, linear), TL_OK);
	CHECK_EQUAL(walk.physical, 0xa678);
	CHECK_EQUAL(walk.count, 5);
	CHECK_EQUAL(look(&tables, 0x0134567812345678), TL_ERROR_MEMORY);
	CHECK_EQUAL(look(&tables, 0xffff800000000000), TL_ERROR_MEMORY);
	CHECK_EQUAL(walk.count, 1);
}

TEST(tables_outside_of_memory_end_the_walk)
{
	struct tl_page_tables tables = tables_of(LONG_CR0, TL_X86_CR4_PAE, TL_X86_EFER_LMA, 0x1000);

	entry(0x1000, 0xfffff000 | P | W, 8);
	CHECK_EQUAL(look(&tables, 0), TL_ERROR_MEMORY);
	CHECK_EQUAL(walk.count, 1);
	/* A table that is its own child is walked once a level. */
	entry(0x1000, 0x1000 | P | W, 8);
	CHECK_EQUAL(look(&tables, 0), TL_OK);
	CHECK_EQUAL(walk.physical, 0x1000);
}

TEST(a_walk_is_told_level_by_level)
{
	static char text[1024];
	struct tl_writer writer = tl_writer_make(text, sizeof(text) - 1);
	struct tl_page_tables tables = tables_of(LONG_CR0, TL_X86_CR4_PAE, TL_X86_EFER_LMA, 0x1000);
	enum tl_status status;

	entry(0x1000, 0x2000 | P | W | U, 8);
	entry(0x2000, 0x40000000 | LARGE | P | W | A | D, 8);
	status = look(&tables, 0x12345);
	tl_page_walk_tell(&tables, 0x12345, status, &walk, &writer);
	status = look(&tables, 0x40000000);
	tl_page_walk_tell(&tables, 0x40000000, status, &walk, &writer);
	text[tl_writer_size(&writer)] = '\0';
	CHECK_TEXT(text, "  pgd at 0x1000: 0x2007 writable user\n"
			 "  pud at 0x2000: 0x400000e3 writable accessed dirty large\n"
			 "0x12345 is at physical 0x40012345, in a page of 1 GiB, writable, executable, for the kernel\n"
			 "  pgd at 0x1000: 0x2007 writable user\n"
			 "  pud at 0x2008: 0x0 not present\n"
			 "0x40000000 is not mapped\n");
}

TEST(stretches_with_the_same_rights_are_found)
{
	struct tl_page_tables tables = tables_of(LONG_CR0, TL_X86_CR4_PAE, TL_X86_EFER_LMA, 0x1000);
	tl_u64 start = 0, size = 0;
	tl_size budget = 4000;

	entry(0x1000 + 511 * 8, 0x2000 | P | W, 8);
	entry(0x2000 + 510 * 8, 0x3000 | P | W, 8);
	for (int i = 9; i < 12; i++)
		entry(0x3000 + (tl_u64)i * 8, ((tl_u64)i << 21) | LARGE | P | W, 8);
	entry(0x3000 + 12 * 8, (12u << 21) | LARGE | P, 8);
	CHECK(tl_page_walk_next(&tables, read_physical, NULL, 0, TL_U64_MAX, &budget, &start, &size, &walk));
	CHECK_EQUAL(start, 0xffffffff81200000);
	CHECK_EQUAL(size, 0x600000);
	CHECK_EQUAL(walk.physical, 9 << 21);
	CHECK(tl_page_walk_next(&tables, read_physical, NULL, start + size, TL_U64_MAX, &budget, &start, &size, &walk));
	CHECK_EQUAL(start, 0xffffffff81800000);
	CHECK_EQUAL(size, 0x200000);
	CHECK(!walk.writable);
	CHECK(!tl_page_walk_next(&tables, read_physical, NULL, start + size, TL_U64_MAX, &budget, &start, &size,
				 &walk));
	CHECK(budget > 0 && budget < 4000);
	/* A budget that runs out ends it. */
	budget = 3;
	CHECK(!tl_page_walk_next(&tables, read_physical, NULL, 0, TL_U64_MAX, &budget, &start, &size, &walk));
	CHECK_EQUAL(budget, 0);
}
