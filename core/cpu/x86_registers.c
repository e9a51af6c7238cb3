#include "core/cpu/x86_registers.h"

#define ROW(name, alternate, type, group, generic, offset, bits, feature, dwarf, upper)                                \
	{name,                                                                                                         \
	 alternate,                                                                                                    \
	 type,                                                                                                         \
	 group,                                                                                                        \
	 generic,                                                                                                      \
	 offset,                                                                                                       \
	 bits,                                                                                                         \
	 (offset) < TL_X86_GENERAL_SIZE ? TL_BANK_GENERAL                                                              \
	 : (offset) < TL_X86_AT_SYSTEM  ? TL_X86_BANK_EXTENDED                                                         \
					: TL_X86_BANK_SYSTEM,                                                           \
	 TL_X86_FEATURE_##feature,                                                                                     \
	 dwarf,                                                                                                        \
	 dwarf,                                                                                                        \
	 upper},

const struct tl_register tl_x86_64_registers[] = {
#define X(id, ...) ROW(__VA_ARGS__)
	TL_X86_64_REGISTERS(X) TL_X86_SYSTEM_REGISTERS(TL_X86_64_ROW_SYSTEM)
#undef X
		{.name = NULL}};

const struct tl_register tl_i386_registers[] = {
#define X(id, ...) ROW(__VA_ARGS__)
	TL_I386_REGISTERS(X)
#undef X
		{.name = NULL}};

#define BIT(name, number) "<field name=\"" name "\" start=\"" number "\" end=\"" number "\" type=\"bool\"/>"
#define VECTOR(id, type, count) "<vector id=\"" id "\" type=\"" type "\" count=\"" count "\"/>"
#define FIELD(name, type) "<field name=\"" name "\" type=\"" type "\"/>"

/* Names and order of the fields are what GDB prints for $eflags, $mxcsr and $xmm0. */
/* clang-format off */
#define EFLAGS_TYPE                                                                                                    \
	"<flags id=\"i386_eflags\" size=\"4\">"                                                                        \
	BIT("CF", "0") \
	BIT("", "1") \
	BIT("PF", "2") \
	BIT("AF", "4") \
	BIT("ZF", "6") \
	BIT("SF", "7") \
	BIT("TF", "8") \
	BIT("IF", "9") \
	BIT("DF", "10") \
	BIT("OF", "11") \
	BIT("NT", "14") \
	BIT("RF", "16") \
	BIT("VM", "17") \
	BIT("AC", "18") \
	BIT("VIF", "19") \
	BIT("VIP", "20") \
	BIT("ID", "21") \
	"</flags>"

#define MXCSR_TYPE                                                                                                     \
	"<flags id=\"i386_mxcsr\" size=\"4\">"                                                                         \
	BIT("IE", "0") \
	BIT("DE", "1") \
	BIT("ZE", "2") \
	BIT("OE", "3") \
	BIT("UE", "4") \
	BIT("PE", "5") \
	BIT("DAZ", "6") \
	BIT("IM", "7") \
	BIT("DM", "8") \
	BIT("ZM", "9") \
	BIT("OM", "10") \
	BIT("UM", "11") \
	BIT("PM", "12") \
	BIT("FZ", "15") \
	"</flags>"

#define VEC128_TYPE                                                                                                    \
	VECTOR("v8bf16", "bfloat16", "8")                                                                              \
	VECTOR("v8h", "ieee_half", "8")                                                                                \
	VECTOR("v4f", "ieee_single", "4")                                                                              \
	VECTOR("v2d", "ieee_double", "2")                                                                              \
	VECTOR("v16i8", "int8", "16")                                                                                  \
	VECTOR("v8i16", "int16", "8")                                                                                  \
	VECTOR("v4i32", "int32", "4")                                                                                  \
	VECTOR("v2i64", "int64", "2")                                                                                  \
	"<union id=\"vec128\">"                                                                                        \
	FIELD("v8_bfloat16", "v8bf16")                                                                                 \
	FIELD("v8_half", "v8h")                                                                                        \
	FIELD("v4_float", "v4f")                                                                                       \
	FIELD("v2_double", "v2d")                                                                                      \
	FIELD("v16_int8", "v16i8")                                                                                     \
	FIELD("v8_int16", "v8i16")                                                                                     \
	FIELD("v4_int32", "v4i32")                                                                                     \
	FIELD("v2_int64", "v2i64")                                                                                     \
	FIELD("uint128", "uint128")                                                                                    \
	"</union>"
/* clang-format on */

const struct tl_feature tl_x86_features[] = {
	[TL_X86_FEATURE_CORE] = {"org.gnu.gdb.i386.core", EFLAGS_TYPE},
	[TL_X86_FEATURE_SSE] = {"org.gnu.gdb.i386.sse", VEC128_TYPE MXCSR_TYPE},
	[TL_X86_FEATURE_LINUX] = {"org.gnu.gdb.i386.linux", ""},
	[TL_X86_FEATURE_SEGMENTS] = {"org.gnu.gdb.i386.segments", ""},
	[TL_X86_FEATURE_AVX] = {"org.gnu.gdb.i386.avx", ""},
	[TL_X86_FEATURE_AVX512] = {"org.gnu.gdb.i386.avx512", VEC128_TYPE VECTOR("v2ui128", "uint128", "2")},
	[TL_X86_FEATURE_PKEYS] = {"org.gnu.gdb.i386.pkeys", ""},
	[TL_X86_FEATURE_SYSTEM] = {"org.trapline.i386.system", tl_x86_system_types},
};

const tl_i16 tl_x86_64_expedited[] = {TL_X86_64_RIP,     TL_X86_64_RSP,     TL_X86_64_RBP,
				      TL_X86_64_EFLAGS,  TL_X86_64_RAX,     TL_X86_64_RBX,
				      TL_X86_64_RCX,     TL_X86_64_RDX,     TL_X86_64_RSI,
				      TL_X86_64_RDI,     TL_X86_64_R8,      TL_X86_64_R9,
				      TL_X86_64_R10,     TL_X86_64_R11,     TL_X86_64_R12,
				      TL_X86_64_R13,     TL_X86_64_R14,     TL_X86_64_R15,
				      TL_X86_64_CS,      TL_X86_64_SS,      TL_X86_64_DS,
				      TL_X86_64_ES,      TL_X86_64_FS,      TL_X86_64_GS,
				      TL_X86_64_FS_BASE, TL_X86_64_GS_BASE, -1};

const tl_i16 tl_i386_expedited[] = {TL_I386_EIP, TL_I386_ESP, TL_I386_EBP, TL_I386_EFLAGS, TL_I386_EAX, TL_I386_ECX,
				    TL_I386_EDX, TL_I386_EBX, TL_I386_ESI, TL_I386_EDI,    TL_I386_CS,  TL_I386_SS,
				    TL_I386_DS,  TL_I386_ES,  TL_I386_FS,  TL_I386_GS,     -1};
