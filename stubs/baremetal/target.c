/* The machine as a target of the engine: processors are its threads, and kernel memory is what it shows. */
#include "stubs/baremetal/exceptions.h"

#include "core/cursor.h"

#define LOAD(at) __atomic_load_n(at, __ATOMIC_ACQUIRE)
#define STORE(at, value) __atomic_store_n(at, value, __ATOMIC_RELEASE)

static struct tl_stub_processor *processor_of(struct tl_target *target, struct tl_thread_id id)
{
	struct tl_stub *stub = (struct tl_stub *)(void *)target;

	return id.process == TL_STUB_PROCESS && id.thread - 1 < stub->count ? &stub->processors[id.thread - 1] : NULL;
}

static enum tl_status describe(struct tl_target *target, tl_u64 process, struct tl_process_facts *facts_ret)
{
	(void)target;
	(void)process;
	tl_stub_machine_describe(facts_ret);
	return TL_OK;
}

static bool stands(const struct tl_stub_processor *processor)
{
	return processor != NULL && LOAD(&processor->state) == TL_STUB_HERE;
}

static enum tl_status fetch_registers(struct tl_target *target, struct tl_thread_id id, tl_u8 bank, tl_u8 *file)
{
	struct tl_stub_processor *processor = processor_of(target, id);

	return stands(processor) ? tl_stub_machine_fetch(processor->machine, bank, file) : TL_ERROR_RUNNING;
}

static enum tl_status store_registers(struct tl_target *target, struct tl_thread_id id, tl_u8 bank, const tl_u8 *file)
{
	struct tl_stub_processor *processor = processor_of(target, id);

	return stands(processor) ? tl_stub_machine_store(processor->machine, bank, file) : TL_ERROR_RUNNING;
}

static enum tl_status read_memory(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer, tl_size size,
				  tl_size *done_ret)
{
	(void)target;
	(void)process;
	*done_ret = tl_stub_machine_peek(buffer, address, size);
	return *done_ret != 0 || size == 0 ? TL_OK : TL_ERROR_MEMORY;
}

static enum tl_status write_memory(struct tl_target *target, tl_u64 process, tl_u64 address, const void *buffer,
				   tl_size size, tl_size *done_ret)
{
	struct tl_stub *stub = (struct tl_stub *)(void *)target;
	const char *reason = NULL;

	(void)process;
	*done_ret = 0;
	/* One such byte is a breakpoint of the engine's. */
	if (stub->more->forbids != NULL && size == 1 && *(const tl_u8 *)buffer == 0xcc)
		reason = stub->more->forbids(stub->port.context, address);
	if (reason != NULL) {
		if (stub->rsp != NULL)
			tl_rsp_explain(stub->rsp, reason);
		return TL_ERROR_PERMISSION;
	}
	*done_ret = tl_stub_machine_poke(address, buffer, size);
	return *done_ret != 0 || size == 0 ? TL_OK : TL_ERROR_MEMORY;
}

void tl_stub_arrive(struct tl_stub *stub, struct tl_stub_processor *processor, const struct tl_event *event)
{
	processor->event = *event;
	processor->arrival = __atomic_fetch_add(&stub->arrivals, 1, __ATOMIC_RELAXED);
	STORE(&processor->stop_asked, 0);
	STORE(&processor->state, TL_STUB_ARRIVED);
}

static enum tl_status resume(struct tl_target *target, struct tl_thread_id id, const struct tl_run_request *request)
{
	struct tl_stub_processor *processor = processor_of(target, id);

	if (processor == NULL)
		return TL_ERROR_NO_THREAD;
	if (processor->excused && request->run == TL_RUN_STEP)
		return TL_ERROR_RUNNING;
	/* It runs as it is: it did not come, or has not been in here yet, which the engine was told of at the start. */
	if (LOAD(&processor->state) != TL_STUB_HERE) {
		processor->excused = false;
		STORE(&processor->stop_asked, 0);
		return TL_OK;
	}
	/* A stop that was asked for as it arrived has had its answer, even where the asking came last. */
	STORE(&processor->stop_asked, 0);
	processor->said_size = 0;
	if (tl_stub_machine_begin(processor->machine, request))
		STORE(&processor->state, TL_STUB_GOING);
	else
		tl_stub_arrive((struct tl_stub *)(void *)target, processor,
			       &(struct tl_event){.kind = TL_EVENT_STEPPED, .stepped = true});
	return TL_OK;
}

void tl_stub_summon(struct tl_stub *stub, struct tl_stub_processor *processor)
{
	if (stub->port.round_up != NULL && __atomic_exchange_n(&processor->summoned, 1, __ATOMIC_ACQ_REL) == 0)
		stub->port.round_up(stub->port.context, processor->number);
}

bool tl_stub_summoned(struct tl_stub_processor *processor)
{
	return __atomic_exchange_n(&processor->summoned, 0, __ATOMIC_ACQ_REL) != 0;
}

static enum tl_status stop(struct tl_target *target, struct tl_thread_id id)
{
	struct tl_stub *stub = (struct tl_stub *)(void *)target;
	struct tl_stub_processor *processor = processor_of(target, id);
	tl_u64 second;
	tl_u32 state;

	if (processor == NULL)
		return TL_ERROR_NO_THREAD;
	stub->rounds = 0;
	stub->asked = tl_stub_machine_clock(&second);
	STORE(&processor->stop_asked, 1);
	state = LOAD(&processor->state);
	if (state == TL_STUB_ARRIVED)
		STORE(&processor->stop_asked, 0); /* the event that it came with is the answer */
	else if (processor != tl_stub_here(stub))
		tl_stub_summon(stub, processor);
	return TL_OK;
}

/* Processors that run take new debug registers in when they are interrupted. */
static void refresh(struct tl_stub *stub)
{
	for (tl_u32 n = 0; n < stub->count; n++)
		if (stub->processors[n].present && LOAD(&stub->processors[n].state) == TL_STUB_AWAY)
			tl_stub_summon(stub, &stub->processors[n]);
}

static enum tl_status insert_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
				   tl_u64 size)
{
	(void)process;
	TL_TRY(tl_stub_machine_insert(kind, address, size));
	refresh((struct tl_stub *)(void *)target);
	return TL_OK;
}

static enum tl_status remove_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
				   tl_u64 size)
{
	(void)process;
	TL_TRY(tl_stub_machine_remove(kind, address, size));
	refresh((struct tl_stub *)(void *)target);
	return TL_OK;
}

static enum tl_status read_object(struct tl_target *target, struct tl_thread_id id, enum tl_object object,
				  tl_u64 offset, void *buffer, tl_size size, tl_size *done_ret)
{
	const struct tl_stub *stub = (const struct tl_stub *)(const void *)target;
	char text[48];
	struct tl_writer writer = tl_writer_make(text, sizeof(text));

	if (object == TL_OBJECT_TEXT_ADDRESS && stub->more->text != 0) {
		tl_store_little(text, stub->more->text, 8);
		tl_store_little(text + 8, stub->more->linked, 8);
		return tl_target_part(text, stub->more->linked != 0 ? 16 : 8, offset, buffer, size, done_ret);
	}
	if (object != TL_OBJECT_THREAD_NAME)
		return TL_ERROR_UNSUPPORTED;
	if (id.thread > TL_STUB_PROCESSORS_MAX && stub->more->tasks != NULL)
		return tl_target_part(text, stub->more->tasks->name(stub->port.context, id.thread, text, sizeof(text)),
				      offset, buffer, size, done_ret);
	if (stub->more->name != NULL)
		return tl_target_part(text,
				      stub->more->name(stub->port.context, (tl_u32)id.thread - 1, text, sizeof(text)),
				      offset, buffer, size, done_ret);
	tl_write_text(&writer, "processor ");
	tl_write_decimal(&writer, id.thread - 1);
	return tl_target_part(text, tl_writer_size(&writer), offset, buffer, size, done_ret);
}

/* ---- Tasks that are on no processor ---- */

static bool next_bystander(struct tl_target *target, struct tl_thread_id after, struct tl_thread_id *next_ret)
{
	const struct tl_stub *stub = (const struct tl_stub *)(const void *)target;

	next_ret->process = TL_STUB_PROCESS;
	return stub->more->tasks != NULL &&
	       stub->more->tasks->next(stub->port.context, after.thread, &next_ret->thread);
}

static enum tl_status fetch_bystander(struct tl_target *target, struct tl_thread_id id, tl_u8 *file,
				      const tl_i16 **known_ret)
{
	const struct tl_stub *stub = (const struct tl_stub *)(const void *)target;

	if (id.process != TL_STUB_PROCESS || id.thread <= TL_STUB_PROCESSORS_MAX || stub->more->tasks == NULL)
		return TL_ERROR_NO_THREAD;
	return stub->more->tasks->fetch(stub->port.context, id.thread, file, known_ret);
}

const struct tl_target_ops tl_stub_operations = {
	.version = TL_TARGET_VERSION,
	.name = "bare metal",
	.capabilities = TL_CAN_PLANT | TL_CAN_STEP | TL_CAN_RUN_SOME | TL_CAN_CARRY_OUT | TL_CAN_HARDWARE |
			TL_CAN_WATCH | TL_CAN_STAY,
	.describe = describe,
	.fetch_registers = fetch_registers,
	.store_registers = store_registers,
	.read_memory = read_memory,
	.write_memory = write_memory,
	.resume = resume,
	.stop = stop,
	.insert_point = insert_point,
	.remove_point = remove_point,
	.read_object = read_object,
	.next_bystander = next_bystander,
	.fetch_bystander = fetch_bystander,
	.bystander_refusal =
		"this task is on no processor: it goes on when the processors do, and can neither be stepped nor "
		"changed by itself",
	.monitor = tl_stub_exceptions_monitor,
};
