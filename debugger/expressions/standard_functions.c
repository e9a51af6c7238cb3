#include "debugger/expressions/standard_functions.h"

#include "symbols/dwarf_constants.h"

#include <string.h>

enum result { INT, SIZE, CHARACTERS, MEMORY };

static const struct {
	enum result result;
	const char *names; /* between spaces */
} functions[] = {
	{INT,
	 " abs atoi bcmp feof ferror fflush fputs getpid isalnum isalpha isatty iscntrl isdigit isgraph islower isprint"
	 " ispunct isspace isupper isxdigit memcmp putchar puts strcasecmp strcmp strcoll strncasecmp strncmp tolower"
	 " toupper "},
	{SIZE, " strcspn strlen strnlen strspn strxfrm "},
	{CHARACTERS, " getenv strcat strchr strcpy strdup strerror strncat strncpy strndup strpbrk strrchr"
		     " strsignal strstr strtok "},
	{MEMORY, " calloc malloc memchr memcpy memmem memmove memrchr memset realloc "},
};

static bool is_among(const char *names, const char *name)
{
	tl_size size = strlen(name);

	if (size == 0 || strchr(name, ' ') != NULL)
		return false;
	for (const char *at = strstr(names, name); at != NULL; at = strstr(at + 1, name))
		if (at[-1] == ' ' && at[size] == ' ')
			return true;
	return false;
}

enum tl_status tl_standard_result(const struct tl_value_context *values, const char *name,
				  const struct tl_type **type_ret, struct tl_error *error)
{
	const struct tl_type *character;
	tl_size row = 0;

	while (row < TL_COUNT(functions) && !is_among(functions[row].names, name))
		row++;
	*type_ret = NULL;
	if (row == TL_COUNT(functions))
		return TL_OK;
	switch (functions[row].result) {
	case INT:
		return tl_value_integer_type(values, 4, true, type_ret, error);
	case SIZE:
		return tl_value_integer_type(values, values->address_size, false, type_ret, error);
	case CHARACTERS:
		TL_TRY(tl_type_make_base(values->types, "char", DW_ATE_signed_char, 1, &character, error));
		return tl_type_make_pointer(character, values->address_size, type_ret, error);
	case MEMORY:
		return tl_type_make_pointer(tl_type_void(values->types), values->address_size, type_ret, error);
	}
	return TL_OK;
}
