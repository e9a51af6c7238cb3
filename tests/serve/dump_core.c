/*
 * dump-core PROGRAM WORD CORE: runs a program to its first stop and writes a core of it, for other debuggers to read.
 */
#define HARNESS_NAME "dump-core"
#include "debugger/session/gcore.h"
#include "tests/unit/process_harness.h"

int main(int count, char **words)
{
	struct session session;
	struct tl_error error = {.text = "the program did not come to its stop"};
	enum tl_status status = TL_ERROR_LAUNCH;

	if (count != 4)
		return 2;
	if (!session_open(&session, words[1], NULL))
		return 1;
	if (session_launch(&session, words[2], NULL) && session_continue(&session, 0))
		status = tl_gcore_write(session.engine, session.process, words[3], NULL, &error);
	if (status != TL_OK)
		printf("%s\n", error.text);
	(void)tl_engine_kill(session.engine, session.process);
	session_close(&session);
	return status != TL_OK;
}
