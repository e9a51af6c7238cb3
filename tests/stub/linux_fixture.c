/*
 * The fixture of the conformance scenarios as a thread of the kernel: fixture.ko, whose parameter "begin" sets it off.
 * The fixture goes round for ever; a debugger ends it by sending it to fixture_leave.
 */
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/wait.h>

/* fixture_x86_64.S */
void fixture_start(void);
/* Reached by a debugger's doing alone, from the fixture's outermost function. */
void fixture_leave(void);

static bool goes; /* one at a time: it has one set of variables */
static DECLARE_WAIT_QUEUE_HEAD(left);

void fixture_leave(void)
{
	WRITE_ONCE(goes, false);
	wake_up(&left);
	kthread_complete_and_exit(NULL, 0);
}

static int run(void *unused)
{
	(void)unused;
	fixture_start();
	return 0;
}

static int begin(const char *value, const struct kernel_param *parameter)
{
	struct task_struct *task;

	(void)value;
	(void)parameter;
	/* One that was sent away may still be on its way out. */
	if (wait_event_timeout(left, !READ_ONCE(goes), 5 * HZ) == 0)
		return -EBUSY;
	WRITE_ONCE(goes, true);
	task = kthread_run(run, NULL, "fixture");
	if (!IS_ERR(task))
		return 0;
	WRITE_ONCE(goes, false);
	return (int)PTR_ERR(task);
}

static const struct kernel_param_ops operations = {.set = begin};
module_param_cb(begin, &operations, NULL, 0200);

static int __init fixture_init(void)
{
	return 0;
}

module_init(fixture_init);
MODULE_DESCRIPTION("The fixture of Trapline's conformance scenarios");
MODULE_LICENSE("Dual MIT/GPL");
