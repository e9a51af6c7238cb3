/* Calls: where arguments go, and what the stack has to hold. */
#include "core/cpu/arm64_layout.h"
#include "core/cpu/riscv_layout.h"
#include "core/cpu/x86_layout.h"
#include "core/cursor.h"
#include "debugger/values/abi.h"
#include "debugger/values/abi_aarch64.h"
#include "debugger/values/abi_classes.h"
#include "debugger/values/abi_riscv.h"
#include "symbols/dwarf_constants.h"

#include <string.h>

#define ARGUMENTS_MAX 256
/* More than any call needs, and less than any stack has. */
#define STACK_MAX ((tl_u64)1 << 20)
/* Below the stack pointer, a function that calls nobody may keep things (psABI, section 3.2.2). */
#define RED_ZONE 128
#define DIRECTION_FLAG ((tl_u64)1 << 10)

/* Bytes that belong on the stack. */
struct stacked {
	tl_u64 address;
	const tl_u8 *bytes; /* NULL: zeros */
	tl_u64 size;
};

struct argument {
	struct tl_abi_classes classes;
	const struct tl_type *type;
	bool variadic;
	const tl_u8 *bytes;
	tl_u64 size;
};

struct call {
	const struct tl_value_context *values;
	const struct tl_cpu *cpu;
	tl_u8 *file;
	struct tl_error *error;
	tl_u64 start;            /* the stack pointer, less the red zone */
	tl_u64 objects;          /* what arguments point to stands from here on */
	tl_u64 result_address;   /* 0: none */
	struct stacked *stacked; /* objects, then arguments */
	tl_size stacked_count;
	struct argument *arguments;
	tl_size count;
	tl_u64 area;      /* bytes of arguments on the stack */
	tl_u64 alignment; /* the strictest of them, and of the stack */
	tl_u32 banks;
};

static enum tl_status no_storage(const struct call *call)
{
	return TL_FAIL(call->error, TL_ERROR_NO_MEMORY, "No storage for the arguments.");
}

/* Room for what an argument points to. */
static enum tl_status put_object(struct call *call, const tl_u8 *bytes, tl_u64 size, tl_u64 alignment,
				 tl_u64 *address_ret)
{
	alignment = alignment > 16 ? alignment : 16;
	if (size > STACK_MAX || call->start - call->objects + size + alignment > STACK_MAX || call->objects < STACK_MAX)
		return TL_FAIL(call->error, TL_ERROR_TOO_LONG,
			       "The arguments take more than %llu KiB; they do not fit on the stack.",
			       (unsigned long long)STACK_MAX >> 10);
	call->objects = (call->objects - size) & ~(alignment - 1);
	call->stacked[call->stacked_count++] = (struct stacked){call->objects, bytes, size};
	*address_ret = call->objects;
	return TL_OK;
}

static enum tl_status load(struct call *call, struct tl_value *value)
{
	TL_TRY(tl_value_load(call->values, value, call->error));
	if (tl_value_is_absent(value))
		return TL_FAIL(call->error, TL_ERROR_ARGUMENT, "value has been optimized out");
	return TL_OK;
}

/* ---- Conversions ---- */

static bool has_members(const struct tl_type *stripped)
{
	return stripped->kind == TL_TYPE_STRUCT || stripped->kind == TL_TYPE_CLASS || stripped->kind == TL_TYPE_UNION;
}

/* A pointer to a value, which is put on the stack if it is not in memory. */
static enum tl_status point_to(struct call *call, const struct tl_value *value, struct tl_value *pointer_ret)
{
	struct tl_value own = *value;
	tl_u64 alignment;

	if (own.place != TL_VALUE_IN_MEMORY || own.bit_size != 0) {
		TL_TRY(load(call, &own));
		TL_TRY(tl_type_alignment(own.type, &alignment, call->error));
		TL_TRY(put_object(call, own.bytes, own.size, alignment, &own.address));
		own.place = TL_VALUE_IN_MEMORY;
		own.bit_offset = own.bit_size = 0;
	}
	return tl_value_address(call->values, &own, pointer_ret, call->error);
}

/* An array that stands nowhere goes onto the stack; what is in memory is its first element's address. */
static enum tl_status decay(struct call *call, struct tl_value *value)
{
	const struct tl_type *stripped, *element;
	struct tl_value pointer;

	TL_TRY(tl_type_strip(value->type, &stripped, call->error));
	if (stripped->kind == TL_TYPE_ARRAY && !stripped->vector && value->place != TL_VALUE_IN_MEMORY) {
		TL_TRY(point_to(call, value, &pointer));
		TL_TRY(tl_type_target(stripped, &element, call->error));
		TL_TRY(tl_type_make_pointer(element, call->values->address_size, &element, call->error));
		return tl_value_cast(call->values, &pointer, element, value, call->error);
	}
	if (stripped->kind == TL_TYPE_ARRAY && stripped->vector)
		return TL_OK;
	return tl_value_decay(call->values, value, call->error);
}

/* What stands where C wants an int or a double: arguments of which the function says nothing. */
static enum tl_status promote(struct call *call, struct tl_value *value)
{
	const struct tl_type *stripped, *type;
	enum tl_arithmetic arithmetic;
	bool is_signed;

	TL_TRY(tl_type_strip(value->type, &stripped, call->error));
	arithmetic = tl_type_arithmetic(stripped, &is_signed);
	if (arithmetic == TL_ARITHMETIC_INTEGER && (value->size < 4 || value->bit_size != 0))
		TL_TRY(tl_value_integer_type(call->values, 4, true, &type, call->error));
	else if (arithmetic == TL_ARITHMETIC_REAL && value->size < 8)
		TL_TRY(tl_type_make_base(call->values->types, "double", DW_ATE_float, 8, &type, call->error));
	else
		return TL_OK;
	return tl_value_cast(call->values, value, type, value, call->error);
}

/* A reference is the address of what it refers to: of the argument, or of a converted copy. */
static enum tl_status refer(struct call *call, struct tl_value *value, const struct tl_type *reference)
{
	const struct tl_type *target, *stripped, *own;
	struct tl_value pointer;

	TL_TRY(tl_type_target(reference, &target, call->error));
	TL_TRY(tl_type_strip(target, &stripped, call->error));
	TL_TRY(tl_type_strip(value->type, &own, call->error));
	if (own != stripped && !has_members(own) && stripped->kind != TL_TYPE_ARRAY &&
	    stripped->kind != TL_TYPE_FUNCTION)
		TL_TRY(tl_value_cast(call->values, value, target, value, call->error));
	TL_TRY(point_to(call, value, &pointer));
	if (own != stripped && has_members(own) && has_members(stripped)) {
		TL_TRY(tl_type_make_pointer(target, call->values->address_size, &target, call->error));
		TL_TRY(tl_value_cast(call->values, &pointer, target, &pointer, call->error));
	}
	*value = pointer;
	return TL_OK;
}

/* The argument as the function wants it; `parameter` is NULL where that is not said. */
static enum tl_status convert(struct call *call, struct tl_value *value, const struct tl_type *parameter,
			      bool prototyped)
{
	const struct tl_type *stripped, *own;

	TL_TRY(tl_value_unreference(call->values, value, call->error));
	if (parameter == NULL) {
		TL_TRY(decay(call, value));
		return promote(call, value);
	}
	TL_TRY(tl_type_strip(parameter, &stripped, call->error));
	if (stripped->kind == TL_TYPE_REFERENCE || stripped->kind == TL_TYPE_RVALUE_REFERENCE)
		return refer(call, value, stripped);
	TL_TRY(decay(call, value));
	TL_TRY(tl_type_strip(value->type, &own, call->error));
	if (has_members(stripped) || has_members(own) || stripped->kind == TL_TYPE_ARRAY) {
		/* Two modules may each have the same struct. */
		if (own->kind == stripped->kind && own->size == stripped->size)
			return TL_OK;
		return TL_FAIL(call->error, TL_ERROR_ARGUMENT, "An argument of type \"%s\" cannot be passed as \"%s\".",
			       tl_value_type_name(call->values, value->type),
			       tl_value_type_name(call->values, parameter));
	}
	if (own != stripped)
		TL_TRY(tl_value_cast(call->values, value, parameter, value, call->error));
	return prototyped ? TL_OK : promote(call, value);
}

/* The object that a member function is called for, where it stands nowhere: the function wants its address. */
static enum tl_status point_to_object(struct call *call, struct tl_value *value)
{
	const struct tl_type *own;
	struct tl_value pointer;

	TL_TRY(tl_value_unreference(call->values, value, call->error));
	TL_TRY(tl_type_strip(value->type, &own, call->error));
	if (!has_members(own))
		return TL_OK;
	TL_TRY(point_to(call, value, &pointer));
	*value = pointer;
	return TL_OK;
}

static enum tl_status take_argument(struct call *call, const struct tl_value *value, const struct tl_type *parameter,
				    bool is_object, bool prototyped, struct argument *argument_ret)
{
	struct tl_value own = *value, pointer;
	bool by_pointer;

	if (is_object)
		TL_TRY(point_to_object(call, &own));
	TL_TRY(convert(call, &own, parameter, prototyped));
	TL_TRY(tl_abi_classify(own.type, &argument_ret->classes, call->error));
	by_pointer =
		argument_ret->classes.by_reference || (call->cpu == &tl_cpu_riscv64 && argument_ret->classes.size > 16);
	if (tl_abi_is_aarch64(call->cpu))
		TL_TRY(tl_abi_aarch64_by_pointer(own.type, &by_pointer, call->error));
	if (by_pointer) {
		/* The copy is the callee's own. */
		TL_TRY(load(call, &own));
		own.place = TL_VALUE_NOWHERE;
		TL_TRY(point_to(call, &own, &pointer));
		own = pointer;
		TL_TRY(tl_abi_classify(own.type, &argument_ret->classes, call->error));
	}
	TL_TRY(load(call, &own));
	argument_ret->type = own.type;
	argument_ret->bytes = own.bytes;
	argument_ret->size = own.size;
	return TL_OK;
}

/* The type of the function behind a type that may be a pointer to it; NULL: it is none. */
static enum tl_status function_of(const struct call *call, const struct tl_type *type,
				  const struct tl_type **function_ret)
{
	*function_ret = NULL;
	if (type == NULL)
		return TL_OK;
	TL_TRY(tl_type_strip(type, &type, call->error));
	if (type->kind == TL_TYPE_POINTER) {
		TL_TRY(tl_type_target(type, &type, call->error));
		TL_TRY(tl_type_strip(type, &type, call->error));
	}
	*function_ret = type->kind == TL_TYPE_FUNCTION ? type : NULL;
	return TL_OK;
}

static enum tl_status take_arguments(struct call *call, const struct tl_abi_request *request)
{
	const struct tl_type *function, *type;
	const struct tl_member *parameters = NULL;
	bool variadic, prototyped;
	tl_size count = 0;

	TL_TRY(function_of(call, request->function, &function));
	if (function != NULL)
		TL_TRY(tl_type_members(function, &parameters, &count, call->error));
	variadic = count != 0 && parameters[count - 1].kind == TL_MEMBER_VARIADIC;
	count -= variadic;
	prototyped = function != NULL && (function->prototyped || function->has_scopes);
	if (request->count < count)
		return TL_FAIL(call->error, TL_ERROR_ARGUMENT, "Too few arguments in function call.");
	if (prototyped && !variadic && request->count > count)
		return TL_FAIL(call->error, TL_ERROR_ARGUMENT, "Too many arguments in function call.");
	for (tl_size i = 0; i < request->count; i++) {
		type = NULL;
		if (i < count)
			TL_TRY(tl_member_type(function, &parameters[i], &type, call->error));
		TL_TRY(take_argument(call, &request->arguments[i], type, i < count && parameters[i].artificial,
				     prototyped, &call->arguments[i]));
		call->arguments[i].variadic = variadic && i >= count;
	}
	call->count = request->count;
	return TL_OK;
}

/* ---- Places ---- */

static void set(struct call *call, tl_u16 reg, tl_u64 number)
{
	tl_cpu_set(call->cpu, call->file, reg, number);
	call->banks |= (tl_u32)1 << call->cpu->registers[reg].bank;
}

/* On the stack; its address is counted from the first argument there until that is known. */
static void put_on_stack(struct call *call, const tl_u8 *bytes, tl_u64 size, tl_u64 alignment, tl_u64 word)
{
	alignment = alignment > word ? alignment : word;
	call->area = (call->area + alignment - 1) & ~(alignment - 1);
	call->stacked[call->stacked_count++] = (struct stacked){call->area, bytes, size};
	call->area += (size + word - 1) & ~(word - 1);
	call->alignment = alignment > call->alignment ? alignment : call->alignment;
}

/* So many bytes of a vector, whose further ones stand in other registers of the table but right behind it in a file. */
static void put_vector(struct call *call, unsigned vector, const tl_u8 *bytes, tl_u64 size)
{
	const struct tl_register *reg = &call->cpu->registers[TL_X86_64_XMM0 + vector];

	memcpy(call->file + reg->offset, bytes, size);
	call->banks |= (tl_u32)1 << reg->bank;
}

static void put_eightbytes(struct call *call, const struct argument *argument, unsigned *integers, unsigned *vectors)
{
	static const tl_u16 registers[] = {TL_X86_64_RDI, TL_X86_64_RSI, TL_X86_64_RDX,
					   TL_X86_64_RCX, TL_X86_64_R8,  TL_X86_64_R9};

	for (tl_u8 i = 0; i < argument->classes.count; i++) {
		const tl_u8 *bytes = argument->bytes + (tl_size)i * 8;
		tl_u64 left = argument->size - (tl_u64)i * 8, size = left < 8 ? left : 8;

		if (argument->classes.classes[i] == TL_ABI_CLASS_INTEGER) {
			set(call, registers[(*integers)++], tl_load_little(bytes, (tl_size)size));
		} else if (argument->classes.classes[i] == TL_ABI_CLASS_SSE) {
			while (i + 1 < argument->classes.count &&
			       argument->classes.classes[i + 1] == TL_ABI_CLASS_SSEUP)
				i++, size += 8;
			put_vector(call, (*vectors)++, bytes, size);
		}
	}
}

static void count_registers(const struct argument *argument, unsigned *integers_ret, unsigned *vectors_ret,
			    bool *memory_ret)
{
	*integers_ret = *vectors_ret = 0;
	*memory_ret = false;
	for (tl_u8 i = 0; i < argument->classes.count; i++) {
		enum tl_abi_class class = argument->classes.classes[i];

		*integers_ret += class == TL_ABI_CLASS_INTEGER;
		*vectors_ret += class == TL_ABI_CLASS_SSE;
		*memory_ret |= class == TL_ABI_CLASS_MEMORY || class == TL_ABI_CLASS_X87 ||
			       class == TL_ABI_CLASS_X87UP || class == TL_ABI_CLASS_COMPLEX_X87;
	}
}

static void place_x86_64(struct call *call)
{
	unsigned integers = 0, vectors = 0, more_integers, more_vectors;
	bool memory;

	if (call->result_address != 0)
		set(call, TL_X86_64_RDI, call->result_address), integers++;
	for (tl_size i = 0; i < call->count; i++) {
		const struct argument *argument = &call->arguments[i];

		count_registers(argument, &more_integers, &more_vectors, &memory);
		if (memory || integers + more_integers > 6 || vectors + more_vectors > 8)
			put_on_stack(call, argument->bytes, argument->size, argument->classes.alignment, 8);
		else
			put_eightbytes(call, argument, &integers, &vectors);
	}
	/* Functions with "..." want to know how many vector registers may hold arguments. */
	set(call, TL_X86_64_RAX, vectors);
}

static enum tl_status place_i386(struct call *call)
{
	if (call->result_address != 0) {
		tl_u8 *bytes = tl_arena_allocate(call->values->arena, 4);

		if (bytes == NULL)
			return no_storage(call);
		tl_store_little(bytes, call->result_address, 4);
		put_on_stack(call, bytes, 4, 4, 4);
	}
	for (tl_size i = 0; i < call->count; i++)
		put_on_stack(call, call->arguments[i].bytes, call->arguments[i].size, 4, 4);
	return TL_OK;
}

static enum tl_status place_riscv(struct call *call)
{
	struct tl_abi_riscv_used used = {0};
	struct tl_abi_place place;
	tl_u64 stacked, number;

	if (call->result_address != 0)
		set(call, (tl_u16)(TL_RISCV_REGISTER_A0 + used.integers++), call->result_address);
	for (tl_size i = 0; i < call->count; i++) {
		const struct argument *argument = &call->arguments[i];

		TL_TRY(tl_abi_riscv_place(argument->type, argument->variadic, &used, &place, &stacked, call->error));
		for (tl_u8 n = 0; n < place.piece_count; n++) {
			TL_TRY(tl_abi_riscv_register(argument->type, &place.pieces[n], argument->bytes, &number,
						     call->error));
			set(call, place.pieces[n].reg, number);
		}
		/* The second half of what began in the last register is not aligned again. */
		if (stacked < argument->size)
			put_on_stack(call, argument->bytes + stacked, argument->size - stacked,
				     stacked == 0 ? argument->classes.alignment : 8, 8);
	}
	return TL_OK;
}

static enum tl_status place_aarch64(struct call *call)
{
	struct tl_abi_aarch64_used used = {0};
	struct tl_abi_place place;
	bool stacked;

	if (call->result_address != 0)
		set(call, TL_ABI_AARCH64_RESULT, call->result_address);
	for (tl_size i = 0; i < call->count; i++) {
		const struct argument *argument = &call->arguments[i];

		TL_TRY(tl_abi_aarch64_place(argument->type, &used, &place, &stacked, call->error));
		if (stacked)
			put_on_stack(call, argument->bytes, argument->size, argument->classes.alignment, 8);
		for (tl_u8 n = 0; n < place.piece_count; n++) {
			const struct tl_register *reg = &call->cpu->registers[place.pieces[n].reg];

			memset(call->file + reg->offset, 0, reg->bits / 8);
			memcpy(call->file + reg->offset, argument->bytes + place.pieces[n].offset,
			       place.pieces[n].size);
			call->banks |= (tl_u32)1 << reg->bank;
		}
	}
	/* A branch that the thread has just made is no business of the function's landing pad. */
	set(call, TL_ABI_AARCH64_CPSR, tl_cpu_get(call->cpu, call->file, TL_ABI_AARCH64_CPSR) & ~TL_ARM64_BRANCH_TYPE);
	return TL_OK;
}

/* ---- The whole ---- */

static bool is_x86(const struct tl_cpu *cpu)
{
	return cpu == &tl_cpu_x86_64 || cpu == &tl_cpu_i386;
}

/* Everything between the new stack pointer and what the thread has on its stack. */
static enum tl_status build_stack(struct call *call, tl_size objects, tl_u64 return_address,
				  struct tl_abi_call *call_ret)
{
	const tl_u64 first = (call->objects - call->area) & ~(call->alignment - 1);
	/* Elsewhere than on x86 the return address is in a register. */
	const tl_u64 pointer = first - (is_x86(call->cpu) ? call->cpu->address_size : 0);
	tl_u8 *stack;

	if (call->area > STACK_MAX || call->start - pointer > STACK_MAX)
		return TL_FAIL(call->error, TL_ERROR_TOO_LONG, "The arguments do not fit on the stack.");
	stack = tl_arena_allocate(call->values->arena, (tl_size)(call->start - pointer) + 1);
	if (stack == NULL)
		return no_storage(call);
	if (!is_x86(call->cpu))
		set(call, call->cpu == &tl_cpu_riscv64 ? TL_RISCV_REGISTER_RA : TL_ABI_AARCH64_LR, return_address);
	else
		tl_store_little(stack, return_address, call->cpu->address_size);
	for (tl_size i = 0; i < call->stacked_count; i++) {
		const struct stacked *stacked = &call->stacked[i];
		tl_u64 address = i < objects ? stacked->address : first + stacked->address;

		if (stacked->bytes != NULL && stacked->size != 0)
			memcpy(stack + (address - pointer), stacked->bytes, stacked->size);
	}
	call_ret->stack_pointer = pointer;
	call_ret->stack = stack;
	call_ret->stack_size = call->start - pointer;
	return TL_OK;
}

static enum tl_status make_room_for_result(struct call *call, const struct tl_type *result)
{
	struct tl_abi_place place;
	tl_u64 size, alignment;
	bool known;

	TL_TRY(tl_abi_result_place(call->cpu, result, &place, call->error));
	if (place.kind != TL_ABI_MEMORY)
		return TL_OK;
	TL_TRY(tl_type_size(result, &size, &known, call->error));
	TL_TRY(tl_type_alignment(result, &alignment, call->error));
	return put_object(call, NULL, known ? size : 0, alignment, &call->result_address);
}

static enum tl_status prepare(struct call *call, const struct tl_abi_request *request)
{
	if (request->count > ARGUMENTS_MAX)
		return TL_FAIL(call->error, TL_ERROR_TOO_LONG, "A call has at most %d arguments here.", ARGUMENTS_MAX);
	/* For each argument an object and the argument itself; the result and its address. */
	call->stacked = tl_arena_allocate(call->values->arena, (request->count * 3 + 2) * sizeof(*call->stacked));
	call->arguments = tl_arena_allocate(call->values->arena, (request->count + 1) * sizeof(*call->arguments));
	if (call->stacked == NULL || call->arguments == NULL)
		return no_storage(call);
	call->start = tl_cpu_get(call->cpu, call->file, call->cpu->stack_pointer) -
		      (call->cpu == &tl_cpu_x86_64 ? RED_ZONE : 0);
	call->objects = call->start;
	call->alignment = 16;
	return TL_OK;
}

static enum tl_status place_arguments(struct call *call)
{
	if (call->cpu == &tl_cpu_riscv64)
		return place_riscv(call);
	if (tl_abi_is_aarch64(call->cpu))
		return place_aarch64(call);
	if (call->cpu == &tl_cpu_i386)
		return place_i386(call);
	place_x86_64(call);
	return TL_OK;
}

enum tl_status tl_abi_place_call(const struct tl_value_context *values, const struct tl_cpu *cpu, tl_u8 *file,
				 const struct tl_abi_request *request, struct tl_abi_call *call_ret,
				 struct tl_error *error)
{
	struct call call = {.values = values, .cpu = cpu, .error = error};
	struct tl_abi_call result = {0};
	tl_u16 flags = cpu == &tl_cpu_x86_64 ? TL_X86_64_EFLAGS : TL_I386_EFLAGS;
	tl_size objects;

	if (!is_x86(cpu) && cpu != &tl_cpu_riscv64 && !tl_abi_is_aarch64(cpu))
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "How functions are called on %s is not known here.",
			       cpu->name);
	/* The registers stay as they are where the call cannot be made. */
	call.file = (tl_u8 *)tl_arena_copy(values->arena, file, cpu->file_size);
	if (call.file == NULL)
		return no_storage(&call);
	TL_TRY(prepare(&call, request));
	if (request->result != NULL)
		TL_TRY(make_room_for_result(&call, request->result));
	TL_TRY(take_arguments(&call, request));
	objects = call.stacked_count;
	TL_TRY(place_arguments(&call));
	TL_TRY(build_stack(&call, objects, request->return_address, &result));
	set(&call, cpu->stack_pointer, result.stack_pointer);
	set(&call, cpu->program_counter, request->address);
	if (is_x86(cpu))
		set(&call, flags, tl_cpu_get(cpu, call.file, flags) & ~DIRECTION_FLAG);
	result.result_address = call.result_address;
	result.returned_stack = result.stack_pointer + (is_x86(cpu) ? cpu->address_size : 0);
	/* On i386 the callee takes the address of its result off the stack. */
	if (cpu == &tl_cpu_i386 && call.result_address != 0)
		result.returned_stack += 4;
	result.banks = call.banks;
	memcpy(file, call.file, cpu->file_size);
	*call_ret = result;
	return TL_OK;
}
