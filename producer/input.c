#include "input.h"

#include <errno.h>
#include <string.h>

static FILE *spool(struct error *err)
{
    static char chunk[1 << 16];
    size_t n;
    FILE *f = tmpfile();
    while (f && (n = fread(chunk, 1, sizeof chunk, stdin)) > 0) {
        if (fwrite(chunk, 1, n, f) != n) {
            (void)fclose(f);
            f = NULL;
        }
    }
    if (f && !ferror(stdin) && fflush(f) == 0) {
        rewind(f);
        return f;
    }
    (void)error_set(err, ERROR_PERMANENT, "io",
                    "cannot copy standard input to a temporary file (TMPDIR says where): %s",
                    strerror(errno));
    if (f)
        (void)fclose(f);
    return NULL;
}

FILE *input_open_file(const char *path, struct error *err)
{
    if (strcmp(path, "-") == 0)
        return spool(err);
    FILE *f = fopen(path, "re");
    if (!f)
        (void)error_set(err, ERROR_PERMANENT, "usage", "cannot open %s: %s", path, strerror(errno));
    return f;
}

void input_chat_body(const struct input_prompt *p, const struct buf *prompt, struct buf *out)
{
    buf_str(out, "{");
    buf_json_member(out, "model", p->model);
    buf_str(out, ",\"messages\":[");
    if (p->system) {
        buf_str(out, "{\"role\":\"system\",");
        buf_json_member(out, "content", p->system);
        buf_str(out, "},");
    }
    buf_str(out, "{\"role\":\"user\",\"content\":");
    buf_json(out, prompt->data ? prompt->data : "", prompt->len);
    buf_str(out, "}]}");
}
