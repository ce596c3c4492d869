#include "common/window.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { WINDOW_FIRST = 64 };

void window_init(struct window *w, size_t max)
{
    *w = (struct window){.max = max, .watermark = -1};
}

void window_free(struct window *w)
{
    free(w->slots);
    w->slots = NULL;
}

size_t window_count(const struct window *w)
{
    return (size_t)(w->tail - w->head);
}

size_t window_open(const struct window *w)
{
    return window_count(w) - w->done_in_ring;
}

bool window_full(const struct window *w)
{
    return window_count(w) >= w->max;
}

static struct window_slot *slot(const struct window *w, uint64_t number)
{
    return &w->slots[number & (w->cap - 1)];
}

static void grow(struct window *w)
{
    struct window bigger = *w;
    bigger.cap = w->cap ? w->cap * 2 : WINDOW_FIRST;
    bigger.slots = mem_array(NULL, bigger.cap, sizeof *w->slots);
    for (uint64_t n = w->head; n != w->tail; n++)
        *slot(&bigger, n) = *slot(w, n);
    free(w->slots);
    *w = bigger;
}

static uint64_t append(struct window *w, int64_t offset, bool taken)
{
    if (window_count(w) == w->cap)
        grow(w);
    if (w->head == w->tail) /* nothing open: what lies between is nobody's */
        w->watermark = offset;
    *slot(w, w->tail) = (struct window_slot){.offset = offset, .taken = taken};
    return w->tail++;
}

/* The number of the first slot from this offset on; the tail: there is none. */
static uint64_t find(const struct window *w, int64_t offset)
{
    uint64_t low = w->head, high = w->tail;
    if (low == high || slot(w, high - 1)->offset < offset) /* as a rule */
        return high;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (slot(w, middle)->offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t window_add(struct window *w, int64_t offset)
{
    uint64_t number = find(w, offset);
    if (number == w->tail)
        return append(w, offset, true);
    slot(w, number)->taken = true;
    return number;
}

int64_t window_end(const struct window *w)
{
    return w->head == w->tail ? w->watermark : slot(w, w->tail - 1)->offset + 1;
}

bool window_foresee(struct window *w, int64_t offset)
{
    uint64_t number = find(w, offset);
    if (number < w->tail)
        return slot(w, number)->offset == offset && !slot(w, number)->taken;
    if (offset < window_end(w)) /* it is done */
        return false;
    (void)append(w, offset, false);
    return true;
}

bool window_reach(struct window *w, int64_t offset)
{
    if (offset < w->watermark) /* it was even done */
        return false;
    if (w->reached < w->head)
        w->reached = w->head;
    while (w->reached < w->tail && slot(w, w->reached)->offset < offset) {
        uint64_t passed = w->reached++;
        if (!slot(w, passed)->taken)
            (void)window_done(w, passed);
    }
    return w->reached == w->tail || !slot(w, w->reached)->taken;
}

bool window_done(struct window *w, uint64_t number)
{
    if (number < w->head || number >= w->tail || slot(w, number)->done)
        return false;
    slot(w, number)->done = true;
    w->done_in_ring++;
    while (w->head != w->tail && slot(w, w->head)->done) {
        w->watermark = slot(w, w->head)->offset + 1;
        w->head++;
        w->done_in_ring--;
    }
    if (w->head != w->tail)
        w->watermark = slot(w, w->head)->offset;
    return true;
}

int64_t window_watermark(const struct window *w)
{
    return w->watermark;
}
