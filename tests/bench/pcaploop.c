/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcaploop.c: the least that reading a capture costs: libpcap's loop, nothing done with packets.
 * usage: pcaploop CAPTURE [BUFFER-BYTES]; with a size, on a stdio stream with such a buffer.
 * Prints packets and bytes.
 */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

static pcap_t *open_buffered(const char *path, size_t size, char *why)
{
    FILE *fp = fopen(path, "rb");

    if (!fp || setvbuf(fp, NULL, _IOFBF, size) != 0) {
        (void)snprintf(why, PCAP_ERRBUF_SIZE, "%s: cannot open", path);
        if (fp)
            (void)fclose(fp);
        return NULL;
    }
    return pcap_fopen_offline(fp, why); /* pcap_close closes fp */
}

int main(int argc, char **argv)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    uint64_t packets = 0, bytes = 0;
    struct pcap_pkthdr *head;
    const uint8_t *data;
    pcap_t *p;
    int rc;

    if (argc < 2) {
        (void)fputs("usage: pcaploop CAPTURE [BUFFER-BYTES]\n", stderr);
        return 2;
    }
    p = argc > 2 ? open_buffered(argv[1], (size_t)strtoull(argv[2], NULL, 10), why)
                 : pcap_open_offline(argv[1], why);
    if (!p) {
        (void)fprintf(stderr, "pcaploop: %s\n", why);
        return 1;
    }
    while ((rc = pcap_next_ex(p, &head, &data)) == 1) {
        packets++;
        bytes += head->caplen;
    }
    if (rc != PCAP_ERROR_BREAK)
        (void)fprintf(stderr, "pcaploop: %s\n", pcap_geterr(p));
    pcap_close(p);
    printf("%" PRIu64 "\t%" PRIu64 "\n", packets, bytes);
    return rc == PCAP_ERROR_BREAK ? 0 : 1;
}
