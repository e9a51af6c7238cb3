/*
 * Kernels as files hold them: Linux's Image for RISC-V, plain, packed with gzip or zstd, or inside an EFI zboot file.
 *
 * Source: Linux, Documentation/arch/riscv/boot-image-header.rst; drivers/firmware/efi/libstub/Makefile.zboot.
 */
#ifndef TL_TARGETS_EMULATOR_KERNEL_IMAGE_H
#define TL_TARGETS_EMULATOR_KERNEL_IMAGE_H

#include "base/error.h"
#include "core/types.h"

#define TL_KERNEL_IMAGE_MAX ((tl_u64)1 << 30) /* bytes, unpacked */

/* All of it belongs to the caller, who frees `bytes`. */
struct tl_kernel_image {
	tl_u8 *bytes;
	tl_u64 size;
	bool is_linux;      /* it has Linux's header: the two below are from there */
	tl_u64 memory_size; /* with what is cleared behind its bytes; at least `size` */
	tl_u64 offset;      /* from the start of memory, or of 2 MiB of it, at which it wants to stand */
};

/*
 * Unpacks what is packed and reads the header. Takes `bytes`, which came from malloc, also when it fails.
 * TL_ERROR_MALFORMED: damaged, or for another machine, and the error says how. `name` is for errors.
 */
TL_CHECKED enum tl_status tl_kernel_image_open(struct tl_kernel_image *image_ret, const char *name, tl_u8 *bytes,
					       tl_u64 size, struct tl_error *error);

#endif
