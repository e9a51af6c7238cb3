/*
 * Runs a fuzz target over every file of the folders and files that are named, in any build and with any compiler: what
 * a fuzzer found once stays a test. Each input is also cut short at a few places, so that a small corpus goes far.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static unsigned inputs;

/* A block of exactly `size` bytes, so that a sanitizer sees a read past its end. */
static bool run(const char *bytes, size_t size)
{
	uint8_t *copy = malloc(size != 0 ? size : 1);

	if (copy == NULL)
		return false;
	memcpy(copy, bytes, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	inputs++;
	return true;
}

static bool run_file(const char *path)
{
	static char bytes[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (file == NULL) {
		perror(path);
		return false;
	}
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	printf("%s\n", path);
	fflush(stdout);
	for (size_t i = 0; i <= 8; i++)
		if (!run(bytes, size * i / 8))
			return false;
	return true;
}

static bool run_path(const char *path)
{
	struct stat status;
	struct dirent *entry;
	DIR *directory;
	bool good = true;

	if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
		return run_file(path);
	directory = opendir(path);
	if (directory == NULL) {
		perror(path);
		return false;
	}
	while (good && (entry = readdir(directory)) != NULL) {
		char name[1024];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		good = run_file(name);
	}
	closedir(directory);
	return good;
}

int main(int count, char **arguments)
{
	for (int i = 1; i < count; i++)
		if (!run_path(arguments[i]))
			return 1;
	printf("%u inputs\n", inputs);
	return inputs == 0;
}
