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

const char *tl_event_name(enum tl_event_kind kind)
{
	return (tl_u32)kind < TL_COUNT(event_rows) ? event_rows[kind].name : "TL_EVENT_?";
}

enum tl_event_class tl_event_class(enum tl_event_kind kind)
{
	return (tl_u32)kind < TL_COUNT(event_rows) ? event_rows[kind].class : TL_EVENT_CLASS_QUIET;
}
