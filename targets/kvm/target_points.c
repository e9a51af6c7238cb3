/*
 * The engine's points in the machine. Each change takes the machine alone: when it is made no vCPU is in the guest, and
 * each programs its debug state before it is there again.
 */
#include "base/trace.h"
#include "targets/kvm/target_internal.h"

/* Where the byte at an address is, in the eyes of the vCPU that one looks through. The machine is ours. */
static bool find_place(struct tl_kvm_target *machine, tl_u64 address, tl_u64 *physical_ret, tl_u64 *space_ret)
{
	struct tl_kvm_vcpu *vcpu = &machine->crew.vcpus[machine->eye];

	*physical_ret = address;
	*space_ret = 0;
	if (machine->physical)
		return true;
	if (tl_kvm_vcpu_fetch(vcpu) != TL_OK)
		return false;
	*space_ret = vcpu->system.cr3;
	return tl_kvm_vcpu_translate(vcpu, address, physical_ret);
}

void tl_kvm_target_look_at_points(struct tl_kvm_target *machine)
{
	machine->crew.counters.replanted += tl_kvm_points_look(&machine->crew.points, NULL, NULL);
}

static enum tl_status insert(struct tl_kvm_target *machine, enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	tl_u64 physical, space;

	if (kind != TL_POINT_SOFTWARE)
		return tl_kvm_debug_add(&machine->crew.plan, kind, address, size);
	if (tl_kvm_points_find(&machine->crew.points, address) != NULL)
		return TL_OK;
	if (!find_place(machine, address, &physical, &space))
		return TL_ERROR_MEMORY;
	return tl_kvm_points_insert(&machine->crew.points, address, physical, space);
}

enum tl_status tl_kvm_insert_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
				   tl_u64 size)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);
	enum tl_status status;

	if (process != TL_KVM_PROCESS)
		return TL_ERROR_GONE;
	TL_TRY(tl_kvm_crew_alone(&machine->crew));
	status = insert(machine, kind, address, size);
	tl_kvm_crew_share(&machine->crew);
	TL_TRACE(POINTS, "kvm: point of kind %d at %llx enters the machine's table: %s", (int)kind,
		 (unsigned long long)address, tl_status_text(status));
	return status;
}

enum tl_status tl_kvm_remove_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
				   tl_u64 size)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);
	enum tl_status status;

	if (process != TL_KVM_PROCESS)
		return TL_ERROR_GONE;
	TL_TRY(tl_kvm_crew_alone(&machine->crew));
	status = kind == TL_POINT_SOFTWARE ? tl_kvm_points_remove(&machine->crew.points, address)
					   : tl_kvm_debug_remove(&machine->crew.plan, kind, address, size);
	tl_kvm_crew_share(&machine->crew);
	TL_TRACE(POINTS, "kvm: point of kind %d at %llx leaves the machine's table: %s", (int)kind,
		 (unsigned long long)address, tl_status_text(status));
	return status;
}

/* Only of software points; what else stops is decided by the engine. */
void tl_kvm_set_conditions(struct tl_target *target, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
			   tl_u64 size, const struct tl_agent_code *conditions, tl_size count)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);
	struct tl_conditions *copy, *before;
	struct tl_kvm_point *point;

	if (process != TL_KVM_PROCESS || kind != TL_POINT_SOFTWARE || tl_kvm_crew_alone(&machine->crew) != TL_OK)
		return;
	/* Before a point is inserted: it goes in now, as the insertion would do it. */
	if (tl_kvm_points_find(&machine->crew.points, address) == NULL)
		(void)insert(machine, kind, address, size);
	point = tl_kvm_points_find(&machine->crew.points, address);
	if (point != NULL) {
		/* Without memory it stops more often, which is allowed. */
		copy = tl_conditions_copy(conditions, count);
		before = point->conditions;
		point->conditions = copy;
		tl_conditions_drop(before);
	}
	tl_kvm_crew_share(&machine->crew);
}
