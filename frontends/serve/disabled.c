/*
 * What --disable-packet of the drop-in switches off: rows that stand before core's and know nothing. What stop replies
 * are to leave out is a setting of the session.
 */
#include "frontends/serve/server.h"

static enum tl_status handle_disabled(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				      struct tl_writer *reply)
{
	(void)rsp;
	(void)context;
	(void)arguments;
	(void)reply;
	return TL_UNKNOWN_PACKET;
}

void tl_disabled_rows(tl_u32 disabled, struct tl_rsp_row rows_ret[TL_DISABLED_ROWS])
{
	static const struct {
		tl_u32 bit;
		const char *name;
	} names[] = {
		{TL_DISABLE_VCONT, "vCont?"},
		{TL_DISABLE_VCONT, "vCont"},
		{TL_DISABLE_VCONT, "vCtrlC"},
		{TL_DISABLE_QC, "qC"},
		{TL_DISABLE_THREAD_INFO, "qfThreadInfo"},
		{TL_DISABLE_THREAD_INFO, "qsThreadInfo"},
	};
	tl_size count = 0;

	_Static_assert(TL_COUNT(names) < TL_DISABLED_ROWS, "one row is left for the end");
	for (tl_size i = 0; i < TL_COUNT(names); i++)
		if ((disabled & names[i].bit) != 0)
			rows_ret[count++] =
				(struct tl_rsp_row){names[i].name, TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_disabled};
	rows_ret[count] = (struct tl_rsp_row){NULL, 0, 0, false, NULL};
}
