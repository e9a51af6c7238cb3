/*
 * From packet text to typed requests: the syntax of the remote protocol's arguments, and nothing else. These functions
 * know no session and no engine; each takes what it reads from a cursor and returns TL_ERROR_PACKET (or a more exact
 * status) when the text is not what the manual says, with *request_ret then undefined.
 * GDB manual, appendix "GDB Remote Serial Protocol", sections "Packets", "General Query Packets".
 */
#ifndef TL_CORE_RSP_REQUEST_H
#define TL_CORE_RSP_REQUEST_H

#include "core/cursor.h"
#include "core/engine/engine.h"

/* "p1.2f", "p1", "2f", "-1", "0": numbers may be TL_ANY (all) and 0 (any one). */
struct tl_request_thread {
	bool with_process;
	tl_u64 process; /* TL_ANY unless with_process */
	tl_u64 thread;
};

enum tl_status tl_request_thread(struct tl_cursor *text, struct tl_request_thread *request_ret);

/* "ADDRESS,LENGTH", and with `data` ":…" behind it: whatever is left is the data. */
struct tl_request_memory {
	tl_u64 address;
	tl_u64 size;
	struct tl_cursor data;
};

enum tl_status tl_request_memory(struct tl_cursor *text, bool data, struct tl_request_memory *request_ret);

/* "OFFSET,LENGTH" at the end of a packet. */
enum tl_status tl_request_part(struct tl_cursor *text, tl_u64 *offset_ret, tl_u64 *size_ret);

/* One action of vCont, up to and without the next semicolon: "c", "C05", "s", "S05:p1.1", "r4000,4010:p1.1", "t". */
struct tl_request_action {
	enum tl_action_kind kind;
	tl_u64 signal; /* the client's number, 0 for none */
	tl_u64 start, end;
	bool with_thread;
	struct tl_request_thread thread;
};

enum tl_status tl_request_action(struct tl_cursor *text, struct tl_request_action *request_ret);

/* "TYPE,ADDRESS,KIND" of Z and z; options of Z may follow. */
struct tl_request_point {
	enum tl_point_kind kind;
	tl_u64 address;
	tl_u64 size;
};

enum tl_status tl_request_point(struct tl_cursor *text, struct tl_request_point *request_ret);

/*
 * The next expression among the options of a Z packet, "[;]X LENGTH,HEX" or the first of "[;]cmds:PERSIST,X
 * LENGTH,HEX…". Begin with a zeroed struct and call until `done`. `hex` has exactly 2 × size characters, which may
 * still be no digits. Options that the manual does not name are stepped over.
 */
struct tl_request_expression {
	bool done;
	bool command; /* of cmds: rather than a condition */
	bool persist; /* once a cmds: said so */
	tl_u16 size;  /* bytes, 1 to TL_AGENT_CODE_MAX */
	struct tl_cursor hex;
};

enum tl_status tl_request_expression(struct tl_cursor *text, struct tl_request_expression *request);

/* The next number of a list "N;N;…"; false, and the text's cursor failed if it is malformed, at the end. */
bool tl_request_number(struct tl_cursor *text, tl_u64 *number_ret);

/* lldb's ";thread:ID;" behind a register packet: false when there is none, or it is malformed (cursor failed). */
bool tl_request_suffix(struct tl_cursor *text, struct tl_request_thread *request_ret);

#endif
