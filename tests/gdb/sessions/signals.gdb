#: mode signals
# A signal stops, tells of itself and is delivered, or is passed unseen.
continue
#~ received signal SIGUSR1
print $_siginfo.si_signo
#~ = 10
break on_signal
continue
#~ Breakpoint 1, on_signal \(number=10\)
backtrace
#~ <signal handler called>
finish
#~ <signal handler called>
continue
#~ exited normally
