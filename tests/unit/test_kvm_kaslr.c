/* Finding a kernel by its page tables, and the filter that says when to look. */
#include "targets/kvm/kaslr.h"
#include "tests/unit/test.h"

#include <errno.h>

#define P 1u
#define W 2u
#define LARGE 0x80u

static tl_u8 physical[0x6000];
static const struct tl_page_tables tables = {.cr3 = 0x1000, .levels = 4, .no_execute = true};

static bool read_physical(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context;
	if (address > sizeof(physical) || size > sizeof(physical) - address)
		return false;
	memcpy(buffer, physical + address, size);
	return true;
}

static void entry(tl_u64 address, tl_u64 value)
{
	tl_store_little(physical + address, value, 8);
}

/* A kernel of `pages` large pages at `at`, large pages from 0xffffffff80000000 on, and in memory. */
static void kernel(unsigned at, unsigned pages, tl_u64 where)
{
	memset(physical, 0, sizeof(physical));
	entry(0x1000 + 511 * 8, 0x2000 | P | W);
	entry(0x2000 + 510 * 8, 0x3000 | P | W);
	entry(0x2000 + 511 * 8, 0x4000 | P | W);
	for (unsigned i = 0; i < pages; i++)
		entry(0x3000 + (tl_u64)(at + i) * 8, (where + ((tl_u64)i << 21)) | LARGE | P | W);
}

static enum tl_status find(tl_u64 address, struct tl_kaslr_place *place)
{
	return tl_kaslr_find(&tables, read_physical, NULL, address, place);
}

TEST(a_kernel_is_found_from_anywhere_in_it)
{
	struct tl_kaslr_place place = {0};

	kernel(0xe8, 20, 0x34000000);
	for (tl_u64 at = 0xffffffff9d000000; at < 0xffffffff9f800000; at += 0x123456) {
		REQUIRE(find(at, &place) == TL_OK);
		CHECK_EQUAL(place.address, 0xffffffff9d000000);
		CHECK_EQUAL(place.physical, 0x34000000);
		CHECK_EQUAL(place.size, 20 << 21);
	}
	CHECK_EQUAL(find(0xffffffff9cffffff, &place), TL_ERROR_STATE);
	CHECK_EQUAL(find(0x401000, &place), TL_ERROR_STATE);
	CHECK_EQUAL(find(0xffffffffc0001000, &place), TL_ERROR_STATE);
}

TEST(a_kernel_at_the_very_beginning_is_found)
{
	struct tl_kaslr_place place = {0};

	kernel(0, 512, 0);
	CHECK_EQUAL(find(0xffffffff81000000, &place), TL_OK);
	CHECK_EQUAL(place.address, 0xffffffff80000000);
	CHECK_EQUAL(place.size, 1 << 30);
}

TEST(what_is_not_in_one_piece_is_not_the_kernel)
{
	struct tl_kaslr_place place = {0};

	kernel(8, 16, 0x1000000);
	entry(0x3000 + 7 * 8, 0x80000000 | LARGE | P); /* something else just below it */
	CHECK_EQUAL(find(0xffffffff81200000, &place), TL_OK);
	CHECK_EQUAL(place.address, 0xffffffff81000000);
	/* The entry code alone, as a process's own tables have it */
	kernel(8, 1, 0x1000000);
	CHECK_EQUAL(find(0xffffffff81000000, &place), TL_ERROR_STATE);
}

static void told(const struct tl_kaslr_place *place, tl_u64 linked, const char *name, const char *wanted)
{
	static char text[512];
	struct tl_writer writer = tl_writer_make(text, sizeof(text) - 1);

	tl_kaslr_tell(place, linked, name, &writer);
	text[tl_writer_size(&writer)] = '\0';
	CHECK_TEXT(text, wanted);
}

TEST(the_line_for_gdb)
{
	struct tl_kaslr_place place = {.address = 0xffffffff9d000000, .physical = 0x34000000, .size = 0x2000000};

	told(&place, 0, NULL,
	     "The kernel is at 0xffffffff9d000000, physical 0x34000000: 0x1c000000 from where it was linked. For gdb:\n"
	     "symbol-file vmlinux -o 0x1c000000\n");
	place.address = TL_KASLR_LINKED;
	told(&place, 0, "/usr/lib/debug/vmlinux",
	     "The kernel is at 0xffffffff81000000, physical 0x34000000: where it was linked. For gdb:\n"
	     "symbol-file /usr/lib/debug/vmlinux -o 0x0\n");
	told(&place, 0xffffffff82000000, NULL,
	     "The kernel is at 0xffffffff81000000, physical 0x34000000: -0x1000000 from where it was linked. For gdb:\n"
	     "symbol-file vmlinux -o 0xffffffffff000000\n");
}

/* ---- The filter ---- */

static struct {
	bool lacks;
	int calls, fail;
	struct kvm_msr_filter filter;
	struct kvm_enable_cap out;
	struct kvm_msr_entry written;
	bool refuses;
} host;

struct one_msr {
	tl_u32 count, padding;
	struct kvm_msr_entry entry;
};

static int call(void *context, int descriptor, unsigned long request, unsigned long argument)
{
	(void)context;
	(void)descriptor;
	if (request == KVM_CHECK_EXTENSION)
		return host.lacks ? 0 : 1;
	if (++host.calls == host.fail) {
		errno = EINVAL;
		return -1;
	}
	if (request == KVM_X86_SET_MSR_FILTER)
		memcpy(&host.filter, (const void *)argument, sizeof(host.filter));
	if (request == KVM_ENABLE_CAP)
		memcpy(&host.out, (const void *)argument, sizeof(host.out));
	if (request == KVM_SET_MSRS && !host.refuses)
		host.written = ((const struct one_msr *)argument)->entry;
	if (request == KVM_GET_MSRS)
		((struct one_msr *)argument)->entry.data = 0x77;
	return request == KVM_GET_MSRS || request == KVM_SET_MSRS ? !host.refuses : 0;
}

static const struct tl_kvm_calls calls = {.ioctl = call};

TEST(the_filter_brings_out_one_register)
{
	struct tl_error error;

	memset(&host, 0, sizeof(host));
	CHECK_EQUAL(tl_kaslr_arm(&calls, 3, &error), TL_OK);
	CHECK_EQUAL(host.out.cap, KVM_CAP_X86_USER_SPACE_MSR);
	CHECK_EQUAL(host.filter.flags, KVM_MSR_FILTER_DEFAULT_ALLOW);
	CHECK_EQUAL(host.filter.ranges[0].base, 0xc0000101);
	CHECK_EQUAL(host.filter.ranges[0].nmsrs, 1);
	CHECK_EQUAL(host.filter.ranges[0].flags, KVM_MSR_FILTER_WRITE);
	CHECK_EQUAL(host.filter.ranges[0].bitmap[0], 0);
	CHECK_EQUAL(host.filter.ranges[1].nmsrs, 0);
	tl_kaslr_disarm(&calls, 3);
	CHECK_EQUAL(host.filter.ranges[0].nmsrs, 0);
	for (int n = 1; n <= 2; n++) {
		memset(&host, 0, sizeof(host));
		host.fail = n;
		CHECK_EQUAL(tl_kaslr_arm(&calls, 3, &error), TL_ERROR_SYSTEM);
	}
	host.lacks = true;
	CHECK_EQUAL(tl_kaslr_arm(&calls, 3, &error), TL_ERROR_UNSUPPORTED);
	CHECK(strstr(error.text, "monitor kaslr") != NULL);
}

TEST(the_write_is_carried_out)
{
	struct kvm_run run;

	memset(&host, 0, sizeof(host));
	memset(&run, 0, sizeof(run));
	run.exit_reason = KVM_EXIT_X86_WRMSR;
	run.msr.index = 0xc0000101;
	run.msr.data = 0xffffffff9e000000;
	run.msr.error = 1;
	CHECK(tl_kaslr_answer(&calls, 4, &run));
	CHECK_EQUAL(run.msr.error, 0);
	CHECK_EQUAL(host.written.index, 0xc0000101);
	CHECK_EQUAL(host.written.data, 0xffffffff9e000000);
	host.refuses = true;
	CHECK(tl_kaslr_answer(&calls, 4, &run));
	CHECK_EQUAL(run.msr.error, 1);
	host.refuses = false;
	run.exit_reason = KVM_EXIT_X86_RDMSR;
	CHECK(tl_kaslr_answer(&calls, 4, &run));
	CHECK_EQUAL(run.msr.data, 0x77);
	run.exit_reason = KVM_EXIT_IO;
	CHECK(!tl_kaslr_answer(&calls, 4, &run));
}
