/* Plain files: each is one task, its content is {{text}}, its path {{file}} and the custom_id. */
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/mem.h"
#include "common/utf8.h"
#include "input.h"
#include "common/template.h"

struct files {
    struct input base;
    char *const *paths;
    int count, at;
    const struct input_prompt *prompt;
    struct buf text, filled, body;
};

static const char *lookup(const void *arg, const char *name, size_t len, size_t *value_len)
{
    const struct files *f = arg;
    const char *path = f->paths[f->at];
    if (len == 4 && memcmp(name, "text", 4) == 0) {
        *value_len = f->text.len;
        return f->text.data ? f->text.data : "";
    }
    if (len == 4 && memcmp(name, "file", 4) == 0) {
        *value_len = strlen(path);
        return path;
    }
    return NULL;
}

static quern_status read_one(struct files *f, struct input_item *item, struct error *err)
{
    size_t bad;
    buf_clear(&f->text);
    buf_clear(&f->filled);
    buf_clear(&f->body);
    if (!utf8_valid(item->file, strlen(item->file), NULL))
        return error_set(err, ERROR_PERMANENT, "invalid_input",
                         "the file's name, which becomes the custom_id, is no valid UTF-8");
    if (file_read(item->file, &f->text, err) != QUERN_OK)
        return QUERN_FAIL;
    if (f->text.len && !utf8_valid(f->text.data, f->text.len, &bad))
        return error_set(err, ERROR_PERMANENT, "invalid_input", "invalid UTF-8 at byte %zu",
                         bad + 1);
    if (f->text.len && memchr(f->text.data, '\0', f->text.len))
        return error_set(err, ERROR_PERMANENT, "invalid_input", "a NUL byte: is it a text?");
    if ((f->prompt->untrusted ? template_fill_data : template_fill)(f->prompt->prompt, lookup, f,
                                                                    &f->filled, err) != QUERN_OK)
        return QUERN_FAIL;
    input_chat_body(f->prompt, &f->filled, &f->body);
    item->custom_id = item->file;
    item->id_len = strlen(item->file);
    item->url = "/v1/chat/completions";
    item->body = json_root(f->body.data, f->body.len);
    if (f->body.overflow || f->filled.overflow)
        return error_set(err, ERROR_PERMANENT, "invalid_input", "the request is too long");
    return QUERN_OK;
}

static enum input_result files_next(struct input *in, struct input_item *item, struct error *err)
{
    struct files *f = (struct files *)in;
    if (f->at == f->count)
        return INPUT_END;
    *item = (struct input_item){.file = f->paths[f->at], .line = f->at + 1};
    enum input_result r = read_one(f, item, err) == QUERN_OK ? INPUT_ITEM : INPUT_BAD;
    f->at++;
    return r;
}

static quern_status files_rewind(struct input *in, struct error *err)
{
    (void)err;
    ((struct files *)in)->at = 0;
    return QUERN_OK;
}

static void files_close(struct input *in)
{
    struct files *f = (struct files *)in;
    buf_free(&f->text);
    buf_free(&f->filled);
    buf_free(&f->body);
    free(f);
}

struct input *input_files_open(char *const *paths, int count, const struct input_prompt *p,
                               size_t file_max, struct error *err)
{
    static const struct input_ops ops = {files_next, files_rewind, files_close};
    struct files *f = mem_zero(sizeof *f);
    (void)err;
    f->base.ops = &ops;
    f->paths = paths;
    f->count = count;
    f->prompt = p;
    buf_init(&f->text, file_max);
    buf_init(&f->filled, 2 * file_max);
    buf_init(&f->body, 4 * file_max);
    return &f->base;
}
