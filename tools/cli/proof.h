/* proof.h - verify --proof, which opens no store.
 */
#ifndef PROOF_H
#define PROOF_H

#include "cli.h"

/* With OPT_PROOF given; returns an exit status. */
int proof_verify(const struct cli *cli);

#endif
