/*
 * Memory as the stub reads and writes it: whatever the kernel has mapped, no matter whether it may be written to. Reads
 * go through the kernel's own routine that survives faults. Writes go through a page of ours, whose entry in the page
 * table is made to point at the page that is meant: no lock is taken, only this processor uses it, and what is written
 * to may be code.
 */
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/pgtable.h>
#include <asm/tlbflush.h>

#include "stubs/linux/module.h"

static struct {
	void *window; /* a page that is mapped for good, to be looked at through another one's entry */
	pte_t *entry;
	pte_t own;
	bool (*forbidden)(unsigned long address); /* by kprobes; NULL: cannot be asked */
	unsigned long entry_text, entry_text_end;
} memory;

/*
 * A probe that is asked for finds its address, whether or not it may stand there. It is never armed: nothing of the
 * running kernel's code is changed.
 */
static void *probed(const char *name)
{
	struct kprobe probe = {.symbol_name = name, .flags = KPROBE_FLAG_DISABLED};

	if (register_kprobe(&probe) == 0)
		unregister_kprobe(&probe);
	return probe.addr;
}

void *tl_memory_symbol(const char *name)
{
	/* Knows also what has no address where a probe could be: what stands in a processor's own area. */
	unsigned long (*look_up)(const char *name) = probed("kallsyms_lookup_name");

	return look_up != NULL ? (void *)look_up(name) : probed(name);
}

int tl_memory_open(void)
{
	unsigned level;

	memory.window = vmalloc(PAGE_SIZE);
	if (memory.window == NULL)
		return -ENOMEM;
	memory.entry = lookup_address((unsigned long)memory.window, &level);
	if (memory.entry == NULL || level != PG_LEVEL_4K) {
		vfree(memory.window);
		return -ENOMEM;
	}
	memory.own = *memory.entry;
	memory.forbidden = tl_memory_symbol("within_kprobe_blacklist");
	memory.entry_text = (unsigned long)tl_memory_symbol("__entry_text_start");
	memory.entry_text_end = (unsigned long)tl_memory_symbol("__entry_text_end");
	return 0;
}

void tl_memory_close(void)
{
	vfree(memory.window);
}

const char *tl_memory_forbids(tl_u64 address)
{
	if (address < TASK_SIZE_MAX)
		return "code of programs takes no breakpoints of the kernel's debugger";
	if (address >= memory.entry_text && address < memory.entry_text_end)
		return "this is the kernel's entry code: a trap in it would find no stack to stand on";
	/* What handles a trap would meet it again, and one that waits would take it out while another writes. */
	if (within_module_core((unsigned long)address, THIS_MODULE))
		return "this is the debugger's own code, which cannot be debugged with it";
	if (memory.forbidden != NULL && memory.forbidden(address))
		return "the kernel runs through this code when a breakpoint is hit (kprobes' blacklist)";
	return tl_way_forbids(address);
}

tl_size tl_stub_machine_peek(void *to, tl_u64 address, tl_size size)
{
	tl_size done = 0;

	if (copy_from_kernel_nofault(to, (const void *)address, size) == 0)
		return size;
	/* Up to where the mapped pages end. */
	while (done < size) {
		tl_size part = min_t(tl_size, size - done, PAGE_SIZE - (address + done) % PAGE_SIZE);

		if (copy_from_kernel_nofault((char *)to + done, (const void *)(address + done), part) != 0)
			break;
		done += part;
	}
	return done;
}

static void flush(void)
{
	asm volatile("invlpg %0" : : "m"(*(char *)memory.window) : "memory");
}

/* The entry that shows the page of `address` with its own caching, and lets it be written to. */
static bool entry_for(tl_u64 address, pte_t *entry_ret)
{
	unsigned level;
	pte_t *there = lookup_address(address, &level);
	unsigned long size, frame, flags;

	if (there == NULL || (pte_val(*there) & _PAGE_PRESENT) == 0)
		return false;
	size = page_level_size(level);
	frame = (level == PG_LEVEL_4K ? pte_pfn(*there) : pmd_pfn(*(pmd_t *)there)) +
		((address & (size - 1)) >> PAGE_SHIFT);
	flags = pte_val(*there) & (_PAGE_PWT | _PAGE_PCD | _PAGE_ENC);
	if ((pte_val(*there) & (level == PG_LEVEL_4K ? _PAGE_PAT : _PAGE_PAT_LARGE)) != 0)
		flags |= _PAGE_PAT;
	*entry_ret =
		__pte(frame << PAGE_SHIFT | flags | _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_NX);
	return true;
}

tl_size tl_stub_machine_poke(tl_u64 address, const void *from, tl_size size)
{
	tl_size done = 0;
	pte_t entry;

	if (address < TASK_SIZE_MAX)
		return 0;
	while (done < size) {
		unsigned offset = (unsigned)((address + done) % PAGE_SIZE);
		tl_size part = min_t(tl_size, size - done, PAGE_SIZE - offset);

		if (!entry_for(address + done, &entry))
			break;
		WRITE_ONCE(*memory.entry, entry);
		flush();
		memcpy((char *)memory.window + offset, (const char *)from + done, part);
		WRITE_ONCE(*memory.entry, memory.own);
		flush();
		done += part;
	}
	return done;
}
