#include "bench/symbol.h"

#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The fixtures are our own builds, so a table that lies about its bounds is not looked for beyond the file's end. */
static uint64_t search(const unsigned char *bytes, size_t size, const char *name)
{
	const Elf64_Ehdr *header = (const void *)bytes;
	const Elf64_Shdr *sections = (const void *)(bytes + header->e_shoff);

	if (header->e_shoff > size || (size - header->e_shoff) / sizeof(*sections) < header->e_shnum)
		return 0;
	for (unsigned i = 0; i < header->e_shnum; i++) {
		const Elf64_Sym *symbols = (const void *)(bytes + sections[i].sh_offset);
		const char *names;

		if (sections[i].sh_type != SHT_SYMTAB || sections[i].sh_link >= header->e_shnum)
			continue;
		if (sections[i].sh_offset > size || size - sections[i].sh_offset < sections[i].sh_size)
			continue;
		names = (const void *)(bytes + sections[sections[i].sh_link].sh_offset);
		for (size_t k = 0; k < sections[i].sh_size / sizeof(*symbols); k++)
			if (!strcmp(names + symbols[k].st_name, name))
				return symbols[k].st_value;
	}
	return 0;
}

uint64_t tl_symbol_address(const char *path, const char *name)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	uint64_t address = 0;
	void *bytes;

	if (fd < 0)
		return 0;
	if (fstat(fd, &status) == 0 && (size_t)status.st_size > sizeof(Elf64_Ehdr)) {
		bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (bytes != MAP_FAILED) {
			if (!memcmp(bytes, ELFMAG, SELFMAG) && ((unsigned char *)bytes)[EI_CLASS] == ELFCLASS64)
				address = search(bytes, (size_t)status.st_size, name);
			munmap(bytes, (size_t)status.st_size);
		}
	}
	close(fd);
	return address;
}
