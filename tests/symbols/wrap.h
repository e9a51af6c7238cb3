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

#endif
