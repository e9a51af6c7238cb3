#include "targets/emulator/hart.h"

#include "targets/emulator/control.h"
#include "targets/emulator/paging.h"
#include "targets/emulator/triggers.h"

void tl_hart_reset(struct tl_hart *hart_ret, tl_u32 number, tl_u64 start, const struct tl_bus *bus)
{
	*hart_ret = (struct tl_hart){
		.pc = start,
		.privilege = TL_PRIVILEGE_MACHINE,
		.number = number,
		.mstatus = (tl_u64)2 << 32 | (tl_u64)2
						     << 34, /* user and supervisor mode have 64 bits, and only those */
		.stimecmp = TL_U64_MAX,
		.pass = TL_PASS_NONE,
		.bus = bus,
	};
	hart_ret->x[10] = number;
	tl_triggers_reset(hart_ret);
	tl_paging_reset(hart_ret);
	tl_paging_update(hart_ret);
}

tl_u64 tl_hart_time(const struct tl_hart *hart)
{
	return hart->time != NULL ? hart->time(hart->time_context) : hart->retired;
}

static tl_u64 move_bit(tl_u64 status, tl_u64 from, tl_u64 to)
{
	return (status & ~to) | ((status & from) != 0 ? to : 0);
}

/* Direct handlers are one for all; vectored ones have one for each interrupt. */
static tl_u64 handler(tl_u64 vector, tl_u64 cause)
{
	tl_u64 base = vector & ~(tl_u64)3;

	return (vector & 1) != 0 && (cause & TL_CAUSE_INTERRUPT) != 0 ? base + 4 * (cause & ~TL_CAUSE_INTERRUPT) : base;
}

void tl_hart_trap(struct tl_hart *hart, tl_u64 cause, tl_u64 value)
{
	tl_u64 delegated = (cause & TL_CAUSE_INTERRUPT) != 0 ? hart->mideleg : hart->medeleg;
	tl_u64 status = hart->mstatus;

	hart->waiting = false;
	if (hart->privilege != TL_PRIVILEGE_MACHINE && (delegated >> (cause & 63) & 1) != 0) {
		status = move_bit(status, TL_STATUS_SIE, TL_STATUS_SPIE) & ~(TL_STATUS_SIE | TL_STATUS_SPP);
		if (hart->privilege == TL_PRIVILEGE_SUPERVISOR)
			status |= TL_STATUS_SPP;
		hart->scause = cause;
		hart->sepc = hart->pc;
		hart->stval = value;
		hart->privilege = TL_PRIVILEGE_SUPERVISOR;
		hart->pc = handler(hart->stvec, cause);
	} else {
		status = move_bit(status, TL_STATUS_MIE, TL_STATUS_MPIE) & ~(TL_STATUS_MIE | TL_STATUS_MPP);
		status |= (tl_u64)hart->privilege << 11;
		hart->mcause = cause;
		hart->mepc = hart->pc;
		hart->mtval = value;
		tl_triggers_trap(hart);
		hart->privilege = TL_PRIVILEGE_MACHINE;
		hart->pc = handler(hart->mtvec, cause);
	}
	hart->mstatus = status;
	tl_paging_update(hart);
}

/* Which comes first when several are pending (volume II, 3.1.9 and 4.1.3). */
static tl_u64 first_of(tl_u64 pending)
{
	static const tl_u8 order[] = {TL_INTERRUPT_MACHINE_EXTERNAL,    TL_INTERRUPT_MACHINE_SOFTWARE,
				      TL_INTERRUPT_MACHINE_TIMER,       TL_INTERRUPT_SUPERVISOR_EXTERNAL,
				      TL_INTERRUPT_SUPERVISOR_SOFTWARE, TL_INTERRUPT_SUPERVISOR_TIMER};

	for (tl_size i = 0; i < TL_COUNT(order); i++)
		if ((pending >> order[i] & 1) != 0)
			return TL_CAUSE_INTERRUPT | order[i];
	return 0;
}

tl_u64 tl_hart_interrupt(struct tl_hart *hart)
{
	tl_u64 pending, machine, supervisor;
	bool machine_on = hart->privilege < TL_PRIVILEGE_MACHINE || (hart->mstatus & TL_STATUS_MIE) != 0;
	bool supervisor_on = hart->privilege < TL_PRIVILEGE_SUPERVISOR ||
			     (hart->privilege == TL_PRIVILEGE_SUPERVISOR && (hart->mstatus & TL_STATUS_SIE) != 0);

	tl_control_update_timer(hart);
	hart->look_for_interrupt = false;
	pending = (hart->mip | hart->lines) & hart->mie;
	if (pending == 0)
		return 0;
	hart->waiting = false;
	if (hart->hold_interrupts)
		return 0;
	machine = machine_on ? pending & ~hart->mideleg : 0;
	supervisor = supervisor_on ? pending & hart->mideleg : 0;
	return machine != 0 ? first_of(machine) : first_of(supervisor);
}

void tl_hart_return_from_machine(struct tl_hart *hart)
{
	tl_u64 status = hart->mstatus;

	hart->privilege = (tl_u8)(status >> 11 & 3);
	status = move_bit(status, TL_STATUS_MPIE, TL_STATUS_MIE) & ~TL_STATUS_MPP;
	status |= TL_STATUS_MPIE;
	if (hart->privilege != TL_PRIVILEGE_MACHINE)
		status &= ~TL_STATUS_MPRV;
	hart->mstatus = status;
	tl_triggers_return(hart);
	hart->pc = hart->mepc;
	hart->look_for_interrupt = true;
	tl_paging_update(hart);
}

void tl_hart_return_from_supervisor(struct tl_hart *hart)
{
	tl_u64 status = hart->mstatus;

	hart->privilege = (status & TL_STATUS_SPP) != 0 ? TL_PRIVILEGE_SUPERVISOR : TL_PRIVILEGE_USER;
	status = move_bit(status, TL_STATUS_SPIE, TL_STATUS_SIE) & ~(TL_STATUS_SPP | TL_STATUS_MPRV);
	status |= TL_STATUS_SPIE;
	hart->mstatus = status;
	hart->pc = hart->sepc;
	hart->look_for_interrupt = true;
	tl_paging_update(hart);
}
