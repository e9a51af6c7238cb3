set dprintf-style agent
link
dprintf *0x1012, "rbx is %lx, five is %d\n", $rbx, 5
break *0x1013 if $rbx == 0xf0e0d0c0b0a0908
continue
delete 2
break *0x1000
continue
continue
monitor counters
kill
