/*
 * Who gets the debug registers: hardware breakpoints first, which have no other way; then watchpoints on reads; then
 * those on writes, in the order of their numbers. What is left over is stepped and compared. Part of a session.
 */
#ifndef TL_DEBUGGER_DEBUG_REGISTERS_H
#define TL_DEBUGGER_DEBUG_REGISTERS_H

#include "core/engine/target.h"
#include "debugger/session/breakpoint.h"

/* Bytes that one debug register watches: 1, 2, 4 or 8 that are aligned to as many (Intel SDM volume 3, 17.2.5). */
struct tl_debug_piece {
	enum tl_point_kind kind;
	tl_u64 address, size;
};

/* As many as a stretch of TL_WATCHED_SIZE_MAX bytes can take. */
#define TL_DEBUG_PIECES_MAX 16

/*
 * The pieces that a stretch of memory takes for a watchpoint; returns how many. A stretch that is watched for writes
 * may be covered with bytes around it: a write there changes nothing, and is passed over.
 */
tl_size tl_debug_pieces(const struct tl_breakpoint *breakpoint, const struct tl_watched *watched,
			struct tl_debug_piece pieces_ret[TL_DEBUG_PIECES_MAX]);

struct tl_debugged;

/* Gives the registers of an inferior out anew: sets `software` of all watchpoints on it. */
void tl_debug_registers_share(struct tl_session *session, const struct tl_debugged *debugged);

/* Is there room for one more in the selected inferior that cannot do without them? */
bool tl_debug_registers_room(struct tl_session *session, const struct tl_breakpoint *breakpoint);

#endif
