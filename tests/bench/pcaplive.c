/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcaplive.c: the least that capturing costs: libpcap's loop on an interface, nothing done with packets, until SIGTERM. Prints
 * packets, and packets that the kernel had no room for.
 * usage: pcaplive INTERFACE BUFFER-BYTES
 */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
    (void)sig;
    stop = 1;
}

static void count(u_char *user, const struct pcap_pkthdr *head, const u_char *data)
{
    (void)head;
    (void)data;
    ++*(uint64_t *)(void *)user;
}

int main(int argc, char **argv)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    struct pcap_stat s = {0};
    uint64_t packets = 0;
    pcap_t *p = argc == 3 ? pcap_create(argv[1], why) : NULL;

    if (argc != 3) {
        (void)fputs("usage: pcaplive INTERFACE BUFFER-BYTES\n", stderr);
        return 2;
    }
    (void)signal(SIGTERM, on_signal);
    if (!p || pcap_set_snaplen(p, 2048) < 0 || pcap_set_timeout(p, 5) < 0 ||
        pcap_set_buffer_size(p, (int)strtol(argv[2], NULL, 10)) < 0 || pcap_activate(p) < 0 ||
        pcap_setnonblock(p, 1, why) < 0) {
        (void)fprintf(stderr, "pcaplive: %s %s\n", why, p ? pcap_geterr(p) : "");
        return 1;
    }
    while (!stop) {
        struct pollfd f = {.fd = pcap_get_selectable_fd(p), .events = POLLIN};

        if (poll(&f, 1, 100) > 0 && pcap_dispatch(p, 1024, count, (u_char *)&packets) < 0)
            break;
    }
    (void)pcap_stats(p, &s);
    pcap_close(p);
    printf("%" PRIu64 "\t%u\n", packets, s.ps_drop);
    return 0;
}
