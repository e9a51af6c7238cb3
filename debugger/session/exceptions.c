#include "debugger/session/exceptions.h"

#include "core/cpu/x86_layout.h"
#include "debugger/session/session_internal.h"
#include "debugger/values/abi_aarch64.h"
#include "symbols/demangle.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

/* What the header of an exception of g++ and clang++ begins with: "GNUCC++" or "CLNGC++", and which kind it is. */
#define CLASS_GNU 0x474e5543432b2b00ull
#define CLASS_CLANG 0x434c4e47432b2b00ull
/* The header (struct _Unwind_Exception) is so long, and is aligned so; the object stands behind it. */
#define HEADER_SIZE 32

/* What of an exception stands in front of the header: the type first. */
static tl_u64 type_distance(const struct tl_cpu *cpu)
{
	return cpu->address_size == 8 ? 80 : 48;
}

static enum tl_status read_word(struct tl_session *session, tl_u64 process, tl_u64 address, tl_u8 size,
				tl_u64 *word_ret, struct tl_error *error)
{
	tl_u8 bytes[8] = {0};
	tl_size done = 0;

	if (tl_engine_read_memory(session->engine, process, address, bytes, size, &done) != TL_OK || done != size)
		return TL_FAIL(error, TL_ERROR_MEMORY, "Cannot access memory at address 0x%llx",
			       (unsigned long long)address);
	*word_ret = tl_load_little(bytes, size);
	return TL_OK;
}

/* The first two arguments of the function at whose first instruction a thread stands, and its name. */
static enum tl_status arguments(struct tl_session *session, struct tl_thread_id thread, const struct tl_cpu **cpu_ret,
				char name_ret[32], tl_u64 arguments_ret[2], struct tl_error *error)
{
	struct tl_process_facts facts;
	struct tl_elf_name symbol;
	tl_u64 start, stack;
	tl_u8 *file;

	if (tl_engine_facts(session->engine, thread.process, &facts) != TL_OK ||
	    tl_engine_registers(session->engine, thread, ((tl_u32)1 << facts.cpu->bank_count) - 1, &file) != TL_OK)
		return TL_FAIL(error, TL_ERROR_STATE, "No registers.");
	*cpu_ret = facts.cpu;
	start = tl_cpu_get(facts.cpu, file, facts.cpu->program_counter);
	if (!tl_modules_symbol(tl_session_modules(session), start, &symbol, &stack) || stack != start)
		return TL_FAIL(error, TL_ERROR_STATE, "not stopped at a C++ exception catchpoint");
	snprintf(name_ret, 32, "%s", symbol.name);
	if (facts.cpu == &tl_cpu_x86_64) {
		arguments_ret[0] = tl_cpu_get(facts.cpu, file, TL_X86_64_RDI);
		arguments_ret[1] = tl_cpu_get(facts.cpu, file, TL_X86_64_RSI);
		return TL_OK;
	}
	if (tl_abi_is_aarch64(facts.cpu)) {
		arguments_ret[0] = tl_cpu_get(facts.cpu, file, TL_ABI_AARCH64_X0);
		arguments_ret[1] = tl_cpu_get(facts.cpu, file, TL_ABI_AARCH64_X0 + 1);
		return TL_OK;
	}
	if (facts.cpu != &tl_cpu_i386)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "How functions are called on %s is not known here.",
			       facts.cpu->name);
	stack = tl_cpu_get(facts.cpu, file, facts.cpu->stack_pointer);
	TL_TRY(read_word(session, thread.process, stack + 4, 4, &arguments_ret[0], error));
	return read_word(session, thread.process, stack + 8, 4, &arguments_ret[1], error);
}

/* The object and its type by the header that a handler is begun with; of a copy of std::exception_ptr's, the original.
 */
static enum tl_status caught(struct tl_session *session, tl_u64 process, const struct tl_cpu *cpu, tl_u64 header,
			     tl_u64 *object_ret, tl_u64 *type_ret, struct tl_error *error)
{
	const tl_u8 size = cpu->address_size;
	tl_u64 kind;

	TL_TRY(read_word(session, process, header, 8, &kind, error));
	if ((kind & ~0xffull) != CLASS_GNU && (kind & ~0xffull) != CLASS_CLANG)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "This exception is not one of C++.");
	*object_ret = header + HEADER_SIZE;
	if ((kind & 0xff) == 1)
		TL_TRY(read_word(session, process, header - type_distance(cpu), size, object_ret, error));
	return read_word(session, process, *object_ret - HEADER_SIZE - type_distance(cpu), size, type_ret, error);
}

enum tl_status tl_session_exception(struct tl_session *session, struct tl_thread_id thread, tl_u64 *object_ret,
				    struct tl_output *type, struct tl_error *error)
{
	static const char begin[] = "typeinfo for ";
	struct tl_output text = tl_output_make(TL_DEMANGLE_TEXT_MAX);
	const struct tl_cpu *cpu = NULL;
	tl_u64 words[2] = {0, 0}, start;
	struct tl_elf_name symbol;
	enum tl_status status = TL_OK;
	char name[32];

	TL_TRY(arguments(session, thread, &cpu, name, words, error));
	*object_ret = words[0];
	if (strcmp(name, "__cxa_begin_catch") == 0)
		TL_TRY(caught(session, thread.process, cpu, words[0], object_ret, &words[1], error));
	else if (strcmp(name, "__cxa_throw") != 0)
		return TL_FAIL(error, TL_ERROR_STATE, "not stopped at a C++ exception catchpoint");
	if (tl_modules_symbol(tl_session_modules(session), words[1], &symbol, &start) && start == words[1] &&
	    tl_demangle(symbol.name, TL_DEMANGLE_WHOLE, &text, NULL) == TL_OK &&
	    strncmp(tl_output_string(&text), begin, sizeof(begin) - 1) == 0)
		tl_output_text(type, tl_output_string(&text) + sizeof(begin) - 1);
	else
		status = TL_FAIL(error, TL_ERROR_NO_SYMBOL, "The type of the exception has no symbol that names it.");
	tl_output_release(&text);
	return status;
}

bool tl_session_exception_matches(struct tl_session *session, struct tl_thread_id thread, const char *pattern)
{
	struct tl_output type = tl_output_make(TL_DEMANGLE_TEXT_MAX);
	struct tl_error error;
	regex_t expression;
	bool matches = true;
	tl_u64 object;

	if (tl_session_exception(session, thread, &object, &type, &error) == TL_OK &&
	    regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB) == 0) {
		matches = regexec(&expression, tl_output_string(&type), 0, NULL, 0) == 0;
		regfree(&expression);
	}
	tl_output_release(&type);
	return matches;
}

enum tl_status tl_session_exception_value(struct tl_session *session, struct tl_value *value_ret,
					  struct tl_error *error)
{
	struct tl_output type = tl_output_make(TL_DEMANGLE_TEXT_MAX), text = tl_output_make(TL_DEMANGLE_TEXT_MAX);
	tl_u64 object = 0;
	enum tl_status status = tl_session_exception(session, session->selected, &object, &type, error);

	if (status == TL_OK && session->level != 0)
		status = TL_FAIL(error, TL_ERROR_STATE, "not stopped at a C++ exception catchpoint");
	if (status == TL_OK) {
		tl_output_format(&text, "*(%s *) 0x%llx", tl_output_string(&type), (unsigned long long)object);
		status = tl_session_evaluate(session, tl_output_string(&text), text.size, value_ret, error);
	}
	tl_output_release(&type);
	tl_output_release(&text);
	return status;
}
