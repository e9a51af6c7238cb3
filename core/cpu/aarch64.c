#include "core/cpu/arm64_carry_out.h"
#include "core/cpu/arm64_decode.h"
#include "core/cpu/arm64_layout.h"
#include "core/cpu/cpu.h"

/* ---- Types ---- */

#define FLAG(name, number) "<field name=\"" name "\" start=\"" number "\" end=\"" number "\"/>"
#define VECTOR(id, type, count) "<vector id=\"" id "\" type=\"" type "\" count=\"" count "\"/>"
#define FIELD(name, type) "<field name=\"" name "\" type=\"" type "\"/>"

/* Names and order of the fields are what GDB prints for $cpsr and $v0. */
/* clang-format off */
#define CORE_TYPES                                                                                                     \
	"<flags id=\"cpsr_flags\" size=\"4\">"                                                                         \
	FLAG("SP", "0") \
	"<field name=\"EL\" start=\"2\" end=\"3\"/>" \
	FLAG("nRW", "4") FLAG("F", "6") FLAG("I", "7") FLAG("A", "8") FLAG("D", "9") \
	"<field name=\"BTYPE\" start=\"10\" end=\"11\"/>" \
	FLAG("SSBS", "12") FLAG("IL", "20") FLAG("SS", "21") FLAG("PAN", "22") FLAG("UAO", "23") FLAG("DIT", "24") \
	FLAG("TCO", "25") FLAG("V", "28") FLAG("C", "29") FLAG("Z", "30") FLAG("N", "31") \
	"</flags>\n"

#define FPU_TYPES                                                                                                      \
	VECTOR("v2d", "ieee_double", "2") VECTOR("v2u", "uint64", "2") VECTOR("v2i", "int64", "2") \
	VECTOR("v4f", "ieee_single", "4") VECTOR("v4u", "uint32", "4") VECTOR("v4i", "int32", "4") \
	VECTOR("v8f", "ieee_half", "8") VECTOR("v8u", "uint16", "8") VECTOR("v8i", "int16", "8") \
	VECTOR("v8bf16", "bfloat16", "8") VECTOR("v16u", "uint8", "16") VECTOR("v16i", "int8", "16") \
	VECTOR("v1u", "uint128", "1") VECTOR("v1i", "int128", "1") \
	"<union id=\"vnd\">" FIELD("f", "v2d") FIELD("u", "v2u") FIELD("s", "v2i") "</union>" \
	"<union id=\"vns\">" FIELD("f", "v4f") FIELD("u", "v4u") FIELD("s", "v4i") "</union>" \
	"<union id=\"vnh\">" FIELD("bf", "v8bf16") FIELD("f", "v8f") FIELD("u", "v8u") FIELD("s", "v8i") "</union>" \
	"<union id=\"vnb\">" FIELD("u", "v16u") FIELD("s", "v16i") "</union>" \
	"<union id=\"vnq\">" FIELD("u", "v1u") FIELD("s", "v1i") "</union>" \
	"<union id=\"aarch64v\">" FIELD("d", "vnd") FIELD("s", "vns") FIELD("h", "vnh") FIELD("b", "vnb") \
	FIELD("q", "vnq") "</union>\n"

/* Of a vector of `bytes` bytes: how many halves, words, double and quad words it has; and a predicate's bytes. */
#define SVE_TYPES(bytes, halves, words, doubles, quads, predicate)                                                     \
	VECTOR("svevqu", "uint128", quads) VECTOR("svevqs", "int128", quads) \
	VECTOR("svevdf", "ieee_double", doubles) VECTOR("svevdu", "uint64", doubles) \
	VECTOR("svevds", "int64", doubles) VECTOR("svevsf", "ieee_single", words) VECTOR("svevsu", "uint32", words) \
	VECTOR("svevss", "int32", words) VECTOR("svevhf", "ieee_half", halves) VECTOR("svevhu", "uint16", halves) \
	VECTOR("svevhs", "int16", halves) VECTOR("svevbu", "uint8", bytes) VECTOR("svevbs", "int8", bytes) \
	"<union id=\"svevnq\">" FIELD("u", "svevqu") FIELD("s", "svevqs") "</union>" \
	"<union id=\"svevnd\">" FIELD("f", "svevdf") FIELD("u", "svevdu") FIELD("s", "svevds") "</union>" \
	"<union id=\"svevns\">" FIELD("f", "svevsf") FIELD("u", "svevsu") FIELD("s", "svevss") "</union>" \
	"<union id=\"svevnh\">" FIELD("f", "svevhf") FIELD("u", "svevhu") FIELD("s", "svevhs") "</union>" \
	"<union id=\"svevnb\">" FIELD("u", "svevbu") FIELD("s", "svevbs") "</union>" \
	"<union id=\"svev\">" FIELD("q", "svevnq") FIELD("d", "svevnd") FIELD("s", "svevns") FIELD("h", "svevnh") \
	FIELD("b", "svevnb") "</union>" \
	VECTOR("svep", "uint8", predicate) "\n"

/* ---- Registers ---- */

#define X_ROW(n, alternate, generic)                                                                                   \
	{"x" #n, alternate, "int", "general", generic, TL_ARM64_AT_X + 8 * (n), 64, TL_BANK_GENERAL,                   \
	 TL_ARM64_FEATURE_CORE, n, n, 0},
#define V_ROW(n)                                                                                                       \
	{"v" #n, NULL, "aarch64v", NULL, NULL, TL_ARM64_AT_V + 16 * (n), 128, TL_ARM64_BANK_VECTOR,                    \
	 TL_ARM64_FEATURE_FPU, 64 + (n), 64 + (n), 0},
/* Code knows them as v0 to v31, which are their lower parts: their DWARF numbers are those. */
#define Z_ROW(n, length)                                                                                               \
	{"z" #n, "v" #n, "svev", NULL, NULL, TL_ARM64_AT_Z + (n) * (length), 8 * (length), TL_ARM64_BANK_VECTOR,       \
	 TL_ARM64_FEATURE_SVE, 64 + (n), 64 + (n), 0},
#define P_ROW(n, length)                                                                                               \
	{"p" #n, NULL, "svep", NULL, NULL, TL_ARM64_AT_P(length) + (n) * (length) / 8, length,                         \
	 TL_ARM64_BANK_VECTOR, TL_ARM64_FEATURE_SVE, 48 + (n), 48 + (n), 0},
#define SYSTEM_ROW(name, alternate, type, at, feature, dwarf)                                                          \
	{name, alternate, type, "system", NULL, at, 64, TL_ARM64_BANK_SYSTEM, TL_ARM64_FEATURE_##feature, dwarf,       \
	 dwarf, 0},
#define STATUS_ROW(name, at, feature)                                                                                  \
	{name, NULL, "int", "float", NULL, at, 32, TL_ARM64_BANK_VECTOR, TL_ARM64_FEATURE_##feature, -1, -1, 0},

#define CORE_ROWS                                                                                                      \
	X_ROW(0, NULL, "arg1") X_ROW(1, NULL, "arg2") X_ROW(2, NULL, "arg3") X_ROW(3, NULL, "arg4") \
	X_ROW(4, NULL, "arg5") X_ROW(5, NULL, "arg6") X_ROW(6, NULL, "arg7") X_ROW(7, NULL, "arg8") \
	X_ROW(8, NULL, NULL) X_ROW(9, NULL, NULL) X_ROW(10, NULL, NULL) X_ROW(11, NULL, NULL) X_ROW(12, NULL, NULL) \
	X_ROW(13, NULL, NULL) X_ROW(14, NULL, NULL) X_ROW(15, NULL, NULL) X_ROW(16, NULL, NULL) \
	X_ROW(17, NULL, NULL) X_ROW(18, NULL, NULL) X_ROW(19, NULL, NULL) X_ROW(20, NULL, NULL) \
	X_ROW(21, NULL, NULL) X_ROW(22, NULL, NULL) X_ROW(23, NULL, NULL) X_ROW(24, NULL, NULL) \
	X_ROW(25, NULL, NULL) X_ROW(26, NULL, NULL) X_ROW(27, NULL, NULL) X_ROW(28, NULL, NULL) \
	X_ROW(29, "fp", "fp") X_ROW(30, "lr", "ra") \
	{"sp", NULL, "data_ptr", "general", "sp", TL_ARM64_AT_SP, 64, TL_BANK_GENERAL, TL_ARM64_FEATURE_CORE, 31, 31, \
	 0}, \
	{"pc", NULL, "code_ptr", "general", "pc", TL_ARM64_AT_PC, 64, TL_BANK_GENERAL, TL_ARM64_FEATURE_CORE, 32, 32, \
	 0}, \
	{"cpsr", NULL, "cpsr_flags", "general", "flags", TL_ARM64_AT_PSTATE, 32, TL_BANK_GENERAL, \
	 TL_ARM64_FEATURE_CORE, 33, 33, 0},
#define FPU_ROWS                                                                                                       \
	V_ROW(0) V_ROW(1) V_ROW(2) V_ROW(3) V_ROW(4) V_ROW(5) V_ROW(6) V_ROW(7) V_ROW(8) V_ROW(9) V_ROW(10) \
	V_ROW(11) V_ROW(12) V_ROW(13) V_ROW(14) V_ROW(15) V_ROW(16) V_ROW(17) V_ROW(18) V_ROW(19) V_ROW(20) \
	V_ROW(21) V_ROW(22) V_ROW(23) V_ROW(24) V_ROW(25) V_ROW(26) V_ROW(27) V_ROW(28) V_ROW(29) V_ROW(30) \
	V_ROW(31) \
	STATUS_ROW("fpsr", TL_ARM64_AT_FPSR, FPU) STATUS_ROW("fpcr", TL_ARM64_AT_FPCR, FPU)
#define EIGHT_Z(a, b, c, d, e, f, g, h, l)                                                                             \
	Z_ROW(a, l) Z_ROW(b, l) Z_ROW(c, l) Z_ROW(d, l) Z_ROW(e, l) Z_ROW(f, l) Z_ROW(g, l) Z_ROW(h, l)
#define EIGHT_P(a, b, c, d, e, f, g, h, l)                                                                             \
	P_ROW(a, l) P_ROW(b, l) P_ROW(c, l) P_ROW(d, l) P_ROW(e, l) P_ROW(f, l) P_ROW(g, l) P_ROW(h, l)
#define SVE_ROWS(length)                                                                                               \
	EIGHT_Z(0, 1, 2, 3, 4, 5, 6, 7, length) EIGHT_Z(8, 9, 10, 11, 12, 13, 14, 15, length) \
	EIGHT_Z(16, 17, 18, 19, 20, 21, 22, 23, length) EIGHT_Z(24, 25, 26, 27, 28, 29, 30, 31, length) \
	STATUS_ROW("fpsr", TL_ARM64_AT_FPSR, SVE) STATUS_ROW("fpcr", TL_ARM64_AT_FPCR, SVE) \
	EIGHT_P(0, 1, 2, 3, 4, 5, 6, 7, length) EIGHT_P(8, 9, 10, 11, 12, 13, 14, 15, length) \
	{"ffr", NULL, "svep", NULL, NULL, TL_ARM64_AT_FFR(length), length, TL_ARM64_BANK_VECTOR, \
	 TL_ARM64_FEATURE_SVE, 47, 47, 0}, \
	{"vg", NULL, "int", "system", NULL, TL_ARM64_AT_VG, 64, TL_ARM64_BANK_VECTOR, TL_ARM64_FEATURE_SVE, 46, 46, 0},
#define SYSTEM_ROWS                                                                                                    \
	SYSTEM_ROW("pauth_dmask", "data_mask", "int", TL_ARM64_AT_DATA_MASK, PAUTH, -1) \
	SYSTEM_ROW("pauth_cmask", "code_mask", "int", TL_ARM64_AT_CODE_MASK, PAUTH, -1) \
	SYSTEM_ROW("tag_ctl", NULL, "uint64", TL_ARM64_AT_TAG_CONTROL, MTE, -1) \
	SYSTEM_ROW("tpidr", NULL, "data_ptr", TL_ARM64_AT_TPIDR, TLS, 36) \
	{.name = NULL}

static const struct tl_register registers[] = {CORE_ROWS FPU_ROWS SYSTEM_ROWS};
static const struct tl_register registers_16[] = {CORE_ROWS SVE_ROWS(16) SYSTEM_ROWS};
static const struct tl_register registers_32[] = {CORE_ROWS SVE_ROWS(32) SYSTEM_ROWS};
static const struct tl_register registers_64[] = {CORE_ROWS SVE_ROWS(64) SYSTEM_ROWS};
static const struct tl_register registers_128[] = {CORE_ROWS SVE_ROWS(128) SYSTEM_ROWS};
static const struct tl_register registers_256[] = {CORE_ROWS SVE_ROWS(256) SYSTEM_ROWS};

#define FEATURES(sve_types)                                                                                            \
	{                                                                                                              \
		[TL_ARM64_FEATURE_CORE] = {"org.gnu.gdb.aarch64.core", CORE_TYPES},                                    \
		[TL_ARM64_FEATURE_FPU] = {"org.gnu.gdb.aarch64.fpu", FPU_TYPES},                                       \
		[TL_ARM64_FEATURE_SVE] = {"org.gnu.gdb.aarch64.sve", sve_types},                                       \
		[TL_ARM64_FEATURE_PAUTH] = {"org.gnu.gdb.aarch64.pauth", ""},                                          \
		[TL_ARM64_FEATURE_MTE] = {"org.gnu.gdb.aarch64.mte", ""},                                              \
		[TL_ARM64_FEATURE_TLS] = {"org.gnu.gdb.aarch64.tls", ""},                                              \
	}

static const struct tl_feature features[] = FEATURES("");
static const struct tl_feature features_16[] = FEATURES(SVE_TYPES("16", "8", "4", "2", "1", "2"));
static const struct tl_feature features_32[] = FEATURES(SVE_TYPES("32", "16", "8", "4", "2", "4"));
static const struct tl_feature features_64[] = FEATURES(SVE_TYPES("64", "32", "16", "8", "4", "8"));
static const struct tl_feature features_128[] = FEATURES(SVE_TYPES("128", "64", "32", "16", "8", "16"));
static const struct tl_feature features_256[] = FEATURES(SVE_TYPES("256", "128", "64", "32", "16", "32"));
/* clang-format on */

/* Indices in the tables, which all begin alike. */
enum { REGISTER_FP = 29, REGISTER_LR = 30, REGISTER_SP = 31, REGISTER_PC = 32 };

/* What a client asks for first: where the thread stands, and who called. */
static const tl_i16 expedited[] = {REGISTER_FP, REGISTER_LR, REGISTER_SP, REGISTER_PC, -1};

/* ---- Instructions ---- */

static enum tl_status take_apart(const tl_u8 *bytes, tl_size size, struct tl_arm64_instruction *in_ret)
{
	if (size < 4)
		return TL_ERROR_TRUNCATED;
	return tl_arm64_decode((tl_u32)tl_load_little(bytes, 4), in_ret);
}

static enum tl_status decode(const tl_u8 *bytes, tl_size size, struct tl_instruction *instruction_ret)
{
	struct tl_arm64_instruction in;

	TL_TRY(take_apart(bytes, size, &in));
	*instruction_ret = (struct tl_instruction){
		.length = 4,
		.flow = in.flow,
		.carried_out = tl_arm64_carries_out(&in),
		.relocatable = tl_arm64_relocatable(&in),
		.reads_memory = (in.access & TL_ACCESS_READ) != 0,
		.writes_memory = (in.access & TL_ACCESS_WRITE) != 0,
	};
	return TL_OK;
}

/* The sequence goes on at its ends, for a machine that steps by traps. */
static bool sequence_ends(tl_u64 at, const struct tl_memory_access *memory, tl_u64 successors_ret[TL_SUCCESSORS_MAX],
			  tl_size *count_ret)
{
	struct tl_arm64_sequence sequence;

	_Static_assert(TL_ARM64_ENDS_MAX <= TL_SUCCESSORS_MAX, "all ends are successors");
	if (tl_arm64_sequence_at(at, memory, &sequence) != TL_OK)
		return false;
	tl_copy(successors_ret, sequence.ends, sequence.end_count * sizeof(sequence.ends[0]));
	*count_ret = sequence.end_count;
	return true;
}

static enum tl_status successors(const tl_u8 *file, const tl_u8 *bytes, tl_size size,
				 const struct tl_memory_access *memory, tl_u64 successors_ret[TL_SUCCESSORS_MAX],
				 tl_size *count_ret)
{
	struct tl_arm64_instruction in;
	tl_u64 at = tl_load_little(file + TL_ARM64_AT_PC, 8);

	TL_TRY(take_apart(bytes, size, &in));
	/* Where the address is authenticated, it is not ours to say what comes of it. */
	if (in.kind == TL_ARM64_AUTHENTICATED || in.kind == TL_ARM64_PRIVILEGED)
		return TL_ERROR_INSTRUCTION;
	if (in.kind == TL_ARM64_LOAD_EXCLUSIVE && sequence_ends(at, memory, successors_ret, count_ret))
		return TL_OK;
	*count_ret = 1;
	successors_ret[0] = at + 4;
	if (in.kind == TL_ARM64_BR || in.kind == TL_ARM64_BLR || in.kind == TL_ARM64_RET) {
		successors_ret[0] = tl_arm64_register(file, in.rn, false);
	} else if (in.kind == TL_ARM64_B || in.kind == TL_ARM64_BL) {
		successors_ret[0] = at + (tl_u64)in.immediate;
	} else if (in.flow == TL_FLOW_BRANCH) {
		successors_ret[1] = at + (tl_u64)in.immediate;
		*count_ret = 2;
	}
	return TL_OK;
}

static enum tl_status carry_out(tl_u8 *file, const tl_u8 *bytes, tl_size size, const struct tl_memory_access *memory)
{
	struct tl_arm64_instruction in;

	TL_TRY(take_apart(bytes, size, &in));
	return tl_arm64_carry_out(file, &in, memory);
}

static enum tl_status carry_out_exclusive(tl_u8 *file, const tl_u8 *bytes, tl_size size,
					  const struct tl_memory_access *memory, struct tl_reservation *reservation)
{
	struct tl_arm64_instruction in;

	TL_TRY(take_apart(bytes, size, &in));
	return tl_arm64_carry_out_exclusive(file, &in, memory, reservation);
}

static enum tl_status relocate(const tl_u8 *bytes, tl_size size, tl_u64 from, tl_u64 to,
			       tl_u8 code_ret[TL_RELOCATED_MAX], tl_size *length_ret, tl_size *body_ret)
{
	struct tl_arm64_instruction in;

	TL_TRY(take_apart(bytes, size, &in));
	return tl_arm64_relocate(&in, from, to, code_ret, length_ret, body_ret);
}

/* ---- Descriptions ---- */

/* The trap is `brk #0`, which leaves the program counter where it stands. */
#define CPU(rows, size, all_features, base)                                                                            \
	{                                                                                                              \
		.name = "aarch64", .architecture = "aarch64", .triple_cpu = "aarch64", .address_size = 8,              \
		.registers = (rows), .register_count = TL_COUNT(rows) - 1, .file_size = (size), .bank_count = 3,       \
		.features = (all_features), .feature_count = TL_ARM64_FEATURE_MAX,                                     \
		.base_features = 1u << TL_ARM64_FEATURE_CORE | 1u << (base), .program_counter = REGISTER_PC,           \
		.stack_pointer = REGISTER_SP, .frame_pointer = REGISTER_FP, .expedited = expedited,                    \
		.trap = {0x00, 0x00, 0x20, 0xd4}, .trap_size = 4, .trap_advance = 0, .instruction_alignment = 4,       \
		.gdb_steps_past_watchpoints = true, .decode = decode, .successors = successors,                        \
		.carry_out = carry_out, .relocate = relocate, .in_sequence = tl_arm64_in_sequence,                     \
		.carry_out_exclusive = carry_out_exclusive                                                             \
	}

const struct tl_cpu tl_cpu_aarch64 = CPU(registers, TL_ARM64_FILE_SIZE, features, TL_ARM64_FEATURE_FPU);

static const struct tl_cpu with_vectors[TL_ARM64_VECTOR_LENGTHS] = {
	CPU(registers_16, TL_ARM64_SVE_FILE_SIZE(16), features_16, TL_ARM64_FEATURE_SVE),
	CPU(registers_32, TL_ARM64_SVE_FILE_SIZE(32), features_32, TL_ARM64_FEATURE_SVE),
	CPU(registers_64, TL_ARM64_SVE_FILE_SIZE(64), features_64, TL_ARM64_FEATURE_SVE),
	CPU(registers_128, TL_ARM64_SVE_FILE_SIZE(128), features_128, TL_ARM64_FEATURE_SVE),
	CPU(registers_256, TL_ARM64_SVE_FILE_SIZE(256), features_256, TL_ARM64_FEATURE_SVE),
};

const struct tl_cpu *tl_arm64_with_vectors(tl_u64 length)
{
	for (unsigned i = 0; i < TL_ARM64_VECTOR_LENGTHS; i++)
		if (length == (tl_u64)16 << i)
			return &with_vectors[i];
	return NULL;
}

tl_u64 tl_arm64_vector_length(const struct tl_cpu *cpu)
{
	for (unsigned i = 0; i < TL_ARM64_VECTOR_LENGTHS; i++)
		if (cpu == &with_vectors[i])
			return (tl_u64)16 << i;
	return 0;
}
