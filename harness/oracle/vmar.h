/*
 * What the files of the oracle's address space share. Addresses, sizes and lengths are in bytes.
 */
#ifndef HARNESS_ORACLE_VMAR_H
#define HARNESS_ORACLE_VMAR_H

#include "harness/oracle/oracle_pages.h"

/* The mapping at this address, in whichever VMAR it is; null: nothing is mapped there. */
struct oracle_mapping *oracle_mapping_at(struct oracle *o, uint64_t address);

/* Cuts the mapping in two at this address inside of it. Returns the right one. Counts no allocation. */
struct oracle_mapping *oracle_mapping_split(struct oracle *o, struct oracle_mapping *mapping, uint64_t address);

bool oracle_in_vmar(const struct oracle_vmar *vmar, uint64_t address, uint64_t length);
bool oracle_range_in_vmo(struct oracle *o, const struct oracle_vmo *vmo, uint64_t offset, uint64_t length);
uint64_t oracle_round_up(const struct oracle *o, uint64_t length); /* to whole pages; 0 if it wraps */

/* The rights that these ZX_VM_PERM_... ask of a handle. */
zx_rights_t oracle_rights_for_perms(uint32_t perms);

#endif
