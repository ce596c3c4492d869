#include "guards/seal.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { NONCE = 12, TAG = 16, RECORD_MOST = 800 << 10, BRIEF_MAX = 4096 };

/* Nonce, ciphertext, tag. NULL: OpenSSL failed. */
static unsigned char *encrypt(const unsigned char *key, struct json v, size_t *len)
{
    unsigned char *out = mem_alloc(NONCE + v.len + TAG);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0, last = 0;
    const bool done =
        c && RAND_bytes(out, NONCE) == 1 &&
        EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, out) == 1 &&
        EVP_EncryptUpdate(c, out + NONCE, &n, (const unsigned char *)v.p, (int)v.len) == 1 &&
        EVP_EncryptFinal_ex(c, out + NONCE + n, &last) == 1 &&
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, out + NONCE + v.len) == 1;
    EVP_CIPHER_CTX_free(c);
    *len = NONCE + v.len + TAG;
    if (!done) {
        free(out);
        return NULL;
    }
    return out;
}

static char *decrypt(const unsigned char *key, unsigned char *in, size_t len, size_t *out_len)
{
    if (len < NONCE + TAG)
        return NULL;
    *out_len = len - NONCE - TAG;
    char *out = mem_alloc(*out_len + 1);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0, last = 0;
    const bool done =
        c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, in) == 1 &&
        EVP_DecryptUpdate(c, (unsigned char *)out, &n, in + NONCE, (int)*out_len) == 1 &&
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, in + NONCE + *out_len) == 1 &&
        EVP_DecryptFinal_ex(c, (unsigned char *)out + n, &last) == 1;
    EVP_CIPHER_CTX_free(c);
    if (!done) {
        free(out);
        return NULL;
    }
    out[*out_len] = '\0';
    return out;
}

/* The members of `doc` but for body and sealed, and this body; the object is not closed. */
static void write_others(struct json doc, struct json body, struct buf *out)
{
    struct json_member m;
    size_t pos = 0;
    buf_char(out, '{');
    while (json_next_member(doc, &pos, &m)) {
        if (json_equals(m.key, "body") || json_equals(m.key, "sealed"))
            continue;
        buf_add(out, m.key.p, m.key.len);
        buf_char(out, ':');
        buf_add(out, m.value.p, m.value.len);
        buf_char(out, ',');
    }
    buf_str(out, "\"body\":");
    buf_add(out, body.p, body.len);
}

bool seal_doc(const unsigned char key[SEAL_KEY], struct json doc, struct json body, struct buf *out)
{
    size_t len;
    unsigned char *sealed = encrypt(key, json_get(doc, "body"), &len);
    if (!sealed)
        return false;
    char *text = mem_alloc(len / 3 * 4 + 5);
    const int n = EVP_EncodeBlock((unsigned char *)text, sealed, (int)len);
    struct buf brief;
    buf_init(&brief, BRIEF_MAX);
    if (body.len + (size_t)n > RECORD_MOST) { /* Kafka takes no more */
        buf_str(&brief, "{\"model\":");
        const struct json model = json_get(body, "model");
        buf_add(&brief, model.p ? model.p : "\"\"", model.p ? model.len : 2);
        buf_char(&brief, '}');
        body = json_root(brief.data, brief.len);
    }
    write_others(doc, body, out);
    buf_free(&brief);
    buf_str(out, ",\"sealed\":\"");
    buf_add(out, text, (size_t)n);
    buf_str(out, "\"}");
    free(text);
    free(sealed);
    return !out->overflow;
}

bool seal_open(const unsigned char key[SEAL_KEY], struct json doc, struct buf *out)
{
    char *text = json_string_dup(json_get(doc, "sealed")), *body = NULL;
    size_t len = text ? strlen(text) : 0, body_len = 0;
    unsigned char *sealed = mem_alloc(len + 4);
    int n =
        len && len % 4 == 0 ? EVP_DecodeBlock(sealed, (const unsigned char *)text, (int)len) : -1;
    if (n > 0) {
        n -= (text[len - 1] == '=') + (text[len - 2] == '=');
        body = decrypt(key, sealed, (size_t)n, &body_len);
    }
    if (body) {
        write_others(doc, (struct json){body, body_len}, out);
        buf_char(out, '}');
        explicit_bzero(body, body_len);
    }
    free(body);
    free(sealed);
    free(text);
    return body != NULL && !out->overflow;
}
