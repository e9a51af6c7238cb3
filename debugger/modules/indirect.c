#include "debugger/modules/indirect.h"

#include <elf.h>
#include <string.h>

#define RELOCATION_SIZE 24 /* Elf64_Rela */
#define SYMBOL_SIZE 24     /* Elf64_Sym */

struct wanted {
	const struct tl_modules *modules;
	const struct tl_module *module; /* of the resolver */
	const char *name;
	tl_u64 resolver;
};

/* Is the function a symbol of some module, and not the resolver itself or a stub that calls it? */
static bool is_function(const struct wanted *wanted, tl_u64 address)
{
	struct tl_elf_name symbol;
	tl_u64 start;

	return address != wanted->resolver && tl_modules_symbol(wanted->modules, address, &symbol, &start) &&
	       start == address && symbol.origin != TL_ELF_PLT &&
	       (symbol.type == STT_FUNC || symbol.type == STT_NOTYPE);
}

/* The name of a symbol of a module's dynamic table; NULL for none. */
static const char *symbol_name(const struct tl_section_bytes *symbols, const struct tl_section_bytes *strings,
			       tl_u64 index)
{
	tl_u64 offset;

	if (index >= symbols->size / SYMBOL_SIZE)
		return NULL;
	offset = tl_load_little(symbols->bytes + index * SYMBOL_SIZE, 4);
	if (offset >= strings->size || memchr(strings->bytes + offset, '\0', strings->size - offset) == NULL)
		return NULL;
	return (const char *)strings->bytes + offset;
}

/* Does a relocation fill its slot with what was chosen? */
static bool concerns(const struct wanted *wanted, const struct tl_module *module, const tl_u8 *relocation)
{
	struct tl_section_bytes symbols, strings;
	tl_u64 information = tl_load_little(relocation + 8, 8), addend = tl_load_little(relocation + 16, 8);
	const char *name;

	switch (ELF64_R_TYPE(information)) {
	case R_X86_64_IRELATIVE:
		return module == wanted->module && addend + module->bias == wanted->resolver;
	case R_X86_64_JUMP_SLOT:
	case R_X86_64_GLOB_DAT:
		if (tl_image_section(module->binary->image, TL_SECTION_DYNSYM, &symbols, NULL) != TL_OK ||
		    tl_image_section(module->binary->image, TL_SECTION_DYNSTR, &strings, NULL) != TL_OK)
			return false;
		name = symbol_name(&symbols, &strings, ELF64_R_SYM(information));
		return name != NULL && strcmp(name, wanted->name) == 0;
	default:
		return false;
	}
}

static bool search_section(const struct wanted *wanted, const struct tl_module *module, enum tl_section section,
			   tl_u64 *address_ret)
{
	struct tl_section_bytes relocations;

	if (tl_image_section(module->binary->image, section, &relocations, NULL) != TL_OK)
		return false;
	for (tl_size at = 0; at + RELOCATION_SIZE <= relocations.size; at += RELOCATION_SIZE) {
		const tl_u8 *relocation = relocations.bytes + at;
		tl_u8 slot[8];
		tl_u64 address;

		if (!concerns(wanted, module, relocation) ||
		    tl_modules_read(wanted->modules, tl_load_little(relocation, 8) + module->bias, slot, sizeof(slot),
				    NULL) != TL_OK)
			continue;
		address = tl_load_little(slot, 8);
		if (is_function(wanted, address)) {
			*address_ret = address;
			return true;
		}
	}
	return false;
}

bool tl_indirect_chosen(const struct tl_modules *modules, const struct tl_module *module, const char *name,
			tl_u64 resolver, tl_u64 *address_ret)
{
	struct wanted wanted = {modules, module, name, resolver};
	const struct tl_module *other;

	for (tl_size i = 0; (other = tl_modules_get(modules, i)) != NULL; i++) {
		const struct tl_elf *elf = tl_image_elf(other->binary->image);

		if (elf->wide && elf->machine == EM_X86_64 &&
		    (search_section(&wanted, other, TL_SECTION_RELA_PLT, address_ret) ||
		     search_section(&wanted, other, TL_SECTION_RELA_DYN, address_ret)))
			return true;
	}
	return false;
}
