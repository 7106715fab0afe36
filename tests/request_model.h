/*
 * The most naive model of page requests: two VMOs of one pager on one port, threads that read, write and commit, and
 * everything that answers them. Arrays and loops only, written from the rules for joining, cutting, resolving, failing
 * and cancelling requests.
 */
#ifndef REQUEST_MODEL_H
#define REQUEST_MODEL_H

#include <stdint.h>

#include "core/pgr.h"

enum { MODEL_VMOS = 2, MODEL_PAGES = 20, MODEL_THREADS = 7, MODEL_PACKETS = 64 };

enum model_op { MODEL_READ, MODEL_WRITE, MODEL_COMMIT };

/* A request is identified by its owner: a thread owns one at most. */
struct model_request {
    uint64_t begin, end, pending; /* pages */
    int strict;
    uint32_t owner;
    uint32_t joined[MODEL_THREADS]; /* in the order in which they did */
    uint32_t joined_count;
    uint64_t serial; /* by which the packet is known */
};

struct model_vmo {
    uint64_t size;
    char state[MODEL_PAGES]; /* '.', C, M, D, Z */
    int detached;
    struct model_request requests[MODEL_THREADS]; /* ascending */
    uint32_t request_count;
    uint64_t queued[MODEL_THREADS]; /* serials of those whose packets wait for the one in the port */
    uint32_t queued_count;
};

struct model_packet {
    uint32_t vmo;
    int complete; /* the COMPLETE packet; otherwise a request's: */
    uint64_t serial;
    uint64_t begin, end;
};

enum model_thread_state { MODEL_IDLE, MODEL_BLOCKED, MODEL_RELEASED };

struct model_thread {
    enum model_thread_state state;
    enum model_op op;
    uint32_t vmo;
    uint64_t position, end; /* pages */
    zx_status_t status;     /* of its wait, once released */
};

struct request_model {
    uint64_t read_batch;
    uint64_t serial;
    struct model_vmo vmos[MODEL_VMOS];
    struct model_thread threads[MODEL_THREADS];
    uint32_t released[MODEL_THREADS];
    uint32_t released_count;
    struct model_packet port[MODEL_PACKETS];
    uint32_t packet_count;
};

/* What a step of a thread ends in. */
struct model_outcome {
    int blocked;
    zx_status_t status;
};

/* A thread that is idle begins a call over these pages; a released thread goes on. */
struct model_outcome model_begin(struct request_model *m, uint32_t thread, uint32_t vmo, enum model_op op,
                                 uint64_t begin, uint64_t end);
struct model_outcome model_resume(struct request_model *m, uint32_t thread);
void model_kill(struct request_model *m, uint32_t thread);

/* Ranges lie in the VMO. `state`: what absent pages become, C or M. */
void model_supply(struct request_model *m, uint32_t vmo, uint64_t begin, uint64_t end, char state);
void model_zero(struct request_model *m, uint32_t vmo, uint64_t begin, uint64_t end);
void model_fail(struct request_model *m, uint32_t vmo, uint64_t begin, uint64_t end, zx_status_t status);
void model_set_size(struct request_model *m, uint32_t vmo, uint64_t size);
void model_detach(struct request_model *m, uint32_t vmo);
void model_reclaim(struct request_model *m, uint64_t count);

/* Takes the first packet from the port; 0 if there is none. */
int model_receive(struct request_model *m, struct model_packet *packet);

#endif
