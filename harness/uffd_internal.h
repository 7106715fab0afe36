/* What the files of uffd.h share. Not for others. */
#ifndef HARNESS_UFFD_INTERNAL_H
#define HARNESS_UFFD_INTERNAL_H

#include "harness/uffd.h"

#define PAGE_SHIFT 12u
#define VMO_BYTES (UFFD_PAGES * UFFD_PAGE_BYTES)

/* Whatever went wrong first; later messages are dropped. */
void uffd_differ(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern struct uffd_stats uffd_done;

static inline uint8_t page_of(uint64_t offset_bytes)
{
    return (uint8_t)(offset_bytes >> PAGE_SHIFT);
}

/* --- the operations: uffd.c --- */

enum operand {
    OPERAND_THREAD = 1,
    OPERAND_ACCESS = 2, /* bytes of a window */
    OPERAND_VALUE = 4,
    OPERAND_BYTES = 8,  /* bytes of the aux pages */
    OPERAND_PAGES = 16, /* of the VMO */
    OPERAND_AUX = 32,   /* as many aux pages */
    OPERAND_COUNT = 64,
    OPERAND_PLACE = 128,
    OPERAND_MAPPED = 256, /* all pages are mapped */
    OPERAND_NOBODY = 512, /* nobody waits */
    OPERAND_WAKES = 1024, /* who waits for these pages, for one kind of request */
};

struct row {
    const char *name;
    uint32_t operands; /* enum operand, together */
    uint32_t weight;   /* how often bytes mean it */
};
extern const struct row uffd_rows[UFFD_OPERATIONS];

/* Where each page is mapped (enum uffd_place). */
extern uint8_t uffd_places[UFFD_PAGES];

/* --- the threads that access real memory: uffd_threads.c --- */

enum task { TASK_LOAD, TASK_STORE, TASK_REMAP };

/* What a thread is told to do, and how it ended. */
struct job {
    enum task task;
    uint8_t *address;
    uint8_t *target; /* of TASK_REMAP: where the page at `address` goes */
    uint32_t length; /* bytes */
    uint8_t value;
    int signal; /* that ended the access, 0: none */
    uint8_t *fault_address;
    int failed; /* TASK_REMAP: errno */
    uint8_t bytes[VMO_BYTES];
};

/* Threads 0 .. UFFD_THREADS - 1 make accesses; this one moves mappings. */
#define MOVER UFFD_THREADS
#define WORKERS (UFFD_THREADS + 1)

/* Starts the threads, once, and catches the signals that end accesses. 0, or -1 and a message. */
int threads_start(void);
struct job *threads_job(uint32_t worker);
void threads_go(uint32_t worker);
/* 1 once, after the job has ended. */
int threads_ended(uint32_t worker);
/* Makes a thread that is inside an access give it up. */
void threads_kill(uint32_t worker);
/* The worker with this thread id, WORKERS: none. */
uint32_t threads_by_id(uint32_t tid);
/* A file descriptor that can be read when a job may have ended; threads_heard() reads it. */
int threads_bell(void);
void threads_heard(void);

/* --- Linux: uffd_kernel.c, uffd_memory.c --- */

/* One page as the page tables have it. */
struct real_page {
    int present;
    int zero;    /* the kernel's page of zeros */
    int written; /* not write-protected */
};

struct memory {
    int uffd;
    uint8_t *windows[UFFD_PLACES]; /* the last one is where pages are that are mapped nowhere */
    uint8_t *aux;
    uint8_t place[UFFD_PAGES];
    uint8_t read_only[UFFD_PAGES];
    int whole; /* all pages have stayed where they were mapped first, and are protected alike */
    struct real_page pages[UFFD_PAGES], aux_pages[UFFD_PAGES];
};

/* Opens both userfaultfds (with and without traps), unless they are. 0, or -1 and a message. */
int memory_open(void);
int memory_start(struct memory *m, int traps);
uint8_t *memory_at(const struct memory *m, uint32_t page);
void memory_scan(struct memory *m);

/* What one ioctl did: pages, then why it stopped, 0 or an errno. */
struct step {
    uint32_t pages;
    int error;
};
struct step memory_move(const struct memory *m, uint32_t page, uint32_t aux_page, uint32_t count);
struct step memory_zero(const struct memory *m, uint32_t page);
struct step memory_poison(const struct memory *m, uint32_t page);
void memory_protect(const struct memory *m, uint32_t page);
void memory_unprotect(const struct memory *m, uint32_t page);
void memory_drop(uint8_t *address, uint32_t count);
void memory_wake(const struct memory *m, uint8_t *address);
/* What stores to the page are, whatever it is write-protected for. */
void memory_allow_stores(const struct memory *m, uint32_t page, int allow);
/* After a page was moved away: nothing else is to be mapped there. */
void memory_close_hole(uint8_t *address);

int kernel_start(int traps);
/* The accesses that wait where their page is mapped no longer, as bits. */
uint32_t kernel_unmapped(void);
/*
 * An answer for one kind of request would wake a thread that waits for the other kind, and that would end, for its page is
 * no longer mapped there, or read-only.
 */
int kernel_wakes_bystanders(const struct uffd_operation *operation);
void kernel_do(const struct uffd_operation *operation, struct uffd_view *view);

/* --- the core: uffd_core.c --- */

int core_start(int traps, FILE *record);
void core_do(const struct uffd_operation *operation, struct uffd_view *view);
void core_end(void);

/* --- the comparison: uffd_judge.c --- */

struct comparison {
    const struct uffd_operation *operation;
    const struct uffd_view *core, *kernel;
    const struct uffd_view *before; /* what the kernel showed before the operation */
    uint32_t unmapped;              /* kernel_unmapped() before it */
};
void judge_comparison(const struct comparison *comparison);

#endif /* HARNESS_UFFD_INTERNAL_H */
