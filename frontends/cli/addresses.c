#include "frontends/cli/addresses.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/values.h"

#include "symbols/dwarf_constants.h"

#include <string.h>

bool tl_address_symbol(struct tl_cli *cli, tl_u64 address, char *name_ret, tl_size size, tl_u64 *offset_ret)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_print_options options = {0};
	struct tl_error error;

	if (tl_session_environment(cli->session, &environment, &store, &error) != TL_OK)
		return false;
	tl_environment_symbols(store, &options);
	return options.symbol(options.context, address, name_ret, size, offset_ret);
}

int tl_address_digits(struct tl_cli *cli)
{
	const struct tl_module *program = tl_modules_get(tl_session_modules(cli->session), 0);
	struct tl_process_facts facts;

	if (tl_engine_facts(tl_session_engine(cli->session), tl_session_thread(cli->session).process, &facts) == TL_OK)
		return facts.cpu->registers[facts.cpu->program_counter].bits <= 32 ? 8 : 16;
	return program != NULL && !tl_image_elf(program->binary->image)->wide ? 8 : 16;
}

void tl_address_write(struct tl_cli *cli, tl_u64 address, struct tl_output *output)
{
	const char *plain = tl_screen_style(&cli->screen, TL_STYLE_PLAIN);
	char name[1024];
	tl_u64 offset;

	tl_output_format(output, "%s0x%llx%s", tl_screen_style(&cli->screen, TL_STYLE_ADDRESS),
			 (unsigned long long)address, plain);
	if (!tl_address_symbol(cli, address, name, sizeof(name), &offset))
		return;
	tl_output_format(output, " <%s%s%s", tl_screen_style(&cli->screen, TL_STYLE_FUNCTION), name, plain);
	if (offset != 0)
		tl_output_format(output, "+%llu", (unsigned long long)offset);
	tl_output_text(output, ">");
}

void tl_address_show(struct tl_cli *cli, tl_u64 address)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);

	tl_address_write(cli, address, &text);
	tl_screen_text(&cli->screen, tl_output_string(&text));
	tl_output_release(&text);
}

/* Sets $_ to a pointer to a type. */
static enum tl_status set_pointer(struct tl_cli *cli, tl_u64 address, const struct tl_type *target,
				  struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	const struct tl_type *type;
	struct tl_value value;

	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	TL_TRY(tl_type_make_pointer(target, environment->values.address_size, &type, error));
	TL_TRY(tl_value_make_integer(&environment->values, type, (tl_i128)address, &value, error));
	return tl_variables_set(tl_session_variables(cli->session), &environment->values, "_", &value, error);
}

enum tl_status tl_address_stand(struct tl_cli *cli, tl_u64 address, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;

	cli->memory_next = address;
	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	return set_pointer(cli, address, tl_type_void(environment->values.types), error);
}

enum tl_status tl_address_shown(struct tl_cli *cli, tl_u64 address, const struct tl_type *type, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_value value;

	TL_TRY(set_pointer(cli, address, type, error));
	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	TL_TRY(tl_value_at(&environment->values, type, address, &value, error));
	return tl_variables_set(tl_session_variables(cli->session), &environment->values, "__", &value, error);
}

enum tl_status tl_address_shown_bytes(struct tl_cli *cli, tl_u64 address, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	const struct tl_type *type;

	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	TL_TRY(tl_type_make_base(environment->values.types, "int8_t", DW_ATE_signed, 1, &type, error));
	return tl_address_shown(cli, address, type, error);
}

enum tl_status tl_address_evaluate(struct tl_cli *cli, const char *text, tl_size size, tl_u64 *address_ret,
				   struct tl_error *error)
{
	struct tl_value value;

	TL_TRY(tl_cli_evaluate(cli, text, size, &value, error));
	return tl_cli_address(cli, &value, address_ret, error);
}

/* Behind the string or character that begins at *at. */
static const char *skip_quotes(const char *at)
{
	char quote = *at++;

	while (*at != '\0' && *at != quote)
		at += *at == '\\' && at[1] != '\0' ? 2 : 1;
	return *at != '\0' ? at + 1 : at;
}

tl_size tl_address_part(const char **at, const char **part_ret)
{
	const char *end = *at + strspn(*at, " \t");
	tl_size size, depth = 0;

	*part_ret = end;
	while (*end != '\0' && (*end != ',' || depth != 0)) {
		if (*end == '"' || *end == '\'') {
			end = skip_quotes(end);
			continue;
		}
		depth += strchr("([{", *end) != NULL;
		depth -= strchr(")]}", *end) != NULL && depth != 0;
		end++;
	}
	size = (tl_size)(end - *part_ret);
	while (size > 0 && (*part_ret)[size - 1] == ' ')
		size--;
	*at = end + (*end == ',');
	*at += strspn(*at, " \t");
	return size;
}
