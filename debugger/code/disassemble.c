#include "debugger/code/disassemble_internal.h"

#include "base/storage.h"
#include "symbols/demangle.h"

#include <elf.h>
#include <string.h>

struct tl_disassembler {
	tl_u16 machine;
	struct tl_arm64_decoder *arm64; /* NULL for others */
};

enum tl_status tl_disassembler_open(struct tl_disassembler **disassembler_ret, tl_u16 machine, struct tl_error *error)
{
	struct tl_disassembler *made;

	if (machine != EM_X86_64 && machine != EM_386 && machine != EM_RISCV && machine != EM_AARCH64)
		return TL_FAIL(
			error, TL_ERROR_UNSUPPORTED,
			"instructions of this machine (%u in ELF's numbers) cannot be shown; x/x shows their bytes",
			machine);
	made = tl_allocate(tl_storage(), sizeof(*made));
	if (made == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "there is no memory for a disassembler");
	*made = (struct tl_disassembler){.machine = machine};
	if (machine == EM_AARCH64) {
		enum tl_status status = tl_arm64_decoder_open(&made->arm64, error);

		if (status != TL_OK) {
			tl_disassembler_close(made);
			return status;
		}
	}
	*disassembler_ret = made;
	return TL_OK;
}

void tl_disassembler_close(struct tl_disassembler *disassembler)
{
	if (disassembler != NULL)
		tl_arm64_decoder_close(disassembler->arm64);
	tl_release(tl_storage(), disassembler, sizeof(*disassembler));
}

bool tl_disassembler_has_words(const struct tl_disassembler *disassembler)
{
	return disassembler->machine == EM_AARCH64;
}

void tl_disassemble_name(const struct tl_code_view *view, const char *name, struct tl_output *output)
{
	if (!view->demangle || tl_demangle(name, TL_DEMANGLE_WHOLE, output, NULL) != TL_OK)
		tl_output_text(output, name);
}

void tl_disassemble_address(const struct tl_code_view *view, tl_u64 address, struct tl_output *output)
{
	char name[512];
	tl_u64 offset;

	tl_output_format(output, "0x%llx", (unsigned long long)address);
	if (view->symbol == NULL || !view->symbol(view->context, address, name, sizeof(name), &offset))
		return;
	tl_output_text(output, " <");
	tl_disassemble_name(view, name, output);
	if (offset != 0)
		tl_output_format(output, (tl_i64)offset < 0 ? "%lld" : "+%lld", (long long)offset);
	tl_output_text(output, ">");
}

/* As many bytes as there are, up to the longest instruction: behind them may be no memory. */
static enum tl_status read_code(const struct tl_code_view *view, tl_u64 address, tl_u8 *bytes, tl_size *size_ret,
				struct tl_error *error)
{
	tl_size left = (tl_size)(4096 - address % 4096), size = TL_INSTRUCTION_MAX;

	if (view->read == NULL)
		return TL_FAIL(error, TL_ERROR_MEMORY, "Cannot access memory at address 0x%llx",
			       (unsigned long long)address);
	if (view->read(view->context, address, bytes, size, NULL) == TL_OK) {
		*size_ret = size;
		return TL_OK;
	}
	for (size = left < size ? left : size - 1; size > 0; size--)
		if (view->read(view->context, address, bytes, size, NULL) == TL_OK)
			break;
	*size_ret = size;
	return size != 0 ? TL_OK
			 : TL_FAIL(error, TL_ERROR_MEMORY, "Cannot access memory at address 0x%llx",
				   (unsigned long long)address);
}

enum tl_status tl_disassemble(struct tl_disassembler *disassembler, const struct tl_code_view *view, tl_u64 address,
			      struct tl_output *output, tl_u8 *size_ret, struct tl_error *error)
{
	tl_u8 bytes[TL_INSTRUCTION_MAX], length;
	tl_size size;

	TL_TRY(read_code(view, address, bytes, &size, error));
	if (disassembler->machine == EM_RISCV)
		length = tl_disassemble_riscv(view, address, bytes, size, output);
	else if (disassembler->machine == EM_AARCH64)
		length = tl_disassemble_arm64(disassembler->arm64, view, address, bytes, size, output);
	else
		length = tl_disassemble_x86(view, disassembler->machine == EM_X86_64, address, bytes, size, output);
	if (length == 0)
		return TL_FAIL(error, TL_ERROR_MEMORY, "Cannot access memory at address 0x%llx",
			       (unsigned long long)(address + size));
	*size_ret = length;
	return tl_output_status(output, error);
}
