#include "targets/remote/state.h"

#include "base/storage.h"
#include "targets/remote/xml.h"

#include <stdlib.h>
#include <string.h>

struct remote_process *tl_remote_find_process(const struct remote_target *target, tl_u64 id)
{
	for (tl_size i = 0; i < target->process_count; i++)
		if (target->processes[i]->id == id)
			return target->processes[i];
	return NULL;
}

struct remote_thread *tl_remote_find_thread(struct remote_target *target, struct tl_thread_id id)
{
	for (tl_size i = 0; i < target->thread_count; i++) {
		tl_size at = (target->search + i) % target->thread_count;
		struct remote_thread *thread = target->threads[at];

		if (thread->id == id.thread && thread->process->id == id.process) {
			target->search = at + 1;
			return thread;
		}
	}
	return NULL;
}

struct remote_process *tl_remote_add_process(struct remote_target *target, tl_u64 id)
{
	struct remote_process *process = tl_remote_find_process(target, id);
	void *list = target->processes;

	if (process != NULL)
		return process;
	if (id == 0 || id == TL_ANY || target->process_count >= REMOTE_PROCESSES_MAX ||
	    !tl_grow(tl_storage(), &list, &target->process_capacity, target->process_count, sizeof(*target->processes)))
		return NULL;
	target->processes = list;
	process = tl_allocate(tl_storage(), sizeof(*process));
	if (process == NULL)
		return NULL;
	process->id = id;
	target->processes[target->process_count++] = process;
	return process;
}

struct remote_thread *tl_remote_add_thread(struct remote_target *target, struct tl_thread_id id)
{
	struct remote_thread *thread = tl_remote_find_thread(target, id);
	struct remote_process *process;
	void *list = target->threads;

	if (thread != NULL)
		return thread;
	if (id.thread == 0 || id.thread == TL_ANY || target->thread_count >= REMOTE_THREADS_MAX ||
	    !tl_grow(tl_storage(), &list, &target->thread_capacity, target->thread_count, sizeof(*target->threads)))
		return NULL;
	target->threads = list;
	process = tl_remote_add_process(target, id.process);
	thread = process != NULL ? tl_allocate(tl_storage(), sizeof(*thread)) : NULL;
	if (thread == NULL)
		return NULL;
	thread->process = process;
	thread->id = id.thread;
	target->threads[target->thread_count++] = thread;
	return thread;
}

static void free_registers(struct remote_thread *thread)
{
	const struct remote_layout *layout = &thread->process->layout;

	tl_release(tl_storage(), thread->file, layout->cpu != NULL ? layout->cpu->file_size : 0);
	tl_release(tl_storage(), thread->g, layout->g_size);
	thread->file = thread->g = NULL;
	thread->g_size = 0;
	tl_remote_forget_registers(thread);
}

void tl_remote_remove_thread(struct remote_target *target, struct remote_thread *thread)
{
	tl_size at = 0;

	while (target->threads[at] != thread)
		at++;
	target->thread_count--;
	memmove(&target->threads[at], &target->threads[at + 1],
		(target->thread_count - at) * sizeof(struct remote_thread *));
	if (target->general.process == thread->process->id && target->general.thread == thread->id)
		target->general_known = false;
	free_registers(thread);
	tl_release(tl_storage(), thread, sizeof(*thread));
}

void tl_remote_forget_layout(struct remote_target *target, struct remote_process *process)
{
	for (tl_size i = 0; i < target->thread_count; i++)
		if (target->threads[i]->process == process)
			free_registers(target->threads[i]);
	tl_remote_layout_free(&process->layout);
	process->has_layout = false;
}

void tl_remote_remove_process(struct remote_target *target, struct remote_process *process)
{
	tl_size at = 0;

	for (tl_size i = target->thread_count; i-- > 0;)
		if (target->threads[i]->process == process)
			tl_remote_remove_thread(target, target->threads[i]);
	for (tl_size i = 0; i < target->process_count; i++)
		if (target->processes[i]->vfork_parent == process)
			target->processes[i]->vfork_parent = NULL;
	while (target->processes[at] != process)
		at++;
	target->process_count--;
	memmove(&target->processes[at], &target->processes[at + 1],
		(target->process_count - at) * sizeof(struct remote_process *));
	tl_remote_layout_free(&process->layout);
	tl_remote_forget_points(process);
	tl_release(tl_storage(), process->points, process->point_capacity * sizeof(*process->points));
	tl_release(tl_storage(), process, sizeof(*process));
	target->general_known = false;
	target->over = target->process_count == 0;
}

/* ---- The stub's list ---- */

static enum tl_status see_thread(struct remote_target *target, struct tl_thread_id id,
				 struct remote_thread **thread_ret)
{
	struct remote_thread *thread = tl_remote_add_thread(target, tl_remote_qualify(target, id));

	*thread_ret = thread;
	if (thread == NULL)
		return id.thread == 0 || id.thread == TL_ANY ? TL_OK : TL_ERROR_NO_MEMORY;
	thread->seen = true;
	return TL_OK;
}

static enum tl_status read_document(struct remote_target *target)
{
	struct tl_cursor document;
	struct xml_element element;
	enum tl_status status = TL_OK;
	tl_u8 *bytes;
	tl_size size;

	TL_TRY(tl_remote_read_whole(target, "threads", "", &bytes, &size));
	document = tl_cursor_make(bytes, size);
	while (status == TL_OK && tl_remote_xml_next(&document, &element)) {
		struct remote_thread *thread = NULL;
		struct tl_thread_id id;
		struct tl_cursor text;
		char number[64];

		if (element.closing || !tl_cursor_equals(&element.name, "thread"))
			continue;
		(void)tl_remote_xml_attribute(&element, "id", number, sizeof(number));
		text = tl_cursor_text(number);
		if (!tl_remote_stop_thread(&text, &id))
			continue;
		status = see_thread(target, id, &thread);
		if (thread == NULL)
			continue;
		thread->has_core = tl_remote_xml_number(&element, "core", &thread->core);
		(void)tl_remote_xml_attribute(&element, "name", thread->name, sizeof(thread->name));
		thread->named = true;
	}
	free(bytes);
	return status;
}

/* qfThreadInfo and qsThreadInfo: "mID,ID,…" until "l". A stub that never says l has more threads than anybody. */
static enum tl_status read_list(struct remote_target *target)
{
	const char *question = "qfThreadInfo";
	tl_size ids = 0;

	for (tl_size n = 0; n < REMOTE_THREADS_MAX; n++) {
		enum remote_answer answer = ANSWER_UNKNOWN;
		struct tl_cursor text;

		TL_TRY(tl_remote_ask_text(target, question, &answer));
		if (answer != ANSWER_TEXT)
			return n == 0 ? TL_ERROR_UNSUPPORTED : TL_ERROR_MALFORMED;
		text = tl_remote_answer_text(target);
		if (tl_cursor_accept(&text, 'l'))
			return TL_OK;
		target->list_in_pieces |= n == 1 && ids == 1;
		tl_cursor_expect(&text, 'm');
		while (!tl_cursor_done(&text)) {
			struct remote_thread *thread = NULL;
			struct tl_thread_id id;

			if (!tl_remote_stop_thread(&text, &id))
				return TL_ERROR_MALFORMED;
			TL_TRY(see_thread(target, id, &thread));
			ids++;
			(void)tl_cursor_accept(&text, ',');
		}
		question = "qsThreadInfo";
	}
	return TL_ERROR_TOO_LONG;
}

static void see_all(struct remote_target *target, bool seen)
{
	for (tl_size i = 0; i < target->thread_count; i++)
		target->threads[i]->seen = seen;
}

/*
 * The short list where it comes in few packets, as the document has to be made up of names and more for each thread;
 * gdbserver's comes in one packet for each.
 */
enum tl_status tl_remote_read_threads(struct remote_target *target)
{
	enum tl_status status = TL_ERROR_UNSUPPORTED;

	see_all(target, target->threadless);
	if (target->threadless)
		return TL_OK;
	for (tl_size i = 0; i < target->thread_count; i++)
		target->threads[i]->named = false;
	if (target->has_threads && target->list_in_pieces)
		status = read_document(target);
	if (status != TL_OK && target->knows_thread_info != KNOWS_NOT) {
		status = read_list(target);
		if (status == TL_ERROR_UNSUPPORTED)
			target->knows_thread_info = KNOWS_NOT;
	}
	if (status != TL_OK && target->has_threads && !target->list_in_pieces)
		status = read_document(target);
	/* A stub without a list has the threads that it has told of. */
	if (status == TL_ERROR_UNSUPPORTED) {
		see_all(target, true);
		return TL_OK;
	}
	return status;
}

enum tl_status tl_remote_read_names(struct remote_target *target)
{
	return target->has_threads ? read_document(target) : TL_ERROR_UNSUPPORTED;
}

/* ---- Layouts ---- */

static enum tl_status read_description_file(void *context, const char *name, tl_u8 **bytes_ret, tl_size *size_ret)
{
	return tl_remote_read_whole(context, "features", name, bytes_ret, size_ret);
}

/* A stub without a description: the size of its `g` is all there is to go by. */
static enum tl_status assume(struct remote_target *target, struct remote_layout *layout_ret, struct tl_error *error)
{
	enum remote_answer answer = ANSWER_UNKNOWN;
	tl_size g_size = 0;

	TL_TRY(tl_remote_ask_text(target, "g", &answer));
	if (answer == ANSWER_TEXT)
		g_size = target->link.packet_size / 2;
	return tl_remote_layout_assume(g_size, layout_ret, error);
}

enum tl_status tl_remote_layout(struct remote_target *target, struct remote_process *process)
{
	struct remote_files files = {read_description_file, target};
	struct tl_error error;
	enum tl_status status;

	if (process->has_layout)
		return TL_OK;
	TL_TRY(tl_remote_select(target, (struct tl_thread_id){process->id, TL_ANY}));
	status = target->has_features ? tl_remote_layout_read(&files, &process->layout, &error)
				      : assume(target, &process->layout, &error);
	_Static_assert(sizeof(error.text) == sizeof(target->detail), "an error's sentence fits");
	if (status != TL_OK) {
		memcpy(target->detail, error.text, sizeof(target->detail));
		return status;
	}
	process->has_layout = true;
	return TL_OK;
}

enum tl_status tl_remote_describe(struct tl_target *base, tl_u64 id, struct tl_process_facts *facts_ret)
{
	struct remote_target *target = tl_remote_self(base);
	struct remote_process *process = tl_remote_find_process(target, id);

	if (process == NULL)
		return TL_ERROR_NO_PROCESS;
	TL_TRY(tl_remote_layout(target, process));
	*facts_ret = (struct tl_process_facts){.cpu = process->layout.cpu, .features = process->layout.features};
	if (process->layout.linux_abi)
		facts_ret->os_abi = "GNU/Linux";
	else if (process->layout.no_abi)
		facts_ret->os_abi = "none";
	return TL_OK;
}
