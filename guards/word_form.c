#include "guards/word_form.h"

#include <string.h>

struct word_hashes word_hashes_of(const char *folded, size_t len)
{
    struct word_hashes h = word_no_bytes;
    for (size_t i = 0; i < len; i++)
        h = word_hash_on(h, folded[i], i);
    return h;
}

uint32_t words_hash(const char *folded, size_t len)
{
    return word_hashes_of(folded, len).whole;
}

void form_put(struct word_form *f, const char *bytes, size_t len)
{
    if (f->len + len <= WORD_MAX)
        for (size_t i = 0; i < len; i++)
            form_put_char(f, bytes[i]);
}

char word_looks_like(utf8proc_int32_t c)
{
    static const struct {
        utf8proc_int32_t code;
        char c;
    } alike[] = {
        {0x131, 'i'},  {0x138, 'k'},  {0x1C0, 'l'},  {0x251, 'a'},  {0x261, 'g'},  {0x269, 'i'},
        {0x26A, 'i'},  {0x274, 'n'},  {0x280, 'r'},  {0x28F, 'y'},  {0x29F, 'l'},  {0x3B1, 'a'},
        {0x3B5, 'e'},  {0x3B7, 'n'},  {0x3B9, 'i'},  {0x3BA, 'k'},  {0x3BD, 'v'},  {0x3BF, 'o'},
        {0x3C1, 'p'},  {0x3C3, 'o'},  {0x3C4, 't'},  {0x3C5, 'u'},  {0x3C7, 'x'},  {0x3C9, 'w'},
        {0x430, 'a'},  {0x432, 'b'},  {0x433, 'r'},  {0x435, 'e'},  {0x438, 'u'},  {0x43A, 'k'},
        {0x43C, 'm'},  {0x43D, 'h'},  {0x43E, 'o'},  {0x43F, 'n'},  {0x440, 'p'},  {0x441, 'c'},
        {0x442, 't'},  {0x443, 'y'},  {0x445, 'x'},  {0x44C, 'b'},  {0x455, 's'},  {0x456, 'i'},
        {0x457, 'i'},  {0x458, 'j'},  {0x475, 'v'},  {0x491, 'r'},  {0x4BB, 'h'},  {0x4CF, 'l'},
        {0x501, 'd'},  {0x51B, 'q'},  {0x51D, 'w'},  {0x561, 'w'},  {0x570, 'h'},  {0x578, 'n'},
        {0x57D, 'u'},  {0x581, 'g'},  {0x585, 'o'},  {0x1D00, 'a'}, {0x1D04, 'c'}, {0x1D05, 'd'},
        {0x1D07, 'e'}, {0x1D0A, 'j'}, {0x1D0B, 'k'}, {0x1D0D, 'm'}, {0x1D0F, 'o'}, {0x1D18, 'p'},
        {0x1D1B, 't'}, {0x1D1C, 'u'}, {0x1D20, 'v'}, {0x1D21, 'w'}, {0x1D22, 'z'}, {0xA731, 's'}};
    size_t low = 0, high = sizeof alike / sizeof *alike;
    while (low < high) {
        const size_t mid = (low + high) / 2;
        if (alike[mid].code == c)
            return alike[mid].c;
        if (alike[mid].code < c)
            low = mid + 1;
        else
            high = mid;
    }
    return 0;
}

bool word_is_unspaced(utf8proc_int32_t c)
{
    return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) ||
           (c >= 0xE00 && c <= 0xE7F) || (c >= 0x20000 && c <= 0x2FFFF);
}

size_t word_decompose(utf8proc_int32_t c, utf8proc_int32_t out[DECOMPOSED_MAX])
{
    int last = 0;
    const utf8proc_option_t how = UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD |
                                  UTF8PROC_STRIPMARK | UTF8PROC_IGNORE;
    const utf8proc_ssize_t n = utf8proc_decompose_char(c, out, DECOMPOSED_MAX, how, &last);
    return n < 0 || n > DECOMPOSED_MAX ? 0 : (size_t)n;
}

void form_put_code(struct word_form *f, utf8proc_int32_t c)
{
    utf8proc_uint8_t bytes[4];
    form_put(f, (const char *)bytes, (size_t)utf8proc_encode_char(c, bytes));
}

size_t words_fold(const char *word, size_t len, char out[WORD_MAX])
{
    struct word_form f;
    utf8proc_int32_t c, parts[DECOMPOSED_MAX];
    form_clear(&f);
    for (size_t at = 0; at < len;) {
        const utf8proc_ssize_t w =
            utf8proc_iterate((const utf8proc_uint8_t *)word + at, (utf8proc_ssize_t)(len - at), &c);
        if (w <= 0)
            break;
        if (word_is_unspaced(c))
            form_put(&f, word + at, (size_t)w);
        else
            for (size_t i = 0, n = word_decompose(c, parts); i < n; i++)
                form_put_code(&f, parts[i]);
        at += (size_t)w;
    }
    memcpy(out, f.text, f.len);
    return f.len;
}
