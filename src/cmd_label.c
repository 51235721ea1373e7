/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_label.c: what nDPI says of every flow, as JSON lines with Suricata's names or as a table. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "wirespeak/capture.h"
#include "wirespeak/task.h"

static const cli_page page = {
    .name = "label",
    .operands = "[OPTION]... FILE...",
    .summary =
        "Prints what nDPI says of every flow of captures (files, folders, archives, - for "
        "standard\n"
        "input), one line a flow in the order of their ends. Such labels are a weak teacher and a\n"
        "baseline, not the truth.",
    .examples =
        "  wirespeak label trace.pcap\n  wirespeak label -o table -f 'udp port 53' captures/\n",
    .min_operands = 1,
    .max_operands = -1,
};

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

/* What is kept of a flow beside the table's own record. */
typedef struct flow_data {
    wsp_labeller_flow *ndpi;
    bool icmp_seen;
    uint8_t icmp_type, icmp_code; /* of a packet from the initiator */
} flow_data;

typedef struct labelling {
    bool table;
    char *capture; /* name of the open capture, fit to be printed */
    wsp_labeller *labeller;
    wsp_packet *packet;
    uint64_t captures, flows, broken;
    uint64_t id_base; /* flows of the captures before this one, so that ids are unique in a run */
    wsp_status st;    /* of the release callback, which cannot return one */
} labelling;

static bool is_ip(const wsp_flow_key *key)
{
    return key->addr_len == 4 || key->addr_len == 16;
}

/* Ports that were read: a packet cut before them, or a later fragment, leaves both 0. */
static bool has_ports(const wsp_flow_key *key)
{
    return (key->proto == IP_TCP || key->proto == IP_UDP || key->proto == IP_SCTP) &&
           (key->port[0] || key->port[1]);
}

static bool is_icmp(const wsp_flow_key *key)
{
    return is_ip(key) && (key->proto == IP_ICMP || key->proto == IP_ICMP6);
}

/*
 * Whether all that a Community ID is made of was read: an id of ports or types that are not known
 * would join with nothing, or with the wrong flow. Behind an IPv6 extension header the key does not
 * have the protocol.
 */
static bool has_tuple(const wsp_flow_key *key, const flow_data *d)
{
    switch (key->proto) {
    case IP_TCP:
    case IP_UDP:
    case IP_SCTP: return has_ports(key);
    case IP_ICMP:
    case IP_ICMP6: return d->icmp_seen;
    case 0:
    case IP_ROUTE6:
    case IP_FRAG6:
    case IP_OPTS6: return key->addr_len == 4;
    default: return true;
    }
}

static void proto_name(const wsp_flow_key *key, char *buf, size_t size)
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

/* "" when the flow has no address. */
static void address(const wsp_flow_key *key, int side, char *buf, size_t size)
{
    const uint8_t *a = key->addr[side];

    buf[0] = '\0';
    if (is_ip(key))
        (void)inet_ntop(key->addr_len == 4 ? AF_INET : AF_INET6, a, buf, (socklen_t)size);
    else if (key->addr_len == 6)
        (void)snprintf(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4],
                       a[5]);
}

/* As Suricata writes it: microseconds, UTC, the zone without a colon. */
static void timestamp(uint64_t ns, char *buf, size_t size)
{
    time_t sec = (time_t)(ns / 1000000000);
    struct tm tm;
    size_t n = gmtime_r(&sec, &tm) ? strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm) : 0;

    (void)snprintf(buf + n, size - n, ".%06u+0000", (unsigned)(ns / 1000 % 1000000));
}

/* ---- output ---- */

/* Sets a member; a value that could not be made is a lack of memory. */
static void put(labelling *l, json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value) < 0)
        l->st = WSP_ERR_NOMEM;
}

static void put_ends(labelling *l, json_t *line, const wsp_flow *f, const flow_data *d)
{
    static const char *const ip[2] = {"src_ip", "dest_ip"}, *const port[2] = {"src_port",
                                                                              "dest_port"};
    static const char *const mac[2] = {"src_mac", "dest_mac"};
    char text[INET6_ADDRSTRLEN], proto[16], id[WSP_COMMUNITY_ID_SIZE];
    json_t *ether = f->key.addr_len == 6 ? json_object() : NULL;

    for (int side = 0; side < 2; side++) {
        address(&f->key, side, text, sizeof text);
        if (is_ip(&f->key))
            put(l, line, ip[side], json_string(text));
        else if (ether)
            put(l, ether, mac[side], json_string(text));
        if (has_ports(&f->key))
            put(l, line, port[side], json_integer(f->key.port[side]));
    }
    if (ether)
        put(l, line, "ether", ether);
    proto_name(&f->key, proto, sizeof proto);
    put(l, line, "proto", json_string(proto));
    if (is_icmp(&f->key) && d->icmp_seen) {
        put(l, line, "icmp_type", json_integer(d->icmp_type));
        put(l, line, "icmp_code", json_integer(d->icmp_code));
    }
    if (has_tuple(&f->key, d) &&
        wsp_community_id(&f->key, d->icmp_type, d->icmp_code, 0, id) == WSP_OK)
        put(l, line, "community_id", json_string(id));
}

static void put_counts(labelling *l, json_t *line, const wsp_flow *f, const char *start,
                       const char *end)
{
    json_t *flow = json_object();

    put(l, flow, "pkts_toserver", json_integer((json_int_t)f->packets[0]));
    put(l, flow, "pkts_toclient", json_integer((json_int_t)f->packets[1]));
    put(l, flow, "bytes_toserver", json_integer((json_int_t)f->bytes[0]));
    put(l, flow, "bytes_toclient", json_integer((json_int_t)f->bytes[1]));
    put(l, flow, "start", json_string(start));
    put(l, flow, "end", json_string(end));
    put(l, line, "flow", flow);
}

static void put_verdict(labelling *l, json_t *line, const wsp_verdict *v)
{
    json_t *ndpi = json_object();

    put(l, ndpi, "version", json_string(wsp_labeller_version()));
    put(l, ndpi, "protocol", json_string(v->protocol));
    put(l, ndpi, "service", json_string(v->service));
    put(l, ndpi, "master", json_string(v->master));
    put(l, ndpi, "app", json_string(v->app));
    put(l, ndpi, "category", json_string(v->category));
    put(l, ndpi, "source", json_string(wsp_label_source_name(v->source)));
    put(l, ndpi, "packets", json_integer(v->packets));
    put(l, line, "ndpi", ndpi);
}

static void print_json(labelling *l, const wsp_flow *f, const flow_data *d, const wsp_verdict *v)
{
    char start[48], end[48];
    json_t *line = json_object();

    timestamp(f->first_ns, start, sizeof start);
    timestamp(f->last_ns, end, sizeof end);
    put(l, line, "timestamp", json_string(end));
    put(l, line, "event_type", json_string("flow"));
    put(l, line, "flow_id", json_integer((json_int_t)(l->id_base + f->id + 1)));
    put(l, line, "pcap_filename", json_string(l->capture));
    put_ends(l, line, f, d);
    put_counts(l, line, f, start, end);
    if (v)
        put_verdict(l, line, v);
    /* A line that could not be written shows when standard output is closed. */
    if (l->st == WSP_OK) {
        (void)json_dumpf(line, stdout, JSON_COMPACT);
        (void)putchar('\n');
    }
    json_decref(line);
}

static void print_row(const wsp_flow *f, const wsp_verdict *v)
{
    char addr[INET6_ADDRSTRLEN], ends[2][INET6_ADDRSTRLEN + 8], proto[16], start[48];

    timestamp(f->first_ns, start, sizeof start);
    proto_name(&f->key, proto, sizeof proto);
    for (int side = 0; side < 2; side++) {
        address(&f->key, side, addr, sizeof addr);
        if (has_ports(&f->key))
            (void)snprintf(ends[side], sizeof ends[side],
                           f->key.addr_len == 16 ? "[%s]:%u" : "%s:%u", addr, f->key.port[side]);
        else
            (void)snprintf(ends[side], sizeof ends[side], "%s", addr[0] ? addr : "-");
    }
    printf("%.26s  %-21s  %-21s  %-9s  %7" PRIu64 "  %10" PRIu64 "  %-14s  %-7s  %s\n", start,
           ends[0], ends[1], proto, f->packets[0] + f->packets[1], f->bytes[0] + f->bytes[1],
           v ? v->protocol : "-", v ? wsp_label_source_name(v->source) : "-",
           v && v->service[0] ? v->service : "-");
}

/* ---- flows ---- */

static void release(void *arg, wsp_flow *f)
{
    labelling *l = arg;
    flow_data *d = f->user;
    wsp_verdict v;

    l->flows++;
    if (!d) /* no memory for it: reported by the call that added the flow */
        return;
    if (d->ndpi)
        wsp_labeller_verdict(d->ndpi, &v);
    if (l->st == WSP_OK && l->table)
        print_row(f, d->ndpi ? &v : NULL);
    else if (l->st == WSP_OK)
        print_json(l, f, d, d->ndpi ? &v : NULL);
    wsp_labeller_flow_free(d->ndpi);
    free(d);
}

/* Type and code of an ICMP packet whose header follows the IP header at once. */
static void note_icmp(flow_data *d, const uint8_t *ip, size_t len)
{
    size_t at = ip[0] >> 4 == 4 ? (size_t)(ip[0] & 15) * 4 : 40;

    if (at < 20 || len < at + 2 || (ip[0] >> 4 == 4 && ((ip[6] & 31) || ip[7])))
        return;
    d->icmp_seen = true;
    d->icmp_type = ip[at];
    d->icmp_code = ip[at + 1];
}

static wsp_status add_frame(labelling *l, wsp_flow_table *table, int linktype,
                            const wsp_frame *frame)
{
    const wsp_flow_key *key;
    const uint8_t *ip;
    wsp_flow *f;
    flow_data *d;
    wsp_status st;
    size_t len;
    int dir;

    wsp_packet_dissect(l->packet, linktype, frame);
    key = wsp_packet_key(l->packet);
    st = wsp_flow_table_add(table, key, frame->time_ns, frame->wirelen,
                            wsp_packet_tcp_flags(l->packet), &f, &dir);
    if (st < 0)
        return st;
    if (!f->user) {
        f->user = d = calloc(1, sizeof *d);
        if (!d)
            return WSP_ERR_NOMEM;
        if (is_ip(key) && (st = wsp_labeller_flow_new(l->labeller, &d->ndpi)) < 0)
            return st;
    }
    d = f->user;
    if (!d->ndpi || !wsp_packet_ip(l->packet, &ip, &len))
        return l->st;
    if (is_icmp(key) && dir == 0 && !d->icmp_seen && len > 0)
        note_icmp(d, ip, len);
    st = wsp_labeller_push(d->ndpi, ip, len, frame->time_ns);
    return st < 0 ? st : l->st;
}

/* A name that is not UTF-8 cannot stand in JSON, and control characters have no place on a terminal. */
static char *printable(const char *name)
{
    char *s = strdup(name);
    json_t *probe = json_string(name);

    for (char *p = s; p && *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127 || (!probe && (unsigned char)*p > 127))
            *p = '?';
    json_decref(probe);
    return s;
}

static wsp_status read_frames(labelling *l, wsp_input *in, wsp_flow_table *table, int linktype,
                              wsp_error *err)
{
    wsp_frame frame;
    uint64_t number = 0;
    wsp_status st = WSP_OK;

    while (st == WSP_OK) {
        st = wsp_input_next(in, &frame, err);
        if (st == WSP_ERR_FORMAT || st == WSP_ERR_IO) {
            cli_warn("%s (the %" PRIu64 " packets before it are labelled)", err->text, number);
            l->broken++;
            return WSP_OK;
        }
        if (st < 0 || st == WSP_EOF || ferror(stdout))
            break;
        st = add_frame(l, table, linktype, &frame);
        if (st < 0)
            (void)snprintf(err->text, sizeof err->text, "%s: packet %" PRIu64 ": %s", l->capture,
                           number, wsp_status_name(st));
        number++;
    }
    return st < 0 ? st : WSP_OK;
}

/* One labeller a capture: nDPI remembers across flows, and what it says shall not hang on other captures. */
static wsp_status label_capture(labelling *l, wsp_input *in, const wsp_capture_info *info,
                                wsp_error *err)
{
    wsp_flow_table_options opt = wsp_flow_table_options_default();
    wsp_flow_table *table = NULL;
    uint64_t before = l->flows;
    wsp_status st;

    opt.release = release;
    opt.arg = l;
    l->captures++;
    l->id_base = before;
    l->capture = printable(info->name);
    st = l->capture ? wsp_labeller_new(&l->labeller, NULL, err) : WSP_ERR_NOMEM;
    if (st == WSP_OK)
        st = wsp_flow_table_new(&table, &opt);
    if (st < 0 && l->labeller == NULL && l->capture)
        goto done; /* the labeller has said why */
    if (st < 0)
        (void)snprintf(err->text, sizeof err->text, "%s: %s", info->name, wsp_status_name(st));
    else
        st = read_frames(l, in, table, info->linktype, err);
    wsp_flow_table_free(table);
    if (st >= 0 && l->st < 0) {
        st = l->st;
        (void)snprintf(err->text, sizeof err->text, "%s: %s", l->capture, wsp_status_name(st));
    }
done:
    wsp_labeller_free(l->labeller);
    free(l->capture);
    l->labeller = NULL;
    l->capture = NULL;
    return st;
}

static wsp_status label_all(labelling *l, wsp_input *in, wsp_error *err)
{
    wsp_capture_info info;
    wsp_status st = wsp_packet_new(&l->packet);

    if (st < 0)
        (void)snprintf(err->text, sizeof err->text, "%s", wsp_status_name(st));
    while (st == WSP_OK && !ferror(stdout)) {
        st = wsp_input_open_next(in, &info, err);
        if (st != WSP_OK)
            break;
        if (l->table && l->captures == 0)
            printf("%-26s  %-21s  %-21s  %-9s  %7s  %10s  %-14s  %-7s  %s\n", "start", "source",
                   "destination", "proto", "packets", "bytes", "label", "by", "service");
        st = label_capture(l, in, &info, err);
    }
    wsp_packet_free(l->packet);
    return st;
}

int cmd_label(int argc, char **argv)
{
    static const char *const formats[] = {"jsonl", "table", NULL};
    const char *format = "jsonl", *filter = NULL;
    bool skip_bad = false;
    const cli_option options[] = {
        {.name = "output",
         .letter = 'o',
         .kind = CLI_CHOICE,
         .value = &format,
         .arg = "FORMAT",
         .choices = formats,
         .help = "form of the lines (default jsonl)"},
        {.name = "filter",
         .letter = 'f',
         .kind = CLI_TEXT,
         .value = &filter,
         .arg = "BPF",
         .help = "only packets that match this pcap filter"},
        {.name = "skip-bad",
         .kind = CLI_FLAG,
         .value = &skip_bad,
         .help = "skip what is no capture, with a warning"},
    };
    int first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
    wsp_input_options opt = wsp_input_options_default();
    labelling l = {0};
    wsp_input *in = NULL;
    wsp_error err;
    wsp_status st;

    l.table = format[0] == 't';
    opt.skip_bad = skip_bad;
    opt.filter = filter;
    st =
        wsp_input_new(&in, (const char *const *)(argv + first), (size_t)(argc - first), &opt, &err);
    if (st == WSP_OK)
        st = label_all(&l, in, &err);
    wsp_input_free(in);
    if (st < 0)
        return cli_fail_error(&err);
    cli_note("%" PRIu64 " flows of %" PRIu64 " captures labelled by nDPI %s", l.flows, l.captures,
             wsp_labeller_version());
    return l.broken ? CLI_FAILED : CLI_OK;
}
