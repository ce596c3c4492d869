/* Compression: what becomes short, what stays byte for byte, in bounded time; estimates that learn.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/compress.h"
#include "common/mem.h"
#include "common/segment.h"
#include "suites.h"
#include "worker/bound.h"
#include "worker/estimate.h"

static const struct config_compress_rule all = {
    .whitespace = true, .html = true, .repeats = true, .verbose = true};

static char *compressed(const struct config_compress_rule *r, const char *text)
{
    static struct buf out;
    buf_free(&out);
    buf_init(&out, 1 << 20);
    compress_text(r, text, strlen(text), &out);
    return out.data ? out.data : (char *)(uintptr_t) "";
}

START_TEST(prose_becomes_short)
{
    static const char *const cases[][2] = {
        {"  Two   words \t here.  \n\n\n\n  Next.   ", "Two words here.\n\n  Next."},
        {"In order to win, you have the ability to wait.", "To win, you can wait."},
        {"It is important to note that the sky is blue.", "The sky is blue."},
        {"Reorder to inorder to", "Reorder to inorder to"},
        {"a\n----------------\nb", "a\n---\nb"},
        {"<p>Hello&nbsp;<b>you</b></p><script>x<y</script><ul><li>A</li><li>B &amp; C</li></ul>",
         "Hello you\n\n- A\n- B & C"},
        {"a < b and c > d", "a < b and c > d"},
        {"<a href=\"x>y\">link</a> &#233;&#x20AC; &bogus; &#xD800;",
         "link \xC3\xA9\xE2\x82\xAC &bogus; &#xD800;"},
        {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_str_eq(compressed(&all, cases[i][0]), cases[i][1]);
}
END_TEST

START_TEST(code_quotations_and_json_stay)
{
    static const char *const kept[] = {
        "```c\nint  main( void )   {  return  0;  }\n\n\n\n// in order to\n```\n",
        "~~~\na   b\n~~~",
        "    indented   code\n",
        "\tindented   code\n",
        "> quoted   line\n",
        "`a   b`",
        "\"in order to   quote\"",
        "\xE2\x80\x9Cin order   to\xE2\x80\x9D",
        "\xC2\xABin order   to\xC2\xBB",
        "'in order   to'",
        "{\"a\" :   [1,   2],  \"in order to\" : \"x\"}",
        "[ 1 ,   2 ]",
        "```\nnever   closed"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        char *text = mem_format("In order to   see\n%s\nin order to   end.", kept[i]);
        ck_assert_msg(strstr(compressed(&all, text), kept[i]) != NULL, "%s: %s", kept[i],
                      compressed(&all, text));
        ck_assert_int_eq(strncmp(compressed(&all, text), "To see\n", 7), 0);
        free(text);
    }
    ck_assert_str_eq(compressed(&all, "don't   say it isn't   so"), "don't say it isn't so");
    ck_assert_str_eq(compressed(&all, "an inch is 2.5\"   long"), "an inch is 2.5\" long");
    ck_assert_str_eq(compressed(&all, "a [   b   c"), "a [ b c");
}
END_TEST

START_TEST(a_paragraph_is_said_once)
{
    const char *p = "This is the long paragraph of boilerplate that somebody has put into every "
                    "single message of the whole conversation.";
    char *text = mem_format("%s\n\nOne.\n\n%s\n\nTwo.\n\n> %s\n\nTwo.", p, p, p);
    char *want = mem_format("%s\n\nOne.\n\nTwo.\n\n> %s\n\nTwo.", p, p);
    ck_assert_str_eq(compressed(&all, text), want);
    free(text);
    free(want);
}
END_TEST

static bool body(const struct config_compress_rule *r, const struct config_list *forms,
                 const char *text, const char *want)
{
    struct error err;
    struct buf out;
    ck_assert_msg(json_check(text, strlen(text), &err), "%s", err.message);
    buf_init(&out, 1 << 20);
    bool gained = compress_body(r, forms, json_root(text, strlen(text)), &out);
    if (gained) {
        ck_assert_str_eq(out.data, want);
        ck_assert(json_check(out.data, out.len, &err));
    }
    buf_free(&out);
    return gained;
}

START_TEST(a_request_keeps_all_but_its_texts)
{
    struct config_short_form form = {.name = (char *)(uintptr_t) "s",
                                     .text = (char *)(uintptr_t) "You are a very long prompt.",
                                     .brief = (char *)(uintptr_t) "Be brief."};
    const struct config_list forms = {&form, 1};
    ck_assert(body(
        &all, &forms,
        "{\"model\":\"m\", \"n\":1.0,\"messages\":[{\"role\":\"system\",\"content\":\"You are  "
        "a very\\nlong prompt.\"},{\"role\":\"user\",\"name\":\"x  y\",\"content\":[{\"type\":"
        "\"text\",\"text\":\"a   b\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"c  d\"}}]},"
        "{\"role\":\"assistant\",\"content\":\"e   f\"}],\"tools\":[{\"a\":\"g   h\"}]}",
        "{\"model\":\"m\",\"n\":1.0,\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},"
        "{\"role\":\"user\",\"name\":\"x  y\",\"content\":[{\"type\":\"text\",\"text\":\"a b\"},"
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"c  d\"}}]},"
        "{\"role\":\"assistant\",\"content\":\"e   f\"}],\"tools\":[{\"a\":\"g   h\"}]}"));
    ck_assert(!body(&all, NULL, "{\"messages\":[{\"role\":\"user\",\"content\":\"short\"}]}", ""));
    ck_assert(!body(&all, NULL, "{\"messages\":\"odd\",\"prompt\":7}", ""));
    ck_assert(body(&all, NULL, "{\"prompt\":\"a   b\"}", "{\"prompt\":\"a b\"}"));
}
END_TEST

START_TEST(a_budget_of_tokens_cuts_whole_sentences)
{
    static const char text[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"One is first. Two is second. `code stays "
        "whole here` Three is third. Four is fourth. Five is fifth. Six is last.\"}]}";
    static const char *const wants[] = {
        [CUT_TAIL] = "One is first. Two is second. `code stays whole here` Three is third. "
                     "[\xE2\x80\xA6] ",
        [CUT_HEAD] = "[\xE2\x80\xA6] `code stays whole here`[\xE2\x80\xA6] Four is fourth. Five is "
                     "fifth. Six is last.",
        [CUT_MIDDLE] =
            "One is first. [\xE2\x80\xA6] `code stays whole here`[\xE2\x80\xA6] Five is fifth. "
            "Six is last."};
    for (int cut = CUT_MIDDLE; cut <= CUT_HEAD; cut++) {
        const struct config_compress_rule r = {.max_tokens = 20, .cut = cut};
        char *want =
            mem_format("{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", wants[cut]);
        ck_assert(body(&r, NULL, text, want));
        free(want);
    }
}
END_TEST

/* Any bytes: the kept runs come through, in order, and time grows with length only. */
START_TEST(hostile_texts_take_no_longer)
{
    static const char *const parts[] = {
        "[",  "{\"",      "\xE2\x80\x9C", "'",    "\"",        "`",   "<a ", "<!--",
        "&#", "<script>", "\n\n",         "\n> ", "in order ", "```", "{}",  "( '"};
    enum { SIZE = 400000 };
    char *text = mem_alloc(SIZE + 16);
    double slowest = 0, plain = 0;
    for (size_t i = 0; i <= sizeof parts / sizeof *parts; i++) {
        const char *part = i ? parts[i - 1] : "word ";
        size_t n = 0;
        while (n + strlen(part) <= SIZE) {
            memcpy(text + n, part, strlen(part));
            n += strlen(part);
        }
        text[n] = '\0';
        clock_t begin = clock();
        struct buf out;
        buf_init(&out, 8 << 20);
        compress_text(&all, text, n, &out);
        buf_free(&out);
        double took = (double)(clock() - begin) / CLOCKS_PER_SEC;
        if (i == 0)
            plain = took;
        slowest = took > slowest ? took : slowest;
    }
    ck_assert_msg(slowest < 20 * plain + 0.1, "%f s, of words %f s", slowest, plain);
    free(text);
}
END_TEST

/* Within five percent after a hundred calls of a kind: prompts of 500 to 3,000 bytes with a fixed
 * part of 200 tokens, answers around 120. */
START_TEST(estimates_learn)
{
    struct estimates es;
    estimates_init(&es);
    struct estimate *e = estimates_find(&es, "m", "/v1/chat/completions", "f");
    ck_assert_ptr_eq(e, estimates_find(&es, "m", "/v1/chat/completions", "f"));
    ck_assert_ptr_ne(e, estimates_find(&es, "m", "/v1/chat/completions", NULL));
    ck_assert(estimate_error(e) < 0);
    srand48(3);
    double said = 0, was = 0;
    int above = 0;
    const struct usage bound = {.input = 3000, .output = 200};
    ck_assert(estimate_most(e, 100, &bound) >= 3200); /* nothing known */
    for (int i = 0; i < 400; i++) {
        size_t bytes = 500 + (size_t)(drand48() * 2500);
        struct usage u = {.input = 200 + (int64_t)((double)bytes / 3.3 * (0.95 + drand48() / 10)),
                          .output = 100 + (int64_t)(drand48() * 40)};
        double tokens = estimate_tokens(e, bytes, 1000000);
        if (i >= 100) {
            above += estimate_most(e, bytes, &bound) < (double)(u.input + u.output);
            said += tokens;
            was += (double)(u.input + u.output);
            ck_assert_msg(estimate_error(e) < 0.05, "%d: %f", i, estimate_error(e));
            ck_assert(tokens > 0.85 * (double)(u.input + u.output));
            ck_assert(tokens < 1.15 * (double)(u.input + u.output));
        }
        estimate_learn(e, bytes, &u, tokens);
    }
    ck_assert_int_le(above, 3);
    ck_assert(estimate_most(e, 1000, &bound) < 1.4 * estimate_tokens(e, 1000, 200));
    ck_assert(said / was > 0.98 && said / was < 1.02);
    estimates_free(&es);
}
END_TEST

START_TEST(a_bound_is_above_what_can_be_billed)
{
    static const char plain[] = "{\"messages\":[],\"max_tokens\":100,\"n\":3}";
    static const char image[] = "{\"messages\":[{\"type\":\"image_url\",\"image_url\":{}}]}";
    const char *chat = "/v1/chat/completions";
    struct usage u = bound_usage(chat, json_root(plain, sizeof plain - 1));
    ck_assert_int_eq(u.input, sizeof plain - 1);
    ck_assert_int_eq(u.output, 300);
    u = bound_usage(chat, json_root(image, sizeof image - 1));
    ck_assert_int_ge(u.input, BOUND_IMAGE);
    ck_assert_int_eq(u.output, BOUND_OUTPUT);
    static const struct {
        const char *url, *body;
        int64_t output;
    } cases[] = {
        {"/v1/completions", "{\"prompt\":[\"a\",\"b\",\"c\"],\"max_tokens\":10,\"n\":2}", 60},
        {"/v1/completions", "{\"prompt\":[1,2,3],\"max_tokens\":10,\"best_of\":8}", 80},
        {"/v1/completions", "{\"prompt\":[[1],[2]],\"max_tokens\":10,\"n\":8.0}", 160},
        {"/v1/responses", "{\"input\":\"x\",\"max_tokens\":10}", BOUND_OUTPUT},
        {"/v1/responses", "{\"input\":\"x\",\"max_output_tokens\":10,\"n\":3}", 10},
        {"/v1/chat/completions", "{\"max_tokens\":10,\"max_tokens\":70}", 70},
        {"/v1/chat/completions", "{\"max_tokens\":10,\"max_completion_tokens\":20.5}", 21},
        {"/v1/chat/completions", "{\"max_tokens\":\"ten\"}", 100000000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        u = bound_usage(cases[i].url, json_root(cases[i].body, strlen(cases[i].body)));
        ck_assert_msg(u.output == cases[i].output, "%s: %ld", cases[i].body, (long)u.output);
    }
    static const char stored[] = "{\"input\":\"x\",\"previous_response_id\":\"r\"}";
    u = bound_usage("/v1/responses", json_root(stored, sizeof stored - 1));
    ck_assert_int_ge(u.input, BOUND_STORED);
}
END_TEST

/* In a text that has tags too, and in one that only looks so. */
START_TEST(html_spares_code_quotations_and_json)
{
    static const char *const kept[] = {"```html\n<p>Hello&amp;</p>\n\n<b>x</b>\n```\n",
                                       "\"use <b>bold</b>   here\"",
                                       "    <b>indented</b>\n    code\n",
                                       "> quoted <b>line</b>\n",
                                       "{\"k\": \"<p>1</p>  2\"}",
                                       "if (a <b && c> d) x = vector<int>();",
                                       "x <foo> y"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        char *text = mem_format("Some words.\n\n%s", kept[i]);
        char *more = mem_format("%s\n\nand <i>more</i>", text),
             *want = mem_format("%s\n\nand more", text);
        ck_assert_str_eq(compressed(&all, text), text);
        if (kept[i][strlen(kept[i]) - 1] != '\n')
            ck_assert_str_eq(compressed(&all, more), want);
        free(text);
        free(more);
        free(want);
    }
    ck_assert_str_eq(
        compressed(&all, "<div>\n    <p title=\"a   b\">One</p>\n    <p>Two</p>\n</div>"),
        "One\n\nTwo");
}
END_TEST

/* Texts without full stops are cut too, and not to nothing. */
START_TEST(a_budget_cuts_any_text)
{
    static const char *const texts[] = {"\xE6\xB1\x89\xE5\xAD\x97", "ab,12;", "word ",
                                        "\xE0\xB8\x81\xE0\xB8\xB2"};
    const struct config_compress_rule r = {.max_tokens = 500, .cut = CUT_MIDDLE};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buf body, out;
        struct error err;
        buf_init(&body, 1 << 20);
        buf_init(&out, 1 << 20);
        buf_str(&body, "{\"messages\":[{\"role\":\"user\",\"content\":\"");
        for (int k = 0; k < 2000; k++)
            buf_str(&body, texts[i]);
        buf_str(&body, "\"}]}");
        ck_assert(compress_body(&r, NULL, json_root(body.data, body.len), &out));
        ck_assert(json_check(out.data, out.len, &err));
        ck_assert_msg(out.len > 1500 && out.len < 2100, "%s: %zu", texts[i], out.len);
        buf_free(&body);
        buf_free(&out);
    }
}
END_TEST

Suite *suite_compress(void)
{
    const TTest *const tests[] = {prose_becomes_short,
                                  code_quotations_and_json_stay,
                                  a_paragraph_is_said_once,
                                  a_request_keeps_all_but_its_texts,
                                  a_budget_of_tokens_cuts_whole_sentences,
                                  hostile_texts_take_no_longer,
                                  estimates_learn,
                                  a_bound_is_above_what_can_be_billed,
                                  html_spares_code_quotations_and_json,
                                  a_budget_cuts_any_text,
                                  NULL};
    return suite_of("compress", tests);
}
