/* Watchpoints by pages that the guest cannot get at: carrying accesses out, and what they hit. */
#include "core/cpu/x86_layout.h"
#include "targets/kvm/slot_access.h"
#include "tests/unit/test.h"

static tl_u8 bytes[0x4000];
static struct tl_kvm_memory memory;
static struct kvm_run run;
static struct tl_slot_log accesses;

static void fresh(void)
{
	memset(bytes, 0, sizeof(bytes));
	memset(&run, 0, sizeof(run));
	memset(&accesses, 0, sizeof(accesses));
	memory = (struct tl_kvm_memory){.bytes = bytes, .size = sizeof(bytes)};
	run.exit_reason = KVM_EXIT_MMIO;
}

static bool access_memory(tl_u64 physical, tl_u32 size, bool write, tl_u64 value)
{
	run.mmio.phys_addr = physical;
	run.mmio.len = size;
	run.mmio.is_write = write;
	tl_store_little(run.mmio.data, value, 8);
	return tl_slot_access_carry_out(&run, &memory, NULL, NULL, NULL, &accesses);
}

TEST(reads_and_writes_are_carried_out_and_noted)
{
	static char text[512];
	struct tl_writer writer = tl_writer_make(text, sizeof(text) - 1);

	fresh();
	tl_store_little(bytes + 0x1008, 0x11223344, 4);
	CHECK(access_memory(0x1008, 4, false, 0xffffffff));
	CHECK_EQUAL(tl_load_little(run.mmio.data, 4), 0x11223344);
	CHECK(access_memory(0x1008, 4, true, 0x11223345));
	CHECK_EQUAL(tl_load_little(bytes + 0x1008, 8), 0x11223345);
	CHECK_EQUAL(accesses.count, 2);
	tl_slot_access_tell(&accesses, &writer);
	text[tl_writer_size(&writer)] = '\0';
	CHECK_TEXT(text, "read 4 bytes at physical 0x1008: 0x11223344\n"
			 "wrote 4 bytes at physical 0x1008: 0x11223344 -> 0x11223345\n");
}

TEST(what_is_no_memory_is_not_ours)
{
	fresh();
	CHECK(!access_memory(0xfee00000, 4, false, 0));
	CHECK(!access_memory(sizeof(bytes) - 2, 4, true, 0));
	CHECK(!access_memory(0, 0, true, 0));
	CHECK(!access_memory(0, 9, true, 0));
	run.exit_reason = KVM_EXIT_IO;
	CHECK(!access_memory(0, 4, true, 1));
	CHECK_EQUAL(accesses.count, 0);
	CHECK_EQUAL(bytes[0], 0);
}

TEST(a_flood_is_bounded)
{
	fresh();
	for (unsigned i = 0; i < 40; i++)
		CHECK(access_memory(8 * (tl_u64)i, 8, true, i));
	CHECK_EQUAL(accesses.count, TL_SLOT_FRAGMENTS_MAX);
	CHECK(accesses.overflowed);
	CHECK_EQUAL(bytes[8 * 39], 39);
}

TEST(hits_are_exact)
{
	static const struct tl_slot_watch watches[] = {
		{0xffff888000001003, 0x1003, 2, TL_ACCESS_WRITE},
		{0xffff888000001005, 0x1005, 1, TL_ACCESS_WRITE},
		{0xffff888000001004, 0x1004, 8, TL_ACCESS_READ},
		{0xffff888000001000, 0x1000, 64, TL_ACCESS_BOTH},
	};
	struct tl_hit hits[TL_HITS_MAX];

	fresh();
	CHECK(access_memory(0x1000, 4, true, 1));
	CHECK_EQUAL(tl_slot_access_hits(&accesses, watches, 3, hits), 1);
	CHECK_EQUAL(hits[0].address, 0xffff888000001003);
	CHECK_EQUAL(hits[0].size, 1);
	CHECK_EQUAL(hits[0].access, TL_ACCESS_WRITE);
	/* Beside it is no hit, though it came out. */
	fresh();
	CHECK(access_memory(0x1006, 2, true, 1));
	CHECK_EQUAL(tl_slot_access_hits(&accesses, watches, 3, hits), 0);
	/* add [x], 1 across both kinds: a read and a write */
	fresh();
	CHECK(access_memory(0x1004, 8, false, 0));
	CHECK(access_memory(0x1004, 8, true, 1));
	CHECK_EQUAL(tl_slot_access_hits(&accesses, watches, 4, hits), 4);
	CHECK_EQUAL(hits[0].address, 0xffff888000001004);
	CHECK_EQUAL(hits[1].size, 1);
	CHECK_EQUAL(hits[2].access, TL_ACCESS_READ);
	CHECK_EQUAL(hits[2].size, 8);
	CHECK_EQUAL(hits[3].access, TL_ACCESS_BOTH);
	CHECK_EQUAL(hits[3].address, 0xffff888000001004);
	/* 16 bytes in two parts are one hit. */
	fresh();
	CHECK(access_memory(0x1010, 8, true, 1));
	CHECK(access_memory(0x1018, 8, true, 1));
	CHECK_EQUAL(tl_slot_access_hits(&accesses, watches + 3, 1, hits), 1);
	CHECK_EQUAL(hits[0].address, 0xffff888000001010);
	CHECK_EQUAL(hits[0].size, 16);
	/* No more than there is room for. */
	{
		struct tl_slot_watch many[9];

		for (int i = 0; i < 9; i++)
			many[i] = watches[3];
		CHECK_EQUAL(tl_slot_access_hits(&accesses, many, 9, hits), TL_HITS_MAX);
	}
}

/* ---- Foresight ---- */

static tl_u8 file[TL_X86_FILE_SIZE];
static struct tl_slot_foreseen foreseen[TL_SLOT_FORESEEN_MAX];

static void set(tl_size at, tl_u64 value)
{
	tl_store_little(file + at, value, 8);
}

static void wide_mode(void)
{
	memset(file, 0, sizeof(file));
	set(TL_X86_AT_CR0, TL_X86_CR0_PE | TL_X86_CR0_PG);
	set(TL_X86_AT_EFER, TL_X86_EFER_LMA);
	set(TL_X86_AT_CS_ATTR, 0xa09b);
	set(TL_X86_AT_RIP, 0x1000);
	set(TL_X86_AT_RSP, 0x8000);
	set(TL_X86_AT_RBP, 0x9000);
	set(TL_X86_AT_RAX, 0x2000);
	set(TL_X86_AT_RSI, 0x3000);
	set(TL_X86_AT_RDI, 0x4000);
	set(TL_X86_AT_GS_BASE, 0x100000);
	set(TL_X86_AT_DS_BASE, 0x77000000); /* does not count in 64-bit mode */
}

TEST(what_an_instruction_will_touch_is_foreseen)
{
	static const struct {
		const char *code;
		tl_u8 size, count;
		struct tl_slot_foreseen first, second;
	} cases[] = {
		{"\x48\x89\x08", 3, 1, {0x2000, 8, TL_ACCESS_WRITE}, {0}},    /* mov [rax], rcx */
		{"\x83\x40\x04\x01", 4, 1, {0x2004, 4, TL_ACCESS_BOTH}, {0}}, /* add dword [rax+4], 1 */
		{"\x65\x8b\x04\x25\x10\x00\x00\x00", 8, 1, {0x100010, 4, TL_ACCESS_READ}, {0}}, /* mov eax, gs:[0x10] */
		{"\x8b\x05\x10\x00\x00\x00", 6, 1, {0x1016, 4, TL_ACCESS_READ}, {0}},          /* mov eax, [rip+0x10] */
		{"\x50", 1, 1, {0x7ff8, 8, TL_ACCESS_WRITE}, {0}},                             /* push rax */
		{"\xc3", 1, 1, {0x8000, 8, TL_ACCESS_READ}, {0}},                              /* ret */
		{"\xff\x30", 2, 2, {0x2000, 8, TL_ACCESS_READ}, {0x7ff8, 8, TL_ACCESS_WRITE}}, /* push [rax] */
		{"\xf3\xa4", 2, 2, {0x3000, 1, TL_ACCESS_READ}, {0x4000, 1, TL_ACCESS_WRITE}}, /* rep movsb */
		{"\xc9", 1, 1, {0x9000, 8, TL_ACCESS_READ}, {0}},                              /* leave */
		{"\x0f\x29\x00", 3, 1, {0x2000, 16, TL_ACCESS_WRITE}, {0}},                    /* movaps [rax], xmm0 */
		{"\x90", 1, 0, {0}, {0}},                                                      /* nop */
		{"\x0f\xae\x20", 3, 0, {0}, {0}},                                              /* xsave: not known */
		{"\x62\xf1\x7c\x48\x28\x40\x01", 7, 0, {0}, {0}},                              /* EVEX */
	};

	for (size_t i = 0; i < TL_COUNT(cases); i++) {
		wide_mode();
		CHECK_EQUAL(tl_slot_access_foresee(file, (const tl_u8 *)cases[i].code, cases[i].size, foreseen),
			    cases[i].count);
		if (cases[i].count > 0) {
			CHECK_EQUAL(foreseen[0].address, cases[i].first.address);
			CHECK_EQUAL(foreseen[0].size, cases[i].first.size);
			CHECK_EQUAL(foreseen[0].access, cases[i].first.access);
		}
		if (cases[i].count > 1) {
			CHECK_EQUAL(foreseen[1].address, cases[i].second.address);
			CHECK_EQUAL(foreseen[1].access, cases[i].second.access);
		}
	}
}

TEST(segments_count_outside_of_64_bit_mode)
{
	memset(file, 0, sizeof(file)); /* real mode */
	set(TL_X86_AT_CS_ATTR, 0x9b);
	set(TL_X86_AT_DS_BASE, 0x10000);
	set(TL_X86_AT_ES_BASE, 0x20000);
	set(TL_X86_AT_SS_BASE, 0x30000);
	set(TL_X86_AT_RBX, 0xabcd0100);
	set(TL_X86_AT_RBP, 0x200);
	set(TL_X86_AT_RSP, 0xffff0400);
	CHECK_EQUAL(tl_slot_access_foresee(file, (const tl_u8 *)"\x89\x07", 2, foreseen), 1); /* mov [bx], ax */
	CHECK_EQUAL(foreseen[0].address, 0x10100);
	CHECK_EQUAL(foreseen[0].size, 2);
	CHECK_EQUAL(tl_slot_access_foresee(file, (const tl_u8 *)"\x26\x89\x07", 3, foreseen), 1);
	CHECK_EQUAL(foreseen[0].address, 0x20100);
	CHECK_EQUAL(tl_slot_access_foresee(file, (const tl_u8 *)"\x8b\x46\x02", 3, foreseen), 1); /* mov ax, [bp+2] */
	CHECK_EQUAL(foreseen[0].address, 0x30202);
	CHECK_EQUAL(tl_slot_access_foresee(file, (const tl_u8 *)"\x50", 1, foreseen), 1); /* push ax */
	CHECK_EQUAL(foreseen[0].address, 0x303fe);
	CHECK_EQUAL(foreseen[0].size, 2);
}
