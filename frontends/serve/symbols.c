#include "frontends/serve/symbols.h"

#include "base/trace.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <thread_db.h>

/* Bounded against a libthread_db that lists without end. */
#define SYMBOLS_MAX 1024

struct symbol {
	const char *name; /* libthread_db's */
	tl_u64 address;
	bool known;
};

/* What libthread_db hands back to the callbacks at the end of this file. One for each process. */
struct ps_prochandle {
	struct tl_engine *engine;
	tl_u64 process;
	struct tl_threads_db *db;
};

struct tl_threads_db {
	struct tl_threads_db *next;
	struct ps_prochandle handle;
	bool stale; /* the process runs another program by now: to be forgotten */
	void *library;
	td_err_e (*create)(struct ps_prochandle *, td_thragent_t **);
	td_err_e (*destroy)(td_thragent_t *);
	td_err_e (*find_thread)(const td_thragent_t *, lwpid_t, td_thrhandle_t *);
	td_err_e (*tls_address)(const td_thrhandle_t *, psaddr_t, size_t, psaddr_t *);
	td_err_e (*tls_base)(const td_thrhandle_t *, unsigned long, psaddr_t *);
	td_thragent_t *agent;
	struct symbol *symbols; /* the one that all else hangs on first */
	tl_size count;
	tl_size asked; /* symbols[asked] is what the client was asked last; count: all are known */
};

static void destroy_db(struct tl_threads_db *db)
{
	if (db->agent != NULL)
		(void)db->destroy(db->agent);
	if (db->library != NULL)
		dlclose(db->library);
	free(db->symbols);
	free(db);
}

/* Forgets one process's (0: every one's), and those that went stale. */
static void forget(struct tl_server *server, tl_u64 process)
{
	struct tl_threads_db **at = &server->threads_db;

	while (*at != NULL) {
		struct tl_threads_db *db = *at;

		if (db->stale || process == 0 || db->handle.process == process) {
			*at = db->next;
			destroy_db(db);
		} else {
			at = &db->next;
		}
	}
}

void tl_symbols_forget(struct tl_server *server, tl_u64 process)
{
	forget(server, process);
}

void tl_symbols_forget_all(struct tl_server *server)
{
	forget(server, 0);
}

void tl_symbols_mark_stale(struct tl_server *server, tl_u64 process)
{
	for (struct tl_threads_db *db = server->threads_db; db != NULL; db = db->next)
		if (db->handle.process == process)
			db->stale = true;
}

enum tl_status tl_symbols_set_path(struct tl_server *server, const char *path)
{
	char *copy = strdup(path);

	if (copy == NULL)
		return TL_ERROR_NO_MEMORY;
	free(server->threads_db_path);
	server->threads_db_path = copy;
	/* A library that is not in use yet is to come from the new place. */
	for (struct tl_threads_db *db = server->threads_db; db != NULL; db = db->next)
		if (db->agent == NULL)
			db->stale = true;
	return TL_OK;
}

/* libthread_db from the first place on the search path that has it. */
static void *open_library(const char *path)
{
	char *copy = strdup(path), *rest = copy, *part;
	void *library = NULL;

	while (copy != NULL && library == NULL && (part = strsep(&rest, ":")) != NULL) {
		char file[PATH_MAX];

		if (part[0] == '\0' || strcmp(part, "$pdir") == 0)
			continue;
		if (strcmp(part, "$sdir") == 0)
			snprintf(file, sizeof(file), "libthread_db.so.1");
		else
			snprintf(file, sizeof(file), "%s/libthread_db.so.1", part);
		library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
		if (library == NULL)
			TL_TRACE(ERRORS, "%s", dlerror());
	}
	free(copy);
	return library;
}

/* dlsym into a function pointer of any type. */
static bool find_function(void *library, const char *name, void *function_ret)
{
	void *found = dlsym(library, name);

	memcpy(function_ret, &found, sizeof(found));
	return found != NULL;
}

static bool list_symbols(struct tl_threads_db *db)
{
	const char **(*list)(void);
	const char **names;

	if (!find_function(db->library, "td_symbol_list", &list))
		return false;
	names = list();
	while (names[db->count] != NULL && db->count < SYMBOLS_MAX)
		db->count++;
	db->symbols = calloc(db->count + 1, sizeof(*db->symbols));
	if (db->symbols == NULL)
		return false;
	for (tl_size i = 0; i < db->count; i++) {
		db->symbols[i].name = names[i];
		/* A program without threads has no version symbol; then nothing else needs to be asked. */
		if (strcmp(names[i], "nptl_version") == 0) {
			db->symbols[i].name = names[0];
			db->symbols[0].name = names[i];
		}
	}
	return true;
}

/* The process's own, made when it is first needed; NULL when there is no libthread_db. */
static struct tl_threads_db *find_db(struct tl_server *server, tl_u64 process, bool create)
{
	struct tl_threads_db *db;

	forget(server, TL_ANY);
	for (db = server->threads_db; db != NULL; db = db->next)
		if (db->handle.process == process)
			return db;
	db = create ? calloc(1, sizeof(*db)) : NULL;
	if (db == NULL)
		return NULL;
	db->handle = (struct ps_prochandle){server->engine, process, db};
	db->library = open_library(server->threads_db_path != NULL ? server->threads_db_path : TL_THREADS_DB_PATH);
	if (db->library == NULL || !find_function(db->library, "td_ta_new", &db->create) ||
	    !find_function(db->library, "td_ta_delete", &db->destroy) ||
	    !find_function(db->library, "td_ta_map_lwp2thr", &db->find_thread) ||
	    !find_function(db->library, "td_thr_tls_get_addr", &db->tls_address) ||
	    !find_function(db->library, "td_thr_tlsbase", &db->tls_base) || !list_symbols(db)) {
		destroy_db(db);
		return NULL;
	}
	db->next = server->threads_db;
	server->threads_db = db;
	return db;
}

/* Asks for the next symbol, or says that nothing more is wanted. */
static enum tl_status ask(struct tl_threads_db *db, struct tl_writer *reply)
{
	if (db->asked < db->count) {
		tl_write_text(reply, "qSymbol:");
		tl_write_hex_text(reply, db->symbols[db->asked].name);
		return TL_OK;
	}
	if (db->agent == NULL && db->count != 0 && db->symbols[0].known) {
		td_err_e error = db->create(&db->handle, &db->agent);

		TL_TRACE(EVENTS, "process %llu: libthread_db: %d", (unsigned long long)db->handle.process, (int)error);
		if (error != TD_OK)
			db->agent = NULL;
	}
	tl_write_text(reply, "OK");
	return TL_OK;
}

/* "qSymbol::" offers to look symbols up; "qSymbol:[ADDRESS]:NAME" answers. */
static enum tl_status handle_symbol(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				    struct tl_writer *reply)
{
	struct tl_server *server = context;
	struct tl_cursor address = tl_cursor_until(arguments, ':');
	struct tl_thread_id general;
	struct tl_threads_db *db;
	char name[256];
	tl_size size = tl_cursor_left(arguments) / 2;

	/* What the symbols are for is qGetTLSAddr, which lldb does not know: it is spared the questions. */
	if (tl_rsp_client_has(rsp, TL_RSP_CLIENT_LLDB) || !tl_rsp_general(rsp, &general)) {
		tl_write_text(reply, "OK");
		return TL_OK;
	}
	db = find_db(server, general.process, true);
	if (db == NULL) {
		tl_write_text(reply, "OK");
		return TL_OK;
	}
	if (tl_cursor_done(arguments)) {
		/* New symbols: if the thread library was not there before, it may be now. */
		if (db->agent == NULL)
			db->asked = 0;
		return ask(db, reply);
	}
	if (tl_cursor_left(arguments) % 2 != 0 || size >= sizeof(name))
		return TL_ERROR_PACKET;
	tl_cursor_hex_bytes(arguments, name, size);
	name[size] = '\0';
	if (arguments->failed || db->asked >= db->count || strcmp(name, db->symbols[db->asked].name) != 0)
		return TL_ERROR_PACKET;
	db->symbols[db->asked].known = !tl_cursor_done(&address);
	if (db->symbols[db->asked].known)
		db->symbols[db->asked].address = tl_cursor_hex(&address);
	if (address.failed)
		return TL_ERROR_PACKET;
	/* Without the first there is no thread library, and no use for the others. */
	db->asked = db->asked == 0 && !db->symbols[0].known ? db->count : db->asked + 1;
	return ask(db, reply);
}

static const char *explain_error(td_err_e error)
{
	switch (error) {
	case TD_NOTHR:
		return "libthread_db knows no such thread";
	case TD_NOTLS:
		return "the thread has no storage for that module";
	case TD_TLSDEFER:
		return "the thread has not yet used its storage of that module";
	case TD_VERSION:
		return "libthread_db does not fit the program's C library";
	case TD_OK:
	case TD_ERR:
	case TD_NOSV:
	case TD_NOLWP:
	case TD_BADPH:
	case TD_BADTH:
	case TD_BADSH:
	case TD_BADTA:
	case TD_BADKEY:
	case TD_NOMSG:
	case TD_NOFPREGS:
	case TD_NOLIBTHREAD:
	case TD_NOEVENT:
	case TD_DBERR:
	case TD_NOAPLIC:
	case TD_NOTSD:
	case TD_MALLOC:
	case TD_PARTIALREG:
	case TD_NOXREGS:
	case TD_NOCAPAB:
	default:
		return "libthread_db cannot say";
	}
}

/* qGetTLSAddr:THREAD,OFFSET,LINK-MAP */
static enum tl_status handle_tls(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				 struct tl_writer *reply)
{
	struct tl_thread_id thread = tl_rsp_read_thread_id(rsp, arguments);
	struct tl_threads_db *db;
	td_thrhandle_t handle;
	psaddr_t address;
	tl_u64 offset, map;
	td_err_e error;

	tl_cursor_expect(arguments, ',');
	offset = tl_cursor_hex(arguments);
	tl_cursor_expect(arguments, ',');
	map = tl_cursor_hex(arguments);
	if (arguments->failed || !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	db = find_db(context, thread.process, false);
	if (db == NULL || db->agent == NULL) {
		tl_rsp_explain(rsp, "the program has no thread library, or the client told no symbols of it");
		return TL_ERROR_UNSUPPORTED;
	}
	error = db->find_thread(db->agent, (lwpid_t)thread.thread, &handle);
	if (error == TD_OK && map != 0) {
		error = db->tls_address(&handle, (psaddr_t)(uintptr_t)map, (size_t)offset, &address);
	} else if (error == TD_OK) {
		/* A static program has no link map; its own block is module 1. */
		error = db->tls_base(&handle, 1, &address);
		address = (char *)address + offset;
	}
	if (error != TD_OK) {
		tl_rsp_explain(rsp, explain_error(error));
		return TL_ERROR_SYSTEM;
	}
	tl_write_hex(reply, (tl_u64)(uintptr_t)address);
	return TL_OK;
}

const struct tl_rsp_row tl_symbols_rows[] = {
	{"qSymbol:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_symbol},
	{"qGetTLSAddr:", TL_RSP_PREFIX, TL_RSP_PROCESS, false, handle_tls},
	{NULL, 0, 0, false, NULL},
};

/*
 * What libthread_db calls: glibc's <proc_service.h>, declared here because that header is not installed. They must be
 * found in the program by dlopen.
 */
typedef enum { PS_OK, PS_ERR, PS_BADPID, PS_BADLID, PS_BADADDR, PS_NOSYM, PS_NOFREGS } ps_err_e;

#define EXPORTED __attribute__((visibility("default"), used))

EXPORTED ps_err_e ps_pdread(struct ps_prochandle *handle, psaddr_t address, void *buffer, size_t size);
EXPORTED ps_err_e ps_pdwrite(struct ps_prochandle *handle, psaddr_t address, const void *buffer, size_t size);
EXPORTED ps_err_e ps_ptread(struct ps_prochandle *handle, psaddr_t address, void *buffer, size_t size);
EXPORTED ps_err_e ps_ptwrite(struct ps_prochandle *handle, psaddr_t address, const void *buffer, size_t size);
EXPORTED ps_err_e ps_lgetregs(struct ps_prochandle *handle, lwpid_t thread, prgregset_t registers);
EXPORTED ps_err_e ps_lsetregs(struct ps_prochandle *handle, lwpid_t thread, const prgregset_t registers);
EXPORTED ps_err_e ps_lgetfpregs(struct ps_prochandle *handle, lwpid_t thread, prfpregset_t *registers);
EXPORTED ps_err_e ps_lsetfpregs(struct ps_prochandle *handle, lwpid_t thread, const prfpregset_t *registers);
EXPORTED pid_t ps_getpid(struct ps_prochandle *handle);
EXPORTED ps_err_e ps_get_thread_area(struct ps_prochandle *handle, lwpid_t thread, int index, psaddr_t *base);
EXPORTED ps_err_e ps_pglobal_lookup(struct ps_prochandle *handle, const char *object, const char *name,
				    psaddr_t *address);
EXPORTED ps_err_e ps_pstop(struct ps_prochandle *handle);
EXPORTED ps_err_e ps_pcontinue(struct ps_prochandle *handle);
EXPORTED ps_err_e ps_lstop(struct ps_prochandle *handle, lwpid_t thread);
EXPORTED ps_err_e ps_lcontinue(struct ps_prochandle *handle, lwpid_t thread);

ps_err_e ps_pdread(struct ps_prochandle *handle, psaddr_t address, void *buffer, size_t size)
{
	tl_size done = 0;

	if (tl_engine_read_memory(handle->engine, handle->process, (uintptr_t)address, buffer, size, &done) != TL_OK ||
	    done != size)
		return PS_BADADDR;
	return PS_OK;
}

ps_err_e ps_pdwrite(struct ps_prochandle *handle, psaddr_t address, const void *buffer, size_t size)
{
	tl_size done = 0;

	if (tl_engine_write_memory(handle->engine, handle->process, (uintptr_t)address, buffer, size, &done) != TL_OK ||
	    done != size)
		return PS_BADADDR;
	return PS_OK;
}

ps_err_e ps_ptread(struct ps_prochandle *handle, psaddr_t address, void *buffer, size_t size)
{
	return ps_pdread(handle, address, buffer, size);
}

ps_err_e ps_ptwrite(struct ps_prochandle *handle, psaddr_t address, const void *buffer, size_t size)
{
	return ps_pdwrite(handle, address, buffer, size);
}

/* One register by its name; false when the thread runs or the CPU has none of that name. */
static bool read_register(struct ps_prochandle *handle, lwpid_t thread, const char *name, tl_u64 *value_ret)
{
	struct tl_thread_id id = {handle->process, (tl_u64)thread};
	struct tl_process_facts facts;
	tl_u8 *file;

	if (tl_engine_facts(handle->engine, handle->process, &facts) != TL_OK)
		return false;
	for (const struct tl_register *at = facts.cpu->registers; at->name != NULL; at++) {
		if (strcmp(at->name, name) != 0 || at->bits > 64)
			continue;
		if (tl_engine_registers(handle->engine, id, 1u << at->bank, &file) != TL_OK)
			return false;
		*value_ret = tl_load_little(file + at->offset, at->bits / 8);
		return true;
	}
	return false;
}

/* struct user_regs_struct of <sys/user.h>, of the machine's own kind and of i386. */
static const char *const order_64[] = {"r15",    "r14", "r13", "r12",     "rbp",     "rbx", "r11",      "r10", "r9",
				       "r8",     "rax", "rcx", "rdx",     "rsi",     "rdi", "orig_rax", "rip", "cs",
				       "eflags", "rsp", "ss",  "fs_base", "gs_base", "ds",  "es",       "fs",  "gs"};
static const char *const order_32[] = {"ebx", "ecx", "edx",      "esi", "edi", "ebp",    "eax", "ds", "es",
				       "fs",  "gs",  "orig_eax", "eip", "cs",  "eflags", "esp", "ss"};

ps_err_e ps_lgetregs(struct ps_prochandle *handle, lwpid_t thread, prgregset_t registers)
{
	struct tl_process_facts facts;
	bool wide;

	if (tl_engine_facts(handle->engine, handle->process, &facts) != TL_OK)
		return PS_ERR;
	wide = facts.cpu->address_size == 8;
	memset(registers, 0, sizeof(prgregset_t));
	for (tl_size i = 0; i < (wide ? TL_COUNT(order_64) : TL_COUNT(order_32)); i++) {
		tl_size size = wide ? 8 : 4;
		tl_u64 value = 0;

		if (!read_register(handle, thread, wide ? order_64[i] : order_32[i], &value))
			return PS_ERR;
		if ((i + 1) * size <= sizeof(prgregset_t))
			tl_store_little((tl_u8 *)registers + i * size, value, size);
	}
	return PS_OK;
}

/* Nothing that is asked of libthread_db here writes registers or needs those of the floating-point unit. */
ps_err_e ps_lsetregs(struct ps_prochandle *handle, lwpid_t thread, const prgregset_t registers)
{
	(void)handle;
	(void)thread;
	(void)registers;
	return PS_ERR;
}

ps_err_e ps_lgetfpregs(struct ps_prochandle *handle, lwpid_t thread, prfpregset_t *registers)
{
	(void)handle;
	(void)thread;
	(void)registers;
	return PS_NOFREGS;
}

ps_err_e ps_lsetfpregs(struct ps_prochandle *handle, lwpid_t thread, const prfpregset_t *registers)
{
	(void)handle;
	(void)thread;
	(void)registers;
	return PS_NOFREGS;
}

pid_t ps_getpid(struct ps_prochandle *handle)
{
	return (pid_t)handle->process;
}

/* `index` is FS (25) or GS (26) of <sys/reg.h> for a wide program; for i386 the number of the descriptor that gs names.
 */
ps_err_e ps_get_thread_area(struct ps_prochandle *handle, lwpid_t thread, int index, psaddr_t *base)
{
	struct tl_target *target = tl_engine_target(handle->engine);
	struct tl_thread_id id = {handle->process, (tl_u64)thread};
	struct tl_process_facts facts;
	tl_u8 bytes[8];
	tl_size done = 0;
	tl_u64 value;

	if (tl_engine_facts(handle->engine, handle->process, &facts) != TL_OK)
		return PS_ERR;
	if (facts.cpu->address_size == 8) {
		if (!read_register(handle, thread, index == 25 ? "fs_base" : "gs_base", &value))
			return PS_ERR;
	} else {
		if (target->ops->read_object == NULL ||
		    target->ops->read_object(target, id, TL_OBJECT_THREAD_POINTER, 0, bytes, sizeof(bytes), &done) !=
			    TL_OK ||
		    done != sizeof(bytes))
			return PS_ERR;
		value = tl_load_little(bytes, sizeof(bytes));
	}
	*base = (psaddr_t)(uintptr_t)value;
	return PS_OK;
}

ps_err_e ps_pglobal_lookup(struct ps_prochandle *handle, const char *object, const char *name, psaddr_t *address)
{
	struct tl_threads_db *db = handle->db;

	(void)object;
	for (tl_size i = 0; i < db->count; i++) {
		if (db->symbols[i].known && strcmp(db->symbols[i].name, name) == 0) {
			*address = (psaddr_t)(uintptr_t)db->symbols[i].address;
			return PS_OK;
		}
	}
	return PS_NOSYM;
}

/* The process stands still whenever libthread_db is asked: that is the client's to see to. */
ps_err_e ps_pstop(struct ps_prochandle *handle)
{
	(void)handle;
	return PS_OK;
}

ps_err_e ps_pcontinue(struct ps_prochandle *handle)
{
	(void)handle;
	return PS_OK;
}

ps_err_e ps_lstop(struct ps_prochandle *handle, lwpid_t thread)
{
	(void)handle;
	(void)thread;
	return PS_OK;
}

ps_err_e ps_lcontinue(struct ps_prochandle *handle, lwpid_t thread)
{
	(void)handle;
	(void)thread;
	return PS_OK;
}
