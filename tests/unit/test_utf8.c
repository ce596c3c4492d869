/* Every sequence of up to three bytes, and the edges of four, against a plain decoder. */
#include <string.h>

#include "common/utf8.h"
#include "suites.h"

/* The code point of a sequence by RFC 3629's table, and its length; 0: not valid. */
static size_t decode(const unsigned char *s, size_t len)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80             ? 1
               : (s[0] & 0xE0) == 0xC0 ? 2
               : (s[0] & 0xF0) == 0xE0 ? 3
               : (s[0] & 0xF8) == 0xF0 ? 4
                                       : 0;
    if (n == 0 || n > len)
        return 0;
    unsigned v = n == 1 ? s[0] : s[0] & (0x7FU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        v = v << 6 | (s[i] & 0x3F);
    }
    return v < least[n] || v > 0x10FFFF || (v >= 0xD800 && v <= 0xDFFF) ? 0 : n;
}

static bool agree(const unsigned char *s, size_t len)
{
    return utf8_sequence((const char *)s, len) == decode(s, len);
}

START_TEST(every_sequence_is_judged_as_rfc_3629_says)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < 1U << 24; i++) {
        unsigned char s[4] = {(unsigned char)(i >> 16), (unsigned char)(i >> 8), (unsigned char)i,
                              0xBF};
        wrong += !agree(s, 4);
        if (i % 251 == 0)
            wrong += !(agree(s, 1) && agree(s, 2) && agree(s, 3));
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(the_first_bad_byte_is_told_wherever_it_stands)
{
    char text[40];
    for (size_t at = 0; at < sizeof text; at++) {
        size_t bad = 99;
        memset(text, 'a', sizeof text);
        text[at] = '\x80';
        ck_assert(!utf8_valid(text, sizeof text, &bad));
        ck_assert_uint_eq(bad, at);
        ck_assert(utf8_valid(text, at, NULL));
    }
}
END_TEST

START_TEST(what_was_cleaned_is_valid_and_harmless)
{
    char text[256];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)i;
    utf8_clean(text, sizeof text);
    ck_assert(utf8_valid(text, sizeof text, NULL));
    for (size_t i = 0; i < sizeof text; i++) {
        bool kept = (i >= 0x20 && i < 0x7F) || i == '\t' || i == '\n';
        ck_assert_int_eq(text[i], kept ? (int)i : '?');
    }
    char good[] = "\xE2\x82\xAC \xF0\x9F\x98\x80";
    utf8_clean(good, strlen(good));
    ck_assert_str_eq(good, "\xE2\x82\xAC \xF0\x9F\x98\x80");
}
END_TEST

Suite *suite_utf8(void)
{
    const TTest *const tests[] = {every_sequence_is_judged_as_rfc_3629_says,
                                  the_first_bad_byte_is_told_wherever_it_stands,
                                  what_was_cleaned_is_valid_and_harmless, NULL};
    return suite_of("utf8", tests);
}
