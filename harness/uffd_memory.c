/*
 * Real memory under userfaultfd (uffd.h): where its pages are, what the page tables say of them, and one function for
 * each thing that a pager on Linux does to them.
 */
#define _GNU_SOURCE
#include "harness/no_coverage.h"
#include "harness/uffd_internal.h"
#include "harness/uffd_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

NO_COVERAGE_BEGIN

/* [no access] window A [no access] window B [no access] pages mapped nowhere [no access] aux [no access] */
#define AREAS (UFFD_PLACES + 1)
#define AREA_PAGES (UFFD_PAGES + 1)
#define RESERVED_PAGES (AREAS * AREA_PAGES + 1)

static uint8_t *reserved;
static int scanner = -1; /* /proc/self/pagemap */
static int uffds[2] = {-1, -1};

static uint8_t *area(uint32_t number)
{
    return reserved + (uint64_t)(number * AREA_PAGES + 1) * UFFD_PAGE_BYTES;
}

static uint64_t address_of(const uint8_t *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

/* --- opening --- */

static int open_uffd(void)
{
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
    if (fd >= 0)
        return fd;
    int error = errno;
    int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
    if (device >= 0) {
        fd = ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
        close(device);
    }
    errno = error;
    return fd;
}

/* Without traps the kernel itself lets stores to protected pages pass, and notes them. */
static int open_with(int traps)
{
    struct uffdio_api api = {.api = UFFD_API};
    api.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_THREAD_ID | UFFD_FEATURE_EVENT_REMAP |
                   UFFD_FEATURE_POISON | UFFD_FEATURE_MOVE | (traps ? 0 : UFFD_FEATURE_WP_ASYNC);
    int fd = open_uffd();
    if (fd < 0) {
        uffd_differ("userfaultfd cannot be opened: %s", strerror(errno));
        return -1;
    }
    if (ioctl(fd, UFFDIO_API, &api) == 0)
        return fd;
    uffd_differ("this kernel's userfaultfd lacks moving, poisoning or write-protecting pages: %s", strerror(errno));
    close(fd);
    return -1;
}

static int reserve(void)
{
    if (sysconf(_SC_PAGESIZE) != UFFD_PAGE_BYTES) {
        uffd_differ("this machine's pages do not have %u bytes", UFFD_PAGE_BYTES);
        return -1;
    }
    reserved = mmap(NULL, RESERVED_PAGES * UFFD_PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (reserved == MAP_FAILED) {
        reserved = NULL;
        uffd_differ("no address space: %s", strerror(errno));
    }
    return reserved ? 0 : -1;
}

/* What the page tables have of all areas, in one call. */
static int scan(struct page_region *regions, uint32_t most)
{
    struct pm_scan_arg argument = {.size = sizeof argument,
                                   .start = address_of(reserved),
                                   .end = address_of(reserved) + RESERVED_PAGES * UFFD_PAGE_BYTES,
                                   .vec = (uint64_t)(uintptr_t)regions,
                                   .vec_len = most,
                                   .category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
                                   .return_mask =
                                       PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_WRITTEN | PAGE_IS_PFNZERO};
    return ioctl(scanner, PAGEMAP_SCAN, &argument);
}

static int open_scanner(void)
{
    struct page_region region;
    scanner = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (scanner >= 0 && scan(&region, 1) >= 0)
        return 0;
    uffd_differ("page tables cannot be looked at: %s", strerror(errno));
    if (scanner >= 0)
        close(scanner);
    scanner = -1;
    return -1;
}

int memory_open(void)
{
    int failed = (!reserved && reserve() != 0) || (scanner < 0 && open_scanner() != 0);
    for (int traps = 0; traps < 2 && !failed; traps++) {
        if (uffds[traps] < 0)
            uffds[traps] = open_with(traps);
        failed = uffds[traps] < 0;
    }
    return failed ? -1 : 0;
}

/* --- a fresh VMO --- */

static int make_area(uint8_t *at)
{
    uint64_t bytes = UFFD_PAGES * UFFD_PAGE_BYTES;
    if (mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        return -1;
    return madvise(at, bytes, MADV_NOHUGEPAGE);
}

static int watch(const struct memory *m)
{
    struct uffdio_register argument = {
        .range = {.start = address_of(m->windows[UFFD_WINDOW_A]), .len = UFFD_PAGES * UFFD_PAGE_BYTES},
        .mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP};
    return ioctl(m->uffd, UFFDIO_REGISTER, &argument);
}

int memory_start(struct memory *m, int traps)
{
    uint64_t bytes = RESERVED_PAGES * UFFD_PAGE_BYTES;
    memset(m, 0, sizeof *m);
    m->uffd = uffds[traps != 0];
    m->whole = 1;
    for (uint32_t i = 0; i < UFFD_PLACES; i++)
        m->windows[i] = area(i);
    m->aux = area(UFFD_PLACES);
    if (munmap(reserved, bytes) == 0 &&
        mmap(reserved, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == reserved &&
        make_area(m->windows[UFFD_WINDOW_A]) == 0 && make_area(m->aux) == 0 && watch(m) == 0)
        return 0;
    uffd_differ("no memory under userfaultfd: %s", strerror(errno));
    return -1;
}

uint8_t *memory_at(const struct memory *m, uint32_t page)
{
    return m->windows[m->place[page]] + (uint64_t)page * UFFD_PAGE_BYTES;
}

/* --- looking at it --- */

static struct real_page page_in(const struct page_region *regions, int count, const uint8_t *at)
{
    for (int i = 0; i < count; i++) {
        if (address_of(at) >= regions[i].start && address_of(at) < regions[i].end)
            return (struct real_page){.present = 1,
                                      .zero = (regions[i].categories & PAGE_IS_PFNZERO) != 0,
                                      .written = (regions[i].categories & PAGE_IS_WRITTEN) != 0};
    }
    return (struct real_page){0};
}

void memory_scan(struct memory *m)
{
    /* MemorySanitizer does not know that the ioctl writes them. */
    struct page_region regions[RESERVED_PAGES] = {0};
    int count = scan(regions, RESERVED_PAGES);
    if (count < 0)
        uffd_differ("U7: PAGEMAP_SCAN: %s", strerror(errno));
    for (uint32_t page = 0; page < UFFD_PAGES; page++) {
        m->pages[page] = page_in(regions, count, memory_at(m, page));
        m->aux_pages[page] = page_in(regions, count, m->aux + (uint64_t)page * UFFD_PAGE_BYTES);
    }
}

/* --- what a pager does --- */

/* The kernel says in the last field what it did: bytes, or -errno if that was nothing. */
static struct step step_of(int result, int64_t done)
{
    if (result == 0 || done > 0)
        return (struct step){.pages = (uint32_t)(done >> PAGE_SHIFT)};
    return (struct step){.error = done < 0 ? (int)-done : errno};
}

/* The kernel gives up when somebody else, reclaim for one, is at the page just now. */
#define TRIES_MOST 1000

/* A thread that waits there is not woken by the next three: the pager has more to do first. */
struct step memory_move(const struct memory *m, uint32_t page, uint32_t aux_page, uint32_t count)
{
    struct step step = {.error = EAGAIN};
    for (uint32_t tries = 0; tries < TRIES_MOST && step.error == EAGAIN; tries++) {
        struct uffdio_move argument = {.dst = address_of(memory_at(m, page)),
                                       .src = address_of(m->aux) + (uint64_t)aux_page * UFFD_PAGE_BYTES,
                                       .len = (uint64_t)count * UFFD_PAGE_BYTES,
                                       .mode = UFFDIO_MOVE_MODE_DONTWAKE};
        int result = ioctl(m->uffd, UFFDIO_MOVE, &argument);
        step = step_of(result, argument.move);
    }
    return step;
}

struct step memory_zero(const struct memory *m, uint32_t page)
{
    struct uffdio_zeropage argument = {.range = {.start = address_of(memory_at(m, page)), .len = UFFD_PAGE_BYTES},
                                       .mode = UFFDIO_ZEROPAGE_MODE_DONTWAKE};
    int result = ioctl(m->uffd, UFFDIO_ZEROPAGE, &argument);
    return step_of(result, argument.zeropage);
}

struct step memory_poison(const struct memory *m, uint32_t page)
{
    struct uffdio_poison argument = {.range = {.start = address_of(memory_at(m, page)), .len = UFFD_PAGE_BYTES},
                                     .mode = UFFDIO_POISON_MODE_DONTWAKE};
    int result = ioctl(m->uffd, UFFDIO_POISON, &argument);
    return step_of(result, argument.updated);
}

static void write_protect(const struct memory *m, uint32_t page, uint64_t mode)
{
    struct uffdio_writeprotect argument = {.range = {.start = address_of(memory_at(m, page)), .len = UFFD_PAGE_BYTES},
                                           .mode = mode};
    if (ioctl(m->uffd, UFFDIO_WRITEPROTECT, &argument))
        uffd_differ("U7: UFFDIO_WRITEPROTECT of page %u, mode %u: %s", page, (unsigned)mode, strerror(errno));
}

void memory_protect(const struct memory *m, uint32_t page)
{
    write_protect(m, page, UFFDIO_WRITEPROTECT_MODE_WP);
}

void memory_unprotect(const struct memory *m, uint32_t page)
{
    write_protect(m, page, UFFDIO_WRITEPROTECT_MODE_DONTWAKE);
}

void memory_drop(uint8_t *address, uint32_t count)
{
    if (count > 0 && madvise(address, (size_t)count * UFFD_PAGE_BYTES, MADV_DONTNEED))
        uffd_differ("U7: MADV_DONTNEED: %s", strerror(errno));
}

void memory_wake(const struct memory *m, uint8_t *address)
{
    struct uffdio_range range = {.start = address_of(address) & ~(uint64_t)(UFFD_PAGE_BYTES - 1),
                                 .len = UFFD_PAGE_BYTES};
    if (ioctl(m->uffd, UFFDIO_WAKE, &range))
        uffd_differ("U7: UFFDIO_WAKE: %s", strerror(errno));
}

/* The whole window as long as it is one mapping, so that it stays one. */
void memory_allow_stores(const struct memory *m, uint32_t page, int allow)
{
    uint8_t *at = m->whole ? m->windows[UFFD_WINDOW_A] : memory_at(m, page);
    size_t bytes = (m->whole ? UFFD_PAGES : 1) * UFFD_PAGE_BYTES;
    if (mprotect(at, bytes, allow ? PROT_READ | PROT_WRITE : PROT_READ))
        uffd_differ("U7: mprotect: %s", strerror(errno));
}

void memory_close_hole(uint8_t *address)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    if (mmap(address, UFFD_PAGE_BYTES, PROT_NONE, flags, -1, 0) != address)
        uffd_differ("U7: the place of a page that was moved away is taken: %s", strerror(errno));
}

NO_COVERAGE_END
