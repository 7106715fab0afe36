/*
 * Where the specification allows more than one answer: the one place that says so, for comparisons of two
 * implementations, in process (diff_pair.h) and behind the line protocol alike. Everything that is not listed here has
 * one right answer.
 *
 * A freedom is taken once: what an implementation has shown is held against everything that it shows later. For choices
 * about values (flags) that is done here. Choices that change what happens next (what a failed supply leaves of the aux
 * range, how much one READ asks for) are settings of the judge: it is configured so that it chooses as the other one
 * does, and then the two are compared without any freedom.
 *
 * In brackets: the page of docs/semantics/ that leaves it open.
 *
 * - What a supply that fails late leaves of the aux range, untouched or emptied: PGR_OPTION_SUPPLY_DECOMMITS, a setting
 *   (supply.md, README.md "Decisions").
 * - How many pages one READ of a read or write asks for: pgr_config.read_batch, a setting (page-requests.md, README.md
 *   "Decisions").
 * - The order in which released threads run: the judge resumes them in the other's (README.md "Decisions").
 * - The flags of page requests, of which no page speaks: anything, but always the same for one command.
 * - Where frames lie, and so whether a contiguous VMO finds free ones in a row (README.md "Decisions").
 * - Bookkeeping, timestamps, reserved fields and padding: see diff_allowed_packet(), diff_allowed_info_vmo().
 */
#ifndef HARNESS_DIFF_ALLOWED_H
#define HARNESS_DIFF_ALLOWED_H

#include "core/pgr.h"

/* What one implementation has shown so far. Zeroed: nothing. */
struct diff_shown {
    uint32_t flags_shown; /* bit n: page requests of command n have been seen */
    uint16_t flags[3];    /* ... with these flags */
};

/* Whether these flags may stand in a page request: the first ones are remembered, later ones must be equal. */
int diff_allowed_flags(struct diff_shown *shown, uint16_t command, uint16_t flags);

/*
 * Makes equal what may differ in two packets: the timestamps and reserved fields of signals, the reserved fields of page
 * requests. Flags are not touched.
 */
void diff_allowed_packet(zx_port_packet_t *packet);

/* ... in two ZX_INFO_VMO: kernel bookkeeping (metadata_bytes) and padding. */
void diff_allowed_info_vmo(zx_info_vmo_t *info);

/*
 * Whether one of these two statuses may stand for the other: one ZX_OK, the other ZX_ERR_NO_MEMORY, of a
 * zx_vmo_create_contiguous. Who has made the VMO closes it at once, for the other has none.
 */
int diff_allowed_statuses(uint32_t call, zx_status_t first, zx_status_t second);

/*
 * The next setting of the judge to try, when under `config` it differs from an implementation in something that may come
 * from it: `attempt` counts from 0. 1, and `config` is changed; 0: there is none left. `pages`: the length of the READ
 * request that the implementation has shown where they differ, 0 if that is not it.
 */
int diff_allowed_setting(pgr_config *config, unsigned attempt, uint64_t pages);

#endif
