/* Just enough HTTP/1.1 for one kind of client: keep-alive, Content-Length, one request at a time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/mem.h"
#include "stub.h"

enum { ID_MAX = 64, REQUEST_MAX = 64 << 20, READ_CHUNK = 65536, BACKLOG = 16384 };

struct conn {
    struct ev_loop *loop;
    struct stub_options *options;
    ev_io in, out;
    ev_timer delay;
    struct buf request, answer;
    size_t request_len; /* of the request being answered, 0 while reading */
    size_t sent;
    enum fault fault;
    char id[ID_MAX], key[STUB_KEY_MAX]; /* of a model call; "": of none */
    int status;
    bool streamed;
    size_t head_len;
    int64_t input, output;
};

/* A line of JSON. */
static void write_log(const struct conn *c, bool sent)
{
    struct buf line;
    buf_init(&line, 4096);
    buf_printf(&line, "{\"at\":%.3f,\"id\":\"%s\",\"status\":%d,\"sent\":%s,", ev_time(), c->id,
               c->status, sent ? "true" : "false");
    buf_printf(&line, "\"input\":%lld,\"output\":%lld,\"key\":", (long long)c->input,
               (long long)c->output);
    buf_json(&line, c->key, strlen(c->key));
    buf_str(&line, "}\n");
    (void)fwrite(line.data, 1, line.len, c->options->log);
    (void)fflush(c->options->log);
    buf_free(&line);
}

/* A model call is over: was the whole answer handed to the network? */
static void end_call(struct conn *c, bool sent)
{
    if (!c->key[0])
        return;
    c->options->busy--;
    if (c->options->log)
        write_log(c, sent);
    c->key[0] = '\0';
}

static void conn_close(struct conn *c)
{
    end_call(c, false);
    if (c->fault == FAULT_RESET) {
        struct linger hard = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(c->in.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    ev_io_stop(c->loop, &c->in);
    ev_io_stop(c->loop, &c->out);
    ev_timer_stop(c->loop, &c->delay);
    close(c->in.fd);
    buf_free(&c->request);
    buf_free(&c->answer);
    free(c);
}

static void serve(struct conn *c);

/* The answer is out: the connection is ready for the next request, which may be here already. */
static void conn_next(struct conn *c)
{
    memmove(c->request.data, c->request.data + c->request_len, c->request.len - c->request_len + 1);
    c->request.len -= c->request_len;
    c->request_len = 0;
    c->sent = 0;
    buf_clear(&c->answer);
    if (c->answer.cap > (1 << 20))
        buf_free(&c->answer);
    if (c->request.len)
        serve(c);
}

/* How much is written at once: all, a byte, or one event of a stream. */
static size_t next_piece(const struct conn *c)
{
    size_t left = c->answer.len - c->sent;
    if (c->fault == FAULT_SLOW)
        return 1;
    if (!c->streamed || c->options->gap == 0)
        return left;
    size_t from = c->sent < c->head_len ? c->head_len : c->sent;
    const char *end = memmem(c->answer.data + from, c->answer.len - from, "}\n\n", 3);
    if (!end) /* Gemini's lines end so */
        end = memmem(c->answer.data + from, c->answer.len - from, "\n\r\n", 3);
    return end ? (size_t)(end - c->answer.data) + 3 - c->sent : left;
}

static void on_writable(struct ev_loop *loop, ev_io *w, int events)
{
    struct conn *c = w->data;
    (void)events;
    size_t want = next_piece(c);
    ssize_t n = write(w->fd, c->answer.data + c->sent, want);
    if (n < 0 && errno != EAGAIN) {
        conn_close(c);
        return;
    }
    c->sent += n > 0 ? (size_t)n : 0;
    if (c->sent == c->answer.len && c->fault == FAULT_STALL) {
        ev_io_stop(loop, w);
    } else if (c->sent == c->answer.len) {
        ev_io_stop(loop, w);
        end_call(c, c->fault != FAULT_TRUNCATED && c->fault != FAULT_LENGTH);
        if (c->fault == FAULT_TRUNCATED || c->fault == FAULT_LENGTH)
            conn_close(c);
        else
            conn_next(c);
    } else if (c->fault == FAULT_SLOW || (n == (ssize_t)want && c->options->gap > 0)) {
        ev_io_stop(loop, w);
        ev_timer_set(&c->delay, c->fault == FAULT_SLOW ? 0.05 : c->options->gap, 0.);
        ev_timer_start(loop, &c->delay);
    } else {
        ev_io_start(loop, w);
    }
}

static void on_delay(struct ev_loop *loop, ev_timer *t, int events)
{
    struct conn *c = t->data;
    if (c->fault == FAULT_RESET)
        conn_close(c);
    else if (c->fault != FAULT_HANG)
        on_writable(loop, &c->out, events);
}

static void answer_later(struct conn *c, struct reply *r)
{
    c->fault = r->fault;
    c->status = r->status;
    c->input = r->input;
    c->output = r->output;
    memcpy(c->key, r->key, sizeof c->key);
    c->options->busy += c->key[0] != '\0';
    bool half = r->fault == FAULT_TRUNCATED || r->fault == FAULT_STALL;
    size_t body = half ? r->body.len / 2 : r->body.len;
    c->streamed = r->streamed;
    c->head_len = r->head.len;
    buf_add(&c->answer, r->head.data, r->head.len);
    buf_add(&c->answer, r->body.data, body);
    ev_timer_set(&c->delay, r->delay, 0.);
    ev_timer_start(c->loop, &c->delay);
}

/* GET: the counters, or a health check. */
static void answer_get(struct conn *c, const char *path)
{
    struct reply r = {0};
    buf_init(&r.head, 4096);
    buf_init(&r.body, REQUEST_MAX);
    if (strcmp(path, "/stub/calls") == 0)
        stub_calls(&r.body);
    else if (strcmp(path, "/stub/reset") == 0)
        stub_calls_reset();
    else if (strncmp(path, "/stub/fault/", 12) == 0)
        buf_str(&r.body, stub_set_fault(c->options, path + 12) ? "true" : "false");
    buf_printf(&r.head,
               "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
               "Content-Length: %zu\r\n\r\n",
               r.body.len);
    answer_later(c, &r);
    buf_free(&r.head);
    buf_free(&r.body);
}

/* X-Client-Request-Id, by which the caller's books can be held against ours. */
static void copy_id(struct conn *c, const char *head_end)
{
    static const char name[] = "\r\nx-client-request-id: ";
    const char *id = strcasestr(c->request.data, name);
    size_t n = 0;
    if (id && id < head_end) {
        id += sizeof name - 1;
        n = strcspn(id, "\r\"\\");
        n = n < ID_MAX ? n : ID_MAX - 1;
        memcpy(c->id, id, n);
    }
    c->id[n] = '\0';
}

/* If a whole request is here, answers it. */
static void serve(struct conn *c)
{
    char method[8], path[256];
    const char *end = memmem(c->request.data, c->request.len, "\r\n\r\n", 4);
    if (!end)
        return;
    size_t head = (size_t)(end - c->request.data) + 4, body = 0;
    const char *length = strcasestr(c->request.data, "\r\ncontent-length:");
    if (length && length < end)
        body = strtoul(length + 17, NULL, 10);
    if (c->request.len < head + body || sscanf(c->request.data, "%7s %255s", method, path) != 2)
        return;
    c->request_len = head + body;
    if (strcmp(method, "POST") != 0) {
        answer_get(c, path);
        return;
    }
    struct reply r = {0};
    copy_id(c, end);
    stub_answer(c->options, path, c->request.data + head, body, &r);
    answer_later(c, &r);
    buf_free(&r.head);
    buf_free(&r.body);
}

static void on_readable(struct ev_loop *loop, ev_io *w, int events)
{
    static char chunk[READ_CHUNK];
    struct conn *c = w->data;
    (void)loop;
    (void)events;
    ssize_t n = read(w->fd, chunk, sizeof chunk);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        conn_close(c);
        return;
    }
    buf_add(&c->request, chunk, (size_t)n);
    if (c->request.overflow)
        conn_close(c);
    else if (c->request_len == 0)
        serve(c);
}

static void on_accept(struct ev_loop *loop, ev_io *w, int events)
{
    (void)events;
    for (;;) {
        int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
        if (fd < 0)
            return;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct conn *c = mem_zero(sizeof *c);
        c->loop = loop;
        c->options = w->data;
        buf_init(&c->request, REQUEST_MAX);
        buf_init(&c->answer, REQUEST_MAX * 2UL);
        ev_io_init(&c->in, on_readable, fd, EV_READ);
        ev_io_init(&c->out, on_writable, fd, EV_WRITE);
        ev_timer_init(&c->delay, on_delay, 0., 0.);
        c->in.data = c->out.data = c->delay.data = c;
        ev_io_start(loop, &c->in);
    }
}

int stub_listen(struct ev_loop *loop, struct stub_options *o, int port)
{
    static ev_io listener;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0) {
        perror("stub-model: cannot listen");
        return -1;
    }
    ev_io_init(&listener, on_accept, fd, EV_READ);
    listener.data = o;
    ev_io_start(loop, &listener);
    return ntohs(a.sin_port);
}
