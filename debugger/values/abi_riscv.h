/* Results of functions on RISC-V with 64-bit registers for both kinds of numbers (psABI, "Procedure Calling
 * Convention", LP64D). */
#ifndef TL_DEBUGGER_ABI_RISCV_H
#define TL_DEBUGGER_ABI_RISCV_H

#include "debugger/values/abi.h"

/* Of a stripped type that is not void; see tl_abi_result_place. */
TL_CHECKED enum tl_status tl_abi_riscv_place(const struct tl_type *stripped, struct tl_abi_place *place_ret,
					     struct tl_error *error);

#endif
