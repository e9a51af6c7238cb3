/* What a vCPU does about pages that are guarded for watchpoints, in its own thread: crew.h, slot_access.h. */
#include "targets/kvm/vcpu.h"

#include "base/trace.h"

static bool read_below(void *context, tl_u64 physical, void *buffer, tl_size size)
{
	return tl_kvm_points_read(context, physical, buffer, size);
}

static bool write_below(void *context, tl_u64 physical, const void *buffer, tl_size size)
{
	return tl_kvm_points_write(context, physical, buffer, size);
}

bool tl_kvm_vcpu_answer_memory(struct tl_kvm_vcpu *vcpu)
{
	struct tl_kvm_crew *crew = vcpu->crew;
	struct kvm_run *run = vcpu->cpu->run;

	if (run->exit_reason != KVM_EXIT_MMIO || crew->watch_count == 0 ||
	    !tl_slot_access_carry_out(run, &crew->vm->memory, read_below, write_below, &crew->points, &vcpu->log))
		return false;
	crew->counters.page_accesses++;
	vcpu->completing = true;
	TL_TRACE(POINTS, "kvm: vCPU %u: KVM_EXIT_MMIO, %s of %u bytes at physical %llx, a watched page", vcpu->number,
		 run->mmio.is_write ? "write" : "read", run->mmio.len, (unsigned long long)run->mmio.phys_addr);
	return true;
}

/*
 * What debug registers watch, as the pages' watchpoints are: an access to a guarded page is an instruction that KVM
 * carries out itself, and that no debug register sees.
 */
static tl_u8 find_registers(struct tl_kvm_vcpu *vcpu, struct tl_slot_watch watches_ret[TL_X86_DEBUG_REGISTERS])
{
	tl_u8 count = 0;

	for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++) {
		struct tl_slot_watch watch = {.access = TL_ACCESS_WRITE};
		enum tl_x86_debug_kind kind;

		if (!tl_x86_debug_piece(&vcpu->crew->plan, n, &kind, &watch.address, &watch.size) ||
		    kind == TL_X86_DEBUG_EXECUTE || !tl_kvm_vcpu_translate(vcpu, watch.address, &watch.physical))
			continue;
		if (kind == TL_X86_DEBUG_ACCESS)
			watch.access = TL_ACCESS_BOTH;
		watches_ret[count++] = watch;
	}
	return count;
}

/* The same bytes may be watched by a register and by their page, for one thing by the one and another by the other. */
static void add_hit(struct tl_event *event, const struct tl_hit *hit)
{
	for (tl_u8 i = 0; i < event->hit_count; i++) {
		struct tl_hit *told = &event->hits[i];

		if (told->address != hit->address)
			continue;
		told->access |= hit->access;
		told->size = told->size > hit->size ? told->size : hit->size;
		return;
	}
	if (event->hit_count < TL_HITS_MAX)
		event->hits[event->hit_count++] = *hit;
}

bool tl_kvm_vcpu_take_accesses(struct tl_kvm_vcpu *vcpu, struct tl_event *event)
{
	const struct tl_kvm_crew *crew = vcpu->crew;
	struct tl_slot_watch registers[TL_X86_DEBUG_REGISTERS];
	struct tl_hit hits[2 * TL_HITS_MAX];
	tl_u8 register_count = find_registers(vcpu, registers);
	tl_u8 count = tl_slot_access_hits(&vcpu->log, registers, register_count, hits);
	/* Debug registers do not tell reads from writes; where one was hit as well, its word is as good as ever. */
	bool exact = event->hit_count == 0;

	count += tl_slot_access_hits(&vcpu->log, crew->watches, crew->watch_count, hits + count);
	vcpu->log = (struct tl_slot_log){0};
	if (count == 0)
		return false;
	event->exact = exact;
	event->kind = TL_EVENT_WATCHPOINT;
	for (tl_u8 i = 0; i < count; i++)
		add_hit(event, &hits[i]);
	return true;
}

void tl_kvm_vcpu_tell_accesses(struct tl_kvm_vcpu *vcpu)
{
	struct tl_event event = {.kind = TL_EVENT_WATCHPOINT};

	if (tl_kvm_vcpu_take_accesses(vcpu, &event) && vcpu->task != TL_KVM_STAND)
		tl_kvm_vcpu_announce(vcpu, &event);
}
