/*
 * The compiler as the referee of debugger/values/abi.h: functions of this very program, with arguments and results of
 * many shapes, are entered with registers and a stack that tl_abi_place_call made, and what they leave is read by
 * tl_abi_result.
 */
#include "core/cpu/x86_layout.h"
#include "debugger/values/abi.h"
#include "debugger/values/abi_aarch64.h"
#include "debugger/values/print.h"
#include "symbols/dwarf_constants.h"
#include "tests/unit/test.h"
#include "tests/unit/type_home.h"

#include <complex.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/uio.h>
#include <unistd.h>

typedef float vector16 __attribute__((vector_size(16)));
typedef long (*function_pointer)(int);

/* Each is a type by that name. Those whose padding would show (unions) have none. */
#define SHAPES(X)                                                                                                      \
	X(t_char, char)                                                                                                \
	X(t_uchar, unsigned char)                                                                                      \
	X(t_short, short)                                                                                              \
	X(t_int, int)                                                                                                  \
	X(t_long, long)                                                                                                \
	X(t_int128, __int128)                                                                                          \
	X(t_float, float)                                                                                              \
	X(t_double, double)                                                                                            \
	X(t_ldouble, long double)                                                                                      \
	X(t_cfloat, float _Complex)                                                                                    \
	X(t_cdouble, double _Complex)                                                                                  \
	X(t_cldouble, long double _Complex)                                                                            \
	X(t_pointer, void *)                                                                                           \
	X(t_function, function_pointer)                                                                                \
	X(t_enum, enum {E_A, E_B = 0x01010101})                                                                        \
	X(t_vector, vector16)                                                                                          \
	X(                                                                                                             \
		s_char, struct { char a; })                                                                            \
	X(                                                                                                             \
		s_three, struct { char a[3]; })                                                                        \
	X(                                                                                                             \
		s_five, struct { char a[5]; })                                                                         \
	X(                                                                                                             \
		s_short_char, struct {                                                                                 \
			short a;                                                                                       \
			char b;                                                                                        \
		})                                                                                                     \
	X(                                                                                                             \
		s_int, struct { int a; })                                                                              \
	X(                                                                                                             \
		s_two, struct { int a, b; })                                                                           \
	X(                                                                                                             \
		s_three_ints, struct { int a, b, c; })                                                                 \
	X(                                                                                                             \
		s_four, struct { int a, b, c, d; })                                                                    \
	X(                                                                                                             \
		s_five_ints, struct { int a, b, c, d, e; })                                                            \
	X(                                                                                                             \
		s_longs, struct { long a, b; })                                                                        \
	X(                                                                                                             \
		s_three_longs, struct { long a, b, c; })                                                               \
	X(                                                                                                             \
		s_float, struct { float a; })                                                                          \
	X(                                                                                                             \
		s_floats, struct { float a, b; })                                                                      \
	X(                                                                                                             \
		s_three_floats, struct { float a, b, c; })                                                             \
	X(                                                                                                             \
		s_four_floats, struct { float a[4]; })                                                                 \
	X(                                                                                                             \
		s_five_floats, struct { float a[5]; })                                                                 \
	X(                                                                                                             \
		s_double, struct { double a; })                                                                        \
	X(                                                                                                             \
		s_doubles, struct { double a, b; })                                                                    \
	X(                                                                                                             \
		s_three_doubles, struct { double a, b, c; })                                                           \
	X(                                                                                                             \
		s_int_float, struct {                                                                                  \
			int a;                                                                                         \
			float b;                                                                                       \
		})                                                                                                     \
	X(                                                                                                             \
		s_int_double, struct {                                                                                 \
			int a;                                                                                         \
			double b;                                                                                      \
		})                                                                                                     \
	X(                                                                                                             \
		s_double_int, struct {                                                                                 \
			double a;                                                                                      \
			int b;                                                                                         \
		})                                                                                                     \
	X(                                                                                                             \
		s_double_char, struct {                                                                                \
			double a;                                                                                      \
			char b[5];                                                                                     \
		})                                                                                                     \
	X(                                                                                                             \
		s_float_int_double, struct {                                                                           \
			float a;                                                                                       \
			int b;                                                                                         \
			double c;                                                                                      \
		})                                                                                                     \
	X(                                                                                                             \
		s_floats_long, struct {                                                                                \
			float a, b;                                                                                    \
			long c;                                                                                        \
		})                                                                                                     \
	X(                                                                                                             \
		s_ldouble, struct { long double a; })                                                                  \
	X(                                                                                                             \
		s_ldouble_char, struct {                                                                               \
			long double a;                                                                                 \
			char b;                                                                                        \
		})                                                                                                     \
	X(                                                                                                             \
		s_cfloat, struct { float _Complex a; })                                                                \
	X(                                                                                                             \
		s_cdouble, struct { double _Complex a; })                                                              \
	X(                                                                                                             \
		s_cldouble, struct { long double _Complex a; })                                                        \
	X(                                                                                                             \
		s_int128, struct { __int128 a; })                                                                      \
	X(                                                                                                             \
		s_vector, struct { vector16 a; })                                                                      \
	X(                                                                                                             \
		s_nested, struct {                                                                                     \
			struct {                                                                                       \
				char a;                                                                                \
				short b;                                                                               \
			} c;                                                                                           \
			struct {                                                                                       \
				float d;                                                                               \
			} e;                                                                                           \
		})                                                                                                     \
	X(                                                                                                             \
		s_array, struct {                                                                                      \
			struct {                                                                                       \
				short a;                                                                               \
			} b[3];                                                                                        \
		})                                                                                                     \
	X(                                                                                                             \
		s_pointers, struct {                                                                                   \
			void *a;                                                                                       \
			char *b;                                                                                       \
		})                                                                                                     \
	X(                                                                                                             \
		s_pointer_double, struct {                                                                             \
			void *a;                                                                                       \
			double b;                                                                                      \
		})                                                                                                     \
	X(                                                                                                             \
		s_fields, struct {                                                                                     \
			unsigned a : 3;                                                                                \
			unsigned b : 29;                                                                               \
			int c : 32;                                                                                    \
		})                                                                                                     \
	X(                                                                                                             \
		s_wide_fields, struct { unsigned long a : 40, b : 24, c : 64; })                                       \
	X(                                                                                                             \
		s_field_double, struct {                                                                               \
			double a;                                                                                      \
			unsigned b : 32;                                                                               \
		})                                                                                                     \
	X(                                                                                                             \
		s_packed, struct __attribute__((packed)) {                                                             \
			char a;                                                                                        \
			int b;                                                                                         \
		})                                                                                                     \
	X(                                                                                                             \
		s_packed_double, struct __attribute__((packed)) {                                                      \
			char a;                                                                                        \
			double b;                                                                                      \
		})                                                                                                     \
	X(                                                                                                             \
		s_packed_last, struct __attribute__((packed)) {                                                        \
			double a;                                                                                      \
			int b;                                                                                         \
			char c;                                                                                        \
		})                                                                                                     \
	X(                                                                                                             \
		s_aligned, struct __attribute__((aligned(16))) { long a, b; })                                         \
	X(s_empty, struct {})                                                                                          \
	X(                                                                                                             \
		s_empties, struct {                                                                                    \
			struct {                                                                                       \
			} a;                                                                                           \
			int b;                                                                                         \
			struct {                                                                                       \
			} c;                                                                                           \
		})                                                                                                     \
	X(                                                                                                             \
		s_seventeen, struct { char a[17]; })                                                                   \
	X(                                                                                                             \
		s_sixteen, struct { char a[16]; })                                                                     \
	X(                                                                                                             \
		s_hundred, struct { char a[100]; })                                                                    \
	X(                                                                                                             \
		u_int_float, union {                                                                                   \
			int a;                                                                                         \
			float b;                                                                                       \
		})                                                                                                     \
	X(                                                                                                             \
		u_double_long, union {                                                                                 \
			double a;                                                                                      \
			long b;                                                                                        \
		})                                                                                                     \
	X(                                                                                                             \
		u_doubles, union {                                                                                     \
			double a[2];                                                                                   \
			float b[4];                                                                                    \
		})                                                                                                     \
	X(                                                                                                             \
		u_mixed, union {                                                                                       \
			struct {                                                                                       \
				float a, b;                                                                            \
				long c;                                                                                \
			} d;                                                                                           \
			double e[2];                                                                                   \
		})                                                                                                     \
	X(                                                                                                             \
		u_ldouble_int, union {                                                                                 \
			char b[16];                                                                                    \
			long double a;                                                                                 \
		})

#define OPAQUE __attribute__((used, noinline, no_sanitize("address", "undefined", "thread")))

/* What each function had for arguments. */
static struct {
	tl_u8 first[112], second[112], third[112];
	int number;
	double real;
	long last;
} seen;

/* Every number that these bytes make is an ordinary one. */
static tl_u8 pattern[256] __attribute__((aligned(64)));

#define DECLARE(name, ...)                                                                                             \
	typedef __VA_ARGS__ name;                                                                                      \
	OPAQUE name return_##name(void);                                                                               \
	OPAQUE name return_##name(void)                                                                                \
	{                                                                                                              \
		name value;                                                                                            \
		memcpy(&value, pattern, sizeof(value));                                                                \
		return value;                                                                                          \
	}                                                                                                              \
	OPAQUE name take_##name(name first, int number, name second, double real, name third, long last);              \
	OPAQUE name take_##name(name first, int number, name second, double real, name third, long last)               \
	{                                                                                                              \
		memcpy(seen.first, &first, sizeof(first));                                                             \
		memcpy(seen.second, &second, sizeof(second));                                                          \
		memcpy(seen.third, &third, sizeof(third));                                                             \
		seen.number = number;                                                                                  \
		seen.real = real;                                                                                      \
		seen.last = last;                                                                                      \
		return second;                                                                                         \
	}

SHAPES(DECLARE)

typedef void any_function(void);

static const struct {
	const char *name;
	any_function *give, *take;
	tl_size size;
} shapes[] = {
#define ROW(name, ...) {#name, (any_function *)return_##name, (any_function *)take_##name, sizeof(name)},
	SHAPES(ROW)
#undef ROW
};

/* ---- A machine ---- */

/* The offsets are known below. */
struct machine {
	tl_u64 rax, rdi, rsi, rdx, rcx, r8, r9; /* 0 to 48 */
	tl_u64 rip, rsp, saved;                 /* 56, 64, 72 */
	tl_u8 vectors[8][16];                   /* 80 */
	tl_u8 state[512] __attribute__((aligned(16)));
};

void run_machine(struct machine *machine);
void machine_returned(void);
_Static_assert(offsetof(struct machine, state) == 208, "fxsave below writes there");

__asm__(".text\n"
	"run_machine:\n"
	"	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
	"	mov %rdi, %rbx\n"
	"	mov %rsp, 72(%rbx)\n"
	"	movups 80(%rbx), %xmm0\n	movups 96(%rbx), %xmm1\n"
	"	movups 112(%rbx), %xmm2\n	movups 128(%rbx), %xmm3\n"
	"	movups 144(%rbx), %xmm4\n	movups 160(%rbx), %xmm5\n"
	"	movups 176(%rbx), %xmm6\n	movups 192(%rbx), %xmm7\n"
	"	mov 0(%rbx), %rax\n	mov 8(%rbx), %rdi\n	mov 16(%rbx), %rsi\n	mov 24(%rbx), %rdx\n"
	"	mov 32(%rbx), %rcx\n	mov 40(%rbx), %r8\n	mov 48(%rbx), %r9\n"
	"	mov 64(%rbx), %rsp\n"
	"	jmp *56(%rbx)\n"
	"machine_returned:\n"
	"	mov %rax, 0(%rbx)\n	mov %rdx, 24(%rbx)\n	mov %rsp, 64(%rbx)\n"
	"	fxsave 208(%rbx)\n	fninit\n"
	"	mov 72(%rbx), %rsp\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbp\n	pop %rbx\n"
	"	ret\n");

static tl_u8 stack[1 << 16] __attribute__((aligned(64)));
static tl_u8 file[TL_X86_FILE_SIZE];

static void set(const char *name, tl_u64 number)
{
	tl_u16 index;

	if (tl_cpu_find(&tl_cpu_x86_64, name, &index) == TL_OK)
		tl_cpu_set(&tl_cpu_x86_64, file, index, number);
}

static tl_u64 get(const char *name)
{
	tl_u16 index;

	return tl_cpu_find(&tl_cpu_x86_64, name, &index) == TL_OK ? tl_cpu_get(&tl_cpu_x86_64, file, index) : 0;
}

/* Runs from the registers in the file until the return address is met, and puts what is left into the file. */
static void run(const struct tl_abi_call *call)
{
	struct machine machine = {.rax = get("rax"),
				  .rdi = get("rdi"),
				  .rsi = get("rsi"),
				  .rdx = get("rdx"),
				  .rcx = get("rcx"),
				  .r8 = get("r8"),
				  .r9 = get("r9"),
				  .rip = get("rip"),
				  .rsp = get("rsp")};

	for (tl_size i = 0; i < 8; i++)
		memcpy(machine.vectors[i], file + TL_X86_AT_XMM_N(i), 16);
	memcpy((void *)(tl_uintptr)call->stack_pointer, call->stack, call->stack_size);
	run_machine(&machine);
	memset(file, 0xee, sizeof(file));
	set("rax", machine.rax);
	set("rdx", machine.rdx);
	set("rsp", machine.rsp);
	for (tl_size i = 0; i < 8; i++) {
		memcpy(file + TL_X86_AT_ST_N(i), machine.state + 32 + 16 * i, 10);
		memcpy(file + TL_X86_AT_XMM_N(i), machine.state + 160 + 16 * i, 16);
	}
}

/* ---- Types and values of this program ---- */

static struct type_home home;
static struct tl_arena arena;
static struct tl_error error;

static enum tl_status read_own(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *why)
{
	struct iovec own = {buffer, size}, other = {(void *)(tl_uintptr)address, size};

	/* Strings are looked for behind pointers that lead nowhere. */
	(void)context;
	if (process_vm_readv(getpid(), &own, 1, &other, 1, 0) == (ssize_t)size)
		return TL_OK;
	return TL_FAIL(why, TL_ERROR_MEMORY, "Cannot access memory at address 0x%llx", (unsigned long long)address);
}

static struct tl_value_context values = {.arena = &arena, .address_size = 8, .read = read_own};

static bool find_function(const char *name, const struct tl_type **type_ret)
{
	for (tl_size i = 0; i < tl_dwarf_unit_count(home.dwarf); i++) {
		struct tl_attribute attribute;
		struct tl_entry entry;
		bool good = tl_entry_top(tl_dwarf_unit(home.dwarf, i), &entry, &error) == TL_OK &&
			    tl_entry_child(&entry, &entry, &error) == TL_OK;

		for (; good && entry.tag != 0; good = tl_entry_sibling(&entry, &entry, &error) == TL_OK)
			if (entry.tag == DW_TAG_subprogram &&
			    tl_entry_inherited(&entry, DW_AT_name, &attribute, &error) == TL_OK &&
			    attribute.kind == TL_CLASS_STRING && strcmp(attribute.text, name) == 0)
				return tl_type_at(home.types, &entry, type_ret, &error) == TL_OK;
	}
	printf("  there is no function %s in the debug information\n", name);
	return false;
}

static bool open_types(void)
{
	for (tl_size i = 0; i < sizeof(pattern); i++)
		pattern[i] = (tl_u8)(1 + i % 7);
	/* The sign and the exponent of numbers that begin at multiples of 16; pointers are what they are. */
	for (tl_size i = 0; i < sizeof(pattern); i += 16)
		memcpy(pattern + i + 8, "\x3f\x3f", 2);
	if (!type_home_open(&home))
		return false;
	values.types = home.types;
	return tl_dwarf_unit_count(home.dwarf) != 0;
}

static void close_types(void)
{
	tl_arena_clear(&arena);
	type_home_close(&home);
}

static bool as_text(const struct tl_value *value, char *text_ret, tl_size size)
{
	struct tl_output output = tl_output_make(4096);
	struct tl_print_options options = {.no_symbols = true};
	bool good = tl_print_value(&values, &options, value, &output, &error) == TL_OK;

	snprintf(text_ret, size, "%s", good ? tl_output_string(&output) : error.text);
	tl_output_release(&output);
	return good;
}

/* Complex numbers have no text: each half counts, but for what is behind the ten bytes of a long double. */
static bool same_halves(const struct tl_value *value, const void *expected)
{
	const tl_size half = (tl_size)value->size / 2, used = half == 16 ? 10 : half;

	return value->bytes != NULL && memcmp(value->bytes, expected, used) == 0 &&
	       memcmp(value->bytes + half, (const tl_u8 *)expected + half, used) == 0;
}

/* Whether a value is what stands in this program's memory. */
static bool same(const char *name, const char *what, const struct tl_value *value, const void *expected)
{
	char is[2048], should[2048];
	struct tl_value wanted, own = *value;
	bool good;

	if (name[1] == '_' && name[2] == 'c' && name[3] != 'h')
		return tl_value_load(&values, &own, &error) == TL_OK && same_halves(&own, expected);
	good = tl_value_at(&values, value->type, (tl_u64)(tl_uintptr)expected, &wanted, &error) == TL_OK &&
	       as_text(&wanted, should, sizeof(should)) && as_text(value, is, sizeof(is)) && strcmp(is, should) == 0;

	if (!good)
		printf("  %s, %s: %s rather than %s (%s)\n", name, what, is, should, error.text);
	return good;
}

static bool place(const struct tl_type *function, const struct tl_type *result, any_function *address,
		  const struct tl_value *arguments, tl_size count, struct tl_abi_call *call_ret)
{
	struct tl_abi_request request = {
		.function = function,
		.result = result,
		.arguments = arguments,
		.count = count,
		.address = (tl_u64)(tl_uintptr)address,
		.return_address = (tl_u64)(tl_uintptr)machine_returned,
	};

	memset(file, 0xdd, sizeof(file));
	set("rsp", (tl_u64)(tl_uintptr)stack + sizeof(stack) - 8);
	if (tl_abi_place_call(&values, &tl_cpu_x86_64, file, &request, call_ret, &error) == TL_OK)
		return true;
	printf("  %s\n", error.text);
	return false;
}

static bool returned(const char *name, const struct tl_abi_call *call, const struct tl_type *type)
{
	struct tl_value value;
	bool known = false;

	if (get("rsp") != call->returned_stack) {
		printf("  %s: it returned with the stack elsewhere\n", name);
		return false;
	}
	return tl_abi_result(&values, &tl_cpu_x86_64, file, type, &value, &known, &error) == TL_OK && known &&
	       same(name, "returned", &value, pattern);
}

TEST(what_functions_return_is_read_where_the_compiler_left_it)
{
	REQUIRE(open_types());
	for (tl_size i = 0; i < TL_COUNT(shapes); i++) {
		const struct tl_type *function, *type;
		struct tl_abi_call call;
		char name[64];

		snprintf(name, sizeof(name), "return_%s", shapes[i].name);
		REQUIRE(find_function(name, &function) && tl_type_target(function, &type, &error) == TL_OK);
		REQUIRE(place(function, type, shapes[i].give, NULL, 0, &call));
		run(&call);
		CHECK(returned(shapes[i].name, &call, type));
	}
	close_types();
}

static bool make_arguments(const struct tl_type *type, struct tl_value arguments[6])
{
	const struct tl_type *integer, *real;

	return tl_value_at(&values, type, (tl_u64)(tl_uintptr)pattern, &arguments[0], &error) == TL_OK &&
	       tl_value_integer_type(&values, 8, true, &integer, &error) == TL_OK &&
	       tl_value_make_integer(&values, integer, 4711, &arguments[1], &error) == TL_OK &&
	       tl_value_at(&values, type, (tl_u64)(tl_uintptr)pattern, &arguments[2], &error) == TL_OK &&
	       tl_type_make_base(home.types, "float", DW_ATE_float, 4, &real, &error) == TL_OK &&
	       tl_value_make_real(&values, real, 2.5L, &arguments[3], &error) == TL_OK &&
	       tl_value_at(&values, type, (tl_u64)(tl_uintptr)pattern, &arguments[4], &error) == TL_OK &&
	       tl_value_make_integer(&values, integer, -815, &arguments[5], &error) == TL_OK;
}

/* clang up to 17 looks for an __int128 in the last register and on the stack, the ABI (3.2.3) for all of it on the
 * stack. */
static bool compiled_against_the_abi(const char *name)
{
#if defined(__clang__) && __clang_major__ < 18
	return strcmp(name, "t_int128") == 0;
#else
	(void)name;
	return false;
#endif
}

TEST(what_a_function_of_arm64_does_at_its_beginning_may_leave_x8_alone)
{
	static const struct {
		tl_u32 word;
		bool keeps;
	} words[] = {
		{0xa9be7bfd, true},  /* stp x29, x30, [sp, #-32]! */
		{0xd10083ff, true},  /* sub sp, sp, #32 */
		{0xf9000fe8, true},  /* str x8, [sp, #24] */
		{0xd503233f, true},  /* paciasp */
		{0xf9400fe8, false}, /* ldr x8, [sp, #24] */
		{0xf8008508, false}, /* str x8, [x8], #8 */
		{0x91002108, false}, /* add x8, x8, #8 */
		{0xa9402820, true},  /* ldp x0, x10, [x1] */
		{0xa9402020, false}, /* ldp x0, x8, [x1] */
		{0x94000000, false}, /* bl */
		{0x54000000, false}, /* b.eq */
		{0x00000000, false}, /* udf */
	};

	for (tl_size i = 0; i < TL_COUNT(words); i++)
		CHECK_EQUAL(tl_abi_aarch64_keeps_result(&words[i].word, 1), words[i].keeps);
	CHECK(tl_abi_aarch64_keeps_result(NULL, 0));
}

TEST(arguments_are_put_where_the_compiler_looks_for_them)
{
	REQUIRE(open_types());
	for (tl_size i = 0; i < TL_COUNT(shapes); i++) {
		const struct tl_type *function, *type;
		struct tl_value arguments[6], got;
		struct tl_abi_call call;
		char name[64];

		if (compiled_against_the_abi(shapes[i].name))
			continue;
		snprintf(name, sizeof(name), "take_%s", shapes[i].name);
		REQUIRE(find_function(name, &function) && tl_type_target(function, &type, &error) == TL_OK);
		REQUIRE(make_arguments(type, arguments));
		REQUIRE(place(function, type, shapes[i].take, arguments, 6, &call));
		memset(&seen, 0, sizeof(seen));
		run(&call);
		CHECK(returned(shapes[i].name, &call, type));
		REQUIRE(tl_value_at(&values, type, (tl_u64)(tl_uintptr)seen.first, &got, &error) == TL_OK);
		CHECK(same(shapes[i].name, "first", &got, pattern));
		REQUIRE(tl_value_at(&values, type, (tl_u64)(tl_uintptr)seen.second, &got, &error) == TL_OK);
		CHECK(same(shapes[i].name, "second", &got, pattern));
		REQUIRE(tl_value_at(&values, type, (tl_u64)(tl_uintptr)seen.third, &got, &error) == TL_OK);
		CHECK(same(shapes[i].name, "third", &got, pattern));
		CHECK_EQUAL(seen.number, 4711);
		CHECK(seen.real == 2.5);
		CHECK_EQUAL(seen.last, -815);
	}
	close_types();
}

OPAQUE int format_some(char *text, unsigned long size, const char *format, ...);
OPAQUE int format_some(char *text, unsigned long size, const char *format, ...)
{
	va_list list;
	int count;

	va_start(list, format);
	count = vsnprintf(text, size, format, list);
	va_end(list);
	return count;
}

/* Bytes of a string as they are typed: they stand nowhere. */
static bool make_text(const char *text, struct tl_value *value_ret)
{
	const struct tl_type *type;
	tl_size size = strlen(text) + 1;

	return tl_type_make_base(home.types, "char", DW_ATE_signed_char, 1, &type, &error) == TL_OK &&
	       tl_type_make_array(type, size, &type, &error) == TL_OK &&
	       tl_value_make_bytes(&values, type, text, size, value_ret, &error) == TL_OK;
}

TEST(strings_go_onto_the_stack_and_unnamed_arguments_are_promoted)
{
	const struct tl_type *function, *type, *integer;
	struct tl_value arguments[8];
	struct tl_abi_call call;
	char text[128] = "";

	REQUIRE(open_types());
	REQUIRE(find_function("format_some", &function) && tl_type_target(function, &type, &error) == TL_OK);
	REQUIRE(tl_value_integer_type(&values, 8, false, &integer, &error) == TL_OK);
	REQUIRE(tl_value_make_integer(&values, integer, (tl_i128)(tl_uintptr)text, &arguments[0], &error) == TL_OK);
	REQUIRE(tl_value_make_integer(&values, integer, sizeof(text), &arguments[1], &error) == TL_OK);
	REQUIRE(make_text("%s %d %.2f %s %c", &arguments[2]) && make_text("first", &arguments[3]) &&
		make_text("second", &arguments[6]));
	REQUIRE(tl_type_make_base(home.types, "short", DW_ATE_signed, 2, &integer, &error) == TL_OK &&
		tl_value_make_integer(&values, integer, -7, &arguments[4], &error) == TL_OK);
	REQUIRE(tl_type_make_base(home.types, "float", DW_ATE_float, 4, &integer, &error) == TL_OK &&
		tl_value_make_real(&values, integer, 1.5L, &arguments[5], &error) == TL_OK);
	REQUIRE(tl_type_make_base(home.types, "char", DW_ATE_signed_char, 1, &integer, &error) == TL_OK &&
		tl_value_make_integer(&values, integer, 'x', &arguments[7], &error) == TL_OK);
	REQUIRE(place(function, type, (any_function *)format_some, arguments, 8, &call));
	run(&call);
	CHECK(strcmp(text, "first -7 1.50 second x") == 0);
	close_types();
}

TEST(a_call_has_the_number_of_arguments_that_the_function_takes)
{
	const struct tl_type *function, *type;
	struct tl_value arguments[7];
	struct tl_abi_request request = {.arguments = arguments};
	struct tl_abi_call call;
	tl_u8 before[sizeof(file)];

	REQUIRE(open_types());
	REQUIRE(find_function("take_t_int", &function) && tl_type_target(function, &type, &error) == TL_OK);
	REQUIRE(make_arguments(type, arguments));
	arguments[6] = arguments[1];
	request.function = function;
	request.result = type;
	memset(file, 0x55, sizeof(file));
	memcpy(before, file, sizeof(file));
	request.count = 5;
	CHECK_EQUAL(tl_abi_place_call(&values, &tl_cpu_x86_64, file, &request, &call, &error), TL_ERROR_ARGUMENT);
	CHECK(strcmp(error.text, "Too few arguments in function call.") == 0);
	request.count = 7;
	CHECK_EQUAL(tl_abi_place_call(&values, &tl_cpu_x86_64, file, &request, &call, &error), TL_ERROR_ARGUMENT);
	CHECK(strcmp(error.text, "Too many arguments in function call.") == 0);
	CHECK(memcmp(before, file, sizeof(file)) == 0);
	close_types();
}

TEST(what_is_set_as_a_result_is_read_as_the_result)
{
	REQUIRE(open_types());
	for (tl_size i = 0; i < TL_COUNT(shapes); i++) {
		const struct tl_type *function, *type;
		struct tl_abi_place where;
		struct tl_value value;
		tl_u32 banks;
		char name[64];
		bool known = false;

		snprintf(name, sizeof(name), "return_%s", shapes[i].name);
		REQUIRE(find_function(name, &function) && tl_type_target(function, &type, &error) == TL_OK);
		REQUIRE(tl_abi_result_place(&tl_cpu_x86_64, type, &where, &error) == TL_OK);
		REQUIRE(tl_value_at(&values, type, (tl_u64)(tl_uintptr)pattern, &value, &error) == TL_OK);
		memset(file, 0x77, sizeof(file));
		if (where.kind == TL_ABI_MEMORY) {
			CHECK_EQUAL(tl_abi_set_result(&values, &tl_cpu_x86_64, file, &value, &banks, &error),
				    TL_ERROR_UNSUPPORTED);
			continue;
		}
		CHECK_EQUAL(tl_abi_set_result(&values, &tl_cpu_x86_64, file, &value, &banks, &error), TL_OK);
		CHECK_EQUAL(tl_abi_result(&values, &tl_cpu_x86_64, file, type, &value, &known, &error), TL_OK);
		CHECK(same(shapes[i].name, "set", &value, pattern));
		CHECK(banks != 0 || where.piece_count == 0);
	}
	close_types();
}
