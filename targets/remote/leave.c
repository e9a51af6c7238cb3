#include "targets/remote/state.h"

#include <stdio.h>
#include <string.h>

/* Starting a program may have to load it first. */
#define LAUNCH_PATIENCE 60000

enum tl_status tl_remote_tell(struct remote_target *target, struct remote_process *process, bool coming)
{
	struct tl_engine *engine = target->target.engine;

	if (process->told)
		return TL_OK;
	TL_TRY(tl_engine_add_process(engine, process->id));
	process->told = true;
	target->over = false;
	for (tl_size i = 0; i < target->thread_count; i++) {
		struct remote_thread *thread = target->threads[i];

		if (thread->process != process || thread->told)
			continue;
		TL_TRY(tl_engine_add_thread(engine, tl_remote_id(thread), coming));
		thread->told = true;
		thread->running = thread->stop_asked = coming;
	}
	tl_source_trigger(target->flusher);
	return TL_OK;
}

/* ---- Letting go ---- */

enum tl_status tl_remote_detach(struct tl_target *base, tl_u64 id, tl_u64 thread, tl_i32 signal)
{
	struct remote_target *target = tl_remote_self(base);
	struct remote_process *process = tl_remote_find_process(target, id);
	struct tl_writer question;
	enum tl_status status;

	/* The protocol has no word for a signal that goes with it. */
	(void)thread, (void)signal;
	if (process == NULL)
		return TL_ERROR_GONE;
	status = tl_remote_hold(target);
	if (status == TL_OK && process->vfork_parent != NULL)
		tl_remote_lift(target, process->vfork_parent, true);
	if (status == TL_OK) {
		question = tl_remote_question(target);
		tl_write_byte(&question, 'D');
		if (target->multiprocess) {
			tl_write_byte(&question, ';');
			tl_write_hex(&question, id);
		}
		/* The stub may close the connection instead of an answer when that was the last one. */
		target->over = target->process_count == 1;
		status = tl_remote_ask_ok(target, &question, "the answer to a detach (D)", TL_ERROR_STATE);
		if (target->over && status == TL_ERROR_GONE)
			status = TL_OK;
	}
	tl_remote_remove_process(target, process);
	return status;
}

/* vKill, which names a process, or k, which has no answer and ends the connection. */
static enum tl_status kill_one(struct remote_target *target, tl_u64 id)
{
	struct tl_writer question = tl_remote_question(target);
	enum remote_answer answer = ANSWER_UNKNOWN;

	if (target->knows_kill != KNOWS_NOT) {
		tl_write_text(&question, "vKill;");
		tl_write_hex(&question, id);
		target->over = target->process_count == 1;
		TL_TRY(tl_remote_ask(target, &question, "the end of a process (vKill)", &answer));
		if (answer == ANSWER_OK)
			return TL_OK;
		if (answer != ANSWER_UNKNOWN)
			return TL_ERROR_STATE;
		target->knows_kill = KNOWS_NOT;
	}
	if (target->process_count > 1)
		return TL_ERROR_UNSUPPORTED;
	target->over = true;
	question = tl_remote_question(target);
	tl_write_byte(&question, 'k');
	return tl_remote_link_send(&target->link, tl_writer_size(&question));
}

enum tl_status tl_remote_kill(struct tl_target *base, tl_u64 id)
{
	struct remote_target *target = tl_remote_self(base);
	struct remote_process *process = tl_remote_find_process(target, id);
	enum tl_status status;

	if (process == NULL)
		return TL_ERROR_GONE;
	status = tl_remote_hold(target);
	if (status == TL_OK)
		status = kill_one(target, id);
	if (target->over && status == TL_ERROR_GONE)
		status = TL_OK;
	if (status == TL_OK)
		tl_remote_remove_process(target, process);
	return status;
}

/* ---- Beginning ---- */

/* The answer to vRun and vAttach: a stop, of a process that may be new. */
static enum tl_status take_begin(struct remote_target *target, enum tl_status otherwise, tl_u64 asked,
				 tl_u64 *process_ret)
{
	struct stop_reply reply = tl_remote_stop_read(target->link.packet, target->link.packet_size);
	struct tl_thread_id id = {asked, TL_ANY};
	struct remote_process *process;

	if (reply.kind != STOP_SIGNAL)
		return otherwise;
	if (reply.has_thread && reply.thread.thread != TL_ANY)
		id = reply.thread;
	if (id.process == 0)
		id.process = asked != 0 ? asked : 1;
	if (!target->multiprocess)
		id.process = 1;
	if (id.thread == TL_ANY)
		id.thread = id.process;
	target->general_known = false;
	if (tl_remote_add_thread(target, id) == NULL)
		return TL_ERROR_NO_MEMORY;
	process = tl_remote_find_process(target, id.process);
	TL_TRY(tl_remote_read_threads(target));
	TL_TRY(tl_remote_layout(target, process));
	TL_TRY(tl_remote_tell(target, process, asked != 0));
	*process_ret = process->id;
	return TL_OK;
}

static const char *explain(struct remote_target *target, const char *what)
{
	char text[sizeof(target->detail)];

	if (tl_remote_link_ended(&target->link))
		(void)snprintf(text, sizeof(text), "%s", target->link.lost.text);
	else if (target->detail[0] == '\0')
		(void)snprintf(text, sizeof(text), "the stub cannot %s", what);
	else
		(void)snprintf(text, sizeof(text), "the stub cannot %s: %.200s", what, target->detail);
	memcpy(target->detail, text, sizeof(text));
	return target->detail;
}

static enum tl_status ask_setting(struct remote_target *target, const char *packet, const char *text)
{
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_writer question = tl_remote_question(target);

	tl_write_text(&question, packet);
	tl_write_hex_text(&question, text);
	return tl_remote_ask(target, &question, "a setting for a program", &answer);
}

/* What the stub does not know of these it does as it always does. */
static enum tl_status ask_settings(struct remote_target *target, const struct tl_launch *launch)
{
	enum remote_answer answer = ANSWER_UNKNOWN;

	TL_TRY(tl_remote_ask_text(
		target, launch->keep_randomization ? "QDisableRandomization:0" : "QDisableRandomization:1", &answer));
	TL_TRY(tl_remote_ask_text(target, launch->with_shell ? "QStartupWithShell:1" : "QStartupWithShell:0", &answer));
	if (launch->directory != NULL)
		TL_TRY(ask_setting(target, "QSetWorkingDir:", launch->directory));
	if (launch->environment != NULL)
		TL_TRY(tl_remote_ask_text(target, "QEnvironmentReset", &answer));
	for (const char *const *each = launch->environment; each != NULL && *each != NULL; each++)
		TL_TRY(ask_setting(target, "QEnvironmentHexEncoded:", *each));
	return TL_OK;
}

/*
 * One word of what a shell would have been given: quotes and backslashes undone, blanks parting words. A stub takes
 * words as they are; what only a shell does with them (patterns, variables, redirections) is left as it is written, as
 * with gdb. False at the end.
 */
static bool write_word(struct tl_cursor *text, struct tl_writer *question)
{
	int quote = 0;

	while (tl_cursor_peek(text) == ' ' || tl_cursor_peek(text) == '\t' || tl_cursor_peek(text) == '\n')
		(void)tl_cursor_byte(text);
	if (tl_cursor_done(text))
		return false;
	tl_write_byte(question, ';');
	while (!tl_cursor_done(text)) {
		tl_u8 byte = tl_cursor_byte(text);

		if (quote == 0 && (byte == ' ' || byte == '\t' || byte == '\n'))
			break;
		if (quote == 0 && (byte == '\'' || byte == '"')) {
			quote = byte;
		} else if (byte == quote) {
			quote = 0;
		} else {
			if (byte == '\\' && quote != '\'' && !tl_cursor_done(text))
				byte = tl_cursor_byte(text);
			tl_write_hex_bytes(question, &byte, 1);
		}
	}
	return true;
}

static void write_words(const struct tl_launch *launch, struct tl_writer *question)
{
	for (const char *const *each = launch->arguments; *each != NULL; each++) {
		struct tl_cursor text = tl_cursor_text(*each);

		/* The program's name is one word however it is spelt. */
		if (launch->with_shell && each != launch->arguments) {
			while (write_word(&text, question))
				;
		} else {
			tl_write_byte(question, ';');
			tl_write_hex_text(question, *each);
		}
	}
}

static enum tl_status run(struct remote_target *target, const struct tl_launch *launch, tl_u64 *process_ret)
{
	struct tl_writer question;
	enum remote_answer answer = ANSWER_UNKNOWN;
	tl_u64 patience = target->link.patience;
	enum tl_status status;

	TL_TRY(tl_remote_hold(target));
	TL_TRY(ask_settings(target, launch));
	question = tl_remote_question(target);
	tl_write_text(&question, "vRun");
	write_words(launch, &question);
	target->link.patience = patience > LAUNCH_PATIENCE ? patience : LAUNCH_PATIENCE;
	status = tl_remote_ask(target, &question, "the start of a program (vRun)", &answer);
	target->link.patience = patience;
	TL_TRY(status);
	if (answer == ANSWER_UNKNOWN)
		return TL_ERROR_UNSUPPORTED;
	return answer == ANSWER_TEXT ? take_begin(target, TL_ERROR_LAUNCH, 0, process_ret) : TL_ERROR_LAUNCH;
}

enum tl_status tl_remote_launch(struct tl_target *base, const struct tl_launch *launch, tl_u64 *process_ret,
				const char **detail_ret)
{
	struct remote_target *target = tl_remote_self(base);
	enum tl_status status = run(target, launch, process_ret);

	if (status != TL_OK)
		*detail_ret = explain(target, "start the program");
	return status;
}

enum tl_status tl_remote_attach(struct tl_target *base, tl_u64 id, const char **detail_ret)
{
	struct remote_target *target = tl_remote_self(base);
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_writer question;
	tl_u64 process;
	enum tl_status status = tl_remote_hold(target);

	if (status == TL_OK) {
		question = tl_remote_question(target);
		tl_write_text(&question, "vAttach;");
		tl_write_hex(&question, id);
		status = tl_remote_ask(target, &question, "the answer to vAttach", &answer);
	}
	if (status == TL_OK)
		status = answer == ANSWER_TEXT      ? take_begin(target, TL_ERROR_ATTACH, id, &process)
			 : answer == ANSWER_UNKNOWN ? TL_ERROR_UNSUPPORTED
						    : TL_ERROR_ATTACH;
	if (status != TL_OK)
		*detail_ret = explain(target, "attach to the process");
	return status;
}
