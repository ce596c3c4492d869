#include "common/journey.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/config.h"

/* The numbers and where they go. */
static const struct {
    const char *name;
    size_t offset;
} numbers[] = {{"quern-seq", offsetof(struct journey, seq)},
               {"quern-round", offsetof(struct journey, rounds)},
               {"quern-tries", offsetof(struct journey, tries)},
               {"quern-attempt", offsetof(struct journey, attempts)},
               {"quern-due", offsetof(struct journey, due_ms)},
               {"quern-first-seen", offsetof(struct journey, first_seen_ms)}};

enum { NUMBER_MAX = 15, NUMBERS = sizeof numbers / sizeof *numbers };

/* A header's value as a short text; false if there is none, or it is too long. */
static bool text_of(const rd_kafka_headers_t *h, const char *name, char *out, size_t size)
{
    const void *value;
    size_t len;
    if (rd_kafka_header_get_last(h, name, &value, &len) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        len >= size)
        return false;
    if (len) /* an empty value may be NULL */
        memcpy(out, value, len);
    out[len] = '\0';
    return true;
}

/* Digits only: 0 for anything else, or for what no journey reaches. */
static int64_t number_of(const char *text)
{
    int64_t n = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        n = n * 10 + (*text - '0');
    return *text ? 0 : n;
}

void journey_read(const rd_kafka_headers_t *h, struct journey *out)
{
    char text[NUMBER_MAX + 1];
    *out = (struct journey){.lane = -1};
    if (!h)
        return;
    for (size_t i = 0; i < NUMBERS; i++)
        if (text_of(h, numbers[i].name, text, sizeof text))
            *(int64_t *)(void *)((char *)out + numbers[i].offset) = number_of(text);
    if (text_of(h, "quern-lane", text, sizeof text))
        out->lane = lane_parse(text);
    if (!text_of(h, "traceparent", out->traceparent, sizeof out->traceparent))
        out->traceparent[0] = '\0';
    if (out->seq > INT32_MAX || out->attempts > INT32_MAX || out->rounds > INT32_MAX ||
        out->tries > INT32_MAX)
        out->seq = out->attempts = out->rounds = out->tries = 0;
}

static void add(rd_kafka_headers_t *h, const char *name, const char *value)
{
    (void)rd_kafka_header_add(h, name, -1, value, -1); /* fails only for a NULL */
}

rd_kafka_headers_t *journey_write(const struct journey *j, const char *error)
{
    char text[NUMBER_MAX + 10];
    rd_kafka_headers_t *h = rd_kafka_headers_new(NUMBERS + 3);
    for (size_t i = 0; i < NUMBERS; i++) {
        int64_t v = *(const int64_t *)(const void *)((const char *)j + numbers[i].offset);
        (void)snprintf(text, sizeof text, "%" PRId64, v);
        add(h, numbers[i].name, text);
    }
    if (j->lane >= 0)
        add(h, "quern-lane", lane_names[j->lane]);
    if (error && *error)
        add(h, "quern-error", error);
    if (j->traceparent[0])
        add(h, "traceparent", j->traceparent);
    return h;
}
