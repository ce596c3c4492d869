#include "guards/quality.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/mem.h"
#include "common/texts.h"
#include "guards/words.h"

enum {
    LOOP_WORDS = 6,    /* a run of so many words … */
    LOOP_TIMES = 6,    /* … that is there so often … */
    LOOP_SHARE = 3,    /* … and takes a third of the text is a loop */
    REFUSAL_LEN = 400, /* a longer answer may begin so and go on */
    TOP_TERMS = 20,
    SOURCE_MAX = 8 << 20
};

const char *const completion_names[COMPLETIONS] = {"complete", "cut_off", "filtered", "refused",
                                                   "empty",    "loop",    "misshapen"};

/* ---- texts ------------------------------------------------------------------------------------
 */

static void add_answer(void *arg, struct text_place place, struct json v, struct buf *out)
{
    struct buf *all = arg;
    (void)out;
    if (!place.prose)
        return;
    (void)json_string(v, all);
    buf_char(all, '\n');
}

void quality_text(struct json answer, struct buf *out)
{
    struct buf nothing;
    buf_init(&nothing, answer.len * 2 + 64);
    texts_rewrite(answer, add_answer, out, &nothing);
    buf_free(&nothing);
}

static void add_source(void *arg, struct text_place place, struct json v, struct buf *out)
{
    if (place.role == TEXT_USER || place.role == TEXT_TOOL)
        add_answer(arg, place, v, out);
}

void quality_source(struct json body, struct buf *out)
{
    struct buf nothing;
    buf_init(&nothing, body.len * 2 + 64);
    texts_rewrite(body, add_source, out, &nothing);
    buf_free(&nothing);
}

/* ---- completion -------------------------------------------------------------------------------
 */

static bool says_no(const char *text, size_t len)
{
    static const char *const no[] = {"i cannot ",
                                     "i can't ",
                                     "i can’t ",
                                     "i'm sorry, but",
                                     "i’m sorry, but",
                                     "i am sorry, but",
                                     "i'm unable to",
                                     "i am unable to",
                                     "i won't ",
                                     "i will not ",
                                     "i'm not able to",
                                     "as an ai",
                                     "sorry, i can",
                                     "i must decline",
                                     "i have to decline",
                                     "ich kann nicht",
                                     "ich kann dir nicht",
                                     "ich kann ihnen nicht",
                                     "es tut mir leid, aber",
                                     "je ne peux pas",
                                     "je suis désolé, mais",
                                     "lo siento, pero",
                                     "no puedo ",
                                     "mi dispiace, ma",
                                     "non posso ",
                                     "desculpe, mas",
                                     "het spijt me, maar"};
    while (len && strchr(" \n\t\"*", *text))
        text++, len--;
    for (size_t i = 0; len <= REFUSAL_LEN && i < sizeof no / sizeof *no; i++)
        if (len >= strlen(no[i]) && strncasecmp(text, no[i], strlen(no[i])) == 0)
            return true;
    return false;
}

struct run {
    UT_hash_handle hh;
    uint64_t hash;
    size_t count, last;
};

/* Does some run of words fill a third of the text? */
static bool loops(const char *text, size_t len)
{
    struct words ws;
    struct run *runs = NULL, *r, *next;
    struct lexicon *none = lexicon_new();
    bool found = false;
    words_init(&ws);
    words_read(&ws, none, text, len);
    for (size_t i = 0; i + LOOP_WORDS <= ws.count && !found; i++) {
        const uint64_t h = words_row(&ws.items[i], LOOP_WORDS);
        HASH_FIND(hh, runs, &h, sizeof h, r);
        if (!r) {
            r = mem_zero(sizeof *r);
            r->hash = h;
            HASH_ADD(hh, runs, hash, sizeof r->hash, r);
        } else if (i < r->last + LOOP_WORDS) {
            continue; /* it overlaps itself */
        }
        r->last = i;
        r->count++;
        found = r->count >= LOOP_TIMES && r->count * LOOP_WORDS * LOOP_SHARE >= ws.count;
    }
    HASH_ITER (hh, runs, r, next) {
        HASH_DEL(runs, r); // NOLINT(clang-analyzer-unix.Malloc): r is not freed yet
        free(r);
    }
    words_free(&ws);
    lexicon_free(none);
    return found;
}

/* What the service itself says of how it ended. */
static enum completion reason_of(struct json answer)
{
    struct json choice = {0}, choices = json_get(answer, "choices");
    size_t pos = 0;
    if (json_is(choices, '['))
        (void)json_next_item(choices, &pos, &choice);
    const struct json reason = json_get(choice, "finish_reason"),
                      refusal = json_get(json_get(choice, "message"), "refusal");
    if (json_is(refusal, '"'))
        return COMPLETION_REFUSED;
    if (json_equals(reason, "length") || json_equals(json_get(answer, "status"), "incomplete"))
        return COMPLETION_CUT;
    return json_equals(reason, "content_filter") ? COMPLETION_FILTERED : COMPLETE;
}

enum completion quality_completion(struct json answer)
{
    struct buf text;
    enum completion c = reason_of(answer);
    if (c != COMPLETE)
        return c;
    buf_init(&text, answer.len + 64);
    quality_text(answer, &text);
    size_t blank = 0;
    while (blank < text.len && strchr(" \n\t\r", text.data[blank]))
        blank++;
    if (blank == text.len && !memmem(answer.p, answer.len, "\"tool_calls\":[{", 15))
        c = COMPLETION_EMPTY;
    else if (text.len && says_no(text.data, text.len))
        c = COMPLETION_REFUSED;
    else if (text.len && loops(text.data, text.len))
        c = COMPLETION_LOOP;
    buf_free(&text);
    return c;
}

/* ---- relevance --------------------------------------------------------------------------------
 */

struct term {
    UT_hash_handle hh;
    uint32_t hash;
    double source, answer; /* how often */
};

static struct term *term_of(struct term **all, uint32_t hash)
{
    struct term *t;
    HASH_FIND(hh, *all, &hash, sizeof hash, t);
    if (t)
        return t;
    t = mem_zero(sizeof *t);
    t->hash = hash;
    HASH_ADD(hh, *all, hash, sizeof t->hash, t);
    return t;
}

static const char usual[] =
    "a about after all also an and any are as at be because been before but by can could did do "
    "does for from had has have he her his how i if in into is it its me more most my no not of on "
    "one or our out over she so some such than that the their them then there these they this to "
    "up was we were what when which who will with would you your "
    "der die das und ist nicht ein eine einen dem den des im in mit von zu auf für an als auch es "
    "er sie wir ihr werden wird wurde hat haben sind war bei nach aus um am zum zur oder "
    "le la les un une des du de et est en que qui dans pour sur au aux par pas ne plus se ce cette "
    "il elle ils elles nous vous son sa ses a ont été être avec "
    "el los las una y es por con para no se del al lo como más su";

/* Words of a text that say something, counted. */
static void count_terms(struct term **all, const char *text, size_t len, bool answer)
{
    struct words ws;
    struct lexicon *common = lexicon_new();
    words_init(&ws);
    lexicon_add(common, usual, 1);
    words_read(&ws, common, text, len);
    for (size_t i = 0; i < ws.count; i++) {
        if (ws.items[i].mask || ws.items[i].to - ws.items[i].from < 2)
            continue;
        struct term *t = term_of(all, ws.items[i].hash);
        *(answer ? &t->answer : &t->source) += 1;
    }
    words_free(&ws);
    lexicon_free(common);
}

static int by_source(const void *left, const void *right)
{
    const struct term *a = *(struct term *const *)left, *b = *(struct term *const *)right;
    if (a->source != b->source)
        return a->source < b->source ? 1 : -1;
    return (a->hash > b->hash) - (a->hash < b->hash);
}

static double coverage_of(struct term *all)
{
    const size_t n = HASH_COUNT(all);
    struct term **terms = mem_array(NULL, n, sizeof *terms), *t, *next;
    size_t count = 0, had = 0, most = 0;
    HASH_ITER (hh, all, t, next)
        if (t->source > 0)
            terms[count++] = t;
    if (count)
        qsort(terms, count, sizeof *terms, by_source);
    most = count < TOP_TERMS ? count : TOP_TERMS;
    for (size_t i = 0; i < most; i++)
        had += terms[i]->answer > 0;
    free(terms);
    return most ? (double)had / (double)most : 0;
}

static double weight(double count)
{
    return count > 0 ? 1 + log(count) : 0;
}

struct relevance quality_relevance(const char *source, size_t source_len, const char *answer,
                                   size_t answer_len)
{
    struct term *all = NULL, *t, *next;
    struct relevance out = {0, 0};
    double both = 0, a = 0, s = 0;
    count_terms(&all, source, source_len, false);
    count_terms(&all, answer, answer_len, true);
    if (all)
        out.coverage = coverage_of(all);
    HASH_ITER (hh, all, t, next) {
        both += weight(t->source) * weight(t->answer);
        s += weight(t->source) * weight(t->source);
        a += weight(t->answer) * weight(t->answer);
        HASH_DEL(all, t); // NOLINT(clang-analyzer-unix.Malloc): t is not freed yet
        free(t);
    }
    out.relevance = a > 0 && s > 0 ? both / sqrt(a * s) : 0;
    return out;
}
