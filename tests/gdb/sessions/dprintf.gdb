#: mode plain
# Breakpoint commands run on the target.
set dprintf-style agent
dprintf add,"adding %d and %d\n", a, b
#~ Dprintf 1 at
break MARK_after
continue
#~ Breakpoint 2, plain
info breakpoints
#~ agent-printf "adding
continue
#~ exited with code 04
