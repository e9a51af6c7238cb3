/*
 * The notes of a core: who was there, and where in the file their registers stand. Contents are read when they are
 * asked for: a thousand threads have megabytes of them.
 */
#include "targets/corefile/state.h"

#include "base/storage.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* More threads than the kernel gives process numbers (PID_MAX_LIMIT). */
#define THREADS_MAX (4u << 20)
/* What NT_FILE may take: the kernel writes 4 MiB at most by default (core_file_note_size_limit). */
#define FILES_SIZE_MAX (256u << 20)
/* A note of a core has one of two names, "CORE" and "LINUX". */
#define NAME_MAX_SIZE 8

struct note {
	tl_u32 type;
	bool linux_own; /* "LINUX" rather than "CORE" */
	struct core_part content;
};

static enum tl_status out_of_memory(struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for what the core holds");
}

/* ---- One note ---- */

static enum tl_status damaged(const char *what, const struct note *note, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged core: a note on %s of %u bytes", what,
		       (unsigned)note->content.size);
}

static enum tl_status add_thread(struct core_target *core, const struct note *note, struct tl_error *error)
{
	const struct tl_core_layout *layout = core_layout(core);
	struct core_thread thread = {.place = core->thread_count};
	void *threads = core->threads;
	tl_u8 bytes[512];

	if (note->content.size < layout->status.size)
		return damaged("a thread", note, error);
	if (core->thread_count >= THREADS_MAX)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "damaged core: more than %u threads", THREADS_MAX);
	if (!tl_corefile_read_core(core, note->content.offset, bytes, layout->status.size))
		return TL_OK;
	thread.id = tl_load_little(bytes + layout->status.thread, 4);
	thread.signal = (tl_i32)tl_load_little(bytes + layout->status.signal, 2);
	thread.registers.offset = note->content.offset + layout->status.registers;
	thread.registers.size = layout->status.registers_size;
	if (!tl_grow(tl_storage(), &threads, &core->thread_capacity, core->thread_count, sizeof(*core->threads)))
		return out_of_memory(error);
	core->threads = threads;
	core->threads[core->thread_count++] = thread;
	return TL_OK;
}

/* Words that the program chose itself: nothing that could drive a terminal. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static void read_text(const struct core_target *core, tl_u64 offset, char *text_ret, tl_size size)
{
	if (!tl_corefile_read_core(core, offset, text_ret, size))
		text_ret[0] = '\0';
	text_ret[size] = '\0';
	make_printable(text_ret);
}

static enum tl_status read_process(struct core_target *core, const struct note *note, struct tl_error *error)
{
	const struct tl_core_layout *layout = core_layout(core);
	tl_u64 offset = note->content.offset;
	tl_u8 number[4];
	char *end;

	if (note->content.size < layout->info.size)
		return damaged("the process", note, error);
	if (tl_corefile_read_core(core, offset + layout->info.process, number, sizeof(number)))
		core->process = tl_load_little(number, sizeof(number));
	read_text(core, offset + layout->info.name, core->name, TL_CORE_NAME_SIZE);
	read_text(core, offset + layout->info.arguments, core->command, TL_CORE_ARGUMENTS_SIZE);
	/* The kernel puts a blank behind each word. */
	for (end = core->command + strlen(core->command); end > core->command && end[-1] == ' '; end--)
		end[-1] = '\0';
	return TL_OK;
}

/* ---- NT_FILE: count, page size, {start, end, offset in pages} of each, then the names ---- */

static enum tl_status add_file(struct core_target *core, const char *name, tl_u32 *file_ret, struct tl_error *error)
{
	void *files = core->files;

	/* A file's pieces follow each other. */
	if (core->file_count != 0 && strcmp(core->files[core->file_count - 1].name, name) == 0) {
		*file_ret = (tl_u32)core->file_count - 1;
		return TL_OK;
	}
	if (!tl_grow(tl_storage(), &files, &core->file_capacity, core->file_count, sizeof(*core->files)))
		return out_of_memory(error);
	core->files = files;
	core->files[core->file_count] = (struct core_file){.name = name, .descriptor = -1};
	*file_ret = (tl_u32)core->file_count++;
	return TL_OK;
}

static enum tl_status add_mapping(struct core_target *core, tl_u64 start, tl_u64 end, tl_u64 offset, const char *name,
				  struct tl_error *error)
{
	struct core_mapping mapping = {.start = start, .size = end - start, .offset = offset};
	void *mappings = core->mappings;

	if (end <= start || offset > TL_U64_MAX - mapping.size)
		return TL_OK;
	TL_TRY(add_file(core, name, &mapping.file, error));
	if (!tl_grow(tl_storage(), &mappings, &core->mapping_capacity, core->mapping_count, sizeof(*core->mappings)))
		return out_of_memory(error);
	core->mappings = mappings;
	core->mappings[core->mapping_count++] = mapping;
	return TL_OK;
}

static enum tl_status take_files(struct core_target *core, struct tl_error *error)
{
	tl_size word = core_layout(core)->word;
	struct tl_cursor rows = tl_cursor_make(core->names, core->names_size), names;
	tl_u64 count = tl_cursor_little(&rows, word), page = tl_cursor_little(&rows, word);

	if (rows.failed || count > tl_cursor_left(&rows) / (3 * word) || page == 0 || page > 1u << 30)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged core: a list of %llu files in %zu bytes",
			       (unsigned long long)count, core->names_size);
	names = rows;
	rows = tl_cursor_take(&names, (tl_size)count * 3 * word);
	for (tl_u64 i = 0; i < count; i++) {
		tl_u64 start = tl_cursor_little(&rows, word), end = tl_cursor_little(&rows, word);
		tl_u64 offset = tl_cursor_little(&rows, word);
		const char *name = (const char *)names.at;
		tl_size length = strnlen(name, tl_cursor_left(&names));

		if (length == tl_cursor_left(&names))
			return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged core: the name of a mapped file has no end");
		(void)tl_cursor_take(&names, length + 1);
		TL_TRY(add_mapping(core, start, end, offset <= TL_U64_MAX / page ? offset * page : TL_U64_MAX, name,
				   error));
	}
	return TL_OK;
}

static enum tl_status read_files(struct core_target *core, const struct note *note, struct tl_error *error)
{
	if (core->names != NULL || note->content.size == 0)
		return TL_OK;
	if (note->content.size > FILES_SIZE_MAX)
		return damaged("mapped files", note, error);
	/* A size that is a lie must not cost storage. */
	if (note->content.offset > core->size || note->content.size > core->size - note->content.offset)
		return TL_OK;
	core->names = tl_allocate(tl_storage(), note->content.size);
	if (core->names == NULL)
		return out_of_memory(error);
	core->names_size = note->content.size;
	if (!tl_corefile_read_core(core, note->content.offset, core->names, core->names_size))
		return TL_OK;
	return take_files(core, error);
}

/* ---- Going through them ---- */

static void take_arm64(struct core_thread *thread, const struct note *note)
{
	if (note->type == NT_ARM_SVE)
		thread->vectors = note->content;
	else if (note->type == NT_ARM_TLS)
		thread->pointer = note->content;
	else if (note->type == NT_ARM_PAC_MASK)
		thread->masks = note->content;
	else if (note->type == TL_NT_ARM_TAGGED_ADDR_CTRL)
		thread->tag_control = note->content;
}

/* What the kernel calls "LINUX" is of the thread before it, apart from the layout, which is the machine's. */
static void take_own(struct core_target *core, const struct note *note)
{
	struct core_thread *thread = core->thread_count != 0 ? &core->threads[core->thread_count - 1] : NULL;

	if (note->type == TL_NT_X86_XSAVE_LAYOUT)
		core->layout_note = note->content;
	if (thread == NULL)
		return;
	if (core->arm64)
		take_arm64(thread, note);
	else if (note->type == NT_X86_XSTATE)
		thread->extended = note->content;
	else if (note->type == NT_PRXFPREG)
		thread->legacy = note->content;
	else if (note->type == NT_386_TLS)
		thread->segments = note->content;
}

static enum tl_status take_note(struct core_target *core, const struct note *note, struct tl_error *error)
{
	struct core_thread *thread = core->thread_count != 0 ? &core->threads[core->thread_count - 1] : NULL;

	if (note->linux_own) {
		take_own(core, note);
		return TL_OK;
	}
	switch (note->type) {
	case NT_PRSTATUS:
		return add_thread(core, note, error);
	case NT_PRPSINFO:
		return read_process(core, note, error);
	case NT_FILE:
		return read_files(core, note, error);
	case NT_AUXV:
		core->auxv = note->content;
		return TL_OK;
	case NT_FPREGSET:
		if (thread != NULL)
			thread->floating = note->content;
		return TL_OK;
	case NT_SIGINFO:
		if (thread != NULL)
			thread->siginfo = note->content;
		return TL_OK;
	default:
		return TL_OK;
	}
}

/* The note at *offset, which moves on to the next; false at the end of what there is. */
static bool next_note(struct core_target *core, tl_u64 *offset, tl_u64 end, struct note *note_ret, bool *wanted_ret)
{
	tl_u8 header[TL_CORE_NOTE_HEADER], name[NAME_MAX_SIZE] = {0};
	tl_u64 name_size, size, at = *offset;

	if (end - at < sizeof(header))
		return false;
	if (!tl_corefile_read_core(core, at, header, sizeof(header)))
		return false;
	name_size = tl_load_little(header, 4);
	size = tl_load_little(header + 4, 4);
	at += sizeof(header);
	/* 32-bit sizes, and offsets that are inside of a file: nothing here overflows. */
	if (name_size <= sizeof(name) && !tl_corefile_read_core(core, at, name, (tl_size)name_size))
		return false;
	at += (name_size + 3) & ~(tl_u64)3;
	*note_ret = (struct note){
		.type = (tl_u32)tl_load_little(header + 8, 4),
		.linux_own = tl_same(name, "LINUX", 6),
		.content = {at, (tl_u32)size},
	};
	*wanted_ret = note_ret->linux_own || tl_same(name, "CORE", 5);
	at += (size + 3) & ~(tl_u64)3;
	*offset = at < end ? at : end;
	return true;
}

static enum tl_status read_segment(struct core_target *core, const struct tl_elf_segment *segment,
				   struct tl_error *error)
{
	tl_u64 offset = segment->offset, end = core->size;
	struct note note;
	bool wanted;

	if (offset > core->size || segment->file_size > core->size - offset)
		core->truncated = true;
	else
		end = offset + segment->file_size;
	while (offset < end && next_note(core, &offset, end, &note, &wanted))
		if (wanted)
			TL_TRY(take_note(core, &note, error));
	return TL_OK;
}

static int by_id(const void *a, const void *b)
{
	const struct core_thread *first = a, *second = b;

	if (first->id != second->id)
		return first->id < second->id ? -1 : 1;
	return first->place < second->place ? -1 : first->place > second->place;
}

/* A thread whose number is not known, or not its own alone, gets one that no thread of Linux has. */
static void number_threads(struct core_target *core)
{
	tl_u64 last = 0;

	qsort(core->threads, core->thread_count, sizeof(*core->threads), by_id);
	for (tl_size i = 0; i < core->thread_count; i++) {
		tl_u64 id = core->threads[i].id;

		if (id == 0 || id == last || id >= THREADS_MAX)
			core->threads[i].id = (tl_u64)(THREADS_MAX + 1) + core->threads[i].place;
		last = id;
	}
	qsort(core->threads, core->thread_count, sizeof(*core->threads), by_id);
}

enum tl_status tl_corefile_read_notes(struct core_target *core, const struct tl_elf *elf, struct tl_error *error)
{
	for (tl_u32 i = 0; i < elf->segment_count; i++) {
		struct tl_elf_segment segment;

		TL_TRY(tl_elf_segment(elf, i, &segment, error));
		if (segment.type == PT_NOTE)
			TL_TRY(read_segment(core, &segment, error));
	}
	if (core->thread_count == 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "the core holds no thread: %s",
			       core->truncated ? "it is cut off in front of them" : "nothing can be shown of it");
	number_threads(core);
	core->order = tl_allocate(tl_storage(), core->thread_count * sizeof(*core->order));
	if (core->order == NULL)
		return out_of_memory(error);
	for (tl_size i = 0; i < core->thread_count; i++)
		core->order[core->threads[i].place] = i;
	if (core->process == 0 || core->process >= THREADS_MAX)
		core->process = core->threads[core->order[0]].id;
	return TL_OK;
}
