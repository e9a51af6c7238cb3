/*
 * Functions of the kernel that the module's own way leads through: those before its notifiers are called, and those
 * that it calls itself while a processor is in the stub. Some take a trap instruction badly: notify_die() calls
 * __rcu_read_lock() on the way to the notifier, which would never be reached. In the others it would have to be taken
 * out wherever it is met, so it would stop nothing, while other processors run through the bytes that are changed.
 * A hardware breakpoint would be met on the stack of debug exceptions, on the way out, where another such exception
 * runs over the first. kprobes' blacklist names none of them, since kprobes are met before the notifiers.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include <asm/apic.h>

#undef APIC_BASE /* core/ has a register of that name */

#include "stubs/linux/module.h"

static const char *const names[] = {
	/* from the exception to the notifier, from the NMI to its handler, and back */
	"__rcu_read_lock",
	"__rcu_read_unlock",
	"sched_clock",
	"native_sched_clock",
	/* watchdogs, as a processor leaves */
	"touch_softlockup_watchdog",
	"arch_touch_nmi_watchdog",
	"clocksource_touch_watchdog",
	"rcu_cpu_stall_reset",
	/* what is to be done when interrupts are taken again */
	"irq_work_queue",
	"__irq_work_queue_local",
	"arch_irq_work_raise",
	"llist_add_batch",
	"tick_nohz_tick_stopped",
	/* below apic->send_IPI */
	"_flat_send_IPI_mask",
	"default_send_IPI_single_phys",
	"__default_send_IPI_dest_field",
	"__default_send_IPI_shortcut",
	"__x2apic_send_IPI_dest",
	"__x2apic_send_IPI_shorthand",
	/* memory */
	"copy_from_kernel_nofault",
	"copy_from_kernel_nofault_allowed",
	"lookup_address",
	"lookup_address_in_pgd",
	"lookup_address_in_pgd_attr",
	"p4d_offset",
	"memcpy",
	"memcpy_orig",
	"memcpy_erms",
	"memmove",
	"memset",
	"memset_orig",
	"memset_erms",
	"memcmp",
	"strlen",
	/* what is asked before a point is taken */
	"within_kprobe_blacklist",
	"arch_within_kprobe_blacklist",
	"hw_breakpoint_arch_parse",
};

#define POINTERS 9

static struct {
	unsigned long start, end;
} parts[ARRAY_SIZE(names) + POINTERS];
static unsigned count;

static int (*size_of)(unsigned long address, unsigned long *size, unsigned long *offset);

/* A function of another kernel's that is not there is not called either. */
static void add(unsigned long address)
{
	unsigned long size = 0, offset = 0;

	if (address == 0 || count == ARRAY_SIZE(parts) || size_of(address, &size, &offset) == 0)
		return;
	parts[count].start = address - offset;
	parts[count++].end = address - offset + size;
}

/* Which of them the machine has: several drivers have functions of the same names. */
static void add_apic(void)
{
	const unsigned long called[POINTERS] = {
		(unsigned long)apic->send_IPI,
		(unsigned long)apic->send_IPI_mask,
		(unsigned long)apic->send_IPI_self,
		(unsigned long)apic->read,
		(unsigned long)apic->write,
		(unsigned long)apic->icr_read,
		(unsigned long)apic->icr_write,
		(unsigned long)apic->wait_icr_idle,
		(unsigned long)apic->safe_wait_icr_idle,
	};

	for (unsigned n = 0; n < POINTERS; n++)
		add(called[n]);
}

void tl_way_open(void)
{
	count = 0;
	size_of = tl_memory_symbol("kallsyms_lookup_size_offset");
	if (size_of == NULL)
		return;
	for (unsigned n = 0; n < ARRAY_SIZE(names); n++)
		add((unsigned long)tl_memory_symbol(names[n]));
	add_apic();
}

const char *tl_way_forbids(tl_u64 address)
{
	for (unsigned n = 0; n < count; n++)
		if (address >= parts[n].start && address < parts[n].end)
			return "the debugger itself needs this function while the kernel stands";
	return NULL;
}
