/* What the guards find in a corpus. Reads JSON lines with a member `text` (at most 1 MiB each),
 * prints a line of JSON for each: {"score": S, "found": [[reason, from, to, weight], …]}, offsets
 * in bytes of the text. `check-guards injection N`: reads each N times, to measure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "guards/grounding.h"
#include "guards/injection.h"
#include "guards/sensitive.h"

enum { LINE_MAX_BYTES = 1 << 20 };

static struct injection *injection;
static struct glossary *glossary;
static struct spans spans;

static void check_injection(const char *text, size_t len, int times)
{
    struct injection_verdict v;
    for (int i = 0; i < times; i++)
        injection_read(injection, text, len, &v);
    (void)printf("{\"score\": %.3f, \"found\": [", v.score);
    for (size_t i = 0; i < v.count; i++)
        (void)printf("%s[\"%s\", %u, %u, %.2f]", i ? ", " : "", v.findings[i].family,
                     v.findings[i].from, v.findings[i].to, v.findings[i].weight);
    (void)puts("]}");
}

static void print_part(void *arg, const uint32_t *features, size_t count)
{
    int *parts = arg;
    (void)printf("%s[", (*parts)++ ? ", " : "");
    for (size_t i = 0; i < count; i++)
        (void)printf("%s%u", i ? "," : "", features[i]);
    (void)printf("]");
}

/* For guards/train.py. */
static void print_features(const char *text, size_t len, int times)
{
    int parts = 0;
    (void)times;
    (void)printf("[");
    injection_features(injection, text, len, print_part, &parts);
    (void)puts("]");
}

static void check_sensitive(const char *text, size_t len, int times)
{
    for (int i = 0; i < times; i++)
        sensitive_read(UINT32_MAX, text, len, &spans);
    (void)printf("{\"found\": [");
    for (size_t i = 0; i < spans.count; i++)
        (void)printf("%s[\"%s\", %u, %u]", i ? ", " : "", sensitive_names[spans.items[i].kind],
                     spans.items[i].from, spans.items[i].to);
    (void)puts("]}");
}

/* Of a line with `source` and `answer`: what of the answer the source does not have. */
static void check_grounded(const char *source, const char *answer, int times)
{
    struct grounding g;
    for (int i = 1; i < times; i++) {
        grounding_read(glossary, source, strlen(source), answer, strlen(answer), &g);
        grounding_free(&g);
    }
    grounding_read(glossary, source, strlen(source), answer, strlen(answer), &g);
    (void)printf("{\"score\": %.3f, \"found\": [", g.score);
    for (size_t i = 0; i < g.unsupported.count; i++)
        (void)printf("%s[\"%s\", %u, %u]", i ? ", " : "", claim_names[g.unsupported.items[i].kind],
                     g.unsupported.items[i].from, g.unsupported.items[i].to);
    (void)puts("]}");
    grounding_free(&g);
}

static const struct check {
    const char *name;
    void (*run)(const char *text, size_t len, int times);
} checks[] = {{"injection", check_injection},
              {"sensitive", check_sensitive},
              {"features", print_features},
              {"grounded", NULL},
              {0}};

int main(int argc, char **argv)
{
    static char line[LINE_MAX_BYTES];
    const struct check *c = checks;
    const int times = argc > 2 ? atoi(argv[2]) : 1;
    while (argc > 1 && c->name && strcmp(c->name, argv[1]) != 0)
        c++;
    if (argc < 2 || !c->name) {
        (void)fputs("check-guards CHECK [TIMES] <FILE.jsonl\n", stderr);
        return 2;
    }
    injection = injection_new();
    glossary = glossary_new();
    while (fgets(line, sizeof line, stdin)) {
        char *text = json_string_dup(json_get(json_root(line, strlen(line)), "text"));
        if (text && c->run)
            c->run(text, strlen(text), times);
        char *answer = json_string_dup(json_get(json_root(line, strlen(line)), "answer"));
        char *source = json_string_dup(json_get(json_root(line, strlen(line)), "source"));
        if (source && answer)
            check_grounded(source, answer, times);
        free(text);
        free(answer);
        free(source);
    }
    spans_free(&spans);
    injection_free(injection);
    glossary_free(glossary);
    return 0;
}
