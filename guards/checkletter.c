/* Ids of persons that have letters too. */
#include "guards/checkdigit_private.h"

#include <ctype.h>
#include <string.h>

bool check_dni(const char *s, size_t n)
{
    char digits[9] = {0};
    if (n != 9)
        return false;
    memcpy(digits, s, 8);
    if (s[0] >= 'X' && s[0] <= 'Z')
        digits[0] = (char)('0' + s[0] - 'X');
    return strspn(digits, "0123456789") == 8 &&
           "TRWAGMYFPDXBNJZSQVHLCKE"[number(digits, 8) % 23] == s[8];
}

/* Do its characters fit: 'A', a capital; '0', a digit; '*', either? */
static bool has_form(const char *s, const char *form)
{
    for (; *form; form++, s++) {
        const bool letter = *s >= 'A' && *s <= 'Z', number_like = *s >= '0' && *s <= '9';
        if (*form == 'A' ? !letter : *form == '0' ? !number_like : !(letter || number_like))
            return false;
    }
    return true;
}

static bool is_codice_fiscale(const char *s)
{
    static const char form[] = "AAAAAA00A00A000A";
    static const int odd[] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                              20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
    int sum = 0;
    for (size_t i = 0; i < 16; i++) {
        const bool number_like = isdigit((unsigned char)s[i]) || strchr("LMNPQRSTUV", s[i]);
        if (form[i] == '0' ? !number_like : !isupper((unsigned char)s[i]))
            return false;
        const int v = isdigit((unsigned char)s[i]) ? digit(s[i]) : s[i] - 'A';
        sum += i == 15 ? 0 : i % 2 ? v : odd[v];
    }
    return sum % 26 == s[15] - 'A' && strchr("ABCDEHLMPRST", s[8]) != NULL;
}

bool check_hetu(const char *s, size_t n)
{
    char digits[10] = {0};
    if (n != 11 || !strchr("+-YXWVUABCDEF", s[6]))
        return false;
    memcpy(digits, s, 6);
    memcpy(digits + 6, s + 7, 3);
    return strspn(digits, "0123456789") == 9 && is_date((int)number(s + 2, 2), (int)number(s, 2)) &&
           "0123456789ABCDEFHJKLMNPRSTUVWXY"[number(digits, 9) % 31] == s[10];
}

/* Ireland: a letter by the digits and, if there is one, the second letter. */
bool check_pps(const char *s, size_t n)
{
    if ((n != 8 && n != 9) || !has_form(s, n == 8 ? "0000000A" : "0000000AA"))
        return false;
    const int second = n == 9 && s[8] != 'W' ? s[8] - 'A' + 1 : 0;
    return "WABCDEFGHIJKLMNOPQRSTUV"[(weighted(s, "8765432") + 9 * second) % 23] == s[7];
}

/* Singapore: by the century, and whether the person is a citizen. */
static bool is_nric(const char *s)
{
    static const struct {
        char first;
        int more;
        const char *letters;
    } kinds[] = {{'S', 0, "JZIHGFEDCBA"},
                 {'T', 4, "JZIHGFEDCBA"},
                 {'F', 0, "XWUTRQPNMLK"},
                 {'G', 4, "XWUTRQPNMLK"},
                 {'M', 3, "XWUTRQPNJLK"}};
    for (size_t i = 0; has_form(s, "A0000000A") && i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].first == s[0])
            return kinds[i].letters[(weighted(s + 1, "2765432") + kinds[i].more) % 11] == s[8];
    return false;
}

/* Mexico: a digit by all others, each as its place in the alphabet, which has 24 for Ñ. */
static bool is_curp(const char *s)
{
    int sum = 0;
    if (!has_form(s, "AAAA000000AAAAAA*0") || !strchr("HMX", s[10]) ||
        !is_date((int)number(s + 6, 2), (int)number(s + 8, 2)))
        return false;
    for (int i = 0; i < 17; i++) {
        const int v = isdigit((unsigned char)s[i]) ? digit(s[i]) : s[i] - 'A' + 10 + (s[i] > 'N');
        sum += (18 - i) * v;
    }
    return (10 - sum % 10) % 10 == digit(s[17]);
}

/* The United Kingdom's National Insurance number and India's PAN have no check digit. */
static bool is_nino(const char *s)
{
    static const char *const none[] = {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"};
    bool issued = has_form(s, "AA000000A") && !strchr("DFIQUV", s[0]) && !strchr("DFIOQUV", s[1]) &&
                  s[8] <= 'D';
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        issued &= memcmp(s, none[i], 2) != 0;
    return issued;
}

static bool is_pan(const char *s)
{
    return has_form(s, "AAAAA0000A") && strchr("ABCFGHLJPT", s[3]);
}

const struct lettered_scheme lettered_schemes[] = {
    {18, is_curp, NULL},
    {16, is_codice_fiscale, NULL},
    {10, is_pan, CUES("pan ", "pan:", "pan no", "pan card", "permanent account")},
    {9, is_nric,
     CUES("nric", "uin", "ic ", "ic:", "fin ", "fin:", "singapore", "ic no", "ic number",
          "identity", "national id")},
    {9, is_nino, CUES("national insurance", "nino", "ni number", "ni no", "n.i. n")},
    {0}};
