/*
 * The engine's points in the machine's table, and their conditions, which are decided in the machine's thread.
 */
#include "base/conditions.h"
#include "base/storage.h"
#include "base/trace.h"
#include "core/agent/agent.h"
#include "core/cpu/riscv_layout.h"
#include "targets/emulator/control.h"
#include "targets/emulator/paging.h"
#include "targets/emulator/target_internal.h"
#include "targets/emulator/translator.h"

/* A change of the table on its way to where it may be made. */
struct change {
	struct tl_emulator_point point;
	struct tl_conditions *conditions;
	enum tl_status status;
};

static struct tl_emulator_point point_of(enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	static const tl_u8 access[TL_POINT_KIND_MAX] = {[TL_POINT_WRITE] = TL_POINT_WRITES,
							[TL_POINT_READ] = TL_POINT_READS,
							[TL_POINT_ACCESS] = TL_POINT_READS | TL_POINT_WRITES};

	return (struct tl_emulator_point){
		.address = address, .size = access[kind] != 0 ? size : 0, .access = access[kind], .label = kind};
}

/* ---- Conditions ---- */

struct evaluation {
	struct tl_emulator *emulator;
	struct tl_hart *hart;
};

static enum tl_status evaluate_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	struct evaluation *evaluation = context;

	return tl_emulator_look(evaluation->emulator, evaluation->hart, address, buffer, size) == size
		       ? TL_OK
		       : TL_ERROR_MEMORY;
}

static enum tl_status evaluate_register(void *context, tl_u16 number, tl_u64 *value_ret)
{
	const struct tl_hart *hart = ((struct evaluation *)context)->hart;

	if (number < 32)
		*value_ret = hart->x[number];
	else if (number == TL_RISCV_REGISTER_PC)
		*value_ret = hart->pc;
	else if (number >= TL_RISCV_REGISTER_FT0 && number <= TL_RISCV_REGISTER_FT11)
		*value_ret = hart->f[number - TL_RISCV_REGISTER_FT0];
	else if (number == TL_RISCV_REGISTER_PRIV)
		*value_ret = hart->privilege;
	else if (number >= TL_RISCV_REGISTER_MAX ||
		 !tl_control_get(hart, (tl_u32)tl_cpu_riscv64.registers[number].dwarf - 4096, value_ret))
		return TL_ERROR_REGISTER;
	return TL_OK;
}

/* Any that is true, or fails: why, the engine finds out when it decides again. */
static bool decide(void *context, struct tl_hart *hart, const struct tl_emulator_point *point)
{
	struct evaluation evaluation = {context, hart};
	const struct tl_conditions *conditions = point->owner;
	struct tl_agent_environment environment = {.read_memory = evaluate_memory,
						   .read_register = evaluate_register,
						   .context = &evaluation,
						   .address_size = 8};

	return tl_conditions_hold(conditions, &environment);
}

/* ---- Changes, where they may be made ---- */

void tl_emulator_points_changed(struct tl_emulator *emulator, const struct tl_emulator_point *point)
{
	if (point->size == 0 && emulator->computer.translator != NULL) {
		if (point->space == TL_POINT_SPACE_PHYSICAL)
			tl_translator_memory_changed(emulator->computer.translator, point->address, 2);
		else
			tl_translator_point_changed(emulator->computer.translator, point->address);
	}
	if (point->size == 0)
		return;
	for (tl_u32 i = 0; i < tl_emulator_hart_count(emulator); i++)
		tl_paging_flush(&emulator->computer.harts[i]);
}

static void insert(struct tl_emulator *emulator, void *context)
{
	struct change *change = context;
	struct tl_emulator_point *found = tl_points_lookup(&emulator->points, &change->point);

	/* Its conditions came first. */
	if (found != NULL) {
		change->status = TL_OK;
		return;
	}
	change->status = tl_points_add(&emulator->points, &change->point);
	if (change->status == TL_OK)
		tl_emulator_points_changed(emulator, &change->point);
}

static void withdraw(struct tl_emulator *emulator, void *context)
{
	struct change *change = context;
	struct tl_emulator_point *found = tl_points_lookup(&emulator->points, &change->point);

	if (found != NULL)
		change->conditions = found->owner;
	change->status = tl_points_remove(&emulator->points, &change->point);
	if (change->status == TL_OK)
		tl_emulator_points_changed(emulator, &change->point);
}

/* The translator reads them where the point is a breakpoint. */
static void give_conditions(struct tl_emulator_point *point, struct tl_conditions *conditions)
{
	point->owner = conditions;
	point->conditions = conditions != NULL ? conditions->items : NULL;
	point->condition_count = conditions != NULL ? (tl_u32)conditions->count : 0;
}

static void exchange_conditions(struct tl_emulator *emulator, void *context)
{
	struct change *change = context;
	struct tl_emulator_point *found = tl_points_lookup(&emulator->points, &change->point);
	void *before = NULL;

	change->status = TL_OK;
	if (found == NULL && change->conditions != NULL) {
		give_conditions(&change->point, change->conditions);
		change->status = tl_points_add(&emulator->points, &change->point);
		if (change->status == TL_OK)
			tl_emulator_points_changed(emulator, &change->point);
		else
			before = change->conditions;
	} else if (found != NULL) {
		before = found->owner;
		give_conditions(found, change->conditions);
		if (found->size == 0)
			tl_emulator_points_changed(emulator, found);
	}
	change->conditions = before;
}

/* ---- Operations ---- */

/* What is wrong with it, if anything. */
static enum tl_status check(const struct tl_emulator_point *point, tl_u64 size)
{
	if (point->access != 0 && (size == 0 || point->address + (size - 1) < point->address))
		return TL_ERROR_POINT_SIZE;
	return point->access == 0 && (point->address & 1) != 0 ? TL_ERROR_MEMORY : TL_OK;
}

enum tl_status tl_emulator_insert_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind,
					tl_u64 address, tl_u64 size)
{
	struct tl_emulator *emulator = tl_emulator_of(target);
	struct change change = {.point = point_of(kind, address, size)};

	if (process != TL_EMULATOR_PROCESS)
		return TL_ERROR_GONE;
	TL_TRY(check(&change.point, size));
	tl_emulator_perform(emulator, insert, &change);
	TL_TRACE(POINTS, "emulator: point of kind %d at %llx enters the machine's table: %s", (int)kind,
		 (unsigned long long)address, tl_status_text(change.status));
	return change.status;
}

enum tl_status tl_emulator_remove_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind,
					tl_u64 address, tl_u64 size)
{
	struct change change = {.point = point_of(kind, address, size)};

	if (process != TL_EMULATOR_PROCESS)
		return TL_ERROR_GONE;
	tl_emulator_perform(tl_emulator_of(target), withdraw, &change);
	tl_conditions_drop(change.conditions);
	TL_TRACE(POINTS, "emulator: point of kind %d at %llx leaves the machine's table: %s", (int)kind,
		 (unsigned long long)address, tl_status_text(change.status));
	return change.status;
}

void tl_emulator_set_conditions(struct tl_target *target, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
				tl_u64 size, const struct tl_agent_code *conditions, tl_size count)
{
	struct change change = {.point = point_of(kind, address, size)};

	if (process != TL_EMULATOR_PROCESS || check(&change.point, size) != TL_OK)
		return;
	/* Without memory it stops more often, which is allowed. */
	if (count != 0)
		change.conditions = tl_conditions_copy(conditions, count);
	tl_emulator_perform(tl_emulator_of(target), exchange_conditions, &change);
	tl_conditions_drop(change.conditions);
}

void tl_emulator_points_begin(struct tl_emulator *emulator)
{
	tl_points_init(&emulator->points, tl_storage());
	emulator->points.decide = decide;
	emulator->points.decide_context = emulator;
}

static void drop_list(struct tl_point_list *list)
{
	for (tl_size i = 0; i < list->count; i++)
		tl_conditions_drop(list->points[i].owner);
}

void tl_emulator_points_end(struct tl_emulator *emulator)
{
	drop_list(&emulator->points.breakpoints);
	drop_list(&emulator->points.watchpoints);
	tl_points_end(&emulator->points);
}
