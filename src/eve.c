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
    case IP_ICMP6: return f->icmp_seen;
    case 0:
    case IP_ROUTE6:
    case IP_FRAG6:
    case IP_OPTS6: return f->key.addr_len == 4;
    default: return true;
    }
}

void eve_proto(const wsp_flow_key *key, char *buf, size_t size)
{
    const number_name *names = is_ip(key) ? ip_protocols : ethertypes;
    size_t n = is_ip(key) ? sizeof ip_protocols / sizeof ip_protocols[0]
                          : sizeof ethertypes / sizeof ethertypes[0];
    uint16_t number = is_ip(key) ? key->proto : key->ethertype;

    for (size_t i = 0; i < n; i++) {
        if (names[i].number == number) {
            (void)snprintf(buf, size, "%s", names[i].name);
            return;
        }
    }
    /* Below 0x600 the field is the length of an IEEE 802.3 frame. */
    if (!is_ip(key) && number < 0x600)
        (void)snprintf(buf, size, "LLC");
    else
        (void)snprintf(buf, size, is_ip(key) ? "%u" : "0x%04x", number);
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

void eve_time(uint64_t ns, char *buf, size_t size)
{
    time_t sec = (time_t)(ns / 1000000000);
    struct tm tm;
    size_t n = gmtime_r(&sec, &tm) ? strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm) : 0;

    (void)snprintf(buf + n, size - n, ".%06u+0000", (unsigned)(ns / 1000 % 1000000));
}

char *eve_printable(const char *name)
{
    char *s = strdup(name);
    json_t *probe = json_string(name);

    for (char *p = s; p && *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127 || (!probe && (unsigned char)*p > 127))
            *p = '?';
    json_decref(probe);
    return s;
}

/* ---- the record ---- */

/* A record in the making; a member that could not be set is a lack of memory. */
typedef struct maker {
    json_t *o;
    bool failed;
} maker;

static void put(maker *m, json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value) < 0)
        m->failed = true;
}

static void put_ends(maker *m, const wsp_flow_key *key)
{
    static const char *const ip[2] = {"src_ip", "dest_ip"}, *const port[2] = {"src_port",
                                                                              "dest_port"};
    static const char *const mac[2] = {"src_mac", "dest_mac"};
    char text[EVE_ADDRESS_SIZE];
    json_t *ether = key->addr_len == 6 ? json_object() : NULL;

    for (int side = 0; side < 2; side++) {
        eve_address(key, side, text, sizeof text);
        if (is_ip(key))
            put(m, m->o, ip[side], json_string(text));
        else if (ether)
            put(m, ether, mac[side], json_string(text));
        if (eve_has_ports(key))
            put(m, m->o, port[side], json_integer(key->port[side]));
    }
    if (ether)
        put(m, m->o, "ether", ether);
}

static void put_protocol(maker *m, const wsp_flow *f)
{
    char proto[EVE_PROTO_SIZE], id[WSP_COMMUNITY_ID_SIZE];

    eve_proto(&f->key, proto, sizeof proto);
    put(m, m->o, "proto", json_string(proto));
    if (f->icmp_seen) {
        put(m, m->o, "icmp_type", json_integer(f->icmp_type));
        put(m, m->o, "icmp_code", json_integer(f->icmp_code));
    }
    if (has_tuple(f) && wsp_community_id(&f->key, f->icmp_type, f->icmp_code, 0, id) == WSP_OK)
        put(m, m->o, "community_id", json_string(id));
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

static void put_flow(maker *m, const wsp_flow *f, const char *start, const char *end)
{
    json_t *flow = json_object();

    put(m, flow, "pkts_toserver", json_integer((json_int_t)f->packets[0]));
    put(m, flow, "pkts_toclient", json_integer((json_int_t)f->packets[1]));
    put(m, flow, "bytes_toserver", json_integer((json_int_t)f->bytes[0]));
    put(m, flow, "bytes_toclient", json_integer((json_int_t)f->bytes[1]));
    put(m, flow, "start", json_string(start));
    put(m, flow, "end", json_string(end));
    put(m, flow, "age", json_integer((json_int_t)((f->last_ns - f->first_ns) / 1000000000)));
    put(m, flow, "state", json_string(state_of(f)));
    put(m, flow, "reason", json_string(reason_of(f)));
    put(m, m->o, "flow", flow);
}

json_t *eve_flow(const wsp_flow *f, uint64_t flow_id, const char *capture)
{
    char start[EVE_TIME_SIZE], end[EVE_TIME_SIZE];
    maker m = {.o = json_object()};

    eve_time(f->first_ns, start, sizeof start);
    eve_time(f->last_ns, end, sizeof end);
    put(&m, m.o, "timestamp", json_string(end));
    put(&m, m.o, "event_type", json_string("flow"));
    put(&m, m.o, "flow_id", json_integer((json_int_t)flow_id));
    if (capture)
        put(&m, m.o, "pcap_filename", json_string(capture));
    put_ends(&m, &f->key);
    put_protocol(&m, f);
    put_flow(&m, f, start, end);
    if (!m.failed)
        return m.o;
    json_decref(m.o);
    return NULL;
}

bool eve_print(json_t *record)
{
    bool made = record && json_dumpf(record, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6)) == 0;

    if (record)
        (void)putchar('\n');
    json_decref(record);
    return made || ferror(stdout);
}
