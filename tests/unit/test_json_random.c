/* Random documents, whole and damaged: what the check lets through, the walkers survive and tell
 * right. */
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "suites.h"

enum { TEXT_MAX = 1 << 16, RUNS = 4000 };

static void spaces(struct buf *out)
{
    static const char kinds[] = " \t\r\n";
    for (int n = rand() % 3; n > 0; n--)
        buf_char(out, kinds[rand() % 4]);
}

static void text(struct buf *out)
{
    static const char *const pieces[] = {"a",   "\\\"",     "\\\\", "{",       "]",
                                         ",",   ":",        " ",    "\\u00e9", "\\ud83d\\ude00",
                                         "\\n", "\xC3\xA9", "//",   "\\/",     "null"};
    buf_char(out, '"');
    for (int n = rand() % 6; n > 0; n--)
        buf_str(out, pieces[rand() % 15]);
    buf_char(out, '"');
}

/* Appends a value; *nodes counts it and all in it. */
static void value(struct buf *out, int depth, int *nodes)
{
    static const char *const plain[] = {"0", "-0", "-1.5e+10", "1E400", "true", "false", "null"};
    int kind = rand() % (depth > 0 ? 4 : 2);
    ++*nodes;
    if (kind == 0)
        buf_str(out, plain[rand() % 7]);
    if (kind == 1)
        text(out);
    if (kind < 2)
        return;
    buf_char(out, kind == 2 ? '{' : '[');
    for (int i = 0, n = rand() % 5; i < n; i++) {
        spaces(out);
        if (kind == 2) {
            text(out);
            spaces(out);
            buf_char(out, ':');
            spaces(out);
        }
        value(out, depth - 1, nodes);
        spaces(out);
        if (i + 1 < n)
            buf_char(out, ',');
    }
    buf_char(out, kind == 2 ? '}' : ']');
}

/* Counts the values in a tree; each must be a valid text by itself. */
static int walk(struct json v)
{
    struct json_member m;
    struct json item;
    struct error err;
    size_t pos = 0;
    int n = 1;
    if (!json_check(v.p, v.len, &err))
        ck_abort_msg("%.*s: %s", (int)v.len, v.p, err.message);
    if (json_is(v, '{'))
        while (json_next_member(v, &pos, &m))
            n += walk(m.value) + (walk(m.key) == 1 ? 0 : 1);
    if (json_is(v, '['))
        while (json_next_item(v, &pos, &item))
            n += walk(item);
    return n;
}

/* The length that was asked for, in memory of its own: reading past it is caught. */
static char *exact(const char *s, size_t len)
{
    char *copy = malloc(len ? len : 1);
    memcpy(copy, s, len);
    return copy;
}

START_TEST(walkers_find_every_value_of_any_document)
{
    struct buf b;
    buf_init(&b, TEXT_MAX);
    for (int run = 0; run < RUNS; run++) {
        int nodes = 0;
        srand((unsigned)run);
        buf_clear(&b);
        spaces(&b);
        value(&b, 5, &nodes);
        spaces(&b);
        char *copy = exact(b.data, b.len);
        int found = walk(json_root(copy, b.len));
        if (found != nodes)
            ck_abort_msg("run %d: %d values of %d", run, found, nodes);
        free(copy);
    }
    buf_free(&b);
}
END_TEST

START_TEST(minifying_keeps_the_values_and_is_idempotent)
{
    struct buf b, once, twice;
    buf_init(&b, TEXT_MAX);
    buf_init(&once, TEXT_MAX);
    buf_init(&twice, TEXT_MAX);
    for (int run = 0; run < RUNS; run++) {
        int nodes = 0;
        srand((unsigned)run);
        buf_clear(&b);
        buf_clear(&once);
        buf_clear(&twice);
        value(&b, 5, &nodes);
        json_minify(json_root(b.data, b.len), &once);
        json_minify(json_root(once.data, once.len), &twice);
        if (walk(json_root(once.data, once.len)) != nodes || strcmp(once.data, twice.data) != 0 ||
            strpbrk(once.data, "\t\r\n"))
            ck_abort_msg("run %d: %s", run, b.data);
    }
    buf_free(&b);
    buf_free(&once);
    buf_free(&twice);
}
END_TEST

static void damage(char *s, size_t len)
{
    static const char bytes[] = "{}[]\",:\\u0e-. \x80\x00\xFF";
    for (int n = 1 + rand() % 3; n > 0 && len; n--)
        s[(size_t)rand() % len] = bytes[(size_t)rand() % (sizeof bytes - 1)];
}

START_TEST(a_damaged_document_is_refused_or_can_be_walked)
{
    struct buf b;
    int refused = 0;
    buf_init(&b, TEXT_MAX);
    for (int run = 0; run < 5 * RUNS; run++) {
        struct error err;
        int nodes = 0;
        srand((unsigned)run);
        buf_clear(&b);
        value(&b, 4, &nodes);
        char *copy = exact(b.data, b.len);
        damage(copy, b.len);
        if (json_check(copy, b.len, &err))
            (void)walk(json_root(copy, b.len));
        else
            refused++;
        free(copy);
    }
    ck_assert_int_gt(refused, RUNS);
    buf_free(&b);
}
END_TEST

START_TEST(an_open_text_is_refused_at_every_cut)
{
    struct buf b;
    buf_init(&b, TEXT_MAX);
    for (int run = 0; run < 200; run++) {
        struct error err;
        int nodes = 0;
        srand((unsigned)run);
        buf_clear(&b);
        buf_char(&b, '[');
        value(&b, 4, &nodes);
        buf_char(&b, ']');
        for (size_t n = 0; n < b.len; n++) {
            char *cut = exact(b.data, n);
            if (json_check(cut, n, &err))
                ck_abort_msg("run %d cut at %zu: %s", run, n, b.data);
            free(cut);
        }
    }
    buf_free(&b);
}
END_TEST

START_TEST(every_control_character_must_be_escaped)
{
    struct error err;
    for (int c = 0; c < 0x20; c++) {
        const char text[3] = {'"', (char)c, '"'};
        ck_assert_msg(!json_check(text, 3, &err), "%d", c);
        ck_assert_str_eq(err.code, "invalid_json");
        ck_assert_int_eq(err.class, ERROR_PERMANENT);
    }
    ck_assert(json_check("\"\x7F\"", 3, &err));
}
END_TEST

START_TEST(mixed_brackets_have_the_same_depth_limit)
{
    struct error err;
    for (int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        struct buf b;
        buf_init(&b, 4096);
        for (int i = 0; i < depth; i++)
            buf_str(&b, i % 2 ? "{\"a\":" : "[");
        buf_str(&b, "1");
        for (int i = depth; i-- > 0;)
            buf_str(&b, i % 2 ? "}" : "]");
        ck_assert_int_eq(json_check(b.data, b.len, &err), depth == JSON_DEPTH_MAX);
        buf_free(&b);
    }
}
END_TEST

Suite *suite_json_random(void)
{
    const TTest *const tests[] = {walkers_find_every_value_of_any_document,
                                  minifying_keeps_the_values_and_is_idempotent,
                                  a_damaged_document_is_refused_or_can_be_walked,
                                  an_open_text_is_refused_at_every_cut,
                                  every_control_character_must_be_escaped,
                                  mixed_brackets_have_the_same_depth_limit,
                                  NULL};
    return suite_of("json_random", tests);
}
