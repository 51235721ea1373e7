/* SPDX-License-Identifier: Apache-2.0 */
/* net-snmp.c: a program to be fuzzed: net-snmp reads a message of SNMP, of any version, and prints its variables. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <stdio.h>

static int parse(netsnmp_session *s, netsnmp_pdu *pdu, u_char *data, size_t n)
{
    u_char community[COMMUNITY_MAX_LEN];
    size_t len = sizeof community;
    u_char *body;
    long version = -1;

    body = snmp_comstr_parse(data, &n, community, &len, &version);
    if (version == SNMP_VERSION_3)
        return snmpv3_parse(pdu, data, &n, NULL, s);
    return body ? snmp_pdu_parse(pdu, body, &n) : -1;
}

int main(int argc, char **argv)
{
    static u_char data[65536];
    netsnmp_pdu *pdu = calloc(1, sizeof *pdu);
    netsnmp_session s;
    size_t n;
    FILE *f;

    if (argc != 2 || !pdu)
        return 1;
    setenv("MIBS", "", 1);
    snmp_sess_init(&s);
    init_snmp("target");
#ifdef __AFL_HAVE_MANUAL_CONTROL
    __AFL_INIT(); /* what is configured is read once, not for every input */
#endif
    f = fopen(argv[1], "rb");
    n = f ? fread(data, 1, sizeof data, f) : 0;
    if (n == 0)
        return 1;
    if (parse(&s, pdu, data, n) == 0)
        for (netsnmp_variable_list *v = pdu->variables; v; v = v->next_variable)
            print_variable(v->name, v->name_length, v);
    snmp_free_pdu(pdu);
    return fclose(f) != 0;
}
