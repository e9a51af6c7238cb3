#include "stubs/baremetal/exceptions.h"

#include "core/cursor.h"

enum { ILLEGAL = 4, BUS = 7, ARITHMETIC = 8, SEGMENT = 11 };

/* Intel SDM volume 3, table 6-1; signals as Linux chooses them. */
struct tl_stub_exception tl_stub_exception_x86(tl_u64 vector)
{
	static const struct tl_stub_exception known[] = {
		[0] = {"Divide error", ARITHMETIC, false},
		[4] = {"Overflow", SEGMENT, false},
		[5] = {"Bound range exceeded", SEGMENT, false},
		[6] = {"Invalid opcode", ILLEGAL, false},
		[7] = {"No math coprocessor", ARITHMETIC, false},
		[8] = {"Double fault", SEGMENT, false},
		[10] = {"Invalid task state segment", SEGMENT, false},
		[11] = {"Segment not present", BUS, false},
		[12] = {"Stack segment fault", BUS, false},
		[13] = {"General protection", SEGMENT, false},
		[14] = {"Page fault", SEGMENT, true},
		[16] = {"Floating-point error", ARITHMETIC, false},
		[17] = {"Alignment check", BUS, false},
		[18] = {"Machine check", BUS, false},
		[19] = {"SIMD floating-point error", ARITHMETIC, false},
		[21] = {"Control protection", SEGMENT, false},
	};
	const struct tl_stub_exception other = {"Exception", SEGMENT, false};

	return vector < TL_COUNT(known) && known[vector].name != NULL ? known[vector] : other;
}

/* DDI 0487, D19.2.37 "ESR_EL1": its class, and for aborts the status; signals as Linux chooses them. */
struct tl_stub_exception tl_stub_exception_arm64(tl_u64 syndrome)
{
	const tl_u64 misaligned = 0x21, not_from_tables = 0x10;
	tl_u64 status = syndrome & 0x3f;
	struct tl_stub_exception data = {"Data abort", status >= not_from_tables ? BUS : SEGMENT, true};

	switch (syndrome >> 26 & 0x3f) {
	case 0x00:
		return (struct tl_stub_exception){"Undefined instruction", ILLEGAL, false};
	case 0x07:
		return (struct tl_stub_exception){"Access to vector registers", ILLEGAL, false};
	case 0x0e:
		return (struct tl_stub_exception){"Illegal execution state", ILLEGAL, false};
	case 0x11:
	case 0x15:
		return (struct tl_stub_exception){"System call", ILLEGAL, false};
	case 0x20:
	case 0x21:
		return (struct tl_stub_exception){"Instruction abort", SEGMENT, true};
	case 0x22:
		return (struct tl_stub_exception){"Misaligned program counter", BUS, true};
	case 0x24:
	case 0x25:
		if (status == misaligned)
			data.name = "Misaligned access";
		return data;
	case 0x26:
		return (struct tl_stub_exception){"Misaligned stack pointer", BUS, false};
	case 0x2c:
		return (struct tl_stub_exception){"Floating-point error", ARITHMETIC, false};
	default:
		return (struct tl_stub_exception){"Exception", ILLEGAL, false};
	}
}

void tl_stub_exception_said(struct tl_stub_processor *processor, struct tl_stub_exception exception,
			    const char *number_name, tl_u64 number, const tl_u64 *code, tl_u64 address, tl_u64 at)
{
	struct tl_writer writer = tl_writer_make(processor->said, sizeof(processor->said));

	tl_write_text(&writer, exception.name);
	tl_write_text(&writer, " (");
	tl_write_text(&writer, number_name);
	tl_write_text(&writer, " 0x");
	tl_write_hex(&writer, number);
	if (code != NULL) {
		tl_write_text(&writer, ", error code 0x");
		tl_write_hex(&writer, *code);
	}
	if (exception.has_address) {
		tl_write_text(&writer, ", address 0x");
		tl_write_hex(&writer, address);
	}
	tl_write_text(&writer, ") at 0x");
	tl_write_hex(&writer, at);
	tl_write_text(&writer, ".\n");
	processor->said_size = tl_writer_size(&writer);
}

static bool is(const char *command, const char *name)
{
	tl_size size = tl_text_length(name);

	return tl_text_length(command) == size && tl_same(command, name, size);
}

enum tl_status tl_stub_exceptions_monitor(struct tl_target *target, const char *command, struct tl_writer *output)
{
	const struct tl_stub *stub = (const struct tl_stub *)(const void *)target;
	bool any = false;

	if (stub->more->tells_no_exceptions)
		return TL_ERROR_UNSUPPORTED;
	if (is(command, "help")) {
		tl_write_text(output, "  exceptions     what the machine said of those at which processors stand\n");
		return TL_OK;
	}
	if (!is(command, "exceptions"))
		return TL_ERROR_UNSUPPORTED;
	for (tl_u32 n = 0; n < stub->count; n++) {
		const struct tl_stub_processor *processor = &stub->processors[n];

		/* What runs may be writing its own. */
		tl_u32 state = __atomic_load_n(&processor->state, __ATOMIC_ACQUIRE);

		if ((state != TL_STUB_ARRIVED && state != TL_STUB_HERE) || processor->said_size == 0)
			continue;
		any = true;
		tl_write_text(output, "processor ");
		tl_write_decimal(output, n);
		tl_write_text(output, ": ");
		tl_write_bytes(output, processor->said, processor->said_size);
	}
	if (!any)
		tl_write_text(output, "No processor stands at an exception.\n");
	return TL_OK;
}
