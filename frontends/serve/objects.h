/*
 * Documents that a client reads in parts and that need more than a target: qXfer:osdata and qXfer:libraries-svr4. GDB
 * manual, "General Query Packets", qXfer.
 */
#ifndef TL_FRONTENDS_SERVE_OBJECTS_H
#define TL_FRONTENDS_SERVE_OBJECTS_H

#include "core/rsp/rsp.h"
#include "frontends/serve/buffer.h"

/* One client's; a fresh one has the engine and `osdata`, and zero for the rest. */
struct tl_documents {
	struct tl_engine *engine;
	/* What tl_osdata_write does: the one that reads the system's tables, or a test's. */
	enum tl_status (*osdata)(const char *type, struct tl_buffer *document);
	/* The last document that was read, so that its parts fit together. */
	struct tl_buffer document;
	char name[160];
};

/* The rows of the packet table; their context is a struct tl_documents. */
extern const struct tl_rsp_row tl_objects_rows[];

#endif
