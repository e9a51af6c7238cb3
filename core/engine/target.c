#include "core/engine/target.h"

struct event_row {
	const char *name;
	enum tl_event_class class;
};

static const struct event_row event_rows[] = {
#define X(name, class) {#name, TL_EVENT_CLASS_##class},
	TL_EVENT_TABLE(X)
#undef X
};

tl_u32 tl_target_capabilities(const struct tl_target *target)
{
	const struct tl_target_ops *ops = target->ops;
	tl_u32 all = ops->capabilities;

	if (ops->describe != NULL && ops->fetch_registers != NULL && ops->read_memory != NULL)
		all |= TL_CAN_LOOK;
	if (ops->resume != NULL && ops->stop != NULL)
		all |= TL_CAN_RUN;
	if (ops->write_memory == NULL)
		all &= ~(tl_u32)(TL_CAN_PLANT | TL_CAN_OUT_OF_LINE);
	if ((all & TL_CAN_PLANT) != 0)
		all |= TL_CAN_SOFTWARE;
	if (ops->allocate != NULL)
		all |= TL_CAN_ALLOCATE;
	else
		all &= ~(tl_u32)TL_CAN_OUT_OF_LINE;
	if (ops->launch != NULL)
		all |= TL_CAN_LAUNCH;
	if (ops->attach != NULL)
		all |= TL_CAN_ATTACH;
	if (ops->kill != NULL)
		all |= TL_CAN_KILL;
	if (ops->detach != NULL)
		all |= TL_CAN_DETACH;
	if (ops->read_object != NULL)
		all |= TL_CAN_OBJECTS;
	return all;
}

enum tl_status tl_target_part(const void *object, tl_size whole, tl_u64 offset, void *buffer, tl_size size,
			      tl_size *done_ret)
{
	*done_ret = 0;
	if (offset >= whole)
		return TL_OK;
	*done_ret = whole - (tl_size)offset < size ? whole - (tl_size)offset : size;
	tl_copy(buffer, (const tl_u8 *)object + offset, *done_ret);
	return TL_OK;
}

const char *tl_event_name(enum tl_event_kind kind)
{
	return (tl_u32)kind < TL_COUNT(event_rows) ? event_rows[kind].name : "TL_EVENT_?";
}

enum tl_event_class tl_event_class(enum tl_event_kind kind)
{
	return (tl_u32)kind < TL_COUNT(event_rows) ? event_rows[kind].class : TL_EVENT_CLASS_QUIET;
}
