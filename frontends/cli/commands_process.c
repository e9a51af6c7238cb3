/* What the system says of a process, and of itself: info proc, info auxv, info os, info terminal. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/program_terminal.h"
#include "frontends/cli/values.h"
#include "frontends/cli/words.h"

#include "base/osdata.h"
#include "debugger/session/process_files.h"

#include <ctype.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- info proc ---- */

enum part {
	PART_COMMAND = 1,
	PART_FOLDER = 2,
	PART_PROGRAM = 4,
	PART_MAPPINGS = 8,
	PART_STATUS = 16,
	PART_STAT = 32,
	PART_FILES = 64
};

struct proc {
	struct tl_cli *cli;
	tl_u64 process;
	bool wide;  /* addresses have 64 bits */
	bool files; /* only what files are mapped: a core dump knows of nothing else */
};

static void warn(struct tl_cli *cli, const struct tl_error *error)
{
	char text[sizeof(error->text) + 16];

	(void)snprintf(text, sizeof(text), "warning: %s", error->text);
	tl_screen_complain(&cli->screen, text);
}

/* The program's own words, from the target where /proc is not to be had. */
static void show_command(const struct proc *proc)
{
	struct tl_session *session = proc->cli->session;
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	struct tl_error error;
	enum tl_status status = tl_process_read(session, proc->process, "cmdline", &text, &error);

	if (status != TL_OK && tl_process_object(session, TL_OBJECT_COMMAND_LINE, &text, NULL) == TL_OK)
		status = TL_OK;
	if (status == TL_OK && text.size != 0) {
		for (tl_size i = 0; i + 1 < text.size; i++)
			if (text.text[i] == '\0')
				text.text[i] = ' ';
		tl_screen_format(&proc->cli->screen, "cmdline = '%s'\n", tl_output_string(&text));
	} else {
		(void)!TL_FAIL(&error, TL_ERROR_SYSTEM, "unable to open /proc file '/proc/%llu/cmdline'",
			       (unsigned long long)proc->process);
		warn(proc->cli, &error);
	}
	tl_output_release(&text);
}

static void show_link(const struct proc *proc, const char *name, bool asks_target)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	struct tl_error error;
	enum tl_status status = tl_process_link(proc->cli->session, proc->process, name, &text, &error);

	if (status != TL_OK && asks_target &&
	    tl_process_object(proc->cli->session, TL_OBJECT_EXEC_FILE, &text, NULL) == TL_OK)
		status = TL_OK;
	if (status == TL_OK)
		tl_screen_format(&proc->cli->screen, "%s = '%s'\n", name, tl_output_string(&text));
	else
		warn(proc->cli, &error);
	tl_output_release(&text);
}

static void show_mapping(const struct proc *proc, tl_u64 start, tl_u64 end, tl_u64 offset, const char *permissions,
			 const char *name)
{
	char texts[4][24];
	const tl_u64 numbers[] = {start, end, end - start, offset};

	for (tl_size i = 0; i < TL_COUNT(numbers); i++)
		(void)snprintf(texts[i], sizeof(texts[i]), "0x%llx", (unsigned long long)numbers[i]);
	tl_screen_format(&proc->cli->screen, proc->wide ? "  %18s %18s %10s %10s " : "\t%10s %10s %10s %10s ", texts[0],
			 texts[1], texts[2], texts[3]);
	if (permissions != NULL)
		tl_screen_format(&proc->cli->screen, " %-5s ", permissions);
	tl_screen_format(&proc->cli->screen, permissions != NULL ? " %s\n" : "%s\n", name);
}

static void show_mapping_title(const struct proc *proc)
{
	tl_screen_text(&proc->cli->screen, "Mapped address spaces:\n\n");
	tl_screen_format(&proc->cli->screen, proc->wide ? "  %18s %18s %10s %10s " : "\t%10s %10s %10s %10s ",
			 "Start Addr", "End Addr", "Size", "Offset");
	tl_screen_text(&proc->cli->screen, proc->files  ? "objfile\n"
					   : proc->wide ? " Perms  objfile\n"
							: " Perms   objfile\n");
}

/* A line of /proc/PID/maps. */
static void show_map_line(const struct proc *proc, const char *line)
{
	unsigned long long start, end, offset;
	char permissions[16];
	int behind = 0;

	if (sscanf(line, "%llx-%llx %15s %llx %*s %*s%n", &start, &end, permissions, &offset, &behind) == 4 &&
	    behind != 0)
		show_mapping(proc, start, end, offset, permissions, line + behind + strspn(line + behind, " "));
}

static bool show_region(void *context, const struct tl_memory_region *region, const char *name)
{
	const struct proc *proc = context;
	char permissions[5];

	if (proc->files && !region->file)
		return true;
	(void)snprintf(permissions, sizeof(permissions), "%c%c%c%c", region->readable ? 'r' : '-',
		       region->writable ? 'w' : '-', region->executable ? 'x' : '-', region->shared ? 's' : 'p');
	show_mapping(proc, region->start, region->start + region->size, region->offset,
		     proc->files ? NULL : permissions, name);
	return !tl_cli_cancelled(proc->cli);
}

static void show_mappings(struct proc *proc)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	struct tl_error error;

	if (tl_process_read(proc->cli->session, proc->process, "maps", &text, &error) == TL_OK) {
		char *rest = text.text, *line;

		show_mapping_title(proc);
		while ((line = strsep(&rest, "\n")) != NULL)
			show_map_line(proc, line);
	} else if (!tl_process_is_here(proc->cli->session)) {
		struct tl_error why;

		show_mapping_title(proc);
		if (tl_process_regions(proc->cli->session, proc->process, show_region, proc, &why) != TL_OK)
			warn(proc->cli, &error);
	} else {
		warn(proc->cli, &error);
	}
	tl_output_release(&text);
}

static void show_status(const struct proc *proc)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	struct tl_error error;

	if (tl_process_read(proc->cli->session, proc->process, "status", &text, &error) == TL_OK)
		tl_screen_text(&proc->cli->screen, tl_output_string(&text));
	else
		warn(proc->cli, &error);
	tl_output_release(&text);
}

/* What the numbers of /proc/PID/stat mean, from the parent on (proc(5)). */
static const struct {
	const char *text;
	bool hexadecimal;
} stat_rows[] = {
	{"Parent process", false},
	{"Process group", false},
	{"Session id", false},
	{"TTY", false},
	{"TTY owner process group", false},
	{"Flags", true},
	{"Minor faults (no memory page)", false},
	{"Minor faults, children", false},
	{"Major faults (memory page faults)", false},
	{"Major faults, children", false},
	{"utime", false},
	{"stime", false},
	{"utime, children", false},
	{"stime, children", false},
	{"jiffies remaining in current time slice", false},
	{"'nice' value", false},
	{"jiffies until next timeout", false},
	{"jiffies until next SIGALRM", false},
	{"start time (jiffies since system boot)", false},
	{"Virtual memory size", false},
	{"Resident set size", false},
	{"rlim", false},
	{"Start of text", true},
	{"End of text", true},
	{"Start of stack", true},
};

static void show_stat_text(struct tl_screen *screen, const char *text)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	char *at;

	tl_screen_format(screen, "Process: %llu\n", strtoull(text, NULL, 10));
	if (open == NULL || close == NULL || close < open || close[1] == '\0' || close[2] == '\0')
		return;
	/* The name may have brackets itself: the last one ends it. */
	tl_screen_format(screen, "Exec file: %.*s\n", (int)(close - open - 1), open + 1);
	tl_screen_format(screen, "State: %c\n", close[2]);
	text = close + 3;
	for (tl_size i = 0; i < TL_COUNT(stat_rows); i++, text = at) {
		unsigned long long number = strtoull(text, &at, 10);

		if (at == text)
			return;
		tl_screen_format(screen, stat_rows[i].hexadecimal ? "%s: 0x%llx\n" : "%s: %llu\n", stat_rows[i].text,
				 number);
	}
}

static void show_stat(const struct proc *proc)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	struct tl_error error;

	if (tl_process_read(proc->cli->session, proc->process, "stat", &text, &error) == TL_OK)
		show_stat_text(&proc->cli->screen, tl_output_string(&text));
	else
		warn(proc->cli, &error);
	tl_output_release(&text);
}

static bool show_descriptor(void *context, int descriptor, const char *path)
{
	const struct proc *proc = context;

	tl_screen_format(&proc->cli->screen, "  %6d  %s\n", descriptor, path);
	return true;
}

static void show_files(struct proc *proc)
{
	struct tl_error error;

	tl_screen_text(&proc->cli->screen, "Open files:\n\n      FD  Name\n");
	if (tl_process_descriptors(proc->cli->session, proc->process, show_descriptor, proc, &error) != TL_OK)
		warn(proc->cli, &error);
}

static void show_parts(struct proc *proc, unsigned parts)
{
	if ((parts & PART_COMMAND) != 0)
		show_command(proc);
	if ((parts & PART_FOLDER) != 0)
		show_link(proc, "cwd", false);
	if ((parts & PART_PROGRAM) != 0)
		show_link(proc, "exe", true);
	if ((parts & PART_MAPPINGS) != 0)
		show_mappings(proc);
	if ((parts & PART_STATUS) != 0)
		show_status(proc);
	if ((parts & PART_STAT) != 0)
		show_stat(proc);
	if ((parts & PART_FILES) != 0)
		show_files(proc);
}

/* Of a core dump there is what it holds: its command line, and the files that were mapped. */
static enum tl_status show_core(struct proc *proc, unsigned parts, struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);

	if ((parts & (PART_PROGRAM | PART_MAPPINGS)) == 0)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "unable to handle request");
	proc->files = true;
	if ((parts & PART_PROGRAM) != 0) {
		if (tl_process_object(proc->cli->session, TL_OBJECT_COMMAND_LINE, &text, NULL) == TL_OK)
			tl_screen_format(&proc->cli->screen, "exe = '%s'\n", tl_output_string(&text));
		else
			tl_screen_complain(&proc->cli->screen, "warning: unable to find command name in core file");
	}
	if ((parts & PART_MAPPINGS) != 0)
		show_mappings(proc);
	tl_output_release(&text);
	return TL_OK;
}

static unsigned parts_of(const char *name)
{
	static const struct {
		const char *name;
		unsigned parts;
	} rows[] = {{"proc", PART_COMMAND | PART_FOLDER | PART_PROGRAM},
		    {"all", PART_COMMAND | PART_FOLDER | PART_PROGRAM | PART_MAPPINGS | PART_STATUS | PART_STAT},
		    {"cmdline", PART_COMMAND},
		    {"cwd", PART_FOLDER},
		    {"exe", PART_PROGRAM},
		    {"files", PART_FILES},
		    {"mappings", PART_MAPPINGS},
		    {"stat", PART_STAT},
		    {"status", PART_STATUS}};

	for (tl_size i = 0; i < TL_COUNT(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].parts;
	return 0;
}

static enum tl_status info_proc(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				struct tl_error *error)
{
	struct proc proc = {.cli = cli, .wide = true};
	unsigned parts = parts_of(line->command->name);
	struct tl_process_facts facts;
	char *rest;

	if (isdigit((unsigned char)words[0])) {
		proc.process = strtoull(words, &rest, 10);
		words = rest + strspn(rest, " \t");
	} else if (!tl_session_alive(cli->session)) {
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "No current process: you must name one.");
	} else {
		proc.process = tl_session_thread(cli->session).process;
		if (tl_engine_facts(tl_session_engine(cli->session), proc.process, &facts) == TL_OK)
			proc.wide = strcmp(facts.cpu->name, "i386") != 0;
	}
	if (words[0] != '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Too many parameters: %s", words);
	if (cli->connection.kind == TL_CONNECTION_CORE)
		return show_core(&proc, parts, error);
	tl_screen_format(&cli->screen, "process %llu\n", (unsigned long long)proc.process);
	show_parts(&proc, parts);
	return TL_OK;
}

static enum tl_status run_info_proc(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, info_proc, error);
}

/* ---- info auxv ---- */

enum auxv_format { AUXV_DECIMAL, AUXV_HEXADECIMAL, AUXV_STRING };

static const struct {
	tl_u64 type;
	const char *name, *text;
	enum auxv_format format;
} auxv_rows[] = {
	{AT_NULL, "AT_NULL", "End of vector", AUXV_HEXADECIMAL},
	{AT_IGNORE, "AT_IGNORE", "Entry should be ignored", AUXV_HEXADECIMAL},
	{AT_EXECFD, "AT_EXECFD", "File descriptor of program", AUXV_DECIMAL},
	{AT_PHDR, "AT_PHDR", "Program headers for program", AUXV_HEXADECIMAL},
	{AT_PHENT, "AT_PHENT", "Size of program header entry", AUXV_DECIMAL},
	{AT_PHNUM, "AT_PHNUM", "Number of program headers", AUXV_DECIMAL},
	{AT_PAGESZ, "AT_PAGESZ", "System page size", AUXV_DECIMAL},
	{AT_BASE, "AT_BASE", "Base address of interpreter", AUXV_HEXADECIMAL},
	{AT_FLAGS, "AT_FLAGS", "Flags", AUXV_HEXADECIMAL},
	{AT_ENTRY, "AT_ENTRY", "Entry point of program", AUXV_HEXADECIMAL},
	{AT_NOTELF, "AT_NOTELF", "Program is not ELF", AUXV_DECIMAL},
	{AT_UID, "AT_UID", "Real user ID", AUXV_DECIMAL},
	{AT_EUID, "AT_EUID", "Effective user ID", AUXV_DECIMAL},
	{AT_GID, "AT_GID", "Real group ID", AUXV_DECIMAL},
	{AT_EGID, "AT_EGID", "Effective group ID", AUXV_DECIMAL},
	{AT_PLATFORM, "AT_PLATFORM", "String identifying platform", AUXV_STRING},
	{AT_HWCAP, "AT_HWCAP", "Machine-dependent CPU capability hints", AUXV_HEXADECIMAL},
	{AT_CLKTCK, "AT_CLKTCK", "Frequency of times()", AUXV_DECIMAL},
	{AT_FPUCW, "AT_FPUCW", "Used FPU control word", AUXV_DECIMAL},
	{AT_SECURE, "AT_SECURE", "Boolean, was exec setuid-like?", AUXV_DECIMAL},
	{AT_BASE_PLATFORM, "AT_BASE_PLATFORM", "String identifying base platform", AUXV_STRING},
	{AT_RANDOM, "AT_RANDOM", "Address of 16 random bytes", AUXV_HEXADECIMAL},
	{AT_HWCAP2, "AT_HWCAP2", "Extension of AT_HWCAP", AUXV_HEXADECIMAL},
	{AT_EXECFN, "AT_EXECFN", "File name of executable", AUXV_STRING},
	{AT_SYSINFO, "AT_SYSINFO", "Special system info/entry points", AUXV_HEXADECIMAL},
	{AT_SYSINFO_EHDR, "AT_SYSINFO_EHDR", "System-supplied DSO's ELF header", AUXV_HEXADECIMAL},
	{AT_MINSIGSTKSZ, "AT_MINSIGSTKSZ", "Minimum stack size for signal delivery", AUXV_HEXADECIMAL},
};

static void show_auxv_string(struct tl_cli *cli, tl_u64 address)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	struct tl_value value;
	struct tl_error error;
	char expression[64];

	(void)snprintf(expression, sizeof(expression), "(const char *)0x%llx", (unsigned long long)address);
	if (tl_cli_evaluate(cli, expression, strlen(expression), &value, &error) != TL_OK ||
	    tl_cli_print_listed(cli, &value, 0, &text, &error) != TL_OK)
		tl_output_format(&text, "0x%llx", (unsigned long long)address);
	tl_screen_format(&cli->screen, "%s\n", tl_output_string(&text));
	tl_output_release(&text);
}

static void show_auxv_entry(struct tl_cli *cli, tl_u64 type, tl_u64 number)
{
	const char *name = "???", *text = "";
	enum auxv_format format = AUXV_HEXADECIMAL;

	for (tl_size i = 0; i < TL_COUNT(auxv_rows); i++) {
		if (auxv_rows[i].type != type)
			continue;
		name = auxv_rows[i].name;
		text = auxv_rows[i].text;
		format = auxv_rows[i].format;
	}
	tl_screen_format(&cli->screen, "%-4lld %-20s %-30s ", (long long)type, name, text);
	switch (format) {
	case AUXV_DECIMAL:
		tl_screen_format(&cli->screen, "%lld\n", (long long)number);
		break;
	case AUXV_HEXADECIMAL:
		tl_screen_format(&cli->screen, "0x%llx\n", (unsigned long long)number);
		break;
	case AUXV_STRING:
		show_auxv_string(cli, number);
		break;
	}
}

static enum tl_status run_info_auxv(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_output vector = tl_output_make(65536);
	struct tl_process_facts facts;
	tl_size size = 8;
	struct tl_cursor cursor;

	(void)line;
	if (!tl_session_alive(cli->session))
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "The program has no auxiliary information now.");
	if (tl_engine_facts(tl_session_engine(cli->session), tl_session_thread(cli->session).process, &facts) ==
		    TL_OK &&
	    strcmp(facts.cpu->name, "i386") == 0)
		size = 4;
	if (tl_process_object(cli->session, TL_OBJECT_AUXV, &vector, error) != TL_OK || vector.size == 0) {
		tl_output_release(&vector);
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "No auxiliary vector found, or failed reading it.");
	}
	cursor = tl_cursor_make(vector.text, vector.size);
	while (tl_cursor_left(&cursor) >= 2 * size) {
		tl_u64 type = tl_cursor_little(&cursor, size), number = tl_cursor_little(&cursor, size);

		show_auxv_entry(cli, type, number);
		if (type == AT_NULL)
			break;
	}
	tl_output_release(&vector);
	return TL_OK;
}

/* ---- info os ---- */

/* A table as it is told: the names of its columns are those of its last row, as gdb has it. */
struct os_table {
	struct tl_output names, rows;
	tl_size column, skipped; /* that of the row; one that is not shown, or TL_U32_MAX */
	bool any;
};

static void begin_row(void *context)
{
	struct os_table *table = context;

	if (table->any)
		tl_output_text(&table->rows, "\n");
	table->any = true;
	table->column = 0;
	tl_output_reset(&table->names);
}

static void add_column(void *context, const char *name, const char *value)
{
	struct os_table *table = context;

	/* Title is for menus. */
	if (table->column++ == table->skipped)
		return;
	tl_output_format(&table->names, "%-10s ", name);
	tl_output_format(&table->rows, "%-10s ", value);
}

static enum tl_status info_os(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			      struct tl_error *error)
{
	struct os_table table = {.names = tl_output_make(TL_OUTPUT_MAX),
				 .rows = tl_output_make((tl_size)256 << 20),
				 .skipped = words[0] == '\0' ? 2 : TL_U32_MAX};
	struct tl_osdata_writer writer = {begin_row, add_column, &table, false};
	enum tl_status status;

	(void)line;
	if (tl_session_alive(cli->session) && !tl_process_is_here(cli->session))
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "Can not fetch data now: the process is not on this machine.");
	status = tl_osdata_list(words, &writer);
	if (status != TL_OK)
		status = TL_FAIL(error, status, "There is no table of that name: \"info os\" lists them.");
	if (status == TL_OK)
		status = tl_output_status(&table.rows, error);
	if (status == TL_OK && table.any) {
		tl_screen_format(&cli->screen, "%s\n", tl_output_string(&table.names));
		tl_screen_text(&cli->screen, tl_output_string(&table.rows));
		tl_screen_text(&cli->screen, "\n");
	}
	tl_output_release(&table.names);
	tl_output_release(&table.rows);
	return status;
}

static enum tl_status run_info_os(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, info_os, error);
}

/* ---- info terminal ---- */

static enum tl_status run_info_terminal(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line, (void)error;
	if (!tl_session_alive(cli->session) || cli->program_terminal == NULL) {
		tl_screen_text(&cli->screen, cli->settings.inferior_tty != NULL && cli->settings.inferior_tty[0] != '\0'
						     ? "The program has the terminal that \"set inferior-tty\" names.\n"
						     : "No saved terminal information.\n");
		return TL_OK;
	}
	tl_screen_format(&cli->screen,
			 "The program's own terminal is %s; its output is shown here, and keys go to it.\n",
			 tl_program_terminal_path(cli->program_terminal));
	return TL_OK;
}

/* ---- The table ---- */

#define PROC_ROW(what, sentence)                                                                                       \
	{                                                                                                              \
		.name = what, .arguments = "[PROCESS]", .summary = sentence,                                           \
		.details = "Example: info proc " what ", info proc " what " 1", .run = run_info_proc                   \
	}

static const struct tl_command proc_rows[] = {
	PROC_ROW("all", "All that is known of a process"),
	PROC_ROW("cmdline", "The words that a process was started with"),
	PROC_ROW("cwd", "The working directory of a process"),
	PROC_ROW("exe", "The file of a process's program"),
	PROC_ROW("files", "The files that a process has open"),
	PROC_ROW("mappings", "The memory regions of a process"),
	PROC_ROW("stat", "What /proc/PID/stat says of a process"),
	PROC_ROW("status", "What /proc/PID/status says of a process"),
	{0},
};

const struct tl_command tl_commands_process_info[] = {
	{.name = "proc",
	 .subcommands = proc_rows,
	 .arguments = "[PROCESS]",
	 .summary = "Additional information about a process",
	 .details = "Without a number: of the program that is debugged.\n"
		    "Example: info proc, info proc mappings, info proc status 1",
	 .run = run_info_proc},
	{.name = "auxv",
	 .summary = "The auxiliary vector of the program",
	 .details = "What the kernel told it when it began.\nExample: info auxv",
	 .run = run_info_auxv},
	{.name = "os",
	 .arguments = "[TABLE]",
	 .summary = "Tables of the operating system",
	 .details = "Without a name: which tables there are.\nExample: info os processes, info os sockets",
	 .run = run_info_os},
	{.name = "terminal",
	 .shorts = "term",
	 .summary = "The program's terminal",
	 .details = "Example: info terminal",
	 .run = run_info_terminal},
	{.name = NULL},
};
