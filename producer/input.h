/* The inputs of `quern submit`, all behind one interface: OpenAI Batch lines, rows with a prompt
 * template, plain files. An input is read twice: once to check it whole, once to send it. */
#ifndef QUERN_INPUT_H
#define QUERN_INPUT_H
#include <stdint.h>
#include <stdio.h>

#include "common/buf.h"
#include "common/error.h"
#include "common/json.h"
#include "common/wishes.h"

/* How rows and files become requests. */
struct input_prompt {
    const char *prompt, *system, *model;
    bool untrusted; /* fields are data, and the model is told so */
};

/* One task to be. The strings are borrowed until the next call. */
struct input_item {
    const char *custom_id;
    size_t id_len;
    const char *url;
    struct json body;
    const char *tenant, *user, *feature; /* NULL: as the submission says */
    struct wishes wishes;                /* of its own */
    const char *file;                    /* where it stands */
    int64_t line;
};

enum input_result { INPUT_ITEM, INPUT_BAD, INPUT_END, INPUT_FAILED };

struct input;
struct input_ops {
    /* INPUT_BAD: this item is wrong (`err` says why; item->file and line say where), the next may
     * be read. INPUT_FAILED: nothing more can be read. */
    enum input_result (*next)(struct input *in, struct input_item *item, struct error *err);
    quern_status (*rewind)(struct input *in, struct error *err);
    void (*close)(struct input *in);
};

struct input {
    const struct input_ops *ops;
};

/* Each returns NULL with `err` if a file cannot be opened. "-" is standard input, which is copied
 * to a temporary file. `line_max` bounds a line. Paths and texts are borrowed. */
struct input *input_batch_open(const char *path, size_t line_max, struct error *err);
struct input *input_csv_open(const char *path, const struct input_prompt *p, size_t line_max,
                             struct error *err);
struct input *input_jsonl_open(const char *path, const struct input_prompt *p, size_t line_max,
                               struct error *err);
struct input *input_files_open(char *const *paths, int count, const struct input_prompt *p,
                               size_t file_max, struct error *err);

/* For implementations. Opens a path, or spools standard input. */
FILE *input_open_file(const char *path, struct error *err);
/* Appends a chat request: the prompt (already filled) as the user message. */
void input_chat_body(const struct input_prompt *p, const struct buf *prompt, struct buf *out);
#endif
