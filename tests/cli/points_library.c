/* Loaded and unloaded by points.c. */
int in_library(void);

int in_library(void)
{
	return 5;
}
