#include "frontends/cli/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum tl_status tl_words_copy(const struct tl_command_line *line, char **words_ret, struct tl_error *error)
{
	char *words = strndup(line->words, line->size);

	if (words == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the words of the command");
	*words_ret = words;
	return TL_OK;
}

bool tl_words_take(const char **at, const char *word)
{
	tl_size size = strlen(word);

	if (strncmp(*at, word, size) != 0 || ((*at)[size] != '\0' && !isspace((unsigned char)(*at)[size])))
		return false;
	*at += size;
	*at += strspn(*at, " \t");
	return true;
}

enum tl_status tl_words_with(struct tl_cli *cli, const struct tl_command_line *line,
			     enum tl_status (*call)(struct tl_cli *cli, const char *words,
						    const struct tl_command_line *line, struct tl_error *error),
			     struct tl_error *error)
{
	enum tl_status status;
	char *words;

	TL_TRY(tl_words_copy(line, &words, error));
	status = call(cli, words, line, error);
	free(words);
	return status;
}
