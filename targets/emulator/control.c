#include "targets/emulator/control.h"

#include "targets/emulator/paging.h"
#include "targets/emulator/triggers.h"

#define BIT(n) ((tl_u64)1 << (n))

#define SUPERVISOR_INTERRUPTS                                                                                          \
	(BIT(TL_INTERRUPT_SUPERVISOR_SOFTWARE) | BIT(TL_INTERRUPT_SUPERVISOR_TIMER) |                                  \
	 BIT(TL_INTERRUPT_SUPERVISOR_EXTERNAL))
#define MACHINE_INTERRUPTS                                                                                             \
	(BIT(TL_INTERRUPT_MACHINE_SOFTWARE) | BIT(TL_INTERRUPT_MACHINE_TIMER) | BIT(TL_INTERRUPT_MACHINE_EXTERNAL))

/* Exceptions that can be handed to the supervisor: all but calls from machine mode. */
#define DELEGABLE 0xb3ffull

#define STATUS_SUPERVISOR                                                                                              \
	(TL_STATUS_SIE | TL_STATUS_SPIE | TL_STATUS_SPP | TL_STATUS_FS | TL_STATUS_SUM | TL_STATUS_MXR)
#define STATUS_MACHINE                                                                                                 \
	(STATUS_SUPERVISOR | TL_STATUS_MIE | TL_STATUS_MPIE | TL_STATUS_MPP | TL_STATUS_MPRV | TL_STATUS_TVM |         \
	 TL_STATUS_TW | TL_STATUS_TSR)

#define ENVIRONMENT_FENCE BIT(0)  /* FIOM */
#define ENVIRONMENT_TIMER BIT(63) /* STCE */

#define LETTER(letter) BIT((letter) - 'A')
#define MISA                                                                                                           \
	(BIT(63) | LETTER('A') | LETTER('B') | LETTER('C') | LETTER('D') | LETTER('F') | LETTER('I') | LETTER('M') |   \
	 LETTER('S') | LETTER('U'))

#define COUNTER_TIME BIT(1)

#define SATP_MODE(value) ((value) >> 60)
#define SATP_BARE 0
#define SATP_SV39 8
#define SATP_SV48 9

#define PMP_LOCKED 0x80
#define PMP_MODE 0x18
#define PMP_TOP_OF_RANGE 0x08
#define PMP_ADDRESS_MASK (BIT(54) - 1)

void tl_control_set_timer(struct tl_hart *hart, tl_u64 time)
{
	tl_u64 bit = BIT(TL_INTERRUPT_SUPERVISOR_TIMER);

	hart->lines &= ~bit;
	if ((hart->menvcfg & ENVIRONMENT_TIMER) != 0 && time >= hart->stimecmp)
		hart->lines |= bit;
}

void tl_control_update_timer(struct tl_hart *hart)
{
	tl_control_set_timer(hart, tl_hart_time(hart));
}

static tl_u64 status(const struct tl_hart *hart)
{
	return hart->mstatus | ((hart->mstatus & TL_STATUS_FS) == TL_STATUS_FS ? TL_STATUS_SD : 0);
}

static bool is_counter(tl_u32 number)
{
	return number >= TL_RISCV_CSR_CYCLE && number <= 0xc1f;
}

/* Those counters of events that the machine has none of: they read as 0, and keep nothing. */
static bool is_empty_counter(tl_u32 number)
{
	return (number >= 0xb03 && number <= 0xb1f) || (number >= 0x323 && number <= 0x33f) ||
	       (number >= 0xc03 && number <= 0xc1f);
}

static bool is_pmp(tl_u32 number)
{
	return (number >= 0x3a0 && number <= 0x3a3 && (number & 1) == 0) || (number >= 0x3b0 && number <= 0x3bf);
}

static tl_u64 read_pmp(const struct tl_hart *hart, tl_u32 number)
{
	tl_u64 value = 0;

	if (number >= TL_RISCV_CSR_PMPADDR0)
		return hart->pmp_address[number - TL_RISCV_CSR_PMPADDR0];
	for (tl_u32 i = 0; i < 8; i++)
		value |= (tl_u64)hart->pmp_configuration[(number - TL_RISCV_CSR_PMPCFG0) * 4 + i] << (8 * i);
	return value;
}

bool tl_control_get(const struct tl_hart *hart, tl_u32 number, tl_u64 *value_ret)
{
	if (is_pmp(number)) {
		*value_ret = read_pmp(hart, number);
		return true;
	}
	if (is_empty_counter(number)) {
		*value_ret = 0;
		return true;
	}
	if (tl_triggers_get(hart, number, value_ret))
		return true;
	switch (number) {
#define VALUE(register_number, expression)                                                                             \
	case register_number:                                                                                          \
		*value_ret = (expression);                                                                             \
		return true
		VALUE(TL_RISCV_CSR_FFLAGS, hart->fflags);
		VALUE(TL_RISCV_CSR_FRM, hart->frm);
		VALUE(TL_RISCV_CSR_FCSR, (tl_u64)hart->frm << 5 | hart->fflags);
	case TL_RISCV_CSR_CYCLE:
		VALUE(TL_RISCV_CSR_MCYCLE, hart->retired + hart->mcycle_offset);
		VALUE(TL_RISCV_CSR_TIME, tl_hart_time(hart));
	case TL_RISCV_CSR_INSTRET:
		VALUE(TL_RISCV_CSR_MINSTRET, hart->retired + hart->minstret_offset);
		VALUE(TL_RISCV_CSR_SSTATUS, status(hart) & (STATUS_SUPERVISOR | TL_STATUS_UXL | TL_STATUS_SD));
		VALUE(TL_RISCV_CSR_SIE, hart->mie & hart->mideleg);
		VALUE(TL_RISCV_CSR_SIP, (hart->mip | hart->lines) & hart->mideleg);
		VALUE(TL_RISCV_CSR_STVEC, hart->stvec);
		VALUE(TL_RISCV_CSR_SCOUNTEREN, hart->scounteren);
		VALUE(TL_RISCV_CSR_SENVCFG, hart->senvcfg);
		VALUE(TL_RISCV_CSR_SSCRATCH, hart->sscratch);
		VALUE(TL_RISCV_CSR_SEPC, hart->sepc);
		VALUE(TL_RISCV_CSR_SCAUSE, hart->scause);
		VALUE(TL_RISCV_CSR_STVAL, hart->stval);
		VALUE(TL_RISCV_CSR_STIMECMP, hart->stimecmp);
		VALUE(TL_RISCV_CSR_SATP, hart->satp);
		VALUE(TL_RISCV_CSR_MSTATUS, status(hart));
		VALUE(TL_RISCV_CSR_MISA, MISA);
		VALUE(TL_RISCV_CSR_MEDELEG, hart->medeleg);
		VALUE(TL_RISCV_CSR_MIDELEG, hart->mideleg);
		VALUE(TL_RISCV_CSR_MIE, hart->mie);
		VALUE(TL_RISCV_CSR_MTVEC, hart->mtvec);
		VALUE(TL_RISCV_CSR_MCOUNTEREN, hart->mcounteren);
		VALUE(TL_RISCV_CSR_MENVCFG, hart->menvcfg);
		VALUE(TL_RISCV_CSR_MCOUNTINHIBIT, hart->mcountinhibit);
		VALUE(TL_RISCV_CSR_MSCRATCH, hart->mscratch);
		VALUE(TL_RISCV_CSR_MEPC, hart->mepc);
		VALUE(TL_RISCV_CSR_MCAUSE, hart->mcause);
		VALUE(TL_RISCV_CSR_MTVAL, hart->mtval);
		VALUE(TL_RISCV_CSR_MIP, hart->mip | hart->lines);
		VALUE(TL_RISCV_CSR_MHARTID, hart->number);
	/* No maker, no version. */
	case TL_RISCV_CSR_MVENDORID:
	case TL_RISCV_CSR_MARCHID:
	case TL_RISCV_CSR_MIMPID:
		VALUE(TL_RISCV_CSR_MCONFIGPTR, 0);
#undef VALUE
	default:
		return false;
	}
}

static tl_u64 merge(tl_u64 old, tl_u64 value, tl_u64 mask)
{
	return (old & ~mask) | (value & mask);
}

static void write_status(struct tl_hart *hart, tl_u64 value, tl_u64 mask)
{
	tl_u64 old = hart->mstatus;

	if ((value >> 11 & 3) == 2) /* no mode */
		mask &= ~TL_STATUS_MPP;
	hart->mstatus = merge(old, value, mask);
	if (((old ^ hart->mstatus) & TL_STATUS_MXR) != 0)
		tl_paging_flush(hart);
	tl_paging_update(hart);
	hart->look_for_interrupt = true;
}

/* A write of a mode that there is not leaves the register as it was. */
static void write_satp(struct tl_hart *hart, tl_u64 value)
{
	tl_u64 mode = SATP_MODE(value);

	if ((mode != SATP_BARE && mode != SATP_SV39 && mode != SATP_SV48) || value == hart->satp)
		return;
	hart->satp = value;
	tl_paging_flush(hart);
}

static bool pmp_is_locked(const struct tl_hart *hart, tl_u32 entry)
{
	return entry < TL_PMP_ENTRIES && (hart->pmp_configuration[entry] & PMP_LOCKED) != 0;
}

static void write_pmp(struct tl_hart *hart, tl_u32 number, tl_u64 value)
{
	tl_u32 first = (number - TL_RISCV_CSR_PMPCFG0) * 4;

	if (number >= TL_RISCV_CSR_PMPADDR0) {
		tl_u32 entry = number - TL_RISCV_CSR_PMPADDR0;
		bool is_base = pmp_is_locked(hart, entry + 1) &&
			       (hart->pmp_configuration[entry + 1] & PMP_MODE) == PMP_TOP_OF_RANGE;

		if (pmp_is_locked(hart, entry) || is_base)
			return;
		hart->pmp_address[entry] = value & PMP_ADDRESS_MASK;
	} else {
		for (tl_u32 i = 0; i < 8; i++) {
			tl_u8 byte = (tl_u8)(value >> (8 * i)) & 0x9f;

			/* Writable and not readable is reserved: kept as it was. */
			if (!pmp_is_locked(hart, first + i) && (byte & 3) != 2)
				hart->pmp_configuration[first + i] = byte;
		}
	}
	hart->pmp_used = false;
	for (tl_u32 i = 0; i < TL_PMP_ENTRIES; i++)
		hart->pmp_used |= (hart->pmp_configuration[i] & PMP_MODE) != 0;
	tl_paging_flush(hart);
}

static void write_vector(tl_u64 *vector, tl_u64 value)
{
	if ((value & 2) == 0)
		*vector = value;
}

/* The supervisor's view of mie and mip is what was delegated to it. */
static void write_interrupts(struct tl_hart *hart, tl_u64 *bits, tl_u64 value, tl_u64 mask)
{
	*bits = merge(*bits, value, mask);
	hart->look_for_interrupt = true;
}

static tl_u64 writable_pending(const struct tl_hart *hart)
{
	return (hart->menvcfg & ENVIRONMENT_TIMER) != 0 ? SUPERVISOR_INTERRUPTS & ~BIT(TL_INTERRUPT_SUPERVISOR_TIMER)
							: SUPERVISOR_INTERRUPTS;
}

static void write_environment(struct tl_hart *hart, tl_u64 value)
{
	hart->menvcfg = value & (ENVIRONMENT_FENCE | ENVIRONMENT_TIMER);
	if ((value & ENVIRONMENT_TIMER) != 0)
		hart->mip &= ~BIT(TL_INTERRUPT_SUPERVISOR_TIMER);
	else
		hart->lines &= ~BIT(TL_INTERRUPT_SUPERVISOR_TIMER);
	tl_hart_leave(hart);
}

/* Registers of the supervisor and below. */
static bool write_low(struct tl_hart *hart, tl_u32 number, tl_u64 value)
{
	switch (number) {
	case TL_RISCV_CSR_FFLAGS:
		hart->fflags = value & 31;
		break;
	case TL_RISCV_CSR_FRM:
		hart->frm = value & 7;
		break;
	case TL_RISCV_CSR_FCSR:
		hart->fflags = value & 31;
		hart->frm = value >> 5 & 7;
		break;
	case TL_RISCV_CSR_SSTATUS:
		write_status(hart, value, STATUS_SUPERVISOR);
		break;
	case TL_RISCV_CSR_SIE:
		write_interrupts(hart, &hart->mie, value, hart->mideleg);
		break;
	case TL_RISCV_CSR_SIP:
		write_interrupts(hart, &hart->mip, value, hart->mideleg & BIT(TL_INTERRUPT_SUPERVISOR_SOFTWARE));
		break;
	case TL_RISCV_CSR_STVEC:
		write_vector(&hart->stvec, value);
		break;
	case TL_RISCV_CSR_SCOUNTEREN:
		hart->scounteren = (tl_u32)value;
		break;
	case TL_RISCV_CSR_SENVCFG:
		hart->senvcfg = value & ENVIRONMENT_FENCE;
		break;
	case TL_RISCV_CSR_SSCRATCH:
		hart->sscratch = value;
		break;
	case TL_RISCV_CSR_SEPC:
		hart->sepc = value & ~(tl_u64)1;
		break;
	case TL_RISCV_CSR_SCAUSE:
		hart->scause = value;
		break;
	case TL_RISCV_CSR_STVAL:
		hart->stval = value;
		break;
	case TL_RISCV_CSR_STIMECMP:
		hart->stimecmp = value;
		tl_hart_leave(hart); /* who runs it may have counted on the old one */
		break;
	case TL_RISCV_CSR_SATP:
		write_satp(hart, value);
		break;
	default:
		return false;
	}
	if (number <= TL_RISCV_CSR_FCSR)
		tl_control_float_dirty(hart);
	return true;
}

/* Registers of machine mode. */
static bool write_high(struct tl_hart *hart, tl_u32 number, tl_u64 value)
{
	switch (number) {
	case TL_RISCV_CSR_MSTATUS:
		write_status(hart, value, STATUS_MACHINE);
		break;
	case TL_RISCV_CSR_MEDELEG:
		hart->medeleg = value & DELEGABLE;
		break;
	case TL_RISCV_CSR_MIDELEG:
		hart->mideleg = value & SUPERVISOR_INTERRUPTS;
		hart->look_for_interrupt = true;
		break;
	case TL_RISCV_CSR_MIE:
		write_interrupts(hart, &hart->mie, value, SUPERVISOR_INTERRUPTS | MACHINE_INTERRUPTS);
		break;
	case TL_RISCV_CSR_MIP:
		write_interrupts(hart, &hart->mip, value, writable_pending(hart));
		break;
	case TL_RISCV_CSR_MTVEC:
		write_vector(&hart->mtvec, value);
		break;
	case TL_RISCV_CSR_MCOUNTEREN:
		hart->mcounteren = (tl_u32)value;
		break;
	case TL_RISCV_CSR_MENVCFG:
		write_environment(hart, value);
		break;
	case TL_RISCV_CSR_MCOUNTINHIBIT:
		hart->mcountinhibit = value & 5;
		break;
	case TL_RISCV_CSR_MSCRATCH:
		hart->mscratch = value;
		break;
	case TL_RISCV_CSR_MEPC:
		hart->mepc = value & ~(tl_u64)1;
		break;
	case TL_RISCV_CSR_MCAUSE:
		hart->mcause = value;
		break;
	case TL_RISCV_CSR_MTVAL:
		hart->mtval = value;
		break;
	case TL_RISCV_CSR_MCYCLE:
		hart->mcycle_offset = value - (hart->retired + 1); /* the write itself does not count */
		break;
	case TL_RISCV_CSR_MINSTRET:
		hart->minstret_offset = value - (hart->retired + 1);
		break;
	case TL_RISCV_CSR_MISA: /* nothing of it can be turned off */
		break;
	default:
		return false;
	}
	return true;
}

bool tl_control_put(struct tl_hart *hart, tl_u32 number, tl_u64 value)
{
	tl_u64 old;

	if (!tl_control_get(hart, number, &old))
		return false;
	if (number >> 10 == 3 || is_empty_counter(number))
		return true;
	if (is_pmp(number))
		write_pmp(hart, number, value);
	else if (!write_low(hart, number, value) && !tl_triggers_put(hart, number, value))
		(void)write_high(hart, number, value);
	return true;
}

/* Whether the mode that the hart is in may touch the register, apart from writing those that are read-only. */
static bool is_allowed(const struct tl_hart *hart, tl_u32 number)
{
	tl_u64 counter = BIT(number & 31);

	if (number <= TL_RISCV_CSR_FCSR)
		return (hart->mstatus & TL_STATUS_FS) != 0;
	if ((number >> 8 & 3) > hart->privilege)
		return false;
	if (hart->privilege == TL_PRIVILEGE_MACHINE)
		return true;
	if (is_counter(number))
		return (hart->mcounteren & counter) != 0 &&
		       (hart->privilege == TL_PRIVILEGE_SUPERVISOR || (hart->scounteren & counter) != 0);
	if (number == TL_RISCV_CSR_SATP)
		return (hart->mstatus & TL_STATUS_TVM) == 0;
	if (number == TL_RISCV_CSR_STIMECMP)
		return (hart->menvcfg & ENVIRONMENT_TIMER) != 0 && (hart->mcounteren & COUNTER_TIME) != 0;
	return true;
}

bool tl_control_exchange(struct tl_hart *hart, tl_u32 number, enum tl_control_change change, tl_u64 operand,
			 tl_u64 *old_ret)
{
	tl_u64 base;

	if (!is_allowed(hart, number) || (change != TL_CONTROL_READ && number >> 10 == 3) ||
	    !tl_control_get(hart, number, old_ret))
		return false;
	/* Setting and clearing start from what software wrote: a line that is up must not become a bit of its own. */
	base = number == TL_RISCV_CSR_MIP || number == TL_RISCV_CSR_SIP ? hart->mip : *old_ret;
	switch (change) {
	case TL_CONTROL_READ:
		return true;
	case TL_CONTROL_WRITE:
		return tl_control_put(hart, number, operand);
	case TL_CONTROL_SET:
		return tl_control_put(hart, number, base | operand);
	case TL_CONTROL_CLEAR:
		return tl_control_put(hart, number, base & ~operand);
	}
	return false;
}
