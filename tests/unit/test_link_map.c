/* What the kernel and the dynamic linker say of a process, true and false. */
#include "base/storage.h"
#include "debugger/modules/link_map.h"
#include "tests/unit/test.h"

#include <elf.h>

#define BASE 0x10000
#define SIZE 0x4000

/* Memory at BASE. */
struct space {
	tl_u8 bytes[SIZE];
	tl_u8 word;
	unsigned reads;
};

static enum tl_status read_space(void *context, tl_u64 address, void *buffer, tl_size size)
{
	struct space *space = context;

	space->reads++;
	if (address < BASE || address - BASE > SIZE || size > SIZE - (address - BASE))
		return TL_ERROR_MEMORY;
	memcpy(buffer, space->bytes + (address - BASE), size);
	return TL_OK;
}

static void put(struct space *space, tl_u64 address, tl_u64 value)
{
	for (unsigned i = 0; i < space->word; i++)
		space->bytes[address - BASE + i] = (tl_u8)(value >> 8 * i);
}

static void put_words(struct space *space, tl_u64 address, unsigned count, const tl_u64 *values)
{
	for (unsigned i = 0; i < count; i++)
		put(space, address + i * space->word, values[i]);
}

static void put_link(struct space *space, tl_u64 address, tl_u64 bias, tl_u64 name, tl_u64 next, tl_u64 previous)
{
	put_words(space, address, 5, (tl_u64[]){bias, name, bias + 0x100, next, previous});
}

/* A head at BASE, three links at BASE + 0x100, 0x200, 0x300, their names at BASE + 0x1000. */
static struct space make_space(tl_u8 word)
{
	struct space space = {.word = word};

	put_words(&space, BASE, 6, (tl_u64[]){1, BASE + 0x100, BASE + 0x2000, 0, 0, 0});
	put_link(&space, BASE + 0x100, 0x7000, BASE + 0x1000, BASE + 0x200, 0);
	put_link(&space, BASE + 0x200, 0x8000, BASE + 0x1010, BASE + 0x300, BASE + 0x100);
	put_link(&space, BASE + 0x300, 0x9000, BASE + 0x1020, 0, BASE + 0x200);
	memcpy(space.bytes + 0x1010, "/lib/one", 9);
	memcpy(space.bytes + 0x1020, "/lib/two", 9);
	return space;
}

static enum tl_status read_list(struct space *space, tl_u64 head, struct tl_link_list *list)
{
	struct tl_memory_access memory = {.read = read_space, .context = space};
	struct tl_error error = {.status = TL_OK};

	return tl_link_list_read(list, &memory, space->word, head, &error);
}

TEST(a_list_is_read)
{
	for (tl_u8 word = 4; word <= 8; word += 4) {
		struct space space = make_space(word);
		struct tl_link_list list;

		REQUIRE(read_list(&space, BASE, &list) == TL_OK);
		CHECK(list.whole);
		CHECK_EQUAL(list.stop, BASE + 0x2000);
		REQUIRE(list.count == 3);
		CHECK_TEXT(list.links[0].name, "");
		CHECK_TEXT(list.links[2].name, "/lib/two");
		CHECK_EQUAL(list.links[2].map, BASE + 0x300);
		CHECK_EQUAL(list.links[2].bias, 0x9000);
		CHECK_EQUAL(list.links[2].dynamic, 0x9100);
		tl_link_list_release(&list);
	}
}

TEST(a_list_that_is_not_begun_is_empty)
{
	struct space space = {.word = 8};
	struct tl_link_list list;

	CHECK(read_list(&space, BASE, &list) == TL_OK);
	CHECK(list.whole && list.count == 0);
	tl_link_list_release(&list);
	CHECK(read_list(&space, 0, &list) == TL_OK);
	CHECK(list.whole && list.count == 0);
	tl_link_list_release(&list);
	CHECK_EQUAL(read_list(&space, 0x10, &list), TL_ERROR_MEMORY);
	tl_link_list_release(&list);
	CHECK_EQUAL(read_list(&space, TL_U64_MAX - 3, &list), TL_ERROR_MEMORY);
	tl_link_list_release(&list);
}

/* Each kind of damage ends the list where it is, and says that. */
TEST(damaged_lists_end)
{
	static const struct {
		tl_u64 at, value;
		tl_size count;
	} cases[] = {
		{0x100 + 24, BASE + 0x100, 1},     /* a link that follows itself */
		{0x300 + 24, BASE + 0x100, 3},     /* a ring */
		{0x200 + 24, 0x55, 2},             /* a link outside of memory */
		{0x200 + 24, TL_U64_MAX - 8, 2},   /* over the end of all */
		{0x200 + 24, BASE + SIZE - 16, 2}, /* half a link */
		{0x300 + 32, BASE + 0x100, 2},     /* that says that it follows another */
		{0x200 + 8, 0x55, 2},              /* a name outside of memory: only this one is left out */
		{0x200 + 8, TL_U64_MAX - 2, 2},
		{0x8, BASE + SIZE - 8, 0}, /* the first link */
		{0x100 + 32, BASE + 0x300, 0},
	};

	for (size_t i = 0; i < TL_COUNT(cases); i++) {
		struct space space = make_space(8);
		struct tl_link_list list;

		put(&space, BASE + cases[i].at, cases[i].value);
		REQUIRE(read_list(&space, BASE, &list) == TL_OK);
		CHECK(!list.whole);
		CHECK_EQUAL(list.count, cases[i].count);
		tl_link_list_release(&list);
	}
}

TEST(a_name_without_end_is_none)
{
	struct space space = make_space(8);
	struct tl_link_list list;

	memset(space.bytes + 0x1020, 'a', SIZE - 0x1020);
	REQUIRE(read_list(&space, BASE, &list) == TL_OK);
	CHECK(!list.whole);
	CHECK_EQUAL(list.count, 2);
	tl_link_list_release(&list);
	/* One that ends with the memory is whole. */
	space = make_space(8);
	put(&space, BASE + 0x300 + 8, BASE + SIZE - 5);
	memcpy(space.bytes + SIZE - 5, "last", 5);
	REQUIRE(read_list(&space, BASE, &list) == TL_OK);
	CHECK(list.whole);
	REQUIRE(list.count == 3);
	CHECK_TEXT(list.links[2].name, "last");
	tl_link_list_release(&list);
}

TEST(name_spaces_follow_one_another)
{
	struct space space = make_space(8);
	struct tl_link_list list;

	put_words(&space, BASE, 6, (tl_u64[]){2, BASE + 0x100, BASE + 0x2000, 0, 0, BASE + 0x400});
	put_words(&space, BASE + 0x400, 6, (tl_u64[]){2, BASE + 0x500, 0, 0, 0, 0});
	put_link(&space, BASE + 0x500, 0xa000, BASE + 0x1010, 0, 0);
	REQUIRE(read_list(&space, BASE, &list) == TL_OK);
	CHECK(list.whole);
	CHECK_EQUAL(list.count, 4);
	tl_link_list_release(&list);
	/* A ring of them has an end as well. */
	put(&space, BASE + 0x400 + 40, BASE);
	REQUIRE(read_list(&space, BASE, &list) == TL_OK);
	CHECK(list.count < 64 * 4);
	CHECK(space.reads < 10000);
	tl_link_list_release(&list);
}

/* Memory that is a chain wherever one looks: a link has a next one, and says that it follows the one before. */
static enum tl_status read_endless(void *context, tl_u64 address, void *buffer, tl_size size)
{
	tl_u64 words[5] = {0x1000, 0, 0, address + 0x100, address - 0x100};

	++*(unsigned *)context;
	memset(buffer, 0, size);
	if (size == sizeof(words)) {
		if (address == 0x100)
			words[4] = 0;
		memcpy(buffer, words, sizeof(words));
	} else if (size <= 8) {
		*(tl_u8 *)buffer = size == 4 ? 2 : 0;
		if (size == 8)
			memcpy(buffer, &(tl_u64){0x100}, 8);
	} else {
		memset(buffer, address % 3 == 0 ? 'a' : 0, size);
	}
	return TL_OK;
}

TEST(an_endless_list_ends)
{
	unsigned reads = 0;
	struct tl_memory_access memory = {.read = read_endless, .context = &reads};
	struct tl_link_list list;
	tl_u64 head = 0;

	REQUIRE(tl_link_list_read(&list, &memory, 8, 0x10, NULL) == TL_OK);
	CHECK(!list.whole);
	CHECK(list.count > 1000 && list.count <= 16384);
	CHECK(reads < 3000000);
	tl_link_list_release(&list);
	reads = 0;
	CHECK(!tl_link_list_head(&memory, 8, 0x10, &head));
	CHECK(reads < 20000);
}

static bool fail_reading(tl_u64 n, struct space *space, struct tl_link_list *list)
{
	bool good;

	tl_storage_fail(n);
	good = read_list(space, BASE, list) == TL_OK;
	tl_storage_fail(0);
	return good;
}

TEST(failing_allocations)
{
	tl_u64 before = tl_storage_live();
	struct space space = make_space(8);
	struct tl_link_list list;
	tl_u64 n = 1;

	for (; !fail_reading(n, &space, &list) && n < 100; n++)
		tl_link_list_release(&list);
	CHECK_EQUAL(n, 5);
	tl_link_list_release(&list);
	CHECK_EQUAL(tl_storage_live(), before);
}

TEST(auxiliary_vectors)
{
	Elf64_auxv_t wide[] = {{AT_PHDR, {0x400040}}, {AT_PHENT, {56}},       {AT_PHNUM, {13}},
			       {AT_BASE, {0x7000}},   {AT_ENTRY, {0x401000}}, {AT_SYSINFO_EHDR, {0x9000}},
			       {AT_NULL, {0}},        {AT_PHDR, {1}}};
	Elf32_auxv_t narrow[] = {{AT_PHDR, {0x8048034}}, {AT_PHENT, {32}}, {AT_PHNUM, {9}}, {AT_ENTRY, {0x8049000}}};
	struct tl_auxiliary auxiliary = tl_auxiliary_read(wide, sizeof(wide), 0);

	CHECK_EQUAL(auxiliary.word, 8);
	CHECK_EQUAL(auxiliary.headers, 0x400040);
	CHECK_EQUAL(auxiliary.header_count, 13);
	CHECK_EQUAL(auxiliary.base, 0x7000);
	CHECK_EQUAL(auxiliary.entry, 0x401000);
	CHECK_EQUAL(auxiliary.vdso, 0x9000);
	auxiliary = tl_auxiliary_read(narrow, sizeof(narrow), 8);
	CHECK_EQUAL(auxiliary.word, 4);
	CHECK_EQUAL(auxiliary.entry, 0x8049000);
	/* What does not say how wide it is is read as it is told to be. */
	auxiliary = tl_auxiliary_read(wide, sizeof(wide[0]), 8);
	CHECK_EQUAL(auxiliary.headers, 0x400040);
	CHECK_EQUAL(auxiliary.word, 0);
	CHECK_EQUAL(tl_auxiliary_read(wide, sizeof(wide[0]), 0).headers, 0);
	CHECK_EQUAL(tl_auxiliary_read(wide, 15, 8).headers, 0);
	CHECK_EQUAL(tl_auxiliary_read(NULL, 0, 0).word, 0);
}

TEST(loaded_headers)
{
	struct space space = {.word = 8};
	struct tl_memory_access memory = {.read = read_space, .context = &space};
	Elf64_Phdr headers[] = {{.p_type = PT_PHDR, .p_vaddr = 0x40}, {.p_type = PT_DYNAMIC, .p_vaddr = 0x3000}};
	tl_u64 dynamic = 0, head = 0;

	memcpy(space.bytes + 0x40, headers, sizeof(headers));
	CHECK(tl_loaded_dynamic(&memory, 8, BASE + 0x40, 2, &dynamic));
	CHECK_EQUAL(dynamic, BASE + 0x3000);
	CHECK(!tl_loaded_dynamic(&memory, 8, BASE + 0x40, 1, &dynamic));
	CHECK(!tl_loaded_dynamic(&memory, 8, BASE + SIZE - 8, TL_U64_MAX, &dynamic));
	CHECK(!tl_loaded_dynamic(&memory, 8, 0, 0, &dynamic));
	put_words(&space, BASE + 0x3000, 6, (tl_u64[]){DT_NEEDED, 1, DT_DEBUG, 0x1234, DT_NULL, 0});
	CHECK(tl_link_list_head(&memory, 8, BASE + 0x3000, &head));
	CHECK_EQUAL(head, 0x1234);
	CHECK(!tl_link_list_head(&memory, 8, BASE + 0x3020, &head));
	CHECK(!tl_link_list_head(&memory, 8, BASE + SIZE - 8, &head));
}
