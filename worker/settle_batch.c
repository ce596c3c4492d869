#include "settle_batch.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cached.h"
#include "common/failpoint.h"
#include "common/mem.h"
#include "settle_saved.h"
#include "sharing.h"

static const enum pg_type published_type = PG_INT8;

/* Every set of rows of a batch: where its columns are, what they are. */
static const struct rows {
    size_t offset;
    const enum pg_type *types;
    int columns;
} sets[] = {
    {offsetof(struct batch, results), result_types, R_COLUMNS},
    {offsetof(struct batch, attempts), attempt_types, A_COLUMNS},
    {offsetof(struct batch, unreadable), unreadable_types, U_COLUMNS},
    {offsetof(struct batch, letters), letter_types, L_COLUMNS},
    {offsetof(struct batch, parked), parked_types, P_COLUMNS},
    {offsetof(struct batch, savings), saving_types, S_COLUMNS},
    {offsetof(struct batch, kept), kept_types, K_COLUMNS},
    {offsetof(struct batch, charges), charge_types, C_COLUMNS},
    {offsetof(struct batch, events), event_types, E_COLUMNS},
    {offsetof(struct batch, quality), quality_types, Q_COLUMNS},
    {offsetof(struct batch, published_ids), &published_type, 1},
};
enum { SETS = sizeof sets / sizeof *sets };

static struct pgarray *columns_of(struct batch *b, int set)
{
    return (struct pgarray *)((char *)b + sets[set].offset);
}

void batch_init(struct batch *b, size_t max, size_t entry_max)
{
    *b = (struct batch){.max = max, .entry_max = entry_max};
    b->tasks = mem_array(NULL, max, sizeof(struct task *));
    b->letter_tasks = mem_array(NULL, max, sizeof(struct task *));
    b->parked_tasks = mem_array(NULL, max, sizeof(struct task *));
}

static void clear(struct batch *b)
{
    for (int i = 0; i < SETS; i++)
        for (int k = 0; k < sets[i].columns; k++)
            pgarray_free(&columns_of(b, i)[k]);
}

void batch_free(struct batch *b)
{
    clear(b);
    free(b->tasks);
    free(b->letter_tasks);
    free(b->parked_tasks);
}

void batch_begin(struct batch *b, bool all_letters)
{
    clear(b);
    b->all_letters = all_letters;
    b->count = b->bytes = b->published_count = 0;
    for (int i = 0; i < SETS; i++)
        for (int k = 0; k < sets[i].columns; k++)
            pgarray_init(&columns_of(b, i)[k], sets[i].types[k]);
}

bool batch_full(const struct batch *b)
{
    return b->count == b->max || b->bytes >= BATCH_BYTES_MAX;
}

/* Sums of two sums still fit. */
static void add(int64_t *sum, int64_t v)
{
    const int64_t most = INT64_MAX / 4;
    if (v > 0)
        *sum = v > most - *sum ? most : *sum + v;
}

static struct spent sum_attempts(const struct task *t)
{
    struct spent s = t->before;
    if (s.started_us == 0 && t->attempt_count)
        s.started_us = t->attempts[0].started_us;
    for (size_t i = 0; i < t->attempt_count; i++) {
        const struct attempt *a = &t->attempts[i];
        add(&s.usage.input, a->usage.input);
        add(&s.usage.cached, a->usage.cached);
        add(&s.usage.output, a->usage.output);
        add(&s.usage.reasoning, a->usage.reasoning);
        add(&s.cost, a->cost);
        s.unpriced = s.unpriced || a->cost < 0;
    }
    return s;
}

static void add_identity(struct pgarray *r, const struct task *t)
{
    const struct task_doc *d = &t->doc;
    pgarray_uuid(&r[R_JOB_ID], &d->job_id);
    pgarray_text(&r[R_CUSTOM_ID], d->custom_id);
    pgarray_number(&r[R_GENERATION], d->generation);
    pgarray_text(&r[R_STATUS], task_status_names[t->status]);
    pgarray_text(&r[R_LANE], lane_names[t->lane]);
    pgarray_text(&r[R_TENANT], d->tenant);
    pgarray_text(&r[R_USER], d->user);
    pgarray_text(&r[R_FEATURE], d->feature);
    pgarray_text(&r[R_MODEL], d->model);
}

static void add_result(struct pgarray *r, const struct task *t)
{
    struct spent s = sum_attempts(t);
    const struct attempt *last = task_last_attempt(t);
    const struct borrowed *other = batch_borrowed(t);
    add_identity(r, t);
    pgarray_text(&r[R_BACKEND], other ? other->backend : last ? last->backend : NULL);
    pgarray_text(&r[R_UPSTREAM_MODEL], other ? other->model : last ? last->model : NULL);
    pgarray_text(&r[R_SOURCE], other ? answer_source_names[t->sharing->source] : NULL);
    pgarray_text(&r[R_ANSWER_OF], other ? other->answer_of : NULL);
    pgarray_number_or_null(&r[R_HTTP_STATUS], t->http_status, t->http_status > 0);
    if (t->response)
        pgarray_bytes(&r[R_RESPONSE], t->response, t->response_len);
    else
        pgarray_null(&r[R_RESPONSE]);
    bool whole = t->status == STATUS_SUCCEEDED; /* a degraded one says what went wrong */
    pgarray_text(&r[R_ERROR_TYPE], whole ? NULL : t->error.code);
    pgarray_text(&r[R_ERROR], whole ? NULL : t->error.message);
    pgarray_number(&r[R_ATTEMPTS], t->journey.attempts + (int64_t)t->attempt_count);
    pgarray_number(&r[R_INPUT], s.usage.input);
    pgarray_number(&r[R_CACHED], s.usage.cached);
    pgarray_number(&r[R_OUTPUT], s.usage.output);
    pgarray_number(&r[R_REASONING], s.usage.reasoning);
    pgarray_number_or_null(&r[R_COST], s.cost, !s.unpriced);
    pgarray_time(&r[R_STARTED], s.started_us);
    pgarray_time(&r[R_FINISHED], t->finished_us);
}

static void add_attempt(struct pgarray *a, const struct task *t, const struct attempt *x)
{
    pgarray_uuid(&a[A_JOB_ID], &t->doc.job_id);
    pgarray_text(&a[A_CUSTOM_ID], t->doc.custom_id);
    pgarray_number(&a[A_TOKEN], (int64_t)x->token);
    pgarray_number(&a[A_GENERATION], t->doc.generation);
    pgarray_number(&a[A_NUMBER], x->number);
    pgarray_text(&a[A_BACKEND], x->backend);
    pgarray_text(&a[A_MODEL], x->model);
    pgarray_number_or_null(&a[A_HTTP_STATUS], x->http_status, x->http_status > 0);
    pgarray_text(&a[A_ERROR_TYPE], x->error ? x->error_type : NULL);
    pgarray_text(&a[A_ERROR], x->error);
    pgarray_number(&a[A_INPUT], x->usage.input);
    pgarray_number(&a[A_CACHED], x->usage.cached);
    pgarray_number(&a[A_CACHE_WRITE], x->usage.cache_write);
    pgarray_number(&a[A_OUTPUT], x->usage.output);
    pgarray_number(&a[A_REASONING], x->usage.reasoning);
    pgarray_number_or_null(&a[A_COST], x->cost, x->cost >= 0);
    pgarray_time(&a[A_STARTED], x->started_us);
    pgarray_number(&a[A_DURATION], x->duration_ms);
    pgarray_number_or_null(&a[A_FIRST_TOKEN], x->first_token_ms, x->first_token_ms >= 0);
    pgarray_text(&a[A_PRICE_VERSION], x->price_version);
    pgarray_text(&a[A_ASKED], t->doc.model);
    pgarray_number(&a[A_CACHE_WRITE_1H], x->usage.cache_write_1h);
    pgarray_text(&a[A_SERVICE_TIER], x->usage.tier ? price_tier_names[x->usage.tier] : NULL);
    pgarray_number_or_null(&a[A_PACK], (int64_t)x->pack, x->pack != 0);
    pgarray_text(&a[A_TENANT], t->doc.tenant);
    pgarray_text(&a[A_USER], t->doc.user);
    pgarray_text(&a[A_FEATURE], t->doc.feature);
    pgarray_text(&a[A_LANE], lane_names[t->lane]);
}

static void add_unreadable(struct pgarray *u, const struct task *t)
{
    pgarray_text(&u[U_REASON], t->error.code);
    pgarray_text(&u[U_ERROR], t->error.message);
    pgarray_text(&u[U_TOPIC], t->partition->topic);
    pgarray_number(&u[U_PARTITION], t->partition->number);
    pgarray_number(&u[U_OFFSET], t->offset);
    pgarray_bytes(&u[U_RECORD], t->record, t->record_len);
}

static void add_letter(struct batch *b, struct task *t)
{
    struct pgarray *l = b->letters;
    bool written = task_status_is_final(t->status) && !task_status_is_success(t->status);
    b->letter_tasks[l[0].count] = t;
    pgarray_uuid(&l[L_JOB_ID], &t->doc.job_id);
    pgarray_text(&l[L_CUSTOM_ID], t->doc.custom_id);
    pgarray_number(&l[L_GENERATION], t->doc.generation);
    pgarray_text(&l[L_STATUS], task_status_names[t->status]);
    pgarray_text(&l[L_LANE], lane_names[t->lane]);
    pgarray_number(&l[L_ATTEMPTS], t->journey.attempts + (int64_t)t->attempt_count);
    pgarray_text(&l[L_REASON], t->error.code);
    pgarray_text(&l[L_ERROR], t->error.message);
    pgarray_text(&l[L_TENANT], t->doc.tenant);
    pgarray_text(&l[L_TOPIC], t->partition->topic);
    pgarray_number(&l[L_PARTITION], t->partition->number);
    pgarray_number(&l[L_OFFSET], t->offset);
    size_t len;
    const char *record = task_kept_record(t, &len);
    if (written)
        pgarray_bytes(&l[L_RECORD], record, len);
    else
        pgarray_null(&l[L_RECORD]);
}

static void add_parked(struct batch *b, struct task *t)
{
    struct pgarray *p = b->parked;
    const struct journey *c = &t->copy;
    b->parked_tasks[p[0].count] = t;
    pgarray_uuid(&p[P_JOB_ID], &t->doc.job_id);
    pgarray_text(&p[P_CUSTOM_ID], t->doc.custom_id);
    pgarray_number(&p[P_GENERATION], t->doc.generation);
    pgarray_number(&p[P_SEQ], c->seq);
    pgarray_text(&p[P_LANE], lane_names[t->lane]);
    pgarray_number(&p[P_ROUNDS], c->rounds);
    pgarray_number(&p[P_ATTEMPTS], c->attempts);
    pgarray_time(&p[P_DUE], c->due_ms * 1000);
    pgarray_time(&p[P_FIRST_SEEN], c->first_seen_ms * 1000);
    pgarray_text(&p[P_REASON], t->error.code);
    pgarray_text(&p[P_ERROR], t->error.message);
    size_t len;
    const char *record = task_kept_record(t, &len);
    pgarray_bytes(&p[P_RECORD], record, len);
}

static void add_readable(struct batch *b, struct task *t)
{
    if (task_status_is_final(t->status))
        add_result(b->results, t);
    else if (t->status == STATUS_PARKED)
        add_parked(b, t);
    batch_add_shared(b, t);
    for (size_t i = 0; i < t->attempt_count && !FAILPOINT("plant-books-missing"); i++)
        add_attempt(b->attempts, t, &t->attempts[i]);
    batch_add_charges(b, t);
    batch_add_events(b, t);
    batch_add_quality(b, t);
    if (t->status != STATUS_NONE && (!task_status_is_success(t->status) || b->all_letters))
        add_letter(b, t);
}

void batch_add(struct batch *b, struct task *t)
{
    b->bytes += t->response_len + t->record_len;
    b->tasks[b->count++] = t;
}

/* By job and custom_id, as the statement needs them; what could not be read comes last. */
static int compare(const void *left, const void *right)
{
    const struct task *a = *(struct task *const *)left, *b = *(struct task *const *)right;
    if (!a->readable || !b->readable)
        return (int)b->readable - (int)a->readable;
    int order = memcmp(a->doc.job_id.bytes, b->doc.job_id.bytes, sizeof a->doc.job_id.bytes);
    return order ? order : strcmp(a->doc.custom_id, b->doc.custom_id);
}

void batch_close(struct batch *b)
{
    qsort(b->tasks, b->count, sizeof *b->tasks, compare);
    for (size_t i = 0; i < b->count; i++) {
        if (b->tasks[i]->readable)
            add_readable(b, b->tasks[i]);
        else
            add_unreadable(b->unreadable, b->tasks[i]);
    }
}

void batch_published(struct batch *b, const int64_t *ids, size_t count)
{
    for (size_t i = 0; i < count && i < BATCH_PUBLISHED_MAX; i++) {
        b->published[b->published_count++] = ids[i];
        pgarray_number(&b->published_ids, ids[i]);
    }
}

static void finish(struct batch *b)
{
    for (int i = 0; i < SETS; i++)
        for (int k = 0; k < sets[i].columns; k++)
            pgarray_finish(&columns_of(b, i)[k]);
}

static void bind_all(struct pglink_query *q, const struct pgarray *arrays, int n)
{
    for (int i = 0; i < n; i++) {
        q->values[q->count] = arrays[i].bytes.data;
        q->lengths[q->count++] = (int)arrays[i].bytes.len;
    }
}

static struct pglink_query query_of(const char *name, const struct pgarray *arrays, int n)
{
    struct pglink_query q = {.name = name};
    bind_all(&q, arrays, n);
    return q;
}

/* The places of statements whose answers are read; from Q_UNREADABLE on they are not there every
 * time. */
enum { Q_HOLD, Q_SETTLE, Q_UNREADABLE, Q_LETTERS, Q_PARK, Q_PUBLISHED, Q_PARKED_PUBLISHED, Q_MORE };

static size_t add_rare(struct batch *b, struct pglink_query *q)
{
    if (!b->rare)
        return Q_UNREADABLE;
    q[Q_UNREADABLE] = query_of("unreadable", b->unreadable, U_COLUMNS);
    q[Q_LETTERS] = query_of("letters", b->letters, LETTER_KEY);
    q[Q_PARK] = query_of("park", b->parked, P_COLUMNS);
    q[Q_PUBLISHED] = query_of("published", &b->published_ids, 1);
    q[Q_PARKED_PUBLISHED] = query_of("parked_published", &b->published_ids, 1);
    return Q_MORE;
}

static size_t add_savings(struct batch *b, struct pglink_query *q)
{
    size_t n = 0;
    if (b->savings[0].count)
        q[n++] = query_of("savings", b->savings, S_COLUMNS);
    if (b->charges[0].count)
        q[n++] = query_of("charge", b->charges, C_COLUMNS);
    if (b->quality[0].count)
        q[n++] = query_of("quality", b->quality, Q_COLUMNS);
    if (b->events[0].count)
        q[n++] = query_of("events", b->events, E_COLUMNS);
    if (b->kept[0].count) {
        q[n] = query_of("keep", b->kept, K_COLUMNS);
        q[n].values[q[n].count] = cached_owner();
        q[n].lengths[q[n].count++] = (int)strlen(cached_owner());
        n++;
    }
    return n;
}

void batch_run(struct batch *b, struct pglink *link)
{
    enum { SAVINGS = 5 };
    struct pglink_query q[Q_MORE + SAVINGS];
    finish(b);
    q[Q_HOLD] = query_of("hold", b->results, RESULT_KEY);
    q[Q_SETTLE] = query_of("settle", b->results, R_COLUMNS);
    bind_all(&q[Q_SETTLE], b->attempts, A_COLUMNS);
    bind_all(&q[Q_SETTLE], b->letters, L_COLUMNS);
    b->rare =
        b->unreadable[0].count || b->letters[0].count || b->parked[0].count || b->published_count;
    size_t n = add_rare(b, q);
    n += add_savings(b, &q[n]);
    pglink_run(link, q, n);
}

static bool came_from(const struct task *t, const PGresult *r, int row)
{
    return !t->readable && t->offset == pglink_int8(r, row, 2) &&
           t->partition->number == pglink_int4(r, row, 1) &&
           strlen(t->partition->topic) == (size_t)PQgetlength(r, row, 0) &&
           memcmp(t->partition->topic, PQgetvalue(r, row, 0), strlen(t->partition->topic)) == 0;
}

static void read_unreadable(struct batch *b, const PGresult *r)
{
    for (int row = 0; row < PQntuples(r); row++)
        for (size_t i = 0; i < b->count; i++)
            if (came_from(b->tasks[i], r, row) && !PQgetvalue(r, row, 4)[0])
                b->tasks[i]->publication_id = pglink_int8(r, row, 3);
}

/* Another worker had this task too, and its failure was written first: that is the outcome, and the
 * letter is to be published by whoever still can. */
static void lose_to_failure(struct task *t)
{
    if (task_status_is_final(t->status) && !task_status_is_success(t->status))
        return;
    (void)error_set(&t->error, ERROR_PERMANENT, "failed", "it failed elsewhere; see its result");
    t->status = STATUS_FAILED;
}

static void read_letters(struct batch *b, const PGresult *r)
{
    for (int row = 0; row < PQntuples(r); row++) {
        int64_t n = pglink_int8(r, row, 0) - 1;
        if (n < 0 || n >= b->letters[0].count)
            continue;
        struct task *t = b->letter_tasks[n];
        t->publication_id = pglink_int8(r, row, 1);
        lose_to_failure(t);
    }
}

static void read_parked(struct batch *b, const PGresult *r)
{
    for (int row = 0; row < PQntuples(r); row++) {
        int64_t n = pglink_int8(r, row, 0) - 1;
        if (n >= 0 && n < b->parked[0].count)
            b->parked_tasks[n]->publication_id = pglink_int8(r, row, 1);
    }
}

int64_t batch_lost(const struct batch *b, const struct pglink_reply *r)
{
    return b->all_letters ? 0 : b->results[0].count - pglink_int8(r->results[Q_SETTLE], 0, 0);
}

bool batch_lost_some(const struct batch *b, const struct pglink_reply *r)
{
    return batch_lost(b, r) > 0;
}

void batch_read(struct batch *b, const struct pglink_reply *r)
{
    if (!b->rare)
        return;
    read_unreadable(b, r->results[Q_UNREADABLE]);
    read_letters(b, r->results[Q_LETTERS]);
    read_parked(b, r->results[Q_PARK]);
}
