/* What the files computer*.c share. */
#ifndef TL_TARGETS_EMULATOR_COMPUTER_INTERNAL_H
#define TL_TARGETS_EMULATOR_COMPUTER_INTERNAL_H

#include "targets/emulator/computer.h"

/* Harts and devices as they are after reset, and time at its beginning. */
void tl_computer_start(struct tl_computer *computer);

/* Where the device tree is put, and the highest place below it for `size` bytes, in whole pages. */
tl_u64 tl_computer_tree_place(const struct tl_computer *computer);
tl_u64 tl_computer_place_below_tree(const struct tl_computer *computer, tl_u64 size);

/* Idle time passes until then: TL_INPUT_TIME. False when it may not. */
bool tl_computer_pass_time(struct tl_computer *computer, tl_u64 until);

#endif
