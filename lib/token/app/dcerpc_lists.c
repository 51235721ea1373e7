/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dcerpc_lists.c: interfaces of DCE/RPC that are called often, transfer syntaxes ([MS-RPCE] 2.2.4.12, 3.3.1.5.3), states
 * of faults (C706 appendix E, [MS-ERREF]), and what both protocols read alike.
 */
#include "token/app/dcerpc.h"

/* Samples: which is first, oxid-resolver and epmapper on their port, any other one elsewhere. In the order of wspi_dce_id's rows. */
const wspi_value wspi_dce_interface[] = {
    {0, "unlisted"},
    {1, "oxid-resolver"},
    {2, "epmapper"},
    {3, "profinet-device"},
    {4, "profinet-controller"},
    {5, "profinet-supervisor"},
    {6, "profinet-parameters"},
    {7, "mgmt"},
    {8, "netlogon"},
    {9, "drsuapi"},
    {10, "samr"},
    {11, "lsarpc"},
    {12, "dssetup"},
    {13, "svcctl"},
    {14, "srvsvc"},
    {15, "wkssvc"},
    {16, "browser"},
    {17, "winreg"},
    {18, "eventlog"},
    {19, "eventlog6"},
    {20, "atsvc"},
    {21, "sasec"},
    {22, "task-scheduler"},
    {23, "spoolss"},
    {24, "par"},
    {25, "efsrpc"},
    {26, "efsrpc-lsa"},
    {27, "netdfs"},
    {28, "frsrpc"},
    {29, "frstrans"},
    {30, "fssagent"},
    {31, "dnsserver"},
    {32, "backupkey"},
    {33, "icertpassage"},
    {34, "icertrequest"},
    {35, "initshutdown"},
    {36, "pnp"},
    {37, "w32time"},
    {38, "winstation"},
    {39, "msgsvc"},
    {40, "messenger"},
    {41, "tapsrv"},
    {42, "trkwks"},
    {43, "msmq"},
    {44, "emsmdb"},
    {45, "nspi"},
    {46, "rfr"},
    {47, "remote-activator"},
    {48, "iactivation"},
    {49, "iremunknown"},
    {50, "iremunknown2"},
    {51, "iunknown"},
    {52, "iclassfactory"},
    {53, "idispatch"},
    {54, "itypeinfo"},
    {55, "iprovideclassinfo"},
    {56, "iconnectionpoint"},
    {57, "iconnectionpoints"},
    {58, "wbem-login"},
    {59, "wbem-login-client"},
    {60, "wbem-services"},
    {61, "wbem-context"},
    {62, "wbem-refresher"},
    {63, "wbem-enum"},
    {64, "wbem-fetch"},
    {65, "wbem-smart-enum"},
    {66, "wbem-sink"},
    {67, "opc-server"},
    {68, "opc-items"},
    {69, "opc-group"},
    {70, "opc-sync"},
    {71, "opc-async2"},
    {72, "opc-callback"},
    {73, "opc-server-list"},
    {74, "opc-common"},
    {0, NULL},
};

const wspi_dce_id wspi_dce_interfaces[] = {
    {UINT64_C(0x0000000000000000), UINT64_C(0x0000000000000001), 0},  /* unlisted */
    {UINT64_C(0x99fcfec45260101b), UINT64_C(0xbbcb00aa0021347a), 0},  /* oxid-resolver */
    {UINT64_C(0xe1af83085d1f11c9), UINT64_C(0x91a408002b14a0fa), 3},  /* epmapper */
    {UINT64_C(0xdea000016c9711d1), UINT64_C(0x827100a02442df7d), 1},  /* profinet-device */
    {UINT64_C(0xdea000026c9711d1), UINT64_C(0x827100a02442df7d), 1},  /* profinet-controller */
    {UINT64_C(0xdea000036c9711d1), UINT64_C(0x827100a02442df7d), 1},  /* profinet-supervisor */
    {UINT64_C(0xdea000046c9711d1), UINT64_C(0x827100a02442df7d), 1},  /* profinet-parameters */
    {UINT64_C(0xafa8bd807d8a11c9), UINT64_C(0xbef408002b102989), 1},  /* mgmt */
    {UINT64_C(0x123456781234abcd), UINT64_C(0xef0001234567cffb), 1},  /* netlogon */
    {UINT64_C(0xe35142354b0611d1), UINT64_C(0xab0400c04fc2dcd2), 4},  /* drsuapi */
    {UINT64_C(0x123457781234abcd), UINT64_C(0xef000123456789ac), 1},  /* samr */
    {UINT64_C(0x123457781234abcd), UINT64_C(0xef000123456789ab), 0},  /* lsarpc */
    {UINT64_C(0x3919286ab10c11d0), UINT64_C(0x9ba800c04fd92ef5), 0},  /* dssetup */
    {UINT64_C(0x367abb81984435f1), UINT64_C(0xad3298f038001003), 2},  /* svcctl */
    {UINT64_C(0x4b324fc8167001d3), UINT64_C(0x12785a47bf6ee188), 3},  /* srvsvc */
    {UINT64_C(0x6bffd098a1123610), UINT64_C(0x983346c3f87e345a), 1},  /* wkssvc */
    {UINT64_C(0x6bffd098a1123610), UINT64_C(0x9833012892020162), 0},  /* browser */
    {UINT64_C(0x338cd001224431f1), UINT64_C(0xaaaa900038001003), 1},  /* winreg */
    {UINT64_C(0x82273fdce32a18c3), UINT64_C(0x3f78827929dc23ea), 0},  /* eventlog */
    {UINT64_C(0xf6beaff71e194fbb), UINT64_C(0x9f8fb89e2018337c), 1},  /* eventlog6 */
    {UINT64_C(0x1ff706820a5130e8), UINT64_C(0x076d740be8cee98b), 1},  /* atsvc */
    {UINT64_C(0x378e52b0c0a911cf), UINT64_C(0x822d00aa0051e40f), 1},  /* sasec */
    {UINT64_C(0x86d3594983c94044), UINT64_C(0xb424db363231fd0c), 1},  /* task-scheduler */
    {UINT64_C(0x123456781234abcd), UINT64_C(0xef000123456789ab), 1},  /* spoolss */
    {UINT64_C(0x76f03f96cdfd44fc), UINT64_C(0xa22c64950a001209), 1},  /* par */
    {UINT64_C(0xdf1941c5fe894e79), UINT64_C(0xbf10463657acf44d), 1},  /* efsrpc */
    {UINT64_C(0xc681d488d85011d0), UINT64_C(0x8c5200c04fd90f7e), 1},  /* efsrpc-lsa */
    {UINT64_C(0x4fc742e04a1011cf), UINT64_C(0x827300aa004ae673), 3},  /* netdfs */
    {UINT64_C(0xf5cc59b44264101a), UINT64_C(0x8c5908002b2f8426), 1},  /* frsrpc */
    {UINT64_C(0x897e2e5f93f34376), UINT64_C(0x9c9cfd2277495c27), 1},  /* frstrans */
    {UINT64_C(0xa8e0653c27444389), UINT64_C(0xa61d7373df8b2292), 1},  /* fssagent */
    {UINT64_C(0x50abc2a4574d40b3), UINT64_C(0x9d66ee4fd5fba076), 5},  /* dnsserver */
    {UINT64_C(0x3dde7c30165d11d1), UINT64_C(0xab8f00805f14db40), 1},  /* backupkey */
    {UINT64_C(0x91ae60209e3c11cf), UINT64_C(0x8d7c00aa00c091be), 0},  /* icertpassage */
    {UINT64_C(0xd99e6e70fc8811d0), UINT64_C(0xb49800a0c90312f3), 0},  /* icertrequest */
    {UINT64_C(0x894de0c00d5511d3), UINT64_C(0xa32200c04fa321a1), 1},  /* initshutdown */
    {UINT64_C(0x8d9f4e40a03d11ce), UINT64_C(0x8f6908003e30051b), 1},  /* pnp */
    {UINT64_C(0x8fb6d884238811d0), UINT64_C(0x8c3500c04fda2795), 4},  /* w32time */
    {UINT64_C(0x5ca4a760ebb111cf), UINT64_C(0x861100a0245420ed), 1},  /* winstation */
    {UINT64_C(0x17fdd70318274e34), UINT64_C(0x79d424a55c53bb37), 1},  /* msgsvc */
    {UINT64_C(0x5a7b91f8ff0011d0), UINT64_C(0xa9b200c04fb6e6fc), 1},  /* messenger */
    {UINT64_C(0x2f5f6520ca461067), UINT64_C(0xb31900dd010662da), 1},  /* tapsrv */
    {UINT64_C(0x300f353238cc11d0), UINT64_C(0xa3f00020af6b0add), 1},  /* trkwks */
    {UINT64_C(0xfdb3a030065f11d1), UINT64_C(0xbb9b00a024ea5525), 1},  /* msmq */
    {UINT64_C(0xa4f1db00ca471067), UINT64_C(0xb31f00dd010662da), 81}, /* emsmdb */
    {UINT64_C(0xf5cc5a184264101a), UINT64_C(0x8c5908002b2f8426), 56}, /* nspi */
    {UINT64_C(0x1544f5e0613c11d1), UINT64_C(0x93df00c04fd7bd09), 1},  /* rfr */
    {UINT64_C(0x000001a000000000), UINT64_C(0xc000000000000046), 0},  /* remote-activator */
    {UINT64_C(0x4d9f4ab87d1c11cf), UINT64_C(0x861e0020af6e7c57), 0},  /* iactivation */
    {UINT64_C(0x0000013100000000), UINT64_C(0xc000000000000046), 0},  /* iremunknown */
    {UINT64_C(0x0000014300000000), UINT64_C(0xc000000000000046), 0},  /* iremunknown2 */
    {UINT64_C(0x0000000000000000), UINT64_C(0xc000000000000046), 0},  /* iunknown */
    {UINT64_C(0x0000000100000000), UINT64_C(0xc000000000000046), 0},  /* iclassfactory */
    {UINT64_C(0x0002040000000000), UINT64_C(0xc000000000000046), 0},  /* idispatch */
    {UINT64_C(0x0002040100000000), UINT64_C(0xc000000000000046), 0},  /* itypeinfo */
    {UINT64_C(0xb196b283bab4101a), UINT64_C(0xb69c00aa00341d07), 0},  /* iprovideclassinfo */
    {UINT64_C(0xb196b286bab4101a), UINT64_C(0xb69c00aa00341d07), 0},  /* iconnectionpoint */
    {UINT64_C(0xb196b284bab4101a), UINT64_C(0xb69c00aa00341d07), 0},  /* iconnectionpoints */
    {UINT64_C(0xf309ad18d86a11d0), UINT64_C(0xa07500c04fb68820), 0},  /* wbem-login */
    {UINT64_C(0xd4781cd6e5d344df), UINT64_C(0xad94930efe48a887), 0},  /* wbem-login-client */
    {UINT64_C(0x9556dc99828c11cf), UINT64_C(0xa37e00aa003240c7), 0},  /* wbem-services */
    {UINT64_C(0x44aca675e8fc11d0), UINT64_C(0xa07c00c04fb68820), 0},  /* wbem-context */
    {UINT64_C(0x9f6c78effce542fa), UINT64_C(0xabea3e7df91921dc), 0},  /* wbem-refresher */
    {UINT64_C(0x027947e1d73111ce), UINT64_C(0xa357000000000001), 0},  /* wbem-enum */
    {UINT64_C(0x1c1c45ee439511d2), UINT64_C(0xb60b00104b703efd), 0},  /* wbem-fetch */
    {UINT64_C(0x423ec01e2e3511d2), UINT64_C(0xb60400104b703efd), 0},  /* wbem-smart-enum */
    {UINT64_C(0x7c857801738111cf), UINT64_C(0x884d00aa004b2e24), 0},  /* wbem-sink */
    {UINT64_C(0x39c13a4d011e11d0), UINT64_C(0x96750020afd8adb3), 0},  /* opc-server */
    {UINT64_C(0x39c13a54011e11d0), UINT64_C(0x96750020afd8adb3), 0},  /* opc-items */
    {UINT64_C(0x39c13a50011e11d0), UINT64_C(0x96750020afd8adb3), 0},  /* opc-group */
    {UINT64_C(0x39c13a52011e11d0), UINT64_C(0x96750020afd8adb3), 0},  /* opc-sync */
    {UINT64_C(0x39c13a71011e11d0), UINT64_C(0x96750020afd8adb3), 0},  /* opc-async2 */
    {UINT64_C(0x39c13a70011e11d0), UINT64_C(0x96750020afd8adb3), 0},  /* opc-callback */
    {UINT64_C(0x13486d50482111d2), UINT64_C(0xa4943cb306c10000), 0},  /* opc-server-list */
    {UINT64_C(0xf31dfde207b611d2), UINT64_C(0xb2d80060083ba1fb), 0},  /* opc-common */
};

const wspi_value wspi_dce_syntax[] = {
    {0, "ndr"},     {1, "ndr64"},    {2, "features"}, {3, "none"},
    {4, "feature"}, {5, "unlisted"}, {0, NULL},
};

const wspi_dce_id wspi_dce_syntaxes[] = {
    {UINT64_C(0x8a885d041ceb11c9), UINT64_C(0x9fe808002b104860), 2}, /* ndr */
    {UINT64_C(0x71710533beba4937), UINT64_C(0x8319b5dbef9ccc36), 1}, /* ndr64 */
    {UINT64_C(0x6cb71c2c98124540), UINT64_C(0x0300000000000000), 1}, /* features */
    {UINT64_C(0x0000000000000000), UINT64_C(0x0000000000000000), 0}, /* none */
    {UINT64_C(0x6cb71c2c98124540), UINT64_C(0x0100000000000000), 1}, /* feature */
    {UINT64_C(0x0000000000000000), UINT64_C(0x0000000000000001), 1}, /* unlisted */
};

const wspi_value wspi_dce_status[] = {
    {0x00000005, "access-denied"},     {0x1c010002, "op-range"},
    {0x1c010003, "unknown-interface"}, {0x000006f7, "bad-stub"},
    {0x1c00001a, "context"},           {0x1c01000b, "protocol"},
    {0x000006d1, "no-procedure"},      {0x00000057, "invalid"},
    {0x0000000e, "no-memory"},         {0x1c010006, "who-are-you"},
    {0x1c010014, "too-busy"},          {0x1c00000f, "unspecified"},
    {0x1c000012, "user-defined"},      {0x1c000001, "divide-by-zero"},
    {0x80010108, "disconnected"},      {0x800706ba, "unavailable"},
    {0x80070005, "com-access-denied"}, {0x00000721, "security"},
    {0x000006e4, "cannot-support"},    {0x00000000, "none"},
    {0x1c010008, "comm-failure"},      {0x1c00001b, "invalid-tag"},
    {0x1c00000d, "cancelled"},         {0, NULL},
};

/* ---- numbers ---- */

static uint64_t number_at(const uint8_t *b, size_t n, bool little)
{
    uint64_t v = wspi_load_be(b, n);

    return little ? wspi_turned(v, n) : v;
}

uint64_t wspi_dce_get(wspi_coder *c, size_t n, bool little)
{
    uint64_t v = wspi_app_get(c, n);

    if (!little)
        return v;
    v = wspi_turned(v, n);
    if (c->spans)
        wspi_spans_little(c->spans, v);
    return v;
}

void wspi_dce_put(wspi_coder *c, size_t n, bool little, uint64_t v)
{
    wspi_app_put(c, n, little ? wspi_turned(v, n) : v);
}

uint64_t wspi_dce_field(wspi_coder *c, unsigned f, size_t n, bool little, bool known, uint64_t want)
{
    uint64_t v = wspi_app_code(c, f, known, want, wspi_dce_get(c, n, little));

    wspi_dce_put(c, n, little, v);
    return v;
}

void wspi_dce_operation(wspi_coder *c, unsigned f, unsigned width, bool little, bool known,
                        uint64_t want)
{
    uint64_t most = (UINT64_C(1) << width) - 1, v = 0;

    if (c->enc && !wspi_app_stopped(c) && wspi_app_captured(c) >= 2)
        v = WSPI_MIN(number_at(c->pay.in + c->pay.at, 2, little), most);
    v = wspi_app_code(c, f, known, want, v);
    if (v == most) {
        wspi_app_opaque(c, 2);
        return;
    }
    (void)wspi_app_get(c, 2);
    wspi_dce_put(c, 2, little, v);
}

void wspi_dce_quiet(wspi_coder *c, size_t n)
{
    if (c->fill)
        wspi_app_put(c, n, 0);
    else
        wspi_app_opaque(c, n);
}

/* ---- identifiers ---- */

/* The row of the identifier at b; `unlisted`, which no identifier is, where it has none. */
static unsigned row_of(const wspi_dce_id *ids, unsigned n, unsigned unlisted, const uint8_t *b,
                       bool little)
{
    uint64_t high = number_at(b, 4, little) << 32 | number_at(b + 4, 2, little) << 16 |
                    number_at(b + 6, 2, little);
    uint64_t low = number_at(b + 8, 8, false);

    for (unsigned k = 0; k < n; k++)
        if (ids[k].high == high && ids[k].low == low && k != unlisted)
            return k;
    return unlisted;
}

static void identifier(wspi_coder *c, bool little, const wspi_dce_id *ids, uint64_t n,
                       uint64_t unlisted, uint64_t row)
{
    wspi_app_require(c, row < n);
    if (row >= n || row == unlisted) {
        wspi_app_opaque(c, WSPI_DCE_UUID);
        return;
    }
    (void)wspi_app_get(c, 8);
    (void)wspi_app_get(c, 8);
    wspi_dce_put(c, 4, little, ids[row].high >> 32);
    wspi_dce_put(c, 2, little, ids[row].high >> 16 & 0xffff);
    wspi_dce_put(c, 2, little, ids[row].high & 0xffff);
    wspi_app_put(c, 8, ids[row].low);
}

unsigned wspi_dce_interface_at(const uint8_t *b, bool little)
{
    return row_of(wspi_dce_interfaces, WSPI_COUNT(wspi_dce_interfaces), WSPI_DCE_UNLISTED, b,
                  little);
}

unsigned wspi_dce_syntax_at(const uint8_t *b, bool little)
{
    return row_of(wspi_dce_syntaxes, WSPI_COUNT(wspi_dce_syntaxes), WSPI_DCE_OTHER_SYNTAX, b,
                  little);
}

void wspi_dce_interface_bytes(wspi_coder *c, bool little, uint64_t row)
{
    identifier(c, little, wspi_dce_interfaces, WSPI_COUNT(wspi_dce_interfaces), WSPI_DCE_UNLISTED,
               row);
}

void wspi_dce_syntax_bytes(wspi_coder *c, bool little, uint64_t row)
{
    identifier(c, little, wspi_dce_syntaxes, WSPI_COUNT(wspi_dce_syntaxes), WSPI_DCE_OTHER_SYNTAX,
               row);
}

uint64_t wspi_dce_interface_version(uint64_t row)
{
    return row < WSPI_COUNT(wspi_dce_interfaces) ? wspi_dce_interfaces[row].version : 0;
}

uint64_t wspi_dce_syntax_version(uint64_t row)
{
    return row < WSPI_COUNT(wspi_dce_syntaxes) ? wspi_dce_syntaxes[row].version : 0;
}
