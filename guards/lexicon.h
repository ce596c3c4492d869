/* Words and beginnings of words, each with the classes that it is in, in their folded form (see
 * words.h): whole words by their hash, and a trie over the bytes of all. Built once, then read
 * only. Pure. */
#ifndef QUERN_LEXICON_H
#define QUERN_LEXICON_H
#include <stddef.h>
#include <stdint.h>

struct lexicon;

struct lexicon *lexicon_new(void);
void lexicon_free(struct lexicon *l);
/* Adds words, separated by spaces, to the classes of `mask`. "pre*": all that begin with pre. */
void lexicon_add(struct lexicon *l, const char *words, uint64_t mask);
/* The classes of a whole folded word (up to 255 bytes) whose words_hash() is `hash`; 0: it
 * is not known. */
uint64_t lexicon_find(const struct lexicon *l, const char *word, size_t len, uint32_t hash);
/* The longest entry that `text` begins with, for scripts and tricks without spaces: its length in
 * bytes and its classes; 0: none. */
size_t lexicon_longest(const struct lexicon *l, const char *text, size_t len, uint64_t *mask);
#endif
