/* Sections of a file by name, through libelf: unpacked, and without any of our own readers. */
#ifndef TL_TESTS_UNIT_SECTIONS_H
#define TL_TESTS_UNIT_SECTIONS_H

#include "symbols/image.h"

#include <gelf.h>
#include <string.h>

static inline struct tl_section_bytes section_of(Elf *elf, const char *wanted)
{
	size_t names;
	Elf_Scn *section = NULL;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return (struct tl_section_bytes){NULL, 0, 0};
	while ((section = elf_nextscn(elf, section)) != NULL) {
		GElf_Shdr header;
		Elf_Data *data;
		const char *name;

		if (gelf_getshdr(section, &header) == NULL || header.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		if (name == NULL || strcmp(name, wanted) != 0)
			continue;
		if ((header.sh_flags & SHF_COMPRESSED) != 0 && elf_compress(section, 0, 0) < 0)
			continue;
		data = elf_rawdata(section, NULL);
		if (data != NULL && data->d_buf != NULL)
			return (struct tl_section_bytes){data->d_buf, data->d_size, header.sh_addr};
	}
	return (struct tl_section_bytes){NULL, 0, 0};
}

#endif
