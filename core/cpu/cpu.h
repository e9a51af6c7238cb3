/*
 * A CPU as debuggers see it: registers, trap instruction, instructions, debug registers.
 *
 * There is one constant struct tl_cpu for each instruction set (and one for each mode that has its own register set, as
 * i386 under x86-64). It is a description: it holds no state and may be used from any thread. Everything that depends
 * on the CPU is asked of it; no other file of core/ names a CPU.
 */
#ifndef TL_CORE_CPU_CPU_H
#define TL_CORE_CPU_CPU_H

#include "core/cursor.h"
#include "core/status.h"
#include "core/types.h"

/* The longest instruction of any CPU here, and the room that one carried elsewhere needs with its way back. */
#define TL_INSTRUCTION_MAX 16
#define TL_RELOCATED_MAX 48

/* How many bytes of code before the program counter help to find the last instruction. */
#define TL_ACCESS_CONTEXT 64

/*
 * Registers. A thread's registers stand in one *register file*: a block of cpu->file_size bytes in which every register
 * that the description knows has its fixed place, in target byte order, whether the machine at hand has it or not.
 *
 * A *bank* is a set of registers that a target fetches and stores together because that is what its interface does
 * (ptrace: general and extended state). Bank 0 holds the program counter, the stack pointer and the flags.
 *
 * A *feature* is a unit that a machine has or has not (SSE, AVX, …), and the <feature> element of the target
 * description. What a machine has is a mask of them: bit n for features[n].
 */
struct tl_register {
	const char *name;      /* GDB's name; unique in this CPU; NULL ends the table */
	const char *alternate; /* the name lldb shows where it differs, or NULL */
	const char *type;      /* GDB target description type, "int64" say, or the id of a type of the feature */
	const char *group;     /* GDB register group, "general", "float", "vector", "system", or NULL */
	const char *generic;   /* lldb's generic role: "pc" "sp" "fp" "ra" "flags" "arg1"…"arg8", or NULL */
	tl_u16 offset;         /* of its first byte in the register file */
	tl_u16 bits;
	tl_u8 bank;
	tl_u8 feature;
	tl_i16 dwarf; /* DWARF register number, -1 if it has none; for .eh_frame the same unless the CPU says so */
	tl_i16 ehframe;
	/*
	 * For a register that is a part of a wider one in lldb's eyes (ymm0 = xmm0 and ymm0h), the index of the other
	 * part + 1, else 0.
	 */
	tl_u16 upper_half;
};

struct tl_feature {
	const char *name;  /* "org.gnu.gdb.i386.core" */
	const char *types; /* XML of the types that its registers use, "" for none */
};

#define TL_BANK_GENERAL 0
#define TL_BANK_MAX 4

/* What an instruction does to the flow of control. */
enum tl_flow {
	TL_FLOW_NEXT,    /* goes on behind itself */
	TL_FLOW_JUMP,    /* always elsewhere */
	TL_FLOW_BRANCH,  /* behind itself or elsewhere */
	TL_FLOW_CALL,    /* elsewhere, and comes back behind itself */
	TL_FLOW_RETURN,  /* where a call came from */
	TL_FLOW_SYSCALL, /* into the kernel, and on behind itself */
	TL_FLOW_TRAP,    /* a breakpoint instruction of the program's own */
	TL_FLOW_REPEAT,  /* itself again, or behind itself (x86 rep) */
	TL_FLOW_SPECIAL, /* transactions, iret, exclusive sequences: nothing may be assumed */
	TL_FLOW_MAX
};

struct tl_instruction {
	tl_u8 length; /* bytes, 1 to TL_INSTRUCTION_MAX */
	tl_u8 flow;   /* enum tl_flow */
	/* The engine can carry it out itself: tl_cpu.carry_out knows it. */
	bool carried_out;
	/* A copy of it at another address, as tl_cpu.relocate makes it, does the same. */
	bool relocatable;
	/* Which accesses it makes to memory other than fetching itself; pushes and pops count. */
	bool reads_memory;
	bool writes_memory;
};

/* How a CPU's helpers reach the memory of the program: both return TL_OK only when all bytes were transferred. */
struct tl_memory_access {
	enum tl_status (*read)(void *context, tl_u64 address, void *buffer, tl_size size);
	enum tl_status (*write)(void *context, tl_u64 address, const void *buffer, tl_size size);
	void *context;
};

/* What a data watchpoint is set to tell, and what an instruction was found to do. */
enum tl_access { TL_ACCESS_NONE = 0, TL_ACCESS_READ = 1, TL_ACCESS_WRITE = 2, TL_ACCESS_BOTH = 3 };

#define TL_SUCCESSORS_MAX 4

/*
 * What a load-exclusive leaves behind for its store, for whoever carries both out: the machine's own is lost with every
 * exception.
 */
struct tl_reservation {
	bool held;
	bool stored; /* the store behind it has stored */
	tl_u8 size;
	tl_u64 address;
	tl_u8 bytes[16]; /* as they were loaded */
};

struct tl_cpu {
	const char *name;         /* "x86_64" */
	const char *architecture; /* GDB's <architecture>: "i386:x86-64" */
	const char *triple_cpu;   /* the first part of lldb's triple: "x86_64" */
	tl_u8 address_size;       /* bytes */
	bool big_endian;

	/* Ends with a row whose name is NULL, in the order of GDB's register numbers. */
	const struct tl_register *registers;
	tl_u16 register_count;
	tl_u16 file_size;
	tl_u8 bank_count;
	const struct tl_feature *features;
	tl_u8 feature_count;
	tl_u32 base_features; /* those that every machine of this kind has */

	/* Indices into registers[]. */
	tl_u16 program_counter;
	tl_u16 stack_pointer;
	tl_u16 frame_pointer;
	/* Which registers a stop reply should carry, -1 at the end; general ones of bank 0. */
	const tl_i16 *expedited;
	/* How many of those at the front a client that gets no others looks at as it steps; 0: all. */
	tl_u8 expedited_first;

	/* The trap instruction, and how far behind it the machine leaves the program counter. */
	tl_u8 trap[4];
	tl_u8 trap_size;
	tl_u8 trap_advance;
	/*
	 * gdb takes a watchpoint's stop on this CPU for one in front of the access, and steps once more before it looks
	 * (gdbarch_have_nonsteppable_watchpoint of its tdep files).
	 */
	bool gdb_steps_past_watchpoints;
	/* Length of a step-able unit's alignment: 1 for x86, 2 or 4 elsewhere. */
	tl_u8 instruction_alignment;

	/*
	 * Decodes the instruction at the start of `bytes`, `size` of them valid. TL_ERROR_TRUNCATED when more bytes are
	 * needed, TL_ERROR_INSTRUCTION when there is no such instruction.
	 */
	enum tl_status (*decode)(const tl_u8 *bytes, tl_size size, struct tl_instruction *instruction_ret);

	/*
	 * The addresses at which the instruction at the program counter may leave the machine, its own included where
	 * it may repeat; at least one. Needs bank 0 in `file`. Reads memory only where a jump goes through it.
	 */
	enum tl_status (*successors)(const tl_u8 *file, const tl_u8 *bytes, tl_size size,
				     const struct tl_memory_access *memory, tl_u64 successors_ret[TL_SUCCESSORS_MAX],
				     tl_size *count_ret);

	/*
	 * Carries out one instruction whose `carried_out` is set on the registers in `file` (bank 0) and on memory, the
	 * program counter included, exactly as the machine would. On an error nothing was changed, and the caller falls
	 * back to another way: faults are left to the machine to raise. So `memory` must refuse what the program itself
	 * may not do, a write to a read-only page above all (/proc/PID/mem and POKEDATA would do it).
	 */
	enum tl_status (*carry_out)(tl_u8 *file, const tl_u8 *bytes, tl_size size,
				    const struct tl_memory_access *memory);

	/*
	 * Whether an exception at `address` comes between a load-exclusive and its store, which then fails. Reads code
	 * through `memory`, without traps. NULL, as the next one is, for a CPU without such.
	 */
	bool (*in_sequence)(tl_u64 address, const struct tl_memory_access *memory);
	/*
	 * Carries out a load-exclusive or a store-exclusive as carry_out() does others, with a reservation of the
	 * caller's: what is stored is stored where memory still is what was loaded. TL_ERROR_INSTRUCTION for all
	 * others.
	 */
	enum tl_status (*carry_out_exclusive)(tl_u8 *file, const tl_u8 *bytes, tl_size size,
					      const struct tl_memory_access *memory,
					      struct tl_reservation *reservation);

	/*
	 * Writes into code_ret what has the effect of the instruction at `from` when run at `to`, followed by a jump to
	 * behind the original. *length_ret is the size of all of it, *body_ret the offset at which the way back begins:
	 * a program counter at `to` stands for `from`, and one from `to` + body on stands for `from` + length.
	 * TL_ERROR_INSTRUCTION where the instruction or the distance does not allow it.
	 */
	enum tl_status (*relocate)(const tl_u8 *bytes, tl_size size, tl_u64 from, tl_u64 to,
				   tl_u8 code_ret[TL_RELOCATED_MAX], tl_size *length_ret, tl_size *body_ret);

	/*
	 * After a watchpoint trap that the machine reports behind the access: what did the instruction that ended just
	 * before the program counter do to [address, address + size)? `before` holds the `before_size` bytes that end
	 * at the program counter; up to TL_ACCESS_CONTEXT of them tell apart what may be read in two ways.
	 * TL_ACCESS_NONE when it cannot be told: the caller then believes the debug register.
	 */
	enum tl_access (*last_access)(const tl_u8 *file, const tl_u8 *before, tl_size before_size, tl_u64 address,
				      tl_u64 size);
};

/* Reads and writes register `index` of up to 8 bytes as a number in a register file. Wider ones yield their low part.
 */
tl_u64 tl_cpu_get(const struct tl_cpu *cpu, const tl_u8 *file, tl_u16 index);
void tl_cpu_set(const struct tl_cpu *cpu, tl_u8 *file, tl_u16 index, tl_u64 value);

/* The index of the register with that GDB name or lldb name; TL_ERROR_REGISTER. */
enum tl_status tl_cpu_find(const struct tl_cpu *cpu, const char *name, tl_u16 *index_ret);

/*
 * The target description for a machine with these features, as GDB's manual, appendix "Target Descriptions", has it:
 * architecture, OS ABI (NULL for none) and the features with their registers in table order, each with regnum= set to
 * its index among those present. With `for_lldb`, the attributes that lldb reads besides (offset in the `g` packet,
 * generic, encoding, format, gcc_regnum, dwarf_regnum, altname, group as a set). lldb, as gdb, puts ymmN together from
 * xmmN and ymmNh on its own.
 */
void tl_cpu_describe(const struct tl_cpu *cpu, tl_u32 features, const char *os_abi, bool for_lldb,
		     struct tl_writer *writer);

/* How many registers a machine with these features has; and the index in registers[] of the n-th of them. */
tl_u16 tl_cpu_present_count(const struct tl_cpu *cpu, tl_u32 features);
enum tl_status tl_cpu_present(const struct tl_cpu *cpu, tl_u32 features, tl_u64 number, tl_u16 *index_ret);

/* Whether a machine with these features has a register of the bank. */
bool tl_cpu_has_bank(const struct tl_cpu *cpu, tl_u32 features, tl_u8 bank);

/* The CPUs there are. */
extern const struct tl_cpu tl_cpu_x86_64;
extern const struct tl_cpu tl_cpu_i386;
extern const struct tl_cpu tl_cpu_riscv64;
extern const struct tl_cpu tl_cpu_aarch64;

#endif
