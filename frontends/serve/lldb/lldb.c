#include "frontends/serve/lldb/lldb.h"

#include "frontends/serve/lldb/internal.h"

#include <stdlib.h>
#include <string.h>

/* native-signals: lldb is told of signals by the numbers of the system, not by GDB's (tl_rsp_signal_out). */
const char tl_lldb_features[] = ";qEcho+;QThreadSuffixSupported+;QListThreadsInStopReply+;native-signals+";

void tl_lldb_init(struct tl_lldb *lldb, struct tl_engine *engine, const struct tl_lldb_host *host)
{
	*lldb = (struct tl_lldb){.engine = engine, .host = *host};
}

void tl_lldb_begin(struct tl_lldb *lldb, struct tl_rsp *rsp)
{
	tl_lldb_end(lldb);
	lldb->rsp = rsp;
}

void tl_lldb_end(struct tl_lldb *lldb)
{
	struct tl_engine *engine = lldb->engine;
	struct tl_lldb_host host = lldb->host;

	tl_lldb_end_search(lldb);
	tl_lldb_release_blocks(lldb);
	tl_lldb_forget_registers(lldb);
	free(lldb->blocks);
	tl_lldb_init(lldb, engine, &host);
}

void tl_lldb_tables(struct tl_lldb *lldb, struct tl_rsp_table tables_ret[TL_LLDB_TABLES])
{
	const struct tl_rsp_row *const rows[TL_LLDB_TABLES] = {
		tl_lldb_feature_rows, tl_lldb_thread_rows, tl_lldb_register_rows, tl_lldb_memory_rows,
		tl_lldb_host_rows,    tl_lldb_launch_rows, tl_lldb_module_rows};

	for (tl_size i = 0; i < TL_LLDB_TABLES; i++)
		tables_ret[i] = (struct tl_rsp_table){rows[i], lldb};
}

struct tl_target *tl_lldb_target(const struct tl_lldb *lldb)
{
	return tl_engine_target(lldb->engine);
}

bool tl_lldb_process(struct tl_rsp *rsp, tl_u64 *process_ret)
{
	struct tl_thread_id general;

	if (!tl_rsp_general(rsp, &general))
		return false;
	*process_ret = general.process;
	return true;
}

enum tl_status tl_lldb_thread(struct tl_rsp *rsp, struct tl_cursor *arguments, struct tl_thread_id *id_ret)
{
	struct tl_thread_info info;

	if (tl_cursor_accept_text(arguments, ";thread:") || tl_cursor_accept_text(arguments, "thread:")) {
		*id_ret = tl_rsp_read_thread_id(rsp, arguments);
		if (arguments->failed)
			return TL_ERROR_PACKET;
		(void)tl_cursor_accept(arguments, ';');
		return tl_engine_find_thread(tl_rsp_engine(rsp), *id_ret, &info) ? TL_OK : TL_ERROR_NO_THREAD;
	}
	(void)tl_cursor_accept(arguments, ';');
	if (!tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	return tl_rsp_general(rsp, id_ret) ? TL_OK : TL_ERROR_NO_THREAD;
}

bool tl_lldb_take_hex_text(struct tl_cursor *arguments, char *buffer, tl_size size)
{
	tl_size digits = 0;

	while (digits < tl_cursor_left(arguments) && tl_hex_digit(arguments->at[digits]) >= 0)
		digits++;
	if (digits == 0 || digits % 2 != 0 || digits / 2 >= size)
		return false;
	tl_cursor_hex_bytes(arguments, buffer, digits / 2);
	buffer[digits / 2] = '\0';
	return memchr(buffer, '\0', digits / 2) == NULL;
}

const struct tl_cpu *tl_lldb_cpu(const struct tl_lldb *lldb, tl_u64 process, tl_u32 *features_ret)
{
	struct tl_process_facts facts;

	if (tl_engine_facts(lldb->engine, process, &facts) != TL_OK)
		return NULL;
	if (features_ret != NULL)
		*features_ret = facts.features;
	return facts.cpu;
}

int tl_lldb_register_number(const struct tl_cpu *cpu, tl_u32 features, tl_u16 index)
{
	tl_u16 at;

	for (tl_u64 number = 0; tl_cpu_present(cpu, features, number, &at) == TL_OK; number++)
		if (at == index)
			return (int)number;
	return -1;
}

void tl_lldb_write_hex_pair(struct tl_writer *reply, const char *name, const char *text)
{
	tl_write_text(reply, name);
	tl_write_byte(reply, ':');
	tl_write_hex_text(reply, text);
	tl_write_byte(reply, ';');
}

/* ---- What the client can do ---- */

TL_LLDB_HANDLER(handle_suffix)
{
	tl_rsp_client_set(rsp, TL_RSP_CLIENT_LLDB, true);
	/* lldb follows execs without announcing it. */
	tl_engine_settings(lldb->engine)->report_execs = true;
	tl_rsp_client_set(rsp, TL_RSP_CLIENT_THREAD_SUFFIX, true);
	return TL_OK;
}

TL_LLDB_HANDLER(handle_list_threads)
{
	tl_rsp_client_set(rsp, TL_RSP_CLIENT_LLDB, true);
	tl_rsp_client_set(rsp, TL_RSP_CLIENT_LIST_THREADS, true);
	return TL_OK;
}

TL_LLDB_HANDLER(handle_error_strings)
{
	tl_rsp_client_set(rsp, TL_RSP_CLIENT_LLDB, true);
	tl_rsp_client_set(rsp, TL_RSP_CLIENT_ERROR_MESSAGE, true);
	return TL_OK;
}

/*
 * Says back what was said: lldb's way to find the end of a row of answers. Escapes were undone when the request came
 * in, and what frames a packet or repeats a byte would do so in the answer: it is escaped again.
 */
TL_LLDB_HANDLER(handle_echo)
{
	tl_write_text(reply, "qEcho");
	return tl_rsp_write_binary(reply, arguments->at, tl_cursor_left(arguments)) ? TL_OK : TL_ERROR_TOO_LONG;
}

/* qSpeedTest:response_size:SIZE; */
TL_LLDB_HANDLER(handle_speed_test)
{
	tl_u64 size = tl_cursor_hex(arguments);

	if (arguments->failed || size > tl_writer_room(reply) - 5)
		return TL_ERROR_PACKET;
	tl_write_text(reply, "data:");
	for (tl_u64 i = 0; i < size; i++)
		tl_write_byte(reply, 'a');
	return TL_OK;
}

const struct tl_rsp_row tl_lldb_feature_rows[] = {
	{"QThreadSuffixSupported", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_suffix_row},
	{"QListThreadsInStopReply", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_list_threads_row},
	{"QEnableErrorStrings", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_error_strings_row},
	{"qEcho", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_echo_row},
	{"qSpeedTest:response_size:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_speed_test_row},
	{.name = NULL},
};
