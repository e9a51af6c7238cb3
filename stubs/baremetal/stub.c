#include "stubs/baremetal/internal.h"

#include "core/cursor.h"

#define PACKET_SIZE 2048 /* all registers in one packet */
/* A line that brings a debugger's first packet while others are yet to stop: it is kept until they have. */
#define KEPT_MAX 512
/*
 * A processor that was asked to stop is late after a second, and not before so many rounds of serving: where all of
 * them take turns in one thread of a host that does not get to run, time passes through no fault of theirs.
 */
#define LATE_ROUNDS 16

#define LOAD(at) __atomic_load_n(at, __ATOMIC_ACQUIRE)
#define STORE(at, value) __atomic_store_n(at, value, __ATOMIC_RELEASE)

/* A second greeting on the line comes from another debugger: it must not meet what the first one left. */
static const char greeting[] = "$qSupported";

struct whole_stub {
	struct tl_stub stub; /* first */
	tl_u8 kept[KEPT_MAX];
	tl_size kept_size;
	tl_size matched; /* how much of `greeting` the last bytes of `kept` are */
	bool settling;   /* what was kept is for a session that begins when everybody stands */
	tl_u32 leaving;  /* atomic: when everybody stands, everything is taken back */
	char trouble[128];
};

/* The exceptions that lead into the stub bring nothing along that could say where it is. */
static struct whole_stub *the_stub;

struct tl_stub *tl_stub(void)
{
	return the_stub != NULL ? &the_stub->stub : NULL;
}

struct tl_stub_processor *tl_stub_here(struct tl_stub *stub)
{
	tl_u32 number = stub->port.processor != NULL ? stub->port.processor(stub->port.context) : 0;

	return number < stub->count ? &stub->processors[number] : NULL;
}

/* ---- What the engine and the session say ---- */

static void on_ready(void *context)
{
	((struct tl_stub *)context)->ready = true;
}

static void on_output(void *context, const char *text, tl_size size)
{
	struct tl_stub *stub = context;

	if (stub->rsp != NULL)
		(void)tl_rsp_console(stub->rsp, text, size);
}

static void on_send(void *context, const void *bytes, tl_size size)
{
	struct tl_stub *stub = context;

	stub->port.send(stub->port.context, bytes, size);
}

static void on_done(void *context)
{
	((struct tl_stub *)context)->done = true;
}

/* The processors were there before the debugger, and stay. */
static bool attached(void *context, tl_u64 process)
{
	(void)context;
	(void)process;
	return true;
}

/* ---- Sessions ---- */

/*
 * The debugger finds everybody standing, and asks why: that is told for the first that has something to tell, and not
 * again when it goes on.
 */
static void take_reason(struct tl_stub *stub)
{
	struct tl_report report;
	bool taken = false;

	while (tl_engine_take_report(stub->engine, &report))
		taken = true;
	for (tl_u32 n = 0; n < stub->count && !taken; n++)
		taken = tl_engine_take_waiting(stub->engine, (struct tl_thread_id){TL_STUB_PROCESS, n + 1}, &report);
}

static bool begin_session(struct tl_stub *stub)
{
	const struct tl_rsp_host host = {
		.allocator = {tl_stub_heap_resize, &stub->heap},
		.send = on_send,
		.done = on_done,
		.attached = attached,
		.context = stub,
		.packet_size = PACKET_SIZE,
		.commands = stub->more->commands,
		.stops_are_brief = true,
	};

	take_reason(stub);
	stub->ready = stub->done = false;
	stub->rsp = tl_allocate(&host.allocator, tl_rsp_size());
	if (stub->rsp == NULL)
		return false;
	if (tl_rsp_init(stub->rsp, stub->engine, &host) == TL_OK)
		return true;
	tl_release(&host.allocator, stub->rsp, tl_rsp_size());
	stub->rsp = NULL;
	return false;
}

static void end_session(struct tl_stub *stub)
{
	const struct tl_allocator allocator = {tl_stub_heap_resize, &stub->heap};

	if (stub->rsp == NULL)
		return;
	tl_rsp_deinit(stub->rsp);
	tl_release(&allocator, stub->rsp, tl_rsp_size());
	stub->rsp = NULL;
	stub->ready = stub->done = false;
}

/* Everybody is asked to stand still, whether left alone or under a debugger. */
static void gather(struct tl_stub *stub)
{
	if (tl_engine_next_unattended(stub->engine, 0) != 0)
		(void)tl_engine_attend(stub->engine, TL_STUB_PROCESS);
	else
		tl_engine_pause(stub->engine);
}

/* What was kept goes to the session, or begins one. */
static void hand_over(struct whole_stub *whole)
{
	struct tl_stub *stub = &whole->stub;
	tl_size size = whole->kept_size;

	if (whole->settling) {
		if (!tl_engine_quiet(stub->engine))
			return;
		end_session(stub);
		tl_engine_reset_client(stub->engine);
		if (!begin_session(stub)) {
			whole->kept_size = 0;
			whole->settling = false;
			return;
		}
		whole->settling = false;
	}
	whole->kept_size = whole->matched = 0;
	if (stub->rsp != NULL)
		tl_rsp_receive(stub->rsp, whole->kept, size);
}

/* One byte from the line. True when it made what is kept complete enough to be looked at. */
static void one_byte(struct whole_stub *whole, tl_u8 byte)
{
	struct tl_stub *stub = &whole->stub;

	/* Nobody is there: only what a debugger begins with counts. */
	if (stub->rsp == NULL && !whole->settling) {
		if (byte != '$' && byte != 3)
			return;
		whole->settling = true;
		gather(stub);
		if (byte == 3)
			return;
	}
	whole->kept[whole->kept_size++] = byte;
	if (byte == (tl_u8)greeting[whole->matched])
		whole->matched++;
	else
		whole->matched = byte == '$';
	if (whole->matched == sizeof(greeting) - 1) {
		whole->matched = 0;
		/* What came before belongs to nobody any more, not even while it waits for everybody to stand. */
		tl_move(whole->kept, greeting, sizeof(greeting) - 1);
		whole->kept_size = sizeof(greeting) - 1;
		if (!whole->settling) {
			whole->settling = true;
			gather(stub);
		}
	}
}

/* Takes what the line has. True when there was anything. */
static bool listen(struct whole_stub *whole)
{
	struct tl_stub *stub = &whole->stub;
	bool any = false;
	int byte;

	stub->looked = __atomic_load_n(&stub->looks, __ATOMIC_SEQ_CST);
	while (whole->kept_size < KEPT_MAX && (byte = stub->port.receive(stub->port.context)) >= 0) {
		any = true;
		one_byte(whole, (tl_u8)byte);
	}
	/* A beginning of a greeting waits for its end; no processor waits in here for it: the line may never bring it.
	 */
	if (whole->kept_size != 0 && (whole->settling || whole->matched == 0 || whole->kept_size == KEPT_MAX))
		hand_over(whole);
	return any;
}

/* ---- Serving ---- */

/* The processor that arrived first of those whose events can be posted; NULL: there is none. */
static struct tl_stub_processor *first_to_arrive(struct tl_stub *stub)
{
	struct tl_stub_processor *first = NULL;

	for (tl_u32 n = 0; n < stub->count; n++) {
		struct tl_stub_processor *processor = &stub->processors[n];

		/* What an excused one has met is news of a processor that runs: it waits until that is so again. */
		if (LOAD(&processor->state) == TL_STUB_ARRIVED &&
		    (!processor->excused || processor->event.kind == TL_EVENT_PAUSED) &&
		    (first == NULL || processor->arrival < first->arrival))
			first = processor;
	}
	return first;
}

/* Posts the event that came first. True when there was one. */
static bool hear(struct tl_stub *stub)
{
	struct tl_stub_processor *first = first_to_arrive(stub);
	struct tl_event event;

	if (first == NULL)
		return false;
	/* Something happened that a debugger should see: nobody runs on until one has come. */
	if (first->event.kind != TL_EVENT_THREAD_CREATED && tl_engine_next_unattended(stub->engine, 0) != 0)
		(void)tl_engine_attend(stub->engine, TL_STUB_PROCESS);
	event = first->event;
	event.thread = (struct tl_thread_id){TL_STUB_PROCESS, first->number + 1};
	first->present = true;
	if (first->said_size != 0)
		on_output(stub, first->said, first->said_size);
	tl_stub_machine_settle(first->machine, &event);
	STORE(&first->state, TL_STUB_HERE);
	first->missing = false;
	if (!first->excused)
		tl_engine_post(stub->engine, &event);
	first->excused = false;
	return true;
}

static void tell_missing(struct tl_stub *stub, const struct tl_stub_processor *processor)
{
	char text[96];
	struct tl_writer writer = tl_writer_make(text, sizeof(text));

	tl_write_text(&writer, "Processor ");
	tl_write_decimal(&writer, processor->number);
	tl_write_text(&writer, " was asked to stop, and does not come: it cannot be looked at.\n");
	on_output(stub, text, tl_writer_size(&writer));
}

/*
 * Processors that were asked to stop, and do not come: the engine takes them for standing, so that the others can be
 * looked at. One that has not come since is not waited for again.
 */
static void go_without(struct whole_stub *whole)
{
	struct tl_stub *stub = &whole->stub;
	tl_u64 second, now = tl_stub_machine_clock(&second);
	const bool late = ++stub->rounds >= LATE_ROUNDS && now - stub->asked >= second;

	for (tl_u32 n = 0; n < stub->count; n++) {
		struct tl_stub_processor *processor = &stub->processors[n];

		if (LOAD(&processor->stop_asked) == 0 || LOAD(&processor->state) != TL_STUB_AWAY ||
		    processor->excused || (!late && !processor->missing))
			continue;
		if (!processor->missing)
			tell_missing(stub, processor);
		processor->missing = processor->excused = true;
		tl_engine_post(stub->engine,
			       &(struct tl_event){.kind = TL_EVENT_PAUSED, .thread = {TL_STUB_PROCESS, n + 1}});
	}
}

static void tell_trouble(struct whole_stub *whole)
{
	tl_size length = 0;

	while (whole->trouble[length] != '\0')
		length++;
	whole->stub.trouble = false;
	on_output(&whole->stub, whole->trouble, length);
	/* A packet that was being handled will not be answered; the debugger asks again when it is told so. */
	whole->stub.port.send(whole->stub.port.context, "$E01#a6", 7);
}

/* Everybody stands: nothing of a debugger's stays, and everybody goes. */
static void take_back(struct whole_stub *whole)
{
	struct tl_stub *stub = &whole->stub;

	end_session(stub);
	tl_engine_reset_client(stub->engine);
	tl_engine_drop_reports(stub->engine);
	whole->settling = false;
	whole->kept_size = whole->matched = 0;
	(void)tl_engine_unattend(stub->engine, TL_STUB_PROCESS, 0, 0);
	STORE(&whole->leaving, 0);
}

/* Left to itself, with nobody who comes, there is nothing to take back. */
static void prepare_to_leave(struct whole_stub *whole)
{
	if (whole->settling || tl_engine_next_unattended(whole->stub.engine, 0) == 0)
		gather(&whole->stub);
	else
		STORE(&whole->leaving, 0);
}

static bool take_out(struct tl_stub *stub, tl_u64 address)
{
	tl_u8 byte;

	return tl_stub_original(stub, address, &byte, 1) == TL_OK && byte != 0xcc &&
	       tl_stub_machine_poke(address, &byte, 1) == 1;
}

/* Processors that wait in an exception for a breakpoint to be taken out. */
static void clear_the_way(void *context)
{
	struct tl_stub *stub = context;

	for (tl_u32 n = 0; n < stub->count; n++) {
		tl_u64 address = LOAD(&stub->processors[n].in_the_way);

		if (address == 0)
			continue;
		stub->processors[n].taken_out = take_out(stub, address);
		STORE(&stub->processors[n].in_the_way, 0);
	}
}

/* Nobody comes any more: as if the debugger had left, and everything was taken back. */
static void look_for_loss(struct whole_stub *whole)
{
	struct tl_stub *stub = &whole->stub;

	if (stub->rsp == NULL || stub->more->lost == NULL || LOAD(&whole->leaving) != 0 ||
	    !stub->more->lost(stub->port.context, tl_engine_quiet(stub->engine)))
		return;
	STORE(&whole->leaving, 1);
	prepare_to_leave(whole);
}

static bool serve_once(struct whole_stub *whole)
{
	struct tl_stub *stub = &whole->stub;
	bool busy = hear(stub);

	clear_the_way(stub);
	busy |= listen(whole);
	if (stub->done) {
		end_session(stub);
		/* The next one finds everybody stopped as if this one had never been: not one by one. */
		*tl_engine_settings(stub->engine) = (struct tl_engine_settings){0};
	}
	if (LOAD(&whole->leaving) != 0 && tl_engine_quiet(stub->engine))
		take_back(whole);
	if (stub->ready && stub->rsp != NULL) {
		stub->ready = false;
		tl_rsp_poll(stub->rsp);
	}
	look_for_loss(whole);
	if (!tl_engine_quiet(stub->engine))
		go_without(whole);
	return busy;
}

/* What the processor at hand, which only looked in, does next. */
static void visit(struct tl_stub *stub, struct tl_stub_processor *processor, bool busy)
{
	static const struct tl_event paused = {.kind = TL_EVENT_PAUSED};

	if (LOAD(&processor->stop_asked) != 0) {
		tl_stub_arrive(stub, processor, &paused);
	} else if (!busy) {
		STORE(&processor->state, TL_STUB_GOING); /* its registers are as it brought them */
	}
}

static void serve(void *context)
{
	struct tl_stub_processor *processor = context;
	struct whole_stub *whole = the_stub;

	if (whole->stub.trouble)
		tell_trouble(whole);
	if (processor->text != NULL)
		on_output(&whole->stub, processor->text, processor->text_size);
	if (LOAD(&whole->leaving) != 0)
		prepare_to_leave(whole);
	while (LOAD(&processor->state) != TL_STUB_GOING) {
		bool busy = serve_once(whole);

		if (LOAD(&processor->state) == TL_STUB_VISITING)
			visit(&whole->stub, processor, busy);
		tl_stub_machine_relax();
	}
}

static bool begin_serving(struct tl_stub *stub, struct tl_stub_processor *processor)
{
	if (__atomic_exchange_n(&stub->serving, 1, __ATOMIC_SEQ_CST) != 0)
		return false;
	STORE(&stub->server, processor);
	return true;
}

static void end_serving(struct tl_stub *stub)
{
	STORE(&stub->server, NULL);
	__atomic_store_n(&stub->serving, 0, __ATOMIC_SEQ_CST);
}

/* Whoever serves may wait for this very processor to arrive, so it does that for it, and is never waited for itself. */
bool tl_stub_take_out(struct tl_stub *stub, struct tl_stub_processor *processor, tl_u64 address)
{
	if (LOAD(&stub->server) == processor)
		return take_out(stub, address);
	STORE(&processor->in_the_way, address);
	while (LOAD(&processor->in_the_way) != 0) {
		if (begin_serving(stub, processor)) {
			tl_stub_machine_serve(stub, clear_the_way, stub);
			end_serving(stub);
		} else {
			tl_stub_machine_relax();
		}
	}
	return processor->taken_out;
}

static void serve_line(void *context)
{
	(void)context;
	(void)serve_once(the_stub);
}

/*
 * Who polls while another serves leaves the line to that one, which may not look again before it goes: each says so
 * before it looks whether the other has, and one of them sees it.
 */
static void look_again(struct tl_stub *stub, struct tl_stub_processor *processor)
{
	while (LOAD(&processor->state) == TL_STUB_GOING &&
	       __atomic_load_n(&stub->looks, __ATOMIC_SEQ_CST) != stub->looked && begin_serving(stub, processor)) {
		tl_stub_machine_serve(stub, serve_line, NULL);
		end_serving(stub);
	}
}

void tl_stub_stay(struct tl_stub *stub, struct tl_stub_processor *processor, enum tl_stub_state state,
		  const struct tl_event *event)
{
	if (state == TL_STUB_ARRIVED)
		tl_stub_arrive(stub, processor, event);
	else
		STORE(&processor->state, TL_STUB_VISITING);
	while (LOAD(&processor->state) != TL_STUB_GOING) {
		if (begin_serving(stub, processor)) {
			tl_stub_machine_serve(stub, serve, processor);
			end_serving(stub);
		} else if (LOAD(&processor->state) == TL_STUB_VISITING) {
			visit(stub, processor, false); /* whoever serves looks at the line */
		} else {
			tl_stub_machine_relax();
		}
	}
	look_again(stub, processor);
	STORE(&processor->state, TL_STUB_AWAY);
}

void tl_stub_trouble(struct tl_stub *stub, const char *text)
{
	struct tl_writer writer = tl_writer_make(the_stub->trouble, sizeof(the_stub->trouble) - 1);

	tl_write_text(&writer, text);
	the_stub->trouble[tl_writer_size(&writer)] = '\0';
	stub->trouble = true;
}

enum tl_status tl_stub_original(struct tl_stub *stub, tl_u64 address, tl_u8 *bytes, tl_size size)
{
	tl_size done = 0;

	TL_TRY(tl_engine_read_memory(stub->engine, TL_STUB_PROCESS, address, bytes, size, &done));
	return done == size ? TL_OK : TL_ERROR_MEMORY;
}

/* ---- The embedder's side ---- */

/* The engine takes the first processor for standing until it is told to leave it alone. */
static enum tl_status start_engine(struct tl_stub *stub)
{
	const struct tl_engine_host host = {
		.allocator = {tl_stub_heap_resize, &stub->heap},
		.output = on_output,
		.ready = on_ready,
		.context = stub,
	};

	stub->engine = tl_allocate(&host.allocator, tl_engine_size());
	if (stub->engine == NULL)
		return TL_ERROR_NO_MEMORY;
	tl_engine_init(stub->engine, &stub->target, &host);
	TL_TRY(tl_engine_add_process(stub->engine, TL_STUB_PROCESS));
	TL_TRY(tl_engine_add_thread(stub->engine, (struct tl_thread_id){TL_STUB_PROCESS, 1}, false));
	return tl_engine_unattend(stub->engine, TL_STUB_PROCESS, 0, 0);
}

static enum tl_status start_processors(struct tl_stub *stub, tl_u32 count)
{
	const struct tl_allocator allocator = {tl_stub_heap_resize, &stub->heap};
	tl_u8 *machines = tl_allocate(&allocator, count * tl_stub_machine_size());

	stub->processors = tl_allocate(&allocator, count * sizeof(*stub->processors));
	stub->stack = tl_allocate(&allocator, TL_STUB_STACK);
	if (stub->processors == NULL || machines == NULL || stub->stack == NULL)
		return TL_ERROR_NO_MEMORY;
	stub->count = count;
	for (tl_u32 n = 0; n < count; n++) {
		stub->processors[n].number = n;
		stub->processors[n].machine = (void *)(machines + n * tl_stub_machine_size());
		tl_stub_machine_init(stub, stub->processors[n].machine);
	}
	return TL_OK;
}

static const struct tl_stub_more nothing_more;

void tl_stub_add(const struct tl_stub_more *more)
{
	if (the_stub != NULL)
		the_stub->stub.more = more;
}

enum tl_status tl_stub_start(const struct tl_stub_port *port, tl_u32 processors, void *storage, tl_size size)
{
	struct whole_stub *whole = storage;
	tl_size own = (sizeof(*whole) + 15) & ~(tl_size)15;

	if (the_stub != NULL)
		return TL_ERROR_STATE;
	if (storage == NULL || ((tl_uintptr)storage & 15) != 0 || port->receive == NULL || port->send == NULL ||
	    processors == 0 || processors > TL_STUB_PROCESSORS_MAX ||
	    (processors > 1 && (port->processor == NULL || port->round_up == NULL)))
		return TL_ERROR_ARGUMENT;
	if (size < own)
		return TL_ERROR_NO_MEMORY;
	tl_fill(whole, 0, sizeof(*whole));
	whole->stub.target.ops = &tl_stub_operations;
	whole->stub.port = *port;
	whole->stub.more = &nothing_more;
	tl_stub_heap_init(&whole->stub.heap, (tl_u8 *)storage + own, size - own);
	TL_TRY(start_processors(&whole->stub, processors));
	whole->stub.processors[0].present = true;
	TL_TRY(start_engine(&whole->stub));
	the_stub = whole;
	return TL_OK;
}

void tl_stub_join(void)
{
	if (the_stub != NULL)
		tl_stub_machine_join();
}

void tl_stub_break(void)
{
	if (the_stub != NULL)
		tl_stub_machine_break();
}

void tl_stub_poll(void)
{
	if (the_stub == NULL)
		return;
	/* Whoever serves looks at the line, and if it has just done so, once more (look_again). */
	__atomic_fetch_add(&the_stub->stub.looks, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&the_stub->stub.serving, __ATOMIC_SEQ_CST) == 0)
		tl_stub_machine_visit();
}

void tl_stub_leave(void)
{
	struct whole_stub *whole = the_stub;

	if (whole == NULL)
		return;
	STORE(&whole->leaving, 1);
	while (LOAD(&whole->leaving) != 0)
		tl_stub_machine_visit();
}

void tl_stub_end(void)
{
	the_stub = NULL;
}

void tl_stub_print(const char *text, tl_size size)
{
	struct tl_stub_processor *processor = the_stub != NULL ? tl_stub_here(&the_stub->stub) : NULL;

	if (processor == NULL || LOAD(&the_stub->stub.serving) != 0)
		return;
	processor->text = text;
	processor->text_size = size;
	tl_stub_machine_visit();
	processor->text = NULL;
}

void tl_stub_storage(tl_size *now_ret, tl_size *most_ret)
{
	*now_ret = the_stub != NULL ? the_stub->stub.heap.used : 0;
	*most_ret = the_stub != NULL ? the_stub->stub.heap.most : 0;
}
