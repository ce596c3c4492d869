/* Tasks that share a call. A pack forms while tasks have their turn; its first task makes the call,
 * the others ride with it. What comes back is taken apart; what is missing, doubled or garbled goes
 * again alone. Each task has its part of the tokens and of the cost, in an attempt of its own. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "attempt.h"
#include "common/log.h"
#include "common/match.h"
#include "common/mem.h"
#include "common/units.h"
#include "pack.h"
#include "pipeline_private.h"
#include "sharing.h"

enum { FAILURES_MAX = 2, BYTES_PER_TOKEN = 4, SCOPE_MAX = 2 * TASK_NAME_MAX + 64 };
#define TRY_AGAIN 0.01 /* seconds, while all places for calls are taken */

struct pack {
    UT_hash_handle hh; /* while it forms */
    unsigned char key[CANON_DIGEST];
    struct pipeline *pipeline;
    const struct config_pack_rule *rule;
    struct task *tasks;        /* the first makes the call */
    size_t count, bytes, sent; /* bytes of their bodies, and of the request for all */
    bool called;
    ev_timer timer;
};

/* ---- forming -------------------------------------------------------------------------------- */

static const struct config_pack_rule *rule_of(const struct pipeline *p, const struct task *t)
{
    const struct config_pack_rule *r =
        match_first(&p->config->packing.rules, sizeof *r, &t->doc, t->lane);
    return r && !r->never && !t->alone && pack_fits(&t->doc) ? r : NULL;
}

static bool key_of(const struct task *t, unsigned char key[CANON_DIGEST])
{
    char scope[SCOPE_MAX];
    (void)snprintf(scope, sizeof scope, "%s\x1f%d\x1f%d\x1f%s", t->doc.tenant ? t->doc.tenant : "",
                   t->lane, t->doc.wishes.sensitive, task_candidate(t)->backend);
    return pack_key(&t->doc, scope, task_upstream_model(t), key);
}

static void detach(struct pipeline *p, struct task *t)
{
    struct pack *k = t->pack;
    DL_DELETE2(k->tasks, t, pack_prev, pack_next);
    k->count--;
    k->bytes -= t->doc.body.len;
    t->pack = NULL;
    if (k->tasks)
        return;
    if (!k->called)
        HASH_DEL(p->packs, k);
    ev_timer_stop(p->loop, &k->timer);
    free(k);
}

/* What it holds of limits goes back; if the call is in flight, the one that made it answers for it.
 */
void pipeline_pack_leave(struct pipeline *p, struct task *t)
{
    if (!t->pack)
        return;
    if (t->state == TASK_RIDING)
        quota_transfer(t, t->pack->tasks);
    quota_cancel(t);
    detach(p, t);
    pipeline_share_nothing(p, t);
}

static bool may_start(struct pipeline *p, const struct task *t)
{
    const size_t backend = pipeline_backend(p, t);
    const double now = ev_now(p->loop);
    return p->answer_bytes < p->answer_bytes_max && !limiter_full(&p->limiter) &&
           limiter_may_call(&p->limiter, backend, t->lane, now) &&
           breaker_may_call(&p->breakers[backend], now) &&
           gate_is_open(&p->gates.gate[t->gate], now);
}

/* Its tasks decide anew, one by one. */
static void dissolve(struct pipeline *p, struct pack *k, bool alone)
{
    struct task *t, *next;
    DL_FOREACH_SAFE2 (k->tasks, t, next, pack_next) {
        quota_cancel(t);
        detach(p, t); /* with the last one the pack is gone */
        pipeline_share_nothing(p, t);
        t->alone = t->alone || alone;
        t->waited = t->quota != NULL;
        if (t->partition->revoked) {
            pipeline_drop(p, t);
            continue;
        }
        pipeline_leave(p, t);
        pipeline_ready(p, t);
    }
}

/* Permits are good for a moment, so they are taken now; who gets none waits. False: nobody is left,
 * and the pack is gone. */
static bool admit(struct pipeline *p, struct pack *k)
{
    struct task *t, *next;
    size_t left = k->count, admitted = 0;
    DL_FOREACH_SAFE2 (k->tasks, t, next, pack_next) {
        const struct usage more = {.input = PACK_ITEM_MORE + (admitted ? 0 : PACK_WORDS_MORE),
                                   .output = PACK_ANSWER_MORE};
        const bool good = pipeline_admit_part(p, t, &more);
        admitted += good;
        if (!good && --left == 0)
            return false;
    }
    return true;
}

static void start(struct pipeline *p, struct pack *k)
{
    struct task *first, *t;
    ev_timer_stop(p->loop, &k->timer);
    if (!admit(p, k))
        return;
    if (k->count < 2) {
        dissolve(p, k, true);
        return;
    }
    first = k->tasks;
    if (!pipeline_translate(p, first)) { /* it has gone on by itself; the others do */
        pipeline_pack_leave(p, first);
        dissolve(p, k, true);
        return;
    }
    HASH_DEL(p->packs, k);
    k->called = true;
    k->sent = first->request.len;
    DL_FOREACH2 (k->tasks, t, pack_next)
        if (t != first)
            pipeline_enter(p, t, TASK_RIDING);
    pipeline_enter(p, first, TASK_CALLING);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct pack *k = timer->data;
    (void)events;
    if (may_start(k->pipeline, k->tasks)) {
        start(k->pipeline, k);
        return;
    }
    ev_timer_set(timer, TRY_AGAIN, 0.);
    ev_timer_start(loop, timer);
}

static struct pack *new_pack(struct pipeline *p, const struct config_pack_rule *r,
                             const unsigned char key[CANON_DIGEST])
{
    struct pack *k = mem_zero(sizeof *k);
    memcpy(k->key, key, sizeof k->key);
    k->pipeline = p;
    k->rule = r;
    ev_timer_init(&k->timer, on_timer, (double)r->max_wait / 1000.0, 0.);
    k->timer.data = k;
    ev_timer_start(p->loop, &k->timer);
    HASH_ADD(hh, p->packs, key, sizeof k->key, k);
    return k;
}

bool pipeline_pack(struct pipeline *p, struct task *t)
{
    unsigned char key[CANON_DIGEST];
    struct pack *k;
    const struct config_pack_rule *r = p->config->packing.rules.count ? rule_of(p, t) : NULL;
    if (!r || t->doc.body.len > (size_t)r->max_tokens * BYTES_PER_TOKEN / 2 || !key_of(t, key))
        return false;
    HASH_FIND(hh, p->packs, key, sizeof key, k);
    if (k && k->bytes + t->doc.body.len > (size_t)r->max_tokens * BYTES_PER_TOKEN) {
        start(p, k); /* it is full; another one begins */
        k = NULL;
    }
    if (!k)
        k = new_pack(p, r, key);
    DL_APPEND2(k->tasks, t, pack_prev, pack_next);
    k->count++;
    k->bytes += t->doc.body.len;
    t->pack = k;
    if (t->waited) { /* for a limit: what it was given is soon void; others that go now come along
                      */
        ev_timer_stop(p->loop, &k->timer);
        ev_timer_set(&k->timer, 0., 0.);
        ev_timer_start(p->loop, &k->timer);
    }
    pipeline_enter(p, t, TASK_PACKING);
    if (k->count == (size_t)r->max_items || k->count == PACK_ITEMS_MAX)
        start(p, k);
    return true;
}

bool pipeline_pack_body(const struct task *t, struct buf *out)
{
    struct pack *k = t->pack;
    char mark[20];
    if (!k || k->tasks != t || k->count < 2)
        return false;
    const struct task_doc **docs = mem_array(NULL, k->count, sizeof *docs);
    struct task *member;
    size_t n = 0;
    DL_FOREACH2 (k->tasks, member, pack_next) {
        docs[n++] = &member->doc;
        member->pack_number = n;
    }
    (void)snprintf(mark, sizeof mark, "%08" PRIx32, (uint32_t)random_u64());
    pack_write(docs, n, mark, out);
    free(docs);
    return true;
}

/* ---- answers -------------------------------------------------------------------------------- */

/* By what each sent, and what it was answered. */
static int64_t weigh(const struct task *t, const struct buf *answer)
{
    return (int64_t)(t->doc.body.len + 4 * answer->len) + 1;
}

static void give_attempt(struct task *t, const struct attempt *call, const struct usage *u,
                         int64_t cost)
{
    const uint64_t own = t->attempt_count ? t->attempts[t->attempt_count - 1].token : 0;
    if (own != call->token)
        attempt_begin(t);
    struct attempt *a = &t->attempts[t->attempt_count - 1];
    const uint64_t token = a->token;
    const int number = a->number;
    *a = *call;
    a->token = token;
    a->number = number;
    a->error = NULL;
    a->model = task_upstream_model(t); /* may be a text of the task's own */
    a->pack = call->token;
    a->usage = *u;
    a->cost = cost;
    t->http_status = a->http_status;
}

/* What instructions it would have sent again, had it been alone, as tokens. */
static int64_t tokens_alone(const struct task *t, const struct usage *u, size_t sent, int64_t share)
{
    const int64_t alone =
        sent ? (int64_t)((double)u->input / (double)sent * (double)t->doc.body.len) : 0;
    return alone > share ? alone - share : 0;
}

static void finish_item(struct pipeline *p, struct task *t, struct json answer,
                        const struct buf *text)
{
    struct attempt *a = &t->attempts[t->attempt_count - 1];
    struct buf reply;
    buf_init(&reply, text->len * 6 + 4096);
    pack_reply(answer, text, &a->usage, &reply);
    pipeline_keep_response(p, t, json_root(reply.data, reply.len));
    buf_free(&reply);
    pipeline_reckon(p, t, &a->usage, a->cost);
    if (!pipeline_guard_answer(p, t))
        return;
    (void)pipeline_measure(p, t); /* what was packed is cheap: it is not asked again */
    pipeline_share_answer(p, t);
    pipeline_finish(p, t, STATUS_SUCCEEDED);
}

/* Its answer was missing, doubled or garbled: it is called alone. */
static void try_alone(struct pipeline *p, struct task *t)
{
    struct error why;
    (void)error_set(&why, ERROR_RETRY, "packed_answer",
                    "the answer for several tasks had none for this one");
    attempt_end(&t->attempts[t->attempt_count - 1], &why);
    t->alone = true;
    pipeline_share_nothing(p, t);
    if (t->partition->revoked) {
        t->status = STATUS_NONE;
        pipeline_enter(p, t, TASK_SETTLING);
        return;
    }
    pipeline_leave(p, t);
    pipeline_ready(p, t);
}

struct part {
    struct task *task;
    struct buf text;
    bool good;
    int64_t from, to; /* its stretch of the weights */
};

static size_t read_parts(struct pack *k, struct json answer, struct part *parts)
{
    struct pack_answer whole;
    struct task *t;
    size_t n = 0;
    int64_t sum = 0;
    pack_read(answer, &whole);
    DL_FOREACH2 (k->tasks, t, pack_next) {
        struct part *x = &parts[n++];
        x->task = t;
        buf_init(&x->text, PACK_TEXT_MAX);
        x->good = pack_item(&whole, t->pack_number, &x->text);
        x->from = sum;
        x->to = sum += weigh(t, &x->text);
    }
    pack_answer_free(&whole);
    return n;
}

void pipeline_unpack(struct pipeline *p, struct task *first)
{
    struct pack *k = first->pack;
    struct attempt call = first->attempts[first->attempt_count - 1];
    char *text = mem_copy(first->response, first->response_len);
    struct json answer = json_root(text, first->response_len);
    struct part *parts = mem_array(NULL, k->count, sizeof *parts);
    const size_t sent = k->sent;
    const size_t n = read_parts(k, answer, parts);
    const int64_t whole = parts[n - 1].to;
    size_t garbled = 0;
    for (size_t i = 0; i < n; i++) {
        struct task *t = parts[i].task;
        const int64_t from = parts[i].from, to = parts[i].to;
        const struct usage u = pack_usage(&call.usage, from, to, whole);
        const int64_t cost = call.cost < 0 ? -1 : pack_share(call.cost, from, to, whole);
        give_attempt(t, &call, &u, cost);
        quota_end(t, t->attempts[t->attempt_count - 1].token, u.input + u.output, cost);
        pipeline_packed(t, tokens_alone(t, &call.usage, sent, u.input));
        detach(p, t);
        if (pipeline_cancelled(p, t) && !pipeline_cancelled(p, t)->lets_finish)
            pipeline_finish_cancelled(p, t);
        else if (parts[i].good)
            finish_item(p, t, answer, &parts[i].text);
        else
            try_alone(p, t);
        garbled += !parts[i].good;
        buf_free(&parts[i].text);
    }
    if (garbled)
        log_debug("parts of a shared answer are called alone", LOG_N("tasks", n),
                  LOG_N("alone", garbled));
    free(parts);
    free(text);
}

/* The call failed, and the first task goes on with that. The others try again, together if it may
 * pass; alone if one of them may be the reason, or if it has happened before. If nobody knows what
 * it cost, it counts with the bounds of them all. */
void pipeline_pack_failed(struct pipeline *p, struct task *first, bool passes)
{
    struct pack *k = first->pack;
    struct task *t;
    if (!k)
        return;
    const bool others = k->count > 1;
    const struct attempt *call = &first->attempts[first->attempt_count - 1];
    DL_FOREACH2 (k->tasks, t, pack_next)
        if (t != first && call->cost < 0)
            quota_end(t, call->token, -1, -1);
    DL_FOREACH2 (k->tasks, t, pack_next)
        t->alone = t->alone || ++t->pack_failures >= FAILURES_MAX;
    first->alone = first->alone || !passes;
    detach(p, first);
    if (others)
        dissolve(p, k, !passes); // NOLINT(clang-analyzer-unix.Malloc): detach() left others in it
}

double pipeline_pack_estimate(const struct task *t)
{
    enum { USUAL_ANSWER = 64 };
    return (double)t->pack->bytes / BYTES_PER_TOKEN + (double)t->pack->count * USUAL_ANSWER;
}
