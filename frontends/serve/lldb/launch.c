/*
 * Beginning to debug a process in lldb's way: the settings and the A packet, and attaching by name, at once or when a
 * program of that name starts.
 *
 * Linux does not tell an unprivileged process of others' execs. While a client waits for a program to start, /proc is
 * therefore looked through at an interval, by a timer of the event loop; nothing is looked at otherwise.
 */
#include "frontends/serve/lldb/internal.h"

#include <stdlib.h>
#include <string.h>

#define SEARCH_MILLISECONDS 50
#define PATH_SIZE 4096
#define WORDS_MAX 4096

static enum tl_status set(struct tl_lldb *lldb, enum tl_lldb_setting setting, const char *value)
{
	return lldb->host.set != NULL ? lldb->host.set(lldb->host.context, setting, value) : TL_UNKNOWN_PACKET;
}

/* QEnvironment:NAME=VALUE, the text as it is. */
TL_LLDB_HANDLER(handle_variable)
{
	tl_size size = tl_cursor_left(arguments);
	char *text;
	enum tl_status status;

	if (memchr(arguments->at, '\0', size) != NULL || memchr(arguments->at, '=', size) == NULL)
		return TL_ERROR_PACKET;
	text = calloc(1, size + 1);
	if (text == NULL)
		return TL_ERROR_NO_MEMORY;
	memcpy(text, arguments->at, size);
	status = set(lldb, TL_LLDB_VARIABLE, text);
	free(text);
	return status;
}

TL_LLDB_HANDLER(handle_randomization)
{
	tl_u64 disable = tl_cursor_hex(arguments);

	if (arguments->failed || !tl_cursor_done(arguments) || disable > 1)
		return TL_ERROR_PACKET;
	return set(lldb, TL_LLDB_RANDOMIZATION, disable != 0 ? "0" : "1");
}

static enum tl_status set_stream(struct tl_lldb *lldb, enum tl_lldb_setting setting, struct tl_cursor *arguments)
{
	char path[PATH_SIZE];

	if (tl_cursor_done(arguments))
		return set(lldb, setting, "");
	if (!tl_lldb_take_hex_text(arguments, path, sizeof(path)) || !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	return set(lldb, setting, path);
}

TL_LLDB_HANDLER(handle_input)
{
	return set_stream(lldb, TL_LLDB_INPUT, arguments);
}

TL_LLDB_HANDLER(handle_output)
{
	return set_stream(lldb, TL_LLDB_OUTPUT, arguments);
}

TL_LLDB_HANDLER(handle_error)
{
	return set_stream(lldb, TL_LLDB_ERROR, arguments);
}

/* Only what this host runs can be launched; which of it a program is, the kernel sees for itself. */
TL_LLDB_HANDLER(handle_architecture)
{
	static const char *const names[] = {"x86_64", "x86_64h", "i386", "i486", "i586", "i686"};

	for (tl_size i = 0; i < TL_COUNT(names); i++)
		if (tl_cursor_equals(arguments, names[i]))
			return TL_OK;
	tl_rsp_explain(rsp, "this host does not run programs of that architecture");
	return TL_ERROR_ARGUMENT;
}

/* lldb says so before every launch. */
TL_LLDB_HANDLER(handle_detach_on_error)
{
	tl_u64 on = tl_cursor_hex(arguments);

	if (arguments->failed || !tl_cursor_done(arguments) || on > 1)
		return TL_ERROR_PACKET;
	return set(lldb, TL_LLDB_LOSS, on != 0 ? "1" : "0");
}

/* ---- A ---- */

/* One "LENGTH,NUMBER,HEX", LENGTH being that of HEX; NULL with *status_ret when it cannot be read. */
static char *take_word(struct tl_cursor *arguments, tl_u64 wanted_number, enum tl_status *status_ret)
{
	tl_u64 length = tl_cursor_decimal(arguments), number;
	char *word;

	tl_cursor_expect(arguments, ',');
	number = tl_cursor_decimal(arguments);
	tl_cursor_expect(arguments, ',');
	*status_ret = TL_ERROR_PACKET;
	if (arguments->failed || number != wanted_number || length % 2 != 0 || length > tl_cursor_left(arguments))
		return NULL;
	word = calloc(1, length / 2 + 1);
	*status_ret = word != NULL ? TL_OK : TL_ERROR_NO_MEMORY;
	if (word == NULL)
		return NULL;
	tl_cursor_hex_bytes(arguments, word, length / 2);
	if (!tl_cursor_done(arguments))
		tl_cursor_expect(arguments, ',');
	if (arguments->failed || memchr(word, '\0', length / 2) != NULL)
		*status_ret = TL_ERROR_PACKET;
	return word;
}

static void free_words(char **words)
{
	for (tl_size i = 0; words[i] != NULL; i++)
		free(words[i]);
	free(words);
}

TL_LLDB_HANDLER(handle_launch)
{
	char **words = calloc(WORDS_MAX + 1, sizeof(*words));
	struct tl_error error = {.text = ""};
	enum tl_status status = TL_OK;

	if (lldb->host.launch == NULL || words == NULL) {
		free(words);
		return lldb->host.launch == NULL ? TL_UNKNOWN_PACKET : TL_ERROR_NO_MEMORY;
	}
	for (tl_size count = 0; status == TL_OK && (count == 0 || !tl_cursor_done(arguments)); count++) {
		if (count == WORDS_MAX)
			status = TL_ERROR_TOO_LONG;
		else
			words[count] = take_word(arguments, count, &status);
	}
	if (status == TL_OK)
		status = lldb->host.launch(lldb->host.context, (const char *const *)words, &error);
	free_words(words);
	lldb->launch_error[0] = '\0';
	if (status != TL_OK) {
		const char *text = error.text[0] != '\0' ? error.text : tl_status_text(status);

		memcpy(lldb->launch_error, text, strnlen(text, sizeof(lldb->launch_error) - 1) + 1);
		lldb->launch_error[sizeof(lldb->launch_error) - 1] = '\0';
		tl_rsp_explain(rsp, text);
	}
	return status;
}

/* What became of the A packet (or of vRun, whose answer said so itself): OK, or E and why not. */
TL_LLDB_HANDLER(handle_launch_success)
{
	tl_u64 process;

	if (lldb->launch_error[0] == '\0' && tl_lldb_process(rsp, &process)) {
		tl_write_text(reply, "OK");
		return TL_OK;
	}
	tl_write_byte(reply, 'E');
	tl_write_text(reply, lldb->launch_error[0] != '\0' ? lldb->launch_error : "no program was started");
	return TL_OK;
}

/* ---- Attaching by name ---- */

void tl_lldb_end_search(struct tl_lldb *lldb)
{
	tl_source_remove(lldb->search.timer);
	free(lldb->search.present);
	lldb->search = (struct tl_lldb_search){.timer = NULL};
}

static bool was_present(const struct tl_lldb_search *search, tl_u64 process)
{
	for (tl_size i = 0; i < search->present_count; i++)
		if (search->present[i] == process)
			return true;
	return false;
}

/* Takes down which processes run already. */
static enum tl_status note_present(struct tl_lldb *lldb)
{
	struct tl_lldb_search *search = &lldb->search;
	tl_size capacity = 0;

	for (tl_u64 process = tl_lldb_next_process(lldb, 0); process != 0;
	     process = tl_lldb_next_process(lldb, process)) {
		if (!tl_lldb_process_named(lldb, process, search->name))
			continue;
		if (search->present_count == capacity) {
			tl_u64 *grown;

			capacity = capacity * 2 + 16;
			grown = realloc(search->present, capacity * sizeof(*grown));
			if (grown == NULL)
				return TL_ERROR_NO_MEMORY;
			search->present = grown;
		}
		search->present[search->present_count++] = process;
	}
	return TL_OK;
}

/* A process of the wanted name, the latest of several; 0 when there is none. *count_ret is how many there are. */
static tl_u64 find_named(const struct tl_lldb *lldb, tl_size *count_ret)
{
	const struct tl_lldb_search *search = &lldb->search;
	tl_u64 found = 0;

	*count_ret = 0;
	for (tl_u64 process = tl_lldb_next_process(lldb, 0); process != 0;
	     process = tl_lldb_next_process(lldb, process)) {
		if (!tl_lldb_process_named(lldb, process, search->name) || was_present(search, process))
			continue;
		found = process;
		++*count_ret;
	}
	return found;
}

static void search_again(void *context, struct tl_source *source);

static enum tl_status arm(struct tl_lldb *lldb)
{
	return tl_loop_add_timer(lldb->host.loop, "lldb-search", SEARCH_MILLISECONDS, search_again, lldb,
				 &lldb->search.timer, NULL);
}

static void search_again(void *context, struct tl_source *source)
{
	struct tl_lldb *lldb = context;
	tl_u8 bytes[4096];
	struct tl_writer reply = tl_writer_make(bytes, sizeof(bytes));
	enum tl_status status;
	tl_size count;
	tl_u64 process = find_named(lldb, &count);

	tl_source_remove(source);
	lldb->search.timer = NULL;
	if (process == 0) {
		status = arm(lldb);
		if (status == TL_OK)
			return;
	} else {
		status = lldb->host.attach(lldb->host.context, process, &reply);
	}
	tl_lldb_end_search(lldb);
	if (status != TL_DEFERRED)
		tl_rsp_reply(lldb->rsp, status, bytes, tl_writer_size(&reply));
}

static enum tl_status begin_search(struct tl_lldb *lldb, struct tl_cursor *arguments)
{
	tl_lldb_end_search(lldb);
	if (lldb->host.attach == NULL || lldb->host.loop == NULL)
		return TL_UNKNOWN_PACKET;
	if (!tl_lldb_take_hex_text(arguments, lldb->search.name, sizeof(lldb->search.name)) ||
	    !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	return TL_OK;
}

/* vAttachWait;NAME: the next program of that name to start. */
TL_LLDB_HANDLER(handle_attach_wait)
{
	TL_TRY(begin_search(lldb, arguments));
	TL_TRY(note_present(lldb));
	TL_TRY(arm(lldb));
	return TL_DEFERRED;
}

/* vAttachOrWait;NAME: one that runs, or the next to start. */
TL_LLDB_HANDLER(handle_attach_or_wait)
{
	tl_size count;
	tl_u64 process;

	TL_TRY(begin_search(lldb, arguments));
	process = find_named(lldb, &count);
	if (process != 0)
		return lldb->host.attach(lldb->host.context, process, reply);
	TL_TRY(arm(lldb));
	return TL_DEFERRED;
}

/* vAttachName;NAME: one that runs. */
TL_LLDB_HANDLER(handle_attach_name)
{
	tl_size count;
	tl_u64 process;

	TL_TRY(begin_search(lldb, arguments));
	process = find_named(lldb, &count);
	if (count == 1)
		return lldb->host.attach(lldb->host.context, process, reply);
	tl_rsp_explain(rsp, count == 0 ? "no process of that name is running"
				       : "several processes of that name are running: attach to one by its number");
	return TL_ERROR_NO_PROCESS;
}

TL_LLDB_HANDLER(handle_or_wait_supported)
{
	return lldb->host.attach != NULL && lldb->host.loop != NULL ? TL_OK : TL_UNKNOWN_PACKET;
}

const struct tl_rsp_row tl_lldb_launch_rows[] = {
	{"QEnvironment:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_variable_row},
	{"QSetDisableASLR:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_randomization_row},
	{"QSetSTDIN:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_input_row},
	{"QSetSTDOUT:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_output_row},
	{"QSetSTDERR:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_error_row},
	{"QLaunchArch:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_architecture_row},
	{"QSetDetachOnError:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_detach_on_error_row},
	{"A", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_launch_row},
	{"qLaunchSuccess", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_launch_success_row},
	{"vAttachWait;", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_attach_wait_row},
	{"vAttachOrWait;", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_attach_or_wait_row},
	{"vAttachName;", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_attach_name_row},
	{"qVAttachOrWaitSupported", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_or_wait_supported_row},
	{.name = NULL},
};
