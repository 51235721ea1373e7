/* SPDX-License-Identifier: Apache-2.0 */
/* eve.c: flows as Suricata's EVE writes them. */
#include "eve.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wirespeak/task.h"

enum {
    IP_ICMP = 1,
    IP_TCP = 6,
    IP_UDP = 17,
    IP_ROUTE6 = 43,
    IP_FRAG6 = 44,
    IP_ICMP6 = 58,
    IP_OPTS6 = 60,
    IP_SCTP = 132,
};

typedef struct number_name {
    uint16_t number;
    const char *name;
} number_name;

static const number_name ip_protocols[] = {
    {0, "HOPOPT"}, {1, "ICMP"},   {2, "IGMP"},        {4, "IPv4"},       {6, "TCP"},
    {17, "UDP"},   {41, "IPv6"},  {43, "IPv6-Route"}, {44, "IPv6-Frag"}, {47, "GRE"},
    {50, "ESP"},   {51, "AH"},    {58, "IPv6-ICMP"},  {60, "IPv6-Opts"}, {89, "OSPF"},
    {103, "PIM"},  {112, "VRRP"}, {132, "SCTP"},
};

static const number_name ethertypes[] = {
    {0, "unknown"},    {0x0800, "IPv4"},   {0x0806, "ARP"},      {0x8035, "RARP"},
    {0x86dd, "IPv6"},  {0x8809, "LACP"},   {0x8847, "MPLS"},     {0x8863, "PPPoE"},
    {0x8864, "PPPoE"}, {0x888e, "EAPOL"},  {0x8892, "PROFINET"}, {0x88b8, "GOOSE"},
    {0x88cc, "LLDP"},  {0x88e5, "MACsec"}, {0x88f7, "PTP"},      {0x9000, "Loopback"},
};

static bool is_ip(const wsp_flow_key *key)
{
    return key->addr_len == 4 || key->addr_len == 16;
}

bool eve_has_ports(const wsp_flow_key *key)
{
    return (key->proto == IP_TCP || key->proto == IP_UDP || key->proto == IP_SCTP) &&
           (key->port[0] || key->port[1]);
}

/*
 * Whether all that a Community ID is made of was read: an id of ports or types that are not known
 * would join with nothing, or with the wrong flow. Behind an IPv6 extension header the key does not
 * have the protocol.
 */
static bool has_tuple(const wsp_flow *f)
{
    switch (f->key.proto) {
    case IP_TCP:
    case IP_UDP:
    case IP_SCTP: return eve_has_ports(&f->key);
    case IP_ICMP:
    case IP_ICMP6: return f->icmp_seen[0];
    case 0:
    case IP_ROUTE6:
    case IP_FRAG6:
    case IP_OPTS6: return f->key.addr_len == 4;
    default: return true;
    }
}

/* The name of what the flow carries, or NULL: it has a number only. */
static const char *proto_name(const wsp_flow_key *key)
{
    const number_name *names = is_ip(key) ? ip_protocols : ethertypes;
    size_t n = is_ip(key) ? sizeof ip_protocols / sizeof ip_protocols[0]
                          : sizeof ethertypes / sizeof ethertypes[0];
    uint16_t number = is_ip(key) ? key->proto : key->ethertype;

    for (size_t i = 0; i < n; i++)
        if (names[i].number == number)
            return names[i].name;
    /* Below 0x600 the field is the length of an IEEE 802.3 frame. */
    return !is_ip(key) && number < 0x600 ? "LLC" : NULL;
}

void eve_proto(const wsp_flow_key *key, char *buf, size_t size)
{
    const char *name = proto_name(key);

    if (name)
        (void)snprintf(buf, size, "%s", name);
    else if (is_ip(key))
        (void)snprintf(buf, size, "%u", key->proto);
    else
        (void)snprintf(buf, size, "0x%04x", key->ethertype);
}

void eve_address(const wsp_flow_key *key, int side, char *buf, size_t size)
{
    const uint8_t *a = key->addr[side];

    buf[0] = '\0';
    if (is_ip(key))
        (void)inet_ntop(key->addr_len == 4 ? AF_INET : AF_INET6, a, buf, (socklen_t)size);
    else if (key->addr_len == 6)
        (void)snprintf(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4],
                       a[5]);
}

void eve_endpoint(const wsp_flow_key *key, int side, char *buf, size_t size)
{
    char addr[EVE_ADDRESS_SIZE];

    eve_address(key, side, addr, sizeof addr);
    if (eve_has_ports(key))
        (void)snprintf(buf, size, key->addr_len == 16 ? "[%s]:%u" : "%s:%u", addr, key->port[side]);
    else
        (void)snprintf(buf, size, "%s", addr[0] ? addr : "-");
}

/* v with so many digits and what follows it; returns the end. */
static char *put_digits(char *to, int v, int n, char behind)
{
    for (int i = n; i-- > 0; v /= 10)
        to[i] = (char)('0' + v % 10);
    to[n] = behind;
    return to + n + 1;
}

/* By hand: strftime and snprintf would be half of what a record costs. 64 bits of nanoseconds end in the year 2554. */
void eve_time(uint64_t ns, char buf[EVE_TIME_SIZE])
{
    time_t sec = (time_t)(ns / 1000000000);
    struct tm tm = {.tm_year = 0};
    char *p = buf;

    (void)gmtime_r(&sec, &tm);
    p = put_digits(p, tm.tm_year + 1900, 4, '-');
    p = put_digits(p, tm.tm_mon + 1, 2, '-');
    p = put_digits(p, tm.tm_mday, 2, 'T');
    p = put_digits(p, tm.tm_hour, 2, ':');
    p = put_digits(p, tm.tm_min, 2, ':');
    p = put_digits(p, tm.tm_sec, 2, '.');
    p = put_digits(p, (int)(ns / 1000 % 1000000), 6, '+');
    memcpy(p, "0000", 5);
}

char *eve_printable(const char *name)
{
    char *s = strdup(name);

    if (s)
        wsp_make_printable(s);
    return s;
}

/* The name with its ASCII control characters out of the way, which JSON escapes: whether nothing else is wrong with it. */
static bool can_be_escaped(const char *name)
{
    char *s = strdup(name);
    bool can;

    for (char *p = s; p && *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
    can = s && wsp_is_printable(s);
    free(s);
    return can;
}

char *eve_name(const char *name, bool escapes)
{
    return escapes && can_be_escaped(name) ? strdup(name) : eve_printable(name);
}

/* ---- the record ---- */

/* The name of a member, which is not the first one, and its number. */
#define PUT_NUMBER(l, name, v) (LINE(l, ",\"" name "\":"), line_number(l, v))

static void put_quoted(linebuf *l, const char *plain)
{
    LINE(l, "\"");
    line_raw(l, plain, strlen(plain));
    LINE(l, "\"");
}

static void put_address(linebuf *l, const wsp_flow_key *key, int side)
{
    char text[EVE_ADDRESS_SIZE];

    if (key->addr_len != 4) {
        eve_address(key, side, text, sizeof text);
        put_quoted(l, text);
        return;
    }
    for (size_t i = 0; i < 4; i++) {
        line_raw(l, i ? "." : "\"", 1);
        line_number(l, key->addr[side][i]);
    }
    LINE(l, "\"");
}

static void put_vlans(linebuf *l, const wsp_flow *f)
{
    for (size_t i = 0; i < f->n_vlans; i++) {
        if (i)
            LINE(l, ",");
        else
            LINE(l, ",\"vlan\":[");
        line_number(l, f->vlan[i]);
    }
    if (f->n_vlans)
        LINE(l, "]");
}

static void put_ends(linebuf *l, const wsp_flow_key *key)
{
    static const char *const ip[2] = {",\"src_ip\":", ",\"dest_ip\":"};
    static const char *const port[2] = {",\"src_port\":", ",\"dest_port\":"};

    for (int side = 0; side < 2; side++) {
        if (is_ip(key)) {
            line_raw(l, ip[side], strlen(ip[side]));
            put_address(l, key, side);
        }
        if (eve_has_ports(key)) {
            line_raw(l, port[side], strlen(port[side]));
            line_number(l, key->port[side]);
        }
    }
    if (key->addr_len != 6)
        return;
    LINE(l, ",\"ether\":{\"src_mac\":");
    put_address(l, key, 0);
    LINE(l, ",\"dest_mac\":");
    put_address(l, key, 1);
    LINE(l, "}");
}

static void put_protocol(linebuf *l, const wsp_flow *f)
{
    char text[WSP_COMMUNITY_ID_SIZE];
    const char *name = proto_name(&f->key);

    if (!name)
        eve_proto(&f->key, text, sizeof text);
    LINE(l, ",\"proto\":");
    put_quoted(l, name ? name : text);
    if (f->icmp_seen[0]) {
        PUT_NUMBER(l, "icmp_type", f->icmp_type[0]);
        PUT_NUMBER(l, "icmp_code", f->icmp_code[0]);
    }
    if (f->icmp_seen[1]) {
        PUT_NUMBER(l, "response_icmp_type", f->icmp_type[1]);
        PUT_NUMBER(l, "response_icmp_code", f->icmp_code[1]);
    }
    if (has_tuple(f) &&
        wsp_community_id(&f->key, f->icmp_type[0], f->icmp_code[0], 0, text) == WSP_OK) {
        LINE(l, ",\"community_id\":");
        put_quoted(l, text);
    }
}

/* Suricata's words for how far a flow came and why its record is written. */
static const char *state_of(const wsp_flow *f)
{
    if (f->end == WSP_FLOW_CLOSED)
        return "closed";
    return f->packets[0] && f->packets[1] ? "established" : "new";
}

static const char *reason_of(const wsp_flow *f)
{
    if (f->end == WSP_FLOW_EVICTED || f->end == WSP_FLOW_ACTIVE)
        return "forced";
    return f->end == WSP_FLOW_EOF ? "shutdown" : "timeout";
}

static void put_flow(linebuf *l, const wsp_flow *f, bool goes_on)
{
    char time[EVE_TIME_SIZE];

    LINE(l, ",\"flow\":{\"pkts_toserver\":");
    line_number(l, f->packets[0]);
    PUT_NUMBER(l, "pkts_toclient", f->packets[1]);
    PUT_NUMBER(l, "bytes_toserver", f->bytes[0]);
    PUT_NUMBER(l, "bytes_toclient", f->bytes[1]);
    eve_time(f->first_ns, time);
    LINE(l, ",\"start\":");
    put_quoted(l, time);
    if (!goes_on) {
        eve_time(f->last_ns, time);
        LINE(l, ",\"end\":");
        put_quoted(l, time);
    }
    PUT_NUMBER(l, "age", (f->last_ns - f->first_ns) / 1000000000);
    LINE(l, ",\"state\":");
    put_quoted(l, state_of(f));
    if (!goes_on) {
        LINE(l, ",\"reason\":");
        put_quoted(l, reason_of(f));
    }
    LINE(l, "}");
}

/* The flags as two digits of base 16. */
static void put_hex(linebuf *l, uint8_t v)
{
    static const char digits[] = "0123456789abcdef";
    const char text[3] = {digits[v >> 4], digits[v & 15], '\0'};

    put_quoted(l, text);
}

/* The flags of both directions together, each of them, and by name those that were set. */
static void put_tcp(linebuf *l, const wsp_flow *f)
{
    static const char *const names[8] = {"fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"};
    uint8_t all = f->tcp_flags[0] | f->tcp_flags[1];

    if (f->key.proto != IP_TCP || !eve_has_ports(&f->key))
        return;
    LINE(l, ",\"tcp\":{\"tcp_flags\":");
    put_hex(l, all);
    LINE(l, ",\"tcp_flags_ts\":");
    put_hex(l, f->tcp_flags[0]);
    LINE(l, ",\"tcp_flags_tc\":");
    put_hex(l, f->tcp_flags[1]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(all >> i & 1))
            continue;
        LINE(l, ",\"");
        line_raw(l, names[i], strlen(names[i]));
        LINE(l, "\":true");
    }
    LINE(l, "}");
}

void eve_flow(linebuf *l, const wsp_flow *f, const eve_event *e)
{
    char time[EVE_TIME_SIZE];

    eve_time(e->time_ns, time);
    LINE(l, "{\"timestamp\":");
    put_quoted(l, time);
    LINE(l, ",\"event_type\":");
    put_quoted(l, e->type);
    PUT_NUMBER(l, "flow_id", e->flow_id);
    if (e->capture) {
        LINE(l, ",\"pcap_filename\":");
        line_text(l, e->capture);
    }
    put_vlans(l, f);
    put_ends(l, &f->key);
    put_protocol(l, f);
    put_flow(l, f, e->goes_on);
    put_tcp(l, f);
}

void eve_answer(linebuf *l, const char *label, double confidence)
{
    LINE(l, "{\"label\":");
    line_text(l, label);
    LINE(l, ",\"confidence\":");
    line_real(l, confidence);
}
