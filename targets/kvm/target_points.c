/*
 * The engine's points in the machine. Each change takes the machine alone: when it is made no vCPU is in the guest, and
 * each programs its debug state before it is there again.
 */
#include "base/storage.h"
#include "base/trace.h"
#include "targets/kvm/target_internal.h"

/* No watchpoint of so many bytes makes sense by pages: each access would be a stop. */
#define WATCH_SIZE_MAX ((tl_u64)1 << 20)

/* Where the byte at an address is, in the eyes of the vCPU that one looks through. The machine is ours. */
static bool find_for(struct tl_kvm_vcpu *vcpu, tl_u64 address, tl_u64 *physical_ret, tl_u64 *space_ret)
{
	if (tl_kvm_vcpu_fetch(vcpu) != TL_OK)
		return false;
	*space_ret = vcpu->system.cr3;
	return tl_kvm_vcpu_translate(vcpu, address, physical_ret);
}

/*
 * The same; what is not mapped for that one, and is a kernel's, may be for another: one in a program sees next to
 * nothing of the kernel under page table isolation, one that has not started nothing at all.
 */
static bool find_place(struct tl_kvm_target *machine, tl_u64 address, tl_u64 *physical_ret, tl_u64 *space_ret)
{
	struct tl_kvm_crew *crew = &machine->crew;

	*physical_ret = address;
	*space_ret = 0;
	if (machine->physical || find_for(&crew->vcpus[machine->eye], address, physical_ret, space_ret))
		return true;
	for (tl_u32 i = 0; i < crew->count && (tl_i64)address < 0; i++)
		if (find_for(&crew->vcpus[i], address, physical_ret, space_ret))
			return true;
	return false;
}

/*
 * Where a point's address leads now; false: these tables cannot say. The upper half of addresses is a kernel's, in
 * every address space the same; what is below belongs to one of them. A point that was entered before its page was
 * there has not been found in any: the first tables that have the page are its own.
 */
static bool find_again(void *context, const struct tl_kvm_point *point, tl_u64 *physical_ret)
{
	struct tl_kvm_vcpu *vcpu = context;
	bool own;

	if (tl_kvm_vcpu_fetch(vcpu) != TL_OK)
		return false;
	own = (tl_i64)point->address < 0 || point->space == vcpu->system.cr3;
	if (tl_kvm_vcpu_translate(vcpu, point->address, physical_ret))
		return own || point->physical == TL_KVM_NOWHERE;
	*physical_ret = TL_KVM_NOWHERE;
	return own;
}

/*
 * A point whose address leads nowhere is held by a debug register, which minds addresses and not pages; it lets go when
 * the int3 is in memory. TL_ERROR_POINT_FULL: one has to do without, and waits until a look at the points finds its
 * page.
 */
static enum tl_status hold_points(struct tl_kvm_crew *crew)
{
	enum tl_status status = TL_OK;

	for (tl_size i = 0; i < crew->points.count; i++) {
		struct tl_kvm_point *point = &crew->points.points[i];

		if (point->held && point->planted) {
			(void)tl_kvm_debug_remove(&crew->plan, TL_POINT_HARDWARE, point->address, 1);
			point->held = false;
		} else if (!point->held && !point->planted) {
			enum tl_status one = tl_kvm_debug_add(&crew->plan, TL_POINT_HARDWARE, point->address, 1);

			point->held = one == TL_OK;
			if (one != TL_OK)
				status = one;
		}
	}
	return status;
}

void tl_kvm_target_look_at_points(struct tl_kvm_target *machine, struct tl_kvm_vcpu *vcpu)
{
	machine->crew.counters.replanted +=
		tl_kvm_points_look(&machine->crew.points, vcpu != NULL ? find_again : NULL, vcpu);
	(void)hold_points(&machine->crew);
}

/* ---- Watchpoints beyond the debug registers ---- */

/* What the guest may still do by itself on the page of a physical address. */
static enum tl_kvm_access access_of_page(const struct tl_kvm_crew *crew, tl_u64 physical)
{
	enum tl_kvm_access access = TL_KVM_ACCESS_ALL;

	for (tl_size i = 0; i < crew->watch_count; i++) {
		const struct tl_slot_watch *watch = &crew->watches[i];

		if (watch->physical / TL_KVM_PAGE != physical / TL_KVM_PAGE)
			continue;
		if (watch->access != TL_ACCESS_WRITE)
			return TL_KVM_ACCESS_NOTHING;
		access = TL_KVM_ACCESS_READ;
	}
	return access;
}

static enum tl_status set_page(struct tl_kvm_crew *crew, tl_u64 physical)
{
	struct tl_error error;

	return tl_kvm_memory_set_access(&crew->vm->memory, physical & ~(tl_u64)(TL_KVM_PAGE - 1), TL_KVM_PAGE,
					access_of_page(crew, physical), &error);
}

static void drop_watch(struct tl_kvm_crew *crew, tl_size index)
{
	tl_u64 physical = crew->watches[index].physical;

	crew->watches[index] = crew->watches[--crew->watch_count];
	/* What cannot be given back stays slow, and nothing else. */
	(void)set_page(crew, physical);
}

static enum tl_access access_of_kind(enum tl_point_kind kind)
{
	if (kind == TL_POINT_WRITE)
		return TL_ACCESS_WRITE;
	return kind == TL_POINT_READ ? TL_ACCESS_READ : TL_ACCESS_BOTH;
}

/* All parts of a watchpoint of that kind; how many there were. */
static tl_size unwatch(struct tl_kvm_crew *crew, enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	tl_size dropped = 0;

	for (tl_size i = crew->watch_count; i-- > 0;) {
		const struct tl_slot_watch *watch = &crew->watches[i];

		if (watch->access != access_of_kind(kind) || watch->address - address >= size)
			continue;
		drop_watch(crew, i);
		dropped++;
	}
	return dropped;
}

static enum tl_status watch_part(struct tl_kvm_target *machine, enum tl_access access, tl_u64 address, tl_u64 size)
{
	struct tl_kvm_crew *crew = &machine->crew;
	void *grown = crew->watches;
	tl_u64 physical, space;
	enum tl_status status;

	if (!find_place(machine, address, &physical, &space))
		return TL_ERROR_MEMORY;
	if (!tl_grow(tl_storage(), &grown, &crew->watch_capacity, crew->watch_count, sizeof(*crew->watches)))
		return TL_ERROR_NO_MEMORY;
	crew->watches = grown;
	crew->watches[crew->watch_count++] =
		(struct tl_slot_watch){.address = address, .physical = physical, .size = size, .access = access};
	status = set_page(crew, physical);
	if (status != TL_OK)
		drop_watch(crew, crew->watch_count - 1);
	return status;
}

static enum tl_status watch(struct tl_kvm_target *machine, enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	for (tl_u64 done = 0; done < size;) {
		tl_u64 left = TL_KVM_PAGE - ((address + done) & (TL_KVM_PAGE - 1));
		tl_u64 part = size - done < left ? size - done : left;
		enum tl_status status = watch_part(machine, access_of_kind(kind), address + done, part);

		if (status != TL_OK) {
			(void)unwatch(&machine->crew, kind, address, done);
			return status;
		}
		done += part;
	}
	return TL_OK;
}

/* A watchpoint has a debug register while there is one, as nothing is slower for it. */
static enum tl_status insert_hardware(struct tl_kvm_target *machine, enum tl_point_kind kind, tl_u64 address,
				      tl_u64 size)
{
	enum tl_status status = tl_kvm_debug_add(&machine->crew.plan, kind, address, size);

	if (status != TL_ERROR_POINT_FULL || kind == TL_POINT_HARDWARE || size > WATCH_SIZE_MAX)
		return status;
	return watch(machine, kind, address, size);
}

static enum tl_status insert(struct tl_kvm_target *machine, enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	tl_u64 physical, space;
	enum tl_status status;

	if (kind != TL_POINT_SOFTWARE)
		return insert_hardware(machine, kind, address, size);
	if (tl_kvm_points_find(&machine->crew.points, address) != NULL)
		return TL_OK;
	if (find_place(machine, address, &physical, &space))
		return tl_kvm_points_insert(&machine->crew.points, address, physical, space);
	TL_TRY(tl_kvm_points_insert(&machine->crew.points, address, TL_KVM_NOWHERE, space));
	status = hold_points(&machine->crew);
	if (status != TL_OK)
		(void)tl_kvm_points_remove(&machine->crew.points, address);
	return status;
}

static enum tl_status remove_software(struct tl_kvm_crew *crew, tl_u64 address)
{
	const struct tl_kvm_point *point = tl_kvm_points_find(&crew->points, address);

	if (point != NULL && point->held)
		(void)tl_kvm_debug_remove(&crew->plan, TL_POINT_HARDWARE, address, 1);
	return tl_kvm_points_remove(&crew->points, address);
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
	if (kind == TL_POINT_SOFTWARE)
		status = remove_software(&machine->crew, address);
	else if (unwatch(&machine->crew, kind, address, size) != 0)
		status = TL_OK;
	else
		status = tl_kvm_debug_remove(&machine->crew.plan, kind, address, size);
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
