#include "memory.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Segments that may not be written were never written: dropping their pages loses nothing. What is
 * read-only only after relocation (RELRO) is part of a writable segment, and stays. */
static int trim_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        uintptr_t start = (info->dlpi_addr + ph->p_vaddr) & ~(page - 1);
        uintptr_t end = info->dlpi_addr + ph->p_vaddr + ph->p_filesz;

        if (ph->p_type == PT_LOAD && !(ph->p_flags & PF_W) && end > start)
            madvise((void *)start, end - start, MADV_DONTNEED); /* advice: failing is no harm */
    }
    return 0;
}

void memory_trim(void)
{
    malloc_trim(0);
    dl_iterate_phdr(trim_object, NULL);
}
