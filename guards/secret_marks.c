/* Keys by the marks that services put on theirs. */
#include <ctype.h>
#include <string.h>

#include "guards/secrets_private.h"

#define WORD BYTES_LETTERS, BYTES_DIGITS, ['-'] = true, ['_'] = true

static const byte_set hex = {BYTES_HEX}, capital = {BYTES_CAPITALS, BYTES_DIGITS},
                      base64 = {WORD, ['+'] = true, ['/'] = true, ['='] = true};
const byte_set secret_word = {WORD}, secret_dotted = {WORD, ['.'] = true};

/* What services put in front, and how many characters of which set are behind it at least; of hex,
 * just so many. */
static const struct mark {
    const char *prefix;
    size_t least;
    const bool *set;
} marks[] = {{"sk-", 20, secret_word},
             {"AKIA", 16, capital},
             {"ASIA", 16, capital},
             {"ABIA", 16, capital},
             {"ghp_", 30, secret_word},
             {"gho_", 30, secret_word},
             {"ghu_", 30, secret_word},
             {"ghs_", 30, secret_word},
             {"ghr_", 30, secret_word},
             {"github_pat_", 22, secret_word},
             {"glpat-", 18, secret_word},
             {"glrt-", 18, secret_word},
             {"xoxb-", 10, secret_word},
             {"xoxp-", 10, secret_word},
             {"xoxa-", 10, secret_word},
             {"xoxr-", 10, secret_word},
             {"xoxs-", 10, secret_word},
             {"xapp-", 10, secret_word},
             {"sk_live_", 16, secret_word},
             {"sk_test_", 16, secret_word},
             {"rk_live_", 16, secret_word},
             {"rk_test_", 16, secret_word},
             {"pk_live_", 16, secret_word},
             {"whsec_", 20, secret_word},
             {"AIza", 30, secret_word},
             {"GOCSPX-", 24, secret_word},
             {"ya29.", 20, secret_word},
             {"npm_", 30, secret_word},
             {"hf_", 30, secret_word},
             {"gsk_", 30, secret_word},
             {"xai-", 30, secret_word},
             {"r8_", 30, secret_word},
             {"pplx-", 30, secret_word},
             {"pypi-", 40, secret_word},
             {"rubygems_", 48, hex},
             {"dckr_pat_", 20, secret_word},
             {"dop_v1_", 64, hex},
             {"shpat_", 32, hex},
             {"shpca_", 32, hex},
             {"shpss_", 32, hex},
             {"SK", 32, hex},
             {"AC", 32, hex},
             {"SG.", 40, secret_dotted},
             {"xkeysib-", 64, secret_word},
             {"eyJ", 40, secret_dotted},
             {"AGE-SECRET-KEY-", 40, capital},
             {"dapi", 32, hex},
             {"lin_api_", 30, secret_word},
             {"ntn_", 40, secret_word},
             {"secret_", 40, secret_word},
             {"PMAK-", 40, secret_word},
             {"key-", 32, hex},
             {"HRKU-", 30, secret_word},
             {"EAAA", 50, secret_word},
             {"EAAC", 60, secret_word},
             {"rzp_live_", 14, secret_word},
             {"figd_", 30, secret_word},
             {"pscale_pw_", 30, secret_word},
             {"pscale_tkn_", 30, secret_word},
             {"NRAK-", 25, secret_word},
             {"dp.pt.", 40, secret_dotted},
             {"dp.st.", 40, secret_dotted},
             {"CFPAT-", 40, secret_word},
             {"CCIPAT_", 20, secret_word},
             {"bkua_", 36, secret_word},
             {"pul-", 40, hex},
             {"sgp_", 40, secret_word},
             {"glsa_", 30, secret_word},
             {"hvs.", 24, secret_word},
             {"hvb.", 24, secret_word},
             {"sbp_", 40, hex},
             {"pcsk_", 40, secret_word},
             {"nfp_", 36, secret_word},
             {"sntrys_", 40, base64},
             {"tskey-", 20, secret_word},
             {"ATATT", 60, base64},
             {"fm2_", 40, base64},
             {"pat", 70, secret_dotted},
             {"LS0tLS1CRUdJTi", 40, base64},
             {"hooks.slack.com/services/", 30, base64},
             {"discord.com/api/webhooks/", 60, base64},
             {"discordapp.com/api/webhooks/", 60, base64}};

/* "eyJ….eyJ….sig" */
static bool is_jwt(const char *s, size_t n)
{
    const char *dot = memchr(s, '.', n);
    return dot && memchr(dot + 1, '.', n - (size_t)(dot + 1 - s)) != NULL;
}

/* Letters of both cases and nothing else: what is drawn may have no digit. */
static bool is_mixed(const char *s, size_t n)
{
    size_t upper = 0, lower = 0;
    for (size_t i = 0; i < n; i++) {
        upper += isupper((unsigned char)s[i]) != 0;
        lower += islower((unsigned char)s[i]) != 0;
    }
    return upper > 2 && lower > 2 && upper + lower == n;
}

static bool begins_mark(char c)
{
    static const byte_set first = {
        ['A'] = true, ['C'] = true, ['E'] = true, ['G'] = true, ['H'] = true,
        ['L'] = true, ['N'] = true, ['P'] = true, ['S'] = true, ['b'] = true,
        ['d'] = true, ['e'] = true, ['f'] = true, ['g'] = true, ['h'] = true,
        ['k'] = true, ['l'] = true, ['n'] = true, ['p'] = true, ['r'] = true,
        ['s'] = true, ['t'] = true, ['w'] = true, ['x'] = true, ['y'] = true};
    return bytes_has(first, c);
}

bool secret_marked_at(const char *s, size_t len, size_t *n)
{
    size_t token = 0;
    if (!begins_mark(s[0]))
        return false;
    while (token < len && token < SECRET_MARKED_LEAST && bytes_has(secret_dotted, s[token]))
        token++;
    if (token < SECRET_MARKED_LEAST)
        return false;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (marks[i].prefix[0] != s[0] || marks[i].prefix[1] != s[1])
            continue;
        const size_t k = strlen(marks[i].prefix);
        if (len < k + marks[i].least || memcmp(s, marks[i].prefix, k) != 0)
            continue;
        size_t end = k;
        while (end < len && end < SECRET_MAX && bytes_has(marks[i].set, s[end]))
            end++;
        while (end > k && !isalnum((unsigned char)s[end - 1]) && s[end - 1] != '_')
            end--;
        if (end - k < marks[i].least || (marks[i].set == hex && end - k != marks[i].least) ||
            (s[0] == 'e' && !is_jwt(s, end)) ||
            !(secret_has_digit(s + k, end - k) || is_mixed(s + k, end - k)) ||
            secret_entropy(s + k, end - k) < 2.5)
            continue;
        *n = end;
        return true;
    }
    return false;
}
