#include "targets/remote/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum tl_status copy_part(const void *bytes, tl_size have, tl_u64 offset, void *buffer, tl_size size,
				tl_size *done_ret)
{
	tl_size left = offset < have ? have - (tl_size)offset : 0;

	*done_ret = left < size ? left : size;
	if (*done_ret != 0)
		memcpy(buffer, (const tl_u8 *)bytes + offset, *done_ret);
	return TL_OK;
}

/* From the list of threads if it said so, else by qThreadExtraInfo, which says it in words of its own. */
static enum tl_status read_name(struct remote_target *target, struct remote_thread *thread, tl_u64 offset, void *buffer,
				tl_size size, tl_size *done_ret)
{
	struct tl_writer question;
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_cursor text;
	tl_size length;

	if (!thread->named && tl_remote_read_names(target) == TL_ERROR_UNSUPPORTED) {
		question = tl_remote_question(target);
		tl_write_text(&question, "qThreadExtraInfo,");
		tl_remote_write_thread(target, &question, tl_remote_id(thread));
		TL_TRY(tl_remote_ask(target, &question, "a thread's name", &answer));
		text = tl_remote_answer_text(target);
		length = tl_cursor_left(&text) / 2;
		length = length < sizeof(thread->name) - 1 ? length : sizeof(thread->name) - 1;
		if (answer == ANSWER_TEXT)
			tl_cursor_hex_bytes(&text, thread->name, length);
		thread->name[answer == ANSWER_TEXT && !text.failed ? length : 0] = '\0';
		thread->named = true;
	}
	return copy_part(thread->name, strlen(thread->name), offset, buffer, size, done_ret);
}

static enum tl_status read_core(struct remote_target *target, const struct remote_thread *thread, tl_u64 offset,
				void *buffer, tl_size size, tl_size *done_ret)
{
	char text[24];

	if (!thread->named)
		(void)tl_remote_read_names(target);
	if (!thread->has_core)
		return TL_ERROR_UNSUPPORTED;
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)thread->core);
	return copy_part(text, strlen(text), offset, buffer, size, done_ret);
}

/* Where fs points to, which is where thread-local storage hangs on x86-64. */
static enum tl_status read_pointer(struct remote_target *target, const struct remote_thread *thread, tl_u64 offset,
				   void *buffer, tl_size size, tl_size *done_ret)
{
	const struct tl_cpu *cpu = thread->process->layout.cpu;
	tl_u16 index = 0;
	tl_u8 *file, bytes[8];
	enum tl_status status;

	/* A kernel's register is for its programs, one of which may have run there last. */
	if (thread->process->layout.no_abi)
		return TL_ERROR_UNSUPPORTED;
	if (cpu == NULL || tl_cpu_find(cpu, "fs_base", &index) != TL_OK ||
	    tl_remote_layout_index(&thread->process->layout, index) == NULL)
		return TL_ERROR_UNSUPPORTED;
	file = calloc(1, cpu->file_size);
	if (file == NULL)
		return TL_ERROR_NO_MEMORY;
	status = tl_remote_fetch_registers(&target->target, tl_remote_id(thread), cpu->registers[index].bank, file);
	tl_store_little(bytes, tl_cpu_get(cpu, file, index), sizeof(bytes));
	free(file);
	TL_TRY(status);
	return copy_part(bytes, sizeof(bytes), offset, buffer, size, done_ret);
}

static enum tl_status read_exec_file(struct remote_target *target, tl_u64 process, tl_u64 offset, void *buffer,
				     tl_size size, tl_size *done_ret)
{
	char annex[24] = "";

	if (!target->has_exec_file)
		return TL_ERROR_UNSUPPORTED;
	if (target->multiprocess)
		(void)snprintf(annex, sizeof(annex), "%llx", (unsigned long long)process);
	return tl_remote_read_part(target, "exec-file", annex, offset, buffer, size, done_ret);
}

/*
 * qOffsets. An address is what a stub tells that knows a kernel's place; distances of sections (Text=) are told of
 * programs, whose auxiliary vector says more.
 */
static enum tl_status read_text_address(struct remote_target *target, tl_u64 offset, void *buffer, tl_size size,
					tl_size *done_ret)
{
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_cursor text;
	tl_u8 address[8];

	if (target->knows_offsets == KNOWS_NOT)
		return TL_ERROR_UNSUPPORTED;
	TL_TRY(tl_remote_ask_text(target, "qOffsets", &answer));
	target->knows_offsets = answer == ANSWER_UNKNOWN ? KNOWS_NOT : KNOWS;
	text = tl_remote_answer_text(target);
	if (answer != ANSWER_TEXT || !tl_cursor_accept_text(&text, "TextSeg="))
		return TL_ERROR_UNSUPPORTED;
	tl_store_little(address, tl_cursor_hex(&text), sizeof(address));
	if (text.failed)
		return TL_ERROR_UNSUPPORTED;
	return copy_part(address, sizeof(address), offset, buffer, size, done_ret);
}

enum tl_status tl_remote_read_object(struct tl_target *base, struct tl_thread_id id, enum tl_object object,
				     tl_u64 offset, void *buffer, tl_size size, tl_size *done_ret)
{
	struct remote_target *target = tl_remote_self(base);
	struct remote_thread *thread = tl_remote_find_thread(target, id);

	*done_ret = 0;
	if (thread == NULL)
		return TL_ERROR_GONE;
	TL_TRY(tl_remote_hold(target));
	if (object == TL_OBJECT_THREAD_CORE)
		return read_core(target, thread, offset, buffer, size, done_ret);
	TL_TRY(tl_remote_select(target, id));
	switch (object) {
	case TL_OBJECT_AUXV:
		return target->has_auxv ? tl_remote_read_part(target, "auxv", "", offset, buffer, size, done_ret)
					: TL_ERROR_UNSUPPORTED;
	case TL_OBJECT_SIGINFO:
		return target->has_siginfo_read
			       ? tl_remote_read_part(target, "siginfo", "", offset, buffer, size, done_ret)
			       : TL_ERROR_UNSUPPORTED;
	case TL_OBJECT_EXEC_FILE:
		return read_exec_file(target, id.process, offset, buffer, size, done_ret);
	case TL_OBJECT_MEMORY_MAP:
		return target->has_memory_map
			       ? tl_remote_read_part(target, "memory-map", "", offset, buffer, size, done_ret)
			       : TL_ERROR_UNSUPPORTED;
	case TL_OBJECT_THREAD_NAME:
		return read_name(target, thread, offset, buffer, size, done_ret);
	case TL_OBJECT_THREAD_POINTER:
		return read_pointer(target, thread, offset, buffer, size, done_ret);
	case TL_OBJECT_TEXT_ADDRESS:
		return read_text_address(target, offset, buffer, size, done_ret);
	case TL_OBJECT_THREAD_CORE:
	case TL_OBJECT_COMMAND_LINE:
	case TL_OBJECT_MAX:
		break;
	}
	return TL_ERROR_UNSUPPORTED;
}

enum tl_status tl_remote_write_object(struct tl_target *base, struct tl_thread_id id, enum tl_object object,
				      tl_u64 offset, const void *buffer, tl_size size, tl_size *done_ret)
{
	struct remote_target *target = tl_remote_self(base);
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_writer question;
	struct tl_cursor text;

	*done_ret = 0;
	if (object != TL_OBJECT_SIGINFO || !target->has_siginfo_write)
		return TL_ERROR_UNSUPPORTED;
	TL_TRY(tl_remote_hold(target));
	TL_TRY(tl_remote_select(target, id));
	question = tl_remote_question(target);
	tl_write_text(&question, "qXfer:siginfo:write::");
	tl_write_hex(&question, offset);
	tl_write_byte(&question, ':');
	(void)tl_remote_write_escaped(&question, buffer, size, tl_writer_room(&question));
	TL_TRY(tl_remote_ask(target, &question, "a siginfo to be written", &answer));
	if (answer == ANSWER_UNKNOWN)
		return TL_ERROR_UNSUPPORTED;
	text = tl_remote_answer_text(target);
	*done_ret = (tl_size)tl_cursor_hex(&text);
	if (answer != ANSWER_TEXT || text.failed || *done_ret > size) {
		*done_ret = 0;
		return TL_ERROR_STATE;
	}
	return TL_OK;
}

/* ---- Memory regions: lldb's qMemoryRegionInfo, which some stubs know ---- */

static void read_permissions(struct tl_cursor value, struct tl_memory_region *region)
{
	while (!tl_cursor_done(&value)) {
		tl_u8 letter = tl_cursor_byte(&value);

		region->mapped = true;
		region->readable |= letter == 'r';
		region->writable |= letter == 'w';
		region->executable |= letter == 'x';
	}
}

static enum tl_status read_region(struct tl_cursor text, struct tl_memory_region *region_ret)
{
	struct tl_memory_region region = {0};
	bool has_start = false, has_size = false;

	while (!tl_cursor_done(&text)) {
		struct tl_cursor value = tl_cursor_until(&text, ';'), name = tl_cursor_until(&value, ':');

		if (tl_cursor_equals(&name, "start")) {
			region.start = tl_cursor_hex(&value);
			has_start = !value.failed;
		} else if (tl_cursor_equals(&name, "size")) {
			region.size = tl_cursor_hex(&value);
			has_size = !value.failed;
		} else if (tl_cursor_equals(&name, "permissions")) {
			read_permissions(value, &region);
		} else if (tl_cursor_equals(&name, "name")) {
			tl_size size = tl_cursor_left(&value) / 2;

			size = size < sizeof(region.name) - 1 ? size : sizeof(region.name) - 1;
			tl_cursor_hex_bytes(&value, region.name, size);
			region.name[value.failed ? 0 : size] = '\0';
		}
	}
	if (!has_start || !has_size)
		return TL_ERROR_UNSUPPORTED;
	*region_ret = region;
	return TL_OK;
}

enum tl_status tl_remote_memory_region(struct tl_target *base, tl_u64 process, tl_u64 address,
				       struct tl_memory_region *region_ret)
{
	struct remote_target *target = tl_remote_self(base);
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_writer question;

	if (target->knows_region == KNOWS_NOT)
		return TL_ERROR_UNSUPPORTED;
	TL_TRY(tl_remote_hold(target));
	TL_TRY(tl_remote_select(target, (struct tl_thread_id){process, TL_ANY}));
	question = tl_remote_question(target);
	tl_write_text(&question, "qMemoryRegionInfo:");
	tl_write_hex(&question, address);
	TL_TRY(tl_remote_ask(target, &question, "a region of memory", &answer));
	target->knows_region = answer == ANSWER_UNKNOWN ? KNOWS_NOT : KNOWS;
	return answer == ANSWER_TEXT ? read_region(tl_remote_answer_text(target), region_ret) : TL_ERROR_UNSUPPORTED;
}

/* ---- Monitor commands ---- */

static void write_digits(struct tl_cursor text, struct tl_writer *output)
{
	while (tl_cursor_left(&text) >= 2) {
		tl_u8 byte = 0;

		tl_cursor_hex_bytes(&text, &byte, 1);
		if (text.failed)
			return;
		tl_write_byte(output, byte);
	}
}

/* The command's text comes in O packets as it is made, or as the answer; then OK. */
enum tl_status tl_remote_monitor(struct tl_target *base, const char *command, struct tl_writer *output)
{
	struct remote_target *target = tl_remote_self(base);
	tl_u64 deadline;
	struct tl_writer question;

	TL_TRY(tl_remote_hold(target));
	question = tl_remote_question(target);
	tl_write_text(&question, "qRcmd,");
	tl_write_hex_text(&question, command);
	if (question.failed)
		return TL_ERROR_TOO_LONG;
	deadline = tl_remote_link_clock() + target->link.patience;
	TL_TRY(tl_remote_link_send(&target->link, tl_writer_size(&question)));
	/* It may be about what threads there are. */
	target->listed = false;
	tl_source_trigger(target->flusher);
	for (;;) {
		struct tl_cursor text;

		TL_TRY(tl_remote_link_receive(&target->link, deadline, "the end of a monitor command"));
		text = tl_remote_answer_text(target);
		if (tl_cursor_equals(&text, "OK"))
			return TL_OK;
		if (tl_cursor_done(&text))
			return TL_ERROR_UNSUPPORTED;
		if (tl_cursor_peek(&text) == 'E')
			return TL_ERROR_STATE;
		if (tl_cursor_accept(&text, 'O')) {
			write_digits(text, output);
			continue;
		}
		write_digits(text, output);
		return TL_OK;
	}
}
