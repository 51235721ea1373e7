/* SPDX-License-Identifier: Apache-2.0 */
/* ndpi.c: a program to be fuzzed: nDPI reads the packets of a capture as those of one flow, and says what it is. */
#include <ndpi_api.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

/* Where IP begins; -1: it is no Ethernet and no raw IP, or nothing is left. */
static int ip_at(int linktype, const u_char *b, int len)
{
    int at = 14;

    if (linktype == DLT_RAW || linktype == 228 || linktype == 229)
        return len > 20 ? 0 : -1;
    if (linktype != DLT_EN10MB)
        return -1;
    while (len > at + 20 &&
           ((b[at - 2] == 0x81 && b[at - 1] == 0) || (b[at - 2] == 0x88 && b[at - 1] == 0xa8)))
        at += 4;
    return len > at + 20 ? at : -1;
}

int main(int argc, char **argv)
{
    struct ndpi_detection_module_struct *ndpi = ndpi_init_detection_module(ndpi_no_prefs);
    struct ndpi_flow_struct *flow = ndpi_flow_malloc(SIZEOF_FLOW_STRUCT);
    char error[PCAP_ERRBUF_SIZE], name[64];
    NDPI_PROTOCOL_BITMASK all;
    struct pcap_pkthdr *h;
    ndpi_protocol found;
    const u_char *b;
    u_int8_t guessed;
    pcap_t *p;

    if (argc != 2 || !ndpi || !flow)
        return 1;
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(ndpi, &all);
    ndpi_finalize_initialization(ndpi);
#ifdef __AFL_HAVE_MANUAL_CONTROL
    __AFL_INIT(); /* the lists of hosts are read once, not for every input */
#endif
    p = pcap_open_offline(argv[1], error);
    if (!p)
        return 1;
    memset(flow, 0, SIZEOF_FLOW_STRUCT);
    while (pcap_next_ex(p, &h, &b) == 1) {
        int at = ip_at(pcap_datalink(p), b, (int)h->caplen);
        if (at >= 0)
            (void)ndpi_detection_process_packet(ndpi, flow, b + at,
                                                (unsigned short)((int)h->caplen - at),
                                                (u_int64_t)h->ts.tv_sec * 1000);
    }
    found = ndpi_detection_giveup(ndpi, flow, 1, &guessed);
    puts(ndpi_protocol2name(ndpi, found, name, sizeof name));
    ndpi_free_flow(flow);
    pcap_close(p);
    return 0;
}
