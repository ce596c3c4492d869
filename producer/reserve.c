#include "reserve.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "cli.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/units.h"

enum { SUBJECTS_MAX = 100000, ARRAY_MAX = 64 << 20 };

/* What the job asks of one limit and subject. */
struct claim {
    UT_hash_handle hh;
    char *key;
    const struct limit_rule *rule;
    const char *subject; /* in the key */
    int64_t units;
};

struct claims {
    struct limit_rule *rules;
    size_t count;
    struct claim *by_key;
};

static void free_claims(struct claims *cs)
{
    struct claim *c, *next;
    HASH_ITER (hh, cs->by_key, c, next) {
        HASH_DEL(cs->by_key, c); // NOLINT(clang-analyzer-unix.Malloc): c is not freed yet
        free(c->key);
        free(c);
    }
    limit_rules_free(cs->rules, cs->count);
}

static quern_status read_rules(PGconn *db, struct claims *cs, struct error *err)
{
    PGresult *r = pg_query(db, LIMIT_RULES_SQL("on_limit = 'reject'"), 0, NULL, err);
    if (!r)
        return QUERN_FAIL;
    cs->rules = limit_rules_read(r, &cs->count);
    PQclear(r);
    return QUERN_OK;
}

static quern_status add_units(struct claims *cs, const struct limit_rule *r,
                              const struct task_doc *d, int lane, struct error *err)
{
    char id[UUID_TEXT_LEN + 1];
    char *key = mem_format("%s\x1f%s", r->name, limit_subject(r, d, lane, id));
    const struct usage u = plan_estimate(d->body);
    struct claim *c;
    HASH_FIND_STR(cs->by_key, key, c);
    if (!c && HASH_COUNT(cs->by_key) == SUBJECTS_MAX) {
        free(key);
        return error_set(err, ERROR_PERMANENT, "invalid_input",
                         "limit \"%s\" has more than %d subjects in this job; submit it in parts",
                         r->name, SUBJECTS_MAX);
    }
    if (!c) {
        c = mem_zero(sizeof *c);
        *c = (struct claim){.key = key, .rule = r, .subject = key + strlen(r->name) + 1};
        HASH_ADD_KEYPTR(hh, cs->by_key, c->key, strlen(c->key), c);
    } else {
        free(key);
    }
    c->units += r->kind == LIMIT_TOKENS ? u.input + u.output : 1;
    return QUERN_OK;
}

static quern_status count_units(struct claims *cs, struct input *in, const struct submission *s,
                                const struct job *job, struct error *err)
{
    struct input_item item;
    enum input_result got;
    if (in->ops->rewind(in, err) != QUERN_OK)
        return QUERN_FAIL;
    while ((got = in->ops->next(in, &item, err)) == INPUT_ITEM && !cli_interrupted) {
        struct task_doc d = plan_doc(s, &job->id, &item);
        const struct limit_rule *r;
        quern_status status = QUERN_OK;
        size_t at = 0;
        d.model = json_string_dup(json_get(d.body, "model"));
        while (status == QUERN_OK &&
               (r = limit_next(cs->rules, cs->count, &at, &d, s->lane)) != NULL)
            status = add_units(cs, r, &d, s->lane, err);
        free(d.model);
        if (status != QUERN_OK)
            return status;
    }
    return got == INPUT_END || cli_interrupted ? QUERN_OK : QUERN_FAIL;
}

/* One element of a PostgreSQL array, as text. */
static void add_element(struct buf *out, const char *text)
{
    buf_str(out, out->len ? "," : "{");
    buf_json(out, text, strlen(text)); /* escapes of " and \ are the same */
}

static const char *unit_of(const struct limit_rule *r)
{
    return r->kind == LIMIT_TOKENS    ? "tokens"
           : r->kind == LIMIT_PENDING ? "pending tasks"
                                      : "requests";
}

/* "limit "per-user" (10 requests in 1m, user "bob"): 8 are in use, and …" */
static quern_status refused(PGresult *r, const struct claim *c, struct error *err)
{
    const int64_t used = strtoll(PQgetvalue(r, 0, 1), NULL, 10);
    const int64_t amount = strtoll(PQgetvalue(r, 0, 2), NULL, 10);
    const int64_t wait = strtoll(PQgetvalue(r, 0, 3), NULL, 10);
    char span[UNITS_TEXT_MAX + 8] = "", subject[TASK_NAME_MAX + 32] = "", when[96],
                               text[UNITS_TEXT_MAX];
    if (c->rule->span[0])
        (void)snprintf(span, sizeof span, " in %s",
                       units_format_duration(strtoll(c->rule->span, NULL, 10), text));
    if (c->rule->per != AXIS_ALL)
        (void)snprintf(subject, sizeof subject, ", %s \"%s\"", limit_axis_names[c->rule->per],
                       c->subject);
    if (wait < 0)
        (void)snprintf(when, sizeof when, "submit it in parts, or ask for a higher limit");
    else if (wait == 0)
        (void)snprintf(when, sizeof when, "try again when some of them are done");
    else
        (void)snprintf(when, sizeof when, "try again in %" PRId64 " s", (wait + 999999) / 1000000);
    return error_set(err, ERROR_PERMANENT, "limit_reached",
                     "limit \"%s\" (%" PRId64 " %s%s%s): %" PRId64 " are in use and this job has "
                     "%" PRId64 ": %s; nothing was sent",
                     c->rule->name, amount, unit_of(c->rule), span, subject, used, c->units, when);
}

static quern_status ask(PGconn *db, const struct config *c, const struct claims *cs,
                        const struct job *job, struct error *err)
{
    struct buf names, subjects, units;
    struct claim *claim, *next, **order = mem_array(NULL, HASH_COUNT(cs->by_key), sizeof *order);
    char number[32];
    size_t n = 0;
    buf_init(&names, ARRAY_MAX);
    buf_init(&subjects, ARRAY_MAX);
    buf_init(&units, ARRAY_MAX);
    HASH_ITER (hh, cs->by_key, claim, next) {
        order[n++] = claim;
        add_element(&names, claim->rule->name);
        add_element(&subjects, claim->subject);
        (void)snprintf(number, sizeof number, "%" PRId64, claim->units);
        add_element(&units, number);
    }
    buf_char(&names, '}');
    buf_char(&subjects, '}');
    buf_char(&units, '}');
    const char *const values[] = {job->id_text, c->limits.time_zone, names.data, subjects.data,
                                  units.data};
    PGresult *r = pg_query(
        db, "SELECT n, used, amount, wait FROM limits_reserve($1, $2, $3, $4, $5)", 5, values, err);
    quern_status status = r ? QUERN_OK : QUERN_FAIL;
    if (r && PQntuples(r) == 1)
        status = refused(r, order[strtoll(PQgetvalue(r, 0, 0), NULL, 10) - 1], err);
    PQclear(r);
    buf_free(&names);
    buf_free(&subjects);
    buf_free(&units);
    free(order);
    return status;
}

/* It has no tasks: nobody shall wait for it. */
static void forget_job(PGconn *db, const struct job *job)
{
    struct error ignored; /* the refusal is what matters */
    const char *const values[] = {job->id_text};
    if (pg_exec(db, "DELETE FROM jobs WHERE id = $1 AND published = 0 AND closed_at IS NULL", 1,
                values, &ignored) != QUERN_OK)
        (void)fprintf(stderr, "quern: job \"%s\" stays, empty: %s\n", job->name, ignored.message);
}

quern_status reserve(PGconn *db, const struct config *c, struct input *in,
                     const struct submission *s, const struct job *job, struct error *err)
{
    struct claims cs = {0};
    struct submission named = *s;
    named.job = job->name;
    quern_status status = read_rules(db, &cs, err);
    if (status == QUERN_OK && cs.count)
        status = count_units(&cs, in, &named, job, err);
    if (status == QUERN_OK && cs.by_key && !cli_interrupted)
        status = ask(db, c, &cs, job, err);
    if (status != QUERN_OK && strcmp(err->code, "limit_reached") == 0)
        forget_job(db, job);
    free_claims(&cs);
    return status;
}
