/*
 * Settings of gdb that have one value here: it is taken, so that files of settings that were written for gdb can be
 * read, and another one is answered with the reason why there is none.
 */
#include "frontends/cli/settings.h"

/* With a sentence for `show`, what `help` says, what is taken, and the reason. */
#define FIXED(word, allowed, sentence, what, why)                                                                      \
	{                                                                                                              \
		.name = word, .kind = TL_SETTING_FIXED, .choices = allowed, .say = sentence, .summary = what,          \
		.details = why, .reason = why                                                                          \
	}

static const char *const fixed_[] = {"", NULL};
static const char *const fixed_0[] = {"0", NULL};
static const char *const fixed_0_any[] = {"0", "*", NULL};
static const char *const fixed_10[] = {"10", NULL};
static const char *const fixed_4096_any[] = {"4096", "*", NULL};
static const char *const fixed_64_any[] = {"64", "*", NULL};
static const char *const fixed_8_any[] = {"8", "*", NULL};
static const char *const fixed__any[] = {"", "*", NULL};
static const char *const fixed__usr_lib_debug[] = {"/usr/lib/debug", NULL};
static const char *const fixed_all[] = {"all", NULL};
static const char *const fixed_ask_warn_off[] = {"ask", "warn", "off", NULL};
static const char *const fixed_auto[] = {"auto", NULL};
static const char *const fixed_auto_UTF_8_UTF_32_ASCII[] = {"auto", "UTF-8", "UTF-32", "ASCII", NULL};
static const char *const fixed_auto_any[] = {"auto", "*", NULL};
static const char *const fixed_auto_gnu_v3[] = {"auto", "gnu-v3", NULL};
static const char *const fixed_auto_gnu_v3_gnu_v2[] = {"auto", "gnu-v3", "gnu-v2", NULL};
static const char *const fixed_auto_little[] = {"auto", "little", NULL};
static const char *const fixed_auto_off[] = {"auto", "off", NULL};
static const char *const fixed_auto_on[] = {"auto", "on", NULL};
static const char *const fixed_auto_on_off[] = {"auto", "on", "off", NULL};
static const char *const fixed_auto_unix[] = {"auto", "unix", NULL};
static const char *const fixed_bold_any[] = {"bold", "*", NULL};
static const char *const fixed_default[] = {"default", NULL};
static const char *const fixed_message_any[] = {"message", "*", NULL};
static const char *const fixed_none[] = {"none", NULL};
static const char *const fixed_normal_any[] = {"normal", "*", NULL};
static const char *const fixed_off[] = {"off", NULL};
static const char *const fixed_off_0[] = {"off", "0", NULL};
static const char *const fixed_off_any[] = {"off", "*", NULL};
static const char *const fixed_off_on[] = {"off", "on", NULL};
static const char *const fixed_on[] = {"on", NULL};
static const char *const fixed_on_any[] = {"on", "*", NULL};
static const char *const fixed_on_off[] = {"on", "off", NULL};
static const char *const fixed_space_any[] = {"space", "*", NULL};

/* In the order of the alphabet. */
const struct tl_setting tl_settings_fixed[] = {
	FIXED("agent", fixed_off, "Debugger's willingness to use agent in inferior as a helper is %s.",
	      "whether an agent in the program helps", "There is no agent in the program."),
	FIXED("annotate", fixed_0, "Annotation_level is %s.", "the level of annotations",
	      "Annotations are not there. Editors: use \"trapline --serve\" with their gdb."),
	FIXED("auto-connect-native-target", fixed_on,
	      "Whether GDB may automatically connect to the native target is %s.",
	      "whether run connects to the native target",
	      "run starts programs here unless another target was chosen."),
	FIXED("auto-load gdb-scripts", fixed_off_any, "Auto-loading of gdb-scripts is off.",
	      "auto-loading of gdb-scripts",
	      "There is no such thing here: printers of C++'s library are built in, threads are the kernel's."),
	FIXED("auto-load guile-scripts", fixed_off_any, "Auto-loading of guile-scripts is off.",
	      "auto-loading of guile-scripts",
	      "There is no such thing here: printers of C++'s library are built in, threads are the kernel's."),
	FIXED("auto-load libthread-db", fixed_off_any, "Auto-loading of libthread-db is off.",
	      "auto-loading of libthread-db",
	      "There is no such thing here: printers of C++'s library are built in, threads are the kernel's."),
	FIXED("auto-load local-gdbinit", fixed_on, "Auto-loading of .trapline from current directory is %s.",
	      "auto-loading of .trapline from the current directory",
	      "\"set auto-load safe-path\" says from where .trapline is read; -nx reads none."),
	FIXED("auto-load python-scripts", fixed_off_any, "Auto-loading of python-scripts is off.",
	      "auto-loading of python-scripts",
	      "There is no such thing here: printers of C++'s library are built in, threads are the kernel's."),
	FIXED("auto-load scripts-directory", fixed__any, "Auto-loading of scripts-directory is off.",
	      "auto-loading of scripts-directory",
	      "There is no such thing here: printers of C++'s library are built in, threads are the kernel's."),
	FIXED("auto-solib-add", fixed_on, "Autoloading of shared library symbols is %s.",
	      "autoloading of shared library symbols",
	      "Names of libraries are indexed in the background and kept on disk: nothing is gained by leaving them "
	      "out."),
	FIXED("backtrace past-entry", fixed_off,
	      "Whether backtraces should continue past the entry point of a program is %s.",
	      "whether backtraces should continue past the entry point of a program",
	      "Nothing calls the entry point of a program: its stack ends there."),
	FIXED("basenames-may-differ", fixed_off, "Whether a source file may have multiple base names is %s.",
	      "whether a source file may have multiple base names",
	      "A source file is known by the name that the compiler had."),
	FIXED("breakpoint always-inserted", fixed_off_on, "Always inserted breakpoint mode is %s.",
	      "mode for inserting breakpoints",
	      "Points are in the program while it runs, and out of its memory as you see it at all times."),
	FIXED("breakpoint auto-hw", fixed_on, "Automatic usage of hardware breakpoints is %s.",
	      "automatic usage of hardware breakpoints",
	      "A breakpoint is one of hardware where you say hbreak, and where memory cannot be written."),
	FIXED("case-sensitive", fixed_auto_on, "Case sensitivity in name search is \"%s; currently on\".",
	      "case sensitivity in name search", "Names are told apart by case, as C does."),
	FIXED("charset", fixed_auto_UTF_8_UTF_32_ASCII, "The host and target character sets are \"%s\".",
	      "the character set of text", "Text is UTF-8, wide characters are UTF-32 or UTF-16, by their type."),
	FIXED("check range", fixed_auto_off, "Range checking is \"%s; currently off\".", "range checking",
	      "Indexes are not checked, as C has it."),
	FIXED("check type", fixed_on, "Strict type checking is %s.", "strict type checking",
	      "Types are checked as C has it."),
	FIXED("circular-trace-buffer", fixed_off, "Target's use of circular trace buffer is %s.",
	      "use of circular trace buffer", "There are no tracepoints: use dprintf, or commands of breakpoints."),
	FIXED("code-cache", fixed_on_any, "Cache use for code accesses is %s.",
	      "how memory is kept while the program stands", "Whatever it is set to: it changes nothing here."),
	FIXED("coerce-float-to-double", fixed_on, "Coercion of floats to doubles when calling functions is %s.",
	      "coercion of floats to doubles when calling functions",
	      "Arguments of functions without a prototype are passed as C does it."),
	FIXED("complaints", fixed_0_any, "Max number of complaints about incorrect symbols is %s.",
	      "max number of complaints about incorrect symbols", "Whatever it is set to: it changes nothing here."),
	FIXED("cp-abi", fixed_auto_gnu_v3_gnu_v2, "The currently selected C++ ABI is \"%s\" (currently \"gnu-v3\").",
	      "the ABI used for inspecting C++ objects", "There is one C++ ABI here: gnu-v3."),
	FIXED("dcache line-size", fixed_64_any, "Dcache line size is %s.",
	      "how memory is kept while the program stands", "Whatever it is set to: it changes nothing here."),
	FIXED("dcache size", fixed_4096_any, "Number of dcache lines is %s.",
	      "how memory is kept while the program stands", "Whatever it is set to: it changes nothing here."),
	FIXED("debug breakpoint", fixed_off_0, "Debugging of breakpoint is %s.", "debugging of the debugger itself",
	      "What can be shown of the debugger at work are packets: set debug remote on. For more: the environment "
	      "variable TRAPLINE_TRACE."),
	FIXED("debug displaced", fixed_off_0, "Debugging of displaced is %s.", "debugging of the debugger itself",
	      "What can be shown of the debugger at work are packets: set debug remote on. For more: the environment "
	      "variable TRAPLINE_TRACE."),
	FIXED("debug dwarf-read", fixed_off_0, "Debugging of dwarf-read is %s.", "debugging of the debugger itself",
	      "What can be shown of the debugger at work are packets: set debug remote on. For more: the environment "
	      "variable TRAPLINE_TRACE."),
	FIXED("debug event-loop", fixed_off_0, "Debugging of event-loop is %s.", "debugging of the debugger itself",
	      "What can be shown of the debugger at work are packets: set debug remote on. For more: the environment "
	      "variable TRAPLINE_TRACE."),
	FIXED("debug expression", fixed_off_0, "Debugging of expression is %s.", "debugging of the debugger itself",
	      "What can be shown of the debugger at work are packets: set debug remote on. For more: the environment "
	      "variable TRAPLINE_TRACE."),
	FIXED("debug frame", fixed_off_0, "Debugging of frame is %s.", "debugging of the debugger itself",
	      "What can be shown of the debugger at work are packets: set debug remote on. For more: the environment "
	      "variable TRAPLINE_TRACE."),
	FIXED("debug infrun", fixed_off_0, "Debugging of infrun is %s.", "debugging of the debugger itself",
	      "What can be shown of the debugger at work are packets: set debug remote on. For more: the environment "
	      "variable TRAPLINE_TRACE."),
	FIXED("debug lin-lwp", fixed_off_0, "Debugging of lin-lwp is %s.", "debugging of the debugger itself",
	      "What can be shown of the debugger at work are packets: set debug remote on. For more: the environment "
	      "variable TRAPLINE_TRACE."),
	FIXED("debug linux-nat", fixed_off_0, "Debugging of linux-nat is %s.", "debugging of the debugger itself",
	      "What can be shown of the debugger at work are packets: set debug remote on. For more: the environment "
	      "variable TRAPLINE_TRACE."),
	FIXED("debug parser", fixed_off_0, "Debugging of parser is %s.", "debugging of the debugger itself",
	      "What can be shown of the debugger at work are packets: set debug remote on. For more: the environment "
	      "variable TRAPLINE_TRACE."),
	FIXED("debug solib", fixed_off_0, "Debugging of solib is %s.", "debugging of the debugger itself",
	      "What can be shown of the debugger at work are packets: set debug remote on. For more: the environment "
	      "variable TRAPLINE_TRACE."),
	FIXED("debug symtab-create", fixed_off_0, "Debugging of symtab-create is %s.",
	      "debugging of the debugger itself",
	      "What can be shown of the debugger at work are packets: set debug remote on. For more: the environment "
	      "variable TRAPLINE_TRACE."),
	FIXED("debug target", fixed_off_0, "Debugging of target is %s.", "debugging of the debugger itself",
	      "What can be shown of the debugger at work are packets: set debug remote on. For more: the environment "
	      "variable TRAPLINE_TRACE."),
	FIXED("debug threads", fixed_off_0, "Debugging of threads is %s.", "debugging of the debugger itself",
	      "What can be shown of the debugger at work are packets: set debug remote on. For more: the environment "
	      "variable TRAPLINE_TRACE."),
	FIXED("debug-file-directory", fixed__usr_lib_debug,
	      "The directory where separate debug symbols are searched for is \"%s\".",
	      "the directory where separate debug symbols are searched for",
	      "Debug files are looked for in /usr/lib/debug, and beside the program; symbol-file reads any other."),
	FIXED("debuginfod enabled", fixed_off, "Debuginfod functionality is currently set to \"%s\".",
	      "whether debug information is asked of servers",
	      "Only what is on the disk is read: install the package with debug information, or use symbol-file."),
	FIXED("debuginfod urls", fixed__any, "Debuginfod URLs have not been set.", "servers of debug information",
	      "Only what is on the disk is read: install the package with debug information, or use symbol-file."),
	FIXED("debuginfod verbose", fixed_0_any, "Debuginfod verbose output is set to %s.",
	      "how much is said of servers of debug information", "No servers are asked."),
	FIXED("demangle-style", fixed_auto_gnu_v3, "The current C++ demangling style is \"%s\".",
	      "the current C++ demangling style", "There is one style of mangled names here: gnu-v3."),
	FIXED("disassembler-options", fixed_, "The current disassembler options are '%s'", "the disassembler's options",
	      "What the disassembler knows is \"set disassembly-flavor\"."),
	FIXED("disconnected-dprintf", fixed_on, "Whether dprintf continues after GDB disconnects is %s.",
	      "whether dprintf goes on after disconnecting", "What prints is the debugger: it ends with it."),
	FIXED("disconnected-tracing", fixed_off, "Whether tracing continues after GDB disconnects is %s.",
	      "whether tracing goes on after disconnecting",
	      "There are no tracepoints: use dprintf, or commands of breakpoints."),
	FIXED("displaced-stepping", fixed_auto_on_off,
	      "Debugger's willingness to use displaced stepping to step over breakpoints is %s.",
	      "how a breakpoint is stepped over", "The cheapest way is chosen for each instruction."),
	FIXED("dump-excluded-mappings", fixed_off, "Dumping of mappings marked with the VM_DONTDUMP flag is %s.",
	      "whether gcore writes mappings marked as not to be dumped", "gcore leaves them out, as the kernel does."),
	FIXED("endian", fixed_auto_little, "The target endianness is set automatically (currently little endian).",
	      "the endianness of the target", "All targets here are little endian."),
	FIXED("exec-done-display", fixed_off, "Notification of completion for asynchronous execution commands is %s.",
	      "notification of completion for asynchronous execution commands", "Every stop is told."),
	FIXED("exec-file-mismatch", fixed_ask_warn_off, "exec-file-mismatch handling is currently \"%s\".",
	      "what is done where the program of a process is another file",
	      "The file of a process is always taken from the process."),
	FIXED("extended-prompt", fixed_, "The extended prompt is not set.", "the extended prompt",
	      "What the prompt knows is \"set prompt\"."),
	FIXED("gnutarget", fixed_auto, "The current BFD target is \"%s\".", "the format of files",
	      "Files say of themselves what they are."),
	FIXED("guile print-stack", fixed_message_any, "The mode of Guile exception printing on error is \"%s\".",
	      "what is shown of errors in Guile", "There is no Guile here."),
	FIXED("history expansion", fixed_off, "History expansion on command input is %s.",
	      "history expansion on command input",
	      "\"!\" begins a command for the shell. Earlier lines are found with ^R and the arrow keys."),
	FIXED("host-charset", fixed_auto_UTF_8_UTF_32_ASCII, "The host character set is \"%s; currently UTF-8\".",
	      "the character set of text", "Text is UTF-8, wide characters are UTF-32 or UTF-16, by their type."),
	FIXED("index-cache enabled", fixed_on, "The index cache is %s.", "whether indexes are kept on disk",
	      "The index cache is kept by build id, with a limit of its own: TRAPLINE_CACHE names its folder."),
	FIXED("input-radix", fixed_10, "Default input radix for entering numbers is %s.",
	      "default input radix for entering numbers", "Numbers are read as in C: write 0x10 or 010."),
	FIXED("interactive-mode", fixed_auto, "Debugger's interactive mode is %s.",
	      "whether standard input is a terminal", "Whether standard input is a terminal is seen, not said."),
	FIXED("libthread-db-search-path", fixed__any,
	      "The search path for libthread_db is empty: threads are the kernel's.",
	      "where libthread_db is looked for", "Whatever it is set to: it changes nothing here."),
	FIXED("logging debugredirect", fixed_off, "%s: Debug output will go to both the screen and the log file.",
	      "the logging debug output mode", "Debug output goes to standard error: redirect that."),
	FIXED("may-insert-breakpoints", fixed_on, "Permission to insert breakpoints in the target is %s.",
	      "permission to insert breakpoints in the target",
	      "This cannot be forbidden here; \"set may-call-functions off\" forbids calls of functions."),
	FIXED("may-insert-fast-tracepoints", fixed_on, "Permission to insert fast tracepoints in the target is %s.",
	      "permission to insert fast tracepoints in the target",
	      "This cannot be forbidden here; \"set may-call-functions off\" forbids calls of functions."),
	FIXED("may-insert-tracepoints", fixed_on, "Permission to insert tracepoints in the target is %s.",
	      "permission to insert tracepoints in the target",
	      "This cannot be forbidden here; \"set may-call-functions off\" forbids calls of functions."),
	FIXED("may-interrupt", fixed_on, "Permission to interrupt or signal the target is %s.",
	      "permission to interrupt or signal the target",
	      "This cannot be forbidden here; \"set may-call-functions off\" forbids calls of functions."),
	FIXED("may-write-memory", fixed_on, "Permission to write into target memory is %s.",
	      "permission to write into target memory",
	      "This cannot be forbidden here; \"set may-call-functions off\" forbids calls of functions."),
	FIXED("may-write-registers", fixed_on, "Permission to write into registers is %s.",
	      "permission to write into registers",
	      "This cannot be forbidden here; \"set may-call-functions off\" forbids calls of functions."),
	FIXED("mem inaccessible-by-default", fixed_on_off, "Unknown memory addresses will be treated as inaccessible.",
	      "handling of unknown memory regions", "Whether memory can be read is tried."),
	FIXED("multiple-symbols", fixed_all, "How the debugger handles ambiguities in expressions is \"%s\".",
	      "how the debugger handles ambiguities in expressions",
	      "A breakpoint stands at all places of a name; an ambiguous expression is an error that names them."),
	FIXED("non-stop", fixed_off, "Controlling the inferior in non-stop mode is %s.",
	      "whether other threads run on while one is stopped",
	      "Non-stop mode is there for gdb over \"trapline --serve\", not at the prompt. \"continue &\" and \"set "
	      "scheduler-locking\" may do."),
	FIXED("observer", fixed_off, "Observer mode is %s.", "whether the program is only looked at",
	      "There is no observer mode: \"set may-call-functions off\" forbids calls."),
	FIXED("opaque-type-resolution", fixed_on,
	      "Resolution of opaque struct/class/union types (if set before loading symbols) is %s.",
	      "resolution of opaque types", "A type that is declared is looked for where it is defined, always."),
	FIXED("overload-resolution", fixed_on, "Overload resolution in evaluating C++ functions is %s.",
	      "overload resolution in evaluating C++ functions",
	      "A name alone means all overloads: name the one you mean, as in f(int)."),
	FIXED("python print-stack", fixed_message_any, "The mode of Python stack printing on error is \"%s\".",
	      "what is shown of errors in Python", "There is no Python here."),
	FIXED("range-stepping", fixed_on, "Debugger's willingness to use range stepping is %s.",
	      "whether a target steps through a line by itself",
	      "Lines are stepped through beside the program wherever the target can."),
	FIXED("record full insn-number-max", fixed_0, "Record/replay buffer limit is %s.", "record/replay buffer limit",
	      "There is no recording."),
	FIXED("remote", fixed_auto_any, "Which packets are used is settled with each stub.",
	      "packets of the remote protocol",
	      "Which packets are used is settled with each stub; \"set debug remote on\" shows them."),
	FIXED("remotecache", fixed_off_any, "Deprecated remotecache flag is %s.",
	      "how memory is kept while the program stands", "Whatever it is set to: it changes nothing here."),
	FIXED("serial parity", fixed_none, "Parity for remote serial I/O is %s.", "parity for remote serial I/O",
	      "Serial lines are used without parity."),
	FIXED("solib-search-path", fixed_,
	      "The search path for loading non-absolute shared library symbol files is %s.",
	      "the search path for shared libraries without a folder",
	      "Libraries are found where the program has them, below \"set sysroot\"."),
	FIXED("source open", fixed_on, "Source opening is \"%s\".", "whether source files are opened",
	      "\"list\" is the only command that needs them: nothing is read before."),
	FIXED("stack-cache", fixed_on_any, "Cache use for stack accesses is %s.",
	      "how memory is kept while the program stands", "Whatever it is set to: it changes nothing here."),
	FIXED("startup-quietly", fixed_off_on, "Whether to start up quietly is %s.", "whether to start up quietly",
	      "Use the option -q."),
	FIXED("struct-convention", fixed_default, "The convention for returning small structs is \"%s\".",
	      "the convention for returning small structs", "The ABI says it."),
	FIXED("style sources", fixed_on, "Source code styling is enabled.", "whether source code is styled",
	      "Source is styled in the full screen wherever there are colours: \"set style enabled off\" does without "
	      "any."),
	FIXED("suppress-cli-notifications", fixed_off, "Suppression of printing CLI notifications is %s.",
	      "suppression of printing notifications",
	      "\"silent\" in the commands of a breakpoint keeps a stop quiet."),
	FIXED("target-charset", fixed_auto_UTF_8_UTF_32_ASCII, "The target character set is \"%s; currently UTF-8\".",
	      "the character set of text", "Text is UTF-8, wide characters are UTF-32 or UTF-16, by their type."),
	FIXED("target-file-system-kind", fixed_auto_unix,
	      "The assumed file system kind for target reported file names is \"%s\" (currently \"unix\").",
	      "the kind of file system of the target", "File names are those of Unix."),
	FIXED("target-wide-charset", fixed_auto_UTF_8_UTF_32_ASCII,
	      "The target wide character set is \"%s; currently UTF-32\".", "the character set of wide characters",
	      "Text is UTF-8, wide characters are UTF-32 or UTF-16, by their type."),
	FIXED("tdesc filename", fixed_, "The target description will be read from the target.",
	      "the file to read for a target description", "The target says what registers it has."),
	FIXED("trust-readonly-sections", fixed_off, "Mode for reading from readonly sections is %s.",
	      "whether read-only memory is read from files", "What the program has in memory is what counts."),
	FIXED("tui active-border-mode", fixed_bold_any,
	      "The attribute mode to use for the active TUI window border is \"%s\".",
	      "what windows of the full screen look like", "Whatever it is set to: it changes nothing here."),
	FIXED("tui border-kind", fixed_space_any, "The kind of border for TUI windows is \"%s\".",
	      "what windows of the full screen look like", "Whatever it is set to: it changes nothing here."),
	FIXED("tui border-mode", fixed_normal_any, "The attribute mode to use for the TUI window borders is \"%s\".",
	      "what windows of the full screen look like", "Whatever it is set to: it changes nothing here."),
	FIXED("tui compact-source", fixed_off_any, "TUI source window compactness is %s.",
	      "what windows of the full screen look like", "Whatever it is set to: it changes nothing here."),
	FIXED("tui mouse-events", fixed_off_any, "TUI mouse events is %s.", "what windows of the full screen look like",
	      "Whatever it is set to: it changes nothing here."),
	FIXED("tui tab-width", fixed_8_any, "TUI tab width is %s spaces.", "what windows of the full screen look like",
	      "Whatever it is set to: it changes nothing here."),
	FIXED("use-coredump-filter", fixed_on, "Use of /proc/PID/coredump_filter file to generate corefiles is %s.",
	      "whether gcore obeys /proc/PID/coredump_filter", "gcore obeys it."),
	FIXED("verbose", fixed_off_on, "Verbosity is %s.", "verbosity",
	      "There is nothing more to say: what takes over a second tells its progress."),
	FIXED("watchdog", fixed_0, "Watchdog timer is %s.", "how long a program may take to stop",
	      "There is no watchdog: ^C interrupts. For stubs: set remotetimeout"),
	FIXED("write", fixed_off, "Writing into executable and core files is %s.",
	      "writing into executable and core files", "Files are never written: the memory of a running program is."),
	{0},
};
