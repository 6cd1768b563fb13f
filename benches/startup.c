/* The baseline of startup.rs: a static C program that ends at its first step. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    const char *home = getenv("QMAILHOME");
    if (chdir(home ? home : "/var/qmail") == -1) {
        return 111;
    }
    printf("%s\n", home);
    return 0;
}
