/*
 * What a computer begins with, from files: firmware, a kernel, its initial file system, a bare-metal program.
 *
 * All of them are checked here: a file that cannot be what it is given for is refused with a sentence that says why.
 */
#ifndef TL_TARGETS_EMULATOR_COMPUTER_LOAD_H
#define TL_TARGETS_EMULATOR_COMPUTER_LOAD_H

#include "targets/emulator/computer.h"

/* The firmware of Debian's package opensbi. */
#define TL_COMPUTER_FIRMWARE "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin"

/* How far behind the firmware the kernel stands, as OpenSBI and Linux want it. */
#define TL_COMPUTER_KERNEL_OFFSET ((tl_u64)2 << 20)

/*
 * Firmware that harts begin with, at the start of memory: an ELF file for there, or plain code (OpenSBI's
 * fw_dynamic.bin). It finds its number in a0, the device tree in a1 and where to go on (struct fw_dynamic_info) in a2.
 */
TL_CHECKED enum tl_status tl_computer_load_firmware(struct tl_computer *computer, const char *path,
						    struct tl_error *error);

/*
 * A Linux kernel: an Image, also packed with gzip or zstd, also inside an EFI zboot file; or whatever else firmware
 * goes on to (U-Boot: an ELF file). Plain code without Linux's header is loaded as it is when `any` is set.
 */
TL_CHECKED enum tl_status tl_computer_load_kernel(struct tl_computer *computer, const char *path, bool any,
						  struct tl_error *error);

/* The initial file system, as it is; after the kernel. */
TL_CHECKED enum tl_status tl_computer_load_initrd(struct tl_computer *computer, const char *path,
						  struct tl_error *error);

/* A bare-metal program (an ELF file): all harts begin at its entry, in machine mode. */
TL_CHECKED enum tl_status tl_computer_load_program(struct tl_computer *computer, const char *path,
						   struct tl_error *error);

#endif
