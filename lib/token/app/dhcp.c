/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dhcp.c: DHCP over UDP, RFC 2131 2, and its options, RFC 2132 2:
 * | op 8 | htype 8 | hlen 8 | hops 8 | xid 32 | secs 16 | flags 16 | ciaddr 32 | yiaddr 32 | siaddr 32 | giaddr 32 |
 * | chaddr 128 | sname 512 | file 1024 | cookie 32 | options |       option: | type 8 | length 8 | data |
 */
#include "token/app/app.h"

enum {
    OP,
    HARDWARE,
    HOPS,
    XID,
    SECS,
    FLAGS,
    CIADDR,
    YIADDR,
    SIADDR,
    GIADDR,
    CHADDR,
    AREAS,
    OPTION,
    LENGTH,
    MESSAGE,
    REQUESTED,
    NAME,
    NUMBER,
    MASK,
    TAIL
};

/* Beside the fields: the length of the lease that the message's times fit. */
enum { LEASE = TAIL + 1 };
_Static_assert((int)LEASE < (int)WSPI_APP_FIELDS, "there is room for it");

enum { COOKIE = 0x63825363, FIXED = 240, CHADDR_AT = 28, MIN_LEN = 300, SAMPLED = 16 };
enum { SERVER = 67, CLIENT = 68 }; /* ports */
enum { AREA_SNAME = 1, AREA_FILE = 2, AREA_CHADDR = 4 };
enum {
    PAD = 0,
    SUBNET_MASK = 1,
    ROUTER = 3,
    BROADCAST_ADDRESS = 28,
    REQUESTED_ADDRESS = 50,
    LEASE_TIME = 51,
    MESSAGE_TYPE = 53,
    SERVER_ID = 54,
    PARAMETERS = 55,
    RENEWAL_TIME = 58,
    REBINDING_TIME = 59,
    CLIENT_ID = 61,
    FQDN = 81,
    END = 255
};

static const wspi_value op[] = {{1, "request"}, {2, "reply"}, {0, NULL}};
static const wspi_value hardware[] = {
    {0x0106, "ethernet"}, {0x0100, "ethernet-none"}, {0x2000, "infiniband"}, {0, NULL}};
static const wspi_value flags[] = {{0, "unicast"}, {0x8000, "broadcast"}, {0, NULL}};
/* Areas that are not zero: server name, boot file, what follows the hardware address. */
static const wspi_value areas[] = {{0, "empty"},       {1, "sname"},  {2, "file"},
                                   {3, "sname+file"},  {4, "chaddr"}, {5, "chaddr+sname"},
                                   {6, "chaddr+file"}, {7, "all"},    {0, NULL}};
/* Of clients, from the second on those that have an address, then of servers. `said` has those of samples. */
static const wspi_value message[] = {{1, "discover"},
                                     {3, "request"},
                                     {8, "inform"},
                                     {7, "release"},
                                     {4, "decline"},
                                     {2, "offer"},
                                     {5, "ack"},
                                     {6, "nak"},
                                     {9, "forcerenew"},
                                     {10, "query"},
                                     {11, "lease-unassigned"},
                                     {12, "unknown"},
                                     {13, "active"},
                                     {0, NULL}};
static const wspi_value mask[] = {
    {0xffffff00, "24"}, {0xffff0000, "16"}, {0xff000000, "8"},  {0xfffffe00, "23"},
    {0xfffffc00, "22"}, {0xffffff80, "25"}, {0xfffffff0, "28"}, {0xffffffe0, "27"},
    {0xffffffc0, "26"}, {0xfffffff8, "29"}, {0xfffff000, "20"}, {0xfffff800, "21"},
    {0xffffe000, "19"}, {0xffffffff, "32"}, {0xfffffffc, "30"}, {0, NULL}};
static const wspi_value tail[] = {{0, "zeros"}, {1, "data"}, {0, NULL}};

/* The message, the end, some that are frequent; then by number. */
static const wspi_value option[] = {{MESSAGE_TYPE, "message-type"},
                                    {END, "end"},
                                    {61, "client-id"},
                                    {12, "host-name"},
                                    {60, "vendor-class"},
                                    {PARAMETERS, "parameters"},
                                    {57, "max-size"},
                                    {54, "server-id"},
                                    {51, "lease-time"},
                                    {1, "subnet-mask"},
                                    {3, "router"},
                                    {6, "dns"},
                                    {15, "domain-name"},
                                    {58, "renewal-time"},
                                    {59, "rebinding-time"},
                                    {50, "requested-address"},
                                    {PAD, "pad"},
                                    {2, "time-offset"},
                                    {4, "time-server"},
                                    {5, "name-server"},
                                    {7, "log-server"},
                                    {9, "lpr-server"},
                                    {13, "boot-size"},
                                    {16, "swap-server"},
                                    {17, "root-path"},
                                    {18, "extensions-path"},
                                    {19, "ip-forwarding"},
                                    {22, "max-reassembly"},
                                    {23, "ttl"},
                                    {26, "mtu"},
                                    {28, "broadcast"},
                                    {31, "router-discovery"},
                                    {33, "static-route"},
                                    {35, "arp-timeout"},
                                    {37, "tcp-ttl"},
                                    {40, "nis-domain"},
                                    {41, "nis-server"},
                                    {42, "ntp-server"},
                                    {43, "vendor"},
                                    {44, "netbios-name-server"},
                                    {45, "netbios-dd-server"},
                                    {46, "netbios-node-type"},
                                    {47, "netbios-scope"},
                                    {48, "font-server"},
                                    {49, "x-display"},
                                    {52, "overload"},
                                    {56, "text"},
                                    {64, "nis+domain"},
                                    {65, "nis+server"},
                                    {66, "tftp-server"},
                                    {67, "boot-file"},
                                    {69, "smtp-server"},
                                    {77, "user-class"},
                                    {78, "slp-agent"},
                                    {79, "slp-scope"},
                                    {80, "rapid-commit"},
                                    {81, "fqdn"},
                                    {82, "relay-agent"},
                                    {90, "authentication"},
                                    {93, "architecture"},
                                    {94, "network-interface"},
                                    {95, "ldap"},
                                    {97, "machine-id"},
                                    {100, "tz-posix"},
                                    {101, "tz-name"},
                                    {108, "ipv6-only"},
                                    {112, "netinfo-address"},
                                    {113, "netinfo-tag"},
                                    {114, "captive-portal"},
                                    {116, "auto-configure"},
                                    {118, "subnet-selection"},
                                    {119, "domain-search"},
                                    {120, "sip-server"},
                                    {121, "classless-route"},
                                    {124, "vendor-class-id"},
                                    {125, "vendor-info"},
                                    {145, "forcerenew-nonce"},
                                    {150, "tftp-address"},
                                    {160, "captive-portal-old"},
                                    {175, "etherboot"},
                                    {212, "6rd"},
                                    {224, "private-224"},
                                    {249, "classless-route-ms"},
                                    {252, "wpad"},
                                    {0, NULL}};

/* What is in the options; other types are opaque. len 0: it varies. */
enum kind { K_OPAQUE, K_MESSAGE, K_NAME, K_TEXT, K_NUMBER, K_MASK, K_TOLD };
static const struct {
    uint8_t kind, len;
} forms[256] = {
    [1] = {K_MASK, 4},     [2] = {K_NUMBER, 4},   [3] = {K_TOLD, 4},
    [4] = {K_TOLD, 4},     [5] = {K_TOLD, 4},     [6] = {K_TOLD, 4},
    [7] = {K_TOLD, 4},     [12] = {K_NAME, 0},    [15] = {K_NAME, 0},
    [19] = {K_NUMBER, 1},  [22] = {K_NUMBER, 2},  [23] = {K_NUMBER, 1},
    [26] = {K_NUMBER, 2},  [28] = {K_TOLD, 4},    [31] = {K_NUMBER, 1},
    [35] = {K_NUMBER, 4},  [37] = {K_NUMBER, 1},  [40] = {K_NAME, 0},
    [42] = {K_TOLD, 4},    [44] = {K_TOLD, 4},    [46] = {K_NUMBER, 1},
    [50] = {K_TOLD, 4},    [51] = {K_NUMBER, 4},  [52] = {K_NUMBER, 1},
    [53] = {K_MESSAGE, 1}, [54] = {K_TOLD, 4},    [55] = {0},
    [56] = {K_TEXT, 0},    [57] = {K_NUMBER, 2},  [58] = {K_NUMBER, 4},
    [59] = {K_NUMBER, 4},  [60] = {K_TEXT, 0},    [61] = {K_TOLD, 7},
    [64] = {K_NAME, 0},    [66] = {K_NAME, 0},    [67] = {K_TEXT, 0},
    [77] = {K_TEXT, 0},    [81] = {K_NAME, 0},    [93] = {K_NUMBER, 2},
    [94] = {K_OPAQUE, 3},  [97] = {K_OPAQUE, 17}, [108] = {K_NUMBER, 4},
    [116] = {K_NUMBER, 1}, [119] = {K_NAME, 0},   [145] = {K_NUMBER, 1},
    [252] = {K_NAME, 0},
};

/* Samples: options of clients and servers (RFC 2131 4.3.1, 4.4.1) whose contents can be made up. */
enum { OF_CLIENT = 1, OF_SERVER = 2, OF_BOTH = 3 };
static const uint8_t sampled_by[256] = {
    [1] = OF_SERVER,  [2] = OF_SERVER,  [3] = OF_SERVER,          [4] = OF_SERVER,
    [5] = OF_SERVER,  [6] = OF_SERVER,  [7] = OF_SERVER,          [12] = OF_BOTH,
    [15] = OF_SERVER, [23] = OF_SERVER, [26] = OF_SERVER,         [28] = OF_SERVER,
    [40] = OF_SERVER, [42] = OF_SERVER, [44] = OF_SERVER,         [50] = OF_CLIENT,
    [51] = OF_BOTH,   [54] = OF_BOTH,   [PARAMETERS] = OF_CLIENT, [57] = OF_CLIENT,
    [58] = OF_SERVER, [59] = OF_SERVER, [60] = OF_CLIENT,         [61] = OF_BOTH,
    [66] = OF_SERVER, [FQDN] = OF_BOTH,
};

static const wspi_field fields[] = {
    [OP] = {WSPI_ENUM("dhcp.op", 8, op)},
    [HARDWARE] = {WSPI_ENUM("dhcp.hardware", 16, hardware)},
    [HOPS] = {WSPI_MAG("dhcp.hops", 8, WSPI_R_NONE, 1)},
    [XID] = {WSPI_FREE("dhcp.xid", 32, WSPI_P_MIRROR, WSPI_R_RENEWED), .arg = XID},
    [SECS] = {WSPI_MAG("dhcp.secs", 16, WSPI_R_NONE, 0), .pred = WSPI_P_PREV},
    [FLAGS] = {WSPI_ENUM("dhcp.flags", 16, flags), .pred = WSPI_P_PREV},
    [CIADDR] = {WSPI_FREE("dhcp.ciaddr", 32, WSPI_P_PREV, WSPI_R_IP_TOLD)},
    [YIADDR] = {WSPI_FREE("dhcp.yiaddr", 32, WSPI_P_PREV, WSPI_R_IP_DST)},
    [SIADDR] = {WSPI_FREE("dhcp.siaddr", 32, WSPI_P_PREV, WSPI_R_IP_TOLD)},
    [GIADDR] = {WSPI_FREE("dhcp.giaddr", 32, WSPI_P_PREV, WSPI_R_IP_SRC)},
    [CHADDR] = {WSPI_FREE("dhcp.chaddr", 48, WSPI_P_MIRROR, WSPI_R_MAC_SRC)},
    [AREAS] = {WSPI_ENUM("dhcp.areas", 8, areas)},
    [OPTION] = {WSPI_ENUM("dhcp.option", 8, option)},
    [LENGTH] = {WSPI_MAG("dhcp.length", 8, WSPI_R_NONE, 2)},
    [MESSAGE] = {WSPI_ENUM("dhcp.message", 8, message)},
    [REQUESTED] = {WSPI_ENUM("dhcp.requested", 8, option)},
    [NAME] = {WSPI_MAG("dhcp.name", 8, WSPI_R_NAME, 1)},
    [NUMBER] = {WSPI_MAG("dhcp.number", 32, WSPI_R_NONE, 1)},
    [MASK] = {WSPI_ENUM("dhcp.mask", 32, mask)},
    [TAIL] = {WSPI_ENUM("dhcp.tail", 8, tail)},
};

static bool looks(const uint8_t *b, size_t n)
{
    return n >= FIXED && (b[0] == 1 || b[0] == 2) && b[236] == COOKIE >> 24 &&
           b[237] == (COOKIE >> 16 & 255) && b[238] == (COOKIE >> 8 & 255) &&
           b[239] == (COOKIE & 255);
}

static bool zeros(const wspi_coder *c, size_t at, size_t n)
{
    return at + n <= c->pay.end && wspi_zeros(c->pay.in + at, n);
}

/* n bytes: zeros, or opaque when they are told not to be. */
static void area(wspi_coder *c, size_t n, bool data)
{
    uint8_t *b;

    if (wspi_app_stopped(c))
        return;
    if (data) {
        wspi_app_opaque(c, n);
    } else if (c->enc ? !zeros(c, c->pay.at, n) : !c->fill && wspi_app_captured(c) < n) {
        wspi_app_fail(c);
    } else {
        b = c->enc ? NULL : wspi_payload_room(c, n);
        if (b)
            memset(b, 0, n);
        c->pay.at += n;
    }
}

/* ---- the fixed part ---- */

/* The hardware address that the frame has on the client's side. */
static bool frame_address(const wspi_coder *c, bool reply, uint64_t *v)
{
    const wspi_layer *l = c->p->layers;

    *v = l->v[reply ? WSPI_ETH_DST : WSPI_ETH_SRC];
    return c->p->n_layers > 0 && l->id == WSPI_ETH;
}

/*
 * Samples: a client that has an address may tell it, and its server (RFC 2131 4.3.2, 4.3.5), which may tell its own; false:
 * neither tells this one.
 */
static bool own_address(const wspi_coder *c, unsigned f, bool reply, uint64_t *v)
{
    uint8_t role = f == CIADDR && reply ? WSPI_R_IP_DST : WSPI_R_IP_SRC;

    *v = wspi_host_address(c, role, 32, -1);
    return *v && (f == CIADDR ? reply || !wspi_host_is_nobody(c) : f == SIADDR && reply);
}

static void sampled_address(wspi_coder *c, unsigned f, uint64_t want, uint64_t own)
{
    unsigned t = 0;

    if (wspi_may(c, wspi_field_base(c->pay.app, f), 1, false, false, &t))
        want = own;
    wspi_app_put(c, 4, want);
    if (!wspi_app_stopped(c))
        c->app.v[c->dir][f] = want;
}

static void addresses(wspi_coder *c, bool reply)
{
    uint64_t want, own;

    for (unsigned f = CIADDR; f <= GIADDR; f++) {
        bool known = wspi_app_last(c, true, f, &want);
        if (!known)
            want = 0;
        if (c->fill && own_address(c, f, reply, &own))
            sampled_address(c, f, want, own);
        else if (f == YIADDR && reply && !known) /* the address that is given: nothing knows it */
            (void)wspi_app_field(c, f, 4, false, 0);
        else
            (void)wspi_app_field(c, f, 4, true, want);
    }
}

static void hardware_address(wspi_coder *c, bool reply)
{
    uint64_t want, which = 0;
    bool known = wspi_app_last(c, true, CHADDR, &want) || wspi_app_last(c, false, CHADDR, &want) ||
                 frame_address(c, reply, &want);

    (void)wspi_app_field(c, CHADDR, 6, known, want);
    if (c->enc)
        which = (zeros(c, CHADDR_AT + 6, 10) ? 0 : AREA_CHADDR) |
                (zeros(c, CHADDR_AT + 16, 64) ? 0 : AREA_SNAME) |
                (zeros(c, CHADDR_AT + 80, 128) ? 0 : AREA_FILE);
    wspi_app_only(c, 0, 0);
    which = wspi_app_code(c, AREAS, true, 0, which);
    area(c, 10, which & AREA_CHADDR);
    area(c, 64, which & AREA_SNAME);
    area(c, 128, which & AREA_FILE);
}

/* Samples: answers that are broadcast are flows of their own, in which nobody but the server speaks. */
static bool by_server(const wspi_coder *c)
{
    const uint64_t *port = c->p->layers[c->p->n_layers - 1].v;

    if (port[0] == SERVER && port[1] == CLIENT)
        return true;
    return c->dir && !(port[0] == CLIENT && port[1] == SERVER);
}

static bool fixed_part(wspi_coder *c)
{
    uint64_t want;
    bool reply, known;

    wspi_app_only(c, c->fill && by_server(c), 1);
    reply = wspi_app_field(c, OP, 1, false, 0) == 2;
    wspi_app_only(c, 0, 1);
    (void)wspi_app_field(c, HARDWARE, 2, true, 0x0106);
    wspi_app_only(c, 0, 1);
    (void)wspi_app_field(c, HOPS, 1, true, 0);
    known = wspi_app_last(c, !reply, XID, &want) || wspi_app_last(c, reply, XID, &want);
    wspi_app_only(c, 0, !reply);
    (void)wspi_app_field(c, XID, 4, known, want);
    known = wspi_app_last(c, true, SECS, &want);
    wspi_app_only(c, 0, 6);
    (void)wspi_app_field(c, SECS, 2, true, known ? want : 0);
    known = wspi_app_last(c, true, FLAGS, &want);
    wspi_app_only(c, 0, 2);
    (void)wspi_app_field(c, FLAGS, 2, true, known ? want : 0);
    addresses(c, reply);
    hardware_address(c, reply);
    want = wspi_app_get(c, 4);
    wspi_app_require(c, !c->enc || want == COOKIE);
    wspi_app_put(c, 4, COOKIE);
    return reply;
}

/* ---- options ---- */

static bool has(const bool *seen, uint64_t type)
{
    return seen[wspi_row_of(option, type)];
}

/*
 * Samples: who has no address asks for one, and who has one does not; a server is told by who takes its offer or gives its address back
 * (RFC 2131 4.3.2, 4.4.1), and says itself who it is (4.3.1). The mask is in front of what lies in its network (RFC 2132 3.3).
 */
static bool fits(const wspi_coder *c, bool server, uint64_t type, const bool *seen)
{
    enum { DISCOVER = 1, REQUEST = 3, RELEASE = 7, INFORM = 8 };
    uint64_t is = c->app.v[c->dir][MESSAGE];
    bool has_one = c->app.v[c->dir][CIADDR] != 0;

    if (server && type == END)
        return has(seen, SERVER_ID);
    if (server)
        return type != SUBNET_MASK || !(has(seen, ROUTER) || has(seen, BROADCAST_ADDRESS));
    switch (type) {
    case END:
        return has_one ? is != RELEASE || has(seen, SERVER_ID)
                       : is != REQUEST || has(seen, REQUESTED_ADDRESS);
    case REQUESTED_ADDRESS: return !has_one;
    case SERVER_ID: return is == RELEASE || (is == REQUEST && !has_one);
    case LEASE_TIME: return is != INFORM && is != RELEASE;
    default: return true;
    }
}

/* Samples: the message comes first, no option twice, and those that this side has. */
static bool sampled(const wspi_coder *c, bool server, unsigned k, const bool *seen, unsigned n)
{
    uint64_t type = option[k].value;

    if (n == 0)
        return k == 0;
    if (!fits(c, server, type, seen))
        return false;
    return type == END || ((n < SAMPLED || !fits(c, server, END, seen)) &&
                           sampled_by[type] & (server ? OF_SERVER : OF_CLIENT) && !seen[k]);
}

static uint64_t next_option(wspi_coder *c, bool server, bool *seen, unsigned n)
{
    unsigned base = wspi_field_base(c->pay.app, OPTION), k;
    uint64_t type = wspi_app_field(c, OPTION, 1, false, 0);

    for (k = 0; c->legal && c->need && !c->deviations && option[k].name; k++)
        if (!sampled(c, server, k, seen, n))
            c->legal[base + k] = 0;
    seen[wspi_row_of(option, type)] = true;
    return type;
}

/* Samples: any that is no filling, once. */
static uint64_t requested(wspi_coder *c, bool *seen)
{
    unsigned base = wspi_field_base(c->pay.app, REQUESTED), k;
    uint64_t type = wspi_app_field(c, REQUESTED, 1, false, 0);

    for (k = 0; c->legal && c->need && !c->deviations && option[k].name; k++)
        if (option[k].value == PAD || option[k].value == END || seen[k])
            c->legal[base + k] = 0;
    return type;
}

/*
 * The list of options that are asked for tells systems apart and is the same in the next message of the flow, which
 * remembers it: no length then, as a list that is told is not empty.
 */
static void parameters(wspi_coder *c)
{
    const wsp_context *s = c->ctx;
    bool known = s->name_len && s->name_len < 256 &&
                 (s->app.id[0] == c->pay.app || s->app.id[1] == c->pay.app);
    bool seen[WSPI_COUNT(option)] = {false};
    uint64_t n = wspi_app_get(c, 1), told = n;
    size_t at = c->pay.at + (c->enc ? 0 : 1);

    wspi_app_require(c, !c->enc || n > 0);
    if (c->enc && known && n == s->name_len && wspi_app_captured(c) >= n &&
        memcmp(c->pay.in + at, s->name, n) == 0)
        told = 0;
    wspi_app_only(c, 4, 12);
    told = wspi_app_code(c, LENGTH, known, 0, told);
    wspi_app_require(c, told > 0 || known);
    if (wspi_app_stopped(c))
        return;
    n = told ? told : s->name_len;
    wspi_app_put(c, 1, n);
    if (!c->fill && wspi_app_captured(c) < n) {
        wspi_app_opaque(c, n);
        return;
    }
    for (uint64_t i = 0; i < n && !wspi_app_stopped(c); i++) {
        if (told) {
            seen[wspi_row_of(option, requested(c, seen))] = true;
        } else {
            (void)wspi_app_get(c, 1);
            wspi_app_put(c, 1, s->name[i]);
        }
    }
    c->name_at = at;
    c->name_len = (uint16_t)n;
}

/* Samples: DISCOVER is of those without an address, INFORM and RELEASE of those that have told it (RFC 2131 4.4.1). */
static void sampled_message(wspi_coder *c, bool server)
{
    static const uint8_t said[][2] = {{0, 2}, {1, 3}, {5, 2}}; /* first, how many */
    const uint8_t *s = said[server ? 2 : c->app.v[c->dir][CIADDR] != 0];

    wspi_app_only(c, s[0], s[1]);
}

/* The address that a client asks for: the one that it was offered, or its own. */
static uint64_t wanted_address(const wspi_coder *c)
{
    uint64_t v;

    return wspi_app_last(c, false, YIADDR, &v) && v ? v
                                                    : wspi_host_address(c, WSPI_R_IP_SRC, 32, -1);
}

/* The client's address in a server's message; 0: it tells none. */
static uint64_t served_address(const wspi_coder *c)
{
    const uint64_t *v = c->app.v[c->dir];

    return v[YIADDR] ? v[YIADDR] : v[CIADDR];
}

/* The router of a client: the server if it lies in its network, else the first address there that is not its own. */
static uint64_t router_of(uint64_t client, uint64_t server, uint64_t net)
{
    uint64_t hosts = ~net & UINT32_MAX, first = (client & net) + 1;

    if (hosts < 3 || !client || ((client ^ server) & net) == 0)
        return server;
    return first + (first == client);
}

/*
 * Samples: the server is itself what it tells of (RFC 2132 9.7), and name server and the like, too; router and broadcast
 * address are those of the client's network; a client's identifier is its hardware address (9.14).
 */
static uint64_t told_value(const wspi_coder *c, bool server, uint64_t type)
{
    uint64_t own = wspi_host_address(c, server ? WSPI_R_IP_SRC : WSPI_R_IP_DST, 32, -1),
             net = c->app.v[c->dir][MASK], client = served_address(c);

    net = net ? net : 0xffffff00u;
    switch (type) {
    case REQUESTED_ADDRESS: return wanted_address(c);
    case ROUTER: return router_of(client, own, net);
    case BROADCAST_ADDRESS: return (client ? client : own) | (~net & UINT32_MAX);
    case CLIENT_ID: return UINT64_C(1) << 48 | c->app.v[c->dir][CHADDR];
    default: return own;
    }
}

static void told(wspi_coder *c, bool server, uint64_t type, size_t n)
{
    if (c->fill)
        wspi_app_put(c, n, told_value(c, server, type));
    else
        wspi_app_opaque(c, n);
}

/*
 * Times of a lease: the first one is drawn, and in samples the others are what it makes of them: half of the lease until it is renewed, seven
 * eighths until it is rebound (RFC 2131 4.4.5).
 */
static void lease_time(wspi_coder *c, uint64_t type)
{
    uint64_t eighths = type == RENEWAL_TIME     ? 4
                       : type == REBINDING_TIME ? 7
                                                : 8,
             v, *lease = &c->app.v[c->dir][LEASE], want = *lease * eighths / 8;

    if (!c->fill) {
        v = wspi_app_field(c, NUMBER, 4, false, 0);
        *lease = v * 8 / eighths;
        return;
    }
    if (*lease)
        wspi_app_only(c, wspi_bin(want, fields[NUMBER].mantissa), 1);
    v = wspi_app_code(c, NUMBER, false, 0, 0);
    if (*lease && wspi_bin(v, fields[NUMBER].mantissa) == wspi_bin(want, fields[NUMBER].mantissa))
        c->app.v[c->dir][NUMBER] = v = want;
    else
        *lease = WSPI_MIN(v * 8 / eighths, (uint64_t)UINT32_MAX);
    wspi_app_put(c, 4, v);
}

static bool is_lease_time(uint64_t type)
{
    return type == LEASE_TIME || type == RENEWAL_TIME || type == REBINDING_TIME;
}

static void contents(wspi_coder *c, bool server, uint64_t type, size_t n)
{
    unsigned kind = forms[type].len && forms[type].len != n ? K_OPAQUE : forms[type].kind;

    if (!c->fill && wspi_app_captured(c) < n)
        kind = K_OPAQUE;
    switch ((enum kind)kind) {
    case K_MESSAGE:
        sampled_message(c, server);
        (void)wspi_app_field(c, MESSAGE, 1, false, 0);
        break;
    case K_NAME: wspi_app_text(c, n, 12, type == FQDN ? WSPI_TEXT_FQDN : WSPI_TEXT_NAME); break;
    case K_TEXT: wspi_app_text(c, n, 16, WSPI_TEXT_LINE); break;
    case K_NUMBER:
        if (server && is_lease_time(type))
            lease_time(c, type);
        else
            (void)wspi_app_field(c, NUMBER, n, false, 0);
        break;
    case K_MASK: (void)wspi_app_field(c, MASK, 4, true, 0xffffff00); break;
    case K_TOLD: told(c, server, type, n); break;
    case K_OPAQUE: wspi_app_opaque(c, n); break;
    }
}

static void one_option(wspi_coder *c, bool server, uint64_t type)
{
    unsigned f = forms[type].kind == K_NAME ? NAME : LENGTH, want = forms[type].len;
    uint64_t n = wspi_app_get(c, 1);

    if (type == FQDN) /* 8 bytes and more */
        wspi_app_only(c, 6, 4);
    else if (f == NAME)
        wspi_app_only(c, 4, 6);
    else
        wspi_app_only(c, 4, want ? 0 : 8);
    n = wspi_app_code(c, f, want > 0, want, n);
    wspi_app_put(c, 1, n);
    if (!wspi_app_stopped(c))
        contents(c, server, type, (size_t)n);
}

/* Samples: up to the length that was drawn, if not up to the least one of RFC 1542 2.1, which most messages have. */
static size_t sampled_padding(const wspi_coder *c)
{
    size_t to = c->pay.wire;

    if (wspi_bin(to, WSPI_LEN_MANTISSA) == wspi_bin(MIN_LEN, WSPI_LEN_MANTISSA))
        to = MIN_LEN;
    return c->pay.at < to ? to - c->pay.at : 0;
}

/* What follows the end. */
static void padding(wspi_coder *c)
{
    size_t n = c->fill ? sampled_padding(c) : wspi_app_captured(c);
    uint64_t data;

    if (n == 0 || wspi_app_stopped(c))
        return;
    wspi_app_only(c, 0, 0);
    data = wspi_app_code(c, TAIL, true, 0, c->enc && !zeros(c, c->pay.at, n));
    if (!data)
        area(c, n, false);
}

static void walk(wspi_coder *c)
{
    bool seen[WSPI_COUNT(option)] = {false}, server = fixed_part(c);
    uint64_t type;

    c->app.v[c->dir][LEASE] = c->app.v[c->dir][MASK] = 0; /* of a message before */
    for (unsigned n = 0; !wspi_app_stopped(c) && (c->fill || wspi_app_captured(c) > 0); n++) {
        type = next_option(c, server, seen, n);
        if (wspi_app_stopped(c))
            return;
        if (type == END) {
            padding(c);
            return;
        }
        if (type == PARAMETERS)
            parameters(c);
        else if (type != PAD)
            one_option(c, server, type);
    }
}

const wspi_app wspi_app_dhcp = {
    .proto = {.name = "dhcp", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {67, 68},
    .clients = {{68, 67}, {67, 68}, {67, 67}},
    .clients_only = true,
};
