#include "frontends/cli/absent.h"

#include <string.h>

/* Words, with spaces around each, and what is said of them. */
static const struct {
	const char *words, *answer;
} absent[] = {
	{" python py python-interactive pi guile gu guile-repl gr ",
	 "There is no Python and no Guile here. `define', `if', `while' and convenience functions like $_caller_is "
	 "are\n"
	 "there, and values of the C++ library are shown without printers."},
	{" record rec tsave goto-bookmark bookmark delete-bookmark ",
	 "Processes are not recorded. \"trapline emu PROGRAM\" keeps the past of its machine, and what a recorder like "
	 "rr serves\n"
	 "can be connected to: `help reverse-step'."},
	{" checkpoint restart ",
	 "There are no checkpoints: `run' starts again, with all breakpoints, and `gcore' keeps what there is now."},
	{" trace tp tr tra trac ftrace strace actions collect passcount tdump teval tfind tstart tstatus tstop "
	 "tvariable"
	 " while-stepping ws stepping agent-printf ",
	 "There are no tracepoints: `dprintf' prints and runs on, and `commands' of a breakpoint may end in "
	 "`continue'."},
	{" compile expression ", "Code cannot be compiled into the program: `print' and `call' take expressions."},
	{" macro ",
	 "Macros of the preprocessor are not read: `print' takes what they expand to. `define' makes commands."},
	{" interpreter-exec new-ui ",
	 "There is no machine interface here: editors can use their gdb with \"trapline --serve\"."},
	{" overlay ov ovly ", "There are no overlays on Linux."},
	{" task ", "Ada's tasks are threads: `thread', `info threads'."},
	{" memory-tag ", "There are no memory tags on this machine."},
	{" mem ", "Memory has no attributes here: what can be read is tried."},
	{" explore ",
	 "`print *NAME' and `ptype/o NAME' show values and types; `with print max-depth 1 -- print NAME' a level."},
	{" print-object po ", "Objective-C is not known here: `print' shows values."},
	{" jit-reader-load jit-reader-unload ",
	 "Code that a program makes itself is described by its own symbols only."},
	{" section ",
	 "Sections stand where the program has them: `add-symbol-file FILE ADDRESS' says another address."},
	{" add-symbol-file-from-memory ",
	 "What the kernel maps is read without being told; for files: add-symbol-file"},
	{" nosharedlibrary ",
	 "Names of libraries stay while the program has them; they cost nothing until they are used."},
	{" queue-signal ", "`signal NAME' continues with a signal."},
	{" break-range ", "A breakpoint has one address, or several: `watch -l' on a range watches data."},
	{" edit ", "`shell $EDITOR FILE' edits a file; `info source' tells its name."},
	{" remote ", "Files are not moved over stubs: use scp, or the like. What is debugged there: target remote"},
	{" flash-erase ", "`load' erases what it writes, as the stub's memory map wants it."},
	{" define-prefix ", "Commands of two words cannot be defined: give it one, as in `define list-length'."},
	{" add-auto-load-scripts-directory ", "Scripts are not loaded by themselves: `source FILE' reads one."},
	{" path ", "Programs are found as the shell does: `file' takes a path."},
	{" tui-window winwidth ", "Windows stand one above the other: `winheight' changes their height."},
	{" stop ", "There is no stop command; `define hook-stop' makes one that is carried out at each stop."},
};

static const struct {
	const char *words, *answer;
} absent_info[] = {
	{" macro macros ", "Macros of the preprocessor are not read."},
	{" checkpoints ", "No checkpoints."},
	{" bookmarks ", "No bookmarks."},
	{" record rec ", "No record target is currently active."},
	{" tracepoints tp ", "No tracepoints."},
	{" tvariables ", "No trace state variables."},
	{" tasks ", "Ada's tasks are threads: info threads"},
	{" probes ", "Probes are not read: break at functions, or `catch throw'."},
	{" mem ", "Memory has no attributes here: `info proc mappings' lists it."},
	{" classes selectors ", "Objective-C is not known here: `info types' lists types."},
	{" modules module common ",
	 "Fortran's modules are not known here: `info functions' and `info variables' list names."},
	{" frame-filter type-printers unwinder xmethod pretty-printer ",
	 "There is no Python here: values of the C++ library are shown without printers (`set print raw-values')."},
	{" static-tracepoint-markers ", "No static tracepoint markers."},
	{" dcache ", "Dcache 4096 lines of 64 bytes each.\nNo data cache available."},
	{" exceptions ", "Ada's exceptions are not known here: `catch throw' stops at those of C++."},
	{" extensions ", "Languages are known by what debug information says, not by names of files."},
	{" auto-load ", "Nothing is loaded but ~/.config/trapline/init and .trapline: show auto-load safe-path"},
	{" copying warranty ", "Trapline is free software; its licence is in the file LICENSE that comes with it."},
};

static bool has_word(const char *words, const char *word, tl_size size)
{
	for (const char *at = words; (at = strchr(at, ' ')) != NULL && at[1] != '\0'; at++)
		if (strncmp(at + 1, word, size) == 0 && at[1 + size] == ' ')
			return true;
	return false;
}

static tl_size word_size(const char *text)
{
	return strcspn(text, " \t\n/");
}

const char *tl_absent_answer(const char *line)
{
	const char *word = line + strspn(line, " \t");
	tl_size size = word_size(word);

	if ((size == 4 && strncmp(word, "info", 4) == 0) || (size == 3 && strncmp(word, "inf", 3) == 0) ||
	    (size == 1 && *word == 'i')) {
		word += size;
		word += strspn(word, " \t");
		size = word_size(word);
		for (tl_size i = 0; size != 0 && i < TL_COUNT(absent_info); i++)
			if (has_word(absent_info[i].words, word, size))
				return absent_info[i].answer;
		return NULL;
	}
	for (tl_size i = 0; size != 0 && i < TL_COUNT(absent); i++)
		if (has_word(absent[i].words, word, size))
			return absent[i].answer;
	return NULL;
}
