#include "guards/injection.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "guards/encoded.h"
#include "guards/injection_private.h"

enum {
    REPORT_WORDS = 30, /* in front of a phrase, that may tell of attacks */
    DECODED_MAX = 64   /* encodings that are looked into */
};

/* ---- tables -----------------------------------------------------------------------------------
 */

static uint64_t class_named(const char *name, size_t len)
{
    for (int i = 0; injection_classes[i].name; i++)
        if (strlen(injection_classes[i].name) == len &&
            memcmp(injection_classes[i].name, name, len) == 0)
            return UINT64_C(1) << i;
    return 0;
}

/* "^A|B:" */
static const char *read_classes(const char *s, struct step *out)
{
    if (*s == '^' || *s == '_')
        out->flags |= *s++ == '^' ? WORD_SENTENCE : WORD_LINE;
    for (;;) {
        const size_t n = strcspn(s, "|: ");
        out->mask |= class_named(s, n);
        s += n;
        if (*s != '|')
            break;
        s++;
    }
    if (*s == ':') {
        out->flags |= WORD_COLON;
        s++;
    }
    return s;
}

static void read_rule(struct injection *in, const struct injection_rule *from)
{
    struct rule *r = &in->rules[in->rule_count++];
    *r = (struct rule){.family = from->family, .weight = from->weight / 100.0};
    for (const char *s = from->steps; *s && r->count < INJECTION_STEPS_MAX;) {
        struct step *step = &r->steps[r->count++];
        if (isdigit((unsigned char)*s)) {
            char *end;
            step->gap = (uint32_t)strtoul(s, &end, 10);
            s = end + 1;
        }
        s = read_classes(s, step);
        s += *s == ' ';
    }
    in->first |= r->steps[0].mask;
    if (r->count < 2)
        abort(); /* read_phrases looks for the second */
    if (r->steps[1].gap + 1 > in->reach)
        in->reach = r->steps[1].gap + 1;
    for (uint64_t x = r->steps[0].mask; x; x &= x - 1) {
        const int k = __builtin_ctzll(x);
        in->by_class[k][in->by_class_count[k]++] = (unsigned char)(in->rule_count - 1);
        in->next[k] |= r->steps[1].mask;
    }
}

struct injection *injection_new(void)
{
    struct injection *in = mem_zero(sizeof *in);
    injection_parts_init(in);
    in->lexicon = lexicon_new();
    for (int i = 0; i < CLASSES_MAX && injection_classes[i].name; i++)
        lexicon_add(in->lexicon, injection_classes[i].words, UINT64_C(1) << i);
    for (int i = 0; injection_rules[i].family && in->rule_count < INJECTION_RULES_MAX; i++)
        read_rule(in, &injection_rules[i]);
    for (int i = 0; injection_marks[i].text; i++)
        in->mark_begins[(unsigned char)injection_marks[i].text[0]] = true;
    in->report = class_named("REPORT", 6);
    in->narr = class_named("NARR", 4);
    in->bare = class_named("IGN", 3);
    return in;
}

void injection_free(struct injection *in)
{
    if (!in)
        return;
    lexicon_free(in->lexicon);
    words_free(&in->words);
    injection_parts_free(in);
    free(in);
}

/* ---- findings ---------------------------------------------------------------------------------
 */

/* The strongest is kept of each family, and of each place. */
void injection_add(struct injection_verdict *v, const char *family, uint32_t from, uint32_t to,
                   double weight)
{
    for (size_t i = 0; i < v->count; i++) {
        struct injection_finding *f = &v->findings[i];
        const bool apart = from >= f->to || to <= f->from;
        if (apart && strcmp(f->family, family) != 0)
            continue;
        if (weight > f->weight)
            *f = (struct injection_finding){family, from, to, weight};
        return;
    }
    if (v->count < INJECTION_FINDINGS_MAX)
        v->findings[v->count++] = (struct injection_finding){family, from, to, weight};
}

/* ---- phrases ----------------------------------------------------------------------------------
 */

/* The index of the first word behind `at` that fits within the step's gap; the count: none. */
static size_t next_of(const struct words *ws, size_t at, const struct step *s)
{
    const size_t last = at + 1 + s->gap;
    for (size_t i = at + 1; i < ws->count && i <= last; i++)
        if ((ws->items[i].mask & s->mask) && (ws->items[i].flags & s->flags) == s->flags)
            return i;
    return ws->count;
}

/* The last word of the phrase that begins at `at`; the count: the rule does not fit. */
static size_t match(const struct words *ws, size_t at, const struct rule *r)
{
    const struct word *w = &ws->items[at];
    if (!(w->mask & r->steps[0].mask) || (w->flags & r->steps[0].flags) != r->steps[0].flags)
        return ws->count;
    for (size_t i = 1; i < r->count && at < ws->count; i++)
        at = next_of(ws, at, &r->steps[i]);
    return at;
}

/* Is somebody telling of attacks, and not attacking? */
static bool is_report(const struct injection *in, const struct words *ws, size_t at)
{
    for (size_t i = at; i-- > 0 && at - i <= REPORT_WORDS;)
        if (ws->items[i].mask & in->report)
            return true;
    return false;
}

/* "which ignore the rules": no order. */
static bool is_told(const struct injection *in, const struct words *ws, size_t at)
{
    const struct word *w = &ws->items[at], *before = at ? w - 1 : NULL;
    return (w->mask & in->bare) && !(w->flags & WORD_SENTENCE) && before &&
           (before->mask & in->narr);
}

/* The phrase "between quotation marks". */
static bool is_mention(const struct injection *in, const char *text, size_t len, size_t at,
                       size_t last)
{
    const struct word *w = in->words.items;
    const size_t to = w[last].to;
    if (!(w[at].flags & WORD_QUOTED) || to >= len)
        return false;
    const char next = to + 1 < len ? text[to + 1] : ' ';
    return text[to] == '"' || text[to] == '\'' || text[to] == '`' ||
           ((text[to] == '.' || text[to] == ',' || text[to] == '\xE2') &&
            (next == '"' || next == '\x80'));
}

static void try_rule(const struct injection *in, const struct rule *r, const char *text, size_t len,
                     size_t at, struct injection_verdict *v)
{
    const struct words *ws = &in->words;
    const size_t last = match(ws, at, r);
    double weight = r->weight;
    if (last == ws->count)
        return;
    if (is_mention(in, text, len, at, last))
        weight *= 0.6;
    if (in->told)
        weight *= 0.7;
    if (is_report(in, ws, at))
        weight *= 0.8;
    if (is_told(in, ws, at))
        weight *= 0.6;
    if (ws->items[at].flags & WORD_HIDDEN)
        weight = 1 - (1 - weight) * 0.5;
    injection_add(v, r->family, ws->items[at].from, ws->items[last].to, weight);
}

/* The classes of the words behind `at` that the second step of a rule may reach. */
static uint64_t classes_ahead(const struct injection *in, size_t at)
{
    const struct words *ws = &in->words;
    const size_t left = ws->count - 1 - at, n = in->reach < left ? in->reach : left;
    uint64_t ahead = 0;
    for (size_t i = 1; i <= n; i++)
        ahead |= ws->items[at + i].mask;
    return ahead;
}

static void read_phrases(const struct injection *in, const char *text, size_t len,
                         struct injection_verdict *v)
{
    for (size_t at = 0; at < in->words.count; at++) {
        const uint64_t begins = in->words.items[at].mask & in->first;
        const uint64_t ahead = begins ? classes_ahead(in, at) : 0;
        for (uint64_t x = begins; x; x &= x - 1) {
            const int k = __builtin_ctzll(x);
            const size_t count = in->next[k] & ahead ? in->by_class_count[k] : 0;
            for (size_t i = 0; i < count; i++)
                if (in->rules[in->by_class[k][i]].steps[1].mask & ahead)
                    try_rule(in, &in->rules[in->by_class[k][i]], text, len, at, v);
        }
    }
}

/* ---- marks ------------------------------------------------------------------------------------
 */

static bool begins_with(const char *s, size_t len, const char *mark)
{
    size_t i = 0;
    for (; mark[i]; i++)
        if (i == len || tolower((unsigned char)s[i]) != mark[i])
            return false;
    return true;
}

static void read_mark(const char *text, size_t len, size_t at, struct injection_verdict *v)
{
    const int second = at + 1 < len ? tolower((unsigned char)text[at + 1]) : 0;
    for (int i = 0; injection_marks[i].text; i++)
        if (injection_marks[i].text[1] == second &&
            begins_with(text + at, len - at, injection_marks[i].text))
            injection_add(v, "role_switch", (uint32_t)at,
                          (uint32_t)(at + strlen(injection_marks[i].text)),
                          injection_marks[i].weight / 100.0);
}

static void read_marks(const struct injection *in, const char *text, size_t len,
                       struct injection_verdict *v)
{
    for (size_t at = 0; at < len; at++)
        if (bytes_has(in->mark_begins, text[at]))
            read_mark(text, len, at, v);
}

/* ---- all --------------------------------------------------------------------------------------
 */

static void read_plain(struct injection *in, const char *text, size_t len,
                       struct injection_verdict *v)
{
    words_read(&in->words, in->lexicon, text, len);
    in->told = false;
    for (size_t i = 0; i < in->words.count; i++)
        in->told |= (in->words.items[i].mask & in->report) != 0;
    read_phrases(in, text, len, v);
    read_marks(in, text, len, v);
}

/* One level deep: what an encoding holds is an attack if it would be one in clear. */
static void read_encoded(struct injection *in, const char *text, size_t len,
                         struct injection_verdict *v)
{
    struct buf inner;
    size_t at = 0, from, to;
    buf_init(&inner, ENCODED_MAX);
    for (int i = 0; i < DECODED_MAX && encoded_next(text, len, &at, &from, &to, &inner); i++) {
        struct injection_verdict deep = {.count = 0, .score = 0};
        read_plain(in, inner.data, inner.len, &deep);
        injection_parts(in, &deep);
        const double score = 1 - (1 - deep.score) * 0.5; /* and it is hidden besides */
        if (deep.score < INJECTION_LEAST)
            continue;
        injection_add(v, "encoded", (uint32_t)from, (uint32_t)to, score);
        v->score = fmax(v->score, score);
    }
    buf_free(&inner);
}

void injection_read(struct injection *in, const char *text, size_t len,
                    struct injection_verdict *out)
{
    out->count = 0;
    out->score = 0;
    read_plain(in, text, len, out);
    injection_parts(in, out);
    read_encoded(in, text, len, out);
}

void injection_features(struct injection *in, const char *text, size_t len,
                        void (*each)(void *arg, const uint32_t *features, size_t count), void *arg)
{
    struct injection_verdict v;
    in->each = each;
    in->each_arg = arg;
    injection_read(in, text, len, &v);
    in->each = NULL;
}
