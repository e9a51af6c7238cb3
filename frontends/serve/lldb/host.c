/*
 * What the client wants to know of the machine that the server runs on, and of its processes.
 */
#include "frontends/serve/lldb/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Reads a small file of /proc whole, as text. */
static bool read_text(const char *path, char *buffer, size_t size)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (descriptor < 0)
		return false;
	length = read(descriptor, buffer, size - 1);
	close(descriptor);
	if (length < 0)
		return false;
	buffer[length] = '\0';
	return true;
}

/* The number that follows `name` and blanks in the text of a status file; the `skip`-th after it. */
static tl_u64 status_number(const char *text, const char *name, unsigned skip)
{
	const char *at = strstr(text, name);
	char *end = NULL;
	tl_u64 number = 0;

	if (at == NULL)
		return 0;
	at += strlen(name);
	for (unsigned i = 0; i <= skip; i++, at = end)
		number = strtoull(at, &end, 10);
	return number;
}

static const char *proc(const struct tl_lldb *lldb)
{
	return lldb->host.proc != NULL ? lldb->host.proc : "/proc";
}

bool tl_lldb_read_process(const struct tl_lldb *lldb, tl_u64 process, struct tl_lldb_process *process_ret)
{
	char path[256], text[4096];
	ssize_t length;

	snprintf(path, sizeof(path), "%s/%llu/status", proc(lldb), (unsigned long long)process);
	if (!read_text(path, text, sizeof(text)))
		return false;
	*process_ret = (struct tl_lldb_process){
		.process = process,
		.parent = status_number(text, "\nPPid:", 0),
		.user = status_number(text, "\nUid:", 0),
		.effective_user = status_number(text, "\nUid:", 1),
		.group = status_number(text, "\nGid:", 0),
		.effective_group = status_number(text, "\nGid:", 1),
	};
	snprintf(path, sizeof(path), "%s/%llu/exe", proc(lldb), (unsigned long long)process);
	length = readlink(path, process_ret->path, sizeof(process_ret->path) - 1);
	process_ret->path[length > 0 ? length : 0] = '\0';
	return true;
}

tl_u64 tl_lldb_next_process(const struct tl_lldb *lldb, tl_u64 after)
{
	DIR *directory = opendir(proc(lldb));
	struct dirent *entry;
	tl_u64 next = 0;

	if (directory == NULL)
		return 0;
	while ((entry = readdir(directory)) != NULL) {
		tl_u64 number = strtoull(entry->d_name, NULL, 10);

		if (number > after && (next == 0 || number < next))
			next = number;
	}
	closedir(directory);
	return next;
}

bool tl_lldb_process_named(const struct tl_lldb *lldb, tl_u64 process, const char *name)
{
	struct tl_lldb_process facts;
	const char *last;

	if (!tl_lldb_read_process(lldb, process, &facts) || facts.path[0] == '\0')
		return false;
	last = strrchr(facts.path, '/');
	return strcmp(facts.path, name) == 0 || (last != NULL && strcmp(last + 1, name) == 0);
}

/* ---- Triples ---- */

void tl_lldb_triple(const struct tl_lldb *lldb, tl_u64 process, char *triple, tl_size size)
{
	struct tl_process_facts facts;
	struct utsname system;

	if (process != 0 && tl_engine_facts(lldb->engine, process, &facts) == TL_OK)
		snprintf(triple, size, "%s-pc-%s", facts.cpu->triple_cpu,
			 facts.os_abi != NULL && strstr(facts.os_abi, "Linux") != NULL ? "linux-gnu" : "unknown");
	else if (uname(&system) == 0)
		snprintf(triple, size, "%s-pc-linux-gnu", system.machine);
	else
		snprintf(triple, size, "unknown-unknown-unknown");
}

static unsigned pointer_size(const struct tl_lldb *lldb, tl_u64 process, bool *big_endian_ret)
{
	const struct tl_cpu *cpu = process != 0 ? tl_lldb_cpu(lldb, process, NULL) : NULL;

	*big_endian_ret = cpu != NULL && cpu->big_endian;
	return cpu != NULL ? cpu->address_size : (unsigned)sizeof(void *);
}

static void write_size_and_order(const struct tl_lldb *lldb, tl_u64 process, struct tl_writer *reply)
{
	bool big_endian;
	unsigned size = pointer_size(lldb, process, &big_endian);

	tl_write_text(reply, "ptrsize:");
	tl_write_decimal(reply, size);
	tl_write_text(reply, big_endian ? ";endian:big;" : ";endian:little;");
}

/* ---- Packets ---- */

/* The leading digits and dots of the kernel's release. */
static void write_version(struct tl_writer *reply, const char *release)
{
	tl_size length = strspn(release, "0123456789.");

	while (length > 0 && release[length - 1] == '.')
		length--;
	if (length == 0)
		return;
	tl_write_text(reply, "os_version:");
	tl_write_bytes(reply, release, length);
	tl_write_byte(reply, ';');
}

TL_LLDB_HANDLER(handle_host_info)
{
	struct utsname system;
	tl_u64 process = 0;
	char triple[96];

	tl_rsp_client_set(rsp, TL_RSP_CLIENT_LLDB, true);
	(void)tl_lldb_process(rsp, &process);
	tl_lldb_triple(lldb, process, triple, sizeof(triple));
	tl_lldb_write_hex_pair(reply, "triple", triple);
	write_size_and_order(lldb, process, reply);
	tl_write_text(reply, "watchpoint_exceptions_received:after;");
	if (strstr(triple, "linux") != NULL && uname(&system) == 0) {
		write_version(reply, system.release);
		tl_lldb_write_hex_pair(reply, "os_build", system.release);
		tl_lldb_write_hex_pair(reply, "os_kernel", system.version);
		tl_lldb_write_hex_pair(reply, "hostname", system.nodename);
	}
	return TL_OK;
}

static void write_hex_number(struct tl_writer *reply, const char *name, tl_u64 value)
{
	tl_write_text(reply, name);
	tl_write_byte(reply, ':');
	tl_write_hex(reply, value);
	tl_write_byte(reply, ';');
}

/* The process that is debugged; the numbers are hexadecimal. */
TL_LLDB_HANDLER(handle_process_info)
{
	struct tl_lldb_process facts;
	bool on_host = (tl_target_capabilities(tl_lldb_target(lldb)) & (TL_CAN_LAUNCH | TL_CAN_ATTACH)) != 0;
	tl_u64 process;
	char triple[96];

	tl_rsp_client_set(rsp, TL_RSP_CLIENT_LLDB, true);
	if (!tl_lldb_process(rsp, &process))
		return TL_ERROR_NO_PROCESS;
	write_hex_number(reply, "pid", process);
	if (on_host && tl_lldb_read_process(lldb, process, &facts)) {
		write_hex_number(reply, "parent-pid", facts.parent);
		write_hex_number(reply, "real-uid", facts.user);
		write_hex_number(reply, "real-gid", facts.group);
		write_hex_number(reply, "effective-uid", facts.effective_user);
		write_hex_number(reply, "effective-gid", facts.effective_group);
	}
	tl_lldb_triple(lldb, process, triple, sizeof(triple));
	tl_lldb_write_hex_pair(reply, "triple", triple);
	if (strstr(triple, "linux") != NULL)
		tl_write_text(reply, "ostype:linux;");
	write_size_and_order(lldb, process, reply);
	return TL_OK;
}

static void write_decimal_number(struct tl_writer *reply, const char *name, tl_u64 value)
{
	tl_write_text(reply, name);
	tl_write_byte(reply, ':');
	tl_write_decimal(reply, value);
	tl_write_byte(reply, ';');
}

/* Other processes of this host are a client's business only where it may attach to them. */
static bool may_list(const struct tl_lldb *lldb)
{
	return (tl_target_capabilities(tl_lldb_target(lldb)) & TL_CAN_ATTACH) != 0;
}

/* Any process of this host; the numbers are decimal. */
static void write_listed(struct tl_lldb *lldb, const struct tl_lldb_process *facts, struct tl_writer *reply)
{
	char path[256], words[2048], triple[96];
	const char *separator = "args:";
	int descriptor;
	ssize_t length = 0;

	write_decimal_number(reply, "pid", facts->process);
	write_decimal_number(reply, "ppid", facts->parent);
	write_decimal_number(reply, "uid", facts->user);
	write_decimal_number(reply, "gid", facts->group);
	write_decimal_number(reply, "euid", facts->effective_user);
	write_decimal_number(reply, "egid", facts->effective_group);
	tl_lldb_write_hex_pair(reply, "name", facts->path);
	snprintf(path, sizeof(path), "%s/%llu/cmdline", proc(lldb), (unsigned long long)facts->process);
	descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor >= 0) {
		length = read(descriptor, words, sizeof(words) - 1);
		close(descriptor);
	}
	words[length > 0 ? length : 0] = '\0';
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(words + at) + 1) {
		tl_write_text(reply, separator);
		tl_write_hex_text(reply, words + at);
		separator = "-";
	}
	if (length > 0)
		tl_write_byte(reply, ';');
	tl_lldb_triple(lldb, 0, triple, sizeof(triple));
	tl_lldb_write_hex_pair(reply, "triple", triple);
}

TL_LLDB_HANDLER(handle_process_info_pid)
{
	tl_u64 process = tl_cursor_decimal(arguments);
	struct tl_lldb_process facts;

	if (arguments->failed || !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	if (!may_list(lldb))
		return TL_UNKNOWN_PACKET;
	if (!tl_lldb_read_process(lldb, process, &facts))
		return TL_ERROR_NO_PROCESS;
	write_listed(lldb, &facts, reply);
	return TL_OK;
}

/* "name_match:HOW;name:HEX;…": the other conditions are for the client to look at in the answers. */
static bool read_match(struct tl_lldb *lldb, struct tl_cursor *arguments)
{
	lldb->listed_match[0] = lldb->listed_name[0] = '\0';
	while (!tl_cursor_done(arguments)) {
		struct tl_cursor pair = tl_cursor_until(arguments, ';');
		struct tl_cursor key = tl_cursor_until(&pair, ':');

		if (tl_cursor_equals(&key, "name_match")) {
			if (tl_cursor_left(&pair) >= sizeof(lldb->listed_match))
				return false;
			memcpy(lldb->listed_match, pair.at, tl_cursor_left(&pair));
			lldb->listed_match[tl_cursor_left(&pair)] = '\0';
		} else if (tl_cursor_equals(&key, "name") &&
			   !tl_lldb_take_hex_text(&pair, lldb->listed_name, sizeof(lldb->listed_name))) {
			return false;
		}
	}
	return true;
}

static bool name_matches(const struct tl_lldb *lldb, const struct tl_lldb_process *facts)
{
	const char *last = strrchr(facts->path, '/'), *wanted = lldb->listed_name;
	const char *name = last != NULL ? last + 1 : facts->path;
	size_t length = strlen(name), size = strlen(wanted);

	if (wanted[0] == '\0' || lldb->listed_match[0] == '\0')
		return true;
	if (strcmp(lldb->listed_match, "equals") == 0)
		return strcmp(name, wanted) == 0;
	if (strcmp(lldb->listed_match, "starts_with") == 0)
		return strncmp(name, wanted, size) == 0;
	if (strcmp(lldb->listed_match, "ends_with") == 0)
		return length >= size && strcmp(name + length - size, wanted) == 0;
	if (strcmp(lldb->listed_match, "contains") == 0)
		return strstr(name, wanted) != NULL;
	return false;
}

static enum tl_status list_next(struct tl_lldb *lldb, struct tl_writer *reply)
{
	struct tl_lldb_process facts;

	while ((lldb->listed = tl_lldb_next_process(lldb, lldb->listed)) != 0) {
		/* Threads of the kernel have no program. */
		if (!tl_lldb_read_process(lldb, lldb->listed, &facts) || facts.path[0] == '\0' ||
		    !name_matches(lldb, &facts))
			continue;
		write_listed(lldb, &facts, reply);
		return TL_OK;
	}
	return TL_ERROR_NO_PROCESS;
}

TL_LLDB_HANDLER(handle_first_process)
{
	if (!may_list(lldb))
		return TL_UNKNOWN_PACKET;
	(void)tl_cursor_accept(arguments, ':');
	if (!read_match(lldb, arguments))
		return TL_ERROR_PACKET;
	lldb->listed = 0;
	return list_next(lldb, reply);
}

TL_LLDB_HANDLER(handle_next_process)
{
	return lldb->listed != 0 ? list_next(lldb, reply) : TL_ERROR_NO_PROCESS;
}

TL_LLDB_HANDLER(handle_process_id)
{
	tl_u64 process;

	if (!tl_lldb_process(rsp, &process))
		return TL_ERROR_NO_PROCESS;
	tl_write_hex(reply, process);
	return TL_OK;
}

TL_LLDB_HANDLER(handle_directory)
{
	char path[4096];

	if (getcwd(path, sizeof(path)) == NULL)
		return TL_ERROR_SYSTEM;
	tl_write_hex_text(reply, path);
	return TL_OK;
}

const struct tl_rsp_row tl_lldb_host_rows[] = {
	{"qHostInfo", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_host_info_row},
	{"qProcessInfo", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_process_info_row},
	{"qProcessInfoPID:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_process_info_pid_row},
	{"qfProcessInfo", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_first_process_row},
	{"qsProcessInfo", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_next_process_row},
	{"qGetPid", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_process_id_row},
	{"qGetWorkingDir", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_directory_row},
	{.name = NULL},
};
