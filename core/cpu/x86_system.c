#include "core/cpu/x86_system.h"

#include "core/cpu/x86_layout.h"

#define BIT(name, number) "<field name=\"" name "\" start=\"" number "\" end=\"" number "\" type=\"bool\"/>"
#define BITS(name, from, to) "<field name=\"" name "\" start=\"" from "\" end=\"" to "\" type=\"uint32\"/>"

/* clang-format off */
const char tl_x86_system_types[] =
	"<flags id=\"x86_cr0\" size=\"8\">"
	BIT("PE", "0") BIT("MP", "1") BIT("EM", "2") BIT("TS", "3") BIT("ET", "4") BIT("NE", "5") BIT("WP", "16")
	BIT("AM", "18") BIT("NW", "29") BIT("CD", "30") BIT("PG", "31")
	"</flags>"
	"<flags id=\"x86_cr4\" size=\"8\">"
	BIT("VME", "0") BIT("PVI", "1") BIT("TSD", "2") BIT("DE", "3") BIT("PSE", "4") BIT("PAE", "5") BIT("MCE", "6")
	BIT("PGE", "7") BIT("PCE", "8") BIT("OSFXSR", "9") BIT("OSXMMEXCPT", "10") BIT("UMIP", "11") BIT("LA57", "12")
	BIT("VMXE", "13") BIT("SMXE", "14") BIT("FSGSBASE", "16") BIT("PCIDE", "17") BIT("OSXSAVE", "18")
	BIT("SMEP", "20") BIT("SMAP", "21") BIT("PKE", "22") BIT("CET", "23") BIT("PKS", "24")
	"</flags>"
	"<flags id=\"x86_efer\" size=\"8\">"
	BIT("SCE", "0") BIT("LME", "8") BIT("LMA", "10") BIT("NXE", "11") BIT("SVME", "12") BIT("FFXSR", "14")
	"</flags>"
	"<flags id=\"x86_dr6\" size=\"8\">"
	BIT("B0", "0") BIT("B1", "1") BIT("B2", "2") BIT("B3", "3") BIT("BLD", "11") BIT("BD", "13") BIT("BS", "14")
	BIT("BT", "15") BIT("RTM", "16")
	"</flags>"
	"<flags id=\"x86_dr7\" size=\"8\">"
	BIT("L0", "0") BIT("G0", "1") BIT("L1", "2") BIT("G1", "3") BIT("L2", "4") BIT("G2", "5") BIT("L3", "6")
	BIT("G3", "7") BIT("LE", "8") BIT("GE", "9") BIT("GD", "13") BITS("RW0", "16", "17") BITS("LEN0", "18", "19") BITS("RW1", "20", "21")
	BITS("LEN1", "22", "23") BITS("RW2", "24", "25") BITS("LEN2", "26", "27") BITS("RW3", "28", "29")
	BITS("LEN3", "30", "31")
	"</flags>";
/* clang-format on */

static tl_u64 value(const tl_u8 *file, tl_size at)
{
	return tl_load_little(file + at, 8);
}

static bool protected(const tl_u8 *file)
{
	return (value(file, TL_X86_AT_CR0) & TL_X86_CR0_PE) != 0;
}

bool tl_x86_real_segments(const tl_u8 *file)
{
	if (!protected(file))
		return true;
	return (value(file, TL_X86_AT_EFLAGS) & TL_X86_FLAG_VM) != 0 &&
	       (value(file, TL_X86_AT_EFER) & TL_X86_EFER_LMA) == 0;
}

enum tl_x86_mode tl_x86_mode_of(const tl_u8 *file)
{
	tl_u64 attributes = value(file, TL_X86_AT_CS_ATTR);

	if ((value(file, TL_X86_AT_EFER) & TL_X86_EFER_LMA) != 0 && (attributes & TL_X86_ATTR_L) != 0)
		return TL_X86_MODE_64;
	/* In real mode too: a guest may have brought a segment of 32 bits along ("unreal mode"). */
	return (attributes & TL_X86_ATTR_DB) != 0 ? TL_X86_MODE_32 : TL_X86_MODE_16;
}

tl_u8 tl_x86_privilege(const tl_u8 *file)
{
	if (!protected(file))
		return 0;
	if (tl_x86_real_segments(file))
		return 3;
	return (tl_u8)(value(file, TL_X86_AT_SS_ATTR) >> 5 & 3);
}

tl_u64 tl_x86_linear(const tl_u8 *file, tl_u64 address)
{
	return tl_x86_mode_of(file) == TL_X86_MODE_64 ? address : (tl_u32)address;
}

tl_u64 tl_x86_stack(const tl_u8 *file)
{
	tl_u64 pointer = value(file, TL_X86_AT_RSP);

	if (tl_x86_mode_of(file) == TL_X86_MODE_64)
		return pointer;
	if ((value(file, TL_X86_AT_SS_ATTR) & TL_X86_ATTR_DB) == 0)
		pointer = (tl_u16)pointer;
	return (tl_u32)(value(file, TL_X86_AT_SS_BASE) + pointer);
}

tl_u64 tl_x86_code_base(const tl_u8 *file)
{
	return tl_x86_mode_of(file) == TL_X86_MODE_64 ? 0 : value(file, TL_X86_AT_CS_BASE);
}
