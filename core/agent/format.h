/*
 * The format strings of the agent's printf, as GDB passes them on from a dprintf: the text between the quotes, escapes
 * and all. What gdbserver 13 takes is taken, and %p besides: flags - + space # 0, width, precision, h l ll z, and the
 * conversions d i o u x X c s %. Floating point and wide characters are refused.
 */
#ifndef TL_CORE_AGENT_FORMAT_H
#define TL_CORE_AGENT_FORMAT_H

#include "core/agent/agent.h"

/*
 * Checks a format of `size` bytes, the final zero included, that comes with `count` arguments. TL_ERROR_BYTECODE when
 * it is malformed or needs another number, TL_ERROR_UNSUPPORTED for a conversion that cannot be done here.
 */
enum tl_status tl_agent_check_format(const tl_u8 *format, tl_size size, tl_size count);

/*
 * Formats and hands the text to environment->print in one piece. `arguments` points at the first of `count`; the others
 * follow below it in memory, which is how they lie on the machine's stack: arguments[-1] is the second. Strings
 * are read from memory, in pieces that do not cross a boundary of pages, and no more of them than is printed. Text over
 * TL_AGENT_TEXT_MAX ends in "...\n". Nothing is printed on an error.
 */
enum tl_status tl_agent_print(const struct tl_agent_environment *environment, const tl_u8 *format, tl_size size,
			      const tl_u64 *arguments, tl_size count);

#endif
