/* The virtual machine as a target: its making and its end, what it hears of vCPUs, and what the engine asks of them. */
#include "targets/kvm/target.h"

#include "base/storage.h"
#include "base/trace.h"
#include "core/engine/engine.h"
#include "targets/kvm/kaslr.h"
#include "targets/kvm/registers.h"
#include "targets/kvm/target_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Messages that are heard before the loop looks at its other sources again. */
#define HEARD_AT_ONCE 16

/* Linux's numbers of signals, for what a process would get in the place of what befell a vCPU. */
enum { SIGNAL_ABORT = 6, SIGNAL_BUS = 7 };

static struct tl_thread_id id_of(tl_u32 vcpu)
{
	return (struct tl_thread_id){TL_KVM_PROCESS, (tl_u64)vcpu + 1};
}

struct tl_kvm_vcpu *tl_kvm_target_vcpu(struct tl_kvm_target *machine, struct tl_thread_id thread)
{
	if (!machine->adopted || thread.process != TL_KVM_PROCESS || thread.thread == 0 ||
	    thread.thread > machine->crew.count)
		return NULL;
	return &machine->crew.vcpus[thread.thread - 1];
}

static void remark(const struct tl_kvm_target *machine, const char *line)
{
	if (machine->remark != NULL)
		machine->remark(machine->remark_context, line);
}

static void trace_state(void *context, enum tl_run_state before, enum tl_run_state now)
{
	(void)context;
	TL_TRACE(STATES, "kvm: the machine was %s, is %s; its subscribers are told", tl_run_state_name(before),
		 tl_run_state_name(now));
}

/* ---- The vCPUs' threads ---- */

static int answer_device(void *context, struct tl_kvm_cpu *cpu)
{
	struct tl_kvm_target *machine = context;

	if (cpu->run->exit_reason == KVM_EXIT_SYSTEM_EVENT)
		return cpu->run->system_event.type == KVM_SYSTEM_EVENT_SHUTDOWN ? TL_PC_POWER_OFF : TL_PC_RESET;
	return (int)tl_kvm_computer_access(&machine->computer, cpu->run);
}

static void bring_in(void *context)
{
	struct tl_kvm_target *machine = context;

	tl_kvm_computer_enter(&machine->computer);
}

static void call_for_devices(void *context)
{
	struct tl_kvm_target *machine = context;

	tl_kvm_crew_call_for_devices(&machine->crew);
}

static bool post(void *context, const struct tl_kvm_message *message)
{
	struct tl_kvm_target *machine = context;

	return tl_mailbox_post(machine->mailbox, message) == TL_OK;
}

static void pass_time(void *context, bool goes)
{
	struct tl_kvm_target *machine = context;

	if (goes)
		tl_kvm_computer_go_on(&machine->computer);
	else
		tl_kvm_computer_stop_time(&machine->computer);
}

/* ---- What they tell ---- */

static void tell_off(struct tl_kvm_target *machine, int code)
{
	struct tl_event event = {.kind = TL_EVENT_PROCESS_EXITED, .thread = id_of(0), .code = code};
	bool adopted = machine->adopted;

	(void)tl_kvm_crew_halt(&machine->crew);
	machine->adopted = false;
	machine->off = true;
	(void)tl_run_state_change(&machine->states, code == 0 ? TL_RUN_STATE_OFF : TL_RUN_STATE_FAILED);
	if (!adopted)
		return;
	/* Its threads go before it. */
	for (tl_u32 i = machine->crew.count; i-- > 1;) {
		struct tl_event gone = {.kind = TL_EVENT_THREAD_EXITED, .thread = id_of(i), .code = code};

		tl_engine_post(machine->target.engine, &gone);
	}
	tl_engine_post(machine->target.engine, &event);
}

static bool read_below_points(void *context, tl_u64 physical, void *buffer, tl_size size)
{
	return tl_kvm_points_read(context, physical, buffer, size);
}

/* A vCPU stands where a kernel has just come to its place. */
static void find_text(struct tl_kvm_target *machine, tl_u32 number)
{
	struct tl_kvm_vcpu *vcpu = &machine->crew.vcpus[number];
	struct tl_page_tables tables;
	struct tl_kaslr_place place;

	/* Another kernel than before, when one has begun another (kexec). */
	machine->text = 0;
	tl_kvm_crew_lock(&machine->crew);
	if (tl_kvm_vcpu_fetch(vcpu) == TL_OK) {
		tables = tl_page_tables_of(&vcpu->system);
		if (tl_kaslr_find(&tables, read_below_points, &machine->crew.points,
				  tl_kvm_linear_pc(&vcpu->general, &vcpu->system), &place) == TL_OK)
			machine->text = place.address;
	}
	tl_kvm_crew_unlock(&machine->crew);
}

enum tl_status tl_kvm_target_await_kernel(struct tl_kvm_target *machine, struct tl_error *error)
{
	struct tl_kvm_crew *crew = &machine->crew;

	if (!crew->kernel_awaited)
		TL_TRY(tl_kaslr_arm(crew->vm->calls, crew->vm->descriptor, error));
	crew->kernel_awaited = true;
	return TL_OK;
}

static void tell_engine(struct tl_kvm_target *machine, tl_u32 vcpu, struct tl_event event)
{
	event.thread = id_of(vcpu);
	if (event.arrived)
		find_text(machine, vcpu);
	/* Nobody wants to know any more: it runs on. */
	if (!machine->adopted) {
		(void)tl_kvm_crew_resume(&machine->crew, vcpu, TL_KVM_RUN, false);
		return;
	}
	(void)tl_run_state_change(&machine->states,
				  event.kind == TL_EVENT_PAUSED ? TL_RUN_STATE_PAUSED : TL_RUN_STATE_DEBUG);
	/* Who only stands because another had something to tell does not speak for the machine. */
	if (event.kind != TL_EVENT_PAUSED)
		tl_kvm_look_through(&machine->target, event.thread);
	tl_kvm_crew_lock(&machine->crew);
	/* One that is lifted for a step is looked at another time. */
	if (!machine->crew.taken)
		tl_kvm_target_look_at_points(machine, &machine->crew.vcpus[vcpu]);
	tl_kvm_crew_unlock(&machine->crew);
	TL_TRACE(EVENTS, "kvm: the control thread has heard that vCPU %u stopped: the engine is told", vcpu);
	tl_engine_post(machine->target.engine, &event);
}

static void guest_resets(struct tl_kvm_target *machine, tl_u32 vcpu)
{
	const struct tl_event paused = {.kind = TL_EVENT_PAUSED};
	struct tl_error error;

	if (tl_kvm_target_restart(machine, &error) != TL_OK) {
		remark(machine, error.text);
		tell_off(machine, 1);
		return;
	}
	remark(machine, "The guest reset the machine.");
	/* Also of those that stand, and may be looked at: what they had is gone, and what a client had written to it.
	 */
	for (tl_u32 i = 0; i < machine->crew.count && machine->adopted; i++)
		tl_engine_forget_registers(machine->target.engine, id_of(i));
	/* It was on its way, by a plan of the engine's, which may have changed since: it is asked. */
	tell_engine(machine, vcpu, paused);
}

static void shut_down(struct tl_kvm_target *machine, const struct tl_kvm_message *message)
{
	struct tl_event event = {.kind = TL_EVENT_SIGNAL, .signal = SIGNAL_ABORT, .fault = true};

	remark(machine, message->text);
	/* A PC resets itself then; somebody who debugs it wants to see where it was. */
	if (machine->adopted)
		tell_engine(machine, message->vcpu, event);
	else
		guest_resets(machine, message->vcpu);
}

static void failed(struct tl_kvm_target *machine, const struct tl_kvm_message *message)
{
	struct tl_event event = {.kind = TL_EVENT_SIGNAL, .signal = SIGNAL_BUS, .fault = true};

	remark(machine, message->text);
	if (machine->adopted)
		tell_engine(machine, message->vcpu, event);
	else
		tell_off(machine, 1);
}

static void hear(struct tl_kvm_target *machine, const struct tl_kvm_message *message)
{
	const struct tl_event paused = {.kind = TL_EVENT_PAUSED};

	if (!tl_kvm_crew_hear(&machine->crew, message))
		return;
	/* What it met, or wanted, was in the machine as it was before its reset. That it stands is all that is left. */
	if (message->number <= machine->renewed) {
		tell_engine(machine, message->vcpu, paused);
		return;
	}
	switch (message->news) {
	case TL_KVM_NEWS_EVENT:
		tell_engine(machine, message->vcpu, message->event);
		break;
	case TL_KVM_NEWS_SHUTDOWN:
		shut_down(machine, message);
		break;
	case TL_KVM_NEWS_FAILED:
		failed(machine, message);
		break;
	case TL_KVM_NEWS_REQUEST:
		if (message->event.code == TL_PC_RESET)
			guest_resets(machine, message->vcpu);
		else
			tell_off(machine, 0);
		break;
	}
}

static void take_messages(void *context, struct tl_source *source)
{
	struct tl_kvm_target *machine = context;
	struct tl_kvm_message message;

	(void)source;
	for (unsigned i = 0; i < HEARD_AT_ONCE && tl_mailbox_take(machine->mailbox, &message); i++)
		hear(machine, &message);
}

/* ---- Operations ---- */

static enum tl_status resume(struct tl_target *target, struct tl_thread_id thread, const struct tl_run_request *request)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);
	struct tl_kvm_vcpu *vcpu = tl_kvm_target_vcpu(machine, thread);

	if (vcpu == NULL)
		return TL_ERROR_GONE;
	(void)tl_run_state_change(&machine->states, TL_RUN_STATE_RUNNING);
	switch (request->run) {
	case TL_RUN_CONTINUE:
		return tl_kvm_crew_resume(&machine->crew, vcpu->number, TL_KVM_RUN, request->over_hardware);
	case TL_RUN_STEP:
		return tl_kvm_crew_resume(&machine->crew, vcpu->number, TL_KVM_STEP, request->over_hardware);
	case TL_RUN_CONTINUE_BACK:
	case TL_RUN_STEP_BACK:
		break;
	}
	return TL_ERROR_UNSUPPORTED;
}

static enum tl_status stop(struct tl_target *target, struct tl_thread_id thread)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);
	const struct tl_kvm_vcpu *vcpu = tl_kvm_target_vcpu(machine, thread);

	return vcpu == NULL ? TL_ERROR_GONE : tl_kvm_crew_stop(&machine->crew, vcpu->number);
}

/* The machine runs on by itself: the engine has taken everything back. */
static enum tl_status detach(struct tl_target *target, tl_u64 process, tl_u64 thread, tl_i32 signal)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);

	(void)thread;
	(void)signal;
	if (process != TL_KVM_PROCESS || !machine->adopted)
		return TL_ERROR_GONE;
	machine->adopted = false;
	/* How this client looked at memory. */
	machine->physical = machine->eye_fixed = false;
	(void)tl_run_state_change(&machine->states, TL_RUN_STATE_RUNNING);
	tl_kvm_crew_free(&machine->crew);
	return TL_OK;
}

static enum tl_status kill_machine(struct tl_target *target, tl_u64 process)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);

	if (process != TL_KVM_PROCESS || !machine->adopted)
		return TL_ERROR_GONE;
	machine->adopted = false;
	TL_TRY(tl_kvm_crew_halt(&machine->crew));
	machine->off = true;
	(void)tl_run_state_change(&machine->states, TL_RUN_STATE_OFF);
	return TL_OK;
}

static enum tl_status adopt(struct tl_kvm_target *machine, bool running)
{
	enum tl_status status;

	machine->adopted = true;
	status = tl_engine_add_process(machine->target.engine, TL_KVM_PROCESS);
	for (tl_u32 i = 0; i < machine->crew.count && status == TL_OK; i++)
		status = tl_engine_add_thread(machine->target.engine, id_of(i), running);
	return status;
}

/* The machine is the program: it begins anew. */
static enum tl_status launch(struct tl_target *target, const struct tl_launch *options, tl_u64 *process_ret,
			     const char **detail_ret)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);
	struct tl_error error;

	*detail_ret = "the machine is being debugged already";
	if (machine->adopted)
		return TL_ERROR_STATE;
	if (options->terminal != NULL &&
	    tl_serial_line_set_terminal(&machine->computer.serial, options->terminal, &error) != TL_OK) {
		snprintf(machine->detail, sizeof(machine->detail), "%s", error.text);
		*detail_ret = machine->detail;
		return TL_ERROR_LAUNCH;
	}
	*detail_ret = "a processor does not come out of the guest";
	TL_TRY(tl_kvm_crew_halt(&machine->crew));
	if (tl_kvm_target_restart(machine, &error) != TL_OK) {
		snprintf(machine->detail, sizeof(machine->detail), "%s", error.text);
		*detail_ret = machine->detail;
		return TL_ERROR_LAUNCH;
	}
	machine->off = false;
	(void)tl_run_state_change(&machine->states, TL_RUN_STATE_AT_RESET);
	*process_ret = TL_KVM_PROCESS;
	*detail_ret = "no memory for its processors";
	return adopt(machine, false);
}

static enum tl_status attach(struct tl_target *target, tl_u64 process, const char **detail_ret)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);

	*detail_ret = "the machine is process 1";
	if (process != TL_KVM_PROCESS)
		return TL_ERROR_NO_PROCESS;
	*detail_ret = "the machine is being debugged already, or switched off";
	if (machine->adopted || machine->off)
		return TL_ERROR_STATE;
	*detail_ret = "no memory for its processors";
	tl_kvm_crew_call_in(&machine->crew);
	return adopt(machine, true);
}

static const struct tl_target_ops operations = {
	.version = TL_TARGET_VERSION,
	.name = "kvm",
	.capabilities = TL_CAN_STEP | TL_CAN_RUN_SOME | TL_CAN_PASS_POINTS | TL_CAN_ACCESS_RUNNING | TL_CAN_SOFTWARE |
			TL_CAN_HARDWARE | TL_CAN_WATCH | TL_CAN_STAY,
	.describe = tl_kvm_describe,
	.fetch_registers = tl_kvm_fetch_registers,
	.store_registers = tl_kvm_store_registers,
	.fetch_program_counter = tl_kvm_fetch_program_counter,
	.read_memory = tl_kvm_read_memory,
	.write_memory = tl_kvm_write_memory,
	.resume = resume,
	.stop = stop,
	.insert_point = tl_kvm_insert_point,
	.remove_point = tl_kvm_remove_point,
	.set_conditions = tl_kvm_set_conditions,
	.detach = detach,
	.kill = kill_machine,
	.launch = launch,
	.attach = attach,
	.read_object = tl_kvm_read_object,
	.look_through = tl_kvm_look_through,
	.monitor = tl_kvm_target_monitor,
};

/* ---- Making and ending ---- */

/* What a vCPU's thread knew of it is not so any more. */
static void forget(struct tl_kvm_vcpu *vcpu)
{
	tl_kvm_vcpu_forget(vcpu);
	vcpu->pass = vcpu->step_owed = vcpu->kernel_found = false;
	vcpu->step = (struct tl_kvm_step){0};
	vcpu->log = (struct tl_slot_log){0};
	vcpu->again = 0;
	vcpu->armed_known = false;
	vcpu->request = 0;
}

enum tl_status tl_kvm_target_restart(struct tl_kvm_target *machine, struct tl_error *error)
{
	enum tl_status status = tl_kvm_crew_alone(&machine->crew);

	if (status != TL_OK)
		return TL_FAIL(error, status, "a processor does not come out of the guest");
	for (tl_u32 i = 0; i < machine->crew.count; i++)
		forget(&machine->crew.vcpus[i]);
	/* What is loaded goes below the points. */
	status = tl_kvm_computer_reset(&machine->computer, error);
	machine->text = 0;
	machine->renewed = machine->crew.stops;
	if (status == TL_OK && (machine->moves || machine->crew.kernel_stops))
		status = tl_kvm_target_await_kernel(machine, error);
	tl_kvm_target_look_at_points(machine, NULL);
	tl_kvm_crew_share(&machine->crew);
	return status;
}

/* What the host lacks, and that it is slow; `real`: it is this one. */
static void tell_host(const struct tl_kvm_target *machine, bool real)
{
	if (machine->remark == NULL)
		return;
	if (real && tl_kvm_carries_out_itself("/proc/cpuinfo"))
		remark(machine,
		       "This host's processor has neither VT-x nor SVM: its KVM carries much of the guest out by "
		       "itself. Small guests run; a kernel may take very long to boot, or not come up, and points may "
		       "be missed.");
	tl_kvm_capabilities_tell(&machine->computer.vm.capabilities, machine->remark, machine->remark_context);
}

static enum tl_status build(struct tl_kvm_target *machine, const struct tl_kvm_options *options, struct tl_error *error)
{
	const struct tl_kvm_hooks hooks = {
		.device = answer_device, .devices = bring_in, .post = post, .time = pass_time, .context = machine};

	TL_TRY(tl_kvm_computer_open(&machine->computer, machine->loop, options, error));
	machine->opened = true;
	tell_host(machine, options->calls == NULL);
	/* Code in 16 bits has no names. */
	if (tl_content_is_elf(&machine->computer.boot.kernel)) {
		machine->program = realpath(machine->computer.boot.kernel.path, NULL);
		if (machine->program == NULL)
			return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "%s cannot be read",
					     machine->computer.boot.kernel.path);
	}
	TL_TRY(tl_mailbox_create(machine->loop, "kvm", sizeof(struct tl_kvm_message), take_messages, machine,
				 &machine->mailbox, error));
	TL_TRY(tl_kvm_crew_begin(&machine->crew, &machine->computer.vm, &hooks, error));
	machine->computer.devices.wanted_context = machine;
	machine->computer.devices.wanted = call_for_devices;
	/* Only what unpacks itself goes anywhere. */
	machine->moves = options->moves && machine->computer.boot.kind == TL_KVM_BOOT_LINUX;
	if (machine->moves && tl_kvm_target_await_kernel(machine, error) != TL_OK) {
		remark(machine, error->text);
		machine->moves = false;
	}
	return TL_OK;
}

enum tl_status tl_kvm_target_create(struct tl_loop *loop, const struct tl_kvm_options *options,
				    struct tl_target **target_ret, struct tl_error *error)
{
	struct tl_kvm_target *machine = tl_allocate(tl_storage(), sizeof(*machine));
	enum tl_status status;

	if (machine == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a machine");
	machine->target.ops = &operations;
	machine->loop = loop;
	machine->remark = options->remark;
	machine->remark_context = options->context;
	machine->tracer.changed = trace_state;
	tl_run_state_subscribe(&machine->states, &machine->tracer);
	status = build(machine, options, error);
	if (status != TL_OK) {
		tl_kvm_target_destroy(&machine->target);
		return status;
	}
	*target_ret = &machine->target;
	return TL_OK;
}

void tl_kvm_target_destroy(struct tl_target *target)
{
	struct tl_kvm_target *machine;

	if (target == NULL)
		return;
	machine = tl_kvm_target_of(target);
	if (machine->opened)
		tl_kvm_computer_stop(&machine->computer);
	tl_kvm_crew_end(&machine->crew);
	tl_mailbox_destroy(machine->mailbox);
	if (machine->opened)
		tl_kvm_computer_close(&machine->computer);
	free(machine->program);
	tl_release(tl_storage(), machine, sizeof(*machine));
}

enum tl_status tl_kvm_target_populate(struct tl_target *target, struct tl_error *error)
{
	enum tl_status status = adopt(tl_kvm_target_of(target), false);

	return status == TL_OK ? status : TL_FAIL(error, status, "no memory for the processors of the machine");
}

struct tl_run_states *tl_kvm_target_states(struct tl_target *target)
{
	return &tl_kvm_target_of(target)->states;
}

enum tl_status tl_kvm_target_set_terminal(struct tl_target *target, const char *path, struct tl_error *error)
{
	return tl_serial_line_set_terminal(&tl_kvm_target_of(target)->computer.serial, path, error);
}

const char *tl_kvm_target_program(struct tl_target *target)
{
	return tl_kvm_target_of(target)->program;
}
