/*
 * Inside of the oracle: what the pager's calls have in common.
 */
#ifndef HARNESS_ORACLE_ORACLE_PAGER_H
#define HARNESS_ORACLE_ORACLE_PAGER_H

#include "harness/oracle/oracle.h"

/* The checks that most calls begin with: pager handle, VMO handle, belongs to. */
zx_status_t oracle_pager_and_vmo(struct oracle *o, zx_handle_t pager_handle, zx_rights_t pager_rights,
                                 zx_handle_t vmo_handle, zx_rights_t vmo_rights, struct oracle_vmo **vmo);

#endif
