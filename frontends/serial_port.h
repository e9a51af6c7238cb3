/*
 * Where the serial port of a machine that is served leads: the terminal, with keys of its own; a socket, for whoever
 * connects to it; a terminal by its path; or nowhere. The machine sees two descriptors, or a path, in any case.
 *
 * On a terminal every key is the guest's, ^C too, but for ^A: with x behind it the machine ends, with another ^A one
 * goes to the guest, and with h the keys are listed.
 *
 * Control thread.
 */
#ifndef TL_FRONTENDS_SERIAL_PORT_H
#define TL_FRONTENDS_SERIAL_PORT_H

#include "frontends/machine.h"

struct tl_serial_port;

/*
 * Opens it in a loop, and fills in where the machine reads and writes (input, output, terminal), which is the port's.
 * `where` is "-", "none", an address to listen at ("tcp::4000", "unix:/a/b"), or a terminal's path, which is borrowed.
 * What people are to know (where it listens, who came) goes to `remark`. TL_ERROR_ARGUMENT, TL_ERROR_SYSTEM,
 * TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_serial_port_open(struct tl_loop *loop, const char *where, struct tl_machine_ends *ends,
					      struct tl_serial_port **port_ret, struct tl_error *error);
/* After the machine. The terminal is as it was. NULL is fine. */
void tl_serial_port_close(struct tl_serial_port *port);

/* What of `bytes` is the guest's: at `kept_ret`, with room for `size`; its length. `escaped` is kept between calls. */
tl_size tl_serial_keys(const tl_u8 *bytes, tl_size size, bool *escaped, tl_u8 *kept_ret,
		       void (*command)(void *context, tl_u8 key), void *context);

#endif
