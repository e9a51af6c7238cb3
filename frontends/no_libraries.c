/*
 * For commands that are linked statically: they load no shared libraries. The C library's own dlopen would need, where
 * the command runs, the very version that it was linked with.
 */
#include <dlfcn.h>
#include <stddef.h>

__attribute__((visibility("default"))) void *dlopen(const char *file, int mode)
{
	(void)file, (void)mode;
	return NULL;
}

__attribute__((visibility("default"))) void *dlsym(void *restrict handle, const char *restrict name)
{
	(void)handle, (void)name;
	return NULL;
}

__attribute__((visibility("default"))) int dlclose(void *handle)
{
	(void)handle;
	return 0;
}

__attribute__((visibility("default"))) char *dlerror(void)
{
	static char text[] = "a static program loads no libraries";

	return text;
}
