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
		return strcmp(facts.cpu->name, "i386") == 0 ? EM_386 : EM_X86_64;
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
