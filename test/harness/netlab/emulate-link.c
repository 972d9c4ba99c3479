/*
 * One emulated IP link between two network namespaces, in user space: for kernels without `tc netem`, and because a
 * proxy acknowledges for the client and hides slow start, pacing and loss. Each direction is, in this order:
 *
 *   drop-tail buffer (q) -> serialisation at a rate -> loss -> delay + jitter without reordering -> burst slots
 *
 *   emulate-link new       DOWN UP      both ends in new namespaces
 *   emulate-link here:NAME DOWN UP      the server's end is device NAME in the current namespace
 *
 * DOWN (server to client) and UP: rate=<kbit/s>,delay=<ms>,jit=<ms>,loss=<percent>,q=<buffer KB>,agg=<slot ms>,
 * gp=,gr=,gl=  Gilbert-Elliott: chance to turn bad, to recover, of loss while bad (per packet, 0..1).
 *
 * Prints `ready SERVER_FD CLIENT_FD` (0 for "here"): /proc/PID/fd/FD are the namespaces, for nsenter. Reads lines
 * `down SPEC` and `up SPEC` from standard input and exits at its end. The namespaces have no names, so they end with
 * this process and are never left behind.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <math.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { TO_CLIENT, TO_SERVER, TIMER, CONTROL };

struct spec {
  double rate;            /* bit per ms = kbit/s */
  double delay, jitter;   /* ms */
  double loss;            /* 0..1 */
  double slot;            /* ms; 0 = none */
  double turns_bad, recovers, bad_loss;
  long buffer;            /* bytes */
};

struct packet {
  struct packet *next;
  double leaves, due;     /* end of its serialisation; arrival at the other end */
  int lost, length;
  unsigned char bytes[];
};

/* Packets in order of arrival. Those from `sending` on are not serialised yet and fill the buffer. */
struct direction {
  struct spec spec;
  struct packet *first, *last, *sending;
  long buffered;
  double free_at, last_due;
  int bad;
};

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void die(const char *what) {
  fprintf(stderr, "emulate-link: %s: %s\n", what, strerror(errno));
  exit(1);
}

static struct spec parse_spec(char *text) {
  struct spec s = {.rate = 1e9, .buffer = 1L << 30};
  for (char *item = strtok(text, ","); item; item = strtok(NULL, ",")) {
    char *equals = strchr(item, '=');
    double value = equals ? atof(equals + 1) : 0;
    if (equals) *equals = 0;
    if (!strcmp(item, "rate")) s.rate = value;
    else if (!strcmp(item, "delay")) s.delay = value;
    else if (!strcmp(item, "jit")) s.jitter = value;
    else if (!strcmp(item, "loss")) s.loss = value / 100;
    else if (!strcmp(item, "q")) s.buffer = value * 1000;
    else if (!strcmp(item, "agg")) s.slot = value;
    else if (!strcmp(item, "gp")) s.turns_bad = value;
    else if (!strcmp(item, "gr")) s.recovers = value;
    else if (!strcmp(item, "gl")) s.bad_loss = value;
    else {
      fprintf(stderr, "emulate-link: unknown setting %s\n", item);
      exit(2);
    }
  }
  return s;
}

static double half_normal(void) {
  return fabs(sqrt(-2 * log(drand48() + 1e-12)) * cos(2 * M_PI * drand48()));
}

static int is_lost(struct direction *d) {
  if (d->spec.turns_bad > 0) {
    if (d->bad) d->bad = drand48() >= d->spec.recovers;
    else d->bad = drand48() < d->spec.turns_bad;
    if (d->bad && drand48() < d->spec.bad_loss) return 1;
  }
  return drand48() < d->spec.loss;
}

static void release_buffer(struct direction *d, double t) {
  while (d->sending && d->sending->leaves <= t) {
    d->buffered -= d->sending->length;
    d->sending = d->sending->next;
  }
}

static void enqueue(struct direction *d, const unsigned char *bytes, int length, double t) {
  release_buffer(d, t);
  if (d->buffered + length > d->spec.buffer) return;
  struct packet *p = malloc(sizeof *p + length);
  if (!p) die("malloc");
  memcpy(p->bytes, bytes, length);
  p->next = NULL;
  p->length = length;
  d->free_at = (d->free_at > t ? d->free_at : t) + length * 8 / d->spec.rate;
  p->leaves = d->free_at;
  p->lost = is_lost(d);
  p->due = p->leaves + d->spec.delay + (d->spec.jitter > 0 ? half_normal() * d->spec.jitter : 0);
  if (d->spec.slot > 0) p->due = ceil(p->due / d->spec.slot) * d->spec.slot;
  if (p->lost) p->due = p->leaves; /* only its place in the buffer counts */
  if (p->due < d->last_due) p->due = d->last_due;
  if (!p->lost) d->last_due = p->due;
  d->buffered += length;
  if (d->last) d->last->next = p;
  else d->first = p;
  d->last = p;
  if (!d->sending) d->sending = p;
}

static void deliver(struct direction *d, int fd, double t) {
  t += 0.02; /* finer than a timer is */
  release_buffer(d, t);
  while (d->first && d->first != d->sending && d->first->due <= t) {
    struct packet *p = d->first;
    if (!p->lost && write(fd, p->bytes, p->length) < 0 && errno != EIO && errno != EAGAIN) die("write");
    d->first = p->next;
    if (!d->first) d->last = NULL;
    free(p);
  }
}

/* Time of the next event in this direction, or infinity. */
static double next_event(const struct direction *d) {
  return d->first ? d->first->due : INFINITY;
}

static void set_timer(int timer, double at) {
  struct itimerspec spec = {0};
  if (isfinite(at)) {
    if (at < 1) at = 1;
    spec.it_value.tv_sec = at / 1e3;
    spec.it_value.tv_nsec = fmod(at, 1e3) * 1e6;
  }
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static int open_tun(const char *name) {
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (fd < 0) die("/dev/net/tun");
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, TUNSETIFF, &request)) die("TUNSETIFF");
  return fd;
}

static int own_namespace(void) {
  int fd = open("/proc/self/ns/net", O_RDONLY);
  if (fd < 0) die("/proc/self/ns/net");
  return fd;
}

static int new_namespace(void) {
  if (unshare(CLONE_NEWNET)) die("unshare");
  return own_namespace();
}

static void control_line(struct direction d[2], char *line) {
  char *spec = strchr(line, ' ');
  if (!spec) return;
  *spec++ = 0;
  if (!strcmp(line, "down")) d[TO_CLIENT].spec = parse_spec(spec);
  if (!strcmp(line, "up")) d[TO_SERVER].spec = parse_spec(spec);
}

/* False at the end of the input. */
static int read_control(struct direction d[2]) {
  char text[1024];
  int length = read(STDIN_FILENO, text, sizeof text - 1);
  if (length <= 0) return length < 0 && errno == EAGAIN;
  text[length] = 0;
  char *rest = text, *line;
  while ((line = strsep(&rest, "\n"))) control_line(d, line);
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: emulate-link new|here:NAME DOWN UP\n");
    return 2;
  }
  struct direction d[2] = {{.spec = parse_spec(argv[2])}, {.spec = parse_spec(argv[3])}};
  int here = !strncmp(argv[1], "here:", 5);
  int server_ns = here ? 0 : new_namespace();
  int server = open_tun(here ? argv[1] + 5 : "tun0");
  int client_ns = new_namespace();
  int client = open_tun("tun0");
  /* Keeps time on a busy machine, if the system allows it. */
  sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 5});
  srand48(getpid() ^ time(NULL));

  /* A packet read at the server's end goes to the client, and vice versa. */
  int from[2] = {server, client}, to[2] = {client, server};
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), poll = epoll_create1(0);
  int watched[4] = {server, client, timer, STDIN_FILENO};
  for (int i = 0; i < 4; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, watched[i], &event)) die("epoll_ctl");
  }
  printf("ready %d %d\n", server_ns, client_ns);
  fflush(stdout);

  static unsigned char buffer[65536];
  for (;;) {
    set_timer(timer, fmin(next_event(&d[0]), next_event(&d[1])));
    struct epoll_event events[4];
    int count = epoll_wait(poll, events, 4, -1);
    for (int k = 0; k < count; k++) {
      uint32_t which = events[k].data.u32;
      uint64_t expirations;
      int length;
      if (which == TIMER) (void)!read(timer, &expirations, sizeof expirations);
      else if (which == CONTROL && !read_control(d)) return 0;
      else if (which <= TO_SERVER)
        while ((length = read(from[which], buffer, sizeof buffer)) > 0)
          enqueue(&d[which], buffer, length, now_ms());
    }
    for (int i = 0; i < 2; i++) deliver(&d[i], to[i], now_ms());
  }
}
