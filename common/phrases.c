#include <string.h>
#include <strings.h>

#include "common/compress.h"

/* Sorted by first letter, longer ones first where one begins another. Only what means the same in
 * every sentence: nothing that negates, weighs or hedges. */
static const struct phrase {
    const char *wordy, *brief;
} phrases[] = {{"a large number of", "many"},
               {"a majority of", "most"},
               {"a small number of", "a few"},
               {"a variety of", "various"},
               {"as a consequence of", "because of"},
               {"as a means of", "to"},
               {"as a result of", "because of"},
               {"at the present time", "now"},
               {"at this point in time", "now"},
               {"at all times", "always"},
               {"by means of", "by"},
               {"by virtue of the fact that", "because"},
               {"could you please", "please"},
               {"despite the fact that", "although"},
               {"due to the fact that", "because"},
               {"during the course of", "during"},
               {"for the purpose of", "for"},
               {"for the reason that", "because"},
               {"has the ability to", "can"},
               {"have the ability to", "can"},
               {"i would like you to please", "please"},
               {"i would like you to", "please"},
               {"i want you to", "please"},
               {"i need you to", "please"},
               {"in a manner that", "so that it"},
               {"in addition to", "besides"},
               {"in all cases", "always"},
               {"in close proximity to", "near"},
               {"in light of the fact that", "because"},
               {"in order for", "for"},
               {"in order that", "so that"},
               {"in order to", "to"},
               {"in spite of the fact that", "although"},
               {"in spite of", "despite"},
               {"in the absence of", "without"},
               {"in the event that", "if"},
               {"in the near future", "soon"},
               {"in the process of", "while"},
               {"in the vicinity of", "near"},
               {"in view of the fact that", "because"},
               {"is able to", "can"},
               {"are able to", "can"},
               {"it is important to note that ", ""},
               {"it should be noted that ", ""},
               {"it is worth noting that ", ""},
               {"please be sure to", "please"},
               {"please make sure that you", "please"},
               {"please make sure to", "please"},
               {"please note that ", ""},
               {"prior to", "before"},
               {"regardless of the fact that", "although"},
               {"subsequent to", "after"},
               {"the majority of", "most"},
               {"the fact that", "that"},
               {"until such time as", "until"},
               {"whether or not", "whether"},
               {"with reference to", "about"},
               {"with regard to", "about"},
               {"with respect to", "about"},
               {"with the exception of", "except"},
               {"would you please", "please"}};

static bool ends_word(const char *p, size_t left, size_t n)
{
    if (n == left || p[n - 1] == ' ')
        return true;
    const char c = p[n];
    return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             ((unsigned char)c & 0x80) || c == '_' || c == '-');
}

const char *phrase_short(const char *p, size_t left, size_t *len)
{
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        const char *wordy = phrases[i].wordy;
        if ((wordy[0] | 0x20) != (p[0] | 0x20))
            continue;
        const size_t n = strlen(wordy);
        if (n <= left && strncasecmp(p, wordy, n) == 0 && ends_word(p, left, n)) {
            *len = n;
            return phrases[i].brief;
        }
    }
    return NULL;
}
