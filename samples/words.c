/*
 * The program of docs/TUTORIAL.md: counts the words of a text and shows those that come most often. It has a bug, and
 * the tutorial finds it with the debugger. So: do not mend it here.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 8 /* buckets; a power of two, so that a mask can choose one */
#define LONGEST 64
#define SHOWN 5

struct entry {
	struct entry *next; /* in the same bucket */
	unsigned hash;
	int count;
	char *word;
};

struct table {
	struct entry **buckets;
	unsigned size; /* buckets */
	unsigned used; /* entries in all of them */
};

/* Fowler, Noll and Vo's hash, 32 bits. */
static unsigned hash_word(const char *word)
{
	unsigned hash = 2166136261u;

	while (*word != '\0')
		hash = (hash ^ (unsigned char)*word++) * 16777619u;
	return hash;
}

static void *allocate(size_t size)
{
	void *memory = calloc(1, size);

	if (memory == NULL) {
		fputs("words: no memory\n", stderr);
		exit(1);
	}
	return memory;
}

/* Twice as many buckets, so that each stays short. */
static void grow(struct table *table)
{
	unsigned size = table->size * 2;
	struct entry **buckets = allocate(size * sizeof(*buckets));

	for (unsigned i = 0; i < table->size; i++) {
		for (struct entry *entry = table->buckets[i]; entry != NULL; entry = entry->next) {
			struct entry **bucket = &buckets[entry->hash & (size - 1)];

			entry->next = *bucket;
			*bucket = entry;
		}
	}
	free(table->buckets);
	table->buckets = buckets;
	table->size = size;
}

static struct entry *find(const struct table *table, const char *word, unsigned hash)
{
	struct entry *entry = table->buckets[hash & (table->size - 1)];

	while (entry != NULL && (entry->hash != hash || strcmp(entry->word, word) != 0))
		entry = entry->next;
	return entry;
}

static void count_word(struct table *table, const char *word)
{
	unsigned hash = hash_word(word);
	struct entry *entry = find(table, word, hash);

	if (entry == NULL) {
		struct entry **bucket;

		if (table->used == table->size)
			grow(table);
		entry = allocate(sizeof(*entry));
		entry->hash = hash;
		entry->word = strcpy(allocate(strlen(word) + 1), word);
		bucket = &table->buckets[hash & (table->size - 1)];
		entry->next = *bucket;
		*bucket = entry;
		table->used++;
	}
	entry->count++;
}

/* The next word, in small letters; its length, or 0 at the end of the text. */
static int read_word(FILE *text, char word[LONGEST])
{
	int letter;
	int length = 0;

	while ((letter = getc(text)) != EOF && (isalpha(letter) || length == 0)) {
		if (isalpha(letter) && length < LONGEST - 1)
			word[length++] = (char)tolower(letter);
	}
	word[length] = '\0';
	return length;
}

static int by_count(const void *left, const void *right)
{
	const struct entry *a = *(struct entry *const *)left;
	const struct entry *b = *(struct entry *const *)right;

	return a->count != b->count ? b->count - a->count : strcmp(a->word, b->word);
}

static void show(const struct table *table)
{
	struct entry **sorted = allocate((table->used + 1) * sizeof(struct entry *));
	unsigned found = 0;

	for (unsigned i = 0; i < table->size; i++) {
		for (struct entry *entry = table->buckets[i]; entry != NULL; entry = entry->next)
			sorted[found++] = entry;
	}
	qsort(sorted, found, sizeof(*sorted), by_count);
	printf("%u different words, %u in the table\n", table->used, found);
	for (unsigned i = 0; i < found && i < SHOWN; i++)
		printf("%4d %s\n", sorted[i]->count, sorted[i]->word);
	free(sorted);
}

int main(int argc, char **argv)
{
	struct table table = {allocate(FIRST_SIZE * sizeof(struct entry *)), FIRST_SIZE, 0};
	char word[LONGEST];
	FILE *text = argc > 1 ? fopen(argv[1], "r") : stdin;

	if (text == NULL) {
		fprintf(stderr, "words: cannot read %s: %s\n", argv[1], strerror(errno));
		exit(1);
	}
	while (read_word(text, word) > 0)
		count_word(&table, word);
	show(&table);
	return 0;
}
