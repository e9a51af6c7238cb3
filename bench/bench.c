/*
 * trapline-bench: sends the same packets to several servers in turn and prints every sample, one line of JSON for each
 * row and server. bench/run.py starts it and makes the table.
 */
#include "bench/rows.h"
#include "bench/symbol.h"

#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MOST_SERVERS 6
#define MOST_ROUNDS 1000

struct bench {
	struct tl_server_kind kinds[MOST_SERVERS];
	size_t kind_count;
	long rounds;
	const char *rows; /* comma-separated, NULL for all */
	struct tl_settings settings;
};

/* One server in one row. */
struct lane {
	struct tl_session session;
	double samples[MOST_ROUNDS];
	long sample_count;
	bool out; /* it failed or cannot do this; client.error says why */
};

static void print_text(const char *text)
{
	putchar('"');
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text >= 0x20 && (unsigned char)*text < 0x7f)
			putchar(*text);
	putchar('"');
}

static void print_lane(const struct tl_row *row, const struct lane *lane)
{
	printf("{\"row\": \"%s\", \"unit\": \"%s\", \"what\": \"%s\", \"server\": \"%s\", ", row->name, row->unit,
	       row->what, lane->session.kind->name);
	if (lane->out) {
		printf("\"missing\": ");
		print_text(lane->session.server.client.error);
	} else {
		printf("\"samples\": [");
		for (long i = 0; i < lane->sample_count; i++)
			printf("%s%.4f", i ? ", " : "", lane->samples[i]);
		putchar(']');
	}
	printf("}\n");
	fflush(stdout);
}

/* Starts the server on the row's program and runs it to bench_ready. */
static bool prepare(const struct tl_row *row, struct tl_session *session)
{
	struct tl_settings *settings = session->settings;
	char *hot[] = {settings->hot, settings->count, NULL};
	char *threads[] = {settings->threads, settings->thread_count, NULL};
	bool many = row->program == TL_PROGRAM_THREADS;
	unsigned long long ready = many ? settings->threads_ready : settings->ready;
	struct tl_client *client = &session->server.client;

	if (row->program == TL_PROGRAM_NONE)
		return true;
	return tl_server_start(&session->server, session->kind, many ? threads : hot, 0) &&
	       tl_client_order(client, "Z0,%llx,%d", ready, TL_TRAP_SIZE) && tl_client_resume(client, "vCont;c") &&
	       tl_client_order(client, "z0,%llx,%d", ready, TL_TRAP_SIZE) && (!row->prepare || row->prepare(session));
}

/* The lane's figures end here; what went wrong outlives the session. */
static void end(struct lane *lane)
{
	char error[sizeof(lane->session.server.client.error)];

	memcpy(error, lane->session.server.client.error, sizeof(error));
	tl_server_end(&lane->session.server);
	memcpy(lane->session.server.client.error, error, sizeof(error));
}

static void run_row(struct bench *bench, const struct tl_row *row, struct lane *lanes)
{
	for (size_t i = 0; i < bench->kind_count; i++) {
		lanes[i] = (struct lane){.session = {.settings = &bench->settings, .kind = &bench->kinds[i]}};
		lanes[i].session.server.client.socket = -1;
		lanes[i].session.server.telling = -1;
		lanes[i].out = !prepare(row, &lanes[i].session);
		if (lanes[i].out)
			end(&lanes[i]);
	}
	/* The first round warms up and is not counted; the order turns, so that no server always comes first. */
	for (long round = -1; round < bench->rounds; round++) {
		for (size_t k = 0; k < bench->kind_count; k++) {
			struct lane *lane = &lanes[(k + (size_t)(round + 1)) % bench->kind_count];
			double value = 0;

			if (lane->out)
				continue;
			lane->out = !row->sample(&lane->session, &value);
			if (lane->out)
				end(lane);
			else if (round >= 0)
				lane->samples[lane->sample_count++] = value;
		}
	}
	for (size_t i = 0; i < bench->kind_count; i++) {
		if (!lanes[i].out)
			end(&lanes[i]);
		print_lane(row, &lanes[i]);
	}
}

static bool wants_row(const struct bench *bench, const char *name)
{
	size_t length = strlen(name);

	if (!bench->rows)
		return true;
	for (const char *at = bench->rows; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, name, length) && (at[length] == 0 || at[length] == ','))
			return true;
	return false;
}

/* NAME=MANNER:PATH, MANNER being gdbserver, gdbserver-no-shell or lldb. */
static bool add_server(struct bench *bench, char *text)
{
	struct tl_server_kind *kind = &bench->kinds[bench->kind_count];
	char *manner = strchr(text, '='), *path = manner ? strchr(manner, ':') : NULL;

	if (!path || bench->kind_count == MOST_SERVERS)
		return false;
	*manner++ = 0;
	*path++ = 0;
	*kind = (struct tl_server_kind){text, path, TL_SERVER_GDBSERVER};
	if (!strcmp(manner, "lldb"))
		kind->manner = TL_SERVER_LLDB;
	else if (!strcmp(manner, "gdbserver-no-shell"))
		kind->manner = TL_SERVER_NO_SHELL;
	else if (strcmp(manner, "gdbserver"))
		return false;
	bench->kind_count++;
	return true;
}

/* Pins this process, and with it every server and program that it starts, to the CPUs of a comma-separated list. */
static bool pin(const char *list)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (const char *at = list; *at;) {
		char *stop;
		long cpu = strtol(at, &stop, 10);

		if (stop == at || cpu < 0 || cpu >= CPU_SETSIZE)
			return false;
		CPU_SET((size_t)cpu, &set);
		at = *stop == ',' ? stop + 1 : stop;
	}
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

static bool find_fixtures(struct tl_settings *settings, const char *folder)
{
	static char hot[PATH_MAX], threads[PATH_MAX];

	snprintf(hot, sizeof(hot), "%s/bench-hot", folder);
	snprintf(threads, sizeof(threads), "%s/bench-threads", folder);
	settings->hot = hot;
	settings->threads = threads;
	settings->ready = tl_symbol_address(hot, "bench_ready");
	settings->done = tl_symbol_address(hot, "bench_done");
	settings->push = tl_symbol_address(hot, "bench_push");
	settings->multiply = tl_symbol_address(hot, "bench_multiply");
	settings->range = tl_symbol_address(hot, "bench_range");
	settings->range_end = tl_symbol_address(hot, "bench_range_end");
	settings->bulk = tl_symbol_address(hot, "bench_bulk");
	settings->threads_ready = tl_symbol_address(threads, "bench_ready");
	return settings->ready && settings->done && settings->push && settings->multiply && settings->range &&
	       settings->range_end && settings->bulk && settings->threads_ready;
}

static int usage(void)
{
	fputs("Usage: trapline-bench --fixtures FOLDER --server NAME=gdbserver:PATH|NAME=lldb:PATH...\n"
	      "       [--cpus LIST] [--rounds N] [--turns N] [--cycles N] [--threads N] [--rows NAME,...]\n"
	      "Sends the same packets to each server in turn; one line of JSON for each row and server.\n",
	      stderr);
	return 2;
}

static int parse(struct bench *bench, int argc, char **argv)
{
	static const struct option options[] = {{"fixtures", required_argument, NULL, 'f'},
						{"server", required_argument, NULL, 's'},
						{"cpus", required_argument, NULL, 'c'},
						{"rounds", required_argument, NULL, 'r'},
						{"turns", required_argument, NULL, 't'},
						{"cycles", required_argument, NULL, 'y'},
						{"threads", required_argument, NULL, 'h'},
						{"rows", required_argument, NULL, 'o'},
						{NULL, 0, NULL, 0}};
	long threads = 1000;
	bool found = false;

	for (int letter; (letter = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		bool ok = true;

		if (letter == 'f')
			ok = found = find_fixtures(&bench->settings, optarg);
		else if (letter == 's')
			ok = add_server(bench, optarg);
		else if (letter == 'c')
			ok = pin(optarg);
		else if (letter == 'r')
			bench->rounds = strtol(optarg, NULL, 10);
		else if (letter == 't')
			bench->settings.turns = strtol(optarg, NULL, 10);
		else if (letter == 'y')
			bench->settings.cycles = strtol(optarg, NULL, 10);
		else if (letter == 'h')
			threads = strtol(optarg, NULL, 10);
		else if (letter == 'o')
			bench->rows = optarg;
		else
			return usage();
		if (!ok) {
			fprintf(stderr, "trapline-bench: %s cannot be used\n", optarg);
			return 2;
		}
	}
	if (!found || bench->kind_count == 0 || bench->rounds < 1 || bench->rounds > MOST_ROUNDS ||
	    bench->settings.turns < 1 || bench->settings.cycles < 1 || threads < 1)
		return usage();
	snprintf(bench->settings.count, sizeof(bench->settings.count), "%ld", bench->settings.turns);
	snprintf(bench->settings.thread_count, sizeof(bench->settings.thread_count), "%ld", threads);
	return 0;
}

int main(int argc, char **argv)
{
	static struct bench bench = {.rounds = 15, .settings = {.turns = 1000, .cycles = 500}};
	static struct lane lanes[MOST_SERVERS];
	struct tl_settings *settings = &bench.settings;
	char *threads[3];
	int status = parse(&bench, argc, argv);

	if (status)
		return status;
	signal(SIGPIPE, SIG_IGN);
	threads[0] = settings->threads;
	threads[1] = settings->thread_count;
	threads[2] = NULL;
	for (size_t i = 0; i < tl_row_count; i++) {
		if (!wants_row(&bench, tl_rows[i].name))
			continue;
		if (!strcmp(tl_rows[i].name, "attach-threads")) {
			settings->many_threads = tl_program_start(threads);
			if (!settings->many_threads) {
				fprintf(stderr, "trapline-bench: %s could not be started\n", settings->threads);
				return 1;
			}
		}
		run_row(&bench, &tl_rows[i], lanes);
		if (settings->many_threads)
			tl_program_end(settings->many_threads);
		settings->many_threads = 0;
	}
	return 0;
}
