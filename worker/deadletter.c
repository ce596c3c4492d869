#include "deadletter.h"

#include <inttypes.h>
#include <openssl/evp.h>

#include "common/json.h"
#include "common/units.h"

static void write_record(const struct task *t, struct buf *out)
{
    struct error err;
    size_t kept;
    const char *record = task_kept_record(t, &kept);
    if (json_check(record, kept, &err)) {
        buf_str(out, ",\"record\":");
        json_minify(json_root(record, kept), out);
        return;
    }
    size_t len = (t->record_len + 2) / 3 * 4;
    buf_str(out, ",\"record_base64\":\"");
    if (buf_reserve(out, len)) {
        (void)EVP_EncodeBlock((unsigned char *)out->data + out->len,
                              (const unsigned char *)t->record, (int)t->record_len);
        out->len += len;
    }
    buf_char(out, '"');
}

void deadletter_write(const struct task *t, struct buf *out)
{
    char id[UUID_TEXT_LEN + 1], now[UNITS_TEXT_MAX];
    buf_printf(out, "{\"v\":1,\"id\":%" PRId64, t->publication_id);
    if (t->readable) {
        buf_printf(out, ",\"job_id\":\"%s\",", uuid_format(&t->doc.job_id, id));
        buf_json_member(out, "custom_id", t->doc.custom_id);
        buf_printf(out, ",\"generation\":%" PRId64, t->doc.generation);
    }
    buf_printf(out, ",\"status\":\"%s\",", task_status_names[t->status]);
    buf_json_member(out, "reason", t->error.code);
    buf_char(out, ',');
    buf_json_member(out, "error", t->error.message);
    buf_printf(out, ",\"attempts\":%" PRId64 ",", t->journey.attempts + (int64_t)t->attempt_count);
    buf_json_member(out, "topic", t->partition->topic);
    buf_printf(out, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"failed_at\":\"%s\"",
               t->partition->number, t->offset, units_format_time(units_now_us(), now));
    write_record(t, out);
    buf_char(out, '}');
}
