#include "metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/money.h"

enum { KEY_MAX = 1024, LABELS_MAX = 6 * KEY_MAX };

static const char *const type_names[] = {"counter", "gauge", "histogram"};

void histogram_add(struct histogram *h, const buckets bounds, double value)
{
    size_t i = 0;
    while (bounds[i] != 0 && value > bounds[i])
        i++;
    h->count[i]++;
    h->sum += value;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* The next name of a list of labels; its brackets are left out. NULL: there is none. */
static const char *next_label(const char **list, size_t *len, bool *from_tasks)
{
    const char *p = *list, *end = p + strcspn(p, ",");
    if (!*p)
        return NULL;
    *list = *end ? end + 1 : end;
    *from_tasks = *p == '[';
    *len = (size_t)(end - p) - (*from_tasks ? 2 : 0);
    return p + *from_tasks;
}

static void write_label(struct buf *out, const char *name, size_t len, const char *value)
{
    if (out->len && out->data[out->len - 1] != '{')
        buf_char(out, ',');
    buf_add(out, name, len);
    buf_str(out, "=\"");
    for (const char *p = value ? value : ""; *p; p++) {
        if (*p == '\\' || *p == '"')
            buf_char(out, '\\');
        if (*p == '\n')
            buf_str(out, "\\n");
        else
            buf_char(out, *p);
    }
    buf_char(out, '"');
}

static void write_labels(struct buf *out, const char *list,
                         const char *const values[METRIC_LABELS_MAX])
{
    const char *name;
    size_t len;
    bool from_tasks;
    for (int i = 0; (name = next_label(&list, &len, &from_tasks)); i++)
        write_label(out, name, len, values[i]);
}

void expose(struct buf *out, enum metric m)
{
    const struct metric_def *d = &metric_defs[m];
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", d->name, d->help, d->name, type_names[d->type]);
}

void expose_value(struct buf *out, enum metric m, double value,
                  const char *const values[METRIC_LABELS_MAX])
{
    const struct metric_def *d = &metric_defs[m];
    buf_str(out, d->name);
    if (d->labels[0]) {
        buf_char(out, '{');
        write_labels(out, d->labels, values);
        buf_char(out, '}');
    }
    buf_printf(out, " %.15g\n", value);
}

void expose_one(struct buf *out, enum metric m, double value)
{
    expose(out, m);
    expose_value(out, m, value, LABELS(NULL));
}

static void write_histogram(struct buf *out, const struct metric_def *d, const char *labels,
                            const struct histogram *h)
{
    const char *comma = labels[0] ? "," : "";
    uint64_t total = 0;
    size_t i;
    for (i = 0; d->bounds[i] != 0; i++) {
        total += h->count[i];
        buf_printf(out, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", d->name, labels, comma,
                   d->bounds[i], total);
    }
    total += h->count[i];
    buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", d->name, labels, comma, total);
    const char *open = labels[0] ? "{" : "", *close = labels[0] ? "}" : "";
    buf_printf(out, "%s_sum%s%s%s %.15g\n", d->name, open, labels, close, h->sum);
    buf_printf(out, "%s_count%s%s%s %" PRIu64 "\n", d->name, open, labels, close, total);
}

void expose_histogram(struct buf *out, enum metric m, const struct histogram *h)
{
    expose(out, m);
    write_histogram(out, &metric_defs[m], "", h);
}

static void write_count(struct buf *out, const struct metric_def *d, const char *labels,
                        const char *kind, int64_t value)
{
    char text[MONEY_TEXT_MAX];
    buf_printf(out, "%s{%s", d->name, labels);
    if (kind)
        write_label(out, "kind", 4, kind);
    if (d->pico)
        buf_printf(out, "} %s\n", money_format(value, text));
    else
        buf_printf(out, "} %" PRId64 "\n", value);
}

void metrics_write(const struct metrics *ms, enum metric m, struct buf *out)
{
    static const char *const one[] = {NULL, NULL};
    const struct metric_def *d = &metric_defs[m];
    const char *const *kinds = d->kinds ? d->kinds : one;
    const struct series *s;
    expose(out, m);
    for (s = ms->groups[d->group]; s; s = s->hh.next) {
        if (d->type == HISTOGRAM)
            write_histogram(out, d, s->labels, &s->histograms[d->slot]);
        else
            for (int i = 0; i == 0 || kinds[i]; i++)
                write_count(out, d, s->labels, kinds[i], s->value[d->slot + i]);
    }
}

/* ---- series --------------------------------------------------------------------------------- */

static const struct metric_def *first_of(enum metric_group g)
{
    int m = 0;
    while (metric_defs[m].group != g)
        m++;
    return &metric_defs[m];
}

static bool has_histograms(enum metric_group g)
{
    return first_of(g)->type == HISTOGRAM;
}

static void free_series(struct series *s)
{
    free(s->key);
    free(s->labels);
    free(s->histograms);
    free(s);
}

void metrics_init(struct metrics *ms)
{
    *ms = (struct metrics){.groups = {NULL}};
}

void metrics_free(struct metrics *ms)
{
    for (int g = 0; g < METRIC_GROUPS; g++) {
        struct series *s = ms->groups[g], *next;
        HASH_CLEAR(hh, ms->groups[g]);
        for (; s; s = next) {
            next = s->hh.next;
            free_series(s);
        }
    }
}

/* Texts that are longer than the key together are cut. */
static size_t make_key(const char *const values[METRIC_LABELS_MAX], char key[KEY_MAX])
{
    size_t len = 0;
    for (int i = 0; i < METRIC_LABELS_MAX; i++) {
        const char *v = values[i] ? values[i] : "";
        const size_t n = strnlen(v, KEY_MAX / METRIC_LABELS_MAX - 2);
        memcpy(key + len, v, n);
        len += n;
        key[len++] = '\0';
    }
    return len;
}

static struct series *make_series(struct metrics *ms, enum metric_group g, const char *key,
                                  size_t len, const char *const values[METRIC_LABELS_MAX])
{
    struct series *s = mem_zero(sizeof *s);
    struct buf labels;
    buf_init(&labels, LABELS_MAX);
    write_labels(&labels, first_of(g)->labels, values);
    s->labels = labels.data;
    s->key = mem_alloc(len);
    memcpy(s->key, key, len);
    if (has_histograms(g))
        s->histograms = mem_zero(METRIC_HISTOGRAMS_MAX * sizeof *s->histograms);
    HASH_ADD_KEYPTR(hh, ms->groups[g], s->key, len, s);
    return s;
}

/* There are as many as may be: texts that come from tasks are "other" from now on, so that it stays
 * bounded by what the configuration names. */
static struct series *other_series(struct metrics *ms, enum metric_group g,
                                   const char *const values[METRIC_LABELS_MAX])
{
    const char *list = first_of(g)->labels, *mapped[METRIC_LABELS_MAX] = {NULL};
    size_t len;
    bool from_tasks;
    for (int i = 0; next_label(&list, &len, &from_tasks); i++)
        mapped[i] = from_tasks ? "other" : values[i];
    char key[KEY_MAX];
    struct series *s;
    len = make_key(mapped, key);
    HASH_FIND(hh, ms->groups[g], key, len, s);
    return s ? s : make_series(ms, g, key, len, mapped);
}

static bool is_series_of(const struct series *s, const char *const values[METRIC_LABELS_MAX])
{
    const char *key = s->key;
    for (int i = 0; i < METRIC_LABELS_MAX; i++) {
        const char *v = values[i] ? values[i] : "";
        while (*v && *v == *key)
            v++, key++;
        if (*v || *key++)
            return false;
    }
    return true;
}

struct series *metrics_series(struct metrics *ms, enum metric_group g,
                              const char *const values[METRIC_LABELS_MAX])
{
    char key[KEY_MAX];
    struct series *s = ms->last[g];
    if (s && is_series_of(s, values))
        return s;
    const size_t len = make_key(values, key);
    HASH_FIND(hh, ms->groups[g], key, len, s);
    if (!s)
        s = HASH_COUNT(ms->groups[g]) < SERIES_MAX ? make_series(ms, g, key, len, values)
                                                   : other_series(ms, g, values);
    return ms->last[g] = s;
}

/* ---- reference ------------------------------------------------------------------------------ */

void metrics_reference(FILE *out)
{
    (void)fputs("# Metrics\n\nWhat a worker tells on `/metrics` (see `metrics.listen` in "
                "[configuration](configuration.md)). Made by `quern-worker --metrics`.\n\n"
                "| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n",
                out);
    for (int m = 0; m < METRICS; m++) {
        const struct metric_def *d = &metric_defs[m];
        const char *list = d->labels, *name;
        size_t len;
        bool from_tasks;
        (void)fprintf(out, "| `%s` | %s | ", d->name, type_names[d->type]);
        for (int i = 0; (name = next_label(&list, &len, &from_tasks)); i++)
            (void)fprintf(out, "%s`%.*s`", i ? ", " : "", (int)len, name);
        (void)fprintf(out, "%s | %s |\n", d->kinds ? ", `kind`" : "", d->help);
    }
    (void)fprintf(out,
                  "\nThe number of series is bounded: labels hold names of the configuration and "
                  "of quern's own\ntables. What tasks name (`tenant`, `feature`) is counted as "
                  "`other` beyond %d series.\n",
                  SERIES_MAX);
}
