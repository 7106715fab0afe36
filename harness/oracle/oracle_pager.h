/*
 * Inside of the oracle: what the pager's calls have in common.
 */
#ifndef HARNESS_ORACLE_ORACLE_PAGER_H
#define HARNESS_ORACLE_ORACLE_PAGER_H

#include "harness/oracle/oracle.h"

/* pager.md 1.5: whether this VMO object was made by this pager. */
bool oracle_belongs_to(const struct oracle_vmo *vmo, const struct oracle_pager *pager);

/* The checks that most calls begin with: pager handle, VMO handle, belongs to. */
zx_status_t oracle_pager_and_vmo(struct oracle *o, zx_handle_t pager_handle, zx_rights_t pager_rights,
                                 zx_handle_t vmo_handle, zx_rights_t vmo_rights, struct oracle_vmo **vmo);

#endif
