/* A model service that costs next to nothing: it answers every POST with the same chat completion,
 * at once or after a fixed time, so that a benchmark measures its client. HTTP/1.1 with keep-alive
 * and Content-Length; no request is parsed further than its head.
 *
 *   bench-stub PORT LATENCY_MS
 *
 * GET /: {"calls": N, "first": S, "last": S, "busy_max": N}, and counts anew; times of the first
 * request and the last answer, in seconds since 1970. GET /peek: the same, and counts on. */
#include <arpa/inet.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

enum { REQUEST_MAX = 1 << 20, ANSWER_MAX = 2048, CONTENT = 600, BACKLOG = 16384, FIRST_CAP = 4096 };

struct conn {
    struct conn *prev, *next; /* in the queue of those that wait, in the order of their turns */
    double due;
    ev_io in;
    char *data; /* what has come of requests */
    size_t len, cap;
    size_t request; /* length of the one being answered; 0: none */
};

static struct {
    double latency;
    struct conn *waiting;
    ev_timer timer;
    char answer[ANSWER_MAX];
    size_t answer_len;
    long calls, busy, busy_max;
    double first, last;
} stub;

static void make_answer(void)
{
    char content[CONTENT + 1], body[ANSWER_MAX / 2];
    memset(content, 'a', CONTENT);
    content[CONTENT] = '\0';
    int n =
        snprintf(body, sizeof body,
                 "{\"id\":\"chatcmpl-bench-000000000000\",\"object\":\"chat.completion\","
                 "\"created\":1700000000,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,"
                 "\"message\":{\"role\":\"assistant\",\"content\":\"%s\",\"refusal\":null},"
                 "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":400,"
                 "\"completion_tokens\":150,\"total_tokens\":550,\"prompt_tokens_details\":"
                 "{\"cached_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0}}}",
                 content);
    n = snprintf(
        stub.answer, sizeof stub.answer,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", n,
        body);
    stub.answer_len = (size_t)n;
}

static void serve(struct ev_loop *loop, struct conn *c);

static void conn_close(struct ev_loop *loop, struct conn *c)
{
    if (c->request && stub.latency > 0)
        DL_DELETE(stub.waiting, c);
    stub.busy -= c->request != 0;
    ev_io_stop(loop, &c->in);
    close(c->in.fd);
    free(c->data);
    free(c);
}

/* An answer always fits into an empty socket buffer. False: the connection is gone. */
static int answer(struct ev_loop *loop, struct conn *c, const char *text, size_t len)
{
    if (write(c->in.fd, text, len) != (ssize_t)len) {
        c->request = 0;
        conn_close(loop, c);
        return 0;
    }
    c->len -= c->request;
    memmove(c->data, c->data + c->request, c->len);
    c->request = 0;
    return 1;
}

static void tell(struct ev_loop *loop, struct conn *c, int peek)
{
    char body[256], text[512];
    int n =
        snprintf(body, sizeof body, "{\"calls\":%ld,\"first\":%.6f,\"last\":%.6f,\"busy_max\":%ld}",
                 stub.calls, stub.first, stub.last, stub.busy_max);
    n = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, body);
    if (!peek) {
        stub.calls = stub.busy_max = 0;
        stub.first = 0;
    }
    if (answer(loop, c, text, (size_t)n))
        serve(loop, c);
}

static void end_call(struct ev_loop *loop, struct conn *c)
{
    stub.busy--;
    stub.last = ev_now(loop);
    if (answer(loop, c, stub.answer, stub.answer_len))
        serve(loop, c);
}

static void on_due(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    double now = ev_now(loop);
    while (stub.waiting && stub.waiting->due <= now) {
        struct conn *c = stub.waiting;
        DL_DELETE(stub.waiting, c);
        end_call(loop, c);
    }
    if (stub.waiting) {
        ev_timer_set(timer, stub.waiting->due - now, 0.);
        ev_timer_start(loop, timer);
    }
}

static void begin_call(struct ev_loop *loop, struct conn *c)
{
    stub.calls++;
    if (++stub.busy > stub.busy_max)
        stub.busy_max = stub.busy;
    if (stub.first == 0)
        stub.first = ev_now(loop);
    if (stub.latency == 0) {
        end_call(loop, c);
        return;
    }
    c->due = ev_now(loop) + stub.latency;
    DL_APPEND(stub.waiting, c);
    if (!ev_is_active(&stub.timer)) {
        ev_timer_set(&stub.timer, stub.latency, 0.);
        ev_timer_start(loop, &stub.timer);
    }
}

/* The length of the request whose head ends at `end`. */
static size_t request_length(const struct conn *c, const char *end)
{
    static const char name[] = "\nContent-Length:";
    size_t head = (size_t)(end - c->data) + 4;
    for (const char *line = memchr(c->data, '\n', head); line && line < end;
         line = memchr(line + 1, '\n', (size_t)(end - line)))
        if (strncasecmp(line, name, sizeof name - 1) == 0)
            return head + strtoul(line + sizeof name - 1, NULL, 10);
    return head;
}

static void serve(struct ev_loop *loop, struct conn *c)
{
    const char *end = c->len ? memmem(c->data, c->len, "\r\n\r\n", 4) : NULL;
    size_t length = end ? request_length(c, end) : 0;
    if (c->request || !end || length > c->len)
        return;
    c->request = length;
    if (strncmp(c->data, "GET /", 5) == 0)
        tell(loop, c, strncmp(c->data, "GET /peek ", 10) == 0);
    else
        begin_call(loop, c);
}

static void on_readable(struct ev_loop *loop, ev_io *w, int events)
{
    struct conn *c = w->data;
    (void)events;
    if (c->len + 1 >= c->cap && c->cap < REQUEST_MAX) {
        c->cap = c->cap ? c->cap * 2 : FIRST_CAP;
        c->data = realloc(c->data, c->cap);
        if (!c->data)
            abort();
    }
    ssize_t n = read(w->fd, c->data + c->len, c->cap - c->len - 1);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        conn_close(loop, c);
        return;
    }
    c->len += (size_t)n;
    c->data[c->len] = '\0';
    serve(loop, c);
}

static void on_accept(struct ev_loop *loop, ev_io *w, int events)
{
    int fd, on = 1;
    (void)events;
    while ((fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct conn *c = calloc(1, sizeof *c);
        if (!c)
            abort();
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        c->in.data = c;
        ev_io_init(&c->in, on_readable, fd, EV_READ);
        c->in.data = c;
        ev_io_start(loop, &c->in);
    }
}

static int listen_on(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, BACKLOG) != 0) {
        perror("bench-stub");
        exit(EXIT_FAILURE);
    }
    return fd;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    ev_io accepting;
    if (argc != 3) {
        (void)fputs("usage: bench-stub PORT LATENCY_MS\n", stderr);
        return 2;
    }
    stub.latency = atof(argv[2]) / 1000.0;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    make_answer();
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
    ev_timer_init(&stub.timer, on_due, 0., 0.);
    ev_io_init(&accepting, on_accept, listen_on(atoi(argv[1])), EV_READ);
    ev_io_start(loop, &accepting);
    ev_run(loop, 0);
    return 0;
}
