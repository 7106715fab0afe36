/*
 * See request_model.h.
 */
#include "tests/request_model.h"

#include <string.h>

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- packets ---- */

static void port_append(struct request_model *m, struct model_packet packet)
{
    m->port[m->packet_count++] = packet;
}

static void port_remove(struct request_model *m, uint32_t i)
{
    memmove(&m->port[i], &m->port[i + 1], (--m->packet_count - i) * sizeof(m->port[0]));
}

/* Where the VMO's request packet stands in the port, or packet_count. */
static uint32_t port_find(const struct request_model *m, uint32_t vmo)
{
    uint32_t i;

    for (i = 0; i < m->packet_count; i++) {
        if (m->port[i].vmo == vmo && !m->port[i].complete)
            break;
    }
    return i;
}

static struct model_request *request_by_serial(struct model_vmo *vmo, uint64_t serial)
{
    uint32_t i = 0;

    while (vmo->requests[i].serial != serial)
        i++;
    return &vmo->requests[i];
}

/* The VMO has no packet in the port (any more): its next request's goes to the end of the port. */
static void packet_next(struct request_model *m, uint32_t vmo)
{
    struct model_vmo *v = &m->vmos[vmo];
    const struct model_request *request;

    if (v->queued_count == 0)
        return;
    request = request_by_serial(v, v->queued[0]);
    port_append(
        m, (struct model_packet){.vmo = vmo, .serial = request->serial, .begin = request->begin, .end = request->end});
    memmove(&v->queued[0], &v->queued[1], --v->queued_count * sizeof(v->queued[0]));
}

static void packet_send(struct request_model *m, uint32_t vmo, uint64_t serial)
{
    struct model_vmo *v = &m->vmos[vmo];

    v->queued[v->queued_count++] = serial;
    if (port_find(m, vmo) == m->packet_count)
        packet_next(m, vmo);
}

/* A request is no more: its packet is not delivered, if it was not yet. */
static void packet_withdraw(struct request_model *m, uint32_t vmo, uint64_t serial)
{
    struct model_vmo *v = &m->vmos[vmo];
    uint32_t place = port_find(m, vmo), i;

    for (i = 0; i < v->queued_count && v->queued[i] != serial; i++)
        continue;
    if (i < v->queued_count) {
        memmove(&v->queued[i], &v->queued[i + 1], (--v->queued_count - i) * sizeof(v->queued[0]));
    } else if (place < m->packet_count && m->port[place].serial == serial) {
        port_remove(m, place);
        packet_next(m, vmo);
    }
}

int model_receive(struct request_model *m, struct model_packet *packet)
{
    if (m->packet_count == 0)
        return 0;
    *packet = m->port[0];
    port_remove(m, 0);
    if (!packet->complete)
        packet_next(m, packet->vmo);
    return 1;
}

/* ---- requests ---- */

static void release(struct request_model *m, uint32_t thread, zx_status_t status)
{
    m->threads[thread].state = MODEL_RELEASED;
    m->threads[thread].status = status;
    m->released[m->released_count++] = thread;
}

static void request_remove(struct request_model *m, uint32_t vmo, uint32_t i)
{
    struct model_vmo *v = &m->vmos[vmo];

    packet_withdraw(m, vmo, v->requests[i].serial);
    memmove(&v->requests[i], &v->requests[i + 1], (--v->request_count - i) * sizeof(v->requests[0]));
}

/* Who joined wakes first, in the order of joining, then the owner. */
static void request_complete(struct request_model *m, uint32_t vmo, uint32_t i, zx_status_t status)
{
    struct model_request request = m->vmos[vmo].requests[i];
    uint32_t k;

    request_remove(m, vmo, i);
    for (k = 0; k < request.joined_count; k++)
        release(m, request.joined[k], status);
    release(m, request.owner, status);
}

/* These pages have been answered; only their number counts. */
static void resolve(struct request_model *m, uint32_t vmo, uint64_t begin, uint64_t end)
{
    struct model_vmo *v = &m->vmos[vmo];
    uint32_t i = 0;

    while (i < v->request_count) {
        struct model_request *request = &v->requests[i];
        uint64_t from = request->begin > begin ? request->begin : begin, to = least(request->end, end);

        if (from >= to) {
            i++;
        } else if (to - from < request->pending) {
            request->pending -= to - from;
            i++;
        } else {
            request_complete(m, vmo, i, ZX_OK);
        }
    }
}

/* The thread asks for the absent pages at its position: joins who asked before, or asks up to there. */
static void ask(struct request_model *m, uint32_t thread)
{
    struct model_thread *t = &m->threads[thread];
    struct model_vmo *v = &m->vmos[t->vmo];
    uint64_t begin = t->position, end = begin;
    uint32_t i;

    while (end < t->end && v->state[end] == '.' &&
           (t->op == MODEL_COMMIT || m->read_batch == 0 || end - begin < m->read_batch))
        end++;
    for (i = 0; i < v->request_count && v->requests[i].end <= begin; i++)
        continue;
    t->state = MODEL_BLOCKED;
    if (i < v->request_count && v->requests[i].begin <= begin) {
        v->requests[i].joined[v->requests[i].joined_count++] = thread;
        return;
    }
    if (i < v->request_count)
        end = least(end, v->requests[i].begin);
    memmove(&v->requests[i + 1], &v->requests[i], (v->request_count++ - i) * sizeof(v->requests[0]));
    v->requests[i] = (struct model_request){.begin = begin,
                                            .end = end,
                                            .pending = end - begin,
                                            .strict = t->op == MODEL_COMMIT,
                                            .owner = thread,
                                            .serial = ++m->serial};
    packet_send(m, t->vmo, m->serial);
}

/* ---- threads ---- */

static struct model_outcome done(struct model_thread *t, zx_status_t status)
{
    t->state = MODEL_IDLE;
    return (struct model_outcome){.status = status};
}

static char state_after(enum model_op op, char state)
{
    if (op == MODEL_READ)
        return state;
    if (op == MODEL_WRITE || state == 'Z')
        return 'D';
    return state == 'M' ? 'C' : state;
}

/* From page to page, as far as pages are there. */
static struct model_outcome go_on(struct request_model *m, uint32_t thread)
{
    struct model_thread *t = &m->threads[thread];
    struct model_vmo *v = &m->vmos[t->vmo];

    if (t->op == MODEL_COMMIT)
        t->end = least(t->end, v->size);
    else if (t->end > v->size)
        return done(t, ZX_ERR_OUT_OF_RANGE);
    for (; t->position < t->end && v->state[t->position] != '.'; t->position++)
        v->state[t->position] = state_after(t->op, v->state[t->position]);
    if (t->position >= t->end)
        return done(t, ZX_OK);
    if (v->detached)
        return done(t, ZX_ERR_BAD_STATE);
    ask(m, thread);
    return (struct model_outcome){.blocked = 1};
}

struct model_outcome model_begin(struct request_model *m, uint32_t thread, uint32_t vmo, enum model_op op,
                                 uint64_t begin, uint64_t end)
{
    m->threads[thread] = (struct model_thread){.op = op, .vmo = vmo, .position = begin, .end = end};
    return go_on(m, thread);
}

static void released_remove(struct request_model *m, uint32_t thread)
{
    uint32_t i = 0;

    while (m->released[i] != thread)
        i++;
    memmove(&m->released[i], &m->released[i + 1], (--m->released_count - i) * sizeof(m->released[0]));
}

struct model_outcome model_resume(struct request_model *m, uint32_t thread)
{
    released_remove(m, thread);
    if (m->threads[thread].status != ZX_OK)
        return done(&m->threads[thread], m->threads[thread].status);
    return go_on(m, thread);
}

/* The owner's request goes to the first who joined, with the class of that one's call. */
static void request_pass_on(struct request_model *m, struct model_request *request)
{
    request->owner = request->joined[0];
    request->strict = m->threads[request->owner].op == MODEL_COMMIT;
    memmove(&request->joined[0], &request->joined[1], --request->joined_count * sizeof(request->joined[0]));
}

static void request_leave(struct request_model *m, uint32_t vmo, uint32_t i, uint32_t thread)
{
    struct model_request *request = &m->vmos[vmo].requests[i];
    uint32_t k;

    for (k = 0; k < request->joined_count && request->joined[k] != thread; k++)
        continue;
    if (k < request->joined_count)
        memmove(&request->joined[k], &request->joined[k + 1],
                (--request->joined_count - k) * sizeof(request->joined[0]));
    else if (request->owner == thread && request->joined_count != 0)
        request_pass_on(m, request);
    else if (request->owner == thread)
        request_remove(m, vmo, i);
}

void model_kill(struct request_model *m, uint32_t thread)
{
    struct model_thread *t = &m->threads[thread];
    uint32_t i;

    if (t->state == MODEL_RELEASED)
        released_remove(m, thread);
    for (i = m->vmos[t->vmo].request_count; t->state == MODEL_BLOCKED && i-- > 0;)
        request_leave(m, t->vmo, i, thread);
    t->state = MODEL_IDLE;
}

/* ---- answers ---- */

/* Absent pages get a state; each run of them answers requests. */
static void fill_absent(struct request_model *m, uint32_t vmo, uint64_t begin, uint64_t end, char state)
{
    struct model_vmo *v = &m->vmos[vmo];
    uint64_t page, run;

    for (page = begin; page < end; page = run + 1) {
        for (run = page; run < end && v->state[run] == '.'; run++)
            v->state[run] = state;
        resolve(m, vmo, page, run);
    }
}

void model_supply(struct request_model *m, uint32_t vmo, uint64_t begin, uint64_t end, char state)
{
    fill_absent(m, vmo, begin, end, state);
}

void model_zero(struct request_model *m, uint32_t vmo, uint64_t begin, uint64_t end)
{
    struct model_vmo *v = &m->vmos[vmo];
    uint64_t page;

    fill_absent(m, vmo, begin, end, 'Z');
    for (page = begin; page < end; page++)
        v->state[page] = v->state[page] == 'M' ? 'M' : 'Z';
}

void model_fail(struct request_model *m, uint32_t vmo, uint64_t begin, uint64_t end, zx_status_t status)
{
    struct model_vmo *v = &m->vmos[vmo];
    uint32_t i = 0;

    while (i < v->request_count) {
        const struct model_request *request = &v->requests[i];

        if (request->end <= begin || request->begin >= end)
            i++;
        else
            request_complete(m, vmo, i, request->strict || begin <= request->begin ? status : ZX_OK);
    }
}

void model_set_size(struct request_model *m, uint32_t vmo, uint64_t size)
{
    struct model_vmo *v = &m->vmos[vmo];
    uint64_t page, old = v->size;

    v->size = size;
    for (page = old; page < size; page++)
        v->state[page] = 'Z';
    /* What is cut off is answered where it was absent; then it is gone. */
    if (size < old)
        fill_absent(m, vmo, size, old, 'Z');
}

void model_detach(struct request_model *m, uint32_t vmo)
{
    struct model_vmo *v = &m->vmos[vmo];
    uint64_t page;

    while (v->request_count != 0)
        request_complete(m, vmo, 0, ZX_OK);
    if (!v->detached)
        port_append(m, (struct model_packet){.vmo = vmo, .complete = 1});
    v->detached = 1;
    for (page = 0; page < v->size; page++)
        v->state[page] = v->state[page] == 'C' || v->state[page] == 'M' ? '.' : v->state[page];
}

void model_reclaim(struct request_model *m, uint64_t count)
{
    uint32_t vmo;
    uint64_t page;

    for (vmo = 0; vmo < MODEL_VMOS; vmo++) {
        for (page = 0; page < m->vmos[vmo].size && count != 0; page++) {
            if (m->vmos[vmo].state[page] != 'C')
                continue;
            m->vmos[vmo].state[page] = '.';
            count--;
        }
    }
}
