#include "core/cpu/cpu.h"
#include "core/cpu/riscv_decode.h"
#include "core/cpu/riscv_layout.h"

/* DWARF numbers: x registers from 0, f registers from 32, control registers from 4096 on. */
#define DWARF_FLOAT 32
#define DWARF_CONTROL 4096

#define CONTROL_ROW(register_name, where, width, number, feature_of, type_of)                                          \
	{                                                                                                              \
		.name = (register_name), .type = (type_of), .group = "system", .offset = (where), .bits = (width),     \
		.bank = TL_RISCV_BANK_CONTROL, .feature = (feature_of), .dwarf = (number), .ehframe = (number)         \
	}

#define FLOAT_STATUS_ROW(register_name, where, number)                                                                 \
	{                                                                                                              \
		.name = (register_name), .type = "int", .group = "float", .offset = (where), .bits = 32,               \
		.bank = TL_RISCV_BANK_FLOAT, .feature = TL_RISCV_FEATURE_FPU, .dwarf = DWARF_CONTROL + (number),       \
		.ehframe = DWARF_CONTROL + (number)                                                                    \
	}

static const struct tl_register registers[] = {
#define X(id, register_name, other, role, number)                                                                      \
	{.name = (register_name),                                                                                      \
	 .alternate = (other),                                                                                         \
	 .type = (number) == 2 || (number) == 3 || (number) == 4 || (number) == 8 ? "data_ptr"                         \
		 : (number) == 1                                                  ? "code_ptr"                         \
										  : "int",                                                                              \
	 .generic = (role),                                                                                            \
	 .offset = TL_RISCV_AT_X + 8 * (number),                                                                       \
	 .bits = 64,                                                                                                   \
	 .bank = TL_BANK_GENERAL,                                                                                      \
	 .feature = TL_RISCV_FEATURE_CPU,                                                                              \
	 .dwarf = (number),                                                                                            \
	 .ehframe = (number)},
	TL_RISCV_GENERAL(X)
#undef X
		{.name = "pc",
		 .type = "code_ptr",
		 .generic = "pc",
		 .offset = TL_RISCV_AT_PC,
		 .bits = 64,
		 .bank = TL_BANK_GENERAL,
		 .feature = TL_RISCV_FEATURE_CPU,
		 .dwarf = -1,
		 .ehframe = -1},
#define X(id, register_name, other, number)                                                                            \
	{.name = (register_name),                                                                                      \
	 .alternate = (other),                                                                                         \
	 .type = "riscv_double",                                                                                       \
	 .group = "float",                                                                                             \
	 .offset = TL_RISCV_AT_F + 8 * (number),                                                                       \
	 .bits = 64,                                                                                                   \
	 .bank = TL_RISCV_BANK_FLOAT,                                                                                  \
	 .feature = TL_RISCV_FEATURE_FPU,                                                                              \
	 .dwarf = DWARF_FLOAT + (number),                                                                              \
	 .ehframe = DWARF_FLOAT + (number)},
	TL_RISCV_FLOAT(X)
#undef X
		FLOAT_STATUS_ROW("fflags", TL_RISCV_AT_FFLAGS, TL_RISCV_CSR_FFLAGS),
	FLOAT_STATUS_ROW("frm", TL_RISCV_AT_FRM, TL_RISCV_CSR_FRM),
	FLOAT_STATUS_ROW("fcsr", TL_RISCV_AT_FCSR, TL_RISCV_CSR_FCSR),
#define X(id, register_name, number)                                                                                   \
	CONTROL_ROW(register_name, TL_RISCV_AT_CONTROL + 8 * (TL_RISCV_REGISTER_##id - TL_RISCV_REGISTER_FCSR - 1),    \
		    64, DWARF_CONTROL + (number), TL_RISCV_FEATURE_CSR, "int"),
	TL_RISCV_CONTROL(X)
#undef X
		CONTROL_ROW("priv", TL_RISCV_AT_PRIV, 64, -1, TL_RISCV_FEATURE_VIRTUAL, "int"),
	{.name = NULL}};

static const struct tl_feature features[] = {
	[TL_RISCV_FEATURE_CPU] = {"org.gnu.gdb.riscv.cpu", ""},
	[TL_RISCV_FEATURE_FPU] = {"org.gnu.gdb.riscv.fpu",
				  "<union id=\"riscv_double\"><field name=\"float\" type=\"ieee_single\"/>"
				  "<field name=\"double\" type=\"ieee_double\"/></union>"},
	[TL_RISCV_FEATURE_CSR] = {"org.gnu.gdb.riscv.csr", ""},
	[TL_RISCV_FEATURE_VIRTUAL] = {"org.gnu.gdb.riscv.virtual", ""},
};

/* The program counter, the frame, and what an unwinder asks for next. */
static const tl_i16 expedited[] = {TL_RISCV_REGISTER_PC,  TL_RISCV_REGISTER_SP, TL_RISCV_REGISTER_RA,
				   TL_RISCV_REGISTER_FP,  TL_RISCV_REGISTER_GP, TL_RISCV_REGISTER_TP,
				   TL_RISCV_REGISTER_S1,  TL_RISCV_REGISTER_A0, TL_RISCV_REGISTER_A1,
				   TL_RISCV_REGISTER_A2,  TL_RISCV_REGISTER_A3, TL_RISCV_REGISTER_A4,
				   TL_RISCV_REGISTER_A5,  TL_RISCV_REGISTER_A6, TL_RISCV_REGISTER_A7,
				   TL_RISCV_REGISTER_S2,  TL_RISCV_REGISTER_S3, TL_RISCV_REGISTER_S4,
				   TL_RISCV_REGISTER_S5,  TL_RISCV_REGISTER_S6, TL_RISCV_REGISTER_S7,
				   TL_RISCV_REGISTER_S8,  TL_RISCV_REGISTER_S9, TL_RISCV_REGISTER_S10,
				   TL_RISCV_REGISTER_S11, TL_RISCV_REGISTER_T0, TL_RISCV_REGISTER_T1,
				   TL_RISCV_REGISTER_T2,  TL_RISCV_REGISTER_T3, TL_RISCV_REGISTER_T4,
				   TL_RISCV_REGISTER_T5,  TL_RISCV_REGISTER_T6, -1};

/* x1 and x5 are link registers: volume I, 2.5.1, "return-address stack prediction hints". */
static bool is_link(tl_u8 number)
{
	return number == 1 || number == 5;
}

static enum tl_flow flow_of(const struct tl_riscv_instruction *instruction)
{
	enum tl_riscv_format format = tl_riscv_format(instruction->operation);

	if (format == TL_RISCV_FORMAT_J)
		return is_link(instruction->rd) ? TL_FLOW_CALL : TL_FLOW_JUMP;
	if (format == TL_RISCV_FORMAT_JALR && is_link(instruction->rd))
		return TL_FLOW_CALL;
	if (format == TL_RISCV_FORMAT_JALR)
		return is_link(instruction->rs1) && instruction->rd == 0 ? TL_FLOW_RETURN : TL_FLOW_JUMP;
	if (format == TL_RISCV_FORMAT_B)
		return TL_FLOW_BRANCH;
	if (instruction->operation == TL_RISCV_ECALL)
		return TL_FLOW_SYSCALL;
	if (instruction->operation == TL_RISCV_EBREAK)
		return TL_FLOW_TRAP;
	/* Returns from traps; and what would lose a reservation if something came between it and its partner. */
	if (instruction->operation == TL_RISCV_SRET || instruction->operation == TL_RISCV_MRET ||
	    format == TL_RISCV_FORMAT_LR)
		return TL_FLOW_SPECIAL;
	return TL_FLOW_NEXT;
}

static enum tl_status decode(const tl_u8 *bytes, tl_size size, struct tl_instruction *instruction_ret)
{
	struct tl_riscv_instruction instruction;
	enum tl_riscv_format format;

	TL_TRY(tl_riscv_decode(bytes, size, &instruction));
	format = tl_riscv_format(instruction.operation);
	*instruction_ret = (struct tl_instruction){
		.length = instruction.length,
		.flow = (tl_u8)flow_of(&instruction),
		.reads_memory = format == TL_RISCV_FORMAT_LOAD || format == TL_RISCV_FORMAT_F_LOAD ||
				format == TL_RISCV_FORMAT_LR || format == TL_RISCV_FORMAT_AMO,
		.writes_memory = format == TL_RISCV_FORMAT_STORE || format == TL_RISCV_FORMAT_F_STORE ||
				 format == TL_RISCV_FORMAT_AMO,
	};
	return TL_OK;
}

static tl_u64 general(const tl_u8 *file, tl_u8 number)
{
	return number == 0 ? 0 : tl_load_little(file + TL_RISCV_AT_X + 8 * (tl_size)number, 8);
}

static enum tl_status successors(const tl_u8 *file, const tl_u8 *bytes, tl_size size,
				 const struct tl_memory_access *memory, tl_u64 successors_ret[TL_SUCCESSORS_MAX],
				 tl_size *count_ret)
{
	struct tl_riscv_instruction instruction;
	tl_u64 at = tl_load_little(file + TL_RISCV_AT_PC, 8);
	tl_u64 distance;

	(void)memory; /* no jump goes through it */
	TL_TRY(tl_riscv_decode(bytes, size, &instruction));
	distance = (tl_u64)(tl_i64)instruction.immediate;
	*count_ret = 1;
	successors_ret[0] = at + instruction.length;
	switch (instruction.operation) {
	case TL_RISCV_JAL:
		successors_ret[0] = at + distance;
		break;
	case TL_RISCV_JALR:
		successors_ret[0] = (general(file, instruction.rs1) + distance) & ~(tl_u64)1;
		break;
	case TL_RISCV_BEQ:
	case TL_RISCV_BNE:
	case TL_RISCV_BLT:
	case TL_RISCV_BGE:
	case TL_RISCV_BLTU:
	case TL_RISCV_BGEU:
		successors_ret[1] = at + distance;
		*count_ret = 2;
		break;
	default:
		break;
	}
	return TL_OK;
}

const struct tl_cpu tl_cpu_riscv64 = {
	.name = "riscv64",
	.architecture = "riscv:rv64",
	.triple_cpu = "riscv64",
	.address_size = 8,
	.registers = registers,
	.register_count = TL_RISCV_REGISTER_MAX,
	.file_size = TL_RISCV_FILE_SIZE,
	.bank_count = 3,
	.features = features,
	.feature_count = TL_RISCV_FEATURE_MAX,
	.base_features = 1u << TL_RISCV_FEATURE_CPU,
	.program_counter = TL_RISCV_REGISTER_PC,
	.stack_pointer = TL_RISCV_REGISTER_SP,
	.frame_pointer = TL_RISCV_REGISTER_FP,
	.expedited = expedited,
	.trap = {0x02, 0x90}, /* c.ebreak: fits wherever an instruction stands */
	.trap_size = 2,
	.trap_advance = 0,
	.instruction_alignment = 2,
	.gdb_steps_past_watchpoints = true,
	.decode = decode,
	.successors = successors,
};
