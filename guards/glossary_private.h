#ifndef QUERN_GLOSSARY_PRIVATE_H
#define QUERN_GLOSSARY_PRIVATE_H
#include "guards/glossary.h"

/* "en:two de:zwei,zwo": words by language, or of all where none is said. */
struct gloss_row {
    enum meaning meaning;
    double value;
    enum dimension dimension;
    const char *words;
};
extern const struct gloss_row gloss_rows[]; /* ends with one without words */
#endif
