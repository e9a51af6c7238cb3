/* ELF files that a virtual machine begins with: see boot.h. */
#ifndef TL_TARGETS_KVM_BOOT_ELF_H
#define TL_TARGETS_KVM_BOOT_ELF_H

#include "targets/kvm/boot.h"

/* Which kind of thing an ELF file is. TL_ERROR_MALFORMED when it is damaged or for another machine. */
TL_CHECKED enum tl_status tl_kvm_boot_elf_kind(struct tl_content *content, enum tl_kvm_boot_kind *kind_ret,
					       struct tl_error *error);

/*
 * Copies its segments to their physical addresses, and says where it begins, and where the last of them ends.
 * TL_ERROR_MALFORMED, TL_ERROR_TRUNCATED; TL_ERROR_ARGUMENT when it does not fit.
 */
TL_CHECKED enum tl_status tl_kvm_boot_elf_load(struct tl_content *content, enum tl_kvm_boot_kind kind,
					       struct tl_kvm_memory *memory, tl_u64 *entry_ret, tl_u64 *end_ret,
					       struct tl_error *error);

#endif
