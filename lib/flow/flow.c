/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow.c: the flow table: an open-addressing hash over ordered keys, one list in order of last
 * packets (timeouts, eviction) and one in order of first packets (flush). Where the clock runs
 * forward and the table is not full, whether packets form one flow depends on these packets alone.
 */
#include "wirespeak/flow.h"
#include "base/base.h"

#include <sys/random.h>

#define CHUNK 64 /* flows allocated together */
#define TCP   6
#define ICMP  1
#define ICMP6 58

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10 };

typedef struct node node;

typedef struct link {
    node *prev, *next;
} link;

/* The flow is the first member, so that a wsp_flow given out is the node. */
struct node {
    wsp_flow flow;
    wsp_flow_key ordered;
    uint64_t hash;
    uint64_t seen_ns;  /* time of the packet that came last; flow.last_ns is the latest time */
    link used, born;   /* `used` links free nodes too */
    uint8_t init_side; /* the initiator's side of `ordered` */
    uint8_t fins;      /* bit d: FIN seen in direction d */
    uint8_t last_fin;  /* direction of the FIN that completed both */
};

typedef struct chunk {
    struct chunk *next;
    node nodes[CHUNK];
} chunk;

typedef struct list {
    node *first, *last;
} list;

struct wsp_flow_table {
    wsp_flow_table_options opt;
    node **slots; /* [n_slots], a power of two, at most half full */
    size_t n_slots, count;
    list used, born;
    node *free_nodes;
    chunk *chunks;
    uint64_t next_id, evictions, seed;
};

_Static_assert(sizeof(wsp_flow_key) == 44, "the key is compared bytewise and must have no padding");

int wsp_flow_key_order(wsp_flow_key *key)
{
    uint8_t addr[16];
    uint16_t port;
    int c = memcmp(key->addr[0], key->addr[1], sizeof addr);

    if (c < 0 || (c == 0 && key->port[0] <= key->port[1]))
        return 0;
    memcpy(addr, key->addr[0], sizeof addr);
    memcpy(key->addr[0], key->addr[1], sizeof addr);
    memcpy(key->addr[1], addr, sizeof addr);
    port = key->port[0];
    key->port[0] = key->port[1];
    key->port[1] = port;
    return 1;
}

/*
 * Seeded, so that nobody outside can aim packets at one slot; no result depends on it. Mixing step
 * of MurmurHash3.
 */
static uint64_t hash_key(const wsp_flow_key *key, uint64_t seed)
{
    uint32_t w[sizeof *key / 4];
    uint64_t h = seed;

    memcpy(w, key, sizeof *key);
    for (size_t i = 0; i < WSPI_COUNT(w); i++) {
        h = (h ^ w[i]) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    h *= 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
}

uint64_t wsp_flow_key_hash(const wsp_flow_key *key)
{
    wsp_flow_key k = *key;
    uint64_t numbers, h;

    (void)wsp_flow_key_order(&k);
    numbers = wspi_to_le64((uint64_t)k.port[0] << 48 | (uint64_t)k.port[1] << 32 | k.scope);
    h = wspi_fnv1a(k.addr, sizeof k.addr, WSPI_FNV_START);
    h = wspi_fnv1a(&numbers, sizeof numbers, h);
    numbers = wspi_to_le64((uint64_t)k.ethertype << 16 | (uint64_t)k.proto << 8 | k.addr_len);
    h = wspi_fnv1a(&numbers, sizeof numbers, h);
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu; /* the low bits of FNV alone are poor */
    return h ^ h >> 33;
}

/* ---- lists: `which` is 0 for the list of last packets, 1 for that of first packets ---- */

static link *link_of(node *n, size_t which)
{
    return which ? &n->born : &n->used;
}

static void append(list *l, node *n, size_t which)
{
    *link_of(n, which) = (link){.prev = l->last};
    if (l->last)
        link_of(l->last, which)->next = n;
    else
        l->first = n;
    l->last = n;
}

static void take_out(list *l, node *n, size_t which)
{
    link k = *link_of(n, which);

    if (k.prev)
        link_of(k.prev, which)->next = k.next;
    else
        l->first = k.next;
    if (k.next)
        link_of(k.next, which)->prev = k.prev;
    else
        l->last = k.prev;
}

/*
 * ---- hash: linear probing; deletion moves later entries back, so that no gap cuts a probe short
 * ----
 */

static size_t slot_of(const wsp_flow_table *t, const wsp_flow_key *ordered, uint64_t hash)
{
    size_t i = (size_t)hash & (t->n_slots - 1);

    for (; t->slots[i]; i = (i + 1) & (t->n_slots - 1))
        if (t->slots[i]->hash == hash &&
            memcmp(&t->slots[i]->ordered, ordered, sizeof *ordered) == 0)
            break;
    return i;
}

static void clear_slot(wsp_flow_table *t, size_t hole)
{
    size_t mask = t->n_slots - 1;

    for (size_t i = (hole + 1) & mask; t->slots[i]; i = (i + 1) & mask) {
        size_t home = (size_t)t->slots[i]->hash & mask;

        if (((i - home) & mask) >= ((i - hole) & mask)) { /* its probe passes the hole */
            t->slots[hole] = t->slots[i];
            hole = i;
        }
    }
    t->slots[hole] = NULL;
}

static wsp_status grow_slots(wsp_flow_table *t)
{
    size_t n = t->n_slots * 2;
    node **slots;

    if (t->count + 1 <= t->n_slots / 2)
        return WSP_OK;
    slots = wspi_new_array(n, sizeof *slots);
    if (!slots)
        return WSP_ERR_NOMEM;
    for (node *p = t->used.first; p; p = p->used.next) {
        size_t i = (size_t)p->hash & (n - 1);

        while (slots[i])
            i = (i + 1) & (n - 1);
        slots[i] = p;
    }
    free(t->slots);
    t->slots = slots;
    t->n_slots = n;
    return WSP_OK;
}

static wsp_status stock_nodes(wsp_flow_table *t)
{
    chunk *c;

    if (t->free_nodes)
        return WSP_OK;
    c = calloc(1, sizeof *c);
    if (!c)
        return WSP_ERR_NOMEM;
    c->next = t->chunks;
    t->chunks = c;
    for (size_t i = CHUNK; i-- > 0;) {
        c->nodes[i].used.next = t->free_nodes;
        t->free_nodes = &c->nodes[i];
    }
    return WSP_OK;
}

/* ---- ending ---- */

static void end_flow(wsp_flow_table *t, node *n, wsp_flow_end why)
{
    clear_slot(t, slot_of(t, &n->ordered, n->hash));
    take_out(&t->used, n, 0);
    take_out(&t->born, n, 1);
    t->count--;
    if (n->flow.end == WSP_FLOW_OPEN) /* a closed one stays CLOSED, whatever moved it out */
        n->flow.end = why;
    if (n->flow.end == WSP_FLOW_EVICTED)
        t->evictions++;
    if (t->opt.release)
        t->opt.release(t->opt.arg, &n->flow);
    n->used.next = t->free_nodes;
    t->free_nodes = n;
}

static bool is_idle(const wsp_flow_table *t, const node *n, uint64_t now)
{
    return t->opt.idle_ns && now > n->seen_ns && now - n->seen_ns > t->opt.idle_ns;
}

/*
 * One flow from so far in the future, at the front, goes to the back: else a single packet with a
 * clock ahead would hide all idle flows for the rest of the run. One a call, so that a single packet
 * with a clock behind costs the order of a single flow.
 */
static void pass_future(wsp_flow_table *t, uint64_t now)
{
    node *n = t->used.first;

    if (!n || !t->opt.idle_ns || n->seen_ns <= now || n->seen_ns - now <= t->opt.idle_ns)
        return;
    take_out(&t->used, n, 0);
    append(&t->used, n, 0);
}

/*
 * Ends idle flows, least recently used first, up to one that is not: where the capture's clock runs
 * back that one may hide others, which then end a little later (at their own next packet, at the
 * latest).
 */
static void end_idle(wsp_flow_table *t, uint64_t now)
{
    pass_future(t, now);
    while (t->used.first && is_idle(t, t->used.first, now))
        end_flow(t, t->used.first, WSP_FLOW_IDLE);
}

/*
 * Ends the flow when this packet cannot belong to it any more. Returns the flow that is left, or
 * NULL.
 */
static node *end_if_over(wsp_flow_table *t, node *n, uint64_t now, uint8_t tcp_flags)
{
    bool fresh_syn = (tcp_flags & (SYN | ACK)) == SYN;

    if (!n)
        return NULL;
    if (is_idle(t, n, now))
        end_flow(t, n, WSP_FLOW_IDLE);
    else if (fresh_syn && (n->flow.end == WSP_FLOW_CLOSED || n->fins == 3))
        end_flow(t, n, WSP_FLOW_CLOSED);
    else if (t->opt.active_ns && now > n->flow.first_ns &&
             now - n->flow.first_ns > t->opt.active_ns)
        end_flow(t, n, WSP_FLOW_ACTIVE);
    else
        return n;
    return NULL;
}

/* CLOSED: RST, or FIN both ways and then an ACK towards the side whose FIN came second. */
static void follow_tcp(node *n, int dir, uint8_t flags)
{
    n->flow.tcp_flags[dir] |= flags;
    if (flags & RST)
        n->flow.end = WSP_FLOW_CLOSED;
    if (n->fins == 3 && (flags & ACK) && dir != n->last_fin)
        n->flow.end = WSP_FLOW_CLOSED;
    if ((flags & FIN) && !(n->fins & 1u << dir)) {
        n->fins = (uint8_t)(n->fins | 1u << dir);
        n->last_fin = (uint8_t)dir;
    }
}

/* ---- the public calls ---- */

wsp_flow_table_options wsp_flow_table_options_default(void)
{
    return (wsp_flow_table_options){.max_flows = 1000000, .idle_ns = UINT64_C(120) * 1000000000};
}

wsp_status wsp_flow_table_new(wsp_flow_table **out, const wsp_flow_table_options *opt)
{
    wsp_flow_table *t;

    *out = NULL;
    if (opt && opt->max_flows == 0)
        return WSP_ERR_ARG;
    t = calloc(1, sizeof *t);
    if (!t)
        return WSP_ERR_NOMEM;
    t->opt = opt ? *opt : wsp_flow_table_options_default();
    t->n_slots = 64;
    t->slots = wspi_new_array(t->n_slots, sizeof *t->slots);
    if (!t->slots) {
        free(t);
        return WSP_ERR_NOMEM;
    }
    if (getrandom(&t->seed, sizeof t->seed, GRND_NONBLOCK) != (ssize_t)sizeof t->seed)
        t->seed = (uint64_t)(uintptr_t)t;
    *out = t;
    return WSP_OK;
}

/* `side` is the packet's source in `ordered`. */
static node *start_flow(wsp_flow_table *t, const wsp_flow_key *key, const wsp_flow_key *ordered,
                        uint64_t hash, uint8_t side, uint64_t now, bool syn_ack)
{
    node *n = t->free_nodes;
    bool mirrored = key->port[0] == key->port[1] &&
                    memcmp(key->addr[0], key->addr[1], sizeof key->addr[0]) == 0;
    bool turn = syn_ack && !mirrored; /* a SYN-ACK answers: its receiver began */

    t->free_nodes = n->used.next;
    *n = (node){.ordered = *ordered, .hash = hash};
    n->init_side = turn ? !side : side;
    n->flow.key = *ordered;
    if (n->init_side == 1) {
        memcpy(n->flow.key.addr[0], ordered->addr[1], sizeof ordered->addr[1]);
        memcpy(n->flow.key.addr[1], ordered->addr[0], sizeof ordered->addr[0]);
        n->flow.key.port[0] = ordered->port[1];
        n->flow.key.port[1] = ordered->port[0];
    }
    n->flow.id = t->next_id++;
    n->flow.first_ns = n->flow.last_ns = now;
    t->slots[slot_of(t, ordered, hash)] = n;
    append(&t->used, n, 0);
    append(&t->born, n, 1);
    t->count++;
    return n;
}

static void count_packet(wsp_flow_table *t, node *n, uint64_t now, uint32_t wirelen, int dir)
{
    n->flow.packets[dir]++;
    n->flow.bytes[dir] += wirelen;
    n->flow.first_ns = WSPI_MIN(n->flow.first_ns, now);
    n->flow.last_ns = WSPI_MAX(n->flow.last_ns, now);
    n->seen_ns = now;
    if (t->used.last != n) {
        take_out(&t->used, n, 0);
        append(&t->used, n, 0);
    }
}

wsp_status wsp_flow_table_add(wsp_flow_table *t, const wsp_flow_key *key, uint64_t time_ns,
                              uint32_t wirelen, uint8_t tcp_flags, wsp_flow **flow, int *dir)
{
    wsp_flow_key ordered = *key;
    uint8_t side = (uint8_t)wsp_flow_key_order(&ordered);
    uint64_t hash = hash_key(&ordered, t->seed);
    node *n;

    *flow = NULL;
    *dir = 0;
    if (key->proto != TCP)
        tcp_flags = 0;
    end_idle(t, time_ns);
    n = end_if_over(t, t->slots[slot_of(t, &ordered, hash)], time_ns, tcp_flags);
    if (!n) {
        if (t->count == t->opt.max_flows)
            end_flow(t, t->used.first, WSP_FLOW_EVICTED);
        WSP_TRY(grow_slots(t));
        WSP_TRY(stock_nodes(t));
        n = start_flow(t, key, &ordered, hash, side, time_ns,
                       (tcp_flags & (SYN | ACK)) == (SYN | ACK));
    }
    *dir = side != n->init_side;
    count_packet(t, n, time_ns, wirelen, *dir);
    follow_tcp(n, *dir, tcp_flags);
    *flow = &n->flow;
    return WSP_OK;
}

static void note_icmp(wsp_flow *flow, const wsp_packet *p, int dir)
{
    if (!flow->icmp_seen[dir] && flow->key.proto == (flow->key.addr_len == 4 ? ICMP : ICMP6))
        flow->icmp_seen[dir] = wsp_packet_icmp(p, &flow->icmp_type[dir], &flow->icmp_code[dir]);
}

void wsp_flow_note(wsp_flow *flow, const wsp_packet *p, int dir)
{
    if (flow->key.scope && flow->packets[0] + flow->packets[1] == 1) /* a tag is in the scope */
        flow->n_vlans = (uint8_t)wsp_packet_vlans(p, flow->vlan, WSP_MAX_VLANS);
    note_icmp(flow, p, dir);
}

void wsp_flow_table_expire(wsp_flow_table *t, uint64_t now_ns)
{
    end_idle(t, now_ns);
}

void wsp_flow_table_flush(wsp_flow_table *t)
{
    while (t->born.first)
        end_flow(t, t->born.first, WSP_FLOW_EOF);
}

bool wsp_flow_table_evict(wsp_flow_table *t)
{
    if (!t->used.first)
        return false;
    end_flow(t, t->used.first, WSP_FLOW_EVICTED);
    return true;
}

size_t wsp_flow_table_count(const wsp_flow_table *t)
{
    return t->count;
}

uint64_t wsp_flow_table_evictions(const wsp_flow_table *t)
{
    return t->evictions;
}

void wsp_flow_table_free(wsp_flow_table *t)
{
    if (!t)
        return;
    wsp_flow_table_flush(t);
    for (chunk *c = t->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(t->slots);
    free(t);
}
