/* The first process of Debian's kernel as a guest: it says that it is there, and makes one system call again and again.
 */
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

int main(void)
{
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	printf("guest: up with %d processors\n", get_nprocs());
	fflush(stdout);
	for (int turn = 0; turn < 2000; turn++) {
		syscall(SYS_getppid);
		usleep(5000);
	}
	printf("guest: done\n");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}
