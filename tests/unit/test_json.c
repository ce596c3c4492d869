#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "suites.h"

static bool good(const char *text)
{
    struct error err;
    return json_check(text, strlen(text), &err);
}

START_TEST(takes_what_rfc_8259_allows)
{
    static const char *const texts[] = {"{}",
                                        "[]",
                                        " [ ] ",
                                        "null",
                                        "true",
                                        "false",
                                        "0",
                                        "-0",
                                        "-1.5e+10",
                                        "1E5",
                                        "\"\"",
                                        "\"\\u00e9\\ud83d\\ude00\\n\\/\"",
                                        "{\"a\":[1,{\"b\":null}],\"c\":\"d\"}",
                                        "\t[1,\n2]\r\n",
                                        "\"\xC3\xA9\"",
                                        "123456789012345678901234567890",
                                        "{\"\":{}}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(good(texts[i]), "%s", texts[i]);
}
END_TEST

START_TEST(refuses_what_it_does_not)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "{",
                                        "}",
                                        "[",
                                        "[1,]",
                                        "{\"a\":1,}",
                                        "{a:1}",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "[1 2]",
                                        "01",
                                        "1.",
                                        ".5",
                                        "-",
                                        "+1",
                                        "1e",
                                        "1e+",
                                        "nul",
                                        "True",
                                        "\"",
                                        "\"a",
                                        "\"\t\"",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\u0000\"",
                                        "\"\\ud800\"",
                                        "\"\\udc00\"",
                                        "\"\\ud800\\u0041\"",
                                        "[}",
                                        "{]",
                                        "1 1",
                                        "[1]]",
                                        "\"\xFF\"",
                                        "\"\xC0\x80\"",
                                        "\"\xED\xA0\x80\"",
                                        "'a'",
                                        "NaN",
                                        "//",
                                        "[,1]"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(!good(texts[i]), "%s", texts[i]);
    struct error err;
    ck_assert(!json_check("1\0", 2, &err));
}
END_TEST

START_TEST(refuses_a_text_cut_anywhere)
{
    const char *whole = "{\"a\":[1.5e3,\"x\\u00e9\",{\"b\":true}],\"c\":null}";
    struct error err;
    ck_assert(good(whole));
    for (size_t n = 0; n < strlen(whole); n++) {
        char *cut = malloc(n ? n : 1); /* its own memory: reading past it is caught */
        memcpy(cut, whole, n);
        ck_assert_msg(!json_check(cut, n, &err), "cut at %zu", n);
        free(cut);
    }
}
END_TEST

START_TEST(depth_has_a_limit)
{
    char text[2 * JSON_DEPTH_MAX + 3];
    for (int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = '\0';
        ck_assert_int_eq(good(text), depth == JSON_DEPTH_MAX);
    }
}
END_TEST

START_TEST(walks_members_and_items)
{
    const char *text = " {\"a\" : [1, \"x,]}\\\"\" , {}] , \"b\\u0063\":\"\\\\\",\"d\":-7} ";
    struct json root = json_root(text, strlen(text)), item, a = json_get(root, "a");
    int64_t n;
    size_t pos = 0;
    ck_assert(good(text));
    ck_assert(json_next_item(a, &pos, &item) && json_int64(item, &n) && n == 1);
    ck_assert(json_next_item(a, &pos, &item) && json_equals(item, "x,]}\""));
    ck_assert(json_next_item(a, &pos, &item) && json_is(item, '{') && item.len == 2);
    ck_assert(!json_next_item(a, &pos, &item));
    ck_assert(json_equals(json_get(root, "bc"), "\\"));
    ck_assert(json_int64(json_get(root, "d"), &n) && n == -7);
    ck_assert_ptr_null(json_get(root, "e").p);
    ck_assert_ptr_null(json_get(json_get(root, "d"), "x").p);
}
END_TEST

START_TEST(gets_several_members_in_one_pass)
{
    static const char *const keys[] = {"c", "x", "a"};
    const char *text = "{\"a\":1,\"a\":2,\"b\":{\"c\":9},\"c\":3}";
    struct json out[3];
    json_get_all(json_root(text, strlen(text)), keys, out, 3);
    ck_assert(out[0].len == 1 && *out[0].p == '3');
    ck_assert_ptr_null(out[1].p);
    ck_assert(*out[2].p == '1'); /* the first of the same name */
}
END_TEST

START_TEST(integers_are_exact_or_refused)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } rows[] = {{"9223372036854775807", true, INT64_MAX},
                {"-9223372036854775808", true, INT64_MIN},
                {"9223372036854775808", false, 0},
                {"1.0", false, 0},
                {"1e3", false, 0},
                {"\"1\"", false, 0},
                {"9007199254740993", true, 9007199254740993}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t n = 0;
        bool ok = json_int64(json_root(rows[i].text, strlen(rows[i].text)), &n);
        ck_assert_int_eq(ok, rows[i].ok);
        if (ok)
            ck_assert(n == rows[i].value);
    }
}
END_TEST

START_TEST(strings_decode_and_encode_back)
{
    const char *text = "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\u0001\"";
    struct buf out;
    char *s = json_string_dup(json_root(text, strlen(text)));
    ck_assert_str_eq(s, "a\"\\/\b\f\n\r\t\xC3\xA9\xF0\x9F\x98\x80\x01");
    buf_init(&out, 1000);
    buf_json(&out, s, strlen(s));
    char *again = json_string_dup(json_root(out.data, out.len));
    ck_assert_str_eq(again, s);
    free(again);
    free(s);
    buf_free(&out);
}
END_TEST

START_TEST(minifies_without_touching_strings)
{
    const char *text = "{ \"a b\" :\n [ 1 ,\t\" \\\" x \" ] }";
    struct buf out;
    buf_init(&out, 1000);
    json_minify(json_root(text, strlen(text)), &out);
    ck_assert_str_eq(out.data, "{\"a b\":[1,\" \\\" x \"]}");
    buf_free(&out);
}
END_TEST

Suite *suite_json(void)
{
    const TTest *const tests[] = {
        takes_what_rfc_8259_allows,        refuses_what_it_does_not,
        refuses_a_text_cut_anywhere,       depth_has_a_limit,
        walks_members_and_items,           gets_several_members_in_one_pass,
        integers_are_exact_or_refused,     strings_decode_and_encode_back,
        minifies_without_touching_strings, NULL};
    return suite_of("json", tests);
}
