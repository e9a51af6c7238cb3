/*
 * g, G, p, P. GDB manual, "Packets"; lldb's ";thread:ID;" suffix: lldb's docs/resources/lldbgdbremote,
 * "QThreadSuffixSupported".
 */
#include "core/rsp/rsp_internal.h"

/* Which one is meant; it may not be there. */
static enum tl_status read_thread(struct tl_rsp *rsp, struct tl_cursor *arguments, struct tl_thread_id *id_ret)
{
	struct tl_request_thread request;

	if (rsp->client[TL_RSP_CLIENT_THREAD_SUFFIX] && tl_request_suffix(arguments, &request)) {
		*id_ret = tl_rsp_resolve(rsp, &request);
		if ((id_ret->thread == 0 || id_ret->thread == TL_ANY) &&
		    !tl_rsp_any_thread(rsp, id_ret->process != 0 ? id_ret->process : TL_ANY, id_ret))
			return TL_ERROR_NO_THREAD;
	} else if (!tl_rsp_general(rsp, id_ret)) {
		return TL_ERROR_NO_THREAD;
	}
	return arguments->failed || !tl_cursor_done(arguments) ? TL_ERROR_PACKET : TL_OK;
}

enum tl_status tl_rsp_standing(struct tl_rsp *rsp, struct tl_thread_id id)
{
	struct tl_thread_info info;

	if (!tl_engine_find_thread(rsp->engine, id, &info))
		return TL_ERROR_NO_THREAD;
	return info.stopped ? TL_OK : TL_ERROR_RUNNING;
}

enum tl_status tl_rsp_register_thread(struct tl_rsp *rsp, struct tl_cursor *arguments, struct tl_thread_id *id_ret)
{
	TL_TRY(read_thread(rsp, arguments, id_ret));
	return tl_engine_is_bystander(rsp->engine, *id_ret) ? tl_rsp_refuse_bystander(rsp)
							    : tl_rsp_standing(rsp, *id_ret);
}

static tl_size register_size(const struct tl_register *row)
{
	return (row->bits + 7u) / 8u;
}

/* The register file with as many banks as the machine gives; *banks_ret says which. */
static enum tl_status fetch(struct tl_rsp *rsp, struct tl_thread_id id, const struct tl_cpu *cpu, tl_u8 **file_ret,
			    tl_u32 *banks_ret)
{
	tl_u32 all = (1u << cpu->bank_count) - 1;

	*banks_ret = all;
	if (tl_engine_registers(rsp->engine, id, all, file_ret) == TL_OK)
		return TL_OK;
	/* One by one: a machine may lack one, and the others are still worth having. */
	*banks_ret = 1u << TL_BANK_GENERAL;
	TL_TRY(tl_engine_registers(rsp->engine, id, *banks_ret, file_ret));
	for (tl_u8 bank = 0; bank < cpu->bank_count; bank++)
		if (tl_engine_registers(rsp->engine, id, 1u << bank, file_ret) == TL_OK)
			*banks_ret |= 1u << bank;
	return TL_OK;
}

/*
 * A thread that stands for the engine, of which the target has nothing all the same: a processor that does not come
 * when it is asked to stop. It is shown without a value, where an error would end the client's whole list.
 */
static enum tl_status as_far_as_there(enum tl_status status, tl_u32 *banks)
{
	if (status != TL_ERROR_RUNNING)
		return status;
	*banks = 0;
	return TL_OK;
}

/* "xx…" for one that is not known. */
static void write_register(struct tl_writer *reply, const struct tl_register *row, const tl_u8 *file, bool known)
{
	if (known) {
		tl_write_hex_bytes(reply, file + row->offset, register_size(row));
		return;
	}
	for (tl_size digit = 0; digit < 2 * register_size(row); digit++)
		tl_write_byte(reply, 'x');
}

static bool is_known(const tl_i16 *known, tl_u16 index)
{
	while (*known >= 0 && *known != index)
		known++;
	return *known == index;
}

/* All x's but for a few: runs of them take three bytes on the line (tl_frame_encode). */
static enum tl_status write_bystander(struct tl_rsp *rsp, struct tl_thread_id id, struct tl_writer *reply)
{
	struct tl_process_facts facts;
	const tl_u8 *file;
	const tl_i16 *known;

	TL_TRY(tl_engine_facts(rsp->engine, id.process, &facts));
	TL_TRY(tl_engine_bystander_registers(rsp->engine, id, &file, &known));
	for (tl_u16 i = 0; i < facts.cpu->register_count; i++)
		if ((facts.features >> facts.cpu->registers[i].feature & 1) != 0)
			write_register(reply, &facts.cpu->registers[i], file, is_known(known, i));
	return TL_OK;
}

static enum tl_status handle_g(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments, struct tl_writer *reply)
{
	struct tl_process_facts facts;
	struct tl_thread_id id;
	tl_u32 banks;
	tl_u8 *file = NULL;

	(void)context;
	TL_TRY(read_thread(rsp, arguments, &id));
	if (tl_engine_is_bystander(rsp->engine, id))
		return write_bystander(rsp, id, reply);
	TL_TRY(tl_rsp_standing(rsp, id));
	TL_TRY(tl_engine_facts(rsp->engine, id.process, &facts));
	TL_TRY(as_far_as_there(fetch(rsp, id, facts.cpu, &file, &banks), &banks));
	for (tl_u16 i = 0; i < facts.cpu->register_count; i++) {
		const struct tl_register *row = &facts.cpu->registers[i];

		if ((facts.features >> row->feature & 1) != 0)
			write_register(reply, row, file, (banks >> row->bank & 1) != 0);
	}
	return TL_OK;
}

static enum tl_status changed(struct tl_rsp *rsp, struct tl_thread_id id, tl_u32 banks)
{
	TL_TRY(tl_engine_registers_changed(rsp->engine, id, banks));
	/* At once, so that the client hears of a value that the machine does not take. */
	return tl_engine_flush_registers(rsp->engine, id);
}

/* Takes one register's digits into the file; x's, which leave it as it is, and digits that are missing: false. */
static bool take_register(struct tl_cursor *digits, const struct tl_register *row, tl_u8 *file)
{
	struct tl_cursor here = tl_cursor_take(digits, 2 * register_size(row));
	struct tl_cursor test = here;

	while (!tl_cursor_done(&test))
		if (tl_cursor_byte(&test) == 'x')
			return false;
	if (here.failed)
		return false;
	tl_cursor_hex_bytes(&here, file + row->offset, register_size(row));
	return true;
}

/* Digits of either case and x's, and not more of them than the registers have. */
static bool well_formed(const struct tl_cursor *digits, const struct tl_process_facts *facts)
{
	tl_size most = 0;

	for (tl_u16 i = 0; i < facts->cpu->register_count; i++)
		if ((facts->features >> facts->cpu->registers[i].feature & 1) != 0)
			most += 2 * register_size(&facts->cpu->registers[i]);
	if (tl_cursor_left(digits) > most || tl_cursor_left(digits) == 0)
		return false;
	for (const tl_u8 *at = digits->at; at < digits->end; at++)
		if (*at != 'x' && tl_hex_digit(*at) < 0)
			return false;
	return true;
}

static enum tl_status handle_G(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments, struct tl_writer *reply)
{
	const tl_u8 *start = arguments->at;
	struct tl_process_facts facts;
	struct tl_cursor digits;
	struct tl_thread_id id;
	tl_u32 banks, written = 0;
	tl_u8 *file;

	(void)context, (void)reply;
	digits = tl_cursor_until(arguments, ';');
	/* The suffix begins with the semicolon. */
	arguments->at = start + tl_cursor_left(&digits);
	TL_TRY(tl_rsp_register_thread(rsp, arguments, &id));
	TL_TRY(tl_engine_facts(rsp->engine, id.process, &facts));
	if (!well_formed(&digits, &facts))
		return TL_ERROR_PACKET;
	TL_TRY(fetch(rsp, id, facts.cpu, &file, &banks));
	for (tl_u16 i = 0; i < facts.cpu->register_count && !tl_cursor_done(&digits); i++) {
		const struct tl_register *row = &facts.cpu->registers[i];

		if ((facts.features >> row->feature & 1) != 0 && take_register(&digits, row, file))
			written |= 1u << row->bank;
	}
	TL_TRY(changed(rsp, id, written & banks));
	return digits.failed ? TL_ERROR_PACKET : TL_OK;
}

static enum tl_status find_register(struct tl_rsp *rsp, struct tl_thread_id id, tl_u64 number, tl_u8 **file_ret,
				    const struct tl_register **row_ret)
{
	struct tl_process_facts facts;
	tl_u16 index;

	TL_TRY(tl_engine_facts(rsp->engine, id.process, &facts));
	TL_TRY(tl_cpu_present(facts.cpu, facts.features, number, &index));
	*row_ret = &facts.cpu->registers[index];
	return tl_engine_registers(rsp->engine, id, 1u << (*row_ret)->bank, file_ret);
}

static enum tl_status write_of_bystander(struct tl_rsp *rsp, struct tl_thread_id id, tl_u64 number,
					 struct tl_writer *reply)
{
	struct tl_process_facts facts;
	const tl_u8 *file;
	const tl_i16 *known;
	tl_u16 index;

	TL_TRY(tl_engine_facts(rsp->engine, id.process, &facts));
	TL_TRY(tl_cpu_present(facts.cpu, facts.features, number, &index));
	TL_TRY(tl_engine_bystander_registers(rsp->engine, id, &file, &known));
	write_register(reply, &facts.cpu->registers[index], file, is_known(known, index));
	return TL_OK;
}

static enum tl_status handle_p(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments, struct tl_writer *reply)
{
	tl_u64 number = tl_cursor_hex(arguments);
	const struct tl_register *row = NULL;
	struct tl_thread_id id;
	tl_u32 banks = 1;
	tl_u8 *file = NULL;

	(void)context;
	if (arguments->failed)
		return TL_ERROR_PACKET;
	TL_TRY(read_thread(rsp, arguments, &id));
	if (tl_engine_is_bystander(rsp->engine, id))
		return write_of_bystander(rsp, id, number, reply);
	TL_TRY(tl_rsp_standing(rsp, id));
	TL_TRY(as_far_as_there(find_register(rsp, id, number, &file, &row), &banks));
	if (row == NULL)
		return TL_ERROR_REGISTER;
	write_register(reply, row, file, banks != 0);
	return TL_OK;
}

static enum tl_status handle_P(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments, struct tl_writer *reply)
{
	tl_u64 number = tl_cursor_hex(arguments);
	const struct tl_register *row;
	struct tl_cursor digits;
	struct tl_thread_id id;
	const tl_u8 *start;
	tl_u8 *file;

	(void)context, (void)reply;
	tl_cursor_expect(arguments, '=');
	if (arguments->failed)
		return TL_ERROR_PACKET;
	start = arguments->at;
	digits = tl_cursor_until(arguments, ';');
	arguments->at = start + tl_cursor_left(&digits);
	TL_TRY(tl_rsp_register_thread(rsp, arguments, &id));
	TL_TRY(find_register(rsp, id, number, &file, &row));
	if (tl_cursor_left(&digits) != 2 * register_size(row))
		return TL_ERROR_PACKET;
	for (const tl_u8 *at = digits.at; at < digits.end; at++)
		if (tl_hex_digit(*at) < 0)
			return TL_ERROR_PACKET;
	tl_cursor_hex_bytes(&digits, file + row->offset, register_size(row));
	return changed(rsp, id, 1u << row->bank);
}

#define NEEDS (TL_RSP_PROCESS | TL_RSP_STOPPED)

const struct tl_rsp_row tl_rsp_register_rows[] = {
	{"g", TL_RSP_WORD, NEEDS, false, handle_g},
	{"G", TL_RSP_PREFIX, NEEDS, true, handle_G},
	{"p", TL_RSP_PREFIX, NEEDS, false, handle_p},
	{"P", TL_RSP_PREFIX, NEEDS, true, handle_P},
	{0},
};
