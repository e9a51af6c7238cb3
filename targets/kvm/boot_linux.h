/* Linux's bzImage, and the page that it is told everything with: see boot.h. */
#ifndef TL_TARGETS_KVM_BOOT_LINUX_H
#define TL_TARGETS_KVM_BOOT_LINUX_H

#include "targets/kvm/boot.h"

/* A piece of memory as the guest is told of it. */
struct tl_kvm_boot_range {
	tl_u64 start, size;
	tl_u32 type; /* 1: memory, 2: kept away from */
};

#define TL_KVM_BOOT_RANGES 4

/* What the machine's memory is; returns how many of the ranges are used. */
tl_u32 tl_kvm_boot_ranges(const struct tl_kvm_memory *memory, struct tl_kvm_boot_range ranges_ret[TL_KVM_BOOT_RANGES]);

/* Whether it is a Linux kernel for PCs, new or old. */
bool tl_kvm_boot_linux_is(const struct tl_content *content);

/* That it can be started by the 64-bit protocol. TL_ERROR_MALFORMED with a sentence when not. */
TL_CHECKED enum tl_status tl_kvm_boot_linux_check(const struct tl_content *content, struct tl_error *error);

/* Copies it to 1 MiB; says where it begins, and where it ends once it has unpacked itself. TL_ERROR_ARGUMENT: no room.
 */
TL_CHECKED enum tl_status tl_kvm_boot_linux_load(const struct tl_content *content, struct tl_kvm_memory *memory,
						 tl_u64 *entry_ret, tl_u64 *end_ret, struct tl_error *error);

/* How high its initial file system may end. */
tl_u64 tl_kvm_boot_linux_initrd_limit(const struct tl_content *content);

/*
 * Writes the zero page of what was loaded, with the kernel's own header when it is bzImage (NULL: it is not).
 */
void tl_kvm_boot_zero_page(const struct tl_content *kernel, const struct tl_kvm_boot *boot,
			   struct tl_kvm_memory *memory);

#endif
