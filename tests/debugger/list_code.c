/*
 * What `disassemble` shows of a program that does not run.
 *
 *     list-code PROGRAM < COMMANDS      one a line: "FORM ADDRESS [END]", FORM of the letters r, s, m, i, or "-"
 *
 * Each is an instruction for x/i with the form "i"; else a range if there is an end, and else the function around the
 * address. Behind each is a line "<end>".
 */
#include "base/elf.h"
#include "debugger/code/code_listing.h"

#include <stdio.h>
#include <string.h>

struct shown {
	struct tl_modules *modules;
	struct tl_code_listing listing;
	struct tl_code_view view;
};

static enum tl_status read_code(void *places, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *error)
{
	return tl_modules_read(tl_places_modules(places), address, buffer, size, error);
}

static enum tl_status show(struct shown *shown, const char *form, tl_u64 address, tl_u64 end, struct tl_output *output,
			   struct tl_error *error)
{
	struct tl_code_function function;
	enum tl_status status;
	tl_u8 size;

	shown->listing.bytes = strchr(form, 'r') != NULL;
	shown->listing.source = strchr(form, 's') != NULL   ? TL_CODE_MIXED
				: strchr(form, 'm') != NULL ? TL_CODE_BY_LINE
							    : TL_CODE_ONLY;
	if (strchr(form, 'i') != NULL)
		return tl_code_list_one(&shown->listing, address, output, &size, error);
	if (end != 0)
		return tl_code_list_range(&shown->listing, address, end, NULL, output, error);
	TL_TRY(tl_code_function_find(shown->listing.places, address, &function, error));
	status = tl_code_list_function(&shown->listing, &function, NULL, output, error);
	tl_code_function_release(&function);
	return status;
}

static void answer(struct shown *shown)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	struct tl_error error = {0};
	char line[128];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		unsigned long long address = 0, end = 0;
		char form[16] = "";

		if (sscanf(line, "%15s %llx %llx", form, &address, &end) < 2)
			continue;
		tl_output_reset(&output);
		if (show(shown, form, address, end, &output, &error) != TL_OK)
			tl_output_format(&output, "%s\n", error.text);
		printf("%s<end>\n", tl_output_string(&output));
	}
	tl_output_release(&output);
}

int main(int arguments, char **argument)
{
	const struct tl_binaries_options options = {.no_cache = true};
	struct tl_binaries *binaries = NULL;
	struct tl_loop *loop = NULL;
	struct shown shown = {0};
	struct tl_error error;
	bool good;

	good = arguments == 2 && tl_loop_create(&loop, &error) == TL_OK &&
	       tl_binaries_open(&binaries, loop, &options, &error) == TL_OK &&
	       tl_modules_open(&shown.modules, binaries, &error) == TL_OK &&
	       tl_modules_set_program(shown.modules, argument[1], &error) == TL_OK &&
	       tl_places_open(&shown.listing.places, shown.modules, &error) == TL_OK &&
	       tl_sources_open(&shown.listing.sources, &error) == TL_OK;
	if (good) {
		tl_u16 machine = tl_image_elf(tl_modules_get(shown.modules, 0)->binary->image)->machine;

		shown.listing.narrow = machine == 3;
		good = tl_disassembler_open(&shown.listing.disassembler, machine, &error) == TL_OK;
	}
	shown.view =
		(struct tl_code_view){.read = read_code, .symbol = tl_code_symbol, .context = shown.listing.places};
	shown.listing.view = &shown.view;
	if (good)
		answer(&shown);
	else
		fprintf(stderr, "list-code: %s\n", arguments == 2 ? error.text : "list-code PROGRAM");
	tl_disassembler_close(shown.listing.disassembler);
	tl_sources_close(shown.listing.sources);
	tl_places_close(shown.listing.places);
	tl_modules_close(shown.modules);
	tl_binaries_close(binaries);
	tl_loop_destroy(loop);
	return !good;
}
