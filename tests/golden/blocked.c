// The program with something mapped close behind its heap, as graphics drivers may do: malloc()
// then takes memory from elsewhere, and leaves ENOMEM in errno whenever it does. See blocked.py.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM (256u << 10) // left to the heap

__attribute__((constructor)) static void block_heap(void)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t at = ((uintptr_t)sbrk(0) + ROOM) / page * page;
    if (mmap((void *)at, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
             0) == MAP_FAILED) {
        perror("blocked");
        exit(70);
    }
}
