#include "targets/remote/state.h"

#include "base/storage.h"
#include "base/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE 10000

/* What we can do, for the stub to know. Nothing of which we do not take the packets. */
static const char ours[] = "qSupported:multiprocess+;swbreak+;hwbreak+;qRelocInsn-;fork-events+;vfork-events+;"
			   "exec-events+;vContSupported+;QThreadEvents+;no-resumed+;error-message+;binary-upload+;"
			   "multi-wp-addr+;xmlRegisters=i386";

void tl_remote_output(struct remote_target *target, struct tl_cursor digits)
{
	char text[1024];

	while (!tl_cursor_done(&digits) && target->options.output != NULL) {
		tl_size size = tl_cursor_left(&digits) / 2;

		size = size < sizeof(text) ? size : sizeof(text);
		tl_cursor_hex_bytes(&digits, text, size);
		if (size == 0 || digits.failed)
			return;
		target->options.output(target->options.context, text, size);
	}
}

/* ---- What the stub can do ---- */

static void take_feature(struct remote_target *target, struct tl_cursor word)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{"multiprocess+", &target->multiprocess},
		{"fork-events+", &target->fork_events},
		{"exec-events+", &target->exec_events},
		{"QThreadEvents+", &target->thread_events},
		{"QCatchSyscalls+", &target->syscalls},
		{"no-resumed+", &target->no_resumed},
		{"swbreak+", &target->software_reason},
		{"hwbreak+", &target->hardware_reason},
		{"ConditionalBreakpoints+", &target->conditions},
		{"watched-access-done+", &target->access_done},
		{"qXfer:features:read+", &target->has_features},
		{"qXfer:threads:read+", &target->has_threads},
		{"qXfer:auxv:read+", &target->has_auxv},
		{"qXfer:siginfo:read+", &target->has_siginfo_read},
		{"qXfer:siginfo:write+", &target->has_siginfo_write},
		{"qXfer:exec-file:read+", &target->has_exec_file},
		{"qXfer:memory-map:read+", &target->has_memory_map},
		{"binary-upload+", &target->binary_upload},
		{"ReverseStep+", &target->can_reverse},
	};

	for (tl_size i = 0; i < TL_COUNT(flags); i++)
		if (tl_cursor_equals(&word, flags[i].name))
			*flags[i].flag = true;
	if (tl_cursor_accept_text(&word, "PacketSize=")) {
		tl_u64 size = tl_cursor_hex(&word);

		/* One byte stays free, as some stubs count the final zero of their buffer. */
		if (!word.failed && size > REMOTE_PACKET_SMALL)
			target->packet_size = size < REMOTE_PACKET_MAX ? (tl_size)size - 1 : REMOTE_PACKET_MAX;
	}
}

static enum tl_status learn_features(struct remote_target *target)
{
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_cursor text;
	bool acknowledges = true;

	TL_TRY(tl_remote_ask_text(target, ours, &answer));
	text = tl_remote_answer_text(target);
	while (answer == ANSWER_TEXT && !tl_cursor_done(&text)) {
		struct tl_cursor word = tl_cursor_until(&text, ';');

		acknowledges &= !tl_cursor_equals(&word, "QStartNoAckMode+");
		take_feature(target, word);
	}
	if (!acknowledges) {
		TL_TRY(tl_remote_ask_text(target, "QStartNoAckMode", &answer));
		if (answer == ANSWER_OK) {
			target->link.acknowledges = false;
			target->link.decoder.trusting = true;
		}
	}
	return TL_OK;
}

static enum tl_status learn_running(struct remote_target *target)
{
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_cursor text;

	TL_TRY(tl_remote_ask_text(target, "vCont?", &answer));
	text = tl_remote_answer_text(target);
	target->vcont = answer == ANSWER_TEXT && tl_cursor_accept_text(&text, "vCont");
	/* Without it a step by `s` is all that there ever was, and every stub has it. */
	target->can_step = !target->vcont;
	while (target->vcont && !tl_cursor_done(&text)) {
		struct tl_cursor word = tl_cursor_until(&text, ';');

		target->can_step |= tl_cursor_equals(&word, "s");
	}
	return TL_OK;
}

/*
 * A point that is not there is taken out: an error is as good as an OK, and no answer says that there are none. Not
 * asked without a program, as gdbserver 13.1 dies of that: it is then believed until the first point shows.
 */
static enum tl_status learn_points(struct remote_target *target)
{
	for (int kind = 0; kind < TL_POINT_KIND_MAX; kind++) {
		enum remote_answer answer = ANSWER_UNKNOWN;
		char question[] = "z0,0,1";

		target->points[kind] = true;
		if (!target->has_first)
			continue;
		question[1] = (char)('0' + kind);
		TL_TRY(tl_remote_ask_text(target, question, &answer));
		target->points[kind] = answer != ANSWER_UNKNOWN;
	}
	return TL_OK;
}

/* Why it stands; in extended mode perhaps without a program. */
static enum tl_status learn_stop(struct remote_target *target)
{
	enum remote_answer answer = ANSWER_UNKNOWN;

	TL_TRY(tl_remote_ask_text(target, "?", &answer));
	target->first = tl_remote_stop_read(target->link.packet, target->link.packet_size);
	target->first.pairs = tl_cursor_make(NULL, 0);
	target->has_first = target->first.kind == STOP_SIGNAL;
	return TL_OK;
}

/* The thread that the stub says is the current one, where its stop reply did not. */
static enum tl_status ask_current(struct remote_target *target, struct tl_thread_id *id_ret)
{
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_cursor text;

	TL_TRY(tl_remote_ask_text(target, "qC", &answer));
	text = tl_remote_answer_text(target);
	if (answer != ANSWER_TEXT || !tl_cursor_accept_text(&text, "QC") || !tl_remote_stop_thread(&text, id_ret))
		*id_ret = (struct tl_thread_id){0, 0};
	return TL_OK;
}

static enum tl_status learn_threads(struct remote_target *target)
{
	struct tl_thread_id id = target->first.thread;

	if (!target->first.has_thread || id.thread == TL_ANY || id.thread == 0)
		TL_TRY(ask_current(target, &id));
	if (id.thread != 0 && id.thread != TL_ANY)
		(void)tl_remote_add_thread(target, tl_remote_qualify(target, id));
	TL_TRY(tl_remote_read_threads(target));
	if (target->thread_count == 0) {
		target->threadless = true;
		if (tl_remote_add_thread(target, (struct tl_thread_id){1, 1}) == NULL)
			return TL_ERROR_NO_MEMORY;
	}
	target->listed = true;
	return TL_OK;
}

static enum tl_status learn(struct remote_target *target)
{
	enum remote_answer answer = ANSWER_UNKNOWN;

	TL_TRY(learn_features(target));
	if (target->options.extended) {
		TL_TRY(tl_remote_ask_text(target, "!", &answer));
		target->extended = answer == ANSWER_OK;
	}
	TL_TRY(learn_stop(target));
	TL_TRY(learn_running(target));
	TL_TRY(learn_points(target));
	return target->has_first ? learn_threads(target) : TL_OK;
}

/* ---- The table of operations ---- */

static const struct tl_target_ops all_ops = {
	.version = TL_TARGET_VERSION,
	.name = "remote",
	.describe = tl_remote_describe,
	.fetch_registers = tl_remote_fetch_registers,
	.store_registers = tl_remote_store_registers,
	.fetch_program_counter = tl_remote_fetch_program_counter,
	.read_memory = tl_remote_read_memory,
	.write_memory = tl_remote_write_memory,
	.resume = tl_remote_resume,
	.stop = tl_remote_stop,
	.insert_point = tl_remote_insert_point,
	.remove_point = tl_remote_remove_point,
	.set_conditions = tl_remote_set_conditions,
	.detach = tl_remote_detach,
	.kill = tl_remote_kill,
	.launch = tl_remote_launch,
	.attach = tl_remote_attach,
	.read_object = tl_remote_read_object,
	.write_object = tl_remote_write_object,
	.memory_region = tl_remote_memory_region,
	.look_through = tl_remote_look_through,
	.monitor = tl_remote_monitor,
};

/*
 * The engine carries no instructions out on a stub: it could not see what the program may not write. Memory of a
 * running program can be had, as the stub is made to stand for the moment.
 */
static void choose_operations(struct remote_target *target)
{
	tl_u32 capabilities = TL_CAN_ACCESS_RUNNING;

	target->ops = all_ops;
	capabilities |= target->points[TL_POINT_SOFTWARE] ? TL_CAN_SOFTWARE : TL_CAN_PLANT;
	if (target->points[TL_POINT_HARDWARE])
		capabilities |= TL_CAN_HARDWARE;
	if (target->points[TL_POINT_WRITE] || target->points[TL_POINT_ACCESS])
		capabilities |= TL_CAN_WATCH;
	if (target->can_step)
		capabilities |= TL_CAN_STEP;
	if (target->vcont)
		capabilities |= TL_CAN_RUN_SOME;
	if (target->can_reverse)
		capabilities |= TL_CAN_REVERSE;
	if (target->multiprocess)
		capabilities |= TL_CAN_MULTI_PROCESS;
	if (target->fork_events && target->exec_events)
		capabilities |= TL_CAN_FORK;
	if (target->syscalls)
		capabilities |= TL_CAN_CATCH_SYSCALLS;
	target->ops.capabilities = capabilities;
	if (!target->conditions)
		target->ops.set_conditions = NULL;
	if (!target->extended)
		target->ops.launch = NULL;
	if (!target->extended)
		target->ops.attach = NULL;
	target->target.ops = &target->ops;
}

/* ---- Coming and going ---- */

static enum tl_status set_up(struct remote_target *target, struct tl_error *error)
{
	enum tl_status status;

	TL_TRY(tl_loop_add_deferred(target->loop, "remote", tl_remote_flush, target, &target->flusher, error));
	status = learn(target);
	for (tl_size i = 0; i < target->process_count && status == TL_OK; i++)
		status = tl_remote_layout(target, target->processes[i]);
	if (tl_remote_link_ended(&target->link))
		return TL_FAIL(error, target->link.lost.status, "%s", target->link.lost.text);
	if (status != TL_OK)
		return TL_FAIL(error, status, "%s",
			       target->detail[0] != '\0' ? target->detail : tl_status_text(status));
	choose_operations(target);
	return tl_loop_add_descriptor(target->loop, "remote stub", target->link.in, TL_READABLE, tl_remote_readable,
				      target, &target->reader, error);
}

static struct remote_target *make(struct tl_loop *loop, const struct tl_remote_options *options)
{
	struct remote_target *target = calloc(1, sizeof(*target));

	if (target == NULL)
		return NULL;
	if (options != NULL)
		target->options = *options;
	if (target->options.patience == 0)
		target->options.patience = PATIENCE;
	target->loop = loop;
	target->packet_size = REMOTE_PACKET_SMALL;
	target->link.in = target->link.out = -1;
	target->link.ended = true;
	return target;
}

static enum tl_status finish(struct remote_target *target, enum tl_status status, struct tl_target **target_ret,
			     struct tl_error *error)
{
	if (status == TL_OK)
		status = set_up(target, error);
	if (status != TL_OK) {
		tl_remote_target_destroy(&target->target);
		return status;
	}
	*target_ret = &target->target;
	return TL_OK;
}

enum tl_status tl_remote_target_create(struct tl_loop *loop, const char *address,
				       const struct tl_remote_options *options, struct tl_target **target_ret,
				       struct tl_error *error)
{
	struct remote_target *target = make(loop, options);

	if (target == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a connection");
	return finish(
		target,
		tl_remote_link_open(&target->link, address, target->options.patience, target->options.baud, error),
		target_ret, error);
}

enum tl_status tl_remote_target_create_over(struct tl_loop *loop, int descriptor,
					    const struct tl_remote_options *options, struct tl_target **target_ret,
					    struct tl_error *error)
{
	struct remote_target *target = make(loop, options);

	if (target == NULL) {
		(void)close(descriptor);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a connection");
	}
	return finish(target, tl_remote_link_take(&target->link, descriptor, target->options.patience, error),
		      target_ret, error);
}

static enum tl_status ask_attached(struct remote_target *target)
{
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_writer question = tl_remote_question(target);
	struct tl_cursor text;

	tl_write_text(&question, "qAttached");
	if (target->multiprocess) {
		tl_write_byte(&question, ':');
		tl_write_hex(&question, target->processes[0]->id);
	}
	TL_TRY(tl_remote_ask(target, &question, "the answer to qAttached", &answer));
	text = tl_remote_answer_text(target);
	/* Where the stub does not say, nothing is ended that may have been there before. */
	target->started = tl_cursor_equals(&text, "0");
	return TL_OK;
}

enum tl_status tl_remote_target_populate(struct tl_target *base, struct tl_error *error)
{
	struct remote_target *target = tl_remote_self(base);
	enum tl_status status = TL_OK;

	if (target->process_count == 0 && !target->extended)
		return TL_FAIL(error, TL_ERROR_NO_PROCESS, "the stub has no program to debug");
	if (target->process_count != 0)
		status = ask_attached(target);
	for (tl_size i = 0; i < target->process_count && status == TL_OK; i++)
		status = tl_remote_tell(target, target->processes[i], false);
	if (tl_remote_link_ended(&target->link))
		return TL_FAIL(error, target->link.lost.status, "%s", target->link.lost.text);
	if (status != TL_OK)
		return TL_FAIL(error, status, "%s",
			       target->detail[0] != '\0' ? target->detail : tl_status_text(status));
	return TL_OK;
}

bool tl_remote_target_started(const struct tl_target *base)
{
	const struct remote_target *target = (const void *)base;

	return target->started;
}

const char *tl_remote_target_lost(const struct tl_target *base)
{
	const struct remote_target *target = (const void *)base;

	return tl_remote_link_ended(&target->link) ? target->link.lost.text : NULL;
}

void tl_remote_target_set_patience(struct tl_target *base, tl_u64 milliseconds)
{
	struct remote_target *target = tl_remote_self(base);

	target->options.patience = target->link.patience = milliseconds != 0 ? milliseconds : PATIENCE;
}

enum tl_status tl_remote_target_packet(struct tl_target *base, const char *text, struct tl_cursor *answer_ret)
{
	struct remote_target *target = tl_remote_self(base);
	enum remote_answer answer;

	TL_TRY(tl_remote_ask_text(target, text, &answer));
	*answer_ret = tl_remote_answer_text(target);
	return TL_OK;
}

void tl_remote_target_forget(struct tl_target *base)
{
	struct remote_target *target = tl_remote_self(base);

	for (tl_size i = 0; i < target->thread_count; i++)
		tl_remote_forget_registers(target->threads[i]);
}

const char *tl_remote_target_detail(const struct tl_target *base)
{
	const struct remote_target *target = (const void *)base;

	return target->detail;
}

void tl_remote_target_destroy(struct tl_target *base)
{
	struct remote_target *target;

	if (base == NULL)
		return;
	target = tl_remote_self(base);
	tl_source_remove(target->reader);
	tl_source_remove(target->flusher);
	tl_source_remove(target->impatient);
	while (target->process_count > 0)
		tl_remote_remove_process(target, target->processes[0]);
	tl_release(tl_storage(), target->processes, target->process_capacity * sizeof(struct remote_process *));
	tl_release(tl_storage(), target->threads, target->thread_capacity * sizeof(struct remote_thread *));
	tl_remote_forget_flash(target);
	tl_remote_link_close(&target->link);
	free(target);
}
