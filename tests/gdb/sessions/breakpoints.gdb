#: mode plain
# Stops, conditions, counts, steps, finish, frames and the end.
break main
#~ Breakpoint 1 at
continue
#~ Breakpoint 1, main \(count=2
next
#~ local_value\+\+|strcmp
break add if a == 7
continue
#~ Breakpoint 2, add \(a=7, b=7\)
backtrace
#~ #0  add \(a=7, b=7\)
#~ #1  .* in plain \(\)
#~ #2  .* in main \(
finish
#~ Run till exit
#~ Value returned is \$\d+ = 14
info breakpoints
#~ breakpoint already hit 1 time
delete
tbreak add
continue
#~ Temporary breakpoint 3, add \(a=8, b=8\)
step
#~ __atomic_fetch_add\(&counted
stepi
up
#~ in plain
hbreak MARK_after
#~ Hardware assisted breakpoint 4
continue
#~ Breakpoint 4, plain
print total
#~ = 90
print add(20, 22)
#~ = 42
print text
#~ "needle in here"
find &text, +sizeof(text), 'i', 'n'
#~ 1 pattern found
next
print text
#~ "changed
set var total = 91
print total
#~ = 91
set var total = 90
continue
#~ exited with code 04
