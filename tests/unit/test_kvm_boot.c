#include "targets/kvm/boot.h"
#include "targets/kvm/boot_linux.h"
#include "tests/unit/kvm_host.h"
#include "tests/unit/test.h"

#include <unistd.h>

#define MIB ((tl_u64)1 << 20)

static char path[64];

/* A file with these bytes, whose path is in `path` until it is removed. */
static bool write_file(const void *bytes, tl_size size)
{
	int descriptor;
	bool good;

	snprintf(path, sizeof(path), "/tmp/test-kvm-boot-XXXXXX");
	descriptor = mkstemp(path);
	good = descriptor >= 0 && write(descriptor, bytes, size) == (ssize_t)size;
	if (descriptor >= 0)
		close(descriptor);
	return good;
}

static enum tl_status open_bytes(struct tl_kvm_boot *boot, const void *bytes, tl_size size, struct tl_error *error)
{
	enum tl_status status =
		write_file(bytes, size) ? tl_kvm_boot_open(boot, path, NULL, "words", error) : TL_ERROR_SYSTEM;

	(void)unlink(path);
	return status;
}

static void open_vm(struct kvm_host *host, struct tl_kvm_calls *calls, struct tl_kvm_vm *vm)
{
	const struct tl_kvm_vm_options options = {.calls = calls, .cpus = 1, .memory_size = 16 * MIB};

	*calls = kvm_host_calls(host);
	REQUIRE(tl_kvm_vm_open(vm, &options, NULL) == TL_OK);
}

/* ---- Files that are made here ---- */

static void put(tl_u8 *at, tl_u64 value, tl_size size)
{
	tl_store_little(at, value, size);
}

/* A kernel of 1 KiB behind one sector of setup. */
static tl_size make_linux(tl_u8 *file)
{
	memset(file, 0, 2048);
	memset(file + 1024, 0x90, 1024);
	file[0x1f1] = 1;
	file[0x201] = 0x66;
	memcpy(file + 0x202, "HdrS", 4);
	put(file + 0x206, 0x20f, 2);
	put(file + 0x22c, 0x7fffffff, 4);
	put(file + 0x236, 1, 2);
	put(file + 0x258, 0x200000, 8);
	put(file + 0x260, 0x100000, 4);
	return 2048;
}

struct elf_plan {
	bool wide, note;
	tl_u64 physical, memory_size;
	tl_u16 machine;
};

/* One segment to load at the physical address, 0x1000 above which it says that it is; and perhaps a PVH note. */
static tl_size make_elf(tl_u8 *file, const struct elf_plan *plan)
{
	tl_size header = plan->wide ? 64 : 52, entry = plan->wide ? 56 : 32, at = header;
	tl_u64 address = plan->physical + 0x1000;

	memset(file, 0, 1024);
	memcpy(file, "\177ELF", 4);
	file[4] = plan->wide ? 2 : 1;
	file[5] = file[6] = 1;
	put(file + 16, 2, 2);
	put(file + 18, plan->machine, 2);
	put(file + 20, 1, 4);
	put(file + 24, address + 4, plan->wide ? 8 : 4);
	put(file + (plan->wide ? 32 : 28), header, plan->wide ? 8 : 4);
	put(file + (plan->wide ? 52 : 40), header, 2);
	put(file + (plan->wide ? 54 : 42), entry, 2);
	put(file + (plan->wide ? 56 : 44), plan->note ? 2 : 1, 2);
	put(file + at, 1, 4);
	if (plan->wide) {
		put(file + at + 8, 512, 8);
		put(file + at + 16, address, 8);
		put(file + at + 24, plan->physical, 8);
		put(file + at + 32, 16, 8);
		put(file + at + 40, plan->memory_size, 8);
	} else {
		put(file + at + 4, 512, 4);
		put(file + at + 8, address, 4);
		put(file + at + 12, plan->physical, 4);
		put(file + at + 16, 16, 4);
		put(file + at + 20, plan->memory_size, 4);
	}
	memcpy(file + 512, "0123456789abcdef", 16);
	if (plan->note) {
		at += entry;
		put(file + at, 4, 4);
		put(file + at + 8, 600, 8);
		put(file + at + 32, 20, 8);
		put(file + 600, 4, 4);
		put(file + 604, 4, 4);
		put(file + 608, 18, 4);
		memcpy(file + 612, "Xen", 4);
		put(file + 616, 0x200008, 4);
	}
	return 1024;
}

static const struct elf_plan long_plan = {.wide = true, .physical = 0x200000, .memory_size = 32, .machine = 62};

/* ---- What begins how ---- */

TEST(a_linux_kernel_begins_in_64_bits_with_its_page)
{
	tl_u8 file[2048];
	struct kvm_host host = {0};
	struct tl_kvm_calls calls;
	struct tl_kvm_boot boot;
	struct tl_kvm_vm vm;
	const tl_u8 *page;

	REQUIRE(open_bytes(&boot, file, make_linux(file), NULL) == TL_OK);
	CHECK_EQUAL(boot.kind, TL_KVM_BOOT_LINUX);
	open_vm(&host, &calls, &vm);
	REQUIRE(tl_kvm_boot_load(&boot, &vm, (const tl_u8 *)"RSD", 3, NULL) == TL_OK);
	CHECK_EQUAL(host.registers.rip, 0x100200);
	CHECK_EQUAL(host.registers.rsi, TL_KVM_BOOT_ZERO_PAGE);
	CHECK_EQUAL(host.system.efer, 0x500);
	CHECK_EQUAL(host.system.cs.l, 1);
	CHECK_EQUAL(vm.memory.bytes[0x100000], 0x90);
	page = vm.memory.bytes + TL_KVM_BOOT_ZERO_PAGE;
	CHECK(memcmp(page + 0x202, "HdrS", 4) == 0);
	CHECK_EQUAL(page[0x210], 0xff);
	CHECK_EQUAL(tl_load_little(page + 0x228, 4), TL_KVM_BOOT_COMMAND_LINE);
	CHECK_EQUAL(tl_load_little(page + 0x70, 8), TL_KVM_BOOT_ACPI);
	CHECK_EQUAL(page[0x1e8], 3);
	CHECK_TEXT((const char *)vm.memory.bytes + TL_KVM_BOOT_COMMAND_LINE, "words");
	CHECK(memcmp(vm.memory.bytes + TL_KVM_BOOT_ACPI, "RSD", 3) == 0);
	tl_kvm_vm_close(&vm);
	tl_kvm_boot_close(&boot);
}

TEST(the_page_tables_map_four_gigabytes_one_to_one)
{
	tl_u8 file[2048];
	struct kvm_host host = {0};
	struct tl_kvm_calls calls;
	struct tl_kvm_boot boot;
	struct tl_kvm_vm vm;

	REQUIRE(open_bytes(&boot, file, make_linux(file), NULL) == TL_OK);
	open_vm(&host, &calls, &vm);
	REQUIRE(tl_kvm_boot_load(&boot, &vm, NULL, 0, NULL) == TL_OK);
	for (tl_u64 address = 0; address < (tl_u64)4 << 30; address += (tl_u64)77 << 21) {
		tl_u64 entry = tl_load_little(vm.memory.bytes + host.system.cr3, 8);

		entry = tl_load_little(vm.memory.bytes + (entry & ~0xfffull) + 8 * (address >> 30), 8);
		entry = tl_load_little(vm.memory.bytes + (entry & ~0xfffull) + 8 * (address >> 21 & 511), 8);
		CHECK_EQUAL(entry, address | 0x83);
	}
	tl_kvm_vm_close(&vm);
	tl_kvm_boot_close(&boot);
}

TEST(a_pvh_kernel_begins_in_32_bits_with_its_information)
{
	struct elf_plan plan = long_plan;
	tl_u8 file[1024];
	struct kvm_host host = {0};
	struct tl_kvm_calls calls;
	struct tl_kvm_boot boot;
	struct tl_kvm_vm vm;
	const tl_u8 *info;

	plan.note = true;
	REQUIRE(open_bytes(&boot, file, make_elf(file, &plan), NULL) == TL_OK);
	CHECK_EQUAL(boot.kind, TL_KVM_BOOT_PVH);
	open_vm(&host, &calls, &vm);
	REQUIRE(tl_kvm_boot_load(&boot, &vm, NULL, 0, NULL) == TL_OK);
	CHECK_EQUAL(host.registers.rip, 0x200008);
	CHECK_EQUAL(host.registers.rbx, TL_KVM_BOOT_INFO);
	CHECK_EQUAL(host.system.cr0 & 0x80000001, 1);
	info = vm.memory.bytes + TL_KVM_BOOT_INFO;
	CHECK_EQUAL(tl_load_little(info, 4), 0x336ec578);
	CHECK_EQUAL(tl_load_little(info + 24, 8), TL_KVM_BOOT_COMMAND_LINE);
	CHECK_EQUAL(tl_load_little(info + 48, 4), 3);
	tl_kvm_vm_close(&vm);
	tl_kvm_boot_close(&boot);
}

TEST(programs_begin_at_the_physical_address_of_their_entry)
{
	struct elf_plan plan = long_plan;

	for (int wide = 0; wide < 2; wide++) {
		tl_u8 file[1024];
		struct kvm_host host = {0};
		struct tl_kvm_calls calls;
		struct tl_kvm_boot boot;
		struct tl_kvm_vm vm;

		plan.wide = wide != 0;
		plan.machine = wide != 0 ? 62 : 3;
		REQUIRE(open_bytes(&boot, file, make_elf(file, &plan), NULL) == TL_OK);
		CHECK_EQUAL(boot.kind, wide != 0 ? TL_KVM_BOOT_LONG : TL_KVM_BOOT_PROTECTED);
		open_vm(&host, &calls, &vm);
		vm.memory.bytes[0x200010] = 0xee; /* is cleared */
		REQUIRE(tl_kvm_boot_load(&boot, &vm, NULL, 0, NULL) == TL_OK);
		CHECK_EQUAL(host.registers.rip, 0x200004);
		CHECK_EQUAL((host.system.cr0 & 0x80000000) != 0, wide != 0);
		CHECK(memcmp(vm.memory.bytes + 0x200000, "0123456789abcdef\0", 17) == 0);
		tl_kvm_vm_close(&vm);
		tl_kvm_boot_close(&boot);
	}
}

TEST(anything_else_begins_as_a_boot_sector)
{
	struct kvm_host host = {.system = {.cs = {.selector = 0xf000, .base = 0xffff0000}}};
	struct tl_kvm_calls calls;
	struct tl_kvm_boot boot;
	struct tl_kvm_vm vm;

	REQUIRE(open_bytes(&boot, "\xeb\xfe", 2, NULL) == TL_OK);
	CHECK_EQUAL(boot.kind, TL_KVM_BOOT_REAL);
	open_vm(&host, &calls, &vm);
	REQUIRE(tl_kvm_boot_load(&boot, &vm, NULL, 0, NULL) == TL_OK);
	CHECK_EQUAL(host.registers.rip, 0x7c00);
	CHECK_EQUAL(host.system.cs.selector, 0);
	CHECK_EQUAL(host.system.cs.base, 0);
	CHECK_EQUAL(vm.memory.bytes[0x7c00], 0xeb);
	tl_kvm_vm_close(&vm);
	tl_kvm_boot_close(&boot);
}

/* ---- What is refused ---- */

TEST(files_that_are_damaged_or_for_others_are_refused_in_words)
{
	tl_u8 file[2048];
	struct elf_plan plan = long_plan;
	struct tl_kvm_boot boot;
	struct tl_error error = {0};

	plan.machine = 243;
	CHECK_EQUAL(open_bytes(&boot, file, make_elf(file, &plan), &error), TL_ERROR_MALFORMED);
	CHECK(strstr(error.text, "not for x86") != NULL);
	make_linux(file);
	file[0x236] = 0;
	CHECK_EQUAL(open_bytes(&boot, file, 2048, &error), TL_ERROR_MALFORMED);
	make_linux(file);
	CHECK_EQUAL(open_bytes(&boot, file, 1000, &error), TL_ERROR_TRUNCATED);
	CHECK_EQUAL(tl_kvm_boot_open(&boot, "/nonexistent/kernel", NULL, NULL, &error), TL_ERROR_ARGUMENT);
	CHECK(strstr(error.text, "/nonexistent/kernel") != NULL);
}

TEST(cut_off_anywhere_a_file_is_refused_or_loads_what_it_has)
{
	struct elf_plan plan = long_plan;
	tl_u8 file[1024];
	struct kvm_host host = {0};
	struct tl_kvm_calls calls;
	struct tl_kvm_vm vm;

	plan.note = true;
	make_elf(file, &plan);
	open_vm(&host, &calls, &vm);
	for (tl_size size = 1; size <= 1024; size += 13) {
		struct tl_error error = {0};
		struct tl_kvm_boot boot;

		if (open_bytes(&boot, file, size, &error) != TL_OK) {
			CHECK(error.text[0] != '\0');
			continue;
		}
		if (tl_kvm_boot_load(&boot, &vm, NULL, 0, &error) != TL_OK)
			CHECK(error.text[0] != '\0');
		tl_kvm_boot_close(&boot);
	}
	tl_kvm_vm_close(&vm);
}

TEST(what_does_not_fit_is_refused)
{
	struct elf_plan plan = long_plan;
	tl_u8 file[2048];
	struct kvm_host host = {0};
	struct tl_kvm_calls calls;
	struct tl_kvm_boot boot;
	struct tl_kvm_vm vm;
	struct tl_error error = {0};

	open_vm(&host, &calls, &vm);
	plan.physical = 16 * MIB - 16;
	REQUIRE(open_bytes(&boot, file, make_elf(file, &plan), NULL) == TL_OK);
	CHECK_EQUAL(tl_kvm_boot_load(&boot, &vm, NULL, 0, &error), TL_ERROR_ARGUMENT);
	CHECK(strstr(error.text, "--memory") != NULL);
	tl_kvm_boot_close(&boot);
	make_linux(file);
	put(file + 0x260, 64 * MIB, 4);
	REQUIRE(open_bytes(&boot, file, 2048, NULL) == TL_OK);
	CHECK_EQUAL(tl_kvm_boot_load(&boot, &vm, NULL, 0, &error), TL_ERROR_ARGUMENT);
	tl_kvm_boot_close(&boot);
	tl_kvm_vm_close(&vm);
}

TEST(the_initial_file_system_is_high_and_behind_the_kernel)
{
	static tl_u8 many[14 * 1024 * 1024];
	tl_u8 file[2048];
	struct kvm_host host = {0};
	struct tl_kvm_calls calls;
	struct tl_kvm_boot boot;
	struct tl_kvm_vm vm;
	struct tl_error error = {0};

	REQUIRE(open_bytes(&boot, file, make_linux(file), NULL) == TL_OK);
	open_vm(&host, &calls, &vm);
	boot.initrd = (struct tl_content){.path = "files", .bytes = many, .size = 5000};
	many[0] = 0x42;
	REQUIRE(tl_kvm_boot_load(&boot, &vm, NULL, 0, NULL) == TL_OK);
	CHECK_EQUAL(boot.initrd_start, 16 * MIB - 8192);
	CHECK_EQUAL(vm.memory.bytes[boot.initrd_start], 0x42);
	CHECK_EQUAL(tl_load_little(vm.memory.bytes + TL_KVM_BOOT_ZERO_PAGE + 0x218, 4), boot.initrd_start);
	boot.initrd.size = sizeof(many);
	CHECK_EQUAL(tl_kvm_boot_load(&boot, &vm, NULL, 0, &error), TL_ERROR_ARGUMENT);
	CHECK(strstr(error.text, "files") != NULL);
	boot.initrd.bytes = NULL;
	tl_kvm_boot_close(&boot);
	tl_kvm_vm_close(&vm);
}
