#include "core/status.h"

struct status_row {
	const char *name;
	const char *text;
	tl_u8 wire;
};

static const struct status_row rows[] = {
#define X(name, wire, text) {#name, text, wire},
	TL_STATUS_TABLE(X)
#undef X
};

const char *tl_status_text(enum tl_status status)
{
	return (tl_u32)status < TL_COUNT(rows) ? rows[status].text : "unknown error";
}

tl_u8 tl_status_wire(enum tl_status status)
{
	return (tl_u32)status < TL_COUNT(rows) ? rows[status].wire : 1;
}

const char *tl_status_name(enum tl_status status)
{
	return (tl_u32)status < TL_COUNT(rows) ? rows[status].name : "TL_ERROR_?";
}
