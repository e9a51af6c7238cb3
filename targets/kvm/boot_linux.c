#include "targets/kvm/boot_linux.h"

#include "core/cursor.h"

#define PAGE 4096

/* The header, from the beginning of the file as from that of the zero page. */
#define SETUP_SECTORS 0x1f1
#define HEADER_END_BYTE 0x201 /* the header ends so far behind the next */
#define HEADER_MAGIC 0x202    /* "HdrS" */
#define HEADER_VERSION 0x206
#define LOADER_TYPE 0x210
#define LOAD_FLAGS 0x211
#define INITRD_ADDRESS 0x218
#define INITRD_SIZE 0x21c
#define COMMAND_LINE 0x228
#define INITRD_LIMIT 0x22c
#define EXTENDED_FLAGS 0x236
#define INIT_SIZE 0x260
#define HEADER_LEAST 0x268

#define LOADER_UNKNOWN 0xff
#define FLAG_HIGH 0x01
#define EXTENDED_64 0x01 /* XLF_KERNEL_64 */
#define VERSION_64 0x20c
#define ENTRY_64 0x200 /* from where the kernel is loaded */

/* Only in the zero page. */
#define RSDP 0x070
#define RANGE_COUNT 0x1e8
#define RANGES 0x2d0
#define RANGE_SIZE 20

static tl_u64 field(const struct tl_content *content, tl_u64 offset, tl_size size)
{
	return tl_load_little(content->bytes + offset, size);
}

bool tl_kvm_boot_linux_is(const struct tl_content *content)
{
	return content->size > HEADER_LEAST && tl_same(content->bytes + HEADER_MAGIC, "HdrS", 4);
}

/* The boot sector is the first of the sectors in front of the kernel; 0 means 4 more. */
static tl_u64 setup_size(const struct tl_content *content)
{
	tl_u64 sectors = field(content, SETUP_SECTORS, 1);

	return ((sectors != 0 ? sectors : 4) + 1) * 512;
}

enum tl_status tl_kvm_boot_linux_check(const struct tl_content *content, struct tl_error *error)
{
	if (field(content, HEADER_VERSION, 2) < VERSION_64 || (field(content, EXTENDED_FLAGS, 2) & EXTENDED_64) == 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED,
			       "%s is a kernel that cannot be started in 64 bits: it is older than Linux 3.8, or for "
			       "32 bits",
			       content->path);
	if (setup_size(content) >= content->size)
		return TL_FAIL(error, TL_ERROR_TRUNCATED, "%s ends before the kernel in it: it was cut off",
			       content->path);
	return TL_OK;
}

enum tl_status tl_kvm_boot_linux_load(const struct tl_content *content, struct tl_kvm_memory *memory, tl_u64 *entry_ret,
				      tl_u64 *end_ret, struct tl_error *error)
{
	tl_u64 size = content->size - setup_size(content), room = field(content, INIT_SIZE, 4);
	/* It unpacks itself to where it would like to be, or above where it is. */
	tl_u64 wanted = field(content, 0x258, 8), start = wanted > TL_KVM_BOOT_HIGH ? wanted : TL_KVM_BOOT_HIGH;
	tl_u8 *to = tl_kvm_memory_at(memory, TL_KVM_BOOT_HIGH, size);

	if (to == NULL || room > TL_KVM_MEMORY_GAP || start > TL_KVM_MEMORY_GAP ||
	    tl_kvm_memory_at(memory, start, room + 1) == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "%s needs %llu MiB of memory to unpack itself: give the machine more with --memory",
			       content->path, (unsigned long long)((start + room) >> 20) + 1);
	tl_copy(to, content->bytes + setup_size(content), size);
	*entry_ret = TL_KVM_BOOT_HIGH + ENTRY_64;
	*end_ret = start + room;
	if (*end_ret < TL_KVM_BOOT_HIGH + size)
		*end_ret = TL_KVM_BOOT_HIGH + size;
	return TL_OK;
}

tl_u64 tl_kvm_boot_linux_initrd_limit(const struct tl_content *content)
{
	return field(content, INITRD_LIMIT, 4) + 1;
}

tl_u32 tl_kvm_boot_ranges(const struct tl_kvm_memory *memory, struct tl_kvm_boot_range ranges_ret[TL_KVM_BOOT_RANGES])
{
	tl_u64 lower = memory->size < TL_KVM_MEMORY_GAP ? memory->size : TL_KVM_MEMORY_GAP;
	tl_u32 count = 0;

	ranges_ret[count++] = (struct tl_kvm_boot_range){0, TL_KVM_BOOT_LOW_END, 1};
	ranges_ret[count++] =
		(struct tl_kvm_boot_range){TL_KVM_BOOT_LOW_END, TL_KVM_BOOT_HIGH - TL_KVM_BOOT_LOW_END, 2};
	if (lower > TL_KVM_BOOT_HIGH)
		ranges_ret[count++] = (struct tl_kvm_boot_range){TL_KVM_BOOT_HIGH, lower - TL_KVM_BOOT_HIGH, 1};
	if (memory->size > lower)
		ranges_ret[count++] = (struct tl_kvm_boot_range){TL_KVM_MEMORY_HIGH, memory->size - lower, 1};
	return count;
}

static void copy_header(const struct tl_content *kernel, tl_u8 *page)
{
	tl_u64 end = HEADER_MAGIC + field(kernel, HEADER_END_BYTE, 1);

	if (end > kernel->size)
		end = kernel->size;
	tl_copy(page + SETUP_SECTORS, kernel->bytes + SETUP_SECTORS, end - SETUP_SECTORS);
}

void tl_kvm_boot_zero_page(const struct tl_content *kernel, const struct tl_kvm_boot *boot,
			   struct tl_kvm_memory *memory)
{
	tl_u8 *page = tl_kvm_memory_at(memory, TL_KVM_BOOT_ZERO_PAGE, PAGE);
	struct tl_kvm_boot_range ranges[TL_KVM_BOOT_RANGES];
	tl_u32 count = tl_kvm_boot_ranges(memory, ranges);

	if (page == NULL)
		return;
	for (tl_u32 i = 0; i < PAGE; i++)
		page[i] = 0;
	if (kernel != NULL)
		copy_header(kernel, page);
	page[LOADER_TYPE] = LOADER_UNKNOWN;
	page[LOAD_FLAGS] |= FLAG_HIGH;
	tl_store_little(page + COMMAND_LINE, TL_KVM_BOOT_COMMAND_LINE, 4);
	if (boot->initrd.size != 0) {
		tl_store_little(page + INITRD_ADDRESS, boot->initrd_start, 4);
		tl_store_little(page + INITRD_SIZE, boot->initrd.size, 4);
	}
	tl_store_little(page + RSDP, TL_KVM_BOOT_ACPI, 8);
	page[RANGE_COUNT] = (tl_u8)count;
	for (tl_u32 i = 0; i < count; i++) {
		tl_u8 *range = page + RANGES + (tl_size)i * RANGE_SIZE;

		tl_store_little(range, ranges[i].start, 8);
		tl_store_little(range + 8, ranges[i].size, 8);
		tl_store_little(range + 16, ranges[i].type, 4);
	}
}
