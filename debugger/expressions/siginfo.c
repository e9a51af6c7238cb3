#include "debugger/expressions/siginfo.h"

#include "symbols/dwarf_constants.h"

#include <string.h>

#define MEMBERS_MAX 8

/* What members are of. */
enum part { PART_INT, PART_UNSIGNED, PART_SHORT, PART_LONG, PART_POINTER, PART_PROCESS, PART_USER, PART_CLOCK };

struct maker {
	struct tl_types *types;
	struct tl_error *error;
	tl_u8 word; /* bytes of a long and of an address */
};

/* A struct or union as it grows. */
struct made {
	struct tl_made_member members[MEMBERS_MAX];
	tl_size count;
	tl_u64 size;
	bool is_union;
};

static enum tl_status part_type(const struct maker *maker, enum part part, const struct tl_type **type_ret)
{
	static const struct {
		const char *name, *other;
		tl_u8 encoding, size; /* 0: a word */
	} parts[] = {
		[PART_INT] = {"int", NULL, DW_ATE_signed, 4},
		[PART_UNSIGNED] = {"unsigned int", NULL, DW_ATE_unsigned, 4},
		[PART_SHORT] = {"short", NULL, DW_ATE_signed, 2},
		[PART_LONG] = {"long", NULL, DW_ATE_signed, 0},
		[PART_PROCESS] = {"int", "__pid_t", DW_ATE_signed, 4},
		[PART_USER] = {"unsigned int", "__uid_t", DW_ATE_unsigned, 4},
		[PART_CLOCK] = {"long", "__clock_t", DW_ATE_signed, 0},
	};

	if (part == PART_POINTER)
		return tl_type_make_pointer(tl_type_void(maker->types), maker->word, type_ret, maker->error);
	TL_TRY(tl_type_make_base(maker->types, parts[part].name, parts[part].encoding,
				 parts[part].size != 0 ? parts[part].size : maker->word, type_ret, maker->error));
	if (parts[part].other != NULL)
		TL_TRY(tl_type_make_typedef(*type_ret, parts[part].other, type_ret, maker->error));
	return TL_OK;
}

/* Behind what is there, as a compiler would place it. */
static enum tl_status add(const struct maker *maker, struct made *made, const char *name, const struct tl_type *type)
{
	tl_u64 size, alignment, at = made->is_union ? 0 : made->size;
	bool known;

	if (made->count == MEMBERS_MAX)
		return TL_FAIL(maker->error, TL_ERROR_TOO_LONG, "more than %d members", MEMBERS_MAX);
	TL_TRY(tl_type_size(type, &size, &known, maker->error));
	TL_TRY(tl_type_alignment(type, &alignment, maker->error));
	at = (at + alignment - 1) / alignment * alignment;
	made->members[made->count++] = (struct tl_made_member){
		.member = {.kind = TL_MEMBER_FIELD, .access = TL_PUBLIC, .name = name, .bit_offset = at * 8},
		.type = type,
	};
	made->size = at + size > made->size ? at + size : made->size;
	return TL_OK;
}

static enum tl_status add_part(const struct maker *maker, struct made *made, const char *name, enum part part)
{
	const struct tl_type *type;

	TL_TRY(part_type(maker, part, &type));
	return add(maker, made, name, type);
}

static enum tl_status finish(const struct maker *maker, const struct made *made, const char *name,
			     const struct tl_type **type_ret)
{
	return tl_type_make_composite(maker->types, made->is_union ? TL_TYPE_UNION : TL_TYPE_STRUCT, name, made->size,
				      made->members, made->count, type_ret, maker->error);
}

/* The members of a struct without a name, a word each. */
struct field {
	const char *name;
	enum part part;
};

static enum tl_status add_struct(const struct maker *maker, struct made *to, const char *name,
				 const struct field *fields, tl_size count, const char *last,
				 const struct tl_type *last_type)
{
	struct made made = {.count = 0};
	const struct tl_type *type;

	for (tl_size i = 0; i < count; i++)
		TL_TRY(add_part(maker, &made, fields[i].name, fields[i].part));
	if (last != NULL)
		TL_TRY(add(maker, &made, last, last_type));
	TL_TRY(finish(maker, &made, NULL, &type));
	return add(maker, to, name, type);
}

/* What a signal carries that was sent with a value. */
static enum tl_status value_type(const struct maker *maker, const struct tl_type **type_ret)
{
	struct made made = {.is_union = true};

	TL_TRY(add_part(maker, &made, "sival_int", PART_INT));
	TL_TRY(add_part(maker, &made, "sival_ptr", PART_POINTER));
	return finish(maker, &made, "sigval_t", type_ret);
}

static enum tl_status bounds_type(const struct maker *maker, const struct tl_type **type_ret)
{
	struct made made = {.count = 0};

	TL_TRY(add_part(maker, &made, "_lower", PART_POINTER));
	TL_TRY(add_part(maker, &made, "_upper", PART_POINTER));
	return finish(maker, &made, NULL, type_ret);
}

/* By what caused the signal: si_code says which of them holds (Linux, include/uapi/asm-generic/siginfo.h). */
static enum tl_status fields_type(const struct maker *maker, const struct tl_type **type_ret)
{
	static const struct field kill[] = {{"si_pid", PART_PROCESS}, {"si_uid", PART_USER}};
	static const struct field timer[] = {{"si_tid", PART_INT}, {"si_overrun", PART_INT}};
	static const struct field child[] = {{"si_pid", PART_PROCESS},
					     {"si_uid", PART_USER},
					     {"si_status", PART_INT},
					     {"si_utime", PART_CLOCK},
					     {"si_stime", PART_CLOCK}};
	static const struct field fault[] = {{"si_addr", PART_POINTER}, {"_addr_lsb", PART_SHORT}};
	static const struct field poll[] = {{"si_band", PART_LONG}, {"si_fd", PART_INT}};
	static const struct field call[] = {
		{"_call_addr", PART_POINTER}, {"_syscall", PART_INT}, {"_arch", PART_UNSIGNED}};
	const struct tl_type *pad, *value, *bounds;
	struct made made = {.is_union = true};

	TL_TRY(part_type(maker, PART_INT, &pad));
	TL_TRY(tl_type_make_array(pad, maker->word == 8 ? 28 : 29, &pad, maker->error));
	TL_TRY(value_type(maker, &value));
	TL_TRY(bounds_type(maker, &bounds));
	TL_TRY(add(maker, &made, "_pad", pad));
	TL_TRY(add_struct(maker, &made, "_kill", kill, TL_COUNT(kill), NULL, NULL));
	TL_TRY(add_struct(maker, &made, "_timer", timer, TL_COUNT(timer), "si_sigval", value));
	TL_TRY(add_struct(maker, &made, "_rt", kill, TL_COUNT(kill), "si_sigval", value));
	TL_TRY(add_struct(maker, &made, "_sigchld", child, TL_COUNT(child), NULL, NULL));
	TL_TRY(add_struct(maker, &made, "_sigfault", fault, TL_COUNT(fault), "_addr_bnd", bounds));
	TL_TRY(add_struct(maker, &made, "_sigpoll", poll, TL_COUNT(poll), NULL, NULL));
	TL_TRY(add_struct(maker, &made, "_sigsys", call, TL_COUNT(call), NULL, NULL));
	return finish(maker, &made, NULL, type_ret);
}

enum tl_status tl_siginfo_type(struct tl_types *types, tl_u8 address_size, const struct tl_type **type_ret,
			       struct tl_error *error)
{
	const struct maker maker = {types, error, address_size};
	const struct tl_type *fields;
	struct made made = {.count = 0};

	TL_TRY(fields_type(&maker, &fields));
	TL_TRY(add_part(&maker, &made, "si_signo", PART_INT));
	TL_TRY(add_part(&maker, &made, "si_errno", PART_INT));
	TL_TRY(add_part(&maker, &made, "si_code", PART_INT));
	TL_TRY(add(&maker, &made, "_sifields", fields));
	made.size = TL_SIGINFO_SIZE;
	return finish(&maker, &made, "siginfo", type_ret);
}
