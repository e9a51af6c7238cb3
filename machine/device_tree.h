/*
 * The device tree of the RISC-V board: what firmware and kernels read to learn which devices there are.
 *
 * Source: Devicetree Specification 0.4; Linux, Documentation/devicetree/bindings; QEMU's tree of its virt machine.
 */
#ifndef TL_MACHINE_DEVICE_TREE_H
#define TL_MACHINE_DEVICE_TREE_H

#include "machine/riscv_board.h"

#define TL_DEVICE_TREE_MAX 0x10000 /* bytes; the board's takes less than half, without the command line */
#define TL_COMMAND_LINE_MAX 4096   /* characters: more than Linux takes */

/* What stands in /chosen. */
struct tl_device_tree_choices {
	const char *command_line;        /* NULL: none */
	tl_u64 initrd_start, initrd_end; /* both 0: none */
	tl_u64 seed;                     /* of the random bytes that the kernel begins with */
};

/*
 * Writes the flattened tree into `room` bytes at `tree_ret`, *size_ret of them. TL_ERROR_TOO_LONG when they are too
 * few.
 */
TL_CHECKED enum tl_status tl_device_tree_make(const struct tl_riscv_board *board,
					      const struct tl_device_tree_choices *choices, tl_u8 *tree_ret,
					      tl_size room, tl_size *size_ret);

#endif
