/* Words that are numbers or names of a closed set: threads, points, signals, registers, system calls; files of a
 * program. */
#include "debugger/session/signal_names.h"
#include "debugger/session/syscall_names.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/complete.h"
#include "frontends/cli/registers.h"
#include "frontends/cli/threads.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* No CPU has more system calls. */
#define SYSCALLS 1024u

/* ---- Numbers ---- */

static void offer_number(struct tl_cli *cli, tl_u32 number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", number);
	tl_complete_offer(cli, text);
}

void tl_complete_threads(struct tl_cli *cli, const char *words)
{
	struct tl_thread_list all = {0};
	struct tl_error error;

	(void)words;
	if (!tl_session_alive(cli->session) || tl_threads_all(cli, &all, &error) != TL_OK)
		return;
	for (tl_size i = 0; i < all.count && !tl_complete_full(cli); i++)
		offer_number(cli, all.items[i]);
	tl_thread_list_release(&all);
}

void tl_complete_points(struct tl_cli *cli, const char *words)
{
	const struct tl_breakpoint *point;

	(void)words;
	for (tl_size i = 0; (point = tl_breakpoint_at(cli->session, i)) != NULL && !tl_complete_full(cli); i++)
		offer_number(cli, point->number);
}

/* The number is followed by an expression. */
void tl_complete_condition(struct tl_cli *cli, const char *words)
{
	if (words[strcspn(words, " \t")] == '\0')
		tl_complete_points(cli, words);
	else
		tl_complete_expressions(cli, words + strcspn(words, " \t"));
}

/* ---- A command behind others ---- */

/* Behind what is a list of numbers, "all", or a switch. */
static const char *skip_list(const char *words)
{
	while (isdigit((unsigned char)*words) || *words == '-' || *words == '$' || strncmp(words, "all ", 4) == 0 ||
	       strncmp(words, "level ", 6) == 0) {
		tl_size size = strcspn(words, " \t");

		if (words[size] == '\0')
			return NULL;
		words += size + strspn(words + size, " \t");
	}
	return words;
}

static void complete_behind_list(struct tl_cli *cli, const char *words, void (*list)(struct tl_cli *, const char *))
{
	const char *command = skip_list(words);

	if (command == NULL || *command == '\0' || command == words) {
		tl_complete_offer(cli, "all");
		list(cli, words);
	}
	if (command != NULL && command != words)
		tl_complete_line(cli, command);
}

void tl_complete_thread_apply(struct tl_cli *cli, const char *words)
{
	complete_behind_list(cli, words, tl_complete_threads);
}

static void offer_level(struct tl_cli *cli, const char *words)
{
	(void)words;
	tl_complete_offer(cli, "level");
}

void tl_complete_frame_apply(struct tl_cli *cli, const char *words)
{
	complete_behind_list(cli, words, offer_level);
}

/* ---- Names of a set ---- */

void tl_complete_signals(struct tl_cli *cli, const char *words)
{
	(void)words;
	for (tl_i32 i = 1; i <= TL_SIGNAL_MAX && !tl_complete_full(cli); i++)
		if (tl_signal_name(i)[0] == 'S')
			tl_complete_offer(cli, tl_signal_name(i));
}

void tl_complete_handle(struct tl_cli *cli, const char *words)
{
	static const char *const actions[] = {"stop",   "nostop", "print",    "noprint", "pass",
					      "nopass", "ignore", "noignore", "all"};

	tl_complete_signals(cli, words);
	for (tl_size i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		tl_complete_offer(cli, actions[i]);
}

void tl_complete_registers(struct tl_cli *cli, const char *words)
{
	struct tl_process_facts facts;

	(void)words;
	if (tl_engine_facts(tl_session_engine(cli->session), tl_session_thread(cli->session).process, &facts) != TL_OK)
		return;
	for (tl_u16 i = 0; i < facts.cpu->register_count && !tl_complete_full(cli); i++)
		if (tl_register_is_there(&facts.cpu->registers[i], facts.features))
			tl_complete_offer(cli, facts.cpu->registers[i].name);
}

void tl_complete_syscalls(struct tl_cli *cli, const char *words)
{
	struct tl_process_facts facts;
	const struct tl_cpu *cpu = &tl_cpu_x86_64;
	char name[64];

	(void)words;
	if (tl_engine_facts(tl_session_engine(cli->session), tl_session_thread(cli->session).process, &facts) == TL_OK)
		cpu = facts.cpu;
	for (tl_u64 i = 0; i < SYSCALLS && !tl_complete_full(cli); i++)
		if (tl_syscall_name(cpu, i, name, sizeof(name)))
			tl_complete_offer(cli, name);
}
