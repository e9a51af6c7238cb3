/*
 * Bystanders, as a list of numbers that a test supplies. They are looked at while every thread stands, so that nothing
 * of the machine changes meanwhile, whoever runs its threads.
 */
#include "targets/scripted/internal.h"

#include "core/cpu/x86_layout.h"

static const tl_i16 known[] = {TL_X86_64_RIP, TL_X86_64_RSP, TL_X86_64_RBP, -1};

/* The eldest process that is alive; 0: there is none. */
static tl_u64 eldest(const struct tl_scripted *scripted)
{
	for (tl_size i = 0; i < scripted->number_count; i++)
		if (scripted->numbers[i].process != NULL && scripted->numbers[i].process->alive)
			return i + 1;
	return 0;
}

bool tl_scripted_is_bystander(const struct tl_scripted *scripted, struct tl_thread_id id)
{
	for (tl_size i = 0; i < scripted->options.bystander_count; i++)
		if (id.thread != 0 && id.thread == scripted->options.bystanders[i])
			return id.process != 0 && id.process == eldest(scripted);
	return false;
}

/* They are there for who asks while nothing runs, and for nobody else. */
static void expect_standstill(struct tl_scripted *scripted)
{
	for (tl_size i = 0; i < scripted->number_count; i++)
		if (scripted->numbers[i].thread != NULL && scripted->numbers[i].thread->running)
			tl_scripted_violation(scripted, "bystanders were asked for while a thread ran");
}

bool tl_scripted_next_bystander(struct tl_target *target, struct tl_thread_id after, struct tl_thread_id *next_ret)
{
	struct tl_scripted *scripted = TL_CONTAINER(target, struct tl_scripted, target);
	bool passed = after.thread == 0;

	expect_standstill(scripted);
	for (tl_size i = 0; i < scripted->options.bystander_count; i++) {
		struct tl_thread_id id = {eldest(scripted), scripted->options.bystanders[i]};

		if (passed && tl_scripted_is_bystander(scripted, id)) {
			*next_ret = id;
			return true;
		}
		passed |= id.thread == after.thread && id.process == after.process;
	}
	return false;
}

enum tl_status tl_scripted_fetch_bystander(struct tl_target *target, struct tl_thread_id id, tl_u8 *file,
					   const tl_i16 **known_ret)
{
	struct tl_scripted *scripted = TL_CONTAINER(target, struct tl_scripted, target);

	expect_standstill(scripted);
	if (!tl_scripted_is_bystander(scripted, id))
		return TL_ERROR_NO_THREAD;
	*known_ret = known;
	for (tl_size i = 0; known[i] >= 0 && file != NULL; i++)
		tl_cpu_set(scripted->options.cpu, file, (tl_u16)known[i], (i + 1) << 16 | id.thread);
	return TL_OK;
}
