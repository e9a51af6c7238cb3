# What `make run` shows: stock gdb on samples/orders.c, served by trapline. $server is the command that serves it.
set pagination off
set confirm off
set width 0
set debuginfod enabled off
set sysroot /
echo \n== connect: gdb starts the server and talks to it over a pipe\n
eval "target remote | %s", $server
echo \n== a breakpoint with a condition, which the server itself evaluates\n
break book if order->price > 1000
continue
echo \n== where it stopped, and which threads there are\n
backtrace
info threads
print *order
echo \n== a watchpoint in a debug register: who changes the till?\n
watch till
continue
echo \n== remove both and let the program end\n
delete
continue
