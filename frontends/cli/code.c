#include "frontends/cli/code.h"

#include "debugger/session/session.h"
#include "frontends/cli/addresses.h"
#include "frontends/cli/cli.h"

#include <elf.h>
#include <string.h>

/* As the program has it: traps of ours do not show. */
static enum tl_status read_code(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *error)
{
	return tl_modules_read(tl_places_modules(context), address, buffer, size, error);
}

static tl_u16 machine_of(struct tl_cli *cli)
{
	const struct tl_module *program = tl_modules_get(tl_session_modules(cli->session), 0);
	struct tl_process_facts facts;

	if (cli->settings.architecture != 0)
		return cli->settings.architecture == 1 ? EM_386 : EM_X86_64;
	if (tl_engine_facts(tl_session_engine(cli->session), tl_session_thread(cli->session).process, &facts) == TL_OK)
		return strcmp(facts.cpu->name, "i386") == 0      ? EM_386
		       : strcmp(facts.cpu->name, "riscv64") == 0 ? EM_RISCV
		       : strcmp(facts.cpu->name, "aarch64") == 0 ? EM_AARCH64
								 : EM_X86_64;
	return program != NULL ? tl_image_elf(program->binary->image)->machine : EM_X86_64;
}

enum tl_status tl_code_lister_open(struct tl_code_lister *lister, struct tl_cli *cli, struct tl_error *error)
{
	const struct tl_stack_frame *frame;
	tl_u16 machine = machine_of(cli);
	struct tl_error none;
	enum tl_status status;

	*lister = (struct tl_code_lister){0};
	TL_TRY(tl_places_open(&lister->places, tl_session_modules(cli->session), error));
	status = tl_disassembler_open(&lister->listing.disassembler, machine, error);
	if (status != TL_OK) {
		tl_places_close(lister->places);
		return status;
	}
	lister->view = (struct tl_code_view){.read = read_code,
					     .symbol = tl_code_symbol,
					     .context = lister->places,
					     .intel = cli->settings.disassembly_flavor != 0,
					     .demangle = cli->settings.asm_demangle};
	lister->listing.view = &lister->view;
	lister->listing.places = lister->places;
	lister->listing.sources = cli->sources;
	lister->listing.narrow = machine == EM_386;
	if (tl_session_thread(cli->session).process != 0 && tl_session_frame(cli->session, &frame, &none) == TL_OK) {
		lister->listing.has_current = true;
		lister->listing.current = frame->program_counter;
	}
	return TL_OK;
}

void tl_code_lister_close(struct tl_code_lister *lister)
{
	tl_disassembler_close(lister->listing.disassembler);
	tl_places_close(lister->places);
}

enum tl_status tl_code_show(struct tl_cli *cli, tl_i64 count, tl_u64 *address, struct tl_error *error)
{
	struct tl_code_lister lister;
	enum tl_status status = TL_OK;
	tl_u64 last = *address;

	TL_TRY(tl_code_lister_open(&lister, cli, error));
	for (tl_i64 i = 0; i < count && status == TL_OK && !tl_cli_cancelled(cli); i++) {
		struct tl_output output = tl_output_make(65536);
		tl_u8 size = 0;

		status = tl_code_list_one(&lister.listing, *address, &output, &size, error);
		tl_screen_text(&cli->screen, tl_output_string(&output));
		tl_output_release(&output);
		last = *address;
		*address += size;
	}
	tl_code_lister_close(&lister);
	return status == TL_OK ? tl_address_shown_bytes(cli, last, error) : status;
}

/* The code that gdb takes for the line at an address; the one instruction where none is known. */
static void line_bounds(struct tl_cli *cli, tl_u64 address, tl_u64 *start_ret, tl_u64 *end_ret)
{
	const struct tl_line_row *kept;
	struct tl_code_line line;

	*start_ret = address;
	*end_ret = address + 1;
	if (!tl_modules_line(tl_session_modules(cli->session), address, &line) || line.row->line == 0)
		return;
	kept = tl_line_row_kept(line.table, line.row);
	*start_ret = kept->address + line.module->bias;
	*end_ret = tl_line_row_kept_end(line.table, kept) + line.module->bias;
}

void tl_code_show_line(struct tl_cli *cli, tl_u64 program_counter, tl_u64 lookup)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	const struct tl_patience patience = {tl_cli_waiting, cli};
	struct tl_code_lister lister;
	struct tl_error error;
	const char *text, *last;
	tl_u64 start, end;

	line_bounds(cli, lookup, &start, &end);
	if (end == lookup + 1) {
		start = program_counter;
		end = program_counter + 1;
	}
	if (tl_code_lister_open(&lister, cli, &error) != TL_OK) {
		tl_screen_complain(&cli->screen, error.text);
		return;
	}
	lister.listing.bytes = true;
	lister.listing.has_current = true;
	lister.listing.current = program_counter;
	if (tl_code_list_range(&lister.listing, start, end, &patience, &output, &error) != TL_OK)
		tl_screen_complain(&cli->screen, error.text);
	/* Without the lines around it that `disassemble` has. */
	text = strchr(tl_output_string(&output), '\n');
	last = strstr(tl_output_string(&output), "End of assembler dump");
	if (text != NULL && last != NULL && last > text)
		tl_screen_bytes(&cli->screen, text + 1, (tl_size)(last - text) - 1);
	tl_output_release(&output);
	tl_code_lister_close(&lister);
}
