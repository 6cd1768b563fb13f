/* Memory below 2 GiB, never given back: Debian's 64-bit isoqlog keeps pointers in ints while it
   sorts, and crashes on its first report without this. */
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

static char *next, *end;

void *malloc(size_t size)
{
    size_t whole = (size + 31) / 16 * 16;
    char *block = next;
    if (next == NULL) {
        block = mmap(NULL, 1 << 28, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        if (block == MAP_FAILED) return NULL;
        end = block + (1 << 28);
    }
    if (whole < size || whole > (size_t) (end - block)) return NULL;
    next = block + whole;
    memcpy(block, &size, sizeof size);
    return block + 16;
}

void *calloc(size_t count, size_t size)
{
    return size && count > (size_t) -1 / size ? NULL : malloc(count * size);
}

void *realloc(void *old, size_t size)
{
    size_t before = 0;
    void *block = malloc(size);
    if (old == NULL || block == NULL) return block;
    memcpy(&before, (char *) old - 16, sizeof before);
    return memcpy(block, old, before < size ? before : size);
}

void free(void *block)
{
    (void) block;
}
