/*
 * The symbols of an ELF image: what there is when there is no debug information, and what knows of assembler, of the
 * linker's names and of stubs when there is.
 *
 * They come from .symtab if there is one (in the debug file or the file itself), else from .dynsym, and the stubs of
 * the procedure linkage table get a name, "puts@plt". Undefined symbols, files and sections are left out. Tables are
 * sorted when they are needed first; then any number of threads may look.
 */
#ifndef TL_SYMBOLS_ELF_SYMBOLS_H
#define TL_SYMBOLS_ELF_SYMBOLS_H

#include "symbols/image.h"

struct tl_elf_symbols;

enum tl_elf_origin { TL_ELF_SYMTAB, TL_ELF_DYNSYM, TL_ELF_PLT };

/* A symbol. The name belongs to the image, or, that of a stub, to the struct tl_elf_symbols. */
struct tl_elf_name {
	const char *name; /* with its version behind '@' where the file has it in the name */
	tl_u64 address;   /* without load bias; of a thread's variable (STT_TLS): its offset in the thread's block */
	tl_u64 size;      /* 0: not known */
	tl_u8 type;       /* STT_* */
	tl_u8 binding;    /* STB_* */
	tl_u16 section;   /* index, 0 for stubs; SHN_ABS: no address */
	enum tl_elf_origin origin;
};

/*
 * The image must outlive it; the caller closes. An image without symbols has 0 of them. TL_ERROR_MALFORMED: a damaged
 * table.
 */
TL_CHECKED enum tl_status tl_elf_symbols_open(struct tl_elf_symbols **symbols_ret, struct tl_image *image,
					      struct tl_error *error);

/* Gives everything back; NULL is fine. */
void tl_elf_symbols_close(struct tl_elf_symbols *symbols);

/* How many there are, stubs included. */
tl_size tl_elf_symbols_count(const struct tl_elf_symbols *symbols);

/* The index-th in the order of the file, stubs last. Past the end it is an error of the caller: an empty name. */
struct tl_elf_name tl_elf_symbols_get(const struct tl_elf_symbols *symbols, tl_size index);

/*
 * The symbol in which an address lies: the innermost whose size says so, of several at one place a global or weak one
 * before a local one, and then the last by name, as in gdb; or else, if what lies between has no size either, the last
 * before it in its section. `name_ret` stays untouched when there is none, which is TL_ERROR_ARGUMENT without
 * particulars.
 */
TL_CHECKED enum tl_status tl_elf_symbols_at(struct tl_elf_symbols *symbols, tl_u64 address,
					    struct tl_elf_name *name_ret, struct tl_error *error);

/*
 * Calls back for every symbol of a name until `call` returns false. A name without '@' is also that of its versions
 * ("memcpy" finds "memcpy@@GLIBC_2.14"), but not that of a stub.
 */
TL_CHECKED enum tl_status tl_elf_symbols_find(struct tl_elf_symbols *symbols, const char *name,
					      bool (*call)(void *context, const struct tl_elf_name *symbol),
					      void *context, struct tl_error *error);

#endif
