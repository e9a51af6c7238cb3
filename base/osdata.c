#include "base/osdata.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void open_item(struct tl_osdata_writer *writer)
{
	writer->item(writer->context);
}

static void add_column(struct tl_osdata_writer *writer, const char *name, const char *value)
{
	writer->column(writer->context, name, value);
}

static void add_number(struct tl_osdata_writer *writer, const char *name, long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", value);
	add_column(writer, name, text);
}

/* Permissions, as ls would have them if it had no letters. */
static void add_mode(struct tl_osdata_writer *writer, unsigned mode)
{
	char text[32];

	snprintf(text, sizeof(text), "%o", mode);
	add_column(writer, "perms", text);
}

/* The user's name, or the number where it has none. */
static void add_user(struct tl_osdata_writer *writer, const char *name, uid_t user)
{
	struct passwd *entry = getpwuid(user);

	if (entry != NULL)
		add_column(writer, name, entry->pw_name);
	else
		add_number(writer, name, user);
}

static void add_group(struct tl_osdata_writer *writer, const char *name, gid_t group)
{
	struct group *entry = getgrgid(group);

	if (entry != NULL)
		add_column(writer, name, entry->gr_name);
	else
		add_number(writer, name, group);
}

static void add_time(struct tl_osdata_writer *writer, const char *name, long long seconds)
{
	time_t when = (time_t)seconds;
	char text[64] = "";
	struct tm parts;

	/* ctime's format without its newline, as gdbserver has it. */
	if (seconds != 0 && localtime_r(&when, &parts) != NULL)
		strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &parts);
	add_column(writer, name, text);
}

/* Reads at most size - 1 bytes of a file and ends them with a zero; the count, or -1. */
static long read_file(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t done;

	text[0] = '\0';
	if (file == NULL)
		return -1;
	done = fread(text, 1, size - 1, file);
	fclose(file);
	text[done] = '\0';
	return (long)done;
}

/* The name of a process or thread whose directory below /proc is `path`. */
static void read_name(const char *path, char *name, size_t size)
{
	char file[PATH_MAX];

	snprintf(file, sizeof(file), "%s/comm", path);
	if (read_file(file, name, size) < 0)
		snprintf(name, size, "?");
	name[strcspn(name, "\n")] = '\0';
}

/* The command line, blanks between its words; the name in brackets for kernel threads, which have none. */
static void read_command(const char *path, char *command, size_t size)
{
	char file[PATH_MAX];
	char name[64];
	long length;

	snprintf(file, sizeof(file), "%s/cmdline", path);
	length = read_file(file, command, size);
	if (length <= 0) {
		read_name(path, name, sizeof(name));
		snprintf(command, size, "[%s]", name);
		return;
	}
	for (long i = 0; i + 1 < length; i++)
		if (command[i] == '\0')
			command[i] = ' ';
}

/* The processor that a thread last ran on: field 39 of /proc/PID/stat, counted from behind the name. */
static int read_core(const char *path)
{
	char file[PATH_MAX], text[1024];
	const char *at;
	int field = 2;

	snprintf(file, sizeof(file), "%s/stat", path);
	if (read_file(file, text, sizeof(text)) <= 0)
		return -1;
	at = strrchr(text, ')');
	for (; at != NULL && field < 39; field++) {
		at = strchr(at, ' ');
		if (at != NULL)
			at++;
	}
	return at != NULL ? atoi(at) : -1;
}

/* Calls `each` with every entry of a directory whose name is a number, its path and that number. */
static void each_number(const char *directory, void (*each)(void *context, const char *path, long number),
			void *context)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;

	if (stream == NULL)
		return;
	while ((entry = readdir(stream)) != NULL) {
		char path[PATH_MAX];
		char *end;
		long number = strtol(entry->d_name, &end, 10);

		if (end == entry->d_name || *end != '\0')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) < (int)sizeof(path))
			each(context, path, number);
	}
	closedir(stream);
}

struct core_set {
	char text[4096];
	size_t size;
	tl_u64 seen[1024 / 64];
};

static void note_core(void *context, const char *path, long number)
{
	struct core_set *set = context;
	int core = read_core(path);

	(void)number;
	if (core < 0 || core >= 1024 || (set->seen[core / 64] >> (core % 64) & 1) != 0)
		return;
	set->seen[core / 64] |= 1ull << (core % 64);
	/* What has no room is left out: it would be more than a thousand of them. */
	if (sizeof(set->text) - set->size > 8)
		set->size += (size_t)snprintf(set->text + set->size, sizeof(set->text) - set->size, "%s%d",
					      set->size != 0 ? "," : "", core);
}

static void add_process(void *context, const char *path, long number)
{
	struct tl_osdata_writer *writer = context;
	struct core_set cores = {0};
	char command[4096], tasks[PATH_MAX + 8];
	struct stat status;

	if (stat(path, &status) != 0)
		return;
	read_command(path, command, sizeof(command));
	snprintf(tasks, sizeof(tasks), "%s/task", path);
	each_number(tasks, note_core, &cores);
	open_item(writer);
	add_number(writer, "pid", number);
	add_user(writer, "user", status.st_uid);
	add_column(writer, "command", command);
	add_column(writer, "cores", cores.text);
}

static void write_processes(struct tl_osdata_writer *writer)
{
	each_number("/proc", add_process, writer);
}

struct group_member {
	pid_t group, process;
};

struct group_list {
	struct group_member *members;
	size_t count, capacity;
};

static void note_member(void *context, const char *path, long number)
{
	struct group_list *list = context;

	(void)path;
	if (list->count == list->capacity) {
		size_t wanted = list->capacity != 0 ? list->capacity * 2 : 64;
		struct group_member *grown = realloc(list->members, wanted * sizeof(*grown));

		if (grown == NULL)
			return;
		list->members = grown;
		list->capacity = wanted;
	}
	list->members[list->count] = (struct group_member){getpgid((pid_t)number), (pid_t)number};
	if (list->members[list->count].group > 0)
		list->count++;
}

/* By group, its leader first, then by process. */
static int compare_members(const void *a, const void *b)
{
	const struct group_member *first = a, *second = b;
	bool first_leads = first->group == first->process, second_leads = second->group == second->process;

	if (first->group != second->group)
		return first->group < second->group ? -1 : 1;
	if (first_leads != second_leads)
		return first_leads ? -1 : 1;
	return first->process < second->process ? -1 : first->process > second->process;
}

static void write_groups(struct tl_osdata_writer *writer)
{
	struct group_list list = {0};

	each_number("/proc", note_member, &list);
	if (list.count != 0)
		qsort(list.members, list.count, sizeof(*list.members), compare_members);
	for (size_t i = 0; i < list.count; i++) {
		char path[64], leader[64], command[4096];

		snprintf(path, sizeof(path), "/proc/%d", list.members[i].group);
		read_name(path, leader, sizeof(leader));
		snprintf(path, sizeof(path), "/proc/%d", list.members[i].process);
		read_command(path, command, sizeof(command));
		open_item(writer);
		add_number(writer, "pgid", list.members[i].group);
		add_column(writer, "leader command", leader);
		add_number(writer, "pid", list.members[i].process);
		add_column(writer, "command line", command);
	}
	free(list.members);
}

struct thread_context {
	struct tl_osdata_writer *writer;
	long process;
	char name[64];
};

static void add_thread(void *context, const char *path, long number)
{
	struct thread_context *of = context;

	open_item(of->writer);
	add_number(of->writer, "pid", of->process);
	add_column(of->writer, "command", of->name);
	add_number(of->writer, "tid", number);
	add_number(of->writer, "core", read_core(path));
}

static void add_threads(void *context, const char *path, long number)
{
	struct thread_context of = {.writer = context, .process = number};
	char tasks[PATH_MAX + 8];

	read_name(path, of.name, sizeof(of.name));
	snprintf(tasks, sizeof(tasks), "%s/task", path);
	each_number(tasks, add_thread, &of);
}

static void write_threads(struct tl_osdata_writer *writer)
{
	each_number("/proc", add_threads, writer);
}

static void add_file(void *context, const char *path, long number)
{
	struct thread_context *of = context;
	char target[PATH_MAX];
	ssize_t size = readlink(path, target, sizeof(target) - 1);

	if (size < 0)
		return;
	target[size] = '\0';
	open_item(of->writer);
	add_number(of->writer, "pid", of->process);
	add_column(of->writer, "command", of->name);
	add_number(of->writer, "file descriptor", number);
	add_column(of->writer, "name", target);
}

static void add_files(void *context, const char *path, long number)
{
	struct thread_context of = {.writer = context, .process = number};
	char descriptors[PATH_MAX + 8];

	read_name(path, of.name, sizeof(of.name));
	snprintf(descriptors, sizeof(descriptors), "%s/fd", path);
	each_number(descriptors, add_file, &of);
}

static void write_files(struct tl_osdata_writer *writer)
{
	each_number("/proc", add_files, writer);
}

/* Calls `each` with every line of a file but the first `skip`. */
static void each_line(const char *path, unsigned skip, void (*each)(struct tl_osdata_writer *writer, char *line),
		      struct tl_osdata_writer *writer)
{
	FILE *file = fopen(path, "re");
	char line[8192];

	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (skip != 0)
			skip--;
		else
			each(writer, line);
	}
	fclose(file);
}

/* A line of /proc/cpuinfo; each processor's block begins with its number. What stands in front of the first goes. */
static void add_cpu_line(struct tl_osdata_writer *writer, char *line)
{
	char *colon = strchr(line, ':'), *end;

	if (colon == NULL)
		return;
	for (end = colon; end > line && (end[-1] == ' ' || end[-1] == '\t');)
		end--;
	*end = '\0';
	if (strcmp(line, "processor") == 0) {
		open_item(writer);
		writer->begun = true;
	}
	if (writer->begun)
		add_column(writer, line, colon[1] == ' ' ? colon + 2 : colon + 1);
}

static void write_cpus(struct tl_osdata_writer *writer)
{
	each_line("/proc/cpuinfo", 0, add_cpu_line, writer);
}

static void add_module(struct tl_osdata_writer *writer, char *line)
{
	static const char *const columns[] = {"name", "size", "num uses", "dependencies", "status", "address"};
	char *rest = line, *word;

	open_item(writer);
	for (tl_size i = 0; i < TL_COUNT(columns); i++) {
		word = strsep(&rest, " ");
		if (word == NULL)
			break;
		add_column(writer, columns[i], word);
	}
}

static void write_modules(struct tl_osdata_writer *writer)
{
	each_line("/proc/modules", 0, add_module, writer);
}

/* Who did it: the name of a process that is still there, else its number. */
static void add_doer(struct tl_osdata_writer *writer, const char *column, int process)
{
	char path[32], name[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", process);
	if (read_file(path, name, sizeof(name)) <= 0)
		snprintf(name, sizeof(name), "%d", process);
	name[strcspn(name, "\n")] = '\0';
	add_column(writer, column, name);
}

static void add_segment(struct tl_osdata_writer *writer, char *line)
{
	unsigned key, mode, user, group, owner, owner_group;
	int id, creator, last;
	unsigned long long size, attached;
	long long attach, detach, change;

	if (sscanf(line, "%u %d %o %llu %d %d %llu %u %u %u %u %lld %lld %lld", &key, &id, &mode, &size, &creator,
		   &last, &attached, &user, &group, &owner, &owner_group, &attach, &detach, &change) != 14)
		return;
	open_item(writer);
	add_number(writer, "key", (int)key);
	add_number(writer, "shmid", id);
	add_mode(writer, mode);
	add_number(writer, "size", (long long)size);
	add_doer(writer, "creator command", creator);
	add_doer(writer, "last op. command", last);
	add_number(writer, "num attached", (long long)attached);
	add_user(writer, "user", user);
	add_group(writer, "group", group);
	add_user(writer, "creator user", owner);
	add_group(writer, "creator group", owner_group);
	add_time(writer, "last shmat() time", attach);
	add_time(writer, "last shmdt() time", detach);
	add_time(writer, "last shmctl() time", change);
}

static void write_segments(struct tl_osdata_writer *writer)
{
	each_line("/proc/sysvipc/shm", 1, add_segment, writer);
}

static void add_semaphore(struct tl_osdata_writer *writer, char *line)
{
	unsigned key, mode, user, group, owner, owner_group, count;
	long long operated, changed;
	int id;

	if (sscanf(line, "%u %d %o %u %u %u %u %u %lld %lld", &key, &id, &mode, &count, &user, &group, &owner,
		   &owner_group, &operated, &changed) != 10)
		return;
	open_item(writer);
	add_number(writer, "key", (int)key);
	add_number(writer, "semid", id);
	add_mode(writer, mode);
	add_number(writer, "num semaphores", count);
	add_user(writer, "user", user);
	add_group(writer, "group", group);
	add_user(writer, "creator user", owner);
	add_group(writer, "creator group", owner_group);
	add_time(writer, "last semop() time", operated);
	add_time(writer, "last semctl() time", changed);
}

static void write_semaphores(struct tl_osdata_writer *writer)
{
	each_line("/proc/sysvipc/sem", 1, add_semaphore, writer);
}

static void add_queue(struct tl_osdata_writer *writer, char *line)
{
	unsigned key, mode, user, group, owner, owner_group;
	unsigned long long bytes, messages;
	long long sent, received, changed;
	int id, sender, receiver;

	if (sscanf(line, "%u %d %o %llu %llu %d %d %u %u %u %u %lld %lld %lld", &key, &id, &mode, &bytes, &messages,
		   &sender, &receiver, &user, &group, &owner, &owner_group, &sent, &received, &changed) != 14)
		return;
	open_item(writer);
	add_number(writer, "key", (int)key);
	add_number(writer, "msqid", id);
	add_mode(writer, mode);
	add_number(writer, "num used bytes", (long long)bytes);
	add_number(writer, "num messages", (long long)messages);
	add_doer(writer, "last msgsnd() command", sender);
	add_doer(writer, "last msgrcv() command", receiver);
	add_user(writer, "user", user);
	add_group(writer, "group", group);
	add_user(writer, "creator user", owner);
	add_group(writer, "creator group", owner_group);
	add_time(writer, "last msgsnd() time", sent);
	add_time(writer, "last msgrcv() time", received);
	add_time(writer, "last msgctl() time", changed);
}

static void write_queues(struct tl_osdata_writer *writer)
{
	each_line("/proc/sysvipc/msg", 1, add_queue, writer);
}

static const char *socket_state(unsigned state)
{
	static const char *const names[] = {
		"CLOSED",    "ESTABLISHED", "SYN_SENT",   "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",
		"TIME_WAIT", "CLOSE",       "CLOSE_WAIT", "LAST_ACK", "LISTEN",    "CLOSING",
	};

	return state < TL_COUNT(names) ? names[state] : "(unknown)";
}

/* An address as /proc/net writes it: words of 32 bits in the machine's order. */
static void format_address(const char *hex, bool six, char *text, size_t size)
{
	tl_u32 words[4] = {0};

	for (int i = 0; i < (six ? 4 : 1); i++)
		if (sscanf(hex + 8 * i, "%8" SCNx32, &words[i]) != 1)
			break;
	if (inet_ntop(six ? AF_INET6 : AF_INET, words, text, (socklen_t)size) == NULL)
		snprintf(text, size, "?");
}

static void add_socket(struct tl_osdata_writer *writer, char *line, const char *family, bool stream)
{
	char local_hex[64], remote_hex[64], local[64], remote[64];
	unsigned local_port, remote_port, state, user;
	bool six = family[4] == '6';

	if (sscanf(line, "%*s %32[0-9A-Fa-f]:%X %32[0-9A-Fa-f]:%X %X %*s %*s %*s %u", local_hex, &local_port,
		   remote_hex, &remote_port, &state, &user) != 6)
		return;
	format_address(local_hex, six, local, sizeof(local));
	format_address(remote_hex, six, remote, sizeof(remote));
	open_item(writer);
	add_column(writer, "local address", local);
	add_number(writer, "local port", local_port);
	add_column(writer, "remote address", remote);
	add_number(writer, "remote port", remote_port);
	add_column(writer, "state", socket_state(state));
	add_user(writer, "user", user);
	add_column(writer, "family", family);
	add_column(writer, "protocol", stream ? "STREAM" : "DGRAM");
}

#define SOCKET_FILE(name, family, stream)                                                                              \
	static void name(struct tl_osdata_writer *writer, char *line)                                                  \
	{                                                                                                              \
		add_socket(writer, line, family, stream);                                                              \
	}
SOCKET_FILE(add_tcp4, "INET", true)
SOCKET_FILE(add_udp4, "INET", false)
SOCKET_FILE(add_tcp6, "INET6", true)
SOCKET_FILE(add_udp6, "INET6", false)

static void write_sockets(struct tl_osdata_writer *writer)
{
	each_line("/proc/net/tcp", 1, add_tcp4, writer);
	each_line("/proc/net/udp", 1, add_udp4, writer);
	each_line("/proc/net/tcp6", 1, add_tcp6, writer);
	each_line("/proc/net/udp6", 1, add_udp6, writer);
}

static void write_types(struct tl_osdata_writer *writer);

/* In the order in which they are listed. */
static const struct {
	const char *type;
	const char *title;
	const char *description;
	void (*write)(struct tl_osdata_writer *writer);
} tables[] = {
	{"types", "Types", "Listing of info os types you can list", write_types},
	{"cpus", "CPUs", "Listing of all cpus/cores on the system", write_cpus},
	{"files", "File descriptors", "Listing of all file descriptors", write_files},
	{"modules", "Kernel modules", "Listing of all loaded kernel modules", write_modules},
	{"msg", "Message queues", "Listing of all message queues", write_queues},
	{"processes", "Processes", "Listing of all processes", write_processes},
	{"procgroups", "Process groups", "Listing of all process groups", write_groups},
	{"semaphores", "Semaphores", "Listing of all semaphores", write_semaphores},
	{"shm", "Shared-memory regions", "Listing of all shared-memory regions", write_segments},
	{"sockets", "Sockets", "Listing of all internet-domain sockets", write_sockets},
	{"threads", "Threads", "Listing of all threads", write_threads},
};

static void write_types(struct tl_osdata_writer *writer)
{
	/* The list itself is not listed. */
	for (tl_size i = 1; i < TL_COUNT(tables); i++) {
		open_item(writer);
		add_column(writer, "Type", tables[i].type);
		add_column(writer, "Description", tables[i].description);
		add_column(writer, "Title", tables[i].title);
	}
}

enum tl_status tl_osdata_list(const char *type, struct tl_osdata_writer *writer)
{
	if (type[0] == '\0')
		type = "types";
	for (tl_size i = 0; i < TL_COUNT(tables); i++) {
		if (strcmp(tables[i].type, type) != 0)
			continue;
		writer->begun = false;
		tables[i].write(writer);
		return TL_OK;
	}
	return TL_ERROR_ARGUMENT;
}
