/* The window's own code over every history of a small bound: any order of adds and completions, a
 * revoke (and so a commit) after each step, gaps in the offsets or none, and completions that come
 * twice. What a bounded model checker would unroll, enumerated. */
#include <string.h>

#include "common/window.h"
#include "suites.h"

#ifdef __SANITIZE_ADDRESS__
enum { RECORDS = 5 };
#else
enum { RECORDS = 7 };
#endif

struct history {
    uint64_t numbers[RECORDS];
    int64_t offsets[RECORDS];
    bool done[RECORDS];
    int added;
    char steps[RECORDS * 2 + 1]; /* for the message of a failure: '+' or the record's number */
    int count;
    long histories, states;
};

/* (a) of the protocol: an offset may be committed only past records that are done; and the window
 * holds no offset back that could be. */
static bool holds(const struct window *w, const struct history *h)
{
    int64_t expected = h->added ? h->offsets[h->added - 1] + 1 : -1;
    size_t open = 0;
    for (int i = h->added; i-- > 0;) {
        open += !h->done[i];
        expected = h->done[i] ? expected : h->offsets[i];
    }
    return window_watermark(w) == expected && window_open(w) == open && window_count(w) >= open &&
           window_full(w) == (window_count(w) >= w->max);
}

/* A copy that shares nothing: the search goes on from it. */
static struct window copy(const struct window *w, struct window_slot *slots)
{
    struct window c = *w;
    if (w->cap)
        memcpy(slots, w->slots, w->cap * sizeof *slots);
    c.slots = slots;
    return c;
}

enum { CAP = 64 }; /* the window's first ring is larger than the bound: it never grows here */

static void explore(const struct window *w, struct history *h, unsigned gaps);

static void step(struct window *w, struct history *h, unsigned gaps, char what)
{
    h->steps[h->count++] = what;
    h->steps[h->count] = '\0';
    h->states++;
    if (!holds(w, h))
        ck_abort_msg("after %s (gaps %u): watermark %lld", h->steps, gaps,
                     (long long)window_watermark(w));
    explore(w, h, gaps);
    h->count--;
}

static void explore(const struct window *w, struct history *h, unsigned gaps)
{
    struct window_slot slots[CAP];
    bool last = h->added == RECORDS;
    if (h->added < RECORDS) {
        struct window c = copy(w, slots);
        int64_t before = h->added ? h->offsets[h->added - 1] : 100;
        h->offsets[h->added] = before + 1 + (gaps >> h->added & 1) * 3;
        h->numbers[h->added] = window_add(&c, h->offsets[h->added]);
        h->done[h->added++] = false;
        step(&c, h, gaps, '+');
        h->added--;
    }
    for (int i = 0; i < h->added; i++) {
        if (h->done[i])
            continue;
        last = false;
        struct window c = copy(w, slots);
        if (!window_done(&c, h->numbers[i]) || window_done(&c, h->numbers[i]))
            ck_abort_msg("after %s: record %d counts never or twice", h->steps, i);
        h->done[i] = true;
        step(&c, h, gaps, (char)('0' + i));
        h->done[i] = false;
    }
    h->histories += last;
}

START_TEST(every_order_of_completions_with_a_revoke_anywhere)
{
    long histories = 0, states = 0;
    for (unsigned gaps = 0; gaps < 1U << RECORDS; gaps += 21) { /* none, and some of each place */
        struct window w;
        struct history h = {0};
        window_init(&w, RECORDS - 1); /* it is over its maximum too */
        w.slots = NULL;
        static struct window_slot first[CAP];
        memset(first, 0, sizeof first);
        w.slots = first;
        w.cap = CAP;
        explore(&w, &h, gaps);
        histories += h.histories;
        states += h.states;
    }
    /* 1 * 3 * 5 ... orders of adds and completions, for each pattern of gaps */
    ck_assert_int_eq(histories, RECORDS == 7 ? 7 * 135135 : 2 * 945);
    ck_assert_int_gt(states, histories);
}
END_TEST

Suite *suite_window_all(void)
{
    const TTest *const tests[] = {every_order_of_completions_with_a_revoke_anywhere, NULL};
    return suite_of("window_all", tests);
}
