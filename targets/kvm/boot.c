#include "targets/kvm/boot.h"

#include "targets/kvm/boot_elf.h"
#include "targets/kvm/boot_linux.h"

#include <string.h>

#define PAGE TL_KVM_PAGE

/* Selectors of the table below, as Linux wants them. */
#define SELECTOR_CODE 0x10
#define SELECTOR_DATA 0x18

#define CR0_PROTECTED 0x1
#define CR0_EXTENSION 0x10 /* always 1 */
#define CR0_NUMERIC 0x20
#define CR0_PAGING 0x80000000
#define CR4_PAE 0x20
#define EFER_LONG 0x100
#define EFER_LONG_ACTIVE 0x400

#define ENTRY_PRESENT 0x3 /* and writable */
#define ENTRY_LARGE 0x80

#define PVH_MAGIC 0x336ec578
#define PVH_MODULES (TL_KVM_BOOT_INFO + 0x100)
#define PVH_RANGES (TL_KVM_BOOT_INFO + 0x200)
#define PVH_SIZE 0x400

/* ---- Files ---- */

static enum tl_status find_kind(struct tl_kvm_boot *boot, struct tl_error *error)
{
	if (tl_content_is_elf(&boot->kernel))
		return tl_kvm_boot_elf_kind(&boot->kernel, &boot->kind, error);
	if (tl_kvm_boot_linux_is(&boot->kernel)) {
		boot->kind = TL_KVM_BOOT_LINUX;
		return tl_kvm_boot_linux_check(&boot->kernel, error);
	}
	boot->kind = TL_KVM_BOOT_REAL;
	if (boot->kernel.size > TL_KVM_BOOT_LOW_END - TL_KVM_BOOT_SECTOR)
		return TL_FAIL(error, TL_ERROR_MALFORMED,
			       "%s is neither a Linux kernel nor an ELF file, and too large for code in 16 bits",
			       boot->kernel.path);
	return TL_OK;
}

static enum tl_status open_files(struct tl_kvm_boot *boot, const char *kernel, const char *initrd,
				 struct tl_error *error)
{
	if (kernel != NULL) {
		TL_TRY(tl_content_read(&boot->kernel, kernel, error));
		TL_TRY(find_kind(boot, error));
	}
	if (initrd != NULL)
		TL_TRY(tl_content_read(&boot->initrd, initrd, error));
	return TL_OK;
}

enum tl_status tl_kvm_boot_open(struct tl_kvm_boot *boot_ret, const char *kernel, const char *initrd,
				const char *command_line, struct tl_error *error)
{
	enum tl_status status;

	*boot_ret = (struct tl_kvm_boot){.command_line = command_line != NULL ? command_line : ""};
	if (strlen(boot_ret->command_line) >= TL_KVM_BOOT_COMMAND_LINE_MAX)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "the kernel's command line has more than %d bytes",
			       TL_KVM_BOOT_COMMAND_LINE_MAX - 1);
	status = open_files(boot_ret, kernel, initrd, error);
	if (status != TL_OK)
		tl_kvm_boot_close(boot_ret);
	return status;
}

void tl_kvm_boot_close(struct tl_kvm_boot *boot)
{
	tl_content_free(&boot->kernel);
	tl_content_free(&boot->initrd);
}

/* ---- Memory ---- */

static tl_u8 *at(struct tl_kvm_vm *vm, tl_u64 address, tl_u64 size)
{
	return tl_kvm_memory_at(&vm->memory, address, size);
}

/* Null, nothing, code of 64 bits, data; and code of 32 bits in place of the third where that is wanted. */
static void write_descriptors(struct tl_kvm_vm *vm, bool wide)
{
	tl_u8 *table = at(vm, TL_KVM_BOOT_GDT, 32);

	if (table == NULL)
		return;
	tl_store_little(table, 0, 8);
	tl_store_little(table + 8, 0, 8);
	tl_store_little(table + SELECTOR_CODE, wide ? 0x00af9b000000ffff : 0x00cf9b000000ffff, 8);
	tl_store_little(table + SELECTOR_DATA, 0x00cf93000000ffff, 8);
}

/* What is below 4 GiB, one to one, in pages of 2 MiB. */
static void write_page_tables(struct tl_kvm_vm *vm)
{
	tl_u8 *tables = at(vm, TL_KVM_BOOT_TABLES, 6ull * PAGE);

	if (tables == NULL)
		return;
	memset(tables, 0, 6ull * PAGE);
	tl_store_little(tables, (TL_KVM_BOOT_TABLES + PAGE) | ENTRY_PRESENT, 8);
	for (tl_u64 i = 0; i < 4; i++)
		tl_store_little(tables + PAGE + 8 * i, (TL_KVM_BOOT_TABLES + (2 + i) * PAGE) | ENTRY_PRESENT, 8);
	for (tl_u64 i = 0; i < 2048; i++)
		tl_store_little(tables + 2ull * PAGE + 8 * i, i << 21 | ENTRY_PRESENT | ENTRY_LARGE, 8);
}

static void write_start_info(const struct tl_kvm_boot *boot, struct tl_kvm_vm *vm)
{
	tl_u8 *info = at(vm, TL_KVM_BOOT_INFO, PVH_SIZE);
	struct tl_kvm_boot_range ranges[TL_KVM_BOOT_RANGES];
	tl_u32 count = tl_kvm_boot_ranges(&vm->memory, ranges);

	if (info == NULL)
		return;
	memset(info, 0, PVH_SIZE);
	tl_store_little(info, PVH_MAGIC, 4);
	tl_store_little(info + 4, 1, 4); /* the version that has the memory's map */
	if (boot->initrd.size != 0) {
		tl_store_little(info + 12, 1, 4);
		tl_store_little(info + 16, PVH_MODULES, 8);
		tl_store_little(info + (PVH_MODULES - TL_KVM_BOOT_INFO), boot->initrd_start, 8);
		tl_store_little(info + (PVH_MODULES - TL_KVM_BOOT_INFO) + 8, boot->initrd.size, 8);
	}
	tl_store_little(info + 24, TL_KVM_BOOT_COMMAND_LINE, 8);
	tl_store_little(info + 32, TL_KVM_BOOT_ACPI, 8);
	tl_store_little(info + 40, PVH_RANGES, 8);
	tl_store_little(info + 48, count, 4);
	for (tl_u32 i = 0; i < count; i++) {
		tl_u8 *range = info + (PVH_RANGES - TL_KVM_BOOT_INFO) + (tl_size)i * 24;

		tl_store_little(range, ranges[i].start, 8);
		tl_store_little(range + 8, ranges[i].size, 8);
		tl_store_little(range + 16, ranges[i].type, 4);
	}
}

/* As high as it may be in the lower part of memory, behind everything else that was loaded. */
static enum tl_status load_initrd(struct tl_kvm_boot *boot, struct tl_kvm_vm *vm, tl_u64 end, struct tl_error *error)
{
	tl_u64 limit = vm->memory.size < TL_KVM_MEMORY_GAP ? vm->memory.size : TL_KVM_MEMORY_GAP, start;
	tl_u8 *to;

	if (boot->initrd.size == 0)
		return TL_OK;
	if (boot->kind == TL_KVM_BOOT_LINUX && tl_kvm_boot_linux_initrd_limit(&boot->kernel) < limit)
		limit = tl_kvm_boot_linux_initrd_limit(&boot->kernel);
	start = boot->initrd.size < limit ? (limit - boot->initrd.size) & ~(tl_u64)(PAGE - 1) : 0;
	to = start >= end && start >= TL_KVM_BOOT_HIGH ? at(vm, start, boot->initrd.size) : NULL;
	if (to == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "%s has %llu MiB, more than there is room for behind the kernel: give the machine more "
			       "memory with --memory",
			       boot->initrd.path, (unsigned long long)(boot->initrd.size >> 20));
	memcpy(to, boot->initrd.bytes, boot->initrd.size);
	boot->initrd_start = start;
	return TL_OK;
}

static enum tl_status load_kernel(struct tl_kvm_boot *boot, struct tl_kvm_vm *vm, tl_u64 *end_ret,
				  struct tl_error *error)
{
	*end_ret = TL_KVM_BOOT_HIGH;
	switch (boot->kind) {
	case TL_KVM_BOOT_LINUX:
		return tl_kvm_boot_linux_load(&boot->kernel, &vm->memory, &boot->entry, end_ret, error);
	case TL_KVM_BOOT_PVH:
	case TL_KVM_BOOT_LONG:
	case TL_KVM_BOOT_PROTECTED:
		return tl_kvm_boot_elf_load(&boot->kernel, boot->kind, &vm->memory, &boot->entry, end_ret, error);
	case TL_KVM_BOOT_REAL:
		boot->entry = TL_KVM_BOOT_SECTOR;
		memcpy(at(vm, TL_KVM_BOOT_SECTOR, boot->kernel.size), boot->kernel.bytes, boot->kernel.size);
		return TL_OK;
	case TL_KVM_BOOT_NOTHING:
	default:
		return TL_OK;
	}
}

static enum tl_status load(struct tl_kvm_boot *boot, struct tl_kvm_vm *vm, const tl_u8 *acpi, tl_size acpi_size,
			   struct tl_error *error)
{
	tl_size length = strlen(boot->command_line) + 1;
	bool wide = boot->kind == TL_KVM_BOOT_LINUX || boot->kind == TL_KVM_BOOT_LONG;
	tl_u64 end;

	if (at(vm, 0, TL_KVM_BOOT_HIGH) == NULL || acpi_size > TL_KVM_BOOT_ACPI_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "a machine needs at least 1M of memory");
	memcpy(at(vm, TL_KVM_BOOT_COMMAND_LINE, length), boot->command_line, length);
	if (acpi_size != 0)
		memcpy(at(vm, TL_KVM_BOOT_ACPI, acpi_size), acpi, acpi_size);
	/* What a boot sector finds there is its own. */
	if (boot->kind != TL_KVM_BOOT_REAL) {
		write_descriptors(vm, wide);
		write_page_tables(vm);
	}
	TL_TRY(load_kernel(boot, vm, &end, error));
	TL_TRY(load_initrd(boot, vm, end, error));
	if (boot->kind != TL_KVM_BOOT_REAL) {
		write_start_info(boot, vm);
		tl_kvm_boot_zero_page(boot->kind == TL_KVM_BOOT_LINUX ? &boot->kernel : NULL, boot, &vm->memory);
	}
	return TL_OK;
}

/* ---- The first processor ---- */

static struct kvm_segment segment(tl_u16 selector, bool code, bool wide)
{
	return (struct kvm_segment){.selector = selector,
				    .limit = 0xffffffff,
				    .type = code ? 11 : 3, /* accessed; readable, or writable */
				    .present = 1,
				    .s = 1,
				    .l = code && wide,
				    .db = !(code && wide),
				    .g = 1};
}

static void set_flat(struct kvm_sregs *system, bool wide)
{
	system->cs = segment(SELECTOR_CODE, true, wide);
	system->ds = system->es = system->fs = system->gs = system->ss = segment(SELECTOR_DATA, false, wide);
	system->gdt.base = TL_KVM_BOOT_GDT;
	system->gdt.limit = 31;
	/* Nothing is there until the guest says so: an exception ends it. */
	system->idt.base = 0;
	system->idt.limit = 0;
	system->cr0 = CR0_PROTECTED | CR0_EXTENSION | CR0_NUMERIC;
}

static void set_real(struct kvm_sregs *system)
{
	system->cs.selector = 0;
	system->cs.base = 0;
}

static void set_system(const struct tl_kvm_boot *boot, struct kvm_sregs *system)
{
	bool wide = boot->kind == TL_KVM_BOOT_LINUX || boot->kind == TL_KVM_BOOT_LONG;

	if (boot->kind == TL_KVM_BOOT_REAL) {
		set_real(system);
		return;
	}
	set_flat(system, wide);
	if (!wide)
		return;
	system->cr0 |= CR0_PAGING;
	system->cr3 = TL_KVM_BOOT_TABLES;
	system->cr4 = CR4_PAE;
	system->efer = EFER_LONG | EFER_LONG_ACTIVE;
}

static void set_registers(const struct tl_kvm_boot *boot, struct kvm_regs *registers)
{
	*registers = (struct kvm_regs){.rip = boot->entry, .rflags = 2};
	if (boot->kind == TL_KVM_BOOT_REAL) {
		registers->rdx = 0x80; /* the first disk, as boot sectors are told */
		registers->rsp = TL_KVM_BOOT_SECTOR;
		return;
	}
	registers->rsp = TL_KVM_BOOT_LOW_END - 16;
	registers->rsi = TL_KVM_BOOT_ZERO_PAGE;
	if (boot->kind == TL_KVM_BOOT_LONG)
		registers->rdi = TL_KVM_BOOT_INFO;
	else if (boot->kind != TL_KVM_BOOT_LINUX)
		registers->rbx = TL_KVM_BOOT_INFO;
}

static enum tl_status set_processor(const struct tl_kvm_boot *boot, const struct tl_kvm_vm *vm, struct tl_error *error)
{
	int cpu = vm->cpus[0].descriptor;
	struct kvm_sregs system;
	struct kvm_regs registers;

	TL_TRY(TL_KVM_CALL(vm->calls, cpu, KVM_GET_SREGS, &system, error));
	set_system(boot, &system);
	set_registers(boot, &registers);
	TL_TRY(TL_KVM_CALL(vm->calls, cpu, KVM_SET_SREGS, &system, error));
	return TL_KVM_CALL(vm->calls, cpu, KVM_SET_REGS, &registers, error);
}

enum tl_status tl_kvm_boot_load(struct tl_kvm_boot *boot, struct tl_kvm_vm *vm, const tl_u8 *acpi, tl_size acpi_size,
				struct tl_error *error)
{
	TL_TRY(load(boot, vm, acpi, acpi_size, error));
	return boot->kind != TL_KVM_BOOT_NOTHING ? set_processor(boot, vm, error) : TL_OK;
}
