/*
 * Disassembles a program's file at the addresses that come in, one a line in hexadecimal: writes for each its size, a
 * tab, and the text.
 *
 *     disassemble PROGRAM [intel] < ADDRESSES
 */
#include "debugger/code/disassemble.h"
#include "base/elf.h"
#include "symbols/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct program {
	const struct tl_elf *elf;
	FILE *file;
};

static enum tl_status read_file(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *error)
{
	struct program *program = context;

	for (tl_u32 i = 0; i < program->elf->segment_count; i++) {
		struct tl_elf_segment segment;

		TL_TRY(tl_elf_segment(program->elf, i, &segment, error));
		if (segment.type != 1 || address < segment.address || address - segment.address >= segment.file_size ||
		    size > segment.file_size - (address - segment.address))
			continue;
		return fseek(program->file, (long)(segment.offset + (address - segment.address)), SEEK_SET) == 0 &&
				       fread(buffer, 1, size, program->file) == size
			       ? TL_OK
			       : TL_ERROR_MEMORY;
	}
	return TL_FAIL(error, TL_ERROR_MEMORY, "not there");
}

int main(int count, char **arguments)
{
	struct program program;
	struct tl_code_view view = {.read = read_file, .context = &program, .intel = count > 2};
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	struct tl_image_options options = {0};
	struct tl_disassembler *disassembler;
	struct tl_error error = {0};
	struct tl_image *image;
	char line[64];

	if (count < 2 || tl_image_open(&image, arguments[1], &options, &error) != TL_OK) {
		fprintf(stderr, "%s\n", error.text);
		return 2;
	}
	program = (struct program){tl_image_elf(image), fopen(arguments[1], "rb")};
	if (program.file == NULL || tl_disassembler_open(&disassembler, program.elf->machine, &error) != TL_OK) {
		fprintf(stderr, "%s\n", error.text);
		return 2;
	}
	while (fgets(line, sizeof(line), stdin) != NULL) {
		tl_u64 address = strtoull(line, NULL, 16);
		tl_u8 size = 0;

		tl_output_reset(&output);
		if (tl_disassemble(disassembler, &view, address, &output, &size, &error) != TL_OK)
			tl_output_text(&output, error.text);
		printf("%u\t%s\n", size, tl_output_string(&output));
	}
	tl_disassembler_close(disassembler);
	tl_image_close(image);
	fclose(program.file);
	tl_output_release(&output);
	return 0;
}
