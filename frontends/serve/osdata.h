/*
 * What the operating system of the server knows, as `info os` of gdb shows it: the qXfer:osdata documents. GDB manual,
 * "Operating System Information". Read from /proc, and from nothing that waits.
 */
#ifndef TL_FRONTENDS_SERVE_OSDATA_H
#define TL_FRONTENDS_SERVE_OSDATA_H

#include "core/status.h"
#include "frontends/serve/buffer.h"

/*
 * Adds the document of that type ("processes", "threads", "files", …; "" or "types" for the list of types) to
 * `document`. TL_ERROR_ARGUMENT for a type that there is not. What cannot be read, as other users' descriptors, is left
 * out of the table.
 */
enum tl_status tl_osdata_write(const char *type, struct tl_buffer *document);

#endif
