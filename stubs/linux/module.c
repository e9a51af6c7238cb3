/*
 * trapline.ko: a debugger's server in a running kernel. insmod trapline.ko port=ttyS1, and gdb at the other end of that
 * line.
 */
#include <linux/console.h>
#include <linux/cpu.h>
#include <linux/hrtimer.h>
#include <linux/init.h>
#include <linux/irq_work.h>
#include <linux/kdebug.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/nmi.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include <asm/apic.h>
#include <asm/nmi.h>
#include <asm/sections.h>

#include "core/cursor.h"
#include "stubs/linux/module.h"

#define LINK_ADDRESS 0xffffffff81000000ul /* _text of a kernel that was not moved */
#define STORAGE (256u << 10)
#define STORAGE_EACH (16u << 10)
/* The line is looked at so often, by one processor after another. */
#define LOOK_NANOSECONDS (10 * NSEC_PER_MSEC)

static char *port = "ttyS1";
module_param(port, charp, 0444);
MODULE_PARM_DESC(port, "the serial port, ttyS0 to ttyS3");
static unsigned baud = 115200;
module_param(baud, uint, 0444);
MODULE_PARM_DESC(baud, "bits a second");

static unsigned silence;
module_param(silence, uint, 0444);
MODULE_PARM_DESC(silence, "a debugger that says nothing for so many seconds while all stands is lost; 0: never");

static bool early;
module_param(early, bool, 0444);
MODULE_PARM_DESC(early, "the debug registers are the module's own, and not lent by the kernel's layer");

static bool console = true;
module_param(console, bool, 0444);
MODULE_PARM_DESC(console, "what the kernel logs is shown at the debugger");

static bool tasks;
module_param(tasks, bool, 0444);
MODULE_PARM_DESC(tasks, "tasks that are on no processor are threads from the beginning (monitor tasks on)");

static void *storage;
static unsigned long text;
static void (*touch_clocks)(void);
static void (*reset_stalls)(void);
static DEFINE_PER_CPU(struct hrtimer, look_timer);
static DEFINE_PER_CPU(struct irq_work, call_back);

/* ---- What the stub asks for ---- */

static tl_u32 this_processor(void *context)
{
	(void)context;
	return (tl_u32)raw_smp_processor_id();
}

/*
 * Without x2APIC an interrupt takes two stores, and what this exception came into may be between them: the first one is
 * put back.
 */
static void send_nmi(void *context, tl_u32 processor)
{
	u32 high = 0;

	(void)context;
	if (!x2apic_mode)
		high = apic_read(APIC_ICR2);
	apic->send_IPI((int)processor, NMI_VECTOR);
	if (!x2apic_mode)
		apic_write(APIC_ICR2, high);
}

static tl_size name(void *context, tl_u32 processor, char *buffer, tl_size size)
{
	struct tl_writer writer = tl_writer_make(buffer, size);
	struct task_struct *task = NULL;
	char command[TASK_COMM_LEN] = "";

	(void)context;
	tl_write_text(&writer, "CPU ");
	tl_write_decimal(&writer, processor);
	if (copy_from_kernel_nofault(&task, per_cpu_ptr(&current_task, processor), sizeof(task)) == 0 &&
	    copy_from_kernel_nofault(command, task->comm, sizeof(command) - 1) == 0) {
		tl_write_text(&writer, ", ");
		tl_write_text(&writer, command);
		tl_write_text(&writer, " ");
		tl_write_decimal(&writer, (tl_u64)task->pid);
	}
	return tl_writer_size(&writer);
}

static const char *forbids(void *context, tl_u64 address)
{
	(void)context;
	return tl_memory_forbids(address);
}

void tl_module_touch_watchdogs(void)
{
	touch_nmi_watchdog();
	if (touch_clocks != NULL)
		touch_clocks();
	if (reset_stalls != NULL)
		reset_stalls();
}

static void on_call_back(struct irq_work *work)
{
	unsigned long flags;

	(void)work;
	local_irq_save(flags);
	tl_machine_refresh();
	local_irq_restore(flags);
}

void tl_module_call_back(void)
{
	irq_work_queue(this_cpu_ptr(&call_back));
}

/* ---- Monitor commands ---- */

static enum tl_status show_base(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output)
{
	(void)context;
	(void)arguments;
	if (tl_rsp_client_has(rsp, TL_RSP_CLIENT_LLDB))
		tl_write_text(output, "target modules load --file vmlinux --slide 0x");
	else
		tl_write_text(output, "symbol-file vmlinux -o 0x");
	tl_write_hex(output, text - LINK_ADDRESS);
	tl_write_text(output, "\n");
	return TL_OK;
}

static enum tl_status show_modules(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output)
{
	struct list_head *at = &THIS_MODULE->list;

	(void)rsp;
	(void)context;
	(void)arguments;
	/* The list's head is in it as well, and is no module: its neighbours' names tell, as nothing else would. */
	for (unsigned n = 0; n < 1000; n++) {
		const struct module *module = container_of(at, struct module, list);
		char module_name[MODULE_NAME_LEN] = "";
		void *base = NULL;
		enum module_state state = MODULE_STATE_UNFORMED;

		if (copy_from_kernel_nofault(&state, &module->state, sizeof(state)) == 0 &&
		    state == MODULE_STATE_LIVE &&
		    copy_from_kernel_nofault(module_name, module->name, sizeof(module_name) - 1) == 0 &&
		    copy_from_kernel_nofault(&base, &module->core_layout.base, sizeof(base)) == 0 &&
		    (unsigned long)base >= MODULES_VADDR && (unsigned long)base < MODULES_END) {
			tl_write_text(output, "add-symbol-file ");
			tl_write_text(output, module_name);
			tl_write_text(output, ".ko 0x");
			tl_write_hex(output, (tl_u64)base);
			tl_write_text(output, "\n");
		}
		if (copy_from_kernel_nofault(&at, &at->next, sizeof(at)) != 0 || at == &THIS_MODULE->list)
			break;
	}
	return TL_OK;
}

static const struct tl_rsp_command commands[] = {
	{"kaslr", "          the debugger's line that puts the kernel's symbols where the kernel is", show_base},
	{"modules", "        gdb's line for each module", show_modules},
	{"tasks", "on|off   tasks that are on no processor are threads, too", tl_tasks_monitor},
	{NULL, NULL, NULL},
};

static const struct tl_stub_port stub_port = {
	.receive = tl_line_receive,
	.send = tl_line_send,
	.processor = this_processor,
	.round_up = send_nmi,
};

static struct tl_stub_more more = {.name = name,
				   .forbids = forbids,
				   .lost = tl_line_lost,
				   .tasks = &tl_tasks,
				   .commands = commands,
				   .tells_no_exceptions = true};

/* ---- What the kernel calls ---- */

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	(void)type;
	return tl_machine_nmi(regs) ? NMI_HANDLED : NMI_DONE;
}

/* How long everything stands is no news to be printed, hence the duration. */
static struct nmiaction nmi_action = {
	.list = LIST_HEAD_INIT(nmi_action.list),
	.handler = on_nmi,
	.max_duration = U64_MAX,
	.name = "trapline",
};

static int on_die(struct notifier_block *block, unsigned long kind, void *data)
{
	struct die_args *arguments = data;
	bool ours = false;

	(void)block;
	if (kind == DIE_INT3)
		ours = tl_machine_breakpoint(arguments->regs);
	else if (kind == DIE_DEBUG)
		ours = tl_machine_debug(arguments->regs, (unsigned long *)arguments->err);
	return ours ? NOTIFY_STOP : NOTIFY_DONE;
}

static struct notifier_block die_block = {.notifier_call = on_die, .priority = INT_MAX};

static enum hrtimer_restart on_look(struct hrtimer *timer)
{
	if (tl_line_ready() || tl_line_dropped())
		tl_stub_poll();
	hrtimer_forward_now(timer, ns_to_ktime((u64)LOOK_NANOSECONDS * num_online_cpus()));
	return HRTIMER_RESTART;
}

/* While a debugger waits for a stop; to anybody else it is not said. */
static void on_log(struct console *from, const char *said, unsigned int size)
{
	struct tl_stub *stub = tl_stub();
	unsigned long flags;

	(void)from;
	local_irq_save(flags);
	if (stub != NULL && stub->rsp != NULL)
		tl_stub_print(said, size);
	local_irq_restore(flags);
}

static struct console log_console = {
	.name = "trapline",
	.write = on_log,
	.flags = CON_ENABLED,
	.index = -1,
};

/* ---- In and out ---- */

static void join(void *unused)
{
	struct hrtimer *timer = this_cpu_ptr(&look_timer);

	(void)unused;
	init_irq_work(this_cpu_ptr(&call_back), on_call_back);
	if (raw_smp_processor_id() != 0)
		tl_stub_join();
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	timer->function = on_look;
	hrtimer_start(timer, ns_to_ktime((u64)LOOK_NANOSECONDS * (1 + raw_smp_processor_id())),
		      HRTIMER_MODE_REL_PINNED_HARD);
}

static void nothing(void *unused)
{
	(void)unused;
}

static int start_stub(void)
{
	tl_size size = STORAGE + (tl_size)nr_cpu_ids * STORAGE_EACH;
	enum tl_status status;

	storage = vzalloc(size);
	if (storage == NULL)
		return -ENOMEM;
	status = tl_stub_start(&stub_port, nr_cpu_ids, storage, size);
	if (status == TL_OK) {
		more.text = text;
		more.linked = LINK_ADDRESS;
		tl_stub_add(&more);
		return 0;
	}
	pr_err("trapline: %s\n", tl_status_text(status));
	vfree(storage);
	return -EINVAL;
}

static int hook_in(void)
{
	int error = __register_nmi_handler(NMI_LOCAL, &nmi_action);

	if (error != 0)
		return error;
	error = register_die_notifier(&die_block);
	if (error == 0) {
		error = tl_slots_order();
		if (error != 0)
			(void)unregister_die_notifier(&die_block);
	}
	if (error != 0)
		unregister_nmi_handler(NMI_LOCAL, nmi_action.name);
	return error;
}

static void find_symbols(void)
{
	text = (unsigned long)tl_memory_symbol("_text");
	touch_clocks = tl_memory_symbol("clocksource_touch_watchdog");
	reset_stalls = tl_memory_symbol("rcu_cpu_stall_reset");
}

static int __init trapline_init(void)
{
	int error;

	if (nr_cpu_ids > TL_STUB_PROCESSORS_MAX) {
		pr_err("trapline: at most %u processors: boot with nr_cpus=%u\n", TL_STUB_PROCESSORS_MAX,
		       TL_STUB_PROCESSORS_MAX);
		return -E2BIG;
	}
	find_symbols();
	tl_tasks_show(tasks);
	error = tl_memory_open();
	if (error != 0)
		return error;
	tl_way_open();
	error = tl_line_open(port, baud, silence);
	if (error != 0)
		goto no_line;
	cpu_hotplug_disable(); /* a processor that comes or goes would do so unseen */
	error = tl_slots_open(early);
	if (error != 0)
		goto no_slots;
	error = start_stub();
	if (error != 0)
		goto no_stub;
	error = hook_in();
	if (error != 0)
		goto no_hooks;
	on_each_cpu(join, NULL, 1);
	if (console)
		register_console(&log_console);
	pr_info("trapline: a debugger is served on %s\n", port);
	return 0;
no_hooks:
	tl_stub_end();
	vfree(storage);
no_stub:
	tl_slots_close();
no_slots:
	cpu_hotplug_enable();
	tl_line_close();
no_line:
	tl_memory_close();
	return error;
}

static void __exit trapline_exit(void)
{
	int cpu;

	if (console)
		unregister_console(&log_console);
	for_each_online_cpu(cpu) hrtimer_cancel(per_cpu_ptr(&look_timer, cpu));
	tl_stub_leave();
	/* Whoever was in an exception of ours, or about to be in an NMI, is through with it after this. */
	on_each_cpu(nothing, NULL, 1);
	for_each_online_cpu(cpu) irq_work_sync(per_cpu_ptr(&call_back, cpu));
	unregister_die_notifier(&die_block);
	unregister_nmi_handler(NMI_LOCAL, nmi_action.name);
	synchronize_rcu();
	tl_stub_end();
	vfree(storage);
	tl_slots_close();
	cpu_hotplug_enable();
	tl_line_close();
	tl_memory_close();
	pr_info("trapline: gone\n");
}

module_init(trapline_init);
module_exit(trapline_exit);
MODULE_DESCRIPTION("Trapline: a debugger's server in the kernel");
MODULE_LICENSE("Dual MIT/GPL");
