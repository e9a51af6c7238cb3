#include "core/rsp/rsp.h"

#define GDB_SIGNAL_UNKNOWN 143
#define GDB_SIGNAL_POLL 33 /* on Linux another name of SIGIO */
#define LINUX_SIGIO 29
#define LINUX_SIGNAL_LAST 64

/* GDB's number for each signal of Linux on x86; 0 where GDB has no name for it (16: SIGSTKFLT). */
static const tl_u8 gdb_numbers[LINUX_SIGNAL_LAST + 1] = {
	[1] = 1,   /* HUP */
	[2] = 2,   /* INT */
	[3] = 3,   /* QUIT */
	[4] = 4,   /* ILL */
	[5] = 5,   /* TRAP */
	[6] = 6,   /* ABRT */
	[7] = 10,  /* BUS */
	[8] = 8,   /* FPE */
	[9] = 9,   /* KILL */
	[10] = 30, /* USR1 */
	[11] = 11, /* SEGV */
	[12] = 31, /* USR2 */
	[13] = 13, /* PIPE */
	[14] = 14, /* ALRM */
	[15] = 15, /* TERM */
	[17] = 20, /* CHLD */
	[18] = 19, /* CONT */
	[19] = 17, /* STOP */
	[20] = 18, /* TSTP */
	[21] = 21, /* TTIN */
	[22] = 22, /* TTOU */
	[23] = 16, /* URG */
	[24] = 24, /* XCPU */
	[25] = 25, /* XFSZ */
	[26] = 26, /* VTALRM */
	[27] = 27, /* PROF */
	[28] = 28, /* WINCH */
	[29] = 23, /* IO */
	[30] = 32, /* PWR */
	[31] = 12, /* SYS */
	[32] = 77, /* the real-time signals: GDB's list has 33 to 63 in a row, and later 32 and 64 */
	[33] = 45, [34] = 46, [35] = 47, [36] = 48, [37] = 49, [38] = 50, [39] = 51, [40] = 52,
	[41] = 53, [42] = 54, [43] = 55, [44] = 56, [45] = 57, [46] = 58, [47] = 59, [48] = 60,
	[49] = 61, [50] = 62, [51] = 63, [52] = 64, [53] = 65, [54] = 66, [55] = 67, [56] = 68,
	[57] = 69, [58] = 70, [59] = 71, [60] = 72, [61] = 73, [62] = 74, [63] = 75, [64] = 78,
};

tl_u8 tl_rsp_signal_to_gdb(tl_i32 signal)
{
	if (signal == 0)
		return 0;
	if (signal < 0 || signal > LINUX_SIGNAL_LAST || gdb_numbers[signal] == 0)
		return GDB_SIGNAL_UNKNOWN;
	return gdb_numbers[signal];
}

tl_i32 tl_rsp_signal_from_gdb(tl_u64 signal)
{
	if (signal == 0)
		return 0;
	if (signal == GDB_SIGNAL_POLL)
		return LINUX_SIGIO;
	for (tl_i32 i = 1; i <= LINUX_SIGNAL_LAST; i++)
		if (gdb_numbers[i] == signal)
			return i;
	return -1;
}
