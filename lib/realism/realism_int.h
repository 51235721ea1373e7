/* SPDX-License-Identifier: Apache-2.0 */
/*
 * realism_int.h: what is kept of captures that are to be compared: for every flow its tokens, and observations: which bin
 * of which measure a packet or the flow fell into. So any two sets of flows can be compared without reading again.
 */
#ifndef WSPI_REALISM_INT_H
#define WSPI_REALISM_INT_H

#include "packet/packet_int.h"
#include "task/task_int.h"
#include "wirespeak/realism.h"

/* ---- measures ---- */

/* How values fall into bins. The bins never depend on the captures. */
typedef enum wspi_binning {
    WSPI_BIN_EXACT,  /* value by value */
    WSPI_BIN_COUNT,  /* value by value, from 4096 on one bin */
    WSPI_BIN_HASH,   /* value by value, through a hash */
    WSPI_BIN_SIZE,   /* 16 bytes a bin */
    WSPI_BIN_TIME,   /* seconds: 40 bins from 1 us to 1000 s, of equal width in log10 */
    WSPI_BIN_OCTAVE, /* powers of two */
    WSPI_BIN_SHARE,  /* 0 to 1 in steps of 0.05 */
    WSPI_BIN_HALVES, /* steps of 0.5 up to 64 */
    WSPI_BIN_PORT,   /* exact below 32768, else one bin: where clients' ports are drawn from */
    WSPI_BIN_NET,    /* the first 16 bits of an address, for each role */
    WSPI_BIN_CHANGE, /* sign and power of two of the difference to the direction's last value */
    WSPI_BIN_RIGHT,  /* as computed, or not */
} wspi_binning;

typedef struct wspi_measure {
    const char *name;
    wsp_distance_kind kind;
    wspi_binning how;
    uint32_t bins;
    bool ordered;
    uint8_t number; /* of those with CHANGE */
} wspi_measure;

enum { WSPI_MEASURES = 512, WSPI_NUMBERS = 64, WSPI_FLOW_FEATURES = 31 };

/* Fixed ones of packets, then fields of layers, then fixed ones of flows. */
enum {
    WSPI_M_LENGTH,
    WSPI_M_GAP,
    WSPI_M_SPORT,
    WSPI_M_DPORT,
    WSPI_M_TTL,
    WSPI_M_FLAGS,
    WSPI_M_WINDOW,
    WSPI_M_STACK,
    WSPI_M_SRC,
    WSPI_M_DST,
    WSPI_M_FIELDS,
};

typedef struct wspi_measures {
    wspi_measure m[WSPI_MEASURES];
    size_t n, flows;                                  /* measures; the first one of flows */
    int16_t field[WSPI_LAYER_COUNT][WSPI_MAX_FIELDS]; /* -1: not measured */
} wspi_measures;

void wspi_measures_make(wspi_measures *t);
/* Bin of a value; NaN is a bin of its own where values may be absent. */
uint32_t wspi_bin_of(wspi_binning how, double v);

/* An observation: measure and bin. */
#define WSPI_OBS(measure, bin) ((uint32_t)(measure) << 22 | (uint32_t)(bin))
#define WSPI_OBS_MEASURE(o)    ((o) >> 22)
#define WSPI_OBS_BIN(o)        ((o)&0x3fffff)

/* ---- an open flow ---- */

/* Of one packet what measures of flows go by. */
typedef struct wspi_step {
    uint64_t time_ns;
    uint32_t size, data; /* on the wire; payload */
    uint8_t dir, flags;  /* TCP's */
    bool again;          /* TCP data that was sent before */
} wspi_step;

/* What one side of a TCP connection has sent. */
typedef struct wspi_side {
    bool open, has_ack, has_ts, fin;
    uint32_t next, ack, ts, fin_at;
} wspi_side;

typedef struct wspi_notes {
    uint32_t *obs;
    size_t n_obs, cap_obs;
    wspi_step *step;
    size_t n_steps, cap_steps;
    wspi_side side[2];
    uint64_t last[2][WSPI_NUMBERS];
    uint64_t known[2]; /* bit: there is a last value */
    wspi_buf payload;  /* for each packet with payload its length (4 bytes) and its bytes */
    wspi_buf raw;      /* for each packet gap (8 bytes), length (4 bytes) and bytes */
    wsp_labeller_flow *ndpi;
    int32_t label;
    bool counts, tcp;
} wspi_notes;

/* Adds what a packet of an open flow shows. `step` is the packet's own, already in the list. */
wsp_status wspi_measure_packet(const wspi_measures *t, wspi_notes *f,
                               const wsp_packet *p) WSP_MUST_USE;
/* Faults of the packet, counted in fault[WSP_FAULTS]; tells step->again. */
void wspi_check_packet(wspi_notes *f, const wsp_packet *p, size_t *fault);
/* The flow's own observations, and the same as numbers (absent: -1). */
wsp_status wspi_measure_flow(const wspi_measures *t, wspi_notes *f,
                             float features[WSPI_FLOW_FEATURES]) WSP_MUST_USE;

/* ---- what was read ---- */

struct wsp_traffic {
    wspi_measures measures;
    wsp_tokens *tokens; /* all flows, also those that do not count */
    size_t n_flows;     /* all */
    uint32_t *counted;  /* [n_counted] flows that count */
    size_t n_counted;
    uint32_t *obs;
    uint64_t *obs_off; /* [n_flows + 1] */
    float *features;   /* [n_flows][WSPI_FLOW_FEATURES] */
    wspi_buf payload;
    uint64_t *payload_off; /* [n_flows + 1] */
    wspi_buf raw;
    uint64_t *raw_off; /* [n_flows + 1] */
    int32_t *label;    /* [n_flows] index into names, or -1 */
    char **names;
    size_t n_names;
    const char **said;    /* [n_flows] by nDPI; NULL: nothing or not asked */
    const char **guessed; /* [n_flows] guesses included */
    const char **service; /* [n_flows] whose traffic it is, or NULL */
    size_t fault[WSP_FAULTS], n_packets, n_captures, not_ethernet;
    bool borrowed; /* all but `counted` is another's */
    size_t cap_obs, cap_flows[8], cap_counted, cap_names;
};

/* Which half (0 or 1) each of the flows that count falls into: half [n_counted]. */
wsp_status wspi_halves(const wsp_traffic *t, wsp_half how, uint8_t *half) WSP_MUST_USE;
/* The same in k parts. */
wsp_status wspi_parts(const wsp_traffic *t, bool by_capture, unsigned k,
                      uint8_t *part) WSP_MUST_USE;
/* Captures that have flows that count. */
size_t wspi_captures_of(const wsp_traffic *t);

/* Class of a set by name, or -1; its flows that count. */
int32_t wspi_class_in(const wsp_traffic *t, const char *name);
size_t wspi_flows_of(const wsp_traffic *t, int32_t class);
/* `most` flows of a class that are spread over the set (all if there are fewer), added to flow[*n]. */
void wspi_take_class(const wsp_traffic *t, int32_t class, size_t most, uint32_t *flow, size_t *n);

/* A packet as it was captured, and the time since the one before it. */
typedef struct wspi_raw {
    uint64_t gap_ns;
    const uint8_t *data;
    size_t len;
} wspi_raw;

enum { WSPI_RAW_BYTES = 4096 }; /* that are kept of a flow, or a packet more */

/* The packet of the flow that is kept at *at, which moves on; false after the last. */
bool wspi_raw_next(const wsp_traffic *t, uint32_t flow, size_t *at, wspi_raw *out);

/* What every flow of `like` is, as a class of `train`, in the order of its flows; -1: of no class. class [flows that count] */
wsp_status wspi_classes_like(const wsp_traffic *train, const wsp_traffic *like, int32_t *class,
                             size_t *n, wsp_error *err) WSP_MUST_USE;

/* Packets in the order of time, each flow's first one told. */
struct wspi_frames;
wsp_status wspi_write_frames(const struct wspi_frames *f, const wsp_generate_options *o,
                             wsp_pcap_writer *w, wsp_error *err) WSP_MUST_USE;

#endif
