/*
 * What stands while every thread does and can be looked at like one, but is not run: a kernel's tasks that are on no
 * processor. The target knows them; nothing of them is kept here from one question to the next.
 */
#include "core/engine/internal.h"

/* Whether the target can be asked: each resume changes the answer, and so does a thread that runs. */
static bool any(const struct tl_engine *engine)
{
	const struct tl_target_ops *ops = engine->target->ops;

	return ops->next_bystander != NULL && ops->fetch_bystander != NULL && !engine->settings.non_stop &&
	       tl_engine_quiet(engine);
}

static bool attended(const struct tl_engine *engine, tl_u64 id)
{
	const struct process *process = tl_engine_process(engine, id);

	return process != NULL && !process->unattended;
}

bool tl_engine_next_bystander(const struct tl_engine *engine, struct tl_thread_id after, struct tl_thread_id *id_ret)
{
	struct tl_thread_id id = after;

	if (!any(engine))
		return false;
	while (engine->target->ops->next_bystander(engine->target, id, &id)) {
		if (!attended(engine, id.process))
			continue;
		*id_ret = id;
		return true;
	}
	return false;
}

bool tl_engine_is_bystander(const struct tl_engine *engine, struct tl_thread_id id)
{
	const tl_i16 *known;

	return any(engine) && tl_engine_thread(engine, id) == NULL && attended(engine, id.process) &&
	       engine->target->ops->fetch_bystander(engine->target, id, NULL, &known) == TL_OK;
}

enum tl_status tl_engine_bystander_registers(struct tl_engine *engine, struct tl_thread_id id, const tl_u8 **file_ret,
					     const tl_i16 **known_ret)
{
	const struct process *process = tl_engine_process(engine, id.process);

	if (!tl_engine_is_bystander(engine, id))
		return TL_ERROR_NO_THREAD;
	TL_TRY(tl_engine_reserve_file(engine, process->facts.cpu->file_size, &engine->bystander_file,
				      &engine->bystander_file_size));
	*file_ret = engine->bystander_file;
	return engine->target->ops->fetch_bystander(engine->target, id, engine->bystander_file, known_ret);
}
