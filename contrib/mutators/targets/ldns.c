/* SPDX-License-Identifier: Apache-2.0 */
/* ldns.c: a program to be fuzzed: ldns reads a DNS message and prints it. */
#include <ldns/ldns.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    static uint8_t data[65536];
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    size_t n = f ? fread(data, 1, sizeof data, f) : 0;
    ldns_pkt *packet = NULL;

    if (n == 0)
        return 1;
    if (ldns_wire2pkt(&packet, data, n) == LDNS_STATUS_OK)
        ldns_pkt_print(stdout, packet);
    ldns_pkt_free(packet);
    return fclose(f) != 0;
}
