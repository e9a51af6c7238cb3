/*
 * Debug information without a file: sections in an ELF file that is made in memory, and a writer of entries for tests
 * that need debug information which no compiler writes.
 */
#ifndef TL_TESTS_SYMBOLS_WRAP_H
#define TL_TESTS_SYMBOLS_WRAP_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wrapped_section {
	const char *name;
	const void *bytes;
	size_t size;
};

/*
 * Writes an x86-64 ELF file with these sections (7 at the most) into `file`, which has room for 2 KiB more than they
 * take. Returns its size.
 */
static inline size_t wrap_sections(uint8_t *file, const struct wrapped_section *sections, size_t count)
{
	Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT}};
	Elf64_Shdr headers[9] = {{0}};
	char names[256] = "";
	size_t names_size = 1, at = sizeof(header);

	for (size_t i = 0; i < count; i++) {
		headers[i + 1].sh_name = (Elf64_Word)names_size;
		headers[i + 1].sh_type = SHT_PROGBITS;
		headers[i + 1].sh_offset = at;
		headers[i + 1].sh_size = sections[i].size;
		headers[i + 1].sh_addralign = 1;
		strcpy(names + names_size, sections[i].name);
		names_size += strlen(sections[i].name) + 1;
		if (sections[i].size != 0)
			memcpy(file + at, sections[i].bytes, sections[i].size);
		at += sections[i].size;
	}
	headers[count + 1].sh_name = (Elf64_Word)names_size;
	headers[count + 1].sh_type = SHT_STRTAB;
	headers[count + 1].sh_offset = at;
	strcpy(names + names_size, ".shstrtab");
	names_size += sizeof(".shstrtab");
	headers[count + 1].sh_size = names_size;
	memcpy(file + at, names, names_size);
	at = (at + names_size + 7) / 8 * 8;
	memcpy(file + at, headers, (count + 2) * sizeof(headers[0]));
	header.e_type = ET_DYN;
	header.e_machine = EM_X86_64;
	header.e_version = EV_CURRENT;
	header.e_shoff = at;
	header.e_ehsize = sizeof(header);
	header.e_shentsize = sizeof(headers[0]);
	header.e_shnum = (Elf64_Half)(count + 2);
	header.e_shstrndx = (Elf64_Half)(count + 1);
	memcpy(file, &header, sizeof(header));
	return at + (count + 2) * sizeof(headers[0]);
}

/*
 * For a fuzzer: an ELF file whose abbreviations, strings and entries stand one behind the other in an input, whose
 * first four bytes say where each ends. `file` as above. Returns its size; 0: the input is too short.
 */
static inline size_t wrap_input(uint8_t *file, const uint8_t *bytes, size_t size)
{
	size_t abbreviations, strings;

	if (size < 4)
		return 0;
	abbreviations = (size_t)(bytes[0] | bytes[1] << 8) % (size - 3);
	strings = (size_t)(bytes[2] | bytes[3] << 8) % (size - 3 - abbreviations);
	return wrap_sections(
		file,
		(const struct wrapped_section[]){
			{".debug_abbrev", bytes + 4, abbreviations},
			{".debug_str", bytes + 4 + abbreviations, strings},
			{".debug_info", bytes + 4 + abbreviations + strings, size - 4 - abbreviations - strings},
		},
		3);
}

#endif
