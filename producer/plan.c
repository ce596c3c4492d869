#include "plan.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "common/prices.h"
#include "common/route.h"
#include "common/task_doc.h"
#include "ids.h"

enum { BYTES_PER_TOKEN = 4, OUTPUT_GUESS = 256, OUTPUT_MOST = 10000000 };

static struct wishes wishes_of(const struct submission *s, const struct input_item *item)
{
    struct wishes w = item->wishes;
    w.timeout_ms = w.timeout_ms ? w.timeout_ms : s->wishes.timeout_ms;
    w.complexity = w.complexity ? w.complexity : s->wishes.complexity;
    w.sensitive = w.sensitive || s->wishes.sensitive;
    w.no_cache = w.no_cache || s->wishes.no_cache;
    return w;
}

struct task_doc plan_doc(const struct submission *s, const struct uuid *job,
                         const struct input_item *item)
{
    return (struct task_doc){.job_id = *job,
                             .custom_id = (char *)(uintptr_t)item->custom_id,
                             .url = (char *)(uintptr_t)item->url,
                             .tenant = (char *)(uintptr_t)(item->tenant ? item->tenant : s->tenant),
                             .user = (char *)(uintptr_t)(item->user ? item->user : s->user),
                             .feature =
                                 (char *)(uintptr_t)(item->feature ? item->feature : s->feature),
                             .job = (char *)(uintptr_t)s->job,
                             .deadline_us = s->deadline_us,
                             .wishes = wishes_of(s, item),
                             .body = item->body};
}

quern_status plan_record(const struct submission *s, const struct uuid *job,
                         const struct input_item *item, struct buf *out, struct error *err)
{
    struct json model;
    if (task_id_check(item->custom_id, item->id_len, err) != QUERN_OK)
        return QUERN_FAIL;
    if (!task_url_known(item->url))
        return error_set(err, ERROR_PERMANENT, "invalid_url", "url \"%s\" is unknown; known are %s",
                         item->url, task_url_list());
    if (task_body_check(item->body, &model, err) != QUERN_OK)
        return QUERN_FAIL;
    struct task_doc doc = plan_doc(s, job, item);
    if (task_name_check("tenant", doc.tenant, err) != QUERN_OK ||
        task_name_check("user", doc.user, err) != QUERN_OK ||
        task_name_check("feature", doc.feature, err) != QUERN_OK)
        return QUERN_FAIL;
    buf_clear(out);
    task_doc_write(&doc, out);
    if (!out->overflow)
        return QUERN_OK;
    return error_set(err, ERROR_PERMANENT, "line_too_long",
                     "the task is longer than submit.record_max (%zu bytes)", out->max);
}

struct reading {
    struct plan *plan;
    const struct config *config;
    const struct price_table *prices;
    const struct submission *submission;
    struct ids *ids;
    EVP_MD_CTX *hash;
    struct buf record;
};

/* What the task would cost at its first candidate; -1: there is no price. Before the job has its
 * id, shares of traffic fall otherwise than they will. */
static int64_t cost_of(const struct config *c, const struct price_table *prices,
                       const struct task_doc *d, int lane, struct usage u)
{
    struct route_ask ask;
    route_ask(d, lane, NULL, &ask);
    const struct config_model *m = route_find(c, &ask);
    size_t i = m ? route_candidate(c, m, 0, d->wishes.sensitive) : 0;
    const struct config_candidate *k = m ? m->candidates.items : NULL;
    const bool known = m && i < m->candidates.count;
    const struct config_backend *b = known ? config_backend_find(c, k[i].backend) : NULL;
    const struct price *p = prices_find(prices, b, known && k[i].model ? k[i].model : d->model);
    return p ? prices_cost(p, b, u) : -1;
}

struct usage plan_estimate(struct json body)
{
    int64_t max = OUTPUT_GUESS;
    if (!json_int64(json_get(body, "max_completion_tokens"), &max))
        (void)json_int64(json_get(body, "max_tokens"), &max);
    max = max < 0 ? 0 : max > OUTPUT_MOST ? OUTPUT_MOST : max;
    return (struct usage){.input = (int64_t)body.len / BYTES_PER_TOKEN, .output = max};
}

static void estimate(const struct reading *r, const struct input_item *item)
{
    static const struct uuid nobody;
    struct plan *p = r->plan;
    struct task_doc d = plan_doc(r->submission, &nobody, item);
    const struct usage u = plan_estimate(d.body);
    d.model = json_string_dup(json_get(d.body, "model"));
    const int64_t cost = cost_of(r->config, r->prices, &d, r->submission->lane, u);
    free(d.model);
    p->input_tokens += u.input;
    p->output_tokens += u.output;
    if (cost > 0 && __builtin_add_overflow(p->cost, cost, &p->cost))
        p->cost = INT64_MAX;
    p->unpriced += cost < 0;
}

static void complain(struct plan *p, const struct config *c, const struct input_item *item,
                     const struct error *err)
{
    p->errors++;
    if (p->errors <= c->submit.errors_max)
        (void)fprintf(stderr, "%s:%lld: %s\n", item->file, (long long)item->line, err->message);
}

static quern_status check_item(struct reading *r, const struct input_item *item, struct error *err)
{
    static const struct uuid nobody;
    int64_t first = ids_add(r->ids, item->custom_id, item->id_len, item->line);
    if (first)
        return error_set(err, ERROR_PERMANENT, "duplicate_custom_id",
                         "custom_id \"%.*s\" is there already, in line %lld", (int)item->id_len,
                         item->custom_id, (long long)first);
    if (plan_record(r->submission, &nobody, item, &r->record, err) != QUERN_OK)
        return QUERN_FAIL;
    (void)EVP_DigestUpdate(r->hash, r->record.data, r->record.len);
    r->plan->tasks++;
    r->plan->bytes += (int64_t)r->record.len;
    estimate(r, item);
    return QUERN_OK;
}

static quern_status read_all(struct reading *r, struct input *in, struct error *err)
{
    struct input_item item;
    for (;;) {
        if (cli_interrupted)
            return error_set(err, ERROR_PERMANENT, "interrupted", "interrupted; nothing was sent");
        enum input_result result = in->ops->next(in, &item, err);
        if (result == INPUT_END)
            return QUERN_OK;
        if (result == INPUT_FAILED && item.file)
            return error_prefix(err, "%s:%lld", item.file, (long long)item.line);
        if (result == INPUT_BAD || check_item(r, &item, err) != QUERN_OK)
            complain(r->plan, r->config, &item, err);
        if (r->plan->errors >= r->config->submit.errors_max)
            return error_set(err, ERROR_PERMANENT, "invalid_input",
                             "%lld mistakes, and the reading stopped there "
                             "(submit.errors_max); nothing was sent",
                             (long long)r->plan->errors);
    }
}

static void finish_digest(struct reading *r)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    (void)EVP_DigestFinal_ex(r->hash, hash, &len);
    for (unsigned i = 0; i < len && i < (DIGEST_TEXT - 1) / 2; i++)
        (void)snprintf(r->plan->digest + (size_t)2 * i, 3, "%02x", hash[i]);
}

quern_status plan_read(struct input *in, const struct submission *s, struct config *c,
                       struct plan *out, struct error *err)
{
    *out = (struct plan){0};
    struct price_table *prices = prices_load(c, err);
    if (!prices)
        return QUERN_FAIL;
    struct submission lasting = *s;
    lasting.deadline_us = 0; /* "8h from now" is another moment at each run of the same command */
    struct reading r = {out, c, prices, &lasting, ids_new(), EVP_MD_CTX_new(), {0}};
    buf_init(&r.record, (size_t)c->submit.record_max);
    (void)EVP_DigestInit_ex(r.hash, EVP_sha256(), NULL);
    quern_status status = read_all(&r, in, err);
    finish_digest(&r);
    EVP_MD_CTX_free(r.hash);
    ids_free(r.ids);
    buf_free(&r.record);
    price_table_free(prices);
    if (status == QUERN_OK && out->errors)
        status = error_set(err, ERROR_PERMANENT, "invalid_input",
                           "%lld mistake%s in the input; nothing was sent", (long long)out->errors,
                           out->errors == 1 ? "" : "s");
    if (status == QUERN_OK && out->tasks == 0)
        status = error_set(err, ERROR_PERMANENT, "invalid_input",
                           "the input holds no task; nothing was sent");
    return status;
}
