/* Threads as people number them, and what is said of their coming and going. */
#include "debugger/session/session_internal.h"

#include "base/storage.h"

#include <stdio.h>
#include <string.h>

void tl_session_number_threads(struct tl_session *session)
{
	struct tl_thread_info info;

	while (tl_engine_younger_thread(session->engine, session->youngest, &info)) {
		struct tl_debugged *debugged = tl_session_debugged(session, info.id.process);
		struct tl_numbered_thread numbered = {.id = info.id, .born = info.born};

		/* A child that nobody follows yet is nobody's. */
		if (debugged == NULL) {
			session->youngest = info.born;
			continue;
		}
		if (!tl_grow(tl_storage(), (void **)&session->threads, &session->thread_capacity, session->thread_count,
			     sizeof(*session->threads)))
			return;
		session->youngest = info.born;
		numbered.inferior = debugged->number;
		numbered.in_inferior = ++debugged->threads;
		session->threads[session->thread_count++] = numbered;
	}
}

static struct tl_numbered_thread *find(struct tl_session *session, struct tl_thread_id thread)
{
	tl_session_number_threads(session);
	for (tl_size i = session->thread_count; i-- > 0;)
		if (session->threads[i].id.process == thread.process && session->threads[i].id.thread == thread.thread)
			return &session->threads[i];
	return NULL;
}

void tl_session_number_process(struct tl_session *session, tl_u64 process)
{
	struct tl_debugged *debugged = tl_session_debugged(session, process);
	struct tl_thread_info info = {.id = {0, 0}};

	while (debugged != NULL && tl_engine_next_thread(session->engine, info.id, &info)) {
		struct tl_numbered_thread *numbered;

		if (info.id.process != process)
			continue;
		numbered = find(session, info.id);
		if (numbered != NULL && numbered->born == info.born && numbered->inferior == debugged->number)
			continue;
		if (numbered != NULL)
			numbered->id = (struct tl_thread_id){0};
		if (!tl_grow(tl_storage(), (void **)&session->threads, &session->thread_capacity, session->thread_count,
			     sizeof(*session->threads)))
			return;
		session->threads[session->thread_count++] =
			(struct tl_numbered_thread){.id = info.id,
						    .born = info.born,
						    .inferior = debugged->number,
						    .in_inferior = ++debugged->threads};
	}
}

tl_u32 tl_session_thread_number(struct tl_session *session, struct tl_thread_id thread)
{
	const struct tl_numbered_thread *numbered = find(session, thread);

	return numbered != NULL ? (tl_u32)(numbered - session->threads) + 1 : 0;
}

struct tl_thread_numbers tl_session_thread_numbers(struct tl_session *session, struct tl_thread_id thread)
{
	const struct tl_numbered_thread *numbered = find(session, thread);

	if (numbered == NULL)
		return (struct tl_thread_numbers){0};
	return (struct tl_thread_numbers){.inferior = numbered->inferior,
					  .thread = numbered->in_inferior,
					  .global = (tl_u32)(numbered - session->threads) + 1};
}

tl_u32 tl_session_find_thread(struct tl_session *session, tl_u32 inferior, tl_u32 number)
{
	tl_session_number_threads(session);
	for (tl_size i = session->thread_count; i-- > 0;)
		if (session->threads[i].inferior == inferior && session->threads[i].in_inferior == number &&
		    session->threads[i].id.process != 0 &&
		    tl_session_numbered_thread(session, (tl_u32)(i + 1)).process != 0)
			return (tl_u32)(i + 1);
	return 0;
}

bool tl_session_qualifies_threads(const struct tl_session *session)
{
	return session->inferior_count > 1 || session->inferiors[0]->number != 1;
}

void tl_session_thread_label(struct tl_session *session, struct tl_thread_id thread, char *text_ret, tl_size size)
{
	struct tl_thread_numbers numbers = tl_session_thread_numbers(session, thread);

	if (tl_session_qualifies_threads(session))
		(void)snprintf(text_ret, size, "%u.%u", numbers.inferior, numbers.thread);
	else
		(void)snprintf(text_ret, size, "%u", numbers.thread);
}

struct tl_thread_id tl_session_numbered_thread(struct tl_session *session, tl_u32 number)
{
	struct tl_thread_info info;
	const struct tl_numbered_thread *numbered;

	tl_session_number_threads(session);
	if (number == 0 || number > session->thread_count)
		return (struct tl_thread_id){0};
	numbered = &session->threads[number - 1];
	/* The kernel gives a number out again: the thread of that birth is meant. */
	if (!tl_engine_find_thread(session->engine, numbered->id, &info) || info.born != numbered->born)
		return (struct tl_thread_id){0};
	return numbered->id;
}

static tl_u64 thread_pointer(struct tl_session *session, struct tl_thread_id thread)
{
	struct tl_target *target = session->target;
	tl_u8 bytes[8] = {0};
	tl_size done = 0;
	tl_u64 pointer = 0;

	if (target->ops->read_object == NULL ||
	    target->ops->read_object(target, thread, TL_OBJECT_THREAD_POINTER, 0, bytes, sizeof(bytes), &done) != TL_OK)
		return 0;
	for (tl_size i = 0; i < done; i++)
		pointer |= (tl_u64)bytes[i] << i * 8;
	return pointer;
}

void tl_session_describe_thread(struct tl_session *session, struct tl_thread_id thread, char *text_ret, tl_size size)
{
	tl_u64 pointer = thread_pointer(session, thread);

	if (pointer != 0)
		(void)snprintf(text_ret, size, "Thread 0x%llx (LWP %llu)", (unsigned long long)pointer,
			       (unsigned long long)thread.thread);
	else
		(void)snprintf(text_ret, size, "process %llu", (unsigned long long)thread.process);
}

/* A machine's threads are processors: of one of our own, or where a stub says that no system is below its program. */
static bool has_processors(struct tl_target *target, tl_u64 process)
{
	struct tl_process_facts facts = {0};

	if ((target->ops->capabilities & TL_CAN_STAY) != 0)
		return true;
	return target->ops->describe != NULL && target->ops->describe(target, process, &facts) == TL_OK &&
	       facts.os_abi != NULL && strcmp(facts.os_abi, "none") == 0;
}

bool tl_session_name_processor(struct tl_target *target, struct tl_thread_id thread, char *text_ret, tl_size size)
{
	char name[64];
	tl_size done = 0;

	if (!has_processors(target, thread.process) || target->ops->read_object == NULL ||
	    target->ops->read_object(target, thread, TL_OBJECT_THREAD_NAME, 0, name, sizeof(name) - 1, &done) != TL_OK)
		return false;
	name[done] = '\0';
	/* Behind a comma is what it is doing. */
	(void)snprintf(text_ret, size, "%.*s", (int)strcspn(name, ","), name);
	return done != 0;
}

/* "Thread 0x7ffff7d8a740 (LWP 123)", "hart 1", and of another without a thread pointer "LWP 2". */
static const char *name_of(struct tl_session *session, const struct tl_numbered_thread *numbered, char *text_ret,
			   tl_size size)
{
	if (tl_session_name_processor(session->target, numbered->id, text_ret, size))
		return text_ret;
	if (numbered->pointer != 0)
		(void)snprintf(text_ret, size, "Thread 0x%llx (LWP %llu)", (unsigned long long)numbered->pointer,
			       (unsigned long long)numbered->id.thread);
	else
		(void)snprintf(text_ret, size, "LWP %llu", (unsigned long long)numbered->id.thread);
	return text_ret;
}

static void tell_thread(struct tl_session *session, struct tl_numbered_thread *numbered, bool is_first)
{
	struct tl_thread_info info;
	bool alive = tl_engine_find_thread(session->engine, numbered->id, &info) && info.born == numbered->born;
	char name[64];

	if (alive && !numbered->told && info.stopped) {
		numbered->told = true;
		numbered->pointer = thread_pointer(session, numbered->id);
		if (!is_first && session->settings.tell_threads)
			tl_session_remark(session, "[New %s]", name_of(session, numbered, name, sizeof(name)));
	} else if (!alive && numbered->told) {
		tl_u32 number = tl_session_thread_number(session, numbered->id);

		numbered->told = false;
		if (tl_session_debugged(session, numbered->id.process) != NULL && session->settings.tell_threads)
			tl_session_remark(session, "[%s exited]", name_of(session, numbered, name, sizeof(name)));
		numbered->id = (struct tl_thread_id){0};
		tl_breakpoints_thread_gone(session, number);
	}
}

/* Of its process. Stubs number threads as they like, so that the first need not have the process's number. */
static bool is_first(const struct tl_session *session, tl_size index)
{
	for (tl_size i = 0; i < index; i++)
		if (session->threads[i].id.process == session->threads[index].id.process)
			return false;
	return true;
}

void tl_session_tell_threads(struct tl_session *session)
{
	tl_session_number_threads(session);
	for (tl_size i = 0; i < session->thread_count; i++)
		if (session->threads[i].id.process != 0)
			tell_thread(session, &session->threads[i], is_first(session, i));
}
